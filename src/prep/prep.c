/* SPDX-License-Identifier: Apache-2.0 */
#include "prep/prep.h"

#include "base/error.h"
#include "base/memory.h"
#include "prep/sample.h"
#include "prep/shrink.h"
#include "prep/taps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t prep_input_floats(const prep_settings *settings)
{
    size_t channels = (size_t)prep_channels(settings);
    return channels * (size_t)settings->width * (size_t)settings->height;
}

void prep_scratch_free(prep_scratch *scratch)
{
    free(scratch->memory);
    *scratch = (prep_scratch){0};
}

static mien_status reserve(prep_scratch *scratch, size_t bytes, mien_error *error)
{
    if (bytes <= scratch->bytes)
        return MIEN_OK;
    prep_scratch_free(scratch);
    scratch->memory = memory_aligned(bytes);
    if (scratch->memory == NULL)
        return error_no_memory(error, "preparing a face", bytes);
    scratch->bytes = bytes;
    return MIEN_OK;
}

image_rect prep_crop(const prep_settings *settings, const image_rect *box)
{
    float longer = box->width > box->height ? box->width : box->height;
    float width = (settings->square ? longer : box->width) + 2 * settings->margin * longer;
    float height = (settings->square ? longer : box->height) + 2 * settings->margin * longer;
    return (image_rect){box->x + (box->width - width) / 2, box->y + (box->height - height) / 2,
                        width, height};
}

/* ---- Upright crops ---- */

/* Memory for the source rows of one crop. */
typedef struct source_rows {
    int first, count; /* columns of the picture, which may lie beyond it */
    float *pixels;    /* (channels, count): a row of them */
    float *cached[2]; /* (channels, columns): even and odd rows, resampled */
    int numbers[2];   /* which rows of the picture these are, or -1 */
} source_rows;

/* Always inlined with a constant size of a pixel and constant channels. */
static inline __attribute__((always_inline)) void read_pixels(const uint8_t *bytes,
                                                              prep_byte_order order,
                                                              prep_format format, int count,
                                                              float *values, int stride)
{
    for (int i = 0; i < count; i++, bytes += order.size, values++) {
        float channels[3];
        prep_read_pixel(bytes, order, format, channels);
        values[0] = channels[0];
        if (format != PREP_GRAY) {
            values[stride] = channels[1];
            values[2 * stride] = channels[2];
        }
    }
}

/* Pixels as channels of the network, each `stride` floats behind the one before. */
static void read_channels(const uint8_t *bytes, mien_pixel_format from, prep_format to, int count,
                          float *values, int stride)
{
    prep_byte_order order = prep_order_of(from);
    if (from == MIEN_PIXEL_GRAY8 && to == PREP_GRAY)
        read_pixels(bytes, (prep_byte_order){1, 0, 0, 0}, PREP_GRAY, count, values, stride);
    else if (from == MIEN_PIXEL_RGB8 && to == PREP_GRAY)
        read_pixels(bytes, (prep_byte_order){3, 0, 1, 2}, PREP_GRAY, count, values, stride);
    else if (to == PREP_GRAY)
        read_pixels(bytes, order, PREP_GRAY, count, values, stride);
    else if (to == PREP_RGB)
        read_pixels(bytes, order, PREP_RGB, count, values, stride);
    else
        read_pixels(bytes, order, PREP_BGR, count, values, stride);
}

/* A row of the picture as channels of the network; beyond the picture its edge is repeated. */
static void read_row(const prep_settings *settings, const mien_image *image, int y,
                     source_rows *rows)
{
    int left = prep_clamp(-rows->first, rows->count - 1);
    int right = prep_clamp(image->width - rows->first, rows->count);
    right = right > left ? right : left + 1;
    int column = prep_clamp(rows->first + left, image->width - 1);
    size_t pixel_size = (size_t)mien_pixel_size(image->format);
    read_channels(image_row(image, y) + (size_t)column * pixel_size, image->format,
                  settings->format, right - left, rows->pixels + left, rows->count);
    float *values = rows->pixels;
    for (int c = 0; c < prep_channels(settings); c++, values += rows->count) {
        for (int i = 0; i < left; i++)
            values[i] = values[left];
        for (int i = right; i < rows->count; i++)
            values[i] = values[right - 1];
    }
}

