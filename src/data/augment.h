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
    float rotation; /* degrees, drawn in -r..r */
    float zoom;     /* scale drawn in 1-z..1+z */
    float shift;    /* share of the side, drawn in -s..s for x and y */
    float shear;    /* degrees, drawn in -s..s */
    float crop_min; /* crop box: side a share drawn in crop_min..1 at a random place; 0 or 1: off */
    float erase;    /* probability of random erasing (Zhong et al. 2020), area 2..20 % */
    float brightness; /* added to the pixel, drawn in -b..b of the range 255 */
    float contrast;   /* factor about the mean, drawn in 1-c..1+c */
    float noise;      /* standard deviation of Gaussian noise, share of 255 */
} augment_settings;

/*
 * Fills input, (channels, height, width), like prep_fill for a picture that is a face as a whole,
 * with the changes drawn from *random. With all strengths 0 the result equals prep_fill's.
 */
mien_status augment_fill(const augment_settings *augment, const prep_settings *prep,
                         const mien_image *image, random_state *random, prep_scratch *scratch,
                         float *input, mien_error *error);

/*
 * Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019) of a batch with a permutation of itself,
 * in place: inputs (n, channels, height, width), shares (n, classes). alpha of the Beta
 * distribution; one lambda per batch. Scratch: n * channels * height * width + n * classes floats.
 */
void augment_mixup(float *inputs, float *shares, size_t n, size_t input_floats, int classes,
                   float alpha, random_state *random, float *scratch);
void augment_cutmix(float *inputs, float *shares, size_t n, int channels, int height, int width,
                    int classes, float alpha, random_state *random, float *scratch);

#endif
