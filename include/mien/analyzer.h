/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIEN_ANALYZER_H
#define MIEN_ANALYZER_H

/*
 * From a picture to its faces with their apparent expressions. What is reported is how a face
 * looks, not what a person feels.
 */

#include <mien/detector.h>
#include <mien/image.h>
#include <mien/model.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Works through pictures one after another and keeps its memory from one to the next. For one
 * thread at a time; several analyzers may share a model and a detector.
 */
typedef struct mien_analyzer mien_analyzer;

typedef struct mien_face {
    float x, y;          /* left and top edge of the box, pixels of the picture; may lie outside */
    float width, height; /* pixels */
    float detection_score; /* detector networks 0..1; cascades: number of raw windows; 0 for a whole
                              picture taken as a face */
    bool has_landmarks;
    float landmarks[5][2]; /* (x, y) in pixels: eye on the left of the picture, other eye, tip of
                              the nose, mouth corner on the left, other corner */
    bool has_expression;   /* false when the analyzer has no model: what follows is zero */
    float probabilities[MIEN_MAX_CLASSES]; /* 0..1, calibrated; by class, sum 1 */
    int top;                               /* class of the largest probability */
    float confidence;                      /* that probability */
    bool unsure;                           /* the confidence is under the model's threshold */
} mien_face;

/*
 * Makes an analyzer. model NULL: faces only. detector NULL: each picture is one face as a whole.
 * Both must outlive the analyzer. Where one of them was opened for several threads, the analyzer
 * starts as many (the larger number, the calling thread among them); they work for whichever was,
 * sleep between pictures, and end with the analyzer. There are fewer when the system gives no more.
 * Success: *out is the caller's, free with mien_analyzer_free. Failure: *out is NULL.
 */
MIEN_API mien_status mien_analyzer_create(const mien_model *model, const mien_detector *detector,
                                          mien_analyzer **out, mien_error *error);
MIEN_API void mien_analyzer_free(mien_analyzer *analyzer);

/*
 * Analyzes one picture. The faces stand from left to right.
 * Success: *faces, (*count) of them, belong to the analyzer and last until its next call.
 * Failure: *faces is NULL and *count 0; MIEN_INVALID_ARGUMENT, MIEN_OUT_OF_MEMORY, MIEN_MALFORMED
 * (the model's answer is not a finite number).
 */
MIEN_API mien_status mien_analyzer_run(mien_analyzer *analyzer, const mien_image *image,
                                       const mien_face **faces, size_t *count, mien_error *error);

/*
 * Reads the apparent expression of one face whose place is known, without looking for faces. Of
 * *face, the box (and the landmarks, when has_landmarks) is the caller's; the expression is filled
 * in. The analyzer must have a model. The faces of mien_analyzer_run stay valid.
 * Failure: the expression is undefined; errors as of mien_analyzer_run, and MIEN_INVALID_ARGUMENT
 * without a model or with a box that has no area.
 */
MIEN_API mien_status mien_analyzer_read(mien_analyzer *analyzer, const mien_image *image,
                                        mien_face *face, mien_error *error);

#ifdef __cplusplus
}
#endif

#endif
