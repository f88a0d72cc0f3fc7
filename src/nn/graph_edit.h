/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_GRAPH_EDIT_H
#define NN_GRAPH_EDIT_H

/* Changing a graph that was read or built: before it learns, before it is quantised. */

#include "nn/graph.h"

/* The value of that name, or -1. */
int graph_find_value(const nn_graph *graph, const char *name);

/* Turns constants that a Cast makes float32 (stored as float16) into constants of the Cast's name.
 * MIEN_OUT_OF_MEMORY; the graph can still be freed. */
mien_status graph_fold_casts(nn_graph *graph, mien_error *error);

/* Takes out what a network that runs does not need: Identity and Dropout, other than the last of an
 * output. */
void graph_drop_passing(nn_graph *graph);

/*
 * Writes BatchNormalization with constants into the convolution that it alone reads: the
 * convolution has a bias then. MIEN_OUT_OF_MEMORY; the graph can still be freed.
 */
mien_status graph_fold_norms(nn_graph *graph, mien_error *error);

/* Takes out what no output needs, constants among it. The inputs stay. MIEN_OUT_OF_MEMORY; then
 * nothing changes. */
mien_status graph_drop_unused(nn_graph *graph, mien_error *error);

/*
 * Leaves what a value needs, and the inputs; it becomes the only output. The graph has outputs
 * already. *target: the value, then its index afterwards. MIEN_OUT_OF_MEMORY; then nothing changes.
 */
mien_status graph_cut_behind(nn_graph *graph, int *target, mien_error *error);

#endif
