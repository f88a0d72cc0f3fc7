/* SPDX-License-Identifier: Apache-2.0 */
#include "data/difference_hash.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <stdlib.h>

enum { SIDE = DIFFERENCE_HASH_SIDE };

static mien_status shrink(const mien_image *image, mien_image *small, mien_error *error)
{
    mien_image gray = {0};
    const mien_image *source = image;
    mien_status status = MIEN_OK;
    if (image->format != MIEN_PIXEL_GRAY8) {
        status = mien_image_alloc(image->width, image->height, MIEN_PIXEL_GRAY8, &gray, error);
        if (status == MIEN_OK)
            status = image_convert(image, &gray, error);
        source = &gray;
    }
    bool shrinks = image->width > SIDE && image->height >= SIDE;
    if (status == MIEN_OK)
        status =
            image_resize(source, small, shrinks ? IMAGE_FILTER_AREA : IMAGE_FILTER_BILINEAR, error);
    mien_image_free(&gray);
    return status;
}

mien_status difference_hash_of(const mien_image *image, difference_hash *hash, mien_error *error)
{
    uint8_t pixels[SIDE * (SIDE + 1)];
    mien_image small = {.format = MIEN_PIXEL_GRAY8,
                        .width = SIDE + 1,
                        .height = SIDE,
                        .stride = SIDE + 1,
                        .data = pixels};
    *hash = (difference_hash){0};
    mien_status status = image_check(image, error);
    if (status == MIEN_OK)
        status = shrink(image, &small, error);
    if (status != MIEN_OK)
        return status;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const uint8_t *pixel = pixels + y * (SIDE + 1) + x;
            int bit = y * SIDE + x;
            hash->words[bit / 64] |= (uint64_t)(pixel[0] < pixel[1]) << bit % 64;
        }
    return MIEN_OK;
}

int difference_hash_distance(const difference_hash *a, const difference_hash *b)
{
    int distance = 0;
    for (int w = 0; w < DIFFERENCE_HASH_WORDS; w++)
        distance += __builtin_popcountll(a->words[w] ^ b->words[w]);
    return distance;
}

/* The hashes of a set, (count); the caller frees. */
static mien_status hash_set(const dataset *set, difference_hash **hashes, mien_error *error)
{
    *hashes = memory_zeroed(set->count, sizeof **hashes);
    if (*hashes == NULL)
        return error_no_memory(error, "picture hashes", set->count * sizeof **hashes);
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < set->count; i++)
        status = difference_hash_of(&set->samples[i].image, &(*hashes)[i], error);
    return status;
}

static bool has_near(const difference_hash *hash, const difference_hash *others, size_t count,
                     int most_bits)
{
    for (size_t i = 0; i < count; i++)
        if (difference_hash_distance(hash, &others[i]) <= most_bits)
            return true;
    return false;
}

mien_status difference_hash_find(const dataset *set, const dataset *others, int most_bits,
                                 bool *near, mien_error *error)
{
    difference_hash *hashes = NULL, *other_hashes = NULL;
    mien_status status = hash_set(set, &hashes, error);
    if (status == MIEN_OK)
        status = hash_set(others, &other_hashes, error);
    for (size_t i = 0; status == MIEN_OK && i < set->count; i++)
        near[i] = has_near(&hashes[i], other_hashes, others->count, most_bits);
    free(hashes);
    free(other_hashes);
    return status;
}
