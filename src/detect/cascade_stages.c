/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_reader.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define STAGE_THRESHOLD_MARGIN 1e-5f /* OpenCV takes it off every stage threshold */

static mien_status read_nodes(cascade_reader *reader)
{
    xml_token text;
    mien_status status = cascade_read_text(reader, &text);
    if (status != MIEN_OK)
        return status;
    number_list list = cascade_numbers(&text);
    while (cascade_more_numbers(&list)) {
        cascade_node node;
        double threshold;
        if ((status = cascade_next_integer(reader, &list, &node.left)) != MIEN_OK ||
            (status = cascade_next_integer(reader, &list, &node.right)) != MIEN_OK)
            return status;
        cascade_more_numbers(&list);
        size_t position = list.position;
        if ((status = cascade_next_integer(reader, &list, &node.feature)) != MIEN_OK ||
            (status = cascade_next_number(reader, &list, &threshold)) != MIEN_OK)
            return status;
        if (node.feature < 0)
            return xml_malformed(&reader->scanner, position, "feature %d does not exist",
                                 node.feature);
        if (node.feature > reader->highest_feature) {
            reader->highest_feature = node.feature;
            reader->highest_feature_position = position;
        }
        node.threshold = (float)threshold;
        if (!cascade_add_node(reader->model, &node))
            return cascade_out_of_memory(reader);
    }
    return MIEN_OK;
}

static mien_status read_leaves(cascade_reader *reader)
{
    xml_token text;
    mien_status status = cascade_read_text(reader, &text);
    if (status != MIEN_OK)
        return status;
    number_list list = cascade_numbers(&text);
    while (cascade_more_numbers(&list)) {
        double value;
        if ((status = cascade_next_number(reader, &list, &value)) != MIEN_OK)
            return status;
        if (!cascade_add_leaf(reader->model, (float)value))
            return cascade_out_of_memory(reader);
    }
    return MIEN_OK;
}

/* A tree whose nodes and leaves were read; the file counts them from the tree's own first. */
typedef struct tree_range {
    size_t first_node, node_count;
    size_t first_leaf, leaf_count;
    bool *reached; /* (node_count) */
    size_t position;
} tree_range;

/* From the file's form (over 0: node, else minus the leaf) to ours. */
static mien_status resolve_link(cascade_reader *reader, const tree_range *tree, int *link)
{
    if (*link <= 0) {
        size_t leaf = (size_t) - *link;
        if (leaf >= tree->leaf_count)
            return xml_malformed(&reader->scanner, tree->position,
                                 "a tree of %zu leaves uses leaf %zu", tree->leaf_count, leaf);
        *link = ~(int)(tree->first_leaf + leaf);
        return MIEN_OK;
    }
    size_t node = (size_t)*link;
    if (node >= tree->node_count)
        return xml_malformed(&reader->scanner, tree->position, "a tree of %zu nodes uses node %zu",
                             tree->node_count, node);
    if (tree->reached[node])
        return xml_malformed(&reader->scanner, tree->position,
                             "node %zu of a tree is reached twice", node);
    tree->reached[node] = true;
    *link = (int)(tree->first_node + node);
    return MIEN_OK;
}

static mien_status resolve_tree(cascade_reader *reader, tree_range *tree)
{
    if (tree->node_count == 0 || tree->leaf_count != tree->node_count + 1)
        return xml_malformed(&reader->scanner, tree->position,
                             "a tree of %zu nodes has %zu leaves, not %zu", tree->node_count,
                             tree->leaf_count, tree->node_count + 1);
    tree->reached = memory_zeroed(tree->node_count, sizeof *tree->reached);
    if (tree->reached == NULL)
        return cascade_out_of_memory(reader);
    mien_status status = MIEN_OK;
    cascade_node *nodes = reader->model->nodes + tree->first_node;
    for (size_t i = 0; status == MIEN_OK && i < tree->node_count; i++) {
        status = resolve_link(reader, tree, &nodes[i].left);
        if (status == MIEN_OK)
            status = resolve_link(reader, tree, &nodes[i].right);
    }
    free(tree->reached);
    return status;
}

static mien_status read_tree(cascade_reader *reader, size_t position)
{
    cascade *model = reader->model;
    tree_range tree = {
        .first_node = model->node_count, .first_leaf = model->leaf_count, .position = position};
    xml_token token;
    bool more;
    mien_status status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more) {
        if (xml_slice_is(token.text, "internalNodes"))
            status = read_nodes(reader);
        else if (xml_slice_is(token.text, "leafValues"))
            status = read_leaves(reader);
        else
            status = cascade_skip_element(reader);
        if (status != MIEN_OK)
            return status;
    }
    if (status != MIEN_OK)
        return status;
    tree.node_count = model->node_count - tree.first_node;
    tree.leaf_count = model->leaf_count - tree.first_leaf;
    status = resolve_tree(reader, &tree);
    if (status == MIEN_OK && !cascade_add_tree(model, (int)tree.first_node))
        status = cascade_out_of_memory(reader);
    return status;
}

static mien_status read_trees(cascade_reader *reader)
{
    xml_token token;
    bool more;
    mien_status status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more)
        if ((status = read_tree(reader, token.position)) != MIEN_OK)
            return status;
    return status;
}

static mien_status read_stage(cascade_reader *reader, size_t position)
{
    cascade_stage stage = {.first_tree = (int)reader->model->tree_count};
    int announced = -1;
    double threshold = NAN;
    xml_token token;
    bool more;
    mien_status status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more) {
        if (xml_slice_is(token.text, "maxWeakCount"))
            status = cascade_read_integer(reader, &announced);
        else if (xml_slice_is(token.text, "stageThreshold"))
            status = cascade_read_real(reader, &threshold);
        else if (xml_slice_is(token.text, "weakClassifiers"))
            status = read_trees(reader);
        else
            status = cascade_skip_element(reader);
        if (status != MIEN_OK)
            return status;
    }
    if (status != MIEN_OK)
        return status;
    stage.tree_count = (int)reader->model->tree_count - stage.first_tree;
    stage.threshold = (float)threshold - STAGE_THRESHOLD_MARGIN;
    if (isnan(threshold))
        return xml_malformed(&reader->scanner, position, "a stage has no <stageThreshold>");
    if (stage.tree_count == 0 || (announced != -1 && announced != stage.tree_count))
        return xml_malformed(&reader->scanner, position, "a stage has %d trees and announces %d",
                             stage.tree_count, announced);
    return cascade_add_stage(reader->model, &stage) ? MIEN_OK : cascade_out_of_memory(reader);
}

mien_status cascade_read_stages(cascade_reader *reader)
{
    xml_token token;
    bool more;
    mien_status status;
    while ((status = cascade_next_child(reader, &token, &more)) == MIEN_OK && more)
        if ((status = read_stage(reader, token.position)) != MIEN_OK)
            return status;
    return status;
}
