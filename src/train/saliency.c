/* SPDX-License-Identifier: Apache-2.0 */
#include "train/saliency.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/ref/ref.h"
#include "train/saliency_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct saliency {
    const nn_graph *graph;
    nn_plan *plan;
    nn_tensor *values; /* by value of the graph; data: the graph's for its constants */
    bool *flows;       /* by value: depends on the picture */
    bool *wanted;      /* by value: the scores depend on it */
    float **gradients; /* by value; NULL where none is needed */
    nn_tensor *inputs; /* of one node */
    float *scratch;    /* as large as the largest tensor */
    int input;         /* value */
    int scores;        /* value */
    size_t bytes;      /* of all tensors */
    int feature_map;   /* value */
    mien_error *error; /* while it is made */
};

/* ---- Making ---- */

static bool is_input_there(const nn_node *node, int i)
{
    return node->inputs[i] >= 0;
}

static void collect_inputs(const saliency *s, const nn_node *node)
{
    for (int i = 0; i < node->input_count; i++) {
        s->inputs[i] = (nn_tensor){.shape.rank = NN_UNKNOWN_RANK};
        if (is_input_there(node, i))
            s->inputs[i] = s->values[node->inputs[i]];
    }
}

static mien_status create_arrays(saliency *s)
{
    const nn_graph *graph = s->graph;
    size_t most = 1;
    for (size_t n = 0; n < graph->node_count; n++)
        if ((size_t)graph->nodes[n].input_count > most)
            most = (size_t)graph->nodes[n].input_count;
    s->values = memory_zeroed(graph->value_count, sizeof *s->values);
    s->flows = memory_zeroed(graph->value_count, sizeof *s->flows);
    s->wanted = memory_zeroed(graph->value_count, sizeof *s->wanted);
    s->gradients = memory_zeroed(graph->value_count, sizeof *s->gradients);
    s->inputs = memory_zeroed(most, sizeof *s->inputs);
    if (s->values == NULL || s->flows == NULL || s->wanted == NULL || s->gradients == NULL ||
        s->inputs == NULL)
        return error_no_memory(s->error, "an explanation", graph->value_count * sizeof *s->values);
    for (size_t v = 0; v < graph->value_count; v++)
        s->values[v] = graph->values[v].tensor;
    return MIEN_OK;
}

static mien_status shape_graph(saliency *s, const nn_model *model, int height, int width)
{
    const nn_graph *graph = s->graph;
    if (graph->input_count != 1)
        return error_set(s->error, MIEN_UNSUPPORTED, "the network has %zu inputs, not one",
                         graph->input_count);
    s->input = graph->inputs[0];
    nn_shape shape = graph->values[s->input].tensor.shape;
    if (shape.rank != 4 || shape.dims[1] < 1)
        return error_set(s->error, MIEN_SHAPE, "the network's input is no picture");
    shape.dims[0] = 1;
    shape.dims[2] = height;
    shape.dims[3] = width;
    nn_plan_options options = {.input_shapes = &shape};
    return nn_plan_create(model, &options, &s->plan, s->error);
}

static int maker_of(const nn_graph *graph, int value)
{
    for (size_t n = 0; n < graph->node_count; n++)
        if (graph->nodes[n].outputs[0] == value)
            return (int)n;
    return -1;
}

/* Behind Softmax and what only reshapes it lie the scores that it was made of. */
static int scores_behind(const nn_graph *graph, int value)
{
    for (int at = value, n; (n = maker_of(graph, at)) >= 0; at = graph->nodes[n].inputs[0]) {
        const nn_op *op = graph->nodes[n].op;
        if (op == &nn_op_softmax)
            return graph->nodes[n].inputs[0];
        if (op != &nn_op_identity && op != &nn_op_flatten && op != &nn_op_reshape &&
            op != &nn_op_squeeze)
            break;
    }
    return value;
}

