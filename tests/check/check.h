/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CHECK_CHECK_H
#define TESTS_CHECK_CHECK_H

/*
 * Comparing kernels with the reference operators. A case is made from its seed alone: sizes,
 * numbers, alignment. Every kernel set of this machine then computes it.
 */

#include "support.h"

#include "nn/kernels.h"

/* Floats between two guard zones. The guards are NaN: what reads them spoils its result. */
typedef struct check_buffer {
    float *memory;
    float *data; /* (count), at any 4-byte boundary unless it was asked to be aligned */
    size_t count;
} check_buffer;

typedef struct check_case {
    test_random random;
    uint64_t seed;
    const nn_kernels *kernels; /* the set under test */
    const char *what;          /* the kernel under test, for messages */
    char detail[200];          /* sizes, for messages */
    int failures;
} check_case;

/* A buffer of random numbers in -1..1, or of NaN. Aborts the program when out of memory. */
check_buffer check_random(check_case *c, size_t count);
check_buffer check_empty(check_case *c, size_t count);
check_buffer check_aligned(size_t count);
check_buffer check_copy(check_case *c, const check_buffer *from);
void check_free(check_buffer *buffer);

/* false when something wrote before or behind the numbers. */
bool check_guards(const check_buffer *buffer);

/*
 * Each number within absolute + relative * |expected|, the guards untouched. Otherwise prints the
 * case and counts a failure.
 */
void check_equal(check_case *c, const float *expected, const check_buffer *actual, double absolute,
                 double relative);

/* Some parts, 2 to 6; what they write is compared with what the whole call wrote, bit for bit. */
int check_part_count(check_case *c);
void check_same_bits(check_case *c, const void *whole, const void *parts, size_t bytes);

/* (N, C, H, W) to (N, H, W, C); extent: sizes of the picture. */
void check_to_channels_last(const float *from, nn_extent extent, float *to);

size_t check_floats(nn_extent extent);

/* A tensor (N, C, H, W) over the numbers. */
nn_tensor check_picture(nn_extent extent, float *data);

/* A random activation of the first `kinds` kinds, and the reference operator applied to y. */
nn_activation check_random_activation(check_case *c, int kinds);
void check_activate(nn_activation activation, float *y, size_t count);
const char *check_activation_name(nn_activation_kind kind);

/* A convolution of any form, without its packed weights. */
nn_conv check_random_conv(check_case *c);

/* Calls `run` for each kernel set of this machine. */
typedef void (*check_run)(check_case *c, void *context);
void check_each_set(check_case *c, check_run run, void *context);

#define CHECK_KINDS      9 /* of activations */
#define CHECK_CONV_KINDS 4 /* that a convolution can apply: NONE to LEAKY_RELU */

/* One random case each. */
void check_conv(check_case *c);
void check_wide_conv(check_case *c);
void check_bf16_conv(check_case *c);
void check_byte_conv(check_case *c);
void check_pool(check_case *c);
void check_chain(check_case *c);
void check_bf16_chain(check_case *c);
void check_global_average(check_case *c);
void check_scale_shift(check_case *c);
void check_activations(check_case *c);
void check_prelu(check_case *c);
void check_binary(check_case *c);
void check_binary_channels(check_case *c);
void check_transpose(check_case *c);

/* Times each kernel of each set and prints a table. */
void check_bench(void);

#endif
