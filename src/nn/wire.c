/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/wire.h"

#include <string.h>

static void advance(wire_span *span, size_t count)
{
    span->bytes += count;
    span->offset += count;
    span->size -= count;
}

bool wire_varint(wire_span *span, uint64_t *value)
{
    uint64_t result = 0;
    for (size_t i = 0; i < 10 && i < span->size; i++) {
        uint8_t byte = span->bytes[i];
        if (i == 9 && byte > 1)
            return false;
        result |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            advance(span, i + 1);
            *value = result;
            return true;
        }
    }
    return false;
}

uint32_t wire_load32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

uint64_t wire_load64(const uint8_t *bytes)
{
    return (uint64_t)wire_load32(bytes) | (uint64_t)wire_load32(bytes + 4) << 32;
}

float wire_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double wire_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool read_fixed(wire_span *span, size_t size, uint64_t *value)
{
    if (span->size < size)
        return false;
    *value = size == 4 ? wire_load32(span->bytes) : wire_load64(span->bytes);
    advance(span, size);
    return true;
}

static bool read_bytes(wire_span *span, wire_span *content)
{
    uint64_t length;
    if (!wire_varint(span, &length) || length > span->size)
        return false;
    *content = (wire_span){span->bytes, (size_t)length, span->offset};
    advance(span, (size_t)length);
    return true;
}

wire_result wire_next(wire_span *span, wire_field *field)
{
    if (span->size == 0)
        return WIRE_END;
    uint64_t key;
    if (!wire_varint(span, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return WIRE_BROKEN;
    *field = (wire_field){.number = (uint32_t)(key >> 3), .type = (wire_type)(key & 7)};
    bool complete = false;
    switch (field->type) {
    case WIRE_VARINT:
        complete = wire_varint(span, &field->scalar);
        break;
    case WIRE_FIXED64:
        complete = read_fixed(span, 8, &field->scalar);
        break;
    case WIRE_FIXED32:
        complete = read_fixed(span, 4, &field->scalar);
        break;
    case WIRE_BYTES:
        complete = read_bytes(span, &field->span);
        break;
    }
    return complete ? WIRE_FIELD : WIRE_BROKEN;
}
