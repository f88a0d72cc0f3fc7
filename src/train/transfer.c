/* SPDX-License-Identifier: Apache-2.0 */
#include "train/transfer.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/build.h"
#include "nn/graph_edit.h"
#include "nn/nn.h"
#include "nn/onnx.h"
#include "nn/onnx_write.h"
#include "nn/ref/ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN_DROPOUT_SET 12 /* from this opset on the builder's Dropout can be said */

mien_status transfer_read(const void *bytes, size_t size, nn_graph *graph, mien_error *error)
{
    mien_status status = onnx_read(bytes, size, graph, error);
    if (status == MIEN_OK)
        status = graph_fold_casts(graph, error);
    if (status != MIEN_OK)
        nn_graph_free(graph);
    return status;
}

/* ---- Weights ---- */

bool transfer_has_parameters(const nn_node *node)
{
    return node->op == &nn_op_conv || node->op == &nn_op_gemm || node->op == &nn_op_batch_norm;
}

static bool take(const nn_graph *from, const nn_value *to)
{
    int index = graph_find_value(from, to->name);
    if (index < 0)
        return false;
    const nn_tensor *source = &from->values[index].tensor;
    int64_t count = 0;
    if (source->data == NULL || source->type != NN_FLOAT ||
        !nn_shape_equal(&source->shape, &to->tensor.shape) ||
        !nn_shape_elements(&source->shape, &count))
        return false;
    memcpy(to->tensor.data, source->data, (size_t)count * sizeof(float));
    return true;
}

mien_status transfer_weights(const nn_graph *from, const nn_graph *to, transfer_counts *counts,
                             mien_error *error)
{
    *counts = (transfer_counts){0};
    for (size_t n = 0; n < to->node_count; n++) {
        const nn_node *node = &to->nodes[n];
        for (int i = 1; transfer_has_parameters(node) && i < node->input_count; i++) {
            const nn_value *value = node->inputs[i] >= 0 ? &to->values[node->inputs[i]] : NULL;
            if (value == NULL || value->tensor.data == NULL || value->tensor.type != NN_FLOAT)
                continue;
            *(take(from, value) ? &counts->taken : &counts->left) += 1;
        }
    }
    if (counts->taken == 0)
        return error_set(error, MIEN_NOT_FOUND,
                         "no weights of the file have the name and shape of the architecture's: is "
                         "it another architecture? architecture = file goes on from any");
    return MIEN_OK;
}

/* ---- Metadata and shapes ---- */

static void drop_metadata(nn_graph *graph)
{
    size_t kept = 0;
    for (size_t m = 0; m < graph->metadata_count; m++) {
        nn_metadata entry = graph->metadata[m];
        if (strncmp(entry.key, "mien.", 5) != 0) {
            graph->metadata[kept++] = entry;
            continue;
        }
        free(entry.key);
        free(entry.value);
    }
    graph->metadata_count = kept;
}

static mien_status set_input_size(nn_graph *graph, const transfer_head *head, mien_error *error)
{
    char text[NN_SHAPE_TEXT_SIZE];
    nn_shape *shape = &graph->values[graph->inputs[0]].tensor.shape;
    if (graph->input_count != 1 || shape->rank != 4 || shape->dims[1] < 1)
        return error_set(error, MIEN_SHAPE, "the file's network does not take one picture");
    shape->dims[0] = NN_UNKNOWN_DIM;
    if (head->height > 0)
        shape->dims[2] = head->height;
    if (head->width > 0)
        shape->dims[3] = head->width;
    if (shape->dims[2] < 1 || shape->dims[3] < 1)
        return error_set(error, MIEN_SHAPE,
                         "the file's network takes pictures of any size (%s): say height and width",
                         nn_shape_text(shape, text));
    return MIEN_OK;
}

/* The shape that the only output has for one picture. */
static mien_status shape_output(const nn_graph *graph, nn_shape *shape, mien_error *error)
{
    uint8_t *bytes = NULL;
    size_t size;
    nn_model *model = NULL;
    nn_plan *plan = NULL;
    const nn_plan_options options = {.max_bytes = SIZE_MAX / 2};
    mien_status status = onnx_write(graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, error);
    if (status == MIEN_OK)
        status = nn_model_read(bytes, size, &model, error);
    if (status == MIEN_OK)
        status = nn_plan_create(model, &options, &plan, error);
    if (status == MIEN_OK)
        *shape = *nn_plan_output_shape(plan, 0);
    nn_plan_free(plan);
    nn_model_free(model);
    free(bytes);
    return status;
}

