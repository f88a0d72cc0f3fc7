/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/wire_write.h"

#include "base/memory.h"
#include "nn/wire.h"

#include <stdlib.h>
#include <string.h>

#define MAX_VARINT 10 /* bytes */

static bool reserve(wire_writer *w, size_t size)
{
    size_t needed, grown;
    if (w->failed || !size_add(w->size, size, &needed)) {
        w->failed = true;
        return false;
    }
    if (needed <= w->capacity)
        return true;
    if (!size_multiply(w->capacity, 2, &grown) || grown < needed)
        grown = needed;
    uint8_t *bytes = realloc(w->bytes, grown);
    if (bytes == NULL) {
        w->failed = true;
        return false;
    }
    w->bytes = bytes;
    w->capacity = grown;
    return true;
}

uint8_t *wire_room(wire_writer *w, size_t size)
{
    if (!reserve(w, size))
        return NULL;
    uint8_t *room = w->bytes + w->size;
    w->size += size;
    return room;
}

void wire_store32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

void wire_store64(uint8_t *bytes, uint64_t value)
{
    wire_store32(bytes, (uint32_t)value);
    wire_store32(bytes + 4, (uint32_t)(value >> 32));
}

/* Returns how many bytes it took. */
static size_t encode_varint(uint8_t bytes[MAX_VARINT], uint64_t value)
{
    size_t count = 0;
    while (value >= 0x80) {
        bytes[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[count++] = (uint8_t)value;
    return count;
}

static size_t encode_key(uint8_t bytes[MAX_VARINT], uint32_t number, wire_type type)
{
    return encode_varint(bytes, (uint64_t)number << 3 | (uint64_t)type);
}

static void put(wire_writer *w, const void *bytes, size_t size)
{
    uint8_t *room = wire_room(w, size);
    if (room != NULL && size != 0)
        memcpy(room, bytes, size);
}

void wire_put_varint(wire_writer *w, uint32_t number, uint64_t value)
{
    uint8_t bytes[2 * MAX_VARINT];
    size_t count = encode_key(bytes, number, WIRE_VARINT);
    put(w, bytes, count + encode_varint(bytes + count, value));
}

void wire_put_float(wire_writer *w, uint32_t number, float value)
{
    uint8_t bytes[MAX_VARINT + 4];
    uint32_t bits;
    size_t count = encode_key(bytes, number, WIRE_FIXED32);
    memcpy(&bits, &value, sizeof bits);
    wire_store32(bytes + count, bits);
    put(w, bytes, count + 4);
}

void wire_put_bytes(wire_writer *w, uint32_t number, const void *bytes, size_t size)
{
    uint8_t head[2 * MAX_VARINT];
    size_t count = encode_key(head, number, WIRE_BYTES);
    put(w, head, count + encode_varint(head + count, size));
    put(w, bytes, size);
}

void wire_put_text(wire_writer *w, uint32_t number, const char *text)
{
    wire_put_bytes(w, number, text, strlen(text));
}

size_t wire_begin(const wire_writer *w)
{
    return w->size;
}

void wire_end(wire_writer *w, uint32_t number, size_t begin)
{
    if (w->failed)
        return;
    uint8_t head[2 * MAX_VARINT];
    size_t size = w->size - begin;
    size_t count = encode_key(head, number, WIRE_BYTES);
    count += encode_varint(head + count, size);
    if (wire_room(w, count) == NULL)
        return;
    memmove(w->bytes + begin + count, w->bytes + begin, size);
    memcpy(w->bytes + begin, head, count);
}
