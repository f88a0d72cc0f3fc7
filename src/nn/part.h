/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_PART_H
#define NN_PART_H

/*
 * A share of a kernel's work. The parts of a call write different numbers and split no sum, so that
 * together they write what one call for everything does, in any order and at the same time (each
 * with scratch of its own).
 */

#include <stdint.h>

typedef struct nn_part {
    int index, count; /* index 0..count-1 */
} nn_part;

typedef struct nn_span {
    int64_t first, end; /* end: after the last */
} nn_span;

static inline nn_part nn_whole(void)
{
    return (nn_part){0, 1};
}

/* What falls to the part of `total` things (1..2^48), cut at multiples of `unit`; it may be empty.
 */
static inline nn_span nn_share(nn_part part, int64_t total, int64_t unit)
{
    int64_t units = (total + unit - 1) / unit;
    int64_t first = units * part.index / part.count * unit;
    int64_t end = units * (part.index + 1) / part.count * unit;
    return (nn_span){first, end < total ? end : total};
}

/* A product of pixels with weights, cut both ways: pixels x outputs. */
typedef struct nn_product_share {
    nn_span pixels, outputs;
} nn_product_share;

/*
 * The share of a product that is made in tiles of `tile` pixels by panels of `panel` outputs.
 * `taps`: weights for each output and channel. Where there are more weights than input, each part
 * has its own outputs, and so its own weights; else its own pixels.
 */
static inline nn_product_share nn_share_product(nn_part part, int64_t pixels, int64_t tile,
                                                int64_t outputs, int64_t panel, int64_t taps)
{
    nn_product_share share = {{0, pixels}, {0, outputs}};
    int64_t tiles = (pixels + tile - 1) / tile, panels = (outputs + panel - 1) / panel;
    if (pixels < taps * outputs ? panels >= part.count : tiles < part.count && panels > tiles)
        share.outputs = nn_share(part, outputs, panel);
    else
        share.pixels = nn_share(part, pixels, tile);
    return share;
}

#endif
