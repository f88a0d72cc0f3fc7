/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/plan.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* ---- Descriptors ---- */

/* The plan keeps the descriptors that are made for it; after a failure, all is refused. */
typedef struct maker {
    conv_plan *plan;
    cudnnStatus_t status; /* the first that was no success */
} maker;

static void note(maker *m, cudnnStatus_t status)
{
    if (m->status == CUDNN_STATUS_SUCCESS)
        m->status = status;
}

static cudnnBackendDescriptor_t begin(maker *m, cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t made = NULL;
    if (m->status != CUDNN_STATUS_SUCCESS || m->plan->descriptor_count == PLAN_DESCRIPTORS)
        return NULL;
    note(m, cudnnBackendCreateDescriptor(type, &made));
    if (made != NULL)
        m->plan->descriptors[m->plan->descriptor_count++] = made;
    return made;
}

static void set(maker *m, cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    if (m->status == CUDNN_STATUS_SUCCESS)
        note(m, cudnnBackendSetAttribute(descriptor, name, type, count, values));
}

static void set_descriptor(maker *m, cudnnBackendDescriptor_t descriptor,
                           cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
    set(m, descriptor, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static void finish(maker *m, cudnnBackendDescriptor_t descriptor)
{
    if (m->status == CUDNN_STATUS_SUCCESS)
        note(m, cudnnBackendFinalize(descriptor));
}

/* ---- The graph ---- */

enum { X_ID = 1, WEIGHTS_ID, Y_ID };

/* dims: (N, C, H, W), which lie (N, H, W, C). */
static cudnnBackendDescriptor_t tensor(maker *m, int64_t id, cudnnDataType_t type,
                                       const int64_t dims[4])
{
    int64_t strides[4] = {dims[1] * dims[2] * dims[3], 1, dims[3] * dims[1], dims[1]};
    int64_t alignment = 16;
    cudnnBackendDescriptor_t made = begin(m, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(m, made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(m, made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(m, made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims);
    set(m, made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
    set(m, made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    finish(m, made);
    return made;
}

static cudnnBackendDescriptor_t picture(maker *m, int64_t id, cudnnDataType_t type,
                                        const nn_extent *e)
{
    const int64_t dims[4] = {e->batch, e->channels, e->height, e->width};
    return tensor(m, id, type, dims);
}

static void set_pair(maker *m, cudnnBackendDescriptor_t descriptor,
                     cudnnBackendAttributeName_t name, const int pair[2])
{
    const int64_t values[2] = {pair[0], pair[1]};
    set(m, descriptor, name, CUDNN_TYPE_INT64, 2, values);
}

static cudnnBackendDescriptor_t window(maker *m, const nn_window *w)
{
    int64_t dimensions = 2;
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    cudnnBackendDescriptor_t made = begin(m, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    set(m, made, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &dimensions);
    set(m, made, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(m, made, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set_pair(m, made, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, w->pad_before);
    set_pair(m, made, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, w->pad_after);
    set_pair(m, made, CUDNN_ATTR_CONVOLUTION_DILATIONS, w->dilation);
    set_pair(m, made, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, w->stride);
    finish(m, made);
    return made;
}

/* What an operation is called, and its arguments. */
typedef struct way_names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t x, weights, y, window, alpha, beta;
} way_names;

static const way_names names[] = {
    [PLAN_FORWARD] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    [PLAN_INPUT_GRADIENT] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    [PLAN_WEIGHT_GRADIENT] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}};

static cudnnBackendDescriptor_t operation(maker *m, const nn_conv *s, plan_way way, bool bf16)
{
    const way_names *n = &names[way];
    const float one = 1, zero = 0;
    const int64_t weights[4] = {s->out.channels, s->in.channels / s->group, s->window.kernel[0],
                                s->window.kernel[1]};
    cudnnDataType_t type = bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t x = picture(m, X_ID, type, &s->in);
    cudnnBackendDescriptor_t w = tensor(m, WEIGHTS_ID, type, weights);
    cudnnBackendDescriptor_t y = picture(m, Y_ID, type, &s->out);
    cudnnBackendDescriptor_t over = window(m, &s->window);
    cudnnBackendDescriptor_t made = begin(m, n->operation);
    set_descriptor(m, made, n->x, x);
    set_descriptor(m, made, n->weights, w);
    set_descriptor(m, made, n->y, y);
    set_descriptor(m, made, n->window, over);
    set(m, made, n->alpha, CUDNN_TYPE_FLOAT, 1, &one);
    set(m, made, n->beta, CUDNN_TYPE_FLOAT, 1, &zero);
    finish(m, made);
    return made;
}

/* ---- Choosing ---- */

#define MOST_CHOICES   64
#define MOST_WORKSPACE ((int64_t)1 << 30) /* bytes: what wants more is passed over */

/* Whether an engine gives the same bits each time, and keeps the digits of what it reads. */
static bool is_welcome(cudnnBackendDescriptor_t config)
{
    cudnnBackendDescriptor_t engine;
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t count = 0, found;
    if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) !=
        CUDNN_STATUS_SUCCESS)
        return false;
    bool welcome =
        cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                 1, &found, &engine) == CUDNN_STATUS_SUCCESS &&
        cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                 CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count,
                                 notes) == CUDNN_STATUS_SUCCESS;
    for (int64_t i = 0; welcome && i < count; i++)
        welcome = notes[i] != CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC &&
                  notes[i] != CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS &&
                  notes[i] != CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION;
    cudnnBackendDestroyDescriptor(engine);
    return welcome;
}

/* NULL: cuDNN cannot make a plan of it after all. */
static cudnnBackendDescriptor_t plan_of(cudnnBackendDescriptor_t properties,
                                        cudnnBackendDescriptor_t config, size_t *workspace)
{
    cudnnBackendDescriptor_t made;
    int64_t bytes = 0, found;
    if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &made) !=
        CUDNN_STATUS_SUCCESS)
        return NULL;
    if (cudnnBackendSetAttribute(made, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                 &config) == CUDNN_STATUS_SUCCESS &&
        cudnnBackendSetAttribute(made, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                 &properties) == CUDNN_STATUS_SUCCESS &&
        cudnnBackendFinalize(made) == CUDNN_STATUS_SUCCESS &&
        cudnnBackendGetAttribute(made, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                 1, &found, &bytes) == CUDNN_STATUS_SUCCESS &&
        bytes <= MOST_WORKSPACE) {
        *workspace = (size_t)bytes;
        return made;
    }
    cudnnBackendDestroyDescriptor(made);
    return NULL;
}

/* The first of the configurations, best first, that makes a plan. */
static void take_first(maker *m, cudnnBackendDescriptor_t properties,
                       cudnnBackendDescriptor_t heuristics)
{
    cudnnBackendDescriptor_t configs[MOST_CHOICES];
    int64_t count = 0, made = 0;
    for (; made < MOST_CHOICES; made++)
        if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &configs[made]) !=
            CUDNN_STATUS_SUCCESS)
            break;
    note(m, cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                     CUDNN_TYPE_BACKEND_DESCRIPTOR, made, &count, configs));
    for (int64_t i = 0; i < count && i < made && m->plan->plan == NULL; i++)
        if (is_welcome(configs[i]))
            m->plan->plan = plan_of(properties, configs[i], &m->plan->workspace);
    for (int64_t i = 0; i < made; i++)
        cudnnBackendDestroyDescriptor(configs[i]);
}

