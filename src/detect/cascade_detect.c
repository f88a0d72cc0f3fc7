/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "detect/grouping.h"
#include "image/image.h"

#include <math.h>
#include <stdlib.h>

#define MAX_SCALES        10000
#define MAX_SIDE          65535
#define BAND_POSITIONS    128 /* rows of windows whose tables are made at once; even */
#define FLAT_WINDOW       (-1)
#define FLATTEST_CONTRAST 0.1 /* windows of a smaller 1 / standard deviation are looked at */

/* One size of window: the picture is shrunk by the factor and scanned with the cascade's window. */
typedef struct scan_scale {
    float factor;
    int width, height; /* of the shrunk picture, pixels */
    int step;          /* from window to window, pixels of the shrunk picture */
    int columns, rows; /* positions 0 .. columns-1, 0 .. rows-1 of the window's corner */
} scan_scale;

typedef struct scale_list {
    scan_scale *scales;
    size_t count;
    size_t capacity;
} scale_list;

/* A node with its feature laid out for the tables of one scale. */
typedef struct placed_node {
    int32_t corners[CASCADE_FEATURE_RECTS][4]; /* from the window's first entry in the sums */
    float weights[CASCADE_FEATURE_RECTS];
    float threshold;
    int next[2]; /* links as in cascade_node: under the threshold, otherwise */
} placed_node;

typedef struct cascade_scan {
    const cascade *model;
    const mien_image *gray;
    scale_list scales;   /* by rising factor */
    raw_windows windows; /* found so far */
    uint8_t *shrunk;     /* pixels of the shrunk picture */
    placed_node *nodes;  /* (model->node_count) */
    int32_t *sums;       /* upright, then tilted if the cascade needs it; see image_integral */
    uint32_t *squares;
    size_t table_size; /* entries of one table at the first scale, the largest */
    size_t table_stride;
    int32_t area_corners[4]; /* the window without its border, in the sums and the squares */
    double area;
    mien_error *error;
} cascade_scan;

/* ---- scales ---- */

static bool add_scale(scale_list *list, float factor)
{
    void *scales = list->scales;
    if (!memory_grow(&scales, list->count, &list->capacity, sizeof *list->scales))
        return false;
    list->scales = scales;
    list->scales[list->count++] = (scan_scale){.factor = factor};
    return true;
}

/* Side of the window at a scale; in float, as OpenCV rounds it. */
static int window_side(int side, float factor)
{
    return (int)lrintf((float)side * factor);
}

/* Every scale at which the window fits into the picture. */
static mien_status list_fitting_scales(cascade_scan *scan, double scale_factor)
{
    const cascade *model = scan->model;
    for (double factor = 1.0; factor <= MAX_SIDE; factor *= scale_factor) {
        if (lrint(model->width * factor) > scan->gray->width ||
            lrint(model->height * factor) > scan->gray->height)
            break;
        if (scan->scales.count == MAX_SCALES)
            return error_set(scan->error, MIEN_INVALID_ARGUMENT,
                             "scale_factor %.9g gives more than %d scales; choose a larger one",
                             scale_factor, MAX_SCALES);
        if (!add_scale(&scan->scales, (float)factor))
            return error_no_memory(scan->error, "the list of scales", sizeof(scan_scale));
    }
    return MIEN_OK;
}

/* The scale whose window is nearest to the smallest face that is wanted. */
static scan_scale nearest_scale(const cascade_scan *scan, const cascade_options *options)
{
    const scale_list *list = &scan->scales;
    size_t best = 0;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < list->count; i++) {
        float factor = list->scales[i].factor;
        int64_t x = options->min_width - window_side(scan->model->width, factor);
        int64_t y = options->min_height - window_side(scan->model->height, factor);
        if (x * x + y * y < least) {
            least = x * x + y * y;
            best = i;
        }
    }
    return list->scales[best];
}

