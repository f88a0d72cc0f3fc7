/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_NETWORK_H
#define ENGINE_NETWORK_H

/*
 * A network with its settings, shaped for one picture: what expression models and detector networks
 * have in common. Private to the engine, and open to evaluation and benchmarks.
 */

#include "base/settings.h"
#include "nn/nn.h"
#include "prep/prep.h"

typedef struct engine_network {
    nn_model *model;
    nn_plan *plan;
    setting_list settings; /* metadata of the file, then the sidecar over it */
    prep_settings prep;
} engine_network;

typedef struct engine_network_options {
    const char *sidecar_text; /* settings over the file's; NULL for none */
    const char *name;         /* of the file, for messages */
    const char *kernels;      /* a name, "reference", or NULL for the best */
    const char *precision;    /* "f32", "bf16" or NULL for f32 */
    int side;          /* of the input, where neither file nor settings say one; 0: an error */
    int width, height; /* of the input, whatever file and settings say; 0 for theirs */
} engine_network_options;

/* Reads a network from a file. The bytes are gone before a plan is made, which takes most memory.
 * Errors of file_read and nn_model_read. */
mien_status engine_read_file(const char *path, nn_model **out, mien_error *error);

/* Makes a network of a model (nn_model_read) and its settings; the model is the network's from now
 * on, without its weights. Success: the caller frees with engine_network_free. Failure: *network is
 * zeroed, the model freed. */
mien_status engine_network_make(nn_model *model, const engine_network_options *options,
                                engine_network *network, mien_error *error);

/* The same from the bytes of a file, which are not needed afterwards. */
mien_status engine_network_read(const void *bytes, size_t size,
                                const engine_network_options *options, engine_network *network,
                                mien_error *error);
void engine_network_free(engine_network *network);

/*
 * Finds and reads the sidecar of a model file: the one named, or "<model>.mien" beside the model or
 * in data_folder/sidecars. *text is NULL when there is none; else the caller's, free with free().
 */
mien_status engine_find_sidecar(const char *model_path, const char *sidecar,
                                const char *data_folder, char **text, mien_error *error);

/*
 * mien's folder of data files: the one given, $MIEN_DATA, or where it was installed. Never NULL.
 */
const char *engine_data_folder(const char *given);

/* The kernels of that name. NULL in *kernels stands for the reference operators. */
mien_status engine_find_kernels(const char *name, const nn_kernels **kernels, mien_error *error);

/* The type of number of that name, NULL for float. MIEN_INVALID_ARGUMENT. */
mien_status engine_find_precision(const char *name, nn_type *precision, mien_error *error);

#endif
