/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PREP_SHRINK_H
#define PREP_SHRINK_H

/* Upright crops that become smaller: sums of the picture's rows as they lie. Private to prep. */

#include "prep/prep.h"
#include "prep/taps.h"

/* Whether prep_shrink makes this crop's input. */
bool prep_may_shrink(const prep_settings *settings, const mien_image *image,
                     const image_rect *crop);

/*
 * Fills input, (channels, height, width), with means of the pixels under each of its own. Where the
 * crop is a whole number of times as large, sums are whole numbers; else floats. sums: as many
 * floats as a row of the picture has numbers; row: (channels, width) floats.
 */
void prep_shrink(const prep_settings *settings, const mien_image *image, const prep_axis *columns,
                 const prep_axis *rows, float *sums, float *row, float *input);

#endif
