/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXPLAINER_H
#define CLI_EXPLAINER_H

/* Faces with maps of what the network looked at, as pictures. For one thread at a time. */

#include <mien/mien.h>

typedef struct explainer explainer;

/*
 * model must outlive the explainer. path: the file that it was opened from, which is read again for
 * its weights.
 * Success: *out is the caller's, free with explainer_free. Failure: *out is NULL; errors of
 * file_read, nn_model_read and saliency_create (train/saliency.h).
 */
mien_status explainer_create(const mien_model *model, const char *path, explainer **out,
                             mien_error *error);
void explainer_free(explainer *e);

/* The feature map that Grad-CAM looks at, as the model file calls it. */
const char *explainer_feature_map(const explainer *e);

/* The pictures of one face, RGB8, all of the same size, the caller's: explanation_free. */
typedef struct explanation {
    mien_image face;   /* cut out, turned and in the colours as the network gets it */
    mien_image cam;    /* the face under its Grad-CAM */
    mien_image guided; /* guided backpropagation */
} explanation;

void explanation_free(explanation *x);

/*
 * The face alone, as the network gets it, its longer side `side` pixels.
 * Success: *out is the caller's, RGB8. Failure: *out is zeroed; errors of prep_fill.
 */
mien_status explainer_cut_out(const mien_model *model, const mien_image *image,
                              const mien_face *face, int side, mien_image *out, mien_error *error);

/*
 * Explains why class `index` appears in a face of a picture. side: of the pictures that come out.
 * Failure: *out is zeroed.
 */
mien_status explainer_run(explainer *e, const mien_image *image, const mien_face *face, int index,
                          int side, explanation *out, mien_error *error);

#endif
