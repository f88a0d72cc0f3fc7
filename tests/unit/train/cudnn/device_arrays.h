/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_CUDNN_DEVICE_ARRAYS_H
#define TESTS_TRAIN_CUDNN_DEVICE_ARRAYS_H

/* Arrays of the device under test, brought there and fetched for comparison with ref's. */

#include "tables.h"

#include "../backend_support.h"

static const train_backend *fast;
static train_device *device;

static inline int open_device(void **state)
{
    (void)state;
    mien_error error;
    fast = tables_f32();
    assert_ok(fast->memory->open(&device, &error), &error);
    return 0;
}

static inline int close_device(void **state)
{
    (void)state;
    mien_error error;
    assert_ok(fast->memory->check(device, &error), &error);
    fast->memory->close(device);
    return 0;
}

static inline void *brought_bytes(const void *host, size_t bytes)
{
    void *array = fast->memory->allocate(device, bytes);
    assert_non_null(array);
    fast->memory->bring(device, array, host, bytes);
    return array;
}

static inline float *brought(const float *host, size_t count)
{
    return brought_bytes(host, count * sizeof *host);
}

/* What a function is to fill: no numbers yet. */
static inline float *unwritten(size_t count)
{
    float *host = malloc(count * sizeof *host);
    assert_non_null(host);
    for (size_t i = 0; i < count; i++)
        host[i] = NAN;
    float *array = brought(host, count);
    free(host);
    return array;
}

/* A copy on the host. */
static inline float *fetched(const float *array, size_t count)
{
    mien_error error;
    float *host = malloc(count * sizeof *host);
    assert_non_null(host);
    fast->memory->fetch(device, host, array, count * sizeof *host);
    assert_ok(fast->memory->check(device, &error), &error);
    return host;
}

static inline void release(void *array)
{
    fast->memory->free(device, array);
}

/* Compares an array of the device with ref's numbers, and frees both. */
static inline void same_array(const char *what, const nn_extent *in, float *array, float *expected,
                              size_t count, double terms)
{
    float *given = fetched(array, count);
    assert_near(what, in, given, expected, count, terms);
    free(given);
    free(expected);
    release(array);
}

/* The same with a picture, ref's with the channels first. */
static inline void same_picture(const char *what, const nn_extent *e, float *array, float *expected,
                                double terms)
{
    float *given = fetched(array, count_of(e));
    assert_picture(what, e, given, expected, terms);
    free(given);
    free(expected);
    release(array);
}

/* A picture of random numbers: ref's, and the device's. */
typedef struct both {
    float *first, *last;
} both;

static inline both both_of(const nn_extent *e, test_random *random)
{
    both b = {.first = numbers(random, count_of(e))};
    float *last = moved(b.first, e, true);
    b.last = brought(last, count_of(e));
    free(last);
    return b;
}

/* The same numbers in the same order. */
static inline both plain_both(size_t count, test_random *random)
{
    both b = {.first = numbers(random, count)};
    b.last = brought(b.first, count);
    return b;
}

static inline void free_both(both *b)
{
    free(b->first);
    release(b->last);
}

#endif
