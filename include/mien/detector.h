/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIEN_DETECTOR_H
#define MIEN_DETECTOR_H

/*
 * Face detectors: Haar cascades in OpenCV's XML format, and networks in ONNX (YuNet with five
 * landmarks, the tiny YOLO of face-api).
 */

#include <mien/status.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A loaded detector. Immutable: any number of threads may use it at once. */
typedef struct mien_detector mien_detector;

/* Zeroed: everything by default. The strings are not needed after the call. */
typedef struct mien_detector_options {
    double scale_factor; /* cascades: growth from scale to scale, over 1; 0 for 1.1 */
    int min_neighbours;  /* cascades: raw windows that must agree; 0 for 5, -1 for none needed */
    int min_size;        /* pixels; faces narrower are left out; 0 for no limit */
    int max_size;        /* pixels; faces wider are left out; 0 for no limit */
    float min_score;     /* networks: 0..1; 0 for the detector's own (0.7, tiny YOLO 0.5) */
    const char *sidecar; /* as in mien_model_options */
    const char *data_folder;       /* as in mien_model_options */
    const char *kernels;           /* as in mien_model_options */
    int input_width, input_height; /* networks: pixels that a picture is fitted into, multiples of
                                      32 up to 4096; 0 for the network's own. Fewer are faster and
                                      lose small faces */
    int threads; /* that share one picture, 1..256; 0 for 1. The faces are the same. An analyzer
                    has the threads (mien_analyzer_create). */
} mien_detector_options;

/*
 * Opens a detector; a name that ends in .xml is a cascade, .onnx a network. path NULL: the cascade
 * haarcascade_frontalface_default of OpenCV, looked for in data_folder, in $MIEN_CASCADES and where
 * distributions put it. options may be NULL.
 * Success: *out is the caller's, free with mien_detector_free.
 * Failure: *out is NULL; errors as of mien_model_open.
 */
MIEN_API mien_status mien_detector_open(const char *path, const mien_detector_options *options,
                                        mien_detector **out, mien_error *error);

/*
 * The same from memory. name decides by its ending as above; sidecar: the text of a sidecar file,
 * or NULL. options->sidecar and ->data_folder are not looked at.
 */
MIEN_API mien_status mien_detector_open_memory(const void *bytes, size_t size, const char *name,
                                               const char *sidecar,
                                               const mien_detector_options *options,
                                               mien_detector **out, mien_error *error);

/* Frees a detector that no analyzer uses any more. NULL is fine. */
MIEN_API void mien_detector_free(mien_detector *detector);

#ifdef __cplusplus
}
#endif

#endif
