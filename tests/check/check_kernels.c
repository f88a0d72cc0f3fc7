/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every function of every kernel set that this machine runs, against the reference operators.
 *
 *   check_kernels [--seed N] [--cases N] [--bench]
 *
 * Case i of each kernel has the seed N + i; a failure prints the seed that replays it alone:
 * --seed S --cases 1.
 */

#include "check.h"

static const struct {
    void (*run)(check_case *c);
    int share; /* cases, of 100 */
} checks[] = {
    {check_conv, 100},          {check_pool, 50},
    {check_global_average, 10}, {check_scale_shift, 40},
    {check_activations, 80},    {check_prelu, 20},
    {check_binary, 60},         {check_binary_channels, 80},
    {check_transpose, 20},      {check_byte_conv, 100},
    {check_bf16_conv, 100},     {check_chain, 100},
    {check_wide_conv, 5},       {check_bf16_chain, 100},
};

static int run_checks(uint64_t seed, int cases)
{
    int failures = 0, done = 0;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        int count = cases == 1 ? 1 : (cases * checks[i].share + 99) / 100;
        for (int n = 0; n < count; n++, done++) {
            check_case c = {.seed = seed + (uint64_t)n};
            /* Neighbouring seeds must not begin alike, and none may be zero. */
            c.random.state = (c.seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
            checks[i].run(&c);
            failures += c.failures;
        }
    }
    printf("%d cases from seed %llu, %d failures\n", done, (unsigned long long)seed, failures);
    return failures;
}

static int usage(void)
{
    fprintf(stderr, "usage: check_kernels [--seed N] [--cases N] [--bench]\n");
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    int cases = 400;
    bool bench = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0)
            bench = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--cases") == 0 && i + 1 < argc)
            cases = atoi(argv[++i]);
        else
            return usage();
    }
    if (bench) {
        check_bench();
        return 0;
    }
    const nn_kernels *kernels;
    for (size_t i = 0; (kernels = nn_kernels_at(i)) != NULL; i++)
        printf("kernel set: %s\n", kernels->name);
    return run_checks(seed, cases) == 0 ? 0 : 1;
}
