/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <string.h>

/* Transpose: output dimension i is input dimension order[i]. */
static mien_status shape_transpose(nn_shaping *shaping)
{
    const nn_shape *in = &shaping->inputs[0].shape;
    const nn_attribute *perm = nn_node_attribute(shaping->node, "perm", NN_ATTRIBUTE_INTS);
    if (perm != NULL && perm->count != (size_t)in->rank)
        return nn_shape_fail(shaping, MIEN_SHAPE, "perm has %zu numbers for %d dimensions",
                             perm->count, in->rank);
    bool seen[NN_MAX_RANK] = {false};
    nn_shape *out = &shaping->outputs[0].shape;
    out->rank = in->rank;
    for (int i = 0; i < in->rank; i++) {
        int64_t from = perm != NULL ? perm->ints[i] : in->rank - 1 - i;
        if (from < 0 || from >= in->rank || seen[from])
            return nn_shape_fail(shaping, MIEN_SHAPE, "perm is not an order of %d dimensions",
                                 in->rank);
        seen[from] = true;
        shaping->params->transpose.order[i] = (int)from;
        out->dims[i] = in->dims[from];
    }
    shaping->outputs[0].type = shaping->inputs[0].type;
    return MIEN_OK;
}

static void run_transpose(const nn_params *params, const nn_tensor *inputs, int input_count,
                          nn_tensor *outputs)
{
    (void)input_count;
    const nn_shape *out = &outputs[0].shape;
    size_t size = nn_type_size(outputs[0].type);
    int64_t strides[NN_MAX_RANK], index[NN_MAX_RANK] = {0};
    nn_broadcast_strides(&inputs[0].shape, &inputs[0].shape, strides);
    const char *from = inputs[0].data;
    char *to = outputs[0].data;
    do {
        int64_t offset = 0;
        for (int i = 0; i < out->rank; i++)
            offset += index[i] * strides[params->transpose.order[i]];
        memcpy(to, from + (size_t)offset * size, size);
        to += size;
    } while (nn_next_index(out, index));
}

const nn_op nn_op_transpose = {.name = "Transpose",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .takes_ints = true,
                               .shape = shape_transpose,
                               .run = run_transpose};
