/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/nn.h"

#include "base/error.h"
#include "base/memory.h"
#include "nn/onnx.h"
#include "nn/plan.h"
#include "nn/ref/ref.h"

#include <stdlib.h>
#include <string.h>

/* ---- Model ---- */

struct nn_model {
    nn_graph graph;
};

mien_status nn_model_read(const void *bytes, size_t size, nn_model **out, mien_error *error)
{
    *out = NULL;
    nn_model *model = memory_zeroed(1, sizeof *model);
    if (model == NULL)
        return error_no_memory(error, "a network", sizeof *model);
    mien_status status = onnx_read(bytes, size, &model->graph, error);
    if (status != MIEN_OK) {
        free(model);
        return status;
    }
    *out = model;
    return MIEN_OK;
}

void nn_model_free(nn_model *model)
{
    if (model == NULL)
        return;
    nn_graph_free(&model->graph);
    free(model);
}

const nn_graph *nn_model_graph(const nn_model *model)
{
    return &model->graph;
}

const char *nn_model_metadata(const nn_model *model, const char *key)
{
    return nn_graph_metadata(&model->graph, key);
}

int64_t nn_model_parameters(const nn_model *model)
{
    int64_t total = 0;
    for (size_t v = 0; v < model->graph.value_count; v++) {
        const nn_tensor *tensor = &model->graph.values[v].tensor;
        if (tensor->data != NULL && (tensor->type == NN_FLOAT || tensor->type == NN_INT8))
            total += nn_elements(&tensor->shape);
    }
    return total;
}

/* ---- Plan ---- */

/* giver: the plan's graph when its weights are to be taken, else NULL. */
static mien_status make_plan(nn_plan *plan, const nn_shape *input_shapes, nn_graph *giver,
                             mien_error *error)
{
    const nn_graph *graph = plan->graph;
    plan->outputs = memory_zeroed(graph->output_count, sizeof *plan->outputs);
    if (plan->outputs == NULL)
        return error_no_memory(error, "a plan", graph->output_count * sizeof *plan->outputs);
    memcpy(plan->outputs, graph->outputs, graph->output_count * sizeof *plan->outputs);
    mien_status status = plan_infer(plan, input_shapes, error);
    if (status == MIEN_OK && giver != NULL)
        status = plan_take_constants(plan, giver, error);
    if (status == MIEN_OK && plan->kernels != NULL)
        status = plan_fuse(plan, error);
    if (status == MIEN_OK && plan->kernels != NULL)
        status = plan_fuse_siblings(plan, error);
    if (status == MIEN_OK && plan->kernels != NULL)
        status = plan_fuse_bytes(plan, error);
    if (status == MIEN_OK && plan->bf16 != NULL)
        status = plan_choose_bf16(plan, error);
    if (status == MIEN_OK)
        status = plan_lower(plan, error);
    if (status == MIEN_OK && plan->kernels != NULL)
        status = plan_join(plan, error);
    if (status == MIEN_OK)
        status = plan_lay_out(plan, error);
    return status;
}

static mien_status check_precision(const nn_plan_options *options, mien_error *error)
{
    if (options->precision == NN_FLOAT)
        return MIEN_OK;
    if (options->precision != NN_BFLOAT16)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a network computes in float or BF16, not in number type %d",
                         (int)options->precision);
    if (nn_bf16_kernels_with(options->kernels) != NULL)
        return MIEN_OK;
    return error_set(error, MIEN_UNSUPPORTED,
                     "there are no BF16 kernels here: they need a processor with AVX-512 BF16, and "
                     "go with the kernels 'avx512', not '%s'",
                     options->kernels != NULL ? options->kernels->name : "reference");
}

static mien_status create_plan(const nn_graph *graph, nn_graph *giver,
                               const nn_plan_options *options, nn_plan **out, mien_error *error)
{
    *out = NULL;
    mien_status status = check_precision(options, error);
    if (status != MIEN_OK)
        return status;
    nn_plan *plan = memory_zeroed(1, sizeof *plan);
    if (plan == NULL)
        return error_no_memory(error, "a plan", sizeof *plan);
    plan->graph = graph;
    plan->kernels = options->kernels;
    if (options->precision == NN_BFLOAT16)
        plan->bf16 = nn_bf16_kernels_with(options->kernels);
    plan->max_bytes = options->max_bytes != 0 ? options->max_bytes : NN_DEFAULT_MEMORY;
    status = make_plan(plan, options->input_shapes, giver, error);
    if (status != MIEN_OK) {
        nn_plan_free(plan);
        return status;
    }
    *out = plan;
    return MIEN_OK;
}

