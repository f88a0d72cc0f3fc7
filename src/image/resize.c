/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/memory.h"
#include "image/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Bilinear, in fixed point as OpenCV's INTER_LINEAR_EXACT: weights have 8 fraction bits, a row that
 * was interpolated along x has values of 8.8 bits, and the sum of two rows has 16 fraction bits and
 * is rounded half up. Only the weights themselves are rounded, half to even.
 */
enum { WEIGHT_ONE = 256 };

/* Between which two samples a new one lies: it is first * (256 - weight) + second * weight. */
typedef struct tap {
    int32_t first, second;
    int32_t weight; /* of second, 0..256 */
} tap;

/* scale: old samples per new sample. */
static tap tap_at(int index, double scale, int old_count)
{
    double position = scale * (index + 0.5) - 0.5;
    int32_t first = (int32_t)floor(position);
    if (first < 0)
        return (tap){0, 0, 0};
    if (first >= old_count - 1)
        return (tap){old_count - 1, old_count - 1, 0};
    return (tap){first, first + 1, (int32_t)nearbyint((position - first) * WEIGHT_ONE)};
}

/* OpenCV takes the reciprocal of the inverse ratio, which is not always the ratio. */
static double scale_of(int old_count, int new_count)
{
    return 1.0 / ((double)new_count / old_count);
}

/* Bounds: 255 * 256 < 2^16. Inlined with constant channels. */
static inline __attribute__((always_inline)) void
interpolate_channels(const uint8_t *restrict src, const tap *restrict taps, int width,
                     uint16_t *restrict dst, int channels)
{
    for (int x = 0; x < width; x++)
        for (int c = 0; c < channels; c++)
            dst[x * channels + c] =
                (uint16_t)(src[taps[x].first * channels + c] * (WEIGHT_ONE - taps[x].weight) +
                           src[taps[x].second * channels + c] * taps[x].weight);
}

static void interpolate_row(const uint8_t *src, const tap *taps, int width, int channels,
                            uint16_t *dst)
{
    if (channels == 1)
        interpolate_channels(src, taps, width, dst, 1);
    else if (channels == 3)
        interpolate_channels(src, taps, width, dst, 3);
    else
        interpolate_channels(src, taps, width, dst, 4);
}

static void blend_rows(const uint16_t *restrict first, const uint16_t *restrict second,
                       uint32_t weight, uint8_t *restrict dst, int count)
{
    for (int i = 0; i < count; i++)
        dst[i] = (uint8_t)((first[i] * (WEIGHT_ONE - weight) + second[i] * weight + 32768) >> 16);
}

/* The last two rows of the source that were interpolated along x. */
typedef struct row_cache {
    const mien_image *src;
    const tap *taps;
    int width, channels; /* of the destination */
    uint16_t *rows[2];
    int indices[2]; /* which source rows they are, -1 for none */
} row_cache;

/* Row y of the source; the row that was asked for before it stays valid. */
static const uint16_t *cached_row(row_cache *cache, int y)
{
    if (cache->indices[1] != y) {
        uint16_t *older = cache->rows[0];
        cache->rows[0] = cache->rows[1];
        cache->rows[1] = older;
        int older_index = cache->indices[0];
        cache->indices[0] = cache->indices[1];
        cache->indices[1] = older_index;
    }
    if (cache->indices[1] != y) {
        interpolate_row(image_row(cache->src, y), cache->taps, cache->width, cache->channels,
                        cache->rows[1]);
        cache->indices[1] = y;
    }
    return cache->rows[1];
}

