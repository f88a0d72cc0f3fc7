/* SPDX-License-Identifier: Apache-2.0 */

/* Rounding to BF16, and the state of the processor around it. */

#include "train/onednn/onednn.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define DENORMALS_ARE_ZERO 0x8040u /* MXCSR: results and operands */

/* oneDNN knows what processor and system can, and what ONEDNN_MAX_CPU_ISA leaves of it. */
bool bf16_available(void)
{
    unsigned has = dnnl_get_effective_cpu_isa(), needed = dnnl_cpu_isa_avx512_core_bf16;
    return (has & needed) == needed;
}

void bf16_enter(train_modes *modes)
{
    modes->threads = onednn_threads();
#if defined(__x86_64__)
#pragma omp parallel num_threads(modes->threads)
    {
        unsigned word = _mm_getcsr();
        modes->words[omp_get_thread_num()] = word;
        _mm_setcsr(word | DENORMALS_ARE_ZERO);
    }
#endif
}

void bf16_leave(const train_modes *modes)
{
#if defined(__x86_64__)
#pragma omp parallel num_threads(modes->threads)
    _mm_setcsr(modes->words[omp_get_thread_num()]);
#endif
}

VECTORISED static void round_numbers(const float *restrict x, size_t count,
                                     train_bf16 *restrict rounded)
{
    for (size_t i = 0; i < count; i++)
        rounded[i] = rule_bf16(x[i]);
}

void bf16_round(train_device *device, const float *x, size_t count, train_bf16 *rounded)
{
    (void)device;
    size_t threads = (size_t)onednn_threads();
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < threads; t++) {
        size_t first = count * t / threads, end = count * (t + 1) / threads;
        round_numbers(x + first, end - first, rounded + first);
    }
}

VECTORISED static void round_and_sum(const float *restrict dy, int64_t rows, int64_t channels,
                                     train_bf16 *restrict rounded, float *restrict sums)
{
    for (int64_t r = 0; r < rows; r++, dy += channels, rounded += channels)
        for (int64_t c = 0; c < channels; c++) {
            sums[c] += dy[c];
            rounded[c] = rule_bf16(dy[c]);
        }
}

VECTORISED static void mask_and_sum(const float *restrict y, const float *restrict dy, int64_t rows,
                                    int64_t channels, train_bf16 *restrict rounded,
                                    float *restrict sums)
{
    for (int64_t r = 0; r < rows; r++, y += channels, dy += channels, rounded += channels)
        for (int64_t c = 0; c < channels; c++) {
            float gradient = dy[c];
            gradient = y[c] > 0 ? gradient : 0;
            sums[c] += gradient;
            rounded[c] = rule_bf16(gradient);
        }
}

void bf16_round_gradient(train_device *device, const float *y, const float *dy, int64_t rows,
                         int64_t channels, float *scratch, train_bf16 *rounded, float *d_bias)
{
    (void)device;
    int threads = onednn_threads();
    memset(scratch, 0, (size_t)(threads * channels) * sizeof *scratch);
#pragma omp parallel for schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t first = rows * t / threads, end = rows * (t + 1) / threads, at = first * channels;
        float *sums = scratch + t * channels;
        if (y != NULL)
            mask_and_sum(y + at, dy + at, end - first, channels, rounded + at, sums);
        else
            round_and_sum(dy + at, end - first, channels, rounded + at, sums);
    }
    if (d_bias != NULL)
        sum_rows(scratch, threads, channels, d_bias);
}
