/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_MODEL_H
#define DETECT_CASCADE_MODEL_H

/*
 * A cascade in memory. cascade_read guarantees: window sides 3 or more and at most
 * CASCADE_MAX_WINDOW_AREA pixels; every rectangle inside the window; every index in range; each
 * node reached from at most one other, so that every walk from a root ends at a leaf; finite
 * numbers.
 */

#include "detect/cascade.h"

#include <stdint.h>

#define CASCADE_FEATURE_RECTS   3
#define CASCADE_MAX_WINDOW_AREA 65536 /* sums of squares over a window fit 32 bits */

/*
 * Upright: the pixels x .. x+width-1, y .. y+height-1 of the window. Tilted: the rectangle turned
 * by 45 degrees with its top corner at (x, y), width down to the right, height down to the left.
 */
typedef struct cascade_rect {
    int x, y, width, height;
    float weight; /* 0 in rectangles that the feature does not use */
} cascade_rect;

typedef struct cascade_feature {
    cascade_rect rects[CASCADE_FEATURE_RECTS];
    bool tilted;
} cascade_feature;

/* Goes left when the feature is under the threshold. A link of 0 or more is a node; a negative link
 * is the leaf ~link. */
typedef struct cascade_node {
    int left, right;
    int feature;
    float threshold;
} cascade_node;

typedef struct cascade_stage {
    int first_tree, tree_count;
    float threshold; /* a window with a smaller sum of leaves is refused */
} cascade_stage;

struct cascade {
    int width, height;
    bool has_tilted;
    cascade_stage *stages;
    size_t stage_count, stage_capacity;
    int *roots; /* the first node of each tree */
    size_t tree_count, tree_capacity;
    cascade_node *nodes;
    size_t node_count, node_capacity;
    float *leaves;
    size_t leaf_count, leaf_capacity;
    cascade_feature *features;
    size_t feature_count, feature_capacity;
};

/* Append one item; false when out of memory, then the cascade is unchanged. */
bool cascade_add_stage(cascade *model, const cascade_stage *stage);
bool cascade_add_tree(cascade *model, int root);
bool cascade_add_node(cascade *model, const cascade_node *node);
bool cascade_add_leaf(cascade *model, float value);
bool cascade_add_feature(cascade *model, const cascade_feature *feature);

#endif
