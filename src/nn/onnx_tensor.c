/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/onnx_tensor.h"

#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* TensorProto.DataType */
enum {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_UINT16 = 4,
    ONNX_INT16 = 5,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11,
    ONNX_UINT32 = 12,
    ONNX_BFLOAT16 = 16
};

/* TensorProto's fields, as they are found. Repeated scalars may come in many pieces. */
typedef struct raw_tensor {
    nn_shape shape;
    int64_t type;
    wire_span name;
    wire_span content; /* raw_data */
    bool has_content;
    size_t listed; /* numbers in float_data, int32_data, int64_data or double_data */
    bool external;
} raw_tensor;

static int raw_size(int64_t type)
{
    switch (type) {
    case ONNX_UINT8:
    case ONNX_INT8:
    case ONNX_BOOL:
        return 1;
    case ONNX_UINT16:
    case ONNX_INT16:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16:
        return 2;
    case ONNX_FLOAT:
    case ONNX_INT32:
    case ONNX_UINT32:
        return 4;
    case ONNX_INT64:
    case ONNX_DOUBLE:
        return 8;
    default:
        return 0;
    }
}

/* What a type of the file is held as. */
static nn_type held_as(int64_t type)
{
    switch (type) {
    case ONNX_FLOAT:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16:
    case ONNX_DOUBLE:
        return NN_FLOAT;
    case ONNX_INT8:
        return NN_INT8;
    case ONNX_UINT8:
        return NN_UINT8;
    default:
        return NN_INT;
    }
}

/* Without branches, so that a loop over it runs in vectors. */
static inline float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t mantissa = half & 1023, bits;
    uint32_t wide = exponent == 31 ? 255 : exponent + 112; /* biases of 127 and 15 */
    float small = (float)(int32_t)mantissa * 0x1p-24f, value;
    memcpy(&bits, &small, sizeof bits);
    bits = (exponent == 0 ? bits : wide << 23 | mantissa << 13) | sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* One number, given as the bits of its own type. */
static void store(nn_tensor *tensor, size_t index, int64_t type, uint64_t bits)
{
    float *floats = tensor->data;
    int64_t *ints = tensor->data;
    uint8_t *bytes = tensor->data;
    switch (type) {
    case ONNX_FLOAT:
        floats[index] = wire_float((uint32_t)bits);
        break;
    case ONNX_DOUBLE:
        floats[index] = (float)wire_double(bits);
        break;
    case ONNX_FLOAT16:
        floats[index] = half_to_float((uint16_t)bits);
        break;
    case ONNX_BFLOAT16:
        floats[index] = wire_float((uint32_t)bits << 16);
        break;
    case ONNX_INT8:
    case ONNX_UINT8:
        bytes[index] = (uint8_t)bits;
        break;
    case ONNX_INT16:
        ints[index] = (int16_t)bits;
        break;
    case ONNX_INT32:
        ints[index] = (int32_t)bits;
        break;
    case ONNX_UINT16:
        ints[index] = (uint16_t)bits;
        break;
    case ONNX_UINT32:
        ints[index] = (uint32_t)bits;
        break;
    case ONNX_BOOL:
        ints[index] = bits != 0;
        break;
    default:
        ints[index] = (int64_t)bits;
        break;
    }
}

static void store_raw(nn_tensor *tensor, const raw_tensor *raw, size_t count)
{
    int size = raw_size(raw->type);
    if (raw->type == ONNX_FLOAT16) { /* most of a file, as a rule */
        float *floats = tensor->data;
        const uint8_t *halves = raw->content.bytes;
        for (size_t i = 0; i < count; i++)
            floats[i] = half_to_float((uint16_t)(halves[2 * i] | halves[2 * i + 1] << 8));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = raw->content.bytes + i * (size_t)size;
        uint64_t bits = 0;
        for (int b = 0; b < size; b++)
            bits |= (uint64_t)bytes[b] << (8 * b);
        store(tensor, i, raw->type, bits);
    }
}

