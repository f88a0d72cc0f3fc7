/* SPDX-License-Identifier: Apache-2.0 */
#include "prep/shrink.h"

#include "prep/sample.h"

#include <string.h>

/* ---- Rows summed as they lie, then columns, once a row of the input ---- */

/* Grey from colours is rounded pixel by pixel, so it cannot be made of sums. */
bool prep_may_shrink(const prep_settings *settings, const mien_image *image, const image_rect *crop)
{
    return crop->width > (float)settings->width && crop->height > (float)settings->height &&
           (settings->format != PREP_GRAY || image->format == MIEN_PIXEL_GRAY8);
}

static void add_row(const uint8_t *bytes, float weight, int count, float *sums)
{
    for (int i = 0; i < count; i++)
        sums[i] += weight * (float)bytes[i];
}

/* Always inlined with a constant size of a pixel and number of taps, 0 where they differ. */
static inline __attribute__((always_inline)) void
shrink_taps(const prep_axis *columns, const float *pixels, int size, int same, float *row)
{
    for (int i = 0; i < columns->length; i++) {
        const prep_tap *tap = &columns->taps[i];
        const float *weights = columns->weights + tap->weights;
        const float *source = pixels + tap->first * size;
        float sum = weights[0] * source[0];
        for (int t = 1; t < (same != 0 ? same : tap->count); t++)
            sum += weights[t] * source[t * size];
        row[i] = sum;
    }
}

/* One channel of pixels of `size` numbers, from the picture's first column on. */
static void shrink(const prep_axis *columns, const float *pixels, int size, float *row)
{
    if (size == 3 && columns->same_count == 2)
        shrink_taps(columns, pixels, 3, 2, row);
    else if (size == 3)
        shrink_taps(columns, pixels, 3, 0, row);
    else
        shrink_taps(columns, pixels, size, 0, row);
}

static void fill_shrunk(const prep_settings *settings, const mien_image *image,
                        const prep_axis *columns, const prep_axis *rows, float *sums, float *row,
                        float *input)
{
    prep_byte_order order = prep_order_of(image->format);
    const int rgb[3] = {order.red, order.green, order.blue};
    const prep_tap *last = &columns->taps[columns->length - 1];
    int first = columns->taps[0].first * order.size;
    int count = (last->first + last->count) * order.size - first;
    for (int y = 0; y < settings->height; y++) {
        const prep_tap *tap = &rows->taps[y];
        memset(sums + first, 0, (size_t)count * sizeof *sums);
        for (int t = 0; t < tap->count; t++)
            add_row(image_row(image, tap->first + t) + first,
                    rows->weights[tap->weights + (size_t)t], count, sums + first);
        for (int c = 0; c < prep_channels(settings); c++)
            shrink(columns, sums + rgb[settings->format == PREP_BGR ? 2 - c : c], order.size,
                   row + c * settings->width);
        prep_write_row(settings, row, y, input);
    }
}

/* ---- By a whole number: the same in whole numbers ---- */

#define MOST_EVEN_ROWS    257   /* whose sum of bytes fits in 16 bits */
#define MOST_EVEN_COLUMNS 32768 /* whose sum of those fits in 31 */

static bool takes_means(const prep_axis *axis, int most)
{
    for (int i = 0; i < axis->length; i++)
        if (axis->taps[i].count > most)
            return false;
    return axis->even;
}

/* A row of one channel of the input. */
typedef struct channel_row {
    float *out;
    float share; /* of a row of the picture */
    float mean, scale;
} channel_row;

/* Taps of `same` pixels each, side by side. Always inlined with constants. */
static inline __attribute__((always_inline)) void
total_same(const prep_axis *columns, const uint16_t *sums, int size, int same, int32_t *totals)
{
    sums += columns->taps[0].first * size;
    for (int i = 0; i < columns->length; i++, sums += same * size) {
        int32_t total = sums[0];
        for (int t = 1; t < same; t++)
            total += sums[t * size];
        totals[i] = total;
    }
}

