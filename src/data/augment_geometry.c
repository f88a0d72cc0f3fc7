/* SPDX-License-Identifier: Apache-2.0 */
#include "data/augment_geometry.h"

#include "prep/sample.h"

#include <math.h>
#include <string.h>

static double within(random_state *random, float strength)
{
    return random_between(random, -(double)strength, (double)strength);
}

augment_geometry augment_draw_geometry(const augment_settings *augment, random_state *random)
{
    const double radians = 3.14159265358979323846 / 180;
    double crop_min = augment->crop_min > 0 ? (double)augment->crop_min : 1;
    augment_geometry drawn;
    drawn.mirror = random_unit(random) < (double)augment->mirror;
    drawn.angle = within(random, augment->rotation) * radians;
    drawn.zoom = 1 + within(random, augment->zoom);
    drawn.shift_x = within(random, augment->shift);
    drawn.shift_y = within(random, augment->shift);
    drawn.shear = within(random, augment->shear) * radians;
    drawn.side = random_between(random, crop_min, 1);
    drawn.place_x = (1 - drawn.side) * random_between(random, -0.5, 0.5);
    drawn.place_y = (1 - drawn.side) * random_between(random, -0.5, 0.5);
    return drawn;
}

/* ---- Upright: a crop of prep's ---- */

static void mirror_rows(float *input, size_t rows, int width)
{
    for (size_t y = 0; y < rows; y++, input += width)
        for (int left = 0, right = width - 1; left < right; left++, right--) {
            float value = input[left];
            input[left] = input[right];
            input[right] = value;
        }
}

static mien_status sample_upright(const augment_geometry *geometry, const prep_settings *raw,
                                  const mien_image *image, const image_rect *crop,
                                  prep_scratch *scratch, float *input, mien_error *error)
{
    prep_settings settings = *raw;
    settings.margin = 0;
    settings.square = false;
    double scale = geometry->side / geometry->zoom;
    double sign = geometry->mirror ? -1 : 1;
    double x = 0.5 - scale / 2 + sign * geometry->place_x / geometry->zoom + geometry->shift_x;
    double y = 0.5 - scale / 2 + geometry->place_y / geometry->zoom + geometry->shift_y;
    prep_face face = {.box = {crop->x + crop->width * (float)x, crop->y + crop->height * (float)y,
                              crop->width * (float)scale, crop->height * (float)scale}};
    mien_status status = prep_fill(&settings, image, &face, scratch, input, error);
    if (status == MIEN_OK && geometry->mirror)
        mirror_rows(input, (size_t)prep_channels(raw) * (size_t)raw->height, raw->width);
    return status;
}

/* ---- Turned or sheared: bilinear samples along an affine map ---- */

/* Where the sample for output position (x, y) lies in the picture, pixels. */
typedef struct affine {
    double xx, xy, x0; /* source x = xx * x + xy * y + x0 */
    double yx, yy, y0;
} affine;

static affine map_of(const augment_geometry *g, const prep_settings *prep, const image_rect *crop)
{
    double cosine = cos(g->angle) / g->zoom, sine = sin(g->angle) / g->zoom;
    double slant = tan(g->shear), sign = g->mirror ? -1 : 1;
    double across = sign * (double)crop->width, down = (double)crop->height;
    affine m;
    m.xx = cosine * across;
    m.xy = (cosine * slant - sine) * down;
    m.yx = sine * across;
    m.yy = (sine * slant + cosine) * down;
    /* The output's corner in shares of the crop, from its centre. */
    double left = g->place_x - g->side / 2, top = g->place_y - g->side / 2;
    m.x0 = (double)crop->x + (0.5 + g->shift_x) * (double)crop->width + m.xx * left + m.xy * top;
    m.y0 = (double)crop->y + (0.5 + g->shift_y) * (double)crop->height + m.yx * left + m.yy * top;
    m.xx *= g->side / prep->width;
    m.yx *= g->side / prep->width;
    m.xy *= g->side / prep->height;
    m.yy *= g->side / prep->height;
    return m;
}

