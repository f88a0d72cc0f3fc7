/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_model.h"

#include "base/memory.h"

#include <stdlib.h>

bool cascade_add_tree(cascade *model, int root)
{
    void *items = model->roots;
    if (!memory_grow(&items, model->tree_count, &model->tree_capacity, sizeof root))
        return false;
    model->roots = items;
    model->roots[model->tree_count++] = root;
    return true;
}

bool cascade_add_node(cascade *model, const cascade_node *node)
{
    void *items = model->nodes;
    if (!memory_grow(&items, model->node_count, &model->node_capacity, sizeof *node))
        return false;
    model->nodes = items;
    model->nodes[model->node_count++] = *node;
    return true;
}

bool cascade_add_leaf(cascade *model, float value)
{
    void *items = model->leaves;
    if (!memory_grow(&items, model->leaf_count, &model->leaf_capacity, sizeof value))
        return false;
    model->leaves = items;
    model->leaves[model->leaf_count++] = value;
    return true;
}

bool cascade_add_stage(cascade *model, const cascade_stage *stage)
{
    void *items = model->stages;
    if (!memory_grow(&items, model->stage_count, &model->stage_capacity, sizeof *stage))
        return false;
    model->stages = items;
    model->stages[model->stage_count++] = *stage;
    return true;
}

bool cascade_add_feature(cascade *model, const cascade_feature *feature)
{
    void *items = model->features;
    if (!memory_grow(&items, model->feature_count, &model->feature_capacity, sizeof *feature))
        return false;
    model->features = items;
    model->features[model->feature_count++] = *feature;
    return true;
}

void cascade_free(cascade *model)
{
    if (model == NULL)
        return;
    free(model->stages);
    free(model->roots);
    free(model->nodes);
    free(model->leaves);
    free(model->features);
    free(model);
}

void cascade_window(const cascade *model, int *width, int *height)
{
    *width = model->width;
    *height = model->height;
}
