/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_LAYOUT_H
#define DETECT_CASCADE_LAYOUT_H

/*
 * A cascade laid out for integral images of one shape: what the kernels read. The nodes of a tree
 * stand together, a parent before its children, the trees of a stage one after another.
 */

#include "base/error.h"
#include "detect/cascade_model.h"

/* Windows of no smaller 1 / standard deviation are flat: they are not looked at. */
#define CASCADE_FLATTEST_CONTRAST 0.1

/* Vectors read up to this many entries beyond the last window. */
#define CASCADE_READ_BEYOND 64

/* A node with its feature; offsets count from a window's first entry in the sums. */
typedef struct placed_node {
    int32_t corners[CASCADE_FEATURE_RECTS][4];
    float weights[CASCADE_FEATURE_RECTS]; /* the last one is 0 when there is no third rectangle */
    float threshold;
    /* Under the threshold, otherwise: */
    int32_t next[2];    /* the node to go to, or -1 at a leaf */
    float leaves[2];    /* the leaf's value; 0 where next is a node */
    int32_t tree_nodes; /* at a root: nodes of its tree */
} placed_node;

typedef struct placed_stage {
    int first_node, end_node;
    float threshold;
    bool has_stumps_only; /* each tree is one node */
} placed_stage;

/*
 * Tables (rows, stride) of 32 bits, as image_integral makes them: entry (x, y) lies at y * stride +
 * x when step is 1. When step is 2, the even columns come first and the odd ones from odd_columns
 * on, so that neighbouring windows are neighbours in memory, too.
 */
typedef struct cascade_layout {
    int step;                   /* from window to window, pixels of the shrunk picture: 1 or 2 */
    size_t stride, odd_columns; /* entries; odd_columns is 0 when step is 1 */
    int row_offset;             /* entries from a row of windows to the next */
    size_t table_size;          /* entries of one table with what vectors read beyond it */
    bool has_tilted;            /* the tilted sums follow table_size entries after the sums */
    int32_t area_corners[4];    /* the window without its border, in the sums and the squares */
    double area;                /* its pixels */
    placed_node *nodes;
    placed_stage *stages;
    int stage_count;
} cascade_layout;

/*
 * Lays a cascade out for tables of rows x columns entries (both with the zeros at the edge).
 * Success: free with cascade_layout_free. Failure: *layout is zeroed; MIEN_LIMIT when a table were
 * too large for its sums, MIEN_OUT_OF_MEMORY.
 */
mien_status cascade_layout_create(const cascade *model, int step, int rows, int columns,
                                  cascade_layout *layout, mien_error *error);
void cascade_layout_free(cascade_layout *layout);

#endif