static mien_status resize_bilinear(const mien_image *src, mien_image *dst, mien_error *error)
{
    int channels = mien_pixel_size(src->format);
    size_t samples = (size_t)dst->width * (size_t)channels;
    tap *taps = memory_zeroed((size_t)dst->width, sizeof *taps);
    uint16_t *rows = memory_zeroed(2 * samples, sizeof *rows);
    mien_status status = MIEN_OK;
    if (taps == NULL || rows == NULL) {
        status = error_no_memory(error, "resizing",
                                 (size_t)dst->width * sizeof *taps + 2 * samples * sizeof *rows);
        goto cleanup;
    }
    double scale = scale_of(src->width, dst->width);
    for (int x = 0; x < dst->width; x++)
        taps[x] = tap_at(x, scale, src->width);
    row_cache cache = {src, taps, dst->width, channels, {rows, rows + samples}, {-1, -1}};
    scale = scale_of(src->height, dst->height);
    for (int y = 0; y < dst->height; y++) {
        tap row = tap_at(y, scale, src->height);
        const uint16_t *first = cached_row(&cache, row.first);
        const uint16_t *second = cached_row(&cache, row.second);
        blend_rows(first, second, (uint32_t)row.weight, image_row(dst, y), (int)samples);
    }
cleanup:
    free(taps);
    free(rows);
    return status;
}

/*
 * Area, in whole numbers: along an axis of old_count samples a new one covers old_count units, an
 * old one new_count units, so every overlap is an integer and the mean is exact before rounding.
 * Bounds with sides up to 65535: a column sum < 2^24, a cell sum < 2^40.
 */
typedef struct span {
    int first, last; /* old samples that the new one touches, both included */
    int64_t start;   /* where the new one starts and ends, in units */
    int64_t end;
} span;

static span span_at(int index, int old_count, int new_count)
{
    int64_t start = (int64_t)index * old_count;
    int64_t end = start + old_count;
    return (span){(int)(start / new_count), (int)((end - 1) / new_count), start, end};
}

/* Units of old sample i that lie inside the span. */
static uint32_t overlap(const span *covered, int i, int new_count)
{
    int64_t left = (int64_t)i * new_count;
    int64_t right = left + new_count;
    int64_t start = left > covered->start ? left : covered->start;
    int64_t end = right < covered->end ? right : covered->end;
    return (uint32_t)(end - start);
}

static void add_weighted_row(const uint8_t *restrict src, uint32_t weight,
                             uint32_t *restrict column_sums, size_t count)
{
    for (size_t i = 0; i < count; i++)
        column_sums[i] += weight * src[i];
}

static void average_columns(const uint32_t *column_sums, const mien_image *src, mien_image *dst,
                            uint8_t *row)
{
    int channels = mien_pixel_size(src->format);
    uint64_t area = (uint64_t)src->width * (uint64_t)src->height;
    for (int x = 0; x < dst->width; x++) {
        span covered = span_at(x, src->width, dst->width);
        uint64_t sums[4] = {0};
        for (int i = covered.first; i <= covered.last; i++) {
            uint64_t weight = overlap(&covered, i, dst->width);
            for (int c = 0; c < channels; c++)
                sums[c] += weight * column_sums[(size_t)i * (size_t)channels + (size_t)c];
        }
        for (int c = 0; c < channels; c++)
            *row++ = (uint8_t)((sums[c] + area / 2) / area);
    }
}

static mien_status resize_area(const mien_image *src, mien_image *dst, mien_error *error)
{
    size_t samples = (size_t)src->width * (size_t)mien_pixel_size(src->format);
    uint32_t *column_sums = memory_zeroed(samples, sizeof *column_sums);
    if (column_sums == NULL)
        return error_no_memory(error, "resizing", samples * sizeof *column_sums);
    for (int y = 0; y < dst->height; y++) {
        memset(column_sums, 0, samples * sizeof *column_sums);
        span covered = span_at(y, src->height, dst->height);
        for (int i = covered.first; i <= covered.last; i++)
            add_weighted_row(image_row(src, i), overlap(&covered, i, dst->height), column_sums,
                             samples);
        average_columns(column_sums, src, dst, image_row(dst, y));
    }
    free(column_sums);
    return MIEN_OK;
}

mien_status image_resize(const mien_image *src, mien_image *dst, image_filter filter,
                         mien_error *error)
{
    mien_status status = image_check_same_format(src, dst, error);
    if (status != MIEN_OK)
        return status;
    switch (filter) {
    case IMAGE_FILTER_BILINEAR:
        return resize_bilinear(src, dst, error);
    case IMAGE_FILTER_AREA:
        return resize_area(src, dst, error);
    }
    return error_set(error, MIEN_INVALID_ARGUMENT, "unknown filter %d", (int)filter);
}
