/* SPDX-License-Identifier: Apache-2.0 */
#include "train/tape.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"

#include <stdlib.h>
#include <string.h>

/* What building the list needs beside the tape. */
typedef struct taper {
    train_tape *tape;
    bool *wanted;      /* by value: an output that is trained depends on it */
    int *uses;         /* by value: layers that read it, trained outputs included */
    int *maker;        /* by value: the layer that makes it, or -1 */
    int *parameter_of; /* by value: index in tape->parameters, or -1 */
    mien_error *error;
} taper;

nn_shape train_tape_shape(const train_tape *tape, int value)
{
    return nn_plan_value_shape(tape->plan, value);
}

int train_tape_output(const train_tape *tape, const char *name)
{
    const nn_graph *graph = tape->graph;
    for (size_t v = 0; v < graph->value_count; v++)
        if (strcmp(graph->values[v].name, name) == 0)
            return (int)v;
    return -1;
}

static bool is_constant(const train_tape *tape, int value)
{
    return value < 0 || tape->graph->values[value].tensor.data != NULL;
}

static mien_status cannot(const taper *t, const nn_node *node, const char *why)
{
    return error_set(t->error, MIEN_UNSUPPORTED, "%s '%s' cannot be trained: %s", node->op->name,
                     node->name, why);
}

/* Marks what the trained outputs depend on, from the last node to the first. */
static mien_status mark_wanted(taper *t, const char *const *outputs, size_t count)
{
    const nn_graph *graph = t->tape->graph;
    for (size_t o = 0; o < count; o++) {
        int value = train_tape_output(t->tape, outputs[o]);
        if (value < 0)
            return error_set(t->error, MIEN_NOT_FOUND, "the network has no tensor '%s'",
                             outputs[o]);
        t->wanted[value] = true;
        t->uses[value]++;
    }
    for (size_t n = graph->node_count; n-- > 0;) {
        const nn_node *node = &graph->nodes[n];
        for (int i = 0; t->wanted[node->outputs[0]] && i < node->input_count; i++)
            if (node->inputs[i] >= 0)
                t->wanted[node->inputs[i]] = true;
    }
    return MIEN_OK;
}

/* The index of a constant as a parameter; -1 in *index when the input is left out. */
static mien_status take_parameter(taper *t, const nn_node *node, int input, bool decays,
                                  bool statistic, int *index)
{
    train_tape *tape = t->tape;
    *index = -1;
    if (input >= node->input_count || node->inputs[input] < 0)
        return MIEN_OK;
    int value = node->inputs[input];
    if (!is_constant(tape, value))
        return cannot(t, node, "its weights are computed by the network");
    *index = t->parameter_of[value];
    if (*index >= 0)
        return cannot(t, node, "another layer has the same weights");
    void *parameters = tape->parameters;
    if (!memory_grow(&parameters, tape->parameter_count, &tape->parameter_capacity,
                     sizeof *tape->parameters))
        return error_no_memory(t->error, "parameters", sizeof *tape->parameters);
    tape->parameters = parameters;
    const nn_value *v = &tape->graph->values[value];
    int64_t count = 0;
    nn_shape_elements(&v->tensor.shape, &count);
    *index = t->parameter_of[value] = (int)tape->parameter_count;
    tape->parameters[tape->parameter_count++] = (train_parameter){.value = value,
                                                                  .name = v->name,
                                                                  .shape = v->tensor.shape,
                                                                  .count = (size_t)count,
                                                                  .decays = decays,
                                                                  .statistic = statistic};
    return MIEN_OK;
}

static mien_status take_weights(taper *t, train_layer *layer)
{
    mien_status status = take_parameter(t, layer->node, 1, true, false, &layer->parameters[0]);
    if (status == MIEN_OK)
        status = take_parameter(t, layer->node, 2, false, false, &layer->parameters[1]);
    return status;
}

static mien_status take_dense(taper *t, train_layer *layer)
{
    const nn_node *node = layer->node;
    if (layer->params.gemm.transpose_a || !layer->params.gemm.transpose_b ||
        layer->params.gemm.alpha != 1 || layer->params.gemm.beta != 1)
        return cannot(t, node, "only x W' + b with weights (outputs, inputs) is");
    layer->kind = TRAIN_DENSE;
    return take_weights(t, layer);
}

