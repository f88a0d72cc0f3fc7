/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <math.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

random_state random_start(uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    state = splitmix(&state) ^ (stream * UINT64_C(0xd1342543de82ef95) + 1);
    random_state random;
    for (int i = 0; i < 4; i++)
        random.words[i] = splitmix(&state);
    return random;
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

uint64_t random_next(random_state *random)
{
    uint64_t *s = random->words;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(random_state *random, uint64_t bound)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound; /* values from here on would bias */
    uint64_t value = random_next(random);
    while (value >= limit)
        value = random_next(random);
    return value % bound;
}

double random_unit(random_state *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

double random_between(random_state *random, double low, double high)
{
    return low + (high - low) * random_unit(random);
}

double random_normal(random_state *random)
{
    double radius = sqrt(-2 * log(1 - random_unit(random)));
    return radius * cos(2 * 3.14159265358979323846 * random_unit(random));
}
