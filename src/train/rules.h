/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_RULES_H
#define TRAIN_RULES_H

/*
 * What one number becomes, the same for all backends: activations and their slopes, what dropout
 * drops, rounding to BF16. Pure functions in what C and CUDA have in common, so that kernels of a
 * device share them.
 */

#include "nn/kernels.h"

#include <math.h>

#ifdef __CUDACC__
#define RULE static inline __host__ __device__
#else
#define RULE static inline
#endif

RULE float rule_activated(nn_activation a, float x)
{
    float y;
    switch (a.kind) {
    case NN_ACTIVATION_NONE:
        return x;
    case NN_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case NN_ACTIVATION_CLIP:
        y = x > a.alpha ? x : a.alpha;
        return y < a.beta ? y : a.beta;
    case NN_ACTIVATION_LEAKY_RELU:
        return x >= 0 ? x : x * a.alpha;
    case NN_ACTIVATION_ELU:
        return x >= 0 ? x : a.alpha * expm1f(x);
    case NN_ACTIVATION_SIGMOID:
        return 1 / (1 + expf(-x));
    case NN_ACTIVATION_HARD_SIGMOID:
        y = a.alpha * x + a.beta;
        return y < 0 ? 0 : y > 1 ? 1 : y;
    case NN_ACTIVATION_HARD_SWISH:
        y = x / 6 + 0.5f;
        return x * (y < 0 ? 0 : y > 1 ? 1 : y);
    case NN_ACTIVATION_TANH:
        return tanhf(x);
    }
    return x;
}

/* The slope at input x, where the output is y. */
RULE float rule_slope(nn_activation a, float x, float y)
{
    switch (a.kind) {
    case NN_ACTIVATION_NONE:
        return 1;
    case NN_ACTIVATION_RELU:
        return y > 0 ? 1 : 0;
    case NN_ACTIVATION_CLIP:
        return y > a.alpha && y < a.beta ? 1 : 0;
    case NN_ACTIVATION_LEAKY_RELU:
        return x >= 0 ? 1 : a.alpha;
    case NN_ACTIVATION_ELU:
        return x >= 0 ? 1 : y + a.alpha;
    case NN_ACTIVATION_SIGMOID:
        return y * (1 - y);
    case NN_ACTIVATION_HARD_SIGMOID:
        return y > 0 && y < 1 ? a.alpha : 0;
    case NN_ACTIVATION_HARD_SWISH:
        return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f;
    case NN_ACTIVATION_TANH:
        return 1 - y * y;
    }
    return 1;
}

/* ---- Dropout ---- */

/* splitmix64's mixing of a position. */
RULE uint64_t rule_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Number i is kept, times `kept`, where rule_keeps(base + i, threshold). */
typedef struct rule_drop {
    uint64_t base;
    uint32_t threshold;
    float kept;
} rule_drop;

/* Drops the share `ratio`, below 1, of the numbers of a layer in this step. */
RULE rule_drop rule_drop_of(float ratio, uint64_t seed, uint64_t step, uint64_t layer)
{
    rule_drop rule;
    rule.base =
        rule_mix(rule_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ rule_mix(step) ^ (layer << 48));
    rule.threshold = (uint32_t)((double)ratio * 4294967296.0);
    rule.kept = 1 / (1 - ratio);
    return rule;
}

RULE bool rule_keeps(uint64_t position, uint32_t threshold)
{
    return (uint32_t)(rule_mix(position) >> 32) >= threshold;
}

/* ---- BF16 ---- */

/* To the nearest, ties to even; what is smaller than the smallest normal number becomes 0. */
RULE uint16_t rule_bf16(float value)
{
    union {
        float number;
        uint32_t bits;
    } u;
    u.number = value;
    uint32_t rounded = (u.bits + 0x7fff + ((u.bits >> 16) & 1)) >> 16;
    uint32_t magnitude = u.bits & 0x7fffffff;
    rounded = magnitude > 0x7f800000 ? u.bits >> 16 | 0x40 : rounded; /* no number stays none */
    return (uint16_t)(magnitude < 0x00800000 ? 0 : rounded);
}

RULE float rule_float(uint16_t bf16)
{
    union {
        uint32_t bits;
        float number;
    } u;
    u.bits = (uint32_t)bf16 << 16;
    return u.number;
}

#endif
