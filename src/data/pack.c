/* SPDX-License-Identifier: Apache-2.0 */
#include "data/pack.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "data/loco.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define BLOCK_PICTURES                                                                             \
    128 /* below each other as one picture, so that it learns from them all                        \
         */

/* Sizes in bytes. */
#define HEADER_SIZE       24
#define BLOCK_HEADER_SIZE 8
#define RECORD_SIZE       6
#define VOTES_SIZE        (1 + FER_PLUS_VOTES)
#define DIGEST_SIZE       (SHA256_HEX_SIZE - 1)

static const uint8_t magic[8] = {0x89, 'm', 'i', 'e', 'n', 's', 'e', 't'};

typedef struct bytes {
    uint8_t *data;
    size_t size, capacity;
} bytes;

bool pack_begins(FILE *stream)
{
    int first = getc(stream);
    ungetc(first, stream);
    return first == magic[0];
}

static uint32_t read_u32(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

/* ---- Writing ---- */

static mien_status append(bytes *b, const void *data, size_t size, mien_error *error)
{
    if (b->capacity - b->size < size) {
        size_t capacity = 2 * b->capacity + size;
        uint8_t *grown = realloc(b->data, capacity);
        if (grown == NULL)
            return error_no_memory(error, "a packed set", capacity);
        b->data = grown;
        b->capacity = capacity;
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return MIEN_OK;
}

static mien_status append_u32(bytes *b, uint32_t value, mien_error *error)
{
    const uint8_t data[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                             (uint8_t)(value >> 24)};
    return append(b, data, sizeof data, error);
}

typedef struct packer {
    bool with_private;
    bytes file;
    bytes records;   /* of the block in hand */
    uint8_t *pixels; /* (BLOCK_PICTURES, FER_PIXELS) of it */
    uint8_t *packed; /* them, made small */
    size_t in_block, pictures;
} packer;

static bool packer_wants(void *context, dataset_split usage)
{
    const packer *p = context;
    return p->with_private || usage != DATASET_PRIVATE_TEST;
}

static mien_status end_block(packer *p, mien_error *error)
{
    size_t size = loco_encode(p->pixels, FER_SIDE, FER_SIDE * (int)p->in_block, p->packed);
    mien_status status = append_u32(&p->file, (uint32_t)p->in_block, error);
    if (status == MIEN_OK)
        status = append_u32(&p->file, (uint32_t)size, error);
    if (status == MIEN_OK)
        status = append(&p->file, p->records.data, p->records.size, error);
    if (status == MIEN_OK)
        status = append(&p->file, p->packed, size, error);
    p->in_block = p->records.size = 0;
    return status;
}

static mien_status append_votes(bytes *records, const fer_record *record, mien_error *error)
{
    uint8_t data[VOTES_SIZE] = {record->votes->has_image};
    for (int i = 0; i < FER_PLUS_VOTES; i++) {
        if (record->votes->votes[i] > UINT8_MAX)
            return error_set(error, MIEN_LIMIT, "row %zu has %d votes in a column; at most %d fit",
                             record->row + 2, record->votes->votes[i], UINT8_MAX);
        data[1 + i] = (uint8_t)record->votes->votes[i];
    }
    return append(records, data, sizeof data, error);
}

static mien_status packer_take(void *context, const fer_record *record, const uint8_t *pixels,
                               mien_error *error)
{
    packer *p = context;
    const uint8_t kind[2] = {(uint8_t)record->usage, (uint8_t)record->emotion};
    if (record->row > UINT32_MAX || p->file.size > PACK_MAX_BYTES)
        return error_set(error, MIEN_LIMIT, "too many rows for a packed set");
    mien_status status = append_u32(&p->records, (uint32_t)record->row, error);
    if (status == MIEN_OK)
        status = append(&p->records, kind, sizeof kind, error);
    if (status == MIEN_OK && record->votes != NULL)
        status = append_votes(&p->records, record, error);
    if (status != MIEN_OK)
        return status;
    memcpy(p->pixels + p->in_block * FER_PIXELS, pixels, FER_PIXELS);
    p->pictures++;
    return ++p->in_block == BLOCK_PICTURES ? end_block(p, error) : MIEN_OK;
}

static mien_status begin(packer *p, bool with_votes, mien_error *error)
{
    const uint32_t numbers[] = {VERSION, FER_SIDE, FER_SIDE, with_votes ? FER_PLUS_VOTES : 0};
    size_t room = loco_bound(FER_SIDE, FER_SIDE * BLOCK_PICTURES);
    p->pixels = malloc((size_t)BLOCK_PICTURES * FER_PIXELS);
    p->packed = malloc(room);
    if (p->pixels == NULL || p->packed == NULL)
        return error_no_memory(error, "a packed set", room);
    mien_status status = append(&p->file, magic, sizeof magic, error);
    for (size_t i = 0; status == MIEN_OK && i < sizeof numbers / sizeof *numbers; i++)
        status = append_u32(&p->file, numbers[i], error);
    return status;
}

static mien_status end(packer *p, const char *name, mien_error *error)
{
    if (p->pictures == 0)
        return error_set(error, MIEN_NOT_FOUND, "'%s' has no row to pack", name);
    mien_status status = p->in_block > 0 ? end_block(p, error) : MIEN_OK;
    if (status == MIEN_OK)
        status = append_u32(&p->file, 0, error);
    if (status != MIEN_OK)
        return status;
    char digest[SHA256_HEX_SIZE];
    sha256_hex(p->file.data, p->file.size, digest);
    return append(&p->file, digest, DIGEST_SIZE, error);
}

mien_status pack_write(const fer_source *pictures, const fer_source *votes, bool with_private,
                       const char *path, pack_report *report, mien_error *error)
{
    packer p = {.with_private = with_private};
    const fer_taker taker = {&p, packer_wants, packer_take};
    mien_status status = begin(&p, votes != NULL, error);
    if (status == MIEN_OK)
        status = fer_scan(pictures, votes, &taker, error);
    if (status == MIEN_OK)
        status = end(&p, pictures->name, error);
    if (status == MIEN_OK)
        status = file_write_atomic(path, p.file.data, p.file.size, error);
    *report = (pack_report){p.pictures, p.file.size};
    free(p.file.data);
    free(p.records.data);
    free(p.pixels);
    free(p.packed);
    return status;
}

/* ---- Reading ---- */

typedef struct unpacker {
    const char *name;
    const uint8_t *at, *end; /* what is not read yet */
    bool with_votes;         /* in the file */
    int64_t last_row;
    uint8_t pixels[(size_t)BLOCK_PICTURES * FER_PIXELS];
} unpacker;

static mien_status damaged(const unpacker *u, const char *what, mien_error *error)
{
    return error_set(error, MIEN_MALFORMED, "the packed set '%s' is damaged: %s", u->name, what);
}

static mien_status check_digest(unpacker *u, size_t size, mien_error *error)
{
    char digest[SHA256_HEX_SIZE];
    if (size < HEADER_SIZE + 4 + DIGEST_SIZE)
        return damaged(u, "it ends early", error);
    u->end -= DIGEST_SIZE;
    sha256_hex(u->at, size - DIGEST_SIZE, digest);
    if (memcmp(u->end, digest, DIGEST_SIZE) != 0)
        return damaged(u, "its sum is not that of its bytes", error);
    return MIEN_OK;
}

static mien_status read_header(unpacker *u, bool wants_votes, mien_error *error)
{
    if (memcmp(u->at, magic, sizeof magic) != 0)
        return damaged(u, "it does not begin as one", error);
    uint32_t version = read_u32(u->at + 8), votes = read_u32(u->at + 20);
    if (version != VERSION)
        return error_set(error, MIEN_UNSUPPORTED,
                         "'%s' is a packed set of version %" PRIu32 ", this mien knows version %d",
                         u->name, version, VERSION);
    if (read_u32(u->at + 12) != FER_SIDE || read_u32(u->at + 16) != FER_SIDE ||
        (votes != 0 && votes != FER_PLUS_VOTES))
        return damaged(u, "pictures or votes that FER-2013 has not", error);
    u->with_votes = votes != 0;
    u->at += HEADER_SIZE;
    if (wants_votes && !u->with_votes)
        return error_set(error, MIEN_NOT_FOUND,
                         "the packed set '%s' has no FER+ votes: pack it anew, with --votes",
                         u->name);
    return MIEN_OK;
}

/* data: RECORD_SIZE bytes, and VOTES_SIZE where there are votes, which then are filled in. */
static bool read_record(unpacker *u, const uint8_t *data, fer_record *record, fer_plus_row *votes)
{
    *record = (fer_record){.row = read_u32(data),
                           .usage = (dataset_split)data[4],
                           .emotion = data[5],
                           .votes = u->with_votes ? votes : NULL};
    bool good = (int64_t)record->row > u->last_row && data[4] >= DATASET_TRAINING &&
                data[4] <= DATASET_PRIVATE_TEST && data[5] < FER_CLASSES;
    u->last_row = (int64_t)record->row;
    if (!u->with_votes)
        return good;
    *votes = (fer_plus_row){.usage = record->usage, .has_image = data[RECORD_SIZE] != 0};
    for (int i = 0; i < FER_PLUS_VOTES; i++)
        votes->votes[i] = data[RECORD_SIZE + 1 + i];
    return good;
}

/* A block: its records, and its pictures where one of them is wanted. */
typedef struct block {
    size_t count;
    const uint8_t *records, *packed;
    size_t record_size, packed_size;
    bool is_decoded;
} block;

static mien_status hand_out(unpacker *u, block *b, size_t i, const fer_taker *taker,
                            mien_error *error)
{
    fer_record record;
    fer_plus_row votes;
    if (!read_record(u, b->records + i * b->record_size, &record, &votes))
        return damaged(u, "a row, split or class that FER-2013 has not", error);
    if (!taker->wants(taker->context, record.usage))
        return MIEN_OK;
    mien_status status = MIEN_OK;
    if (!b->is_decoded)
        status = loco_decode(b->packed, b->packed_size, FER_SIDE, FER_SIDE * (int)b->count,
                             u->pixels, error);
    if (status != MIEN_OK)
        return error_prefix(error, status, "the packed set '%s'", u->name);
    b->is_decoded = true;
    return taker->take(taker->context, &record, u->pixels + i * FER_PIXELS, error);
}

/* *more is false at the end. */
static mien_status read_block(unpacker *u, block *b, bool *more, mien_error *error)
{
    size_t left = (size_t)(u->end - u->at);
    if (left < 4)
        return damaged(u, "it has no end", error);
    *b = (block){.count = read_u32(u->at),
                 .record_size = RECORD_SIZE + (u->with_votes ? VOTES_SIZE : 0)};
    *more = b->count > 0;
    if (!*more)
        return left == 4 ? MIEN_OK : damaged(u, "bytes after its end", error);
    if (b->count > BLOCK_PICTURES || left < BLOCK_HEADER_SIZE)
        return damaged(u, "a block of too many pictures", error);
    b->packed_size = read_u32(u->at + 4);
    size_t records_size = b->count * b->record_size;
    if (left - BLOCK_HEADER_SIZE < records_size ||
        left - BLOCK_HEADER_SIZE - records_size < b->packed_size)
        return damaged(u, "a block that goes beyond its end", error);
    b->records = u->at + BLOCK_HEADER_SIZE;
    b->packed = b->records + records_size;
    u->at = b->packed + b->packed_size;
    return MIEN_OK;
}

static mien_status read_blocks(unpacker *u, const fer_taker *taker, mien_error *error)
{
    block b = {0};
    bool more = true;
    mien_status status = MIEN_OK;
    while (status == MIEN_OK && more) {
        status = read_block(u, &b, &more, error);
        for (size_t i = 0; status == MIEN_OK && more && i < b.count; i++)
            status = hand_out(u, &b, i, taker, error);
    }
    return status;
}

mien_status pack_scan(const uint8_t *data, size_t size, const char *name, bool with_votes,
                      const fer_taker *taker, mien_error *error)
{
    unpacker *u = memory_zeroed(1, sizeof *u);
    if (u == NULL)
        return error_no_memory(error, "a packed set", sizeof *u);
    u->name = name;
    u->at = data;
    u->end = data + size;
    u->last_row = -1;
    mien_status status = check_digest(u, size, error);
    if (status == MIEN_OK)
        status = read_header(u, with_votes, error);
    if (status == MIEN_OK)
        status = read_blocks(u, taker, error);
    free(u);
    return status;
}