static void mark_flow(saliency *s)
{
    const nn_graph *graph = s->graph;
    s->flows[s->input] = true;
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        for (int i = 0; i < node->input_count && !nn_plan_node_is_constant(s->plan, n); i++)
            if (is_input_there(node, i) && s->flows[node->inputs[i]])
                s->flows[node->outputs[0]] = true;
    }
    s->wanted[s->scores] = true;
    for (size_t n = graph->node_count; n-- > 0;)
        for (int i = 0; s->wanted[graph->nodes[n].outputs[0]] && i < graph->nodes[n].input_count;
             i++)
            if (is_input_there(&graph->nodes[n], i))
                s->wanted[graph->nodes[n].inputs[i]] = true;
}

/* A place for a tensor and, where the picture flows into it, for its gradient. */
static mien_status create_value(saliency *s, int value, size_t *largest)
{
    nn_tensor *tensor = &s->values[value];
    int64_t count;
    if (!nn_shape_elements(&tensor->shape, &count))
        return error_set(s->error, MIEN_LIMIT, "tensor '%s' is too large",
                         s->graph->values[value].name);
    size_t bytes = (size_t)count * nn_type_size(tensor->type);
    s->bytes +=
        2 * bytes; /* each at most 2^28 * 8, so that the sum cannot wrap before it is seen */
    if (s->bytes > NN_DEFAULT_MEMORY)
        return error_set(s->error, MIEN_LIMIT, "explaining the network needs more than %zu bytes",
                         NN_DEFAULT_MEMORY);
    tensor->data = memory_aligned(bytes);
    if (s->flows[value])
        s->gradients[value] = memory_aligned(bytes);
    if (tensor->data == NULL || (s->flows[value] && s->gradients[value] == NULL))
        return error_no_memory(s->error, "an explanation", bytes);
    if ((size_t)count > *largest)
        *largest = (size_t)count;
    return MIEN_OK;
}

static mien_status check_node(saliency *s, size_t n)
{
    const nn_node *node = &s->graph->nodes[n];
    collect_inputs(s, node);
    for (int i = 0; i < node->input_count; i++)
        if (is_input_there(node, i) && s->flows[node->inputs[i]] &&
            saliency_rule_for(node->op, nn_plan_node_params(s->plan, n), s->inputs,
                              node->input_count, i) == NULL)
            return error_set(s->error, MIEN_UNSUPPORTED,
                             "%s '%s' cannot be explained: it has no gradient here", node->op->name,
                             node->name);
    return MIEN_OK;
}

/* What does not depend on the picture is computed once, when the object is made. */
static mien_status create_constant(saliency *s, size_t n, size_t *largest)
{
    const nn_node *node = &s->graph->nodes[n];
    nn_params params = {0};
    nn_tensor *output = &s->values[node->outputs[0]];
    collect_inputs(s, node);
    nn_shaping shaping = {.node = node,
                          .opset = s->graph->opset,
                          .inputs = s->inputs,
                          .input_count = node->input_count,
                          .outputs = output,
                          .output_count = 1,
                          .params = &params,
                          .error = s->error};
    mien_status status = node->op->shape(&shaping);
    if (status == MIEN_OK)
        status = create_value(s, node->outputs[0], largest);
    if (status == MIEN_OK)
        node->op->run(&params, s->inputs, node->input_count, output);
    return status;
}

/* The output of a node that the picture flows through. */
static mien_status create_flowing(saliency *s, size_t n, size_t *largest)
{
    int value = s->graph->nodes[n].outputs[0];
    s->values[value].type = NN_FLOAT;
    s->values[value].shape = nn_plan_value_shape(s->plan, value);
    mien_status status = create_value(s, value, largest);
    return status == MIEN_OK ? check_node(s, n) : status;
}

static bool is_feature_map(const saliency *s, int value)
{
    const nn_shape *shape = &s->values[value].shape;
    return s->flows[value] && shape->rank == 4 && shape->dims[2] * shape->dims[3] > 1;
}

