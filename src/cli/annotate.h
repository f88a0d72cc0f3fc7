/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ANNOTATE_H
#define CLI_ANNOTATE_H

/*
 * Faces marked in a picture: pictures, window and video draw them in this one way. A face is a box
 * in the colour of its class with its name above; grey where the expression is unsure, dashed where
 * the box was predicted.
 */

#include "cli/canvas.h"

#include <mien/mien.h>

/* A face to be marked. Zeroed but for face: one of a picture. */
typedef struct annotate_mark {
    const mien_face *face;
    int64_t id;     /* of the person; 0 for none: only the expression is named */
    bool predicted; /* as of person (video/people.h) */
    bool brief;     /* for videos: no landmarks, and one bar as long as the confidence in place of
                       one for each class */
} annotate_mark;

/* Draws a mark on a picture that was put on a canvas; model NULL: boxes only. Sizes grow with the
 * picture. What fails is told by canvas_finish or canvas_view. */
void annotate_face(canvas *c, const mien_model *model, const annotate_mark *mark);

/*
 * A copy of an RGB8 picture with its faces marked. model NULL: boxes only.
 * Success: *out is the caller's, RGB8, free with mien_image_free. Failure: *out is zeroed;
 * MIEN_OUT_OF_MEMORY, MIEN_LIMIT (a side over 32767 pixels, Cairo's most).
 */
mien_status annotate_picture(const mien_image *image, const mien_model *model,
                             const mien_face *faces, size_t count, mien_image *out,
                             mien_error *error);

#endif