/* A row of samples: the first one's place and the way to the next; weight: of each. */
typedef struct sample_row {
    float x, y, step_x, step_y, weight;
    int count;
} sample_row;

static inline float clamp_to(float value, float high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

/* What prep_add_sample does, for a grey picture: places are clamped instead of pixels. */
static void add_gray_row(const mien_image *image, const sample_row *row, float *sums)
{
    const uint8_t *data = image->data;
    const size_t stride = image->stride;
    const float last_x = (float)(image->width - 1), last_y = (float)(image->height - 1);
    for (int i = 0; i < row->count; i++) {
        float x = clamp_to(row->x - 0.5f + (float)i * row->step_x, last_x);
        float y = clamp_to(row->y - 0.5f + (float)i * row->step_y, last_y);
        int left = (int)x, top = (int)y;
        float right_share = x - (float)left, bottom_share = y - (float)top;
        const uint8_t *upper = data + (size_t)top * stride + (size_t)left;
        const uint8_t *lower = upper + (y < last_y ? stride : 0);
        int next = x < last_x;
        float above = (float)upper[0] + right_share * (float)(upper[next] - upper[0]);
        float below = (float)lower[0] + right_share * (float)(lower[next] - lower[0]);
        sums[i] += row->weight * (above + bottom_share * (below - above));
    }
}

static void add_row(const prep_settings *prep, const mien_image *image, const sample_row *row,
                    size_t plane, float *sums)
{
    int channels = prep_channels(prep);
    if (channels == 1 && image->format == MIEN_PIXEL_GRAY8) {
        add_gray_row(image, row, sums);
        return;
    }
    for (int i = 0; i < row->count; i++) {
        float values[3] = {0};
        prep_add_sample(prep, image, row->x + (float)i * row->step_x,
                        row->y + (float)i * row->step_y, row->weight, values);
        for (int c = 0; c < channels; c++)
            sums[(size_t)c * plane + (size_t)i] += values[c];
    }
}

/* Samples on a side for each pixel of the output. */
static int samples_for(const affine *m)
{
    enum { MOST_SAMPLES = 16 };
    double step = fmax(hypot(m->xx, m->yx), hypot(m->xy, m->yy)) + 0.5;
    return step < 1 ? 1 : step < MOST_SAMPLES ? (int)step : MOST_SAMPLES;
}

static void sample_turned(const affine *m, const prep_settings *prep, const mien_image *image,
                          float *input)
{
    size_t plane = (size_t)prep->width * (size_t)prep->height;
    int side = samples_for(m), count = side * side;
    memset(input, 0, prep_input_floats(prep) * sizeof *input);
    for (int y = 0; y < prep->height; y++)
        for (int s = 0; s < count; s++) {
            double u = (s % side + 0.5) / side, v = y + (s / side + 0.5) / side;
            sample_row row = {(float)(m->xx * u + m->xy * v + m->x0),
                              (float)(m->yx * u + m->yy * v + m->y0),
                              (float)m->xx,
                              (float)m->yx,
                              1 / (float)count,
                              prep->width};
            add_row(prep, image, &row, plane, input + (size_t)y * (size_t)prep->width);
        }
}

mien_status augment_sample(const augment_geometry *geometry, const prep_settings *prep,
                           const mien_image *image, const image_rect *face, prep_scratch *scratch,
                           float *input, mien_error *error)
{
    prep_settings raw = *prep;
    for (int c = 0; c < 3; c++) {
        raw.mean[c] = 0;
        raw.scale[c] = 1;
    }
    image_rect crop;
    mien_status status = prep_checked_crop(prep, face, &crop, error);
    if (status != MIEN_OK)
        return status;
    if (geometry->angle == 0 && geometry->shear == 0)
        return sample_upright(geometry, &raw, image, &crop, scratch, input, error);
    affine map = map_of(geometry, prep, &crop);
    sample_turned(&map, &raw, image, input);
    return MIEN_OK;
}
