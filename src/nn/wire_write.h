/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_WIRE_WRITE_H
#define NN_WIRE_WRITE_H

/*
 * Writing the Protocol Buffers wire format into one growing block of memory. A message inside a
 * message is written between wire_begin and wire_end. Running out of memory is remembered: then
 * every call does nothing, and `failed` says so at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wire_writer { /* starts zeroed */
    uint8_t *bytes;          /* the caller's, free with free() */
    size_t size, capacity;
    bool failed;
} wire_writer;

/* Room for `size` bytes at the end, to be filled in before the next call; NULL when failed. */
uint8_t *wire_room(wire_writer *w, size_t size);

void wire_put_varint(wire_writer *w, uint32_t number, uint64_t value);
void wire_put_float(wire_writer *w, uint32_t number, float value);
void wire_put_bytes(wire_writer *w, uint32_t number, const void *bytes, size_t size);
void wire_put_text(wire_writer *w, uint32_t number, const char *text);

/* Returns where the message begins, for wire_end, which puts its number and length before it. */
size_t wire_begin(const wire_writer *w);
void wire_end(wire_writer *w, uint32_t number, size_t begin);

void wire_store32(uint8_t *bytes, uint32_t value);
void wire_store64(uint8_t *bytes, uint64_t value);

#endif