static mien_status take_norm(taper *t, train_layer *layer)
{
    layer->kind = TRAIN_BATCH_NORM;
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && i < 4; i++)
        status = take_parameter(t, layer->node, 1 + i, false, i >= 2, &layer->parameters[i]);
    return status;
}

static nn_activation_kind activation_of(const nn_op *op)
{
    static const struct {
        const nn_op *op;
        nn_activation_kind kind;
    } kinds[] = {{&nn_op_relu, NN_ACTIVATION_RELU},
                 {&nn_op_clip, NN_ACTIVATION_CLIP},
                 {&nn_op_leaky_relu, NN_ACTIVATION_LEAKY_RELU},
                 {&nn_op_elu, NN_ACTIVATION_ELU},
                 {&nn_op_sigmoid, NN_ACTIVATION_SIGMOID},
                 {&nn_op_hard_sigmoid, NN_ACTIVATION_HARD_SIGMOID},
                 {&nn_op_hard_swish, NN_ACTIVATION_HARD_SWISH},
                 {&nn_op_tanh, NN_ACTIVATION_TANH}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].op == op)
            return kinds[i].kind;
    return NN_ACTIVATION_NONE;
}

/* Operators without parameters, by their layer. */
static bool plain_kind(const nn_op *op, train_layer_kind *kind)
{
    static const struct {
        const nn_op *op;
        train_layer_kind kind;
    } kinds[] = {{&nn_op_add, TRAIN_ADD},
                 {&nn_op_mul, TRAIN_MULTIPLY},
                 {&nn_op_max_pool, TRAIN_MAX_POOL},
                 {&nn_op_average_pool, TRAIN_AVERAGE_POOL},
                 {&nn_op_global_average_pool, TRAIN_GLOBAL_AVERAGE},
                 {&nn_op_dropout, TRAIN_DROPOUT},
                 {&nn_op_flatten, TRAIN_RESHAPE},
                 {&nn_op_reshape, TRAIN_RESHAPE},
                 {&nn_op_identity, TRAIN_RESHAPE},
                 {&nn_op_concat, TRAIN_CONCAT}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].op == op) {
            *kind = kinds[i].kind;
            return true;
        }
    return activation_of(op) != NN_ACTIVATION_NONE ? (*kind = TRAIN_ACTIVATION, true) : false;
}

static bool is_per_channel(const nn_shape *large, const nn_shape *small)
{
    return large->rank == 4 && small->rank == 4 && small->dims[0] == large->dims[0] &&
           small->dims[1] == large->dims[1] && small->dims[2] == 1 && small->dims[3] == 1;
}

static mien_status check_shapes(const taper *t, const train_layer *layer)
{
    nn_shape a = train_tape_shape(t->tape, layer->inputs[0]);
    nn_shape out = train_tape_shape(t->tape, layer->output);
    nn_shape b = layer->input_count > 1 ? train_tape_shape(t->tape, layer->inputs[1]) : a;
    if (layer->kind == TRAIN_ADD && (!nn_shape_equal(&a, &b) || layer->input_count != 2))
        return cannot(t, layer->node, "only two equal shapes are");
    if (layer->kind == TRAIN_MULTIPLY &&
        (layer->input_count != 2 || (!nn_shape_equal(&a, &b) && !is_per_channel(&a, &b))))
        return cannot(t, layer->node, "only equal shapes or a number per channel are");
    if (layer->kind == TRAIN_CONCAT && (out.rank != 4 || layer->params.axis.axis != 1))
        return cannot(t, layer->node, "only along the channels is");
    return MIEN_OK;
}

static mien_status take_inputs(taper *t, train_layer *layer, int most)
{
    const nn_node *node = layer->node;
    for (int i = 0; i < node->input_count && i < most; i++) {
        if (node->inputs[i] < 0)
            continue;
        if (is_constant(t->tape, node->inputs[i]) && layer->kind != TRAIN_ACTIVATION &&
            layer->kind != TRAIN_RESHAPE && layer->kind != TRAIN_DROPOUT)
            return cannot(t, node, "it takes a constant");
        if (is_constant(t->tape, node->inputs[i]))
            continue;
        if (layer->input_count == TRAIN_MAX_INPUTS)
            return cannot(t, node, "it has too many inputs");
        layer->inputs[layer->input_count++] = node->inputs[i];
        t->uses[node->inputs[i]]++;
    }
    return MIEN_OK;
}