static mien_status create_values(saliency *s)
{
    const nn_graph *graph = s->graph;
    size_t largest = 1;
    s->values[s->input].shape = nn_plan_value_shape(s->plan, s->input);
    mien_status status = create_value(s, s->input, &largest);
    for (size_t n = 0; status == MIEN_OK && n < graph->node_count; n++) {
        int value = graph->nodes[n].outputs[0];
        if (!s->wanted[value])
            continue;
        status = s->flows[value] ? create_flowing(s, n, &largest) : create_constant(s, n, &largest);
        if (is_feature_map(s, value))
            s->feature_map = value;
    }
    if (status != MIEN_OK)
        return status;
    if (s->feature_map < 0 || !s->flows[s->scores])
        return error_set(s->error, MIEN_UNSUPPORTED,
                         "the network has no feature map that could be explained");
    s->scratch = memory_aligned(largest * sizeof *s->scratch);
    return s->scratch != NULL
               ? MIEN_OK
               : error_no_memory(s->error, "an explanation", largest * sizeof(float));
}

mien_status saliency_create(const nn_model *model, size_t output, int height, int width,
                            saliency **out, mien_error *error)
{
    *out = NULL;
    saliency *s = memory_zeroed(1, sizeof *s);
    if (s == NULL)
        return error_no_memory(error, "an explanation", sizeof *s);
    *s = (saliency){.graph = nn_model_graph(model), .feature_map = -1, .error = error};
    mien_status status = create_arrays(s);
    if (status == MIEN_OK)
        status = shape_graph(s, model, height, width);
    if (status == MIEN_OK) {
        s->scores = scores_behind(s->graph, s->graph->outputs[output]);
        mark_flow(s);
        status = create_values(s);
    }
    if (status != MIEN_OK) {
        saliency_free(s);
        return status;
    }
    s->error = NULL;
    *out = s;
    return MIEN_OK;
}

void saliency_free(saliency *s)
{
    if (s == NULL)
        return;
    for (size_t v = 0; v < s->graph->value_count; v++) {
        if (s->values != NULL && s->values[v].data != s->graph->values[v].tensor.data)
            free(s->values[v].data);
        if (s->gradients != NULL)
            free(s->gradients[v]);
    }
    nn_plan_free(s->plan);
    free(s->values);
    free(s->flows);
    free(s->wanted);
    free(s->gradients);
    free(s->inputs);
    free(s->scratch);
    free(s);
}

/* ---- Running ---- */

float *saliency_input(saliency *s)
{
    return s->values[s->input].data;
}

void saliency_forward(saliency *s)
{
    for (size_t n = 0; n < s->graph->node_count; n++) {
        const nn_node *node = &s->graph->nodes[n];
        if (!s->wanted[node->outputs[0]] || !s->flows[node->outputs[0]])
            continue;
        collect_inputs(s, node);
        node->op->run(nn_plan_node_params(s->plan, n), s->inputs, node->input_count,
                      &s->values[node->outputs[0]]);
    }
}

const float *saliency_scores(const saliency *s)
{
    return s->values[s->scores].data;
}

size_t saliency_class_count(const saliency *s)
{
    return (size_t)nn_elements(&s->values[s->scores].shape);
}

const char *saliency_feature_map(const saliency *s)
{
    return s->graph->values[s->feature_map].name;
}

static void zero_gradients(saliency *s)
{
    for (size_t v = 0; v < s->graph->value_count; v++)
        if (s->gradients[v] != NULL)
            memset(s->gradients[v], 0, (size_t)nn_elements(&s->values[v].shape) * sizeof(float));
}