/* Always inlined with a constant number of taps where all have the same, else 0. */
static inline __attribute__((always_inline)) void
resample_taps(const prep_axis *columns, const float *pixels, int first, float *row, int same)
{
    for (int i = 0; i < columns->length; i++) {
        const prep_tap *tap = &columns->taps[i];
        const float *weights = columns->weights + tap->weights;
        const float *source = pixels + (tap->first - first);
        float sum = weights[0] * source[0];
        for (int t = 1; t < (same != 0 ? same : tap->count); t++)
            sum += weights[t] * source[t];
        row[i] = sum;
    }
}

/* pixels: from column `first` of the picture. */
static void resample(const prep_axis *columns, const float *pixels, int first, float *row)
{
    if (columns->same_count == 1)
        resample_taps(columns, pixels, first, row, 1);
    else if (columns->same_count == 2)
        resample_taps(columns, pixels, first, row, 2);
    else
        resample_taps(columns, pixels, first, row, 0);
}

/* Row y of the picture at the output's columns. Each is resampled once: consecutive output rows
 * share at most the last few. */
static const float *resampled_row(const prep_settings *settings, const mien_image *image, int y,
                                  const prep_axis *columns, source_rows *rows)
{
    float *row = rows->cached[y % 2];
    if (rows->numbers[y % 2] == y)
        return row;
    rows->numbers[y % 2] = y;
    read_row(settings, image, y, rows);
    for (int c = 0; c < prep_channels(settings); c++)
        resample(columns, rows->pixels + c * rows->count, rows->first, row + c * columns->length);
    return row;
}

static void fill_rows(const prep_settings *settings, const mien_image *image,
                      const prep_axis *columns, const prep_axis *rows, source_rows *sources,
                      float *sums, float *input)
{
    int values = settings->width * prep_channels(settings);
    for (int y = 0; y < settings->height; y++) {
        const prep_tap *tap = &rows->taps[y];
        memset(sums, 0, (size_t)values * sizeof *sums);
        for (int t = 0; t < tap->count; t++) {
            int source = prep_clamp(tap->first + t, image->height - 1);
            const float *row = resampled_row(settings, image, source, columns, sources);
            float weight = rows->weights[tap->weights + (size_t)t];
            for (int i = 0; i < values; i++)
                sums[i] += weight * row[i];
        }
        prep_write_row(settings, sums, y, input);
    }
}

static mien_status fill_upright(const prep_settings *settings, const mien_image *image,
                                const image_rect *crop, prep_scratch *scratch, float *input,
                                mien_error *error)
{
    size_t channels = (size_t)prep_channels(settings);
    size_t column_weights = prep_most_weights(crop->width, settings->width);
    size_t row_weights = prep_most_weights(crop->height, settings->height);
    size_t pixels = channels * prep_most_pixels(crop->width, settings->width, image->width);
    size_t values = channels * (size_t)settings->width;
    size_t taps = (size_t)settings->width + (size_t)settings->height;
    size_t row_numbers = (size_t)image->width * (size_t)mien_pixel_size(image->format);
    size_t floats =
        column_weights + row_weights + 3 * values + (pixels > row_numbers ? pixels : row_numbers);
    mien_status status = reserve(scratch, taps * sizeof(prep_tap) + floats * sizeof(float), error);
    if (status != MIEN_OK)
        return status;
    prep_tap *tap_memory = scratch->memory;
    float *memory = (float *)(tap_memory + taps);
    prep_axis columns = {tap_memory, memory, settings->width, 0, false};
    prep_axis rows = {tap_memory + settings->width, memory + column_weights, settings->height, 0,
                      false};
    prep_make_taps(&columns, crop->x, crop->width, image->width);
    prep_make_taps(&rows, crop->y, crop->height, image->height);
    float *row = memory + column_weights + row_weights;
    if (prep_may_shrink(settings, image, crop)) {
        prep_shrink(settings, image, &columns, &rows, row + 3 * values, row, input);
        return MIEN_OK;
    }
    const prep_tap *last = &columns.taps[settings->width - 1];
    source_rows sources = {.first = columns.taps[0].first,
                           .count = last->first + last->count - columns.taps[0].first,
                           .pixels = row + 3 * values,
                           .cached = {row, row + values},
                           .numbers = {-1, -1}};
    fill_rows(settings, image, &columns, &rows, &sources, row + 2 * values, input);
    return MIEN_OK;
}