/* Keeps the scales within the limits of size, or the nearest one when there is none. */
static void choose_scales(cascade_scan *scan, const cascade_options *options)
{
    scale_list *list = &scan->scales;
    if (list->count == 0)
        return;
    bool limited = options->max_width != 0 && options->max_height != 0;
    scan_scale nearest = nearest_scale(scan, options);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        int width = window_side(scan->model->width, list->scales[i].factor);
        int height = window_side(scan->model->height, list->scales[i].factor);
        if (limited && (width > options->max_width || height > options->max_height))
            break;
        if (width >= options->min_width && height >= options->min_height)
            list->scales[kept++] = list->scales[i];
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

static void lay_out_scales(cascade_scan *scan)
{
    const cascade *model = scan->model;
    int stripes = 1;
    for (size_t i = 0; i < scan->scales.count; i++) {
        scan_scale *scale = &scan->scales.scales[i];
        scale->width = (int)lrintf((float)scan->gray->width / scale->factor);
        scale->height = (int)lrintf((float)scan->gray->height / scale->factor);
        scale->step = scale->factor >= 2.0f ? 1 : 2;
        scale->columns = scale->width + 1 - model->width;
        scale->rows = scale->height + 1 - model->height;
        if (i == 0 && scale->columns > 32)
            stripes = (scale->columns + 31) / 32;
        scale->rows = visited_rows(scale->rows, scale->step, stripes);
    }
}

/* ---- scratch ---- */

static mien_status allocate_scratch(cascade_scan *scan)
{
    const scan_scale *largest = &scan->scales.scales[0];
    const cascade *model = scan->model;
    size_t tables = model->has_tilted ? 2 : 1;
    int rows = largest->rows < BAND_POSITIONS ? largest->rows : BAND_POSITIONS;
    size_t size = ((size_t)rows + (size_t)model->height) * ((size_t)largest->width + 1);
    if (size > INT32_MAX / 2)
        return error_set(scan->error, MIEN_LIMIT,
                         "a picture %d pixels wide is too large for a window of %d x %d",
                         largest->width, model->width, model->height);
    scan->table_size = size;
    scan->shrunk = malloc((size_t)largest->width * (size_t)largest->height);
    scan->nodes = malloc(model->node_count * sizeof *scan->nodes);
    scan->sums = malloc(tables * size * sizeof *scan->sums);
    scan->squares = malloc(size * sizeof *scan->squares);
    if (scan->shrunk == NULL || scan->nodes == NULL || scan->sums == NULL || scan->squares == NULL)
        return error_no_memory(scan->error, "the tables of a cascade", size * sizeof(int32_t));
    return MIEN_OK;
}

static void free_scratch(cascade_scan *scan)
{
    free(scan->scales.scales);
    free(scan->shrunk);
    free(scan->nodes);
    free(scan->sums);
    free(scan->squares);
    raw_windows_free(&scan->windows);
}

/* ---- features in the tables ---- */

static int32_t entry(const cascade_scan *scan, int x, int y)
{
    return (int32_t)((size_t)y * scan->table_stride + (size_t)x);
}

static void place_upright(const cascade_scan *scan, const cascade_rect *rect, int32_t corners[4])
{
    corners[0] = entry(scan, rect->x, rect->y);
    corners[1] = entry(scan, rect->x + rect->width, rect->y);
    corners[2] = entry(scan, rect->x, rect->y + rect->height);
    corners[3] = entry(scan, rect->x + rect->width, rect->y + rect->height);
}

static void place_tilted(const cascade_scan *scan, const cascade_rect *rect, int32_t corners[4])
{
    int x = rect->x, y = rect->y, width = rect->width, height = rect->height;
    corners[0] = entry(scan, x, y);
    corners[1] = entry(scan, x - height, y + height);
    corners[2] = entry(scan, x + width, y + width);
    corners[3] = entry(scan, x + width - height, y + width + height);
    for (int i = 0; i < 4; i++)
        corners[i] += (int32_t)scan->table_size;
}

static void place_node(const cascade_scan *scan, const cascade_node *node, placed_node *placed)
{
    const cascade_feature *feature = &scan->model->features[node->feature];
    placed->threshold = node->threshold;
    placed->next[0] = node->left;
    placed->next[1] = node->right;
    for (int i = 0; i < CASCADE_FEATURE_RECTS; i++) {
        const cascade_rect *rect = &feature->rects[i];
        placed->weights[i] = rect->weight;
        if (feature->tilted)
            place_tilted(scan, rect, placed->corners[i]);
        else
            place_upright(scan, rect, placed->corners[i]);
    }
}

/* Lays all features out for tables of this width. */
static void place_cascade(cascade_scan *scan, int width)
{
    const cascade *model = scan->model;
    scan->table_stride = (size_t)width + 1;
    cascade_rect inside = {1, 1, model->width - 2, model->height - 2, 1.0f};
    place_upright(scan, &inside, scan->area_corners);
    scan->area = (double)inside.width * inside.height;
    for (size_t i = 0; i < model->node_count; i++)
        place_node(scan, &model->nodes[i], &scan->nodes[i]);
}

/* ---- one window ---- */

static inline int32_t rect_sum(const int32_t *window, const int32_t corners[4])
{
    return window[corners[0]] - window[corners[1]] - window[corners[2]] + window[corners[3]];
}

/* In float and in this order, as OpenCV computes it. */
static inline float feature_value(const placed_node *node, const int32_t *window)
{
    float value = node->weights[0] * (float)rect_sum(window, node->corners[0]) +
                  node->weights[1] * (float)rect_sum(window, node->corners[1]);
    if (node->weights[2] != 0.0f)
        value += node->weights[2] * (float)rect_sum(window, node->corners[2]);
    return value;
}

/* What features are multiplied by to make them independent of contrast; 0 for a flat window. */
static inline float contrast_factor(const cascade_scan *scan, const int32_t *window,
                                    const uint32_t *squares)
{
    const int32_t *corners = scan->area_corners;
    double sum = rect_sum(window, corners);
    uint32_t square_sum =
        squares[corners[0]] - squares[corners[1]] - squares[corners[2]] + squares[corners[3]];
    double variance = scan->area * square_sum - sum * sum;
    if (variance <= 0.0)
        return 0.0f;
    float factor = (float)(1.0 / sqrt(variance));
    return scan->area * factor < FLATTEST_CONTRAST ? factor : 0.0f;
}

/* Number of stages that the window passes, FLAT_WINDOW when it has too little contrast to tell. */
static int stages_passed(const cascade_scan *scan, const int32_t *window, const uint32_t *squares)
{
    const cascade *model = scan->model;
    float factor = contrast_factor(scan, window, squares);
    if (factor == 0.0f)
        return FLAT_WINDOW;
    for (size_t i = 0; i < model->stage_count; i++) {
        const cascade_stage *stage = &model->stages[i];
        const int *roots = model->roots + stage->first_tree;
        double total = 0.0;
        for (int tree = 0; tree < stage->tree_count; tree++) {
            int link = roots[tree];
            while (link >= 0) {
                const placed_node *node = &scan->nodes[link];
                float value = feature_value(node, window) * factor;
                link = node->next[!(value < node->threshold)]; /* no branch to mispredict */
            }
            total += model->leaves[~link];
        }
        if (total < stage->threshold)
            return (int)i;
    }
    return (int)model->stage_count;
}

/* ---- scanning ---- */

static mien_status add_window(cascade_scan *scan, const scan_scale *scale, int x, int y)
{
    raw_window window = {.x = (int)lrintf((float)x * scale->factor),
                         .y = (int)lrintf((float)y * scale->factor),
                         .width = window_side(scan->model->width, scale->factor),
                         .height = window_side(scan->model->height, scale->factor)};
    if (!raw_windows_add(&scan->windows, &window))
        return error_no_memory(scan->error, "the windows of a cascade",
                               scan->windows.count * sizeof window);
    return MIEN_OK;
}

/* One row of positions; sums and squares: the row's first entries. */
static mien_status scan_row(cascade_scan *scan, const scan_scale *scale, int y, const int32_t *sums,
                            const uint32_t *squares)
{
    int all = (int)scan->model->stage_count;
    for (int x = 0; x < scale->columns; x += scale->step) {
        int passed = stages_passed(scan, sums + x, squares + x);
        if (passed == all) {
            mien_status status = add_window(scan, scale, x, y);
            if (status != MIEN_OK)
                return status;
        }
        if (passed == 0) /* its neighbour is hopeless too: OpenCV's rule */
            x += scale->step;
    }
    return MIEN_OK;
}

/* The positions in rows first .. end-1 of the shrunk picture. */
static mien_status scan_band(cascade_scan *scan, const scan_scale *scale, const mien_image *picture,
                             int first, int end)
{
    mien_image band = *picture;
    band.data = image_row(picture, first);
    band.height = end - 1 - first + scan->model->height;
    int32_t *tilted = scan->model->has_tilted ? scan->sums + scan->table_size : NULL;
    mien_status status = image_integral(&band, scan->sums, scan->squares, tilted, scan->error);
    for (int y = first; status == MIEN_OK && y < end; y += scale->step) {
        size_t row = (size_t)(y - first) * scan->table_stride;
        status = scan_row(scan, scale, y, scan->sums + row, scan->squares + row);
    }
    return status;
}

/* Shrinks the picture into the scratch; at factor 1 it is the picture itself. */
static mien_status shrink(cascade_scan *scan, const scan_scale *scale, mien_image *picture)
{
    *picture = *scan->gray;
    if (scale->width == picture->width && scale->height == picture->height)
        return MIEN_OK;
    picture->data = scan->shrunk;
    picture->stride = (size_t)scale->width;
    picture->width = scale->width;
    picture->height = scale->height;
    return image_resize(scan->gray, picture, IMAGE_FILTER_BILINEAR, scan->error);
}

static mien_status scan_one_scale(cascade_scan *scan, const scan_scale *scale)
{
    mien_image picture;
    mien_status status = shrink(scan, scale, &picture);
    place_cascade(scan, scale->width);
    for (int first = 0; status == MIEN_OK && first < scale->rows; first += BAND_POSITIONS) {
        int end = scale->rows - first < BAND_POSITIONS ? scale->rows : first + BAND_POSITIONS;
        status = scan_band(scan, scale, &picture, first, end);
    }
    return status;
}

static mien_status scan_all(cascade_scan *scan)
{
    if (scan->scales.count == 0)
        return MIEN_OK;
    lay_out_scales(scan);
    mien_status status = allocate_scratch(scan);
    for (size_t i = 0; status == MIEN_OK && i < scan->scales.count; i++)
        status = scan_one_scale(scan, &scan->scales.scales[i]);
    return status;
}

/* ---- the call ---- */

cascade_options cascade_default_options(void)
{
    return (cascade_options){.scale_factor = 1.1, .min_neighbours = 5};
}

static mien_status check_arguments(const mien_image *gray, const cascade_options *options,
                                   mien_error *error)
{
    mien_status status = image_check(gray, error);
    if (status != MIEN_OK)
        return status;
    if (gray->format != MIEN_PIXEL_GRAY8)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a cascade needs a grey picture, not pixel format %d", (int)gray->format);
    if (!(options->scale_factor > 1.0))
        return error_set(error, MIEN_INVALID_ARGUMENT, "scale_factor is %g, it must be over 1",
                         options->scale_factor);
    if (options->min_width < 0 || options->min_height < 0 || options->max_width < 0 ||
        options->max_height < 0 || options->min_neighbours < 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "sizes and min_neighbours must not be negative: smallest %d x %d, "
                         "largest %d x %d, neighbours %d",
                         options->min_width, options->min_height, options->max_width,
                         options->max_height, options->min_neighbours);
    return MIEN_OK;
}

mien_status cascade_detect(const cascade *model, const mien_image *gray,
                           const cascade_options *options, face_list *list, mien_error *error)
{
    mien_status status = check_arguments(gray, options, error);
    if (status != MIEN_OK)
        return status;
    cascade_scan scan = {.model = model, .gray = gray, .error = error};
    status = list_fitting_scales(&scan, options->scale_factor);
    if (status == MIEN_OK) {
        choose_scales(&scan, options);
        status = scan_all(&scan);
    }
    if (status == MIEN_OK &&
        !group_windows(&scan.windows, options->min_neighbours, gray->width, gray->height, list))
        status = error_no_memory(error, "the groups of a cascade",
                                 scan.windows.count * sizeof(raw_window));
    free_scratch(&scan);
    return status;
}