static void choose(maker *m, cudnnBackendDescriptor_t properties, cudnnBackendDescriptor_t graph)
{
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    for (int i = 0; i < 2 && m->plan->plan == NULL && m->status == CUDNN_STATUS_SUCCESS; i++) {
        cudnnBackendDescriptor_t heuristics = begin(m, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
        set_descriptor(m, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
        set(m, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &modes[i]);
        set_descriptor(m, heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, properties);
        finish(m, heuristics);
        if (m->status == CUDNN_STATUS_SUCCESS)
            take_first(m, properties, heuristics);
    }
}

/* ---- Plans ---- */

static mien_status say_unsupported(const nn_conv *s, plan_way way, bool bf16, cudnnStatus_t status,
                                   mien_error *error)
{
    static const char *const ways[] = {[PLAN_FORWARD] = "way forwards",
                                       [PLAN_INPUT_GRADIENT] = "gradient of the input",
                                       [PLAN_WEIGHT_GRADIENT] = "gradient of the weights"};
    return error_set(error, MIEN_UNSUPPORTED,
                     "cuDNN has no repeatable way to compute the %s of a convolution of %dx%d in "
                     "%s, from %lldx%lld with %lld channels to %lld, in %d groups (%s)",
                     ways[way], s->window.kernel[0], s->window.kernel[1], bf16 ? "BF16" : "float32",
                     (long long)s->in.width, (long long)s->in.height, (long long)s->in.channels,
                     (long long)s->out.channels, s->group,
                     status == CUDNN_STATUS_SUCCESS ? "none is offered"
                                                    : cudnnGetErrorString(status));
}

mien_status plan_create(cudnnBackendDescriptor_t properties, const nn_conv *conv, plan_way way,
                        bool bf16, conv_plan *plan, mien_error *error)
{
    *plan = (conv_plan){.plan = NULL};
    maker m = {plan, CUDNN_STATUS_SUCCESS};
    cudnnBackendDescriptor_t only = operation(&m, conv, way, bf16);
    cudnnBackendDescriptor_t graph = begin(&m, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set_descriptor(&m, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, only);
    finish(&m, graph);
    choose(&m, properties, graph);
    if (plan->plan != NULL)
        return MIEN_OK;
    plan_free(plan);
    return say_unsupported(conv, way, bf16, m.status, error);
}

void plan_free(conv_plan *plan)
{
    if (plan->plan != NULL)
        cudnnBackendDestroyDescriptor(plan->plan);
    while (plan->descriptor_count > 0)
        cudnnBackendDestroyDescriptor(plan->descriptors[--plan->descriptor_count]);
    *plan = (conv_plan){.plan = NULL};
}

cudnnStatus_t plan_run(const conv_plan *plan, cudnnHandle_t handle, const void *x,
                       const void *weights, const void *y, void *workspace)
{
    const int64_t ids[] = {X_ID, WEIGHTS_ID, Y_ID};
    const void *const pointers[] = {x, weights, y};
    conv_plan arguments = {.plan = NULL};
    maker m = {&arguments, CUDNN_STATUS_SUCCESS};
    cudnnBackendDescriptor_t pack = begin(&m, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    set(&m, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 3, ids);
    set(&m, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3, pointers);
    set(&m, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    finish(&m, pack);
    if (m.status == CUDNN_STATUS_SUCCESS)
        note(&m, cudnnBackendExecute(handle, plan->plan, pack));
    plan_free(&arguments);
    return m.status;
}
