/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_WIRE_H
#define NN_WIRE_H

/*
 * Reading the Protocol Buffers wire format, one field at a time, straight from the bytes.
 * https://protobuf.dev/programming-guides/encoding/
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5
} wire_type;

/* A run of bytes inside the file; offset is its position in the whole file, for messages. */
typedef struct wire_span {
    const uint8_t *bytes;
    size_t size;
    size_t offset;
} wire_span;

typedef struct wire_field {
    uint32_t number;
    wire_type type;
    uint64_t scalar; /* varint, fixed32 or fixed64 */
    wire_span span;  /* WIRE_BYTES */
} wire_field;

typedef enum wire_result { WIRE_FIELD, WIRE_END, WIRE_BROKEN } wire_result;

/* Takes the next field off the front of the span. On WIRE_BROKEN the span stands at the fault. */
wire_result wire_next(wire_span *span, wire_field *field);

/* Takes one varint off the front. false when it is cut short or longer than 64 bits. */
bool wire_varint(wire_span *span, uint64_t *value);

float wire_float(uint32_t bits);
double wire_double(uint64_t bits);

/* Little-endian numbers, unaligned. */
uint32_t wire_load32(const uint8_t *bytes);
uint64_t wire_load64(const uint8_t *bytes);

#endif
