/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PREP_PREP_H
#define PREP_PREP_H

/*
 * The one path from a face in a picture to the input of a network: crop, align, resize, normalise.
 * Training, evaluation, pictures, video and browser all come through here, with the parameters that
 * the model carries (docs/MODEL_FORMAT.md).
 */

#include "base/settings.h"
#include "image/image.h"

typedef enum prep_format { PREP_GRAY, PREP_RGB, PREP_BGR } prep_format;

typedef enum prep_alignment {
    PREP_ALIGN_NONE,
    PREP_ALIGN_EYES /* turned so that the eyes lie level; needs landmarks, else not turned */
} prep_alignment;

/* mien.input.* and mien.crop.*; plain data. */
typedef struct prep_settings {
    prep_format format;
    int width, height; /* of the network's input, pixels */
    float mean[3];     /* in the order of the network's channels; 0..255 */
    float scale[3];    /* input = (pixel - mean) * scale */
    float margin;      /* added to each side of the face, as a share of its longer side */
    bool square;       /* the crop is widened to a square first */
    prep_alignment alignment;
} prep_settings;

/*
 * Reads the settings of a network whose input has `channels` channels and the given size (0: not
 * fixed by the network). Without settings: grey or RGB by the channels, x/127.5 - 1, no margin, a
 * square crop. MIEN_MALFORMED (message names the key), MIEN_SHAPE (settings do not fit the
 * network).
 */
mien_status prep_read_settings(const setting_list *s, int channels, int height, int width,
                               prep_settings *out, mien_error *error);

/* Numbers in one prepared input: channels * height * width. */
size_t prep_input_floats(const prep_settings *settings);

/* A face as prep sees it; eyes: (x, y) of the eye on the left of the picture, then the other. */
typedef struct prep_face {
    image_rect box; /* pixels of the picture; may reach beyond it */
    bool has_eyes;
    float eyes[2][2];
} prep_face;

/* Memory that is kept from call to call. Starts zeroed, freed with prep_scratch_free; one a thread.
 */
typedef struct prep_scratch {
    void *memory;
    size_t bytes;
} prep_scratch;

void prep_scratch_free(prep_scratch *scratch);

/*
 * Fills input, (channels, height, width) floats. Enlarging is bilinear with half-pixel centres;
 * shrinking takes the mean of the area; beyond the picture its edge is repeated.
 * MIEN_INVALID_ARGUMENT (a box without area, a bad picture), MIEN_OUT_OF_MEMORY.
 */
mien_status prep_fill(const prep_settings *settings, const mien_image *image, const prep_face *face,
                      prep_scratch *scratch, float *input, mien_error *error);

/*
 * A prepared input as people can look at it: the normalisation undone, rounded, kept in 0..255.
 * input: (channels, height, width). Success: *out is the caller's, RGB8, free with mien_image_free.
 * Failure: *out is zeroed; MIEN_OUT_OF_MEMORY, MIEN_LIMIT.
 */
mien_status prep_picture(const prep_settings *settings, const float *input, mien_image *out,
                         mien_error *error);

/* The rectangle of the picture that is shown to the network (before it is turned). */
image_rect prep_crop(const prep_settings *settings, const image_rect *box);

#endif
