/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pack.h"

#include <string.h>

void pack_write(const float *values, int count, uint8_t *bytes)
{
    for (int i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        for (int b = 0; b < 4; b++)
            bytes[4 * i + b] = (uint8_t)(bits >> (8 * b));
    }
}

void pack_read(const uint8_t *bytes, int count, float *values)
{
    for (int i = 0; i < count; i++) {
        uint32_t bits = 0;
        for (int b = 0; b < 4; b++)
            bits |= (uint32_t)bytes[4 * i + b] << (8 * b);
        memcpy(&values[i], &bits, sizeof bits);
    }
}
