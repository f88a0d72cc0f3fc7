/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

/* What every cmocka test of mien starts with. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mien/status.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small generator (xorshift64*), so that random tests replay from their seed. */
typedef struct test_random {
    uint64_t state; /* not zero */
} test_random;

static inline uint64_t test_random_next(test_random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(2685821657736338717);
}

/* low..high, both included. */
static inline int test_random_int(test_random *random, int low, int high)
{
    return low + (int)(test_random_next(random) >> 33) % (high - low + 1);
}

/* -1..1 */
static inline float test_random_float(test_random *random)
{
    return (float)((double)(test_random_next(random) >> 11) / (double)(UINT64_C(1) << 52) - 1.0);
}

static inline void assert_ok(mien_status status, const mien_error *error)
{
    if (status != MIEN_OK)
        fail_msg("%s: %s", mien_status_name(status), error != NULL ? error->message : "");
}

/* The failure has this status and its message names the bad thing. */
static inline void assert_fails(mien_status expected, mien_status status, const mien_error *error,
                                const char *part_of_message)
{
    if (status != expected)
        fail_msg("status is '%s', not '%s' (%s)", mien_status_name(status),
                 mien_status_name(expected), error->message);
    if (strstr(error->message, part_of_message) == NULL)
        fail_msg("message '%s' does not contain '%s'", error->message, part_of_message);
}

/* "<root of the sources>/<path>" in the caller's buffer of size bytes. */
static inline const char *test_source_path(const char *path, char *buffer, size_t size)
{
    const char *root = getenv("MIEN_SOURCE_ROOT");
    snprintf(buffer, size, "%s/%s", root != NULL ? root : ".", path);
    return buffer;
}

/*
 * "<shared material>/<path>", or NULL when it is not on this machine: then the test says so and
 * skips. The folder is $MIEN_SHARED, else ../shared beside the sources.
 */
static inline const char *test_shared_path(const char *path, char *buffer, size_t size)
{
    const char *shared = getenv("MIEN_SHARED");
    const char *root = getenv("MIEN_SOURCE_ROOT");
    if (shared != NULL)
        snprintf(buffer, size, "%s/%s", shared, path);
    else
        snprintf(buffer, size, "%s/../shared/%s", root != NULL ? root : ".", path);
    FILE *file = fopen(buffer, "rb");
    if (file == NULL) {
        print_message("skipped: %s is not here\n", buffer);
        return NULL;
    }
    fclose(file);
    return buffer;
}

#endif
