/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_NN_H
#define NN_NN_H

/*
 * The network runtime.
 *
 *   nn_model    what an ONNX file holds. Immutable; any number of threads may share it.
 *   nn_plan     a model shaped for one input size: operators fused, kernels chosen, every tensor
 *               given its place in one arena. Immutable; any number of threads may share it.
 *   nn_session  the arena of one thread, or of a team of them that works on each run together.
 *               Running it allocates nothing.
 *
 * A plan must be freed before its model, a session before its plan.
 */

#include "base/team.h"
#include "nn/graph.h"
#include "nn/kernels.h"

typedef struct nn_model nn_model;
typedef struct nn_plan nn_plan;
typedef struct nn_session nn_session;

/* ---- Model ---- */

/*
 * Reads an ONNX file from memory; the bytes are not needed afterwards.
 * Success: *out is the caller's, free with nn_model_free. Failure: *out is NULL; errors of
 * onnx_read (nn/onnx.h).
 */
mien_status nn_model_read(const void *bytes, size_t size, nn_model **out, mien_error *error);
void nn_model_free(nn_model *model);

/* The network as it stands in the file, for listings. Belongs to the model. */
const nn_graph *nn_model_graph(const nn_model *model);

/* The value of a metadata key, or NULL. Belongs to the model. */
const char *nn_model_metadata(const nn_model *model, const char *key);

/* Numbers in all constants of float and int8: the parameters, scales among them; without those that
 * a last plan took. */
int64_t nn_model_parameters(const nn_model *model);

/* ---- Plan ---- */

typedef struct nn_plan_options {
    /*
     * The shape of each input of the network, in its order, (input_count) long. NULL: as the file
     * says, with 1 for every dimension it leaves open.
     */
    const nn_shape *input_shapes;
    /* The kernels to use; NULL for the plain C reference operators, unfused. */
    const nn_kernels *kernels;
    /* Most bytes for the arena and for constants made while planning; 0 for NN_DEFAULT_MEMORY. */
    size_t max_bytes;
    /*
     * NN_FLOAT, or NN_BFLOAT16: convolutions and products that gain by it read numbers rounded to
     * BF16 (nn/bf16_kernels.h); inputs, outputs and everything else stay float. MIEN_UNSUPPORTED
     * where the kernels, or this CPU, have none for BF16.
     */
    nn_type precision;
} nn_plan_options;

#define NN_DEFAULT_MEMORY ((size_t)1 << 30)

/*
 * Success: *out is the caller's, free with nn_plan_free. Failure: *out is NULL; MIEN_SHAPE,
 * MIEN_UNSUPPORTED, MIEN_LIMIT, MIEN_OUT_OF_MEMORY; the message names the node.
 */
mien_status nn_plan_create(const nn_model *model, const nn_plan_options *options, nn_plan **out,
                           mien_error *error);
/*
 * The same for a model that no other plan is made of: its weights go over to the plan, which frees
 * what it has packed, so that they are in memory only once. Of the model, graph without weights and
 * metadata are left, on failure too.
 */
mien_status nn_plan_create_last(nn_model *model, const nn_plan_options *options, nn_plan **out,
                                mien_error *error);
void nn_plan_free(nn_plan *plan);

/* Shapes of the network's inputs and outputs, in its order. NULL when there is no such index. */
const nn_shape *nn_plan_input_shape(const nn_plan *plan, size_t index);
const nn_shape *nn_plan_output_shape(const nn_plan *plan, size_t index);

/* The index of the output of that name, or -1. */
int nn_plan_find_output(const nn_plan *plan, const char *name);

/* The shape that a value of the graph has in this plan; rank NN_UNKNOWN_RANK when it is not used.
 */
nn_shape nn_plan_value_shape(const nn_plan *plan, int value);

/*
 * For training: the parameters that shaping a node of the graph gave, and whether the node was
 * computed while planning (its inputs are constant). The plan's.
 */
const union nn_params *nn_plan_node_params(const nn_plan *plan, size_t node);
bool nn_plan_node_is_constant(const nn_plan *plan, size_t node);

/* Multiply-adds of one node of the graph (convolutions and matrix products), and of all. */
int64_t nn_plan_node_multiply_adds(const nn_plan *plan, size_t node);
int64_t nn_plan_multiply_adds(const nn_plan *plan);

/* Bytes of the arena of a session of one thread, and steps that a run takes. */
size_t nn_plan_arena_bytes(const nn_plan *plan);
size_t nn_plan_step_count(const nn_plan *plan);

/* What step `index` does ("Conv", "to channels last"), for profiles. */
const char *nn_plan_step_name(const nn_plan *plan, size_t index);

/* ---- Session ---- */

/* Success: *out is the caller's, free with nn_session_free. Failure: *out is NULL. */
mien_status nn_session_create(const nn_plan *plan, nn_session **out, mien_error *error);

/*
 * A session whose runs the members of a team share: steps that are long enough are cut into parts.
 * The numbers are those of one thread, bit for bit. It has scratch memory for each member. workers:
 * borrowed, it must outlive the session; NULL as in nn_session_create.
 */
mien_status nn_session_create_shared(const nn_plan *plan, team *workers, nn_session **out,
                                     mien_error *error);
void nn_session_free(nn_session *session);

/*
 * Where input `index` is written before a run: row-major in the shape of nn_plan_input_shape. It
 * keeps its content over runs.
 */
float *nn_session_input(nn_session *session, size_t index);

/* Output `index` of the last run, row-major. Valid until the next run. */
const float *nn_session_output(const nn_session *session, size_t index);

/*
 * Runs the network on what the inputs hold, called by one thread at a time. It cannot fail and
 * allocates nothing.
 */
void nn_session_run(nn_session *session);

/* Into how many parts the session cuts a step; 1: the caller does it alone. */
int nn_session_step_parts(const nn_session *session, size_t step);

/* Runs one step only (0..step_count-1 in order make a run), for profiles. */
void nn_session_run_step(nn_session *session, size_t step);

#endif
