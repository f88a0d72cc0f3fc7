/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIEN_WASM_H
#define MIEN_WASM_H

/*
 * The public interface for JavaScript: handles, addresses and numbers only, no structures to lay
 * out by hand. mien.mjs is the other half.
 *
 * All addresses are offsets in the module's memory. What JavaScript hands over (bytes, texts that
 * end with a zero byte, pixels) it allocates with malloc and frees with free, both exported. An
 * address of 0 stands for NULL. Nothing here keeps hold of what it was handed. The module has one
 * thread and no state of its own.
 */

#include <mien/mien.h>

/* Floats that mien_wasm_read_face writes. */
#define MIEN_WASM_FACE_FLOATS (20 + MIEN_MAX_CLASSES)

/* An object for the details of failures, "ok" to begin with; NULL when out of memory. It is the
 * caller's, free with free(). */
mien_error *mien_wasm_error_create(void);

/* The message of the last failure that went into the object; it lasts until the next. */
const char *mien_wasm_error_message(const mien_error *error);

/* The short name of its kind, such as "out of memory". */
const char *mien_wasm_error_name(const mien_error *error);

/*
 * A model from the bytes of an ONNX file, as mien_model_open_memory. name: what messages call it.
 * sidecar: the text of a sidecar file, or NULL. kernels: "generic", "reference", or NULL for the
 * best.
 * Success: the caller's, free with mien_wasm_model_free. Failure: NULL, the reason in *error.
 */
mien_model *mien_wasm_model_open(const void *bytes, size_t size, const char *name,
                                 const char *sidecar, const char *kernels, mien_error *error);
void mien_wasm_model_free(mien_model *model);

/* As mien_model_class_count and mien_model_class_name. */
int mien_wasm_class_count(const mien_model *model);
const char *mien_wasm_class_name(const mien_model *model, int index);

/*
 * A detector from the bytes of a cascade (name ends in .xml) or a network (.onnx), as
 * mien_detector_open_memory; the five numbers are those of mien_detector_options, 0 for the usual.
 * Success: the caller's, free with mien_wasm_detector_free. Failure: NULL, the reason in *error.
 */
mien_detector *mien_wasm_detector_open(const void *bytes, size_t size, const char *name,
                                       const char *sidecar, double scale_factor, int min_neighbours,
                                       int min_size, int max_size, float min_score,
                                       mien_error *error);
void mien_wasm_detector_free(mien_detector *detector);

/*
 * An analyzer of a model (NULL: faces only) and a detector (NULL: each picture is one face); both
 * must outlive it.
 * Success: the caller's, free with mien_wasm_analyzer_free. Failure: NULL, the reason in *error.
 */
mien_analyzer *mien_wasm_analyzer_create(const mien_model *model, const mien_detector *detector,
                                         mien_error *error);
void mien_wasm_analyzer_free(mien_analyzer *analyzer);

/*
 * Analyzes a picture of height rows, each width pixels without a gap after it. format: a
 * mien_pixel_format, 4 (RGBA8) for what a canvas gives.
 * Success: the number of faces, from left to right; *faces belongs to the analyzer and lasts until
 * its next call. Failure: -1, *faces is NULL, the reason in *error.
 */
int mien_wasm_analyze(mien_analyzer *analyzer, uint8_t *pixels, int width, int height, int format,
                      const mien_face **faces, mien_error *error);

/*
 * Writes the face at an index of what mien_wasm_analyze gave as MIEN_WASM_FACE_FLOATS floats:
 *    0..3   x, y, width, height of the box, pixels
 *    4      detection score
 *    5      1: has landmarks, else 0
 *    6..15  landmarks, x and y of each of the five, pixels
 *   16      1: has an expression, else 0 (and 0 in all that follow)
 *   17      class of the largest probability
 *   18      that probability
 *   19      1: unsure, else 0
 *   20..    probabilities by class
 */
void mien_wasm_read_face(const mien_face *faces, int index, float *values);

#endif
