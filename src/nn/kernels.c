/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/kernels.h"

#include "nn/simd/sets.h"

#include <string.h>

static bool always(void)
{
    return true;
}

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
#endif

/* Best first. */
static const struct {
    const nn_kernels *kernels;
    bool (*runs_here)(void);
} sets[] = {
#if defined(__x86_64__)
    {&nn_kernels_avx512, has_avx512},
    {&nn_kernels_avx2, has_avx2},
#endif
    {&nn_kernels_generic, always},
};

const nn_byte_kernels *nn_byte_kernels_with(const nn_kernels *kernels)
{
#if defined(__x86_64__)
    if (kernels == &nn_kernels_avx512)
        return __builtin_cpu_supports("avx512vnni") ? &nn_byte_kernels_vnni : &nn_byte_kernels_avx2;
    if (kernels == &nn_kernels_avx2)
        return &nn_byte_kernels_avx2;
#endif
    (void)kernels;
    return NULL;
}

const nn_bf16_kernels *nn_bf16_kernels_with(const nn_kernels *kernels)
{
#if defined(__x86_64__)
    if (kernels == &nn_kernels_avx512 && __builtin_cpu_supports("avx512bf16"))
        return &nn_bf16_kernels_avx512;
#endif
    (void)kernels;
    return NULL;
}

const nn_kernels *nn_kernels_at(size_t index)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i].runs_here() && index-- == 0)
            return sets[i].kernels;
    return NULL;
}

const nn_kernels *nn_kernels_best(void)
{
    return nn_kernels_at(0);
}

const nn_kernels *nn_kernels_find(const char *name)
{
    const nn_kernels *kernels;
    for (size_t i = 0; (kernels = nn_kernels_at(i)) != NULL; i++)
        if (strcmp(kernels->name, name) == 0)
            return kernels;
    return NULL;
}
