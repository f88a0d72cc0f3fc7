/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

/* Gemm: alpha A' B' + beta C, with A' (M, K), B' (K, N), C broadcast to (M, N). MatMul: products
 * of the last two dimensions, the others broadcast. */

static mien_status shape_gemm(nn_shaping *shaping)
{
    mien_status status = nn_require_rank(shaping, 0, 2);
    if (status == MIEN_OK)
        status = nn_require_rank(shaping, 1, 2);
    if (status == MIEN_OK)
        status = nn_require_floats(shaping, 0, 3);
    if (status != MIEN_OK)
        return status;
    nn_params *params = shaping->params;
    params->gemm.alpha = nn_node_float(shaping->node, "alpha", 1);
    params->gemm.beta = nn_node_float(shaping->node, "beta", 1);
    params->gemm.transpose_a = nn_node_int(shaping->node, "transA", 0) != 0;
    params->gemm.transpose_b = nn_node_int(shaping->node, "transB", 0) != 0;
    const int64_t *a = shaping->inputs[0].shape.dims;
    const int64_t *b = shaping->inputs[1].shape.dims;
    int64_t rows = a[params->gemm.transpose_a ? 1 : 0];
    int64_t columns = b[params->gemm.transpose_b ? 0 : 1];
    if (a[params->gemm.transpose_a ? 0 : 1] != b[params->gemm.transpose_b ? 1 : 0])
        return nn_shape_fail(shaping, MIEN_SHAPE, "its two matrices do not fit");
    nn_shape *out = &shaping->outputs[0].shape;
    *out = (nn_shape){2, {rows, columns}};
    shaping->outputs[0].type = NN_FLOAT;
    nn_shape wide;
    if (nn_has_input(shaping, 2) &&
        (!nn_broadcast(&shaping->inputs[2].shape, out, &wide) || !nn_shape_equal(&wide, out)))
        return nn_shape_fail(shaping, MIEN_SHAPE, "what it adds does not fit its result");
    return MIEN_OK;
}

static void run_gemm(const nn_params *params, const nn_tensor *inputs, int input_count,
                     nn_tensor *outputs)
{
    const float *a = inputs[0].data, *b = inputs[1].data;
    const float *c = input_count > 2 ? inputs[2].data : NULL;
    float *out = outputs[0].data;
    int64_t m = outputs[0].shape.dims[0], n = outputs[0].shape.dims[1];
    int64_t k = inputs[0].shape.dims[params->gemm.transpose_a ? 0 : 1];
    int64_t a_row = params->gemm.transpose_a ? 1 : k, a_step = params->gemm.transpose_a ? m : 1;
    int64_t b_column = params->gemm.transpose_b ? k : 1, b_step = params->gemm.transpose_b ? 1 : n;
    int64_t c_strides[NN_MAX_RANK] = {0};
    if (c != NULL)
        nn_broadcast_strides(&inputs[2].shape, &outputs[0].shape, c_strides);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += (double)a[i * a_row + p * a_step] * b[p * b_step + j * b_column];
            double added = c != NULL ? c[i * c_strides[0] + j * c_strides[1]] : 0;
            out[i * n + j] = (float)(params->gemm.alpha * sum + params->gemm.beta * added);
        }
}

const nn_op nn_op_gemm = {
    .name = "Gemm", .min_inputs = 2, .max_inputs = 3, .shape = shape_gemm, .run = run_gemm};

/* The dimensions before the last two. */
static nn_shape leading(const nn_shape *shape)
{
    nn_shape result = *shape;
    result.rank -= 2;
    return result;
}

static mien_status shape_matmul(nn_shaping *shaping)
{
    const nn_shape *a = &shaping->inputs[0].shape, *b = &shaping->inputs[1].shape;
    char a_text[NN_SHAPE_TEXT_SIZE], b_text[NN_SHAPE_TEXT_SIZE];
    if (a->rank < 2 || b->rank < 2)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "products with vectors are not supported");
    nn_shape a_lead = leading(a), b_lead = leading(b);
    nn_shape *out = &shaping->outputs[0].shape;
    if (a->dims[a->rank - 1] != b->dims[b->rank - 2] || !nn_broadcast(&a_lead, &b_lead, out))
        return nn_shape_fail(shaping, MIEN_SHAPE, "shapes %s and %s do not fit",
                             nn_shape_text(a, a_text), nn_shape_text(b, b_text));
    out->dims[out->rank++] = a->dims[a->rank - 2];
    out->dims[out->rank++] = b->dims[b->rank - 1];
    shaping->outputs[0].type = NN_FLOAT;
    return nn_require_floats(shaping, 0, 2);
}

static void multiply_matrices(const float *a, const float *b, float *out, int64_t m, int64_t k,
                              int64_t n)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += (double)a[i * k + p] * b[p * n + j];
            out[i * n + j] = (float)sum;
        }
}

static void run_matmul(const nn_params *params, const nn_tensor *inputs, int input_count,
                       nn_tensor *outputs)
{
    (void)params;
    (void)input_count;
    const nn_shape *a = &inputs[0].shape, *b = &inputs[1].shape;
    nn_shape lead = leading(&outputs[0].shape), a_lead = leading(a), b_lead = leading(b);
    int64_t m = a->dims[a->rank - 2], k = a->dims[a->rank - 1], n = b->dims[b->rank - 1];
    int64_t a_strides[NN_MAX_RANK], b_strides[NN_MAX_RANK], index[NN_MAX_RANK] = {0};
    nn_broadcast_strides(&a_lead, &lead, a_strides);
    nn_broadcast_strides(&b_lead, &lead, b_strides);
    float *out = outputs[0].data;
    do {
        int64_t a_at = 0, b_at = 0;
        for (int d = 0; d < lead.rank; d++) {
            a_at += index[d] * a_strides[d];
            b_at += index[d] * b_strides[d];
        }
        multiply_matrices((const float *)inputs[0].data + a_at * m * k,
                          (const float *)inputs[1].data + b_at * k * n, out, m, k, n);
        out += m * n;
    } while (nn_next_index(&lead, index));
}

const nn_op nn_op_matmul = {
    .name = "MatMul", .min_inputs = 2, .max_inputs = 2, .shape = shape_matmul, .run = run_matmul};
