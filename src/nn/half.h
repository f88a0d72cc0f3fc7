/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_HALF_H
#define NN_HALF_H

/* IEEE 754 binary16 (float16). Pure functions. */

#include <stdint.h>

/* The smallest magnitude that rounds to infinity. */
#define HALF_OVERFLOW 65520.0f

/* The bits of the nearest float16, ties to even. */
uint16_t half_of_float(float value);

#endif