/* Whether a field holds numbers of the tensor's type (onnx.proto says which type uses which). */
static bool is_list_field(uint32_t number, int64_t type)
{
    switch (number) {
    case 4: /* float_data */
        return type == ONNX_FLOAT;
    case 5: /* int32_data */
        return type != ONNX_FLOAT && type != ONNX_DOUBLE && type != ONNX_INT64 &&
               type != ONNX_UINT32;
    case 7: /* int64_data */
        return type == ONNX_INT64;
    case 10: /* double_data */
        return type == ONNX_DOUBLE;
    case 11: /* uint64_data */
        return type == ONNX_UINT32;
    default:
        return false;
    }
}

/*
 * Walks one field of a list of numbers, packed or single. Stores from index *next on when tensor is
 * not NULL, at most `room` in all; counts in any case.
 */
static bool walk_list_field(const wire_field *field, int64_t type, nn_tensor *tensor, size_t room,
                            size_t *next)
{
    if (field->type != WIRE_BYTES) {
        if (tensor != NULL && *next < room)
            store(tensor, *next, type, field->scalar);
        ++*next;
        return true;
    }
    wire_span span = field->span;
    size_t fixed = field->number == 4 ? 4 : field->number == 10 ? 8 : 0;
    while (span.size > 0) {
        uint64_t bits;
        if (fixed != 0) {
            if (span.size < fixed)
                return false;
            bits = fixed == 4 ? wire_load32(span.bytes) : wire_load64(span.bytes);
            span = (wire_span){span.bytes + fixed, span.size - fixed, span.offset + fixed};
        } else if (!wire_varint(&span, &bits)) {
            return false;
        }
        if (tensor != NULL && *next < room)
            store(tensor, *next, type, bits);
        ++*next;
    }
    return true;
}

static mien_status add_dim(raw_tensor *raw, uint64_t dim, size_t offset, mien_error *error)
{
    if (raw->shape.rank == NN_MAX_RANK)
        return error_set_at(error, MIEN_UNSUPPORTED, (int64_t)offset,
                            "a tensor has more than %d dimensions", NN_MAX_RANK);
    if (dim > (uint64_t)NN_MAX_ELEMENTS)
        return error_set_at(error, MIEN_LIMIT, (int64_t)offset,
                            "a tensor has a dimension of %" PRIu64, dim);
    raw->shape.dims[raw->shape.rank++] = (int64_t)dim;
    return MIEN_OK;
}

static mien_status read_dims(raw_tensor *raw, const wire_field *field, mien_error *error)
{
    if (field->type == WIRE_VARINT)
        return add_dim(raw, field->scalar, field->span.offset, error);
    wire_span span = field->span;
    mien_status status = MIEN_OK;
    while (status == MIEN_OK && span.size > 0) {
        uint64_t dim;
        if (!wire_varint(&span, &dim))
            return error_set_at(error, MIEN_MALFORMED, (int64_t)span.offset,
                                "the shape of a tensor is cut short");
        status = add_dim(raw, dim, span.offset, error);
    }
    return status;
}

static mien_status read_fields(wire_span span, raw_tensor *raw, mien_error *error)
{
    wire_field field;
    wire_result result;
    while ((result = wire_next(&span, &field)) == WIRE_FIELD) {
        mien_status status = MIEN_OK;
        if (field.number == 1 && (field.type == WIRE_VARINT || field.type == WIRE_BYTES))
            status = read_dims(raw, &field, error);
        else if (field.number == 2 && field.type == WIRE_VARINT)
            raw->type = (int64_t)field.scalar;
        else if (field.number == 8 && field.type == WIRE_BYTES)
            raw->name = field.span;
        else if (field.number == 9 && field.type == WIRE_BYTES) {
            raw->content = field.span;
            raw->has_content = true;
        } else if (field.number == 13 || (field.number == 14 && field.scalar == 1))
            raw->external = true;
        if (status != MIEN_OK)
            return status;
    }
    if (result == WIRE_BROKEN)
        return error_set_at(error, MIEN_MALFORMED, (int64_t)span.offset,
                            "a tensor is cut short or not well formed");
    return MIEN_OK;
}

