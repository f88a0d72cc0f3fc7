/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include <string.h>

/* Slice: starts, ends, axes and steps as attributes (opset 9) or constant inputs. */
typedef struct slice_lists {
    const int64_t *starts, *ends, *axes, *steps;
    size_t count;
} slice_lists;

static mien_status read_lists(nn_shaping *shaping, slice_lists *lists)
{
    bool inputs = shaping->opset >= 10;
    size_t counts[4];
    mien_status status =
        nn_constant_ints(shaping, inputs ? 1 : -1, "starts", &lists->starts, &counts[0]);
    if (status == MIEN_OK)
        status = nn_constant_ints(shaping, inputs ? 2 : -1, "ends", &lists->ends, &counts[1]);
    if (status == MIEN_OK)
        status = nn_constant_ints(shaping, inputs ? 3 : -1, "axes", &lists->axes, &counts[2]);
    if (status == MIEN_OK)
        status = nn_constant_ints(shaping, inputs ? 4 : -1, "", &lists->steps, &counts[3]);
    if (status != MIEN_OK)
        return status;
    lists->count = counts[0];
    if (counts[1] != counts[0] || (counts[2] != 0 && counts[2] != counts[0]) ||
        (counts[3] != 0 && counts[3] != counts[0]) || counts[0] > NN_MAX_RANK)
        return nn_shape_fail(shaping, MIEN_SHAPE, "its lists do not have the same length");
    if (counts[2] == 0)
        lists->axes = NULL;
    if (counts[3] == 0)
        lists->steps = NULL;
    return MIEN_OK;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Sets start and number of elements on one axis, as NumPy does. */
static int64_t cut(int64_t dim, int64_t start, int64_t end, int64_t step, int64_t *first)
{
    int64_t low = step > 0 ? 0 : -1;
    int64_t high = step > 0 ? dim : dim - 1;
    start = clamp(start < 0 ? start + dim : start, low, high);
    end = clamp(end < 0 ? end + dim : end, low, high);
    *first = start;
    if (step > 0)
        return end > start ? (end - start + step - 1) / step : 0;
    return start > end ? (start - end - step - 1) / -step : 0;
}

static mien_status shape_slice(nn_shaping *shaping)
{
    slice_lists lists;
    mien_status status = read_lists(shaping, &lists);
    if (status != MIEN_OK)
        return status;
    status = nn_shape_as_input(shaping);
    nn_shape *out = &shaping->outputs[0].shape;
    for (int i = 0; i < out->rank; i++) {
        shaping->params->slice.starts[i] = 0;
        shaping->params->slice.steps[i] = 1;
    }
    for (size_t i = 0; status == MIEN_OK && i < lists.count; i++) {
        int axis = 0;
        status = nn_resolve_axis(shaping, lists.axes != NULL ? lists.axes[i] : (int64_t)i,
                                 out->rank, &axis);
        if (status != MIEN_OK)
            return status;
        int64_t step =
            clamp(lists.steps != NULL ? lists.steps[i] : 1, -NN_MAX_ELEMENTS, NN_MAX_ELEMENTS);
        if (step == 0)
            return nn_shape_fail(shaping, MIEN_SHAPE, "a step is 0");
        shaping->params->slice.steps[axis] = step;
        out->dims[axis] = cut(shaping->inputs[0].shape.dims[axis],
                              clamp(lists.starts[i], -NN_MAX_ELEMENTS * 2, NN_MAX_ELEMENTS * 2),
                              clamp(lists.ends[i], -NN_MAX_ELEMENTS * 2, NN_MAX_ELEMENTS * 2), step,
                              &shaping->params->slice.starts[axis]);
    }
    return status;
}

static void run_slice(const nn_params *params, const nn_tensor *inputs, int input_count,
                      nn_tensor *outputs)
{
    (void)input_count;
    const nn_shape *out = &outputs[0].shape;
    size_t size = nn_type_size(outputs[0].type);
    int64_t strides[NN_MAX_RANK], index[NN_MAX_RANK] = {0};
    nn_broadcast_strides(&inputs[0].shape, &inputs[0].shape, strides);
    char *to = outputs[0].data;
    do {
        int64_t offset = 0;
        for (int i = 0; i < out->rank; i++)
            offset += (params->slice.starts[i] + index[i] * params->slice.steps[i]) * strides[i];
        memcpy(to, (const char *)inputs[0].data + (size_t)offset * size, size);
        to += size;
    } while (nn_next_index(out, index));
}

const nn_op nn_op_slice = {.name = "Slice",
                           .min_inputs = 1,
                           .max_inputs = 5,
                           .takes_ints = true,
                           .shape = shape_slice,
                           .run = run_slice};