/* Until opset 12 the share that is dropped was an attribute, then it became a constant. */
static float dropped_share(const train_tape *tape, const nn_node *node)
{
    const float *constant = NULL;
    if (node->input_count > 1 && node->inputs[1] >= 0)
        constant = tape->graph->values[node->inputs[1]].tensor.data;
    return constant != NULL ? *constant : nn_node_float(node, "ratio", 0.5f);
}

static mien_status make_layer(taper *t, size_t index, train_layer *layer)
{
    const nn_node *node = &t->tape->graph->nodes[index];
    *layer = (train_layer){.node = node,
                           .params = *nn_plan_node_params(t->tape->plan, index),
                           .output = node->outputs[0],
                           .parameters = {-1, -1, -1, -1}};
    mien_status status;
    if (node->op == &nn_op_conv) {
        layer->kind = TRAIN_CONV;
        status = take_weights(t, layer);
    } else if (node->op == &nn_op_gemm) {
        status = take_dense(t, layer);
    } else if (node->op == &nn_op_batch_norm) {
        status = take_norm(t, layer);
    } else if (plain_kind(node->op, &layer->kind)) {
        status = MIEN_OK;
        if (layer->kind == TRAIN_DROPOUT)
            layer->dropped = dropped_share(t->tape, node);
        if (layer->kind == TRAIN_ACTIVATION)
            layer->activation =
                (nn_activation){activation_of(node->op), layer->params.activation.alpha,
                                layer->params.activation.beta};
    } else {
        return cannot(t, node, "this operator has no gradient here");
    }
    bool has_parameters = layer->kind <= TRAIN_BATCH_NORM;
    if (status == MIEN_OK)
        status = take_inputs(t, layer, has_parameters ? 1 : TRAIN_MAX_INPUTS + 1);
    return status == MIEN_OK ? check_shapes(t, layer) : status;
}

/* The slopes of RELU and CLIP are known from their output alone, so a layer can hide its own. */
static bool can_join(const taper *t, const train_layer *layer, const train_layer *behind)
{
    nn_activation_kind kind = behind->activation.kind;
    return behind->kind == TRAIN_ACTIVATION && t->uses[layer->output] == 1 &&
           layer->activation.kind == NN_ACTIVATION_NONE && layer->kind <= TRAIN_ADD &&
           layer->kind != TRAIN_ACTIVATION &&
           (kind == NN_ACTIVATION_RELU || kind == NN_ACTIVATION_CLIP);
}

static void join_activations(taper *t)
{
    train_tape *tape = t->tape;
    size_t kept = 0;
    for (size_t l = 0; l < tape->layer_count; l++) {
        train_layer layer = tape->layers[l];
        int maker = t->maker[layer.inputs[0]];
        if (maker >= 0 && can_join(t, &tape->layers[maker], &layer)) {
            tape->layers[maker].activation = layer.activation;
            tape->layers[maker].output = layer.output;
            t->maker[layer.output] = maker;
            continue;
        }
        t->maker[layer.output] = (int)kept;
        tape->layers[kept++] = layer;
    }
    tape->layer_count = kept;
}

static bool learns(const train_tape *tape, const train_layer *layer)
{
    for (size_t i = 0; i < sizeof layer->parameters / sizeof *layer->parameters; i++) {
        int p = layer->parameters[i];
        if (p >= 0 && !tape->parameters[p].statistic && !tape->parameters[p].frozen)
            return true;
    }
    return false;
}

/* A value needs a gradient when something learned comes before it. */
static void mark_gradients(train_tape *tape)
{
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        bool needed = learns(tape, layer);
        for (int i = 0; i < layer->input_count; i++)
            needed = needed || tape->needs_gradient[layer->inputs[i]];
        tape->needs_gradient[layer->output] = needed;
    }
}

bool train_tape_norm_is_frozen(const train_tape *tape, const train_layer *layer)
{
    int mean = layer->parameters[2];
    return layer->kind == TRAIN_BATCH_NORM && mean >= 0 && tape->parameters[mean].frozen;
}

mien_status train_tape_freeze(train_tape *tape, const bool *frozen, mien_error *error)
{
    for (size_t p = 0; p < tape->parameter_count; p++)
        tape->parameters[p].frozen = frozen[p];
    mark_gradients(tape);
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        if (train_tape_norm_is_frozen(tape, layer) && tape->needs_gradient[layer->output])
            return error_set(error, MIEN_UNSUPPORTED,
                             "BatchNormalization '%s' is frozen behind something that learns: "
                             "freeze what lies in front of it and all of it, or leave it free",
                             layer->node->name);
    }
    return MIEN_OK;
}

