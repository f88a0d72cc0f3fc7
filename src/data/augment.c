/* SPDX-License-Identifier: Apache-2.0 */
#include "data/augment.h"

#include "base/error.h"
#include "data/augment_geometry.h"

#include <math.h>

mien_status augment_check(const augment_settings *augment, mien_error *error)
{
    const struct {
        const char *name;
        float value, most;
    } ranges[] = {
        {"mirror", augment->mirror, 1},     {"rotation", augment->rotation, 180},
        {"zoom", augment->zoom, 0.99f},     {"shift", augment->shift, 1},
        {"shear", augment->shear, 60},      {"crop_min", augment->crop_min, 1},
        {"erase", augment->erase, 1},       {"brightness", augment->brightness, 1},
        {"contrast", augment->contrast, 1}, {"noise", augment->noise, 1},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (!(ranges[i].value >= 0 && ranges[i].value <= ranges[i].most))
            return error_set(error, MIEN_INVALID_ARGUMENT,
                             "augmentation: %s is %g; it must lie in 0..%g", ranges[i].name,
                             (double)ranges[i].value, (double)ranges[i].most);
    return MIEN_OK;
}

/* ---- Values 0..255 ---- */

static float mean_of(const float *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    return (float)(sum / (double)count);
}

static inline float in_range(float value)
{
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

static void change_contrast(float *values, size_t count, float contrast, float brightness)
{
    float mean = mean_of(values, count);
    float offset = mean - contrast * mean + brightness * 255;
    for (size_t i = 0; i < count; i++)
        values[i] = in_range(contrast * values[i] + offset);
}

/* The four 16-bit numbers of a draw, added. */
static inline uint32_t sum_of_four(uint64_t bits)
{
    return (uint32_t)(bits & 0xffff) + (uint32_t)(bits >> 16 & 0xffff) +
           (uint32_t)(bits >> 32 & 0xffff) + (uint32_t)(bits >> 48);
}

static void add_noise(float *values, size_t count, float deviation, random_state *random)
{
    /* A sum of eight has the mean 8 * 32767.5 and the variance 8 / 12 * (65536^2 - 1). */
    const float scale = deviation / 53509.83f;
    for (size_t i = 0; i < count; i++) {
        uint32_t sum = sum_of_four(random_next(random)) + sum_of_four(random_next(random));
        values[i] = in_range(values[i] + scale * (float)((int)sum - 262140));
    }
}

/* ---- Erasing ---- */

/* A share of a side in whole pixels, at least one. */
static int pixels_of(double share, int side)
{
    int pixels = (int)lrint(share * side);
    return pixels < 1 ? 1 : pixels < side ? pixels : side;
}

static void fill_box(float *corner, int width, int height, int stride, const float *value,
                     random_state *random)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            corner[(size_t)y * (size_t)stride + (size_t)x] =
                value != NULL ? *value : (float)(random_next(random) >> 56);
}

static void erase_box(const prep_settings *prep, random_state *random, float *input)
{
    size_t plane = (size_t)prep->width * (size_t)prep->height;
    double area = random_between(random, 0.02, 0.2);
    double ratio = exp(random_between(random, log(0.3), log(3.3)));
    int width = pixels_of(sqrt(area / ratio), prep->width);
    int height = pixels_of(sqrt(area * ratio), prep->height);
    size_t left = random_below(random, (uint64_t)(prep->width - width + 1));
    size_t top = random_below(random, (uint64_t)(prep->height - height + 1));
    bool to_mean = random_unit(random) < 0.5;
    for (size_t offset = 0; offset < prep_input_floats(prep); offset += plane) {
        float mean = mean_of(input + offset, plane);
        fill_box(input + offset + top * (size_t)prep->width + left, width, height, prep->width,
                 to_mean ? &mean : NULL, random);
    }
}

/* ---- All of it ---- */

static void change_values(const augment_settings *augment, const prep_settings *prep,
                          random_state *random, float *input)
{
    size_t count = prep_input_floats(prep);
    float contrast = 1 + augment->contrast * (float)random_between(random, -1, 1);
    float brightness = augment->brightness * (float)random_between(random, -1, 1);
    bool erased = random_unit(random) < (double)augment->erase;
    if (augment->contrast != 0 || augment->brightness != 0)
        change_contrast(input, count, contrast, brightness);
    if (augment->noise != 0)
        add_noise(input, count, augment->noise * 255, random);
    if (erased)
        erase_box(prep, random, input);
}

static void normalise(const prep_settings *prep, float *input)
{
    size_t plane = (size_t)prep->width * (size_t)prep->height;
    size_t channels = prep_input_floats(prep) / plane;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++)
            input[c * plane + i] = (input[c * plane + i] - prep->mean[c]) * prep->scale[c];
}

mien_status augment_fill(const augment_settings *augment, const prep_settings *prep,
                         const mien_image *image, random_state *random, prep_scratch *scratch,
                         float *input, mien_error *error)
{
    const image_rect whole = {0, 0, (float)image->width, (float)image->height};
    return augment_fill_face(augment, prep, image, &whole, random, scratch, input, error);
}

mien_status augment_fill_face(const augment_settings *augment, const prep_settings *prep,
                              const mien_image *image, const image_rect *face, random_state *random,
                              prep_scratch *scratch, float *input, mien_error *error)
{
    mien_status status = augment_check(augment, error);
    if (status == MIEN_OK)
        status = image_check(image, error);
    if (status != MIEN_OK)
        return status;
    augment_geometry geometry = augment_draw_geometry(augment, random);
    status = augment_sample(&geometry, prep, image, face, scratch, input, error);
    if (status != MIEN_OK)
        return status;
    change_values(augment, prep, random, input);
    normalise(prep, input);
    return MIEN_OK;
}
