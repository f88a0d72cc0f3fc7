/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_AUGMENT_GEOMETRY_H
#define DATA_AUGMENT_GEOMETRY_H

/* The geometric part of augmentation. */

#include "data/augment.h"

/* What has been drawn; shares of the sides of the crop that prep takes. */
typedef struct augment_geometry {
    bool mirror;
    double angle, shear; /* radians */
    double zoom;
    double shift_x, shift_y;
    double side;             /* of the crop box */
    double place_x, place_y; /* its centre, from that of the crop */
} augment_geometry;

/* Draws the same count of numbers whatever the strengths are. */
augment_geometry augment_draw_geometry(const augment_settings *augment, random_state *random);

/* Fills input with values 0..255; face: in the picture. Errors of prep_fill. */
mien_status augment_sample(const augment_geometry *geometry, const prep_settings *prep,
                           const mien_image *image, const image_rect *face, prep_scratch *scratch,
                           float *input, mien_error *error);

#endif