mien_status nn_plan_create(const nn_model *model, const nn_plan_options *options, nn_plan **out,
                           mien_error *error)
{
    return create_plan(&model->graph, NULL, options, out, error);
}

mien_status nn_plan_create_last(nn_model *model, const nn_plan_options *options, nn_plan **out,
                                mien_error *error)
{
    return create_plan(&model->graph, &model->graph, options, out, error);
}

void nn_plan_free(nn_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t v = 0; v < plan->value_count; v++)
        if (plan->values[v].owns_data)
            free(plan->values[v].tensor.data);
    for (size_t n = 0; n < plan->node_count; n++)
        free(plan->nodes[n].inputs);
    for (size_t s = 0; s < plan->step_count; s++)
        free(plan->steps[s].inputs);
    for (size_t b = 0; b < plan->buffer_count; b++)
        free(plan->buffers[b]);
    free(plan->values);
    free(plan->nodes);
    free(plan->steps);
    free(plan->multiply_adds);
    free(plan->outputs);
    free(plan->buffers);
    free(plan);
}

const nn_shape *nn_plan_input_shape(const nn_plan *plan, size_t index)
{
    if (index >= plan->graph->input_count)
        return NULL;
    return &plan->values[plan->graph->inputs[index]].tensor.shape;
}

const nn_shape *nn_plan_output_shape(const nn_plan *plan, size_t index)
{
    if (index >= plan->graph->output_count)
        return NULL;
    return &plan->values[plan->graph->outputs[index]].tensor.shape;
}

int nn_plan_find_output(const nn_plan *plan, const char *name)
{
    for (size_t o = 0; o < plan->graph->output_count; o++)
        if (strcmp(plan->graph->values[plan->graph->outputs[o]].name, name) == 0)
            return (int)o;
    return -1;
}

nn_shape nn_plan_value_shape(const nn_plan *plan, int value)
{
    return plan->values[value].tensor.shape;
}

const nn_params *nn_plan_node_params(const nn_plan *plan, size_t node)
{
    return &plan->nodes[node].params;
}

bool nn_plan_node_is_constant(const nn_plan *plan, size_t node)
{
    return plan->values[plan->graph->nodes[node].outputs[0]].tensor.data != NULL;
}

int64_t nn_plan_node_multiply_adds(const nn_plan *plan, size_t node)
{
    return plan->multiply_adds[node];
}

int64_t nn_plan_multiply_adds(const nn_plan *plan)
{
    int64_t total = 0;
    for (size_t n = 0; n < plan->node_count; n++)
        if (__builtin_add_overflow(total, plan->multiply_adds[n], &total))
            return INT64_MAX;
    return total;
}

size_t nn_plan_arena_bytes(const nn_plan *plan)
{
    return plan->arena_bytes;
}

size_t nn_plan_step_count(const nn_plan *plan)
{
    return plan->step_count;
}

const char *nn_plan_step_name(const nn_plan *plan, size_t index)
{
    return plan->steps[index].name;
}

/* ---- Session ---- */

#define PART_NS         2000 /* the least that is worth handing over */
#define PARTS_OF_MEMBER 2    /* so that one who comes late leaves less to wait for */

struct nn_session {
    const nn_plan *plan;
    team *team; /* borrowed, or NULL */
    char *arena;
    char *scratch;      /* (members, plan->scratch_bytes) */
    nn_tensor *tensors; /* for each step its inputs, then its output */
    size_t *first;      /* (step_count): index in tensors */
    int *parts;         /* (step_count): into how many the step is cut */
    size_t current;     /* step */
};

/* The tensor as kernels see it: where it lies, its shape in the order of memory. */
static nn_tensor resolve(const nn_plan *plan, char *arena, int value)
{
    if (value < 0)
        return (nn_tensor){.shape.rank = NN_UNKNOWN_RANK};
    const plan_value *v = &plan->values[value];
    nn_tensor tensor = v->tensor;
    if (v->channels_last && tensor.shape.rank == 4) {
        const int64_t *dims = v->tensor.shape.dims;
        tensor.shape = (nn_shape){4, {dims[0], dims[2], dims[3], dims[1]}};
    }
    const plan_value *root = v;
    while (root->same_as >= 0)
        root = &plan->values[root->same_as];
    tensor.data = root->tensor.data != NULL ? root->tensor.data : arena + root->offset;
    return tensor;
}

