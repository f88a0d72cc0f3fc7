/* SPDX-License-Identifier: Apache-2.0 */
#include "train/host.h"

#include "base/memory.h"
#include "train/elementwise.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- Memory ---- */

static mien_status open_host(train_device **device, mien_error *error)
{
    (void)error;
    *device = NULL;
    return MIEN_OK;
}

static void close_host(train_device *device)
{
    (void)device;
}

static mien_status check(train_device *device, mien_error *error)
{
    (void)device;
    (void)error;
    return MIEN_OK;
}

#define PAGE_BYTES  4096      /* or more, where the hint then does nothing */
#define LARGE_BYTES (4 << 20) /* from where on large pages are worth asking for */

/* A hint: with large pages the processor finds what streams through memory sooner. */
static void want_large_pages(void *block, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    size_t skipped = (PAGE_BYTES - (uintptr_t)block % PAGE_BYTES) % PAGE_BYTES;
    if (bytes >= LARGE_BYTES)
        madvise((unsigned char *)block + skipped, bytes - skipped, MADV_HUGEPAGE);
#else
    (void)block;
    (void)bytes;
#endif
}

static void *allocate(train_device *device, size_t bytes)
{
    (void)device;
    void *block = memory_aligned(bytes);
    if (block != NULL)
        want_large_pages(block, bytes);
    return block;
}

static void free_block(train_device *device, void *memory)
{
    (void)device;
    free(memory);
}

static void *allocate_host(train_device *device, size_t bytes)
{
    (void)device;
    return memory_zeroed(bytes, 1);
}

static void copy(train_device *device, void *to, const void *from, size_t bytes)
{
    (void)device;
    memcpy(to, from, bytes);
}

static void zero(train_device *device, void *memory, size_t bytes)
{
    (void)device;
    memset(memory, 0, bytes);
}

const train_memory train_host_memory = {.on_host = true,
                                        .open = open_host,
                                        .close = close_host,
                                        .check = check,
                                        .allocate = allocate,
                                        .free = free_block,
                                        .allocate_host = allocate_host,
                                        .free_host = free_block,
                                        .bring = copy,
                                        .fetch = copy,
                                        .copy = copy,
                                        .zero = zero};

/* ---- Elements ---- */

static void add(train_device *device, const float *a, const float *b, size_t count, float *y)
{
    (void)device;
    elementwise_add(a, b, count, y);
}

static void multiply(train_device *device, const float *a, const float *b, size_t count, float *y)
{
    (void)device;
    elementwise_multiply(a, b, count, y);
}

static void activate(train_device *device, nn_activation activation, size_t count, float *y)
{
    (void)device;
    elementwise_activate(activation, count, y);
}

static void activate_backward(train_device *device, nn_activation activation, const float *x,
                              const float *y, const float *dy, size_t count, float *dx)
{
    (void)device;
    elementwise_activate_backward(activation, x, y, dy, count, dx);
}

static void dropout(train_device *device, const float *x, size_t count, float ratio, uint64_t seed,
                    uint64_t step, uint64_t layer, float *y)
{
    (void)device;
    elementwise_dropout(x, count, ratio, seed, step, layer, y);
}

static void transpose(train_device *device, const float *x, int64_t planes, int64_t rows,
                      int64_t columns, float *y)
{
    (void)device;
    elementwise_transpose(x, planes, rows, columns, y);
}

static void take_first(train_device *device, const float *host, const nn_extent *extent,
                       float *scratch, float *y)
{
    (void)device;
    (void)scratch;
    size_t count = (size_t)(extent->batch * extent->channels * extent->height * extent->width);
    memcpy(y, host, count * sizeof *y);
}

static void take_last(train_device *device, const float *host, const nn_extent *extent,
                      float *scratch, float *y)
{
    (void)device;
    (void)scratch;
    elementwise_transpose(host, extent->batch, extent->channels, extent->height * extent->width, y);
}

const train_elements train_host_elements = {.add = add,
                                            .multiply = multiply,
                                            .activate = activate,
                                            .activate_backward = activate_backward,
                                            .dropout = dropout,
                                            .transpose = transpose,
                                            .take_input = take_first};

const train_elements train_host_elements_last = {.add = add,
                                                 .multiply = multiply,
                                                 .activate = activate,
                                                 .activate_backward = activate_backward,
                                                 .dropout = dropout,
                                                 .transpose = transpose,
                                                 .take_input = take_last};

/* ---- Updates ---- */

static void update(train_device *device, const optimiser_settings *settings, float rate,
                   int64_t step, float kept, const train_moved *list, size_t count)
{
    (void)device;
    for (const train_moved *m = list; m < list + count; m++) {
        if (m->gradients != NULL)
            optimiser_update(settings, rate, step, m->decays, m->values, m->gradients, m->state,
                             m->count);
        if (m->average != NULL)
            optimiser_average(m->average, m->values, m->count, kept);
    }
}

static void swap(train_device *device, float *a, float *b, size_t count)
{
    (void)device;
    for (size_t i = 0; i < count; i++) {
        float moved = a[i];
        a[i] = b[i];
        b[i] = moved;
    }
}

static double norm(train_device *device, const float *const *arrays, const size_t *counts,
                   size_t array_count)
{
    (void)device;
    return optimiser_norm(arrays, counts, array_count);
}

static void clip(train_device *device, float *const *gradients, const size_t *counts,
                 size_t array_count, double gradient_norm, double max_norm)
{
    (void)device;
    optimiser_clip(gradients, counts, array_count, gradient_norm, max_norm);
}

static void ascend(train_device *device, float *values, const float *gradients, size_t count,
                   double gradient_norm, float rho)
{
    (void)device;
    optimiser_ascend(values, gradients, count, gradient_norm, rho);
}

static void quantise(train_device *device, float *values, size_t outputs, size_t inner)
{
    (void)device;
    optimiser_quantise(values, outputs, inner);
}

static void move_statistics(train_device *device, int64_t rows, int64_t channels, float epsilon,
                            float momentum, const float *mean, const float *inverse,
                            float *running_mean, float *running_variance)
{
    (void)device;
    double n = (double)rows;
    for (int64_t c = 0; c < channels; c++) {
        double biased = 1 / ((double)inverse[c] * inverse[c]) - (double)epsilon;
        double unbiased = n > 1 ? biased * n / (n - 1) : biased;
        running_mean[c] += momentum * (mean[c] - running_mean[c]);
        running_variance[c] += momentum * ((float)unbiased - running_variance[c]);
    }
}

const train_updates train_host_updates = {.update = update,
                                          .swap = swap,
                                          .norm = norm,
                                          .clip = clip,
                                          .ascend = ascend,
                                          .quantise = quantise,
                                          .move_statistics = move_statistics};
