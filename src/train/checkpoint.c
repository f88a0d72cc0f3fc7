/* SPDX-License-Identifier: Apache-2.0 */
#include "train/checkpoint.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char magic[8] = {'M', 'I', 'E', 'N', 'R', 'U', 'N', '1'};

/* Magic, identity, number of bytes that follow, then the arrays, then the hash of all before. */
typedef struct header {
    char magic[8];
    uint64_t identity;
    uint64_t bytes;
} header;

uint64_t checkpoint_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

/* For large arrays: eight bytes at a time, whatever parts they come in. */
typedef struct word_hash {
    uint64_t hash;
    unsigned char begun[8]; /* bytes that make no word yet */
    size_t begun_count;
} word_hash;

static uint64_t hash_word(uint64_t hash, const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    hash = (hash ^ word) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

static void hash_part(word_hash *h, const unsigned char *bytes, size_t size)
{
    size_t i = 0;
    while (i < size && h->begun_count > 0) {
        h->begun[h->begun_count++] = bytes[i++];
        if (h->begun_count == sizeof h->begun) {
            h->hash = hash_word(h->hash, h->begun);
            h->begun_count = 0;
        }
    }
    for (; i + sizeof h->begun <= size; i += sizeof h->begun)
        h->hash = hash_word(h->hash, bytes + i);
    while (i < size)
        h->begun[h->begun_count++] = bytes[i++];
}

static uint64_t hash_end(const word_hash *h)
{
    return checkpoint_hash(h->hash, h->begun, h->begun_count);
}

static uint64_t hash_parts(const file_part *parts, size_t count)
{
    word_hash h = {.hash = CHECKPOINT_HASH_START};
    for (size_t i = 0; i < count; i++)
        hash_part(&h, parts[i].bytes, parts[i].size);
    return hash_end(&h);
}

static bool total_bytes(const checkpoint_array *arrays, size_t count, size_t *total)
{
    *total = 0;
    for (size_t i = 0; i < count; i++)
        if (!size_add(*total, arrays[i].bytes, total))
            return false;
    return true;
}

mien_status checkpoint_write(const char *path, uint64_t identity, const checkpoint_array *arrays,
                             size_t count, mien_error *error)
{
    size_t content, size;
    if (!total_bytes(arrays, count, &content) ||
        !size_add(content, sizeof(header) + sizeof(uint64_t), &size))
        return error_set(error, MIEN_LIMIT, "the checkpoint is too large");
    file_part *parts = memory_zeroed(count + 2, sizeof *parts);
    if (parts == NULL)
        return error_no_memory(error, "a checkpoint", (count + 2) * sizeof *parts);
    header head = {.identity = identity, .bytes = content};
    memcpy(head.magic, magic, sizeof magic);
    parts[0] = (file_part){&head, sizeof head};
    for (size_t i = 0; i < count; i++)
        parts[i + 1] = (file_part){arrays[i].data, arrays[i].bytes};
    uint64_t hash = hash_parts(parts, count + 1);
    parts[count + 1] = (file_part){&hash, sizeof hash};
    mien_status status = file_write_parts_atomic(path, parts, count + 2, error);
    free(parts);
    return status;
}

static mien_status check(const char *path, uint64_t identity, const unsigned char *bytes,
                         size_t size, size_t content, mien_error *error)
{
    header head;
    uint64_t hash;
    if (size < sizeof head + sizeof hash)
        return error_set(error, MIEN_MALFORMED, "'%s' is no checkpoint: it is too short", path);
    memcpy(&head, bytes, sizeof head);
    memcpy(&hash, bytes + size - sizeof hash, sizeof hash);
    if (memcmp(head.magic, magic, sizeof magic) != 0)
        return error_set(error, MIEN_MALFORMED, "'%s' is no checkpoint", path);
    if (hash != hash_parts(&(file_part){bytes, size - sizeof hash}, 1))
        return error_set(error, MIEN_MALFORMED, "the checkpoint '%s' is damaged", path);
    if (head.identity != identity || head.bytes != content ||
        size != sizeof head + content + sizeof hash)
        return error_set(
            error, MIEN_MALFORMED,
            "the checkpoint '%s' belongs to another recipe, seed or data set, to other "
            "files, or to another backend or number of threads: choose another folder, "
            "or begin anew",
            path);
    return MIEN_OK;
}

mien_status checkpoint_read(const char *path, uint64_t identity, const checkpoint_array *arrays,
                            size_t count, mien_error *error)
{
    uint8_t *bytes;
    size_t size, content;
    if (!total_bytes(arrays, count, &content))
        return error_set(error, MIEN_LIMIT, "the checkpoint is too large");
    mien_status status = file_read(path, SIZE_MAX / 4, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = check(path, identity, bytes, size, content, error);
    size_t at = sizeof(header);
    for (size_t i = 0; status == MIEN_OK && i < count; i++) {
        if (arrays[i].bytes != 0)
            memcpy(arrays[i].data, bytes + at, arrays[i].bytes);
        at += arrays[i].bytes;
    }
    free(bytes);
    return status;
}
