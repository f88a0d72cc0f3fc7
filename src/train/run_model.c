/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "nn/graph_edit.h"
#include "nn/onnx.h"
#include "nn/onnx_write.h"
#include "train/checkpoint.h"
#include "train/transfer.h"
#include "zoo/zoo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Files ---- */

mien_status run_read_files(run *r)
{
    const trainer_options *o = r->options;
    mien_status status = MIEN_OK;
    if (o->initial != NULL)
        status = file_read(o->initial, ONNX_MAX_FILE_SIZE, &r->initial.bytes, &r->initial.size,
                           r->error);
    if (status != MIEN_OK || o->teacher_count == 0)
        return status;
    r->teachers = memory_zeroed(o->teacher_count, sizeof *r->teachers);
    if (r->teachers == NULL)
        return error_no_memory(r->error, "teachers", o->teacher_count * sizeof *r->teachers);
    for (size_t t = 0; status == MIEN_OK && t < o->teacher_count; t++)
        status = file_read(o->teachers[t], ONNX_MAX_FILE_SIZE, &r->teachers[t].bytes,
                           &r->teachers[t].size, r->error);
    return status;
}

/* ---- What the model says of itself ---- */

static mien_status add_metadata(run *r, const char *key, const char *value)
{
    return nn_graph_set_metadata(&r->graph, key, value, r->error);
}

/* mien.provenance: what the weights come from. */
static mien_status tell_provenance(run *r)
{
    char run_hash[24], recipe_hash[24], seed[24], data[96];
    const char *recipe = r->options->recipe_text;
    snprintf(run_hash, sizeof run_hash, "%016" PRIx64, r->identity);
    snprintf(recipe_hash, sizeof recipe_hash, "%016" PRIx64,
             checkpoint_hash(CHECKPOINT_HASH_START, recipe, strlen(recipe)));
    snprintf(seed, sizeof seed, "%" PRIu64, r->seed);
    snprintf(data, sizeof data, "%zu pictures to learn from, %zu to choose by", r->training.count,
             r->options->validation->count);
    const char *const entries[][2] = {{"mien.provenance.run", run_hash},
                                      {"mien.provenance.recipe", recipe_hash},
                                      {"mien.provenance.seed", seed},
                                      {"mien.provenance.data", data}};
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < sizeof entries / sizeof *entries; i++)
        status = add_metadata(r, entries[i][0], entries[i][1]);
    return status;
}

static mien_status describe_model(run *r)
{
    char classes[DATASET_MAX_CLASSES * (DATASET_CLASS_NAME_SIZE + 2)] = "";
    const dataset *set = &r->training;
    for (int c = 0; c < set->class_count; c++) {
        size_t used = strlen(classes);
        snprintf(classes + used, sizeof classes - used, "%s%s", c > 0 ? ", " : "",
                 set->class_names[c]);
    }
    mien_status status = add_metadata(r, "mien.classes", classes);
    if (status == MIEN_OK)
        status = add_metadata(r, "mien.output", "probabilities");
    if (status == MIEN_OK)
        status = tell_provenance(r);
    const setting_list *s = &r->recipe->model_settings;
    for (size_t i = 0; status == MIEN_OK && i < s->count; i++)
        status = add_metadata(r, s->entries[i].key, s->entries[i].value);
    return status;
}

/* ---- The graph ---- */

static mien_status take_initial_weights(run *r)
{
    nn_graph from;
    transfer_counts counts;
    mien_status status = transfer_read(r->initial.bytes, r->initial.size, &from, r->error);
    if (status == MIEN_OK) {
        status = transfer_weights(&from, &r->graph, &counts, r->error);
        nn_graph_free(&from);
    }
    if (status != MIEN_OK)
        return error_prefix(r->error, status, "'%s'", r->options->initial);
    run_note(r, "%zu of %zu parameters begin as in '%s', %zu begin fresh", counts.taken,
             counts.taken + counts.left, r->options->initial, counts.left);
    return MIEN_OK;
}

/* What goes into the last layer that has weights, a dense or convolutional one. */
static int input_of_last_layer(const nn_graph *graph)
{
    int input = graph->inputs[0];
    for (size_t n = 0; n < graph->node_count; n++)
        if (transfer_has_parameters(&graph->nodes[n]))
            input = graph->nodes[n].inputs[0];
    return input;
}