static void resolve_steps(nn_session *session)
{
    const nn_plan *plan = session->plan;
    size_t next = 0;
    for (size_t s = 0; s < plan->step_count; s++) {
        const nn_step *step = &plan->steps[s];
        session->first[s] = next;
        for (int i = 0; i < step->input_count; i++)
            session->tensors[next++] = resolve(plan, session->arena, step->inputs[i]);
        session->tensors[next++] = resolve(plan, session->arena, step->output);
    }
}

/* As many parts for each member, or one for some of them. Parts of a chain make the rows between
 * them twice: one for each member. */
static int parts_of(const nn_step *step, int members)
{
    int64_t worth = step->nanoseconds / PART_NS;
    int most = step->rows == STEP_CHAIN_ROWS ? members : members * PARTS_OF_MEMBER;
    if (members == 1 || worth <= 1)
        return 1;
    if (worth >= most)
        return most;
    return worth < members ? (int)worth : members;
}

static void cut_steps(nn_session *session)
{
    for (size_t s = 0; s < session->plan->step_count; s++)
        session->parts[s] = parts_of(&session->plan->steps[s], team_size(session->team));
}

/* false: out of memory. */
static bool allocate(nn_session *session, size_t arena_bytes)
{
    const nn_plan *plan = session->plan;
    size_t tensor_count = 0;
    for (size_t s = 0; s < plan->step_count; s++)
        tensor_count += (size_t)plan->steps[s].input_count + 1;
    session->arena = memory_aligned(arena_bytes);
    session->tensors = memory_zeroed(tensor_count, sizeof *session->tensors);
    session->first = memory_zeroed(plan->step_count, sizeof *session->first);
    session->parts = memory_zeroed(plan->step_count, sizeof *session->parts);
    return session->arena != NULL && session->tensors != NULL && session->first != NULL &&
           session->parts != NULL;
}

mien_status nn_session_create_shared(const nn_plan *plan, team *workers, nn_session **out,
                                     mien_error *error)
{
    *out = NULL;
    size_t arena_bytes;
    nn_session *session = memory_zeroed(1, sizeof *session);
    if (session == NULL)
        return error_no_memory(error, "a session", sizeof *session);
    session->plan = plan;
    session->team = workers;
    if (!size_multiply(plan->scratch_bytes, (size_t)team_size(workers) - 1, &arena_bytes) ||
        !size_add(arena_bytes, plan->arena_bytes, &arena_bytes) ||
        !allocate(session, arena_bytes)) {
        nn_session_free(session);
        return error_no_memory(error, "a session", plan->arena_bytes);
    }
    memset(session->arena, 0, arena_bytes);
    session->scratch = session->arena + (plan->arena_bytes - plan->scratch_bytes);
    resolve_steps(session);
    cut_steps(session);
    *out = session;
    return MIEN_OK;
}

mien_status nn_session_create(const nn_plan *plan, nn_session **out, mien_error *error)
{
    return nn_session_create_shared(plan, NULL, out, error);
}

void nn_session_free(nn_session *session)
{
    if (session == NULL)
        return;
    free(session->arena);
    free(session->tensors);
    free(session->first);
    free(session->parts);
    free(session);
}

float *nn_session_input(nn_session *session, size_t index)
{
    return resolve(session->plan, session->arena, session->plan->graph->inputs[index]).data;
}

const float *nn_session_output(const nn_session *session, size_t index)
{
    return resolve(session->plan, session->arena, session->plan->outputs[index]).data;
}

int nn_session_step_parts(const nn_session *session, size_t step)
{
    return session->parts[step];
}

static void run_part(void *context, int index, int member)
{
    const nn_session *session = context;
    const nn_step *step = &session->plan->steps[session->current];
    nn_tensor *tensors = session->tensors + session->first[session->current];
    nn_part part = {index, session->parts[session->current]};
    step->run(step, part, tensors, &tensors[step->input_count],
              session->scratch + (size_t)member * session->plan->scratch_bytes);
}

void nn_session_run_step(nn_session *session, size_t index)
{
    session->current = index;
    team_run(session->team, session->parts[index], run_part, session);
}

void nn_session_run(nn_session *session)
{
    for (size_t s = 0; s < session->plan->step_count; s++)
        nn_session_run_step(session, s);
}
