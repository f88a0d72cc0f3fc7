/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_HEAT_H
#define EVAL_HEAT_H

/* Maps of what a network looked at, as pictures. Pure functions. */

#include <mien/image.h>

/* The colour of a share 0..1 (values outside count as the nearer end): violet, red, yellow. */
void heat_colour(float share, uint8_t rgb[3]);

/*
 * Lays a map over a face, in place: the more, the less of the face is left. face: RGB8, of any
 * size; map: (height, width), 0..1, enlarged bilinearly to the face.
 */
void heat_lay_over(const float *map, int height, int width, mien_image *face);

/*
 * A signed map as a picture: middle grey for 0, lighter above, darker below: where a lighter or a
 * darker pixel would raise the score that the map is a gradient of. Of the channels the value that
 * is furthest from 0 is shown; the brightest 1 % is cut off. map: (channels, height, width).
 * Success: *out is the caller's, RGB8 of width x height, free with mien_image_free. Failure: *out
 * is zeroed; MIEN_OUT_OF_MEMORY, MIEN_LIMIT.
 */
mien_status heat_signed(const float *map, int channels, int height, int width, mien_image *out,
                        mien_error *error);

#endif