static mien_status build_of_zoo(run *r)
{
    const train_recipe *recipe = r->recipe;
    const char *format = settings_get(&recipe->model_settings, "mien.input.format");
    bool colour = format != NULL && strcmp(format, "gray") != 0;
    zoo_options options = {.classes = run_classes(r),
                           .channels = colour ? 3 : 1,
                           .height = recipe->height,
                           .width = recipe->width,
                           .width_multiplier = recipe->width_multiplier,
                           .seed = r->seed};
    mien_status status = zoo_build(recipe->architecture, &options, &r->graph, r->error);
    if (status != MIEN_OK)
        return status;
    r->body = input_of_last_layer(&r->graph);
    return r->initial.bytes != NULL ? take_initial_weights(r) : MIEN_OK;
}

static mien_status build_of_file(run *r)
{
    const train_recipe *recipe = r->recipe;
    transfer_head head = {.features = recipe->features,
                          .layers = recipe->head,
                          .layer_count = recipe->head_count,
                          .classes = run_classes(r),
                          .height = recipe->height,
                          .width = recipe->width,
                          .seed = r->seed};
    if (r->initial.bytes == NULL)
        return error_set(r->error, MIEN_INVALID_ARGUMENT,
                         "the recipe has architecture = file: name the ONNX file with --initial");
    mien_status status = transfer_read(r->initial.bytes, r->initial.size, &r->graph, r->error);
    if (status == MIEN_OK)
        status = transfer_new_head(&r->graph, &head, &r->body, r->error);
    if (status != MIEN_OK)
        return error_prefix(r->error, status, "'%s'", r->options->initial);
    run_note(r, "the network of '%s' up to '%s', with a new head of %d classes",
             r->options->initial, recipe->features, run_classes(r));
    return MIEN_OK;
}

mien_status run_build_model(run *r)
{
    const setting_list *settings = &r->recipe->model_settings;
    uint8_t *bytes;
    size_t size;
    bool of_file = strcmp(r->recipe->architecture, RECIPE_FILE) == 0;
    mien_status status = of_file ? build_of_file(r) : build_of_zoo(r);
    if (status == MIEN_OK)
        status = describe_model(r);
    if (status == MIEN_OK)
        status = onnx_write(&r->graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, r->error);
    if (status != MIEN_OK)
        return status;
    status = nn_model_read(bytes, size, &r->model, r->error);
    free(bytes);
    if (status != MIEN_OK)
        return status;
    const nn_graph *graph = nn_model_graph(r->model);
    const int64_t *dims = graph->values[graph->inputs[0]].tensor.shape.dims;
    return prep_read_settings(settings, (int)dims[1], (int)dims[2], (int)dims[3], &r->prep,
                              r->error);
}

/* Where the graph to be saved has a parameter's numbers. */
static void **graph_numbers(run *r, size_t parameter)
{
    int value = graph_find_value(&r->graph, run_tape(r)->parameters[parameter].name);
    return &r->graph.values[value].tensor.data;
}

/* The network's numbers, lent by it, or copies where they are not the host's. */
static mien_status take_numbers(run *r)
{
    for (size_t p = 0; p < run_tape(r)->parameter_count; p++) {
        void **numbers = graph_numbers(r, p);
        size_t count = run_tape(r)->parameters[p].count;
        free(*numbers); /* the graph's own, the first time */
        *numbers = train_network_host_values(r->network, p);
        if (*numbers != NULL)
            continue;
        *numbers = memory_zeroed(count, sizeof(float));
        if (*numbers == NULL)
            return error_no_memory(r->error, "the model", count * sizeof(float));
        train_network_read_values(r->network, p, *numbers);
    }
    return train_network_check(r->network, r->error);
}

static void leave_numbers(run *r)
{
    for (size_t p = 0; p < run_tape(r)->parameter_count; p++) {
        void **numbers = graph_numbers(r, p);
        if (*numbers != train_network_host_values(r->network, p))
            free(*numbers);
        *numbers = NULL;
    }
}

/* The graph has numbers only while it is written: large networks would not want them twice. */
static mien_status write_graph(run *r, uint8_t **bytes, size_t *size)
{
    mien_status status = take_numbers(r);
    if (status == MIEN_OK)
        status = onnx_write(&r->graph, ONNX_WEIGHTS_FLOAT32, bytes, size, r->error);
    leave_numbers(r);
    return status;
}

mien_status run_save_model(run *r, const char *name)
{
    char path[RUN_PATH_SIZE];
    uint8_t *bytes;
    size_t size;
    mien_status status = write_graph(r, &bytes, &size);
    if (status != MIEN_OK)
        return status;
    run_path(r, name, path);
    status = file_write_atomic(path, bytes, size, r->error);
    free(bytes);
    return status;
}
