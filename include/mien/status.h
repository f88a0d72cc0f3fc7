/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIEN_STATUS_H
#define MIEN_STATUS_H

/*
 * Errors as values.
 *
 * Every function of mien that can fail returns a mien_status and takes, as its
 * last argument, a pointer to a mien_error that receives the details. The
 * pointer may be NULL when the details are not wanted. On success the error
 * object is left as it was. The library never exits, aborts or prints.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Marks what the shared library exports. */
#if defined(__GNUC__)
#define MIEN_API __attribute__((visibility("default")))
#else
#define MIEN_API
#endif

/* clang-format off */
#define MIEN_STATUS_LIST(X)                                                    \
    X(MIEN_OK,               "ok")                                             \
    X(MIEN_INVALID_ARGUMENT, "invalid argument")                               \
    X(MIEN_OUT_OF_MEMORY,    "out of memory")                                  \
    X(MIEN_NOT_FOUND,        "not found")                                      \
    X(MIEN_IO,               "input or output failed")                         \
    X(MIEN_MALFORMED,        "malformed data")                                 \
    X(MIEN_UNSUPPORTED,      "not supported")                                  \
    X(MIEN_LIMIT,            "limit exceeded")                                 \
    X(MIEN_SHAPE,            "shapes do not fit")
/* clang-format on */

typedef enum mien_status {
#define MIEN_STATUS_ENUM(name, text) name,
    MIEN_STATUS_LIST(MIEN_STATUS_ENUM)
#undef MIEN_STATUS_ENUM
} mien_status;

#define MIEN_ERROR_MESSAGE_SIZE 512

/* The details of a failure. A caller's object: no memory to free. */
typedef struct mien_error {
    mien_status status;
    int64_t position;                      /* byte offset in the input that was read, or -1 */
    char message[MIEN_ERROR_MESSAGE_SIZE]; /* UTF-8, ends with a zero byte */
} mien_error;

/* The short English name of a status, such as "out of memory". Never NULL. */
MIEN_API const char *mien_status_name(mien_status status);

#ifdef __cplusplus
}
#endif

#endif
