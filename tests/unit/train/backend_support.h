/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_BACKEND_SUPPORT_H
#define TESTS_TRAIN_BACKEND_SUPPORT_H

/* What the tests compare backends with: numbers, orders of pictures, windows, tolerances. */

#include "support.h"

#include "base/memory.h"
#include "train/backend.h"

#include <math.h>

static inline float *numbers(test_random *random, size_t count)
{
    float *out = memory_aligned(count * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        out[i] = test_random_float(random);
    return out;
}

static inline size_t count_of(const nn_extent *e)
{
    return (size_t)(e->batch * e->height * e->width * e->channels);
}

/* (N, C, H, W) -> (N, H, W, C), or back. A new array. */
static inline float *moved(const float *from, const nn_extent *e, bool to_last)
{
    int64_t plane = e->height * e->width;
    float *to = memory_aligned(count_of(e) * sizeof *to);
    assert_non_null(to);
    for (int64_t n = 0; n < e->batch; n++)
        for (int64_t c = 0; c < e->channels; c++)
            for (int64_t p = 0; p < plane; p++) {
                int64_t first = (n * e->channels + c) * plane + p;
                int64_t last = (n * plane + p) * e->channels + c;
                if (to_last)
                    to[last] = from[first];
                else
                    to[first] = from[last];
            }
    return to;
}

/* What a convolution's runs are lent; the caller frees it. */
static inline void *scratch_for(const train_backend *backend, const train_conv *conv)
{
    void *scratch = memory_aligned(backend->conv_scratch(conv) + 1);
    assert_non_null(scratch);
    return scratch;
}

/* Sums of `terms` products of numbers up to `largest` each may differ by their rounding. */
static inline void assert_near(const char *what, const nn_extent *in, const float *given,
                               const float *expected, size_t count, double terms)
{
    double allowed = terms * ldexp(1, -23);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)given[i] - (double)expected[i]) <= allowed))
            fail_msg("%s, %d channels: number %zu is %g, not %g", what, (int)in->channels, i,
                     (double)given[i], (double)expected[i]);
}

static inline void assert_picture(const char *what, const nn_extent *e, const float *last,
                                  const float *first, double terms)
{
    float *given = moved(last, e, false);
    assert_near(what, e, given, first, count_of(e), terms);
    free(given);
}

static inline nn_extent windowed(const nn_extent *in, const nn_window *w, int64_t channels)
{
    int64_t sizes[2] = {in->height, in->width};
    for (int i = 0; i < 2; i++) {
        int64_t reach = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
        sizes[i] = (sizes[i] + w->pad_before[i] + w->pad_after[i] - reach) / w->stride[i] + 1;
    }
    return (nn_extent){in->batch, sizes[0], sizes[1], channels};
}

static const nn_window windows[] = {
    {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
    {{3, 3}, {2, 2}, {1, 1}, {0, 0}, {1, 1}}, {{3, 2}, {2, 1}, {1, 1}, {2, 0}, {0, 1}},
    {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}}, {{5, 5}, {2, 2}, {1, 1}, {1, 2}, {2, 1}},
    {{1, 1}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
};
enum { WINDOWS = sizeof windows / sizeof *windows };

#endif
