/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

/* Probabilities as they lie in a store: 4 bytes each, IEEE 754 single precision, the lowest byte
 * first, in the order of the classes. Pure. */

#include <stddef.h>
#include <stdint.h>

static inline size_t pack_size(int count)
{
    return (size_t)count * 4;
}

/* bytes: pack_size(count). */
void pack_write(const float *values, int count, uint8_t *bytes);
void pack_read(const uint8_t *bytes, int count, float *values);

#endif
