/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

/*
 * Augmentation: from a sample's picture to a prepared input that looks a little different each
 * time. Geometry is one affine map per picture, so that a pixel is interpolated once. What is drawn
 * depends on the generator alone. Pure functions over the caller's buffers: thread-safe.
 */

#include "base/random.h"
#include "prep/prep.h"

/* All strengths 0: the picture as prep makes it. */
typedef struct augment_settings {
    float mirror;   /* probability, 0..1 */
    float rotation; /* degrees, drawn in -r..r; at most 180 */
    float zoom;     /* scale drawn in 1-z..1+z, below 1; the face is larger for a scale over 1 */
    float shift;    /* share of the side, drawn in -s..s for x and y; at most 1 */
    float shear;    /* degrees, drawn in -s..s; at most 60 */
    float crop_min; /* crop box: side a share drawn in crop_min..1 at a random place; 0 or 1: off */
    float erase;    /* probability of random erasing (Zhong et al. 2020), area 2..20 % */
    float brightness; /* added to the pixel, drawn in -b..b of the range 255; at most 1 */
    float contrast;   /* factor about the picture's mean, drawn in 1-c..1+c; at most 1 */
    float noise;      /* standard deviation of Gaussian noise, share of 255; at most 1 */
} augment_settings;

/* MIEN_INVALID_ARGUMENT when a strength is out of its range; the message names it. */
mien_status augment_check(const augment_settings *augment, mien_error *error);

/*
 * Fills input, (channels, height, width), like prep_fill for a picture that is a face as a whole,
 * with the changes drawn from *random. With all strengths 0 the result equals prep_fill's.
 *
 * A picture that is neither turned nor sheared goes through prep_fill. Else it is sampled
 * bilinearly with its edges repeated, several times for a pixel when it shrinks by 1.5 or more.
 * Contrast, brightness and noise (each value then kept in 0..255) act before the normalisation. A
 * box is erased last: to uniform noise or to the picture's mean, the one as likely as the other;
 * its ratio of height to width (in shares of the sides) is drawn in 0.3..3.3, even in its
 * logarithm. Noise is the sum of eight uniform numbers: nearly normal, within 4.9 deviations.
 *
 * MIEN_INVALID_ARGUMENT (also of augment_check), MIEN_OUT_OF_MEMORY.
 */
mien_status augment_fill(const augment_settings *augment, const prep_settings *prep,
                         const mien_image *image, random_state *random, prep_scratch *scratch,
                         float *input, mien_error *error);

/* The same with a face that lies somewhere in the picture (pixels; it may reach beyond). */
mien_status augment_fill_face(const augment_settings *augment, const prep_settings *prep,
                              const mien_image *image, const image_rect *face, random_state *random,
                              prep_scratch *scratch, float *input, mien_error *error);

/*
 * Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019) of a batch with a permutation of itself,
 * in place: inputs (n, channels, height, width), shares (n, classes). One lambda per batch, drawn
 * from Beta(alpha, alpha), alpha 0: nothing changes; one box per batch. A sample keeps the larger
 * of lambda and 1 - lambda, so that its own label stays the heaviest (the other half of the same
 * mixtures: which of two pictures comes first means nothing). The permutation turns the batch by a
 * random number of places, so a sample never meets itself: the batch should be shuffled.
 * Scratch: n * channels * height * width + n * classes floats.
 */
void augment_mixup(float *inputs, float *shares, size_t n, size_t input_floats, int classes,
                   float alpha, random_state *random, float *scratch);
void augment_cutmix(float *inputs, float *shares, size_t n, int channels, int height, int width,
                    int classes, float alpha, random_state *random, float *scratch);

#endif
