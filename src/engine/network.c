/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "nn/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDECAR_BYTES 65536

const char *engine_data_folder(const char *given)
{
    if (given != NULL)
        return given;
    const char *environment = getenv("MIEN_DATA");
    return environment != NULL ? environment : MIEN_DATA_FOLDER;
}

mien_status engine_find_kernels(const char *name, const nn_kernels **kernels, mien_error *error)
{
    *kernels = NULL;
    if (name != NULL && strcmp(name, "reference") == 0)
        return MIEN_OK;
    *kernels = name != NULL ? nn_kernels_find(name) : nn_kernels_best();
    if (*kernels != NULL)
        return MIEN_OK;
    char names[120] = "reference";
    const nn_kernels *set;
    for (size_t i = 0; (set = nn_kernels_at(i)) != NULL; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, ", %s", set->name);
    }
    return error_set(error, MIEN_INVALID_ARGUMENT,
                     "there are no kernels '%.40s' for this processor; there are: %s", name, names);
}

mien_status engine_find_precision(const char *name, nn_type *precision, mien_error *error)
{
    *precision = NN_FLOAT;
    if (name == NULL || strcmp(name, "f32") == 0)
        return MIEN_OK;
    if (strcmp(name, "bf16") != 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "there is no precision '%.40s'; there are: f32, bf16", name);
    *precision = NN_BFLOAT16;
    return MIEN_OK;
}

/* "<folder>/<name of the model without .onnx>.mien"; folder NULL: beside the model. */
static char *sidecar_path(const char *folder, const char *model_path)
{
    const char *name = folder != NULL ? file_name(model_path) : model_path;
    size_t length = strlen(name);
    if (strcmp(file_extension(name), "onnx") == 0)
        length -= strlen(".onnx");
    size_t room =
        (folder != NULL ? strlen(folder) + strlen("/sidecars/") : 0) + length + sizeof ".mien";
    char *path = malloc(room);
    if (path != NULL)
        snprintf(path, room, "%s%s%.*s.mien", folder != NULL ? folder : "",
                 folder != NULL ? "/sidecars/" : "", (int)length, name);
    return path;
}

mien_status engine_find_sidecar(const char *model_path, const char *sidecar,
                                const char *data_folder, char **text, mien_error *error)
{
    *text = NULL;
    const char *folders[] = {NULL, engine_data_folder(data_folder)};
    char *found = sidecar != NULL ? memory_copy_string(sidecar) : NULL;
    for (int i = 0; i < 2 && sidecar == NULL && found == NULL; i++) {
        char *path = sidecar_path(folders[i], model_path);
        if (path == NULL)
            return error_no_memory(error, model_path, strlen(model_path));
        if (file_exists(path))
            found = path;
        else
            free(path);
    }
    if (found == NULL && sidecar == NULL)
        return MIEN_OK;
    if (found == NULL)
        return error_no_memory(error, sidecar, strlen(sidecar));
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(found, MAX_SIDECAR_BYTES, &bytes, &size, error);
    if (status == MIEN_OK && memchr(bytes, 0, size) != NULL) {
        status = error_set(error, MIEN_MALFORMED, "'%s' is not a text file", found);
        free(bytes);
        bytes = NULL;
    }
    free(found);
    *text = (char *)bytes;
    return status;
}

/* The file's metadata under mien., then the sidecar over it. */
static mien_status gather_settings(engine_network *network, const char *sidecar_text,
                                   const char *name, mien_error *error)
{
    const nn_graph *graph = nn_model_graph(network->model);
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < graph->metadata_count; i++)
        if (strncmp(graph->metadata[i].key, "mien.", 5) == 0)
            status = settings_set(&network->settings, graph->metadata[i].key,
                                  graph->metadata[i].value, error);
    if (status == MIEN_OK && sidecar_text != NULL) {
        char label[160];
        snprintf(label, sizeof label, "sidecar of %s", name);
        status =
            settings_read(&network->settings, sidecar_text, strlen(sidecar_text), label, error);
    }
    return status;
}

