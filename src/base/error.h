/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Filling in a mien_error. All functions are thread-safe: they write only to the caller's object.
 */

#include <mien/status.h>
#include <stdbool.h>

#if defined(__GNUC__)
#define BASE_PRINTF_LIKE(format_index, first_arg)                                                  \
    __attribute__((format(printf, format_index, first_arg)))
#else
#define BASE_PRINTF_LIKE(format_index, first_arg)
#endif

/* Fills *error (may be NULL), position -1. Returns status, so that a function can end with it. */
mien_status error_set(mien_error *error, mien_status status, const char *format, ...)
    BASE_PRINTF_LIKE(3, 4);

/* The same with the byte position in the input. */
mien_status error_set_at(mien_error *error, mien_status status, int64_t position,
                         const char *format, ...) BASE_PRINTF_LIKE(4, 5);

/* Puts "context: " before the message that is there, e.g. the name of the file. Returns its status.
 */
mien_status error_prefix(mien_error *error, mien_status status, const char *format, ...)
    BASE_PRINTF_LIKE(3, 4);

/* The usual case: "out of memory for <what> (<bytes> bytes)". */
mien_status error_no_memory(mien_error *error, const char *what, uint64_t bytes);

#endif