/* ---- Turned crops: bilinear samples, several a pixel when shrinking ---- */

static void fill_turned(const prep_settings *settings, const mien_image *image,
                        const image_rect *crop, float angle, float *input)
{
    enum { MOST_SAMPLES = 16 }; /* on a side */
    size_t plane = (size_t)settings->width * (size_t)settings->height;
    int channels = prep_channels(settings);
    float step_x = crop->width / (float)settings->width;
    float step_y = crop->height / (float)settings->height;
    int side = prep_clamp((int)ceilf(step_x > step_y ? step_x : step_y), MOST_SAMPLES);
    side = side < 1 ? 1 : side;
    float centre_x = crop->x + crop->width / 2, centre_y = crop->y + crop->height / 2;
    float cosine = cosf(angle), sine = sinf(angle);
    for (size_t p = 0; p < plane; p++) {
        float sums[3] = {0};
        for (int s = 0; s < side * side; s++) {
            float u =
                (float)(p % (size_t)settings->width) + ((float)(s % side) + 0.5f) / (float)side;
            float v =
                (float)(p / (size_t)settings->width) + ((float)(s / side) + 0.5f) / (float)side;
            float dx = u * step_x - crop->width / 2, dy = v * step_y - crop->height / 2;
            prep_add_sample(settings, image, centre_x + cosine * dx - sine * dy,
                            centre_y + sine * dx + cosine * dy, 1 / (float)(side * side), sums);
        }
        for (int c = 0; c < channels; c++)
            input[(size_t)c * plane + p] = (sums[c] - settings->mean[c]) * settings->scale[c];
    }
}

static bool is_sensible(const image_rect *box)
{
    const float limit = 1e6f;
    return isfinite(box->x) && isfinite(box->y) && fabsf(box->x) < limit && fabsf(box->y) < limit &&
           box->width > 0 && box->height > 0 && box->width < limit && box->height < limit;
}

mien_status prep_checked_crop(const prep_settings *settings, const image_rect *box,
                              image_rect *crop, mien_error *error)
{
    *crop = prep_crop(settings, box);
    if (is_sensible(crop))
        return MIEN_OK;
    return error_set(error, MIEN_INVALID_ARGUMENT,
                     "a face box of %g x %g pixels at (%g, %g) cannot be cropped",
                     (double)box->width, (double)box->height, (double)box->x, (double)box->y);
}

mien_status prep_fill(const prep_settings *settings, const mien_image *image, const prep_face *face,
                      prep_scratch *scratch, float *input, mien_error *error)
{
    mien_status status = image_check(image, error);
    if (status != MIEN_OK)
        return status;
    image_rect crop;
    status = prep_checked_crop(settings, &face->box, &crop, error);
    if (status != MIEN_OK)
        return status;
    if (settings->alignment == PREP_ALIGN_EYES && face->has_eyes) {
        float angle =
            atan2f(face->eyes[1][1] - face->eyes[0][1], face->eyes[1][0] - face->eyes[0][0]);
        if (isfinite(angle) && angle != 0) {
            fill_turned(settings, image, &crop, angle, input);
            return MIEN_OK;
        }
    }
    return fill_upright(settings, image, &crop, scratch, input, error);
}
