/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/ref/ref.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_WINDOW_NUMBER 4096 /* strides, pads, dilations, kernel sides */

mien_status nn_shape_fail(const nn_shaping *shaping, mien_status status, const char *format, ...)
{
    char what[320];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(shaping->error, status, "%s '%.80s': %s", shaping->node->op->name,
                     shaping->node->name, what);
}

bool nn_has_input(const nn_shaping *shaping, int index)
{
    return index < shaping->input_count && shaping->inputs[index].shape.rank != NN_UNKNOWN_RANK;
}

mien_status nn_shape_as_input(nn_shaping *shaping)
{
    shaping->outputs[0].type = shaping->inputs[0].type;
    shaping->outputs[0].shape = shaping->inputs[0].shape;
    return MIEN_OK;
}

mien_status nn_require_rank(const nn_shaping *shaping, int index, int rank)
{
    char text[NN_SHAPE_TEXT_SIZE];
    const nn_shape *shape = &shaping->inputs[index].shape;
    if (shape->rank == rank)
        return MIEN_OK;
    return nn_shape_fail(shaping, MIEN_SHAPE, "input %d has shape %s, but %d dimensions are needed",
                         index, nn_shape_text(shape, text), rank);
}

mien_status nn_require_floats(const nn_shaping *shaping, int first, int end)
{
    for (int i = first; i < end; i++)
        if (nn_has_input(shaping, i) && shaping->inputs[i].type != NN_FLOAT)
            return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "input %d holds integers", i);
    return MIEN_OK;
}

mien_status nn_resolve_axis(const nn_shaping *shaping, int64_t axis, int rank, int *resolved)
{
    if (axis < -rank || axis >= rank)
        return nn_shape_fail(shaping, MIEN_SHAPE,
                             "axis %" PRId64 " does not exist in %d dimensions", axis, rank);
    *resolved = (int)(axis < 0 ? axis + rank : axis);
    return MIEN_OK;
}

mien_status nn_constant_ints(const nn_shaping *shaping, int input, const char *attribute,
                             const int64_t **values, size_t *count)
{
    *values = NULL;
    *count = 0;
    if (input >= 0 && nn_has_input(shaping, input)) {
        const nn_tensor *tensor = &shaping->inputs[input];
        if (tensor->data == NULL || tensor->type != NN_INT)
            return nn_shape_fail(shaping, MIEN_UNSUPPORTED,
                                 "input %d must be constant integers (it is computed from the "
                                 "picture or has another type)",
                                 input);
        *values = tensor->data;
        *count = (size_t)nn_elements(&tensor->shape);
        return MIEN_OK;
    }
    const nn_attribute *list = nn_node_attribute(shaping->node, attribute, NN_ATTRIBUTE_INTS);
    if (list != NULL) {
        *values = list->ints;
        *count = list->count;
    }
    return MIEN_OK;
}

/* Reads a pair of an attribute into pair[2]; both stay as they are when there is none. */
static mien_status read_pair(const nn_shaping *shaping, const char *name, int low, int pair[2])
{
    const nn_attribute *list = nn_node_attribute(shaping->node, name, NN_ATTRIBUTE_INTS);
    if (list == NULL || list->count == 0)
        return MIEN_OK;
    if (list->count != 2)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED,
                             "%s has %zu numbers; only windows of two dimensions are supported",
                             name, list->count);
    for (int i = 0; i < 2; i++) {
        if (list->ints[i] < low || list->ints[i] > MAX_WINDOW_NUMBER)
            return nn_shape_fail(shaping, MIEN_SHAPE, "%s holds %" PRId64 ", not %d to %d", name,
                                 list->ints[i], low, MAX_WINDOW_NUMBER);
        pair[i] = (int)list->ints[i];
    }
    return MIEN_OK;
}

static mien_status read_pads(const nn_shaping *shaping, nn_window *window)
{
    const nn_attribute *list = nn_node_attribute(shaping->node, "pads", NN_ATTRIBUTE_INTS);
    if (list == NULL || list->count == 0)
        return MIEN_OK;
    if (list->count != 4)
        return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "pads has %zu numbers, not 4", list->count);
    for (int i = 0; i < 4; i++) {
        if (list->ints[i] < 0 || list->ints[i] > MAX_WINDOW_NUMBER)
            return nn_shape_fail(shaping, MIEN_SHAPE, "pads holds %" PRId64 ", not 0 to %d",
                                 list->ints[i], MAX_WINDOW_NUMBER);
        (i < 2 ? window->pad_before : window->pad_after)[i % 2] = (int)list->ints[i];
    }
    return MIEN_OK;
}

