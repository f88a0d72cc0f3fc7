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

/* For large arrays: eight bytes at a time. */
static uint64_t hash_words(const unsigned char *bytes, size_t size)
{
    uint64_t hash = CHECKPOINT_HASH_START;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(1099511628211);
        hash ^= hash >> 32;
    }
    return checkpoint_hash(hash, bytes + i, size - i);
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
    unsigned char *bytes = malloc(size);
    if (bytes == NULL)
        return error_no_memory(error, "a checkpoint", size);
    header head = {.identity = identity, .bytes = content};
    memcpy(head.magic, magic, sizeof magic);
    memcpy(bytes, &head, sizeof head);
    size_t at = sizeof head;
    for (size_t i = 0; i < count; i++) {
        if (arrays[i].bytes != 0)
            memcpy(bytes + at, arrays[i].data, arrays[i].bytes);
        at += arrays[i].bytes;
    }
    uint64_t hash = hash_words(bytes, at);
    memcpy(bytes + at, &hash, sizeof hash);
    mien_status status = file_write_atomic(path, bytes, size, error);
    free(bytes);
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
    if (hash != hash_words(bytes, size - sizeof hash))
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