static mien_status settle_shapes(nn_graph *graph, int features, const transfer_head *head,
                                 mien_error *error)
{
    char text[NN_SHAPE_TEXT_SIZE];
    nn_shape *shape = &graph->values[features].tensor.shape;
    mien_status status = set_input_size(graph, head, error);
    shape->rank = NN_UNKNOWN_RANK; /* what the file says of it may be of another size */
    if (status == MIEN_OK)
        status = shape_output(graph, shape, error);
    if (status != MIEN_OK)
        return status;
    if (shape->rank != 2 && shape->rank != 4)
        return error_set(error, MIEN_SHAPE, "'%s' has the shape %s: a head needs NxD or NxCxHxW",
                         head->features, nn_shape_text(shape, text));
    shape->dims[0] = NN_UNKNOWN_DIM;
    return MIEN_OK;
}

/* ---- The head ---- */

/* Outputs have names of their own: a tensor of the body with such a name gets another. */
static mien_status free_output_names(const nn_graph *graph, mien_error *error)
{
    static const char *const names[] = {"logits", "probabilities", "features"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int value = graph_find_value(graph, names[i]);
        if (value < 0)
            continue;
        char name[40];
        snprintf(name, sizeof name, "body.%s", names[i]);
        char *copy = memory_copy_string(name);
        if (copy == NULL)
            return error_no_memory(error, "a name", sizeof name);
        free(graph->values[value].name);
        graph->values[value].name = copy;
    }
    return MIEN_OK;
}

static int build_layer_of_head(nn_builder *b, int x, const recipe_layer *layer)
{
    switch (layer->kind) {
    case RECIPE_DENSE:
        return nn_build_dense(b, x, layer->outputs);
    case RECIPE_RELU:
        return nn_build_relu(b, x);
    default:
        return nn_build_dropout(b, x, layer->ratio);
    }
}

static void build_head(nn_builder *b, int x, const transfer_head *head)
{
    if (nn_build_shape(b, x).rank == 4)
        x = nn_build_flatten(b, nn_build_global_average(b, x));
    int features = x;
    for (int i = 0; i < head->layer_count; i++) {
        x = build_layer_of_head(b, x, &head->layers[i]);
        if (head->layers[i].kind != RECIPE_DROPOUT)
            features = x;
    }
    int logits = nn_build_dense(b, x, head->classes);
    int probabilities = nn_build_softmax(b, logits);
    nn_build_output(b, logits, "logits");
    nn_build_output(b, probabilities, "probabilities");
    nn_build_output(b, features, "features");
    nn_build_metadata(b, "mien.architecture", RECIPE_FILE);
}

static bool has_dropout(const transfer_head *head)
{
    for (int i = 0; i < head->layer_count; i++)
        if (head->layers[i].kind == RECIPE_DROPOUT)
            return true;
    return false;
}

static mien_status prepare_body(nn_graph *graph, const transfer_head *head, int *features,
                                mien_error *error)
{
    *features = graph_find_value(graph, head->features);
    if (*features < 0 || graph->values[*features].tensor.data != NULL)
        return error_set(error, MIEN_NOT_FOUND,
                         "the file's network has no tensor '%s' for the head to begin at",
                         head->features);
    if (has_dropout(head) && graph->opset < MIN_DROPOUT_SET)
        return error_set(error, MIEN_UNSUPPORTED,
                         "the file has opset %d: a head with dropout needs %d or more",
                         graph->opset, MIN_DROPOUT_SET);
    mien_status status = graph_cut_behind(graph, features, error);
    if (status == MIEN_OK)
        status = settle_shapes(graph, *features, head, error);
    if (status == MIEN_OK)
        status = free_output_names(graph, error);
    graph->output_count = 0;
    drop_metadata(graph);
    return status;
}

mien_status transfer_new_head(nn_graph *graph, const transfer_head *head, int *body,
                              mien_error *error)
{
    nn_builder b;
    mien_status status = prepare_body(graph, head, body, error);
    if (status != MIEN_OK) {
        nn_graph_free(graph);
        return status;
    }
    nn_build_continue(&b, graph, head->seed);
    build_head(&b, *body, head);
    return nn_build_finish(&b, error);
}