static int64_t ceil_divide(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* auto_pad SAME_*: as many outputs as strides, the padding split evenly, the odd one after
 * (SAME_UPPER) or before (SAME_LOWER). */
static void pad_to_same(nn_window *window, const int64_t input[2], bool upper)
{
    for (int i = 0; i < 2; i++) {
        int64_t reach = (int64_t)(window->kernel[i] - 1) * window->dilation[i] + 1;
        int64_t outputs = ceil_divide(input[i], window->stride[i]);
        int64_t total = (outputs - 1) * window->stride[i] + reach - input[i];
        if (total < 0)
            total = 0;
        if (total > MAX_WINDOW_NUMBER)
            total = MAX_WINDOW_NUMBER; /* then the output's size is refused */
        int64_t before = upper ? total / 2 : total - total / 2;
        window->pad_before[i] = (int)before;
        window->pad_after[i] = (int)(total - before);
    }
}

static mien_status read_padding(const nn_shaping *shaping, const int64_t input[2],
                                nn_window *window)
{
    const char *mode = nn_node_string(shaping->node, "auto_pad", "NOTSET");
    if (strcmp(mode, "NOTSET") == 0)
        return read_pads(shaping, window);
    if (strcmp(mode, "SAME_UPPER") == 0 || strcmp(mode, "SAME_LOWER") == 0) {
        pad_to_same(window, input, strcmp(mode, "SAME_UPPER") == 0);
        return MIEN_OK;
    }
    if (strcmp(mode, "VALID") == 0)
        return MIEN_OK;
    return nn_shape_fail(shaping, MIEN_UNSUPPORTED, "auto_pad is '%.20s'", mode);
}

mien_status nn_shape_window(const nn_shaping *shaping, const int64_t *kernel,
                            const int64_t input[2], bool ceil_mode, nn_window *window,
                            int64_t output[2])
{
    *window = (nn_window){.stride = {1, 1}, .dilation = {1, 1}};
    mien_status status = read_pair(shaping, "kernel_shape", 1, window->kernel);
    if (status == MIEN_OK)
        status = read_pair(shaping, "strides", 1, window->stride);
    if (status == MIEN_OK)
        status = read_pair(shaping, "dilations", 1, window->dilation);
    if (status != MIEN_OK)
        return status;
    for (int i = 0; i < 2; i++) {
        if (window->kernel[i] == 0 && kernel != NULL && kernel[i] <= MAX_WINDOW_NUMBER)
            window->kernel[i] = (int)kernel[i];
        if (window->kernel[i] < 1 || (kernel != NULL && window->kernel[i] != kernel[i]))
            return nn_shape_fail(shaping, MIEN_SHAPE, "kernel_shape does not fit the weights");
    }
    status = read_padding(shaping, input, window);
    if (status != MIEN_OK)
        return status;
    for (int i = 0; i < 2; i++) {
        int64_t reach = (int64_t)(window->kernel[i] - 1) * window->dilation[i] + 1;
        int64_t room = input[i] + window->pad_before[i] + window->pad_after[i] - reach;
        if (room < 0)
            return nn_shape_fail(shaping, MIEN_SHAPE,
                                 "the window of %" PRId64 " does not fit into %" PRId64
                                 " with its padding",
                                 reach, input[i]);
        output[i] = (ceil_mode ? ceil_divide(room, window->stride[i]) : room / window->stride[i]);
        output[i] += 1;
        /* No window may begin behind the picture. */
        if (ceil_mode && (output[i] - 1) * window->stride[i] >= input[i] + window->pad_before[i])
            output[i]--;
    }
    return MIEN_OK;
}

bool nn_broadcast(const nn_shape *a, const nn_shape *b, nn_shape *out)
{
    out->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 1; i <= out->rank; i++) {
        int64_t from_a = i <= a->rank ? a->dims[a->rank - i] : 1;
        int64_t from_b = i <= b->rank ? b->dims[b->rank - i] : 1;
        if (from_a != from_b && from_a != 1 && from_b != 1)
            return false;
        out->dims[out->rank - i] = from_a != 1 ? from_a : from_b;
    }
    return true;
}

void nn_broadcast_strides(const nn_shape *shape, const nn_shape *wide, int64_t strides[NN_MAX_RANK])
{
    int64_t stride = 1;
    for (int i = 1; i <= wide->rank; i++) {
        int64_t dim = i <= shape->rank ? shape->dims[shape->rank - i] : 1;
        strides[wide->rank - i] = dim != 1 ? stride : 0;
        stride *= dim;
    }
}

bool nn_next_index(const nn_shape *shape, int64_t index[NN_MAX_RANK])
{
    for (int i = shape->rank - 1; i >= 0; i--) {
        if (++index[i] < shape->dims[i])
            return true;
        index[i] = 0;
    }
    return false;
}

int64_t nn_product(const nn_shape *shape, int first, int end)
{
    int64_t product = 1;
    for (int i = first; i < end; i++)
        product *= shape->dims[i];
    return product;
}

int64_t nn_elements(const nn_shape *shape)
{
    return nn_product(shape, 0, shape->rank);
}

int64_t nn_int_at(const nn_tensor *tensor, int64_t i)
{
    return tensor->type == NN_INT8    ? ((const int8_t *)tensor->data)[i]
           : tensor->type == NN_UINT8 ? ((const uint8_t *)tensor->data)[i]
                                      : ((const int64_t *)tensor->data)[i];
}
