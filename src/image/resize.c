/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/memory.h"
#include "image/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Bilinear, in fixed point as OpenCV's INTER_LINEAR_EXACT: weights have 8 fraction bits, a value
 * that was interpolated along one axis has 8.8 bits and is exact, and one that was along both has
 * 16 fraction bits and is rounded half up; so the order of the axes is free. Only the weights
 * themselves are rounded, half to even.
 */
enum { WEIGHT_ONE = 256 };

/* scale: old samples per new sample. */
static image_tap tap_at(int index, double scale, int old_count)
{
    double position = scale * (index + 0.5) - 0.5;
    int32_t first = (int32_t)floor(position);
    if (first < 0)
        return (image_tap){0, 0};
    if (first >= old_count - 1)
        return (image_tap){old_count - 1, 0};
    return (image_tap){first, (int32_t)nearbyint((position - first) * WEIGHT_ONE)};
}

/* OpenCV takes the reciprocal of the inverse ratio, which is not always the ratio. */
static double scale_of(int old_count, int new_count)
{
    return 1.0 / ((double)new_count / old_count);
}

void image_bilinear_taps(int old_count, int new_count, image_tap *taps)
{
    double scale = scale_of(old_count, new_count);
    for (int i = 0; i < new_count; i++)
        taps[i] = tap_at(i, scale, old_count);
}

/* Bounds: 255 * 256 < 2^16. */
static void blend_rows(const uint8_t *restrict first, const uint8_t *restrict second, int weight,
                       uint16_t *restrict row, size_t count)
{
    uint16_t first_weight = (uint16_t)(WEIGHT_ONE - weight), second_weight = (uint16_t)weight;
    for (size_t i = 0; i < count; i++)
        row[i] = (uint16_t)(first[i] * first_weight + second[i] * second_weight);
}

/* Inlined with constant channels. */
static inline __attribute__((always_inline)) void blend_channels(const uint16_t *restrict row,
                                                                 const image_tap *restrict taps,
                                                                 int width, uint8_t *restrict dst,
                                                                 int channels)
{
    for (int x = 0; x < width; x++) {
        const uint16_t *first = row + (ptrdiff_t)taps[x].first * channels;
        uint32_t weight = (uint32_t)taps[x].weight;
        for (int c = 0; c < channels; c++)
            dst[x * channels + c] = (uint8_t)((first[c] * (WEIGHT_ONE - weight) +
                                               first[channels + c] * weight + 32768) >>
                                              16);
    }
}

static void blend_columns(const uint16_t *row, const image_tap *taps, int width, int channels,
                          uint8_t *dst)
{
    if (channels == 1)
        blend_channels(row, taps, width, dst, 1);
    else if (channels == 3)
        blend_channels(row, taps, width, dst, 3);
    else
        blend_channels(row, taps, width, dst, 4);
}

void image_bilinear_row(const mien_image *src, image_tap row, const image_tap *columns, int width,
                        uint16_t *scratch, uint8_t *dst)
{
    int channels = mien_pixel_size(src->format);
    int second = row.weight != 0 ? row.first + 1 : row.first;
    blend_rows(image_row(src, row.first), image_row(src, second), row.weight, scratch,
               (size_t)src->width * (size_t)channels);
    blend_columns(scratch, columns, width, channels, dst);
}

static mien_status resize_bilinear(const mien_image *src, mien_image *dst, mien_error *error)
{
    size_t samples = ((size_t)src->width + 1) * (size_t)mien_pixel_size(src->format);
    size_t taps = (size_t)dst->width + (size_t)dst->height;
    image_tap *columns = memory_zeroed(taps, sizeof *columns);
    uint16_t *scratch = memory_zeroed(samples, sizeof *scratch);
    mien_status status = MIEN_OK;
    if (columns == NULL || scratch == NULL) {
        status =
            error_no_memory(error, "resizing", taps * sizeof *columns + samples * sizeof *scratch);
    } else {
        image_tap *rows = columns + dst->width;
        image_bilinear_taps(src->width, dst->width, columns);
        image_bilinear_taps(src->height, dst->height, rows);
        for (int y = 0; y < dst->height; y++)
            image_bilinear_row(src, rows[y], columns, dst->width, scratch, image_row(dst, y));
    }
    free(columns);
    free(scratch);
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
