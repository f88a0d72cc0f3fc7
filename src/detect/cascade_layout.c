/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_layout.h"

#include "base/memory.h"

#include <stdlib.h>

/* Sums over a larger white picture would not fit into an int32. */
enum { MAX_TABLE_ENTRIES = INT32_MAX / 255 };

/* To whole cache lines. */
static size_t round_up(size_t entries)
{
    return (entries + 15) / 16 * 16;
}

/* ---- rectangles ---- */

static int32_t entry(const cascade_layout *layout, int x, int y)
{
    size_t column = (size_t)x;
    if (layout->step == 2)
        column = (size_t)(x / 2) + (x % 2 != 0 ? layout->odd_columns : 0);
    return (int32_t)((size_t)y * layout->stride + column);
}

static void place_upright(const cascade_layout *layout, const cascade_rect *rect,
                          int32_t corners[4])
{
    corners[0] = entry(layout, rect->x, rect->y);
    corners[1] = entry(layout, rect->x + rect->width, rect->y);
    corners[2] = entry(layout, rect->x, rect->y + rect->height);
    corners[3] = entry(layout, rect->x + rect->width, rect->y + rect->height);
}

static void place_tilted(const cascade_layout *layout, const cascade_rect *rect, int32_t corners[4])
{
    int x = rect->x, y = rect->y, width = rect->width, height = rect->height;
    corners[0] = entry(layout, x, y);
    corners[1] = entry(layout, x - height, y + height);
    corners[2] = entry(layout, x + width, y + width);
    corners[3] = entry(layout, x + width - height, y + width + height);
    for (int i = 0; i < 4; i++)
        corners[i] += (int32_t)layout->table_size;
}

/* ---- trees ---- */

static placed_node place_node(const cascade_layout *layout, const cascade *model, int index)
{
    const cascade_node *node = &model->nodes[index];
    const cascade_feature *feature = &model->features[node->feature];
    placed_node placed = {.threshold = node->threshold, .next = {node->left, node->right}};
    for (int i = 0; i < CASCADE_FEATURE_RECTS; i++) {
        const cascade_rect *rect = &feature->rects[i];
        placed.weights[i] = rect->weight;
        if (feature->tilted)
            place_tilted(layout, rect, placed.corners[i]);
        else
            place_upright(layout, rect, placed.corners[i]);
    }
    return placed;
}

/* Places a tree from nodes[first] on, level by level; returns where it ends. */
static int place_tree(cascade_layout *layout, const cascade *model, int root, int first)
{
    placed_node *nodes = layout->nodes;
    int end = first;
    nodes[end++] = place_node(layout, model, root);
    for (int i = first; i < end; i++)
        for (int side = 0; side < 2; side++) {
            int link = nodes[i].next[side];
            if (link < 0) {
                nodes[i].leaves[side] = model->leaves[~link];
                nodes[i].next[side] = -1;
            } else {
                nodes[i].next[side] = end;
                nodes[end++] = place_node(layout, model, link);
            }
        }
    nodes[first].tree_nodes = end - first;
    return end;
}

static void place_stages(cascade_layout *layout, const cascade *model)
{
    int end = 0;
    for (size_t i = 0; i < model->stage_count; i++) {
        const cascade_stage *stage = &model->stages[i];
        placed_stage *placed = &layout->stages[i];
        *placed = (placed_stage){.first_node = end, .threshold = stage->threshold};
        for (int tree = 0; tree < stage->tree_count; tree++)
            end = place_tree(layout, model, model->roots[stage->first_tree + tree], end);
        placed->end_node = end;
        placed->has_stumps_only = end - placed->first_node == stage->tree_count;
    }
}

/* ---- tables ---- */

static mien_status set_shape(cascade_layout *layout, int rows, int columns, mien_error *error)
{
    layout->stride = round_up((size_t)columns);
    if (layout->step == 2) {
        layout->odd_columns = round_up((size_t)columns / 2 + 1);
        layout->stride = 2 * layout->odd_columns;
    }
    size_t entries = (size_t)rows * layout->stride;
    if (entries > MAX_TABLE_ENTRIES)
        return error_set(error, MIEN_LIMIT,
                         "a picture %d pixels wide is too large for a window that needs %d rows "
                         "of it at once",
                         columns - 1, rows - 1);
    layout->row_offset = layout->step * (int)layout->stride;
    layout->table_size = entries + CASCADE_READ_BEYOND;
    return MIEN_OK;
}

mien_status cascade_layout_create(const cascade *model, int step, int rows, int columns,
                                  cascade_layout *layout, mien_error *error)
{
    *layout = (cascade_layout){
        .step = step, .has_tilted = model->has_tilted, .stage_count = (int)model->stage_count};
    mien_status status = set_shape(layout, rows, columns, error);
    if (status != MIEN_OK)
        return status;
    layout->nodes = memory_zeroed(model->node_count, sizeof *layout->nodes);
    layout->stages = memory_zeroed(model->stage_count, sizeof *layout->stages);
    if (layout->nodes == NULL || layout->stages == NULL) {
        cascade_layout_free(layout);
        return error_no_memory(error, "the features of a cascade",
                               model->node_count * sizeof *layout->nodes);
    }
    cascade_rect inside = {1, 1, model->width - 2, model->height - 2, 1.0f};
    place_upright(layout, &inside, layout->area_corners);
    layout->area = (double)inside.width * inside.height;
    place_stages(layout, model);
    return MIEN_OK;
}

void cascade_layout_free(cascade_layout *layout)
{
    free(layout->nodes);
    free(layout->stages);
    *layout = (cascade_layout){0};
}
