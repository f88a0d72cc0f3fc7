/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_scales.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define MAX_SCALES 10000
#define MAX_SIDE   65535

/* Side of the window at a scale; in float, as OpenCV rounds it. */
static int window_side(int side, float factor)
{
    return (int)lrintf((float)side * factor);
}

static bool add_scale(scale_list *list, const cascade *model, float factor)
{
    void *scales = list->scales;
    if (!memory_grow(&scales, list->count, &list->capacity, sizeof *list->scales))
        return false;
    list->scales = scales;
    list->scales[list->count++] = (scan_scale){.factor = factor,
                                               .window_width = window_side(model->width, factor),
                                               .window_height = window_side(model->height, factor)};
    return true;
}

/* Every scale at which the window fits into the picture. */
static mien_status list_fitting(const cascade *model, int width, int height, double scale_factor,
                                scale_list *list, mien_error *error)
{
    for (double factor = 1.0; factor <= MAX_SIDE; factor *= scale_factor) {
        if (lrint(model->width * factor) > width || lrint(model->height * factor) > height)
            break;
        if (list->count == MAX_SCALES)
            return error_set(error, MIEN_INVALID_ARGUMENT,
                             "scale_factor %.9g gives more than %d scales; choose a larger one",
                             scale_factor, MAX_SCALES);
        if (!add_scale(list, model, (float)factor))
            return error_no_memory(error, "the list of scales", sizeof(scan_scale));
    }
    return MIEN_OK;
}

/* The scale whose window is nearest to the smallest face that is wanted. */
static scan_scale nearest_scale(const scale_list *list, const cascade_options *options)
{
    size_t best = 0;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < list->count; i++) {
        int64_t x = options->min_width - list->scales[i].window_width;
        int64_t y = options->min_height - list->scales[i].window_height;
        if (x * x + y * y < least) {
            least = x * x + y * y;
            best = i;
        }
    }
    return list->scales[best];
}

/* Keeps the scales within the limits of size, or the nearest one when there is none. */
static void choose(scale_list *list, const cascade_options *options)
{
    if (list->count == 0)
        return;
    bool limited = options->max_width != 0 && options->max_height != 0;
    scan_scale nearest = nearest_scale(list, options);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const scan_scale *scale = &list->scales[i];
        if (limited && (scale->window_width > options->max_width ||
                        scale->window_height > options->max_height))
            break;
        if (scale->window_width >= options->min_width &&
            scale->window_height >= options->min_height)
            list->scales[kept++] = *scale;
    }
    if (kept == 0)
        list->scales[kept++] = nearest;
    list->count = kept;
}

/*
 * Rows of positions that OpenCV visits. It cuts the picture into stripes whose number comes from
 * the first scale; rounding can lose the last row, and the same boxes need the same rows.
 */
static int visited_rows(int rows, int step, int stripes)
{
    int stripe = (rows / step + stripes - 1) / stripes;
    int64_t visited = (int64_t)(stripe > 1 ? stripe : 1) * step * stripes;
    return visited < rows ? (int)visited : rows;
}

static void measure(scale_list *list, const cascade *model, int width, int height)
{
    int stripes = 1;
    for (size_t i = 0; i < list->count; i++) {
        scan_scale *scale = &list->scales[i];
        scale->width = (int)lrintf((float)width / scale->factor);
        scale->height = (int)lrintf((float)height / scale->factor);
        scale->step = scale->factor >= 2.0f ? 1 : 2;
        scale->columns = scale->width + 1 - model->width;
        scale->rows = scale->height + 1 - model->height;
        if (i == 0 && scale->columns > 32)
            stripes = (scale->columns + 31) / 32;
        scale->rows = visited_rows(scale->rows, scale->step, stripes);
    }
}

mien_status cascade_list_scales(const cascade *model, int width, int height,
                                const cascade_options *options, scale_list *list, mien_error *error)
{
    list->count = 0;
    mien_status status = list_fitting(model, width, height, options->scale_factor, list, error);
    if (status != MIEN_OK) {
        list->count = 0;
        return status;
    }
    choose(list, options);
    measure(list, model, width, height);
    return MIEN_OK;
}

void scale_list_free(scale_list *list)
{
    free(list->scales);
    *list = (scale_list){0};
}