/* Backwards, the first part of a gradient is written, the others are added. Outputs that are
 * trained begin with the loss's. */
static void mark_accumulation(taper *t, const char *const *outputs, size_t count, bool *begun)
{
    train_tape *tape = t->tape;
    for (size_t o = 0; o < count; o++)
        begun[train_tape_output(tape, outputs[o])] = true;
    for (size_t l = tape->layer_count; l-- > 0;) {
        train_layer *layer = &tape->layers[l];
        for (int i = 0; i < layer->input_count; i++) {
            layer->accumulates[i] = begun[layer->inputs[i]];
            begun[layer->inputs[i]] = true;
        }
    }
}

static mien_status build_layers(taper *t, const char *const *outputs, size_t count)
{
    train_tape *tape = t->tape;
    const nn_graph *graph = tape->graph;
    mien_status status = mark_wanted(t, outputs, count);
    for (size_t n = 0; status == MIEN_OK && n < graph->node_count; n++)
        if (t->wanted[graph->nodes[n].outputs[0]] && !nn_plan_node_is_constant(tape->plan, n))
            status = make_layer(t, n, &tape->layers[tape->layer_count++]);
    if (status != MIEN_OK)
        return status;
    for (size_t v = 0; v < graph->value_count; v++)
        t->maker[v] = -1;
    join_activations(t);
    mark_gradients(tape);
    memset(t->wanted, 0, graph->value_count * sizeof *t->wanted);
    mark_accumulation(t, outputs, count, t->wanted);
    return MIEN_OK;
}

static mien_status shape_graph(const nn_model *model, int batch, train_tape *tape,
                               mien_error *error)
{
    const nn_graph *graph = tape->graph;
    if (graph->input_count != 1)
        return error_set(error, MIEN_UNSUPPORTED, "the network has %zu inputs, not one",
                         graph->input_count);
    tape->input = graph->inputs[0];
    nn_shape shape = graph->values[tape->input].tensor.shape;
    if (shape.rank != 4 || shape.dims[2] < 1 || shape.dims[3] < 1)
        return error_set(error, MIEN_SHAPE, "the network's input is no picture of a fixed size");
    shape.dims[0] = batch;
    nn_plan_options options = {.input_shapes = &shape, .max_bytes = SIZE_MAX / 2};
    return nn_plan_create(model, &options, &tape->plan, error);
}

mien_status train_tape_create(const nn_model *model, int batch, const char *const *outputs,
                              size_t output_count, train_tape *tape, mien_error *error)
{
    const nn_graph *graph = nn_model_graph(model);
    *tape = (train_tape){.graph = graph, .batch = batch};
    taper t = {.tape = tape,
               .wanted = memory_zeroed(graph->value_count, sizeof *t.wanted),
               .uses = memory_zeroed(graph->value_count, sizeof *t.uses),
               .maker = memory_zeroed(graph->value_count, sizeof *t.maker),
               .parameter_of = memory_zeroed(graph->value_count, sizeof *t.parameter_of),
               .error = error};
    tape->layers = memory_zeroed(graph->node_count, sizeof *tape->layers);
    tape->needs_gradient = memory_zeroed(graph->value_count, sizeof *tape->needs_gradient);
    mien_status status = MIEN_OK;
    if (t.wanted == NULL || t.uses == NULL || t.maker == NULL || t.parameter_of == NULL ||
        tape->layers == NULL || tape->needs_gradient == NULL)
        status = error_no_memory(error, "a tape", graph->node_count * sizeof *tape->layers);
    for (size_t v = 0; status == MIEN_OK && v < graph->value_count; v++)
        t.parameter_of[v] = -1;
    if (status == MIEN_OK)
        status = shape_graph(model, batch, tape, error);
    if (status == MIEN_OK)
        status = build_layers(&t, outputs, output_count);
    free(t.wanted);
    free(t.uses);
    free(t.maker);
    free(t.parameter_of);
    if (status != MIEN_OK)
        train_tape_free(tape);
    return status;
}

void train_tape_free(train_tape *tape)
{
    nn_plan_free(tape->plan);
    free(tape->layers);
    free(tape->parameters);
    free(tape->needs_gradient);
    *tape = (train_tape){0};
}
