/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_plan.h"

#include "base/memory.h"

#include <stdlib.h>

/* Even. Tables of so many rows stay in a core's cache, and few rows are made twice. */
enum { BAND_POSITIONS = 96 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void keep_larger(size_t *largest, size_t value)
{
    if (value > *largest)
        *largest = value;
}

/* ---- layouts ---- */

/* The layout that serves the scales of a step; the first of them is the largest picture. */
static mien_status lay_out(const cascade *model, int step, cascade_plan *plan, mien_error *error)
{
    for (size_t i = 0; i < plan->scales.count; i++) {
        const scan_scale *scale = &plan->scales.scales[i];
        if (scale->step != step)
            continue;
        int rows = smaller(BAND_POSITIONS, scale->rows) + model->height;
        cascade_layout *layout = &plan->layouts[step - 1];
        mien_status status =
            cascade_layout_create(model, step, rows, scale->width + 1, layout, error);
        keep_larger(&plan->square_entries, layout->table_size);
        keep_larger(&plan->sum_entries, layout->table_size * (model->has_tilted ? 2 : 1));
        return status;
    }
    return MIEN_OK;
}

/* ---- taps ---- */

static mien_status place_taps(cascade_plan *plan, mien_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->scales.count; i++) {
        plan->scales.scales[i].first_tap = count;
        count += (size_t)plan->scales.scales[i].width + (size_t)plan->scales.scales[i].height;
    }
    plan->taps = memory_zeroed(count, sizeof *plan->taps);
    if (plan->taps == NULL)
        return error_no_memory(error, "the scales of a cascade", count * sizeof *plan->taps);
    for (size_t i = 0; i < plan->scales.count; i++) {
        const scan_scale *scale = &plan->scales.scales[i];
        image_tap *columns = plan->taps + scale->first_tap;
        image_bilinear_taps(plan->width, scale->width, columns);
        image_bilinear_taps(plan->height, scale->height, columns + scale->width);
    }
    return MIEN_OK;
}

/* ---- bands ---- */

static size_t bands_of(const scan_scale *scale)
{
    return scale->rows <= 0 ? 0 : ((size_t)scale->rows + BAND_POSITIONS - 1) / BAND_POSITIONS;
}

static void place_bands_of(cascade_plan *plan, int index, int window_height)
{
    const scan_scale *scale = &plan->scales.scales[index];
    for (int first = 0; first < scale->rows; first += BAND_POSITIONS) {
        int end = first + smaller(BAND_POSITIONS, scale->rows - first);
        plan->bands[plan->band_count++] = (scan_band){index, first, end};
        keep_larger(&plan->band_pixels,
                    (size_t)(end - 1 - first + window_height) * (size_t)scale->width);
        keep_larger(&plan->band_windows, (size_t)(end - first) * (size_t)scale->columns);
    }
}

static mien_status place_bands(const cascade *model, cascade_plan *plan, mien_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->scales.count; i++)
        count += bands_of(&plan->scales.scales[i]);
    plan->bands = memory_zeroed(count, sizeof *plan->bands);
    if (plan->bands == NULL)
        return error_no_memory(error, "the bands of a cascade", count * sizeof *plan->bands);
    for (size_t i = 0; i < plan->scales.count; i++)
        place_bands_of(plan, (int)i, model->height);
    return MIEN_OK;
}

/* ---- the plan ---- */

static bool same_scales(const cascade_options *a, const cascade_options *b)
{
    return a->scale_factor == b->scale_factor && a->min_width == b->min_width &&
           a->min_height == b->min_height && a->max_width == b->max_width &&
           a->max_height == b->max_height;
}

mien_status cascade_plan_make(const cascade *model, int width, int height,
                              const cascade_options *options, cascade_plan *plan, bool *changed,
                              mien_error *error)
{
    *changed =
        plan->width != width || plan->height != height || !same_scales(&plan->options, options);
    if (!*changed)
        return MIEN_OK;
    cascade_plan_free(plan);
    *plan = (cascade_plan){.width = width, .height = height, .options = *options};
    mien_status status = cascade_list_scales(model, width, height, options, &plan->scales, error);
    for (int step = 1; status == MIEN_OK && step <= 2; step++)
        status = lay_out(model, step, plan, error);
    if (status == MIEN_OK)
        status = place_taps(plan, error);
    if (status == MIEN_OK)
        status = place_bands(model, plan, error);
    if (status != MIEN_OK)
        cascade_plan_free(plan);
    return status;
}

void cascade_plan_free(cascade_plan *plan)
{
    scale_list_free(&plan->scales);
    free(plan->taps);
    for (int i = 0; i < 2; i++)
        cascade_layout_free(&plan->layouts[i]);
    free(plan->bands);
    *plan = (cascade_plan){0};
}
