/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_kernels.h"

#include <string.h>

static bool always(void)
{
    return true;
}

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
#endif

/* Best first. */
static const struct {
    const cascade_kernels *kernels;
    bool (*runs_here)(void);
} sets[] = {
#if defined(__x86_64__)
    {&cascade_kernels_avx512, has_avx512},
    {&cascade_kernels_avx2, has_avx2},
#endif
    {&cascade_kernels_generic, always},
    {&cascade_kernels_reference, always},
};

const cascade_kernels *cascade_kernels_at(size_t index)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i].runs_here() && index-- == 0)
            return sets[i].kernels;
    return NULL;
}

const cascade_kernels *cascade_kernels_find(const char *name)
{
    const cascade_kernels *kernels;
    for (size_t i = 0; (kernels = cascade_kernels_at(i)) != NULL; i++)
        if (name == NULL || strcmp(kernels->name, name) == 0)
            return kernels;
    return NULL;
}
