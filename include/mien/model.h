/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIEN_MODEL_H
#define MIEN_MODEL_H

/*
 * Models: networks that read the apparent expression of a face. A model is an ONNX file; how its
 * input is prepared and what its outputs mean stands in its metadata or in a sidecar file
 * (docs/MODEL_FORMAT.md).
 */

#include <mien/status.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MIEN_MAX_CLASSES 64

/* A loaded model. Immutable: any number of threads may use it at once. */
typedef struct mien_model mien_model;

/* Zeroed: everything by default. The strings are not needed after the call. */
typedef struct mien_model_options {
    /* A sidecar file. NULL: "<model without .onnx>.mien" beside the model, else the file of that
     * name in data_folder/sidecars, where there is one. */
    const char *sidecar;
    /* Where mien's own data files lie. NULL: $MIEN_DATA, else where mien was installed. */
    const char *data_folder;
    /* Which kernels compute: "avx512", "avx2", "generic", or "reference" for plain C. NULL: the
     * best that this processor has. */
    const char *kernels;
    /* The numbers that it computes with: "f32" or NULL, or "bf16", which is faster and rounds to
     * 8 significant bits; MIEN_UNSUPPORTED where the processor has no AVX-512 BF16. */
    const char *precision;
    /* Threads that share the work on one face, 1..256; 0 for 1. The numbers are the same, bit for
     * bit. The model itself stays one: an analyzer has the threads (mien_analyzer_create). */
    int threads;
} mien_model_options;

/*
 * Opens a model file. options may be NULL.
 * Success: *out is the caller's, free with mien_model_free.
 * Failure: *out is NULL. MIEN_NOT_FOUND, MIEN_IO, MIEN_MALFORMED, MIEN_UNSUPPORTED, MIEN_SHAPE,
 * MIEN_LIMIT, MIEN_INVALID_ARGUMENT (an option), MIEN_OUT_OF_MEMORY.
 */
MIEN_API mien_status mien_model_open(const char *path, const mien_model_options *options,
                                     mien_model **out, mien_error *error);

/*
 * The same from memory; the bytes are not needed after the call. sidecar: the text of a sidecar
 * file ("key = value" lines), or NULL. name is what messages call the model.
 */
MIEN_API mien_status mien_model_open_memory(const void *bytes, size_t size, const char *name,
                                            const char *sidecar, const char *kernels,
                                            mien_model **out, mien_error *error);

/* Frees a model that no analyzer uses any more. NULL is fine. */
MIEN_API void mien_model_free(mien_model *model);

/* Number of classes, 1..MIEN_MAX_CLASSES, and the name of one (NULL out of range; the model's). */
MIEN_API int mien_model_class_count(const mien_model *model);
MIEN_API const char *mien_model_class_name(const mien_model *model, int index);

#ifdef __cplusplus
}
#endif

#endif
