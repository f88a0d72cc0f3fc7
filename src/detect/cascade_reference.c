/* SPDX-License-Identifier: Apache-2.0 */

/* Plain C, one window after another: what the fast kernels are compared with. */

#include "detect/cascade_kernels.h"
#include "image/image.h"

#include <math.h>

enum { FLAT_WINDOW = -1 };

static void fill_tables(const cascade_layout *layout, const mien_image *gray, int32_t *sums,
                        uint32_t *squares)
{
    image_tables tables = {.sum = sums,
                           .squares = squares,
                           .tilted = layout->has_tilted ? sums + layout->table_size : NULL,
                           .stride = layout->stride,
                           .odd_columns = layout->odd_columns};
    (void)image_integral(gray, &tables, NULL); /* the layout has checked the size */
}

static int32_t rect_sum(const int32_t *window, const int32_t corners[4])
{
    return window[corners[0]] - window[corners[1]] - window[corners[2]] + window[corners[3]];
}

/* What features are multiplied by to make them independent of contrast; 0 for a flat window. */
static float contrast_factor(const cascade_layout *layout, const int32_t *window,
                             const uint32_t *squares)
{
    const int32_t *corners = layout->area_corners;
    double sum = rect_sum(window, corners);
    uint32_t square_sum =
        squares[corners[0]] - squares[corners[1]] - squares[corners[2]] + squares[corners[3]];
    double variance = layout->area * square_sum - sum * sum;
    if (variance <= 0.0)
        return 0.0f;
    float factor = (float)(1.0 / sqrt(variance));
    return layout->area * factor < CASCADE_FLATTEST_CONTRAST ? factor : 0.0f;
}

/* In float and in this order, as OpenCV computes it. */
static float feature_value(const placed_node *node, const int32_t *window)
{
    float value = node->weights[0] * (float)rect_sum(window, node->corners[0]) +
                  node->weights[1] * (float)rect_sum(window, node->corners[1]);
    if (node->weights[2] != 0.0f)
        value += node->weights[2] * (float)rect_sum(window, node->corners[2]);
    return value;
}

/* The leaf at which a window ends, as a number. */
static float walk(const cascade_layout *layout, int root, const int32_t *window, float factor)
{
    const placed_node *node;
    int side, link = root;
    do {
        node = &layout->nodes[link];
        side = !(feature_value(node, window) * factor < node->threshold);
        link = node->next[side];
    } while (link >= 0);
    return node->leaves[side];
}

/* Number of stages that the window passes, FLAT_WINDOW when it has too little contrast to tell. */
static int stages_passed(const cascade_layout *layout, const int32_t *window,
                         const uint32_t *squares)
{
    float factor = contrast_factor(layout, window, squares);
    if (factor == 0.0f)
        return FLAT_WINDOW;
    for (int i = 0; i < layout->stage_count; i++) {
        const placed_stage *stage = &layout->stages[i];
        double total = 0.0;
        for (int n = stage->first_node; n < stage->end_node; n += layout->nodes[n].tree_nodes)
            total += walk(layout, n, window, factor);
        if (total < stage->threshold)
            return i;
    }
    return layout->stage_count;
}

/* Appends the offsets of the row's windows that pass; returns how many there are now. */
static int scan_row(const cascade_layout *layout, const int32_t *sums, const uint32_t *squares,
                    int offset, int columns, int found, int32_t *offsets)
{
    for (int i = 0; i < columns; i++) {
        int passed = stages_passed(layout, sums + offset + i, squares + offset + i);
        if (passed == layout->stage_count)
            offsets[found++] = offset + i;
        if (passed == 0) /* its neighbour is hopeless too: OpenCV's rule */
            i++;
    }
    return found;
}

static int scan_band(const cascade_layout *layout, const int32_t *sums, const uint32_t *squares,
                     int rows, int columns, cascade_windows *windows)
{
    int found = 0;
    for (int y = 0; y < rows; y++)
        found = scan_row(layout, sums, squares, y * layout->row_offset, columns, found,
                         windows->offsets);
    return found;
}

const cascade_kernels cascade_kernels_reference = {"reference", image_bilinear_row, fill_tables,
                                                   scan_band};