static mien_status set_side(engine_network *network, const char *key, int side, mien_error *error)
{
    char number[16];
    snprintf(number, sizeof number, "%d", side);
    return settings_set(&network->settings, key, number, error);
}

/* Along one axis: the side wanted, or the usual one where nothing else says any. *fixed: what the
 * file says, or 0 where that does not hold. */
static mien_status choose_side(engine_network *network, const char *key, int wanted, int usual,
                               int *fixed, mien_error *error)
{
    if (wanted > 0) {
        *fixed = 0;
        return set_side(network, key, wanted, error);
    }
    if (*fixed < 0) {
        *fixed = 0;
        if (usual > 0 && settings_get(&network->settings, key) == NULL)
            return set_side(network, key, usual, error);
    }
    return MIEN_OK;
}

static mien_status read_preparation(engine_network *network, const engine_network_options *options,
                                    mien_error *error)
{
    const nn_graph *graph = nn_model_graph(network->model);
    const nn_value *input = &graph->values[graph->inputs[0]];
    const nn_shape *shape = &input->tensor.shape;
    char text[NN_SHAPE_TEXT_SIZE];
    if (graph->input_count != 1 || shape->rank != 4 ||
        (shape->dims[1] != 1 && shape->dims[1] != 3) || shape->dims[2] > 4096 ||
        shape->dims[3] > 4096)
        return error_set(error, MIEN_UNSUPPORTED,
                         "the network does not take one picture (N, 1 or 3, H, W) but %zu inputs, "
                         "the first %s",
                         graph->input_count, nn_shape_text(shape, text));
    int height = (int)shape->dims[2], width = (int)shape->dims[3];
    mien_status status =
        choose_side(network, "mien.input.height", options->height, options->side, &height, error);
    if (status == MIEN_OK)
        status =
            choose_side(network, "mien.input.width", options->width, options->side, &width, error);
    if (status != MIEN_OK)
        return status;
    return prep_read_settings(&network->settings, (int)shape->dims[1], height, width,
                              &network->prep, error);
}

static mien_status shape_network(engine_network *network, const char *kernel_name,
                                 const char *precision, mien_error *error)
{
    int channels = network->prep.format == PREP_GRAY ? 1 : 3;
    nn_shape shape = {4, {1, channels, network->prep.height, network->prep.width}};
    nn_plan_options options = {.input_shapes = &shape};
    mien_status status = engine_find_kernels(kernel_name, &options.kernels, error);
    if (status == MIEN_OK)
        status = engine_find_precision(precision, &options.precision, error);
    if (status == MIEN_OK)
        status = nn_plan_create_last(network->model, &options, &network->plan, error);
    return status;
}

mien_status engine_read_file(const char *path, nn_model **out, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, ONNX_MAX_FILE_SIZE, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = nn_model_read(bytes, size, out, error);
    free(bytes);
    return status == MIEN_OK ? MIEN_OK : error_prefix(error, status, "%s", path);
}

mien_status engine_network_make(nn_model *model, const engine_network_options *options,
                                engine_network *network, mien_error *error)
{
    *network = (engine_network){.model = model};
    mien_status status = gather_settings(network, options->sidecar_text, options->name, error);
    if (status == MIEN_OK)
        status = read_preparation(network, options, error);
    if (status == MIEN_OK)
        status = shape_network(network, options->kernels, options->precision, error);
    if (status != MIEN_OK) {
        engine_network_free(network);
        return error_prefix(error, status, "%s", options->name);
    }
    return MIEN_OK;
}

mien_status engine_network_read(const void *bytes, size_t size,
                                const engine_network_options *options, engine_network *network,
                                mien_error *error)
{
    *network = (engine_network){0};
    nn_model *model;
    mien_status status = nn_model_read(bytes, size, &model, error);
    if (status != MIEN_OK)
        return error_prefix(error, status, "%s", options->name);
    return engine_network_make(model, options, network, error);
}

void engine_network_free(engine_network *network)
{
    nn_plan_free(network->plan);
    nn_model_free(network->model);
    settings_free(&network->settings);
    *network = (engine_network){0};
}
