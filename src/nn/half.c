/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/half.h"

#include <string.h>

/* value >> bits, rounded to nearest, ties to even; bits 1..31. */
static uint32_t shift_rounded(uint32_t value, uint32_t bits)
{
    uint32_t half = UINT32_C(1) << (bits - 1);
    uint32_t kept = value >> bits;
    uint32_t rest = value & ((UINT32_C(1) << bits) - 1);
    return kept + (rest > half || (rest == half && (kept & 1) != 0));
}

uint16_t half_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    uint32_t exponent = magnitude >> 23;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (value >= HALF_OVERFLOW || value <= -HALF_OVERFLOW)
        return (uint16_t)(sign | 0x7c00);
    if (exponent >= 113) /* 2^-14 and more: normal; a carry of the rounding enters the exponent */
        return (uint16_t)(sign | shift_rounded(magnitude - (UINT32_C(112) << 23), 13));
    if (exponent < 102) /* below 2^-25 */
        return (uint16_t)sign;
    uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
    return (uint16_t)(sign | shift_rounded(mantissa, 126 - exponent));
}
