/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

/*
 * Checkpoints: plain numbers of a run in one file, written atomically and guarded by a hash. A run
 * lists its arrays in a fixed order; reading checks that the file has the same list.
 */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct checkpoint_array {
    void *data;
    size_t bytes;
} checkpoint_array;

/*
 * identity: of the recipe, seed and data; a checkpoint with another one is refused.
 * MIEN_IO, MIEN_OUT_OF_MEMORY.
 */
mien_status checkpoint_write(const char *path, uint64_t identity, const checkpoint_array *arrays,
                             size_t count, mien_error *error);

/*
 * Fills the arrays. On failure their content is not changed. MIEN_NOT_FOUND, MIEN_IO,
 * MIEN_MALFORMED (damaged, or of another run).
 */
mien_status checkpoint_read(const char *path, uint64_t identity, const checkpoint_array *arrays,
                            size_t count, mien_error *error);

/* FNV-1a, 64 bits, continued from `hash`; begin with CHECKPOINT_HASH_START. */
#define CHECKPOINT_HASH_START UINT64_C(14695981039346656037)
uint64_t checkpoint_hash(uint64_t hash, const void *bytes, size_t size);

#endif