static void total_any(const prep_axis *columns, const uint16_t *sums, int size, int32_t *totals)
{
    for (int i = 0; i < columns->length; i++) {
        const prep_tap *tap = &columns->taps[i];
        const uint16_t *source = sums + tap->first * size;
        totals[i] = 0;
        for (int t = 0; t < tap->count; t++)
            totals[i] += source[t * size];
    }
}

/* sums: of pixels of `size` numbers, from the picture's first column on. totals: (columns). */
static void mean_row(const prep_axis *columns, const uint16_t *sums, int size, int32_t *totals,
                     channel_row row)
{
    if (size == 3 && columns->same_count == 2)
        total_same(columns, sums, 3, 2, totals);
    else if (size == 3 && columns->same_count == 4)
        total_same(columns, sums, 3, 4, totals);
    else
        total_any(columns, sums, size, totals);
    if (columns->same_count != 0) {
        float weight = row.share * columns->weights[0];
        for (int i = 0; i < columns->length; i++)
            row.out[i] = ((float)totals[i] * weight - row.mean) * row.scale;
        return;
    }
    for (int i = 0; i < columns->length; i++) {
        float weight = row.share * columns->weights[columns->taps[i].weights];
        row.out[i] = ((float)totals[i] * weight - row.mean) * row.scale;
    }
}

/* The sums of `rows` rows from `bytes` on. */
static void sum_bytes(const uint8_t *bytes, size_t stride, int rows, int count, uint16_t *sums)
{
    for (int i = 0; i < count; i++)
        sums[i] = bytes[i];
    for (int r = 1; r < rows; r++) {
        bytes += stride;
        for (int i = 0; i < count; i++)
            sums[i] = (uint16_t)(sums[i] + bytes[i]);
    }
}

/* Beyond the picture its edge is repeated: rows of the input there are all the same. */
static bool repeats_row(const prep_axis *rows, int y)
{
    const prep_tap *tap = &rows->taps[y];
    return y > 0 && tap->count == 1 && tap[-1].count == 1 && tap->first == tap[-1].first;
}

/* sums: a row of the picture's numbers; totals: (columns). */
static void fill_means(const prep_settings *settings, const mien_image *image,
                       const prep_axis *columns, const prep_axis *rows, uint16_t *sums,
                       int32_t *totals, float *input)
{
    prep_byte_order order = prep_order_of(image->format);
    const int rgb[3] = {order.red, order.green, order.blue};
    const prep_tap *last = &columns->taps[columns->length - 1];
    int first = columns->taps[0].first * order.size;
    int count = (last->first + last->count) * order.size - first;
    size_t width = (size_t)settings->width, plane = width * (size_t)settings->height;
    for (int y = 0; y < settings->height; y++, input += width) {
        const prep_tap *tap = &rows->taps[y];
        bool repeats = repeats_row(rows, y);
        if (!repeats)
            sum_bytes(image_row(image, tap->first) + first, image->stride, tap->count, count,
                      sums + first);
        for (size_t c = 0; c < (size_t)prep_channels(settings); c++) {
            channel_row row = {input + c * plane, rows->weights[tap->weights], settings->mean[c],
                               settings->scale[c]};
            if (repeats)
                memcpy(row.out, row.out - width, width * sizeof *row.out);
            else
                mean_row(columns, sums + rgb[settings->format == PREP_BGR ? 2 - c : c], order.size,
                         totals, row);
        }
    }
}

void prep_shrink(const prep_settings *settings, const mien_image *image, const prep_axis *columns,
                 const prep_axis *rows, float *sums, float *row, float *input)
{
    if (takes_means(columns, MOST_EVEN_COLUMNS) && takes_means(rows, MOST_EVEN_ROWS))
        fill_means(settings, image, columns, rows, (uint16_t *)(void *)sums, (int32_t *)(void *)row,
                   input);
    else
        fill_shrunk(settings, image, columns, rows, sums, row, input);
}
