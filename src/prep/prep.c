/* SPDX-License-Identifier: Apache-2.0 */
#include "prep/prep.h"

#include "base/error.h"
#include "base/memory.h"
#include "prep/sample.h"

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

/* ---- Upright crops: taps for columns, taps for rows ---- */

/* The source pixels that make one output pixel on one axis: weights of first..first+count-1. */
typedef struct axis_tap {
    int first, count;
    size_t weights; /* index of the first weight */
} axis_tap;

typedef struct axis {
    axis_tap *taps; /* (length) */
    float *weights;
    int length;
} axis;

static size_t most_weights(float extent, int length)
{
    return (size_t)length * ((size_t)ceilf(extent / (float)length) + 2);
}

static int clamp(int value, int high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

/* The two pixels whose centres lie around a position. */
static void set_bilinear(axis *a, int i, float position, size_t *used)
{
    float first = floorf(position - 0.5f);
    float share = position - 0.5f - first;
    a->taps[i] = (axis_tap){(int)first, 2, *used};
    a->weights[(*used)++] = 1 - share;
    a->weights[(*used)++] = share;
}

/*
 * The pixels covered by from..to, each by its part. What lies beyond the picture of `size` pixels
 * counts for the edge, so that a box far larger than the picture costs no more than the picture.
 */
static void set_area(axis *a, int i, float from, float to, int size, size_t *used)
{
    int first = clamp((int)floorf(from), size - 1);
    int last = clamp((int)ceilf(to) - 1, size - 1);
    a->taps[i] = (axis_tap){first, last - first + 1, *used};
    for (int p = first; p <= last; p++) {
        float left = p == first ? from : (float)p;
        float right = p == last ? to : (float)(p + 1);
        a->weights[(*used)++] = (right - left) / (to - from);
    }
}

/* size: pixels of the picture along the axis. */
static void make_taps(axis *a, float start, float extent, int size)
{
    float step = extent / (float)a->length;
    size_t used = 0;
    for (int i = 0; i < a->length; i++) {
        if (step <= 1)
            set_bilinear(a, i, start + ((float)i + 0.5f) * step, &used);
        else
            set_area(a, i, start + (float)i * step, start + (float)(i + 1) * step, size, &used);
    }
}

/* One source row, resampled to the output's columns: (columns, channels). */
static void resample_row(const prep_settings *settings, const mien_image *image, int y,
                         const axis *columns, int channels, float *row)
{
    prep_byte_order order = prep_order_of(image->format);
    const uint8_t *pixels = image_row(image, prep_clamp(y, image->height - 1));
    for (int i = 0; i < columns->length; i++, row += channels) {
        const axis_tap *tap = &columns->taps[i];
        for (int c = 0; c < channels; c++)
            row[c] = 0;
        for (int t = 0; t < tap->count; t++) {
            float values[3];
            int x = prep_clamp(tap->first + t, image->width - 1);
            prep_read_pixel(pixels + (size_t)x * (size_t)order.size, order, settings->format,
                            values);
            for (int c = 0; c < channels; c++)
                row[c] += columns->weights[tap->weights + (size_t)t] * values[c];
        }
    }
}

static void write_row(const prep_settings *settings, const float *sums, int channels, int y,
                      float *input)
{
    size_t plane = (size_t)settings->width * (size_t)settings->height;
    for (int x = 0; x < settings->width; x++)
        for (int c = 0; c < channels; c++)
            input[(size_t)c * plane + (size_t)y * (size_t)settings->width + (size_t)x] =
                (sums[x * channels + c] - settings->mean[c]) * settings->scale[c];
}

/* Source rows are resampled once each: consecutive output rows share at most the last few. */
static void fill_rows(const prep_settings *settings, const mien_image *image, const axis *columns,
                      const axis *rows, int channels, float *row, float *sums, float *input)
{
    int values = settings->width * channels;
    int cached[2] = {-1, -1}; /* rows of the picture that row[0], row[1] hold, plus one */
    for (int y = 0; y < settings->height; y++) {
        const axis_tap *tap = &rows->taps[y];
        memset(sums, 0, (size_t)values * sizeof *sums);
        for (int t = 0; t < tap->count; t++) {
            int source = prep_clamp(tap->first + t, image->height - 1);
            float *cache = row + (size_t)(source % 2) * (size_t)values;
            if (cached[source % 2] != source + 1)
                resample_row(settings, image, source, columns, channels, cache);
            cached[source % 2] = source + 1;
            float weight = rows->weights[tap->weights + (size_t)t];
            for (int i = 0; i < values; i++)
                sums[i] += weight * cache[i];
        }
        write_row(settings, sums, channels, y, input);
    }
}

static mien_status fill_upright(const prep_settings *settings, const mien_image *image,
                                const image_rect *crop, prep_scratch *scratch, float *input,
                                mien_error *error)
{
    int channels = prep_channels(settings);
    size_t column_weights = most_weights(crop->width, settings->width);
    size_t row_weights = most_weights(crop->height, settings->height);
    size_t values = (size_t)(settings->width * channels);
    size_t taps = (size_t)settings->width + (size_t)settings->height;
    mien_status status = reserve(scratch,
                                 taps * sizeof(axis_tap) +
                                     (column_weights + row_weights + 3 * values) * sizeof(float),
                                 error);
    if (status != MIEN_OK)
        return status;
    axis_tap *tap_memory = scratch->memory;
    float *memory = (float *)(tap_memory + taps);
    axis columns = {tap_memory, memory, settings->width};
    axis rows = {tap_memory + settings->width, memory + column_weights, settings->height};
    make_taps(&columns, crop->x, crop->width, image->width);
    make_taps(&rows, crop->y, crop->height, image->height);
    float *row = memory + column_weights + row_weights;
    fill_rows(settings, image, &columns, &rows, channels, row, row + 2 * values, input);
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