/* Walks the lists of numbers; stores when tensor is not NULL. */
static bool walk_lists(wire_span span, int64_t type, nn_tensor *tensor, size_t room, size_t *count)
{
    wire_field field;
    *count = 0;
    while (wire_next(&span, &field) == WIRE_FIELD)
        if (is_list_field(field.number, type) &&
            !walk_list_field(&field, type, tensor, room, count))
            return false;
    return true;
}

static bool has_nan(const nn_tensor *tensor, size_t count)
{
    const float *values = tensor->data;
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i]))
            return true;
    return false;
}

static mien_status check_size(const raw_tensor *raw, wire_span span, size_t count,
                              mien_error *error)
{
    int64_t at = (int64_t)span.offset;
    int name_length = (int)(raw->name.size < 80 ? raw->name.size : 80);
    const char *name = (const char *)raw->name.bytes;
    size_t bytes = count * (size_t)raw_size(raw->type);
    size_t listed = 0;
    if (raw->has_content && raw->content.size != bytes)
        return error_set_at(error, MIEN_MALFORMED, at,
                            "tensor '%.*s' has %zu bytes of data, its shape needs %zu", name_length,
                            name, raw->content.size, bytes);
    if (!raw->has_content && (!walk_lists(span, raw->type, NULL, 0, &listed) || listed != count))
        return error_set_at(error, MIEN_MALFORMED, at,
                            "tensor '%.*s' has %zu numbers, its shape needs %zu", name_length, name,
                            listed, count);
    return MIEN_OK;
}

mien_status onnx_read_tensor(wire_span span, nn_tensor *tensor, wire_span *name, mien_error *error)
{
    raw_tensor raw = {.name = {(const uint8_t *)"", 0, span.offset}};
    *tensor = (nn_tensor){0};
    mien_status status = read_fields(span, &raw, error);
    if (status != MIEN_OK)
        return status;
    *name = raw.name;
    int64_t at = (int64_t)span.offset;
    int name_length = (int)(raw.name.size < 80 ? raw.name.size : 80);
    const char *text = (const char *)raw.name.bytes;
    if (raw.external)
        return error_set_at(error, MIEN_UNSUPPORTED, at,
                            "tensor '%.*s' lies in another file; store the weights in the model",
                            name_length, text);
    if (raw_size(raw.type) == 0)
        return error_set_at(error, MIEN_UNSUPPORTED, at,
                            "tensor '%.*s' has element type %" PRId64 ", which is not supported",
                            name_length, text, raw.type);
    int64_t count;
    if (!nn_shape_elements(&raw.shape, &count))
        return error_set_at(error, MIEN_LIMIT, at, "tensor '%.*s' is too large", name_length, text);
    status = check_size(&raw, span, (size_t)count, error);
    if (status != MIEN_OK)
        return status;
    tensor->type = held_as(raw.type);
    tensor->shape = raw.shape;
    tensor->data = memory_aligned((size_t)count * nn_type_size(tensor->type));
    if (tensor->data == NULL)
        return error_no_memory(error, "a tensor", (uint64_t)count * 8);
    size_t listed;
    if (raw.has_content)
        store_raw(tensor, &raw, (size_t)count);
    else
        walk_lists(span, raw.type, tensor, (size_t)count, &listed);
    if (tensor->type == NN_FLOAT && has_nan(tensor, (size_t)count)) {
        free(tensor->data);
        tensor->data = NULL;
        return error_set_at(error, MIEN_MALFORMED, at,
                            "tensor '%.*s' holds values that are not numbers (NaN)", name_length,
                            text);
    }
    return MIEN_OK;
}