static void node_backward(saliency *s, size_t n, bool guided)
{
    const nn_node *node = &s->graph->nodes[n];
    const nn_params *params = nn_plan_node_params(s->plan, n);
    collect_inputs(s, node);
    for (int i = 0; i < node->input_count; i++) {
        if (!is_input_there(node, i) || !s->flows[node->inputs[i]])
            continue;
        saliency_step step = {.params = params,
                              .inputs = s->inputs,
                              .input_count = node->input_count,
                              .which = i,
                              .output = s->values[node->outputs[0]],
                              .dy = s->gradients[node->outputs[0]],
                              .guided = guided,
                              .dx = s->gradients[node->inputs[i]],
                              .scratch = s->scratch};
        saliency_rule_for(node->op, params, s->inputs, node->input_count, i)(&step);
    }
}

/* Gradients of one score by all values from the scores back to the value `until`. */
static void backward(saliency *s, size_t index, bool guided, int until)
{
    zero_gradients(s);
    s->gradients[s->scores][index] = 1;
    for (size_t n = s->graph->node_count; n-- > 0;) {
        int value = s->graph->nodes[n].outputs[0];
        if (value == until)
            break;
        if (s->wanted[value] && s->flows[value])
            node_backward(s, n, guided);
    }
}

/* coarse (rows, columns) gets the weighted sum of the channels, cut off at 0. */
static void weigh_channels(const saliency *s, float *coarse)
{
    const int64_t *dims = s->values[s->feature_map].shape.dims;
    const float *features = s->values[s->feature_map].data;
    const float *gradient = s->gradients[s->feature_map];
    int64_t plane = dims[2] * dims[3];
    memset(coarse, 0, (size_t)plane * sizeof *coarse);
    for (int64_t c = 0; c < dims[1]; c++) {
        double weight = 0;
        for (int64_t i = 0; i < plane; i++)
            weight += gradient[c * plane + i];
        for (int64_t i = 0; i < plane; i++)
            coarse[i] += (float)(weight / (double)plane * features[c * plane + i]);
    }
    for (int64_t i = 0; i < plane; i++)
        coarse[i] = fmaxf(coarse[i], 0);
}

/* The two neighbours on one axis and the share of the second. */
static void neighbours(int64_t at, int64_t from, int64_t to, int64_t *low, int64_t *high,
                       float *share)
{
    double place = ((double)at + 0.5) * (double)from / (double)to - 0.5;
    place = fmin(fmax(place, 0), (double)(from - 1));
    *low = (int64_t)place;
    *high = *low + 1 < from ? *low + 1 : *low;
    *share = (float)(place - (double)*low);
}

static void enlarge(const float *coarse, int64_t rows, int64_t columns, int64_t height,
                    int64_t width, float *map)
{
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            int64_t top, bottom, left, right;
            float down, across;
            neighbours(y, rows, height, &top, &bottom, &down);
            neighbours(x, columns, width, &left, &right, &across);
            float upper = coarse[top * columns + left] * (1 - across) +
                          coarse[top * columns + right] * across;
            float lower = coarse[bottom * columns + left] * (1 - across) +
                          coarse[bottom * columns + right] * across;
            map[y * width + x] = upper * (1 - down) + lower * down;
        }
}

void saliency_grad_cam(saliency *s, size_t index, float *map)
{
    const int64_t *dims = s->values[s->feature_map].shape.dims;
    const int64_t *picture = s->values[s->input].shape.dims;
    int64_t count = picture[2] * picture[3];
    float largest = 0;
    backward(s, index, false, s->feature_map);
    weigh_channels(s, s->scratch);
    enlarge(s->scratch, dims[2], dims[3], picture[2], picture[3], map);
    for (int64_t i = 0; i < count; i++)
        largest = fmaxf(largest, map[i]);
    for (int64_t i = 0; largest > 0 && i < count; i++)
        map[i] /= largest;
}

void saliency_gradient(saliency *s, size_t index, bool guided, float *map)
{
    backward(s, index, guided, -1);
    memcpy(map, s->gradients[s->input],
           (size_t)nn_elements(&s->values[s->input].shape) * sizeof *map);
}
