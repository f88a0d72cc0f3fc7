/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZOO_ZOO_H
#define ZOO_ZOO_H

/*
 * Network architectures, one small file each, built with the graph builder. Every network takes one
 * picture and has the outputs "logits" (N, classes), "probabilities" (its softmax) and "features"
 * (N, dims: what goes into the last layer).
 */

#include "nn/graph.h"

typedef struct zoo_options {
    int classes;            /* at least 2 */
    int channels;           /* of the picture: 1 or 3 */
    int height, width;      /* pixels; 0 for the architecture's own */
    float width_multiplier; /* MobileNets; 0 for 1 */
    uint64_t seed;          /* of the weights */
} zoo_options;

/*
 * Success: *graph is the caller's, free with nn_graph_free. Failure: *graph is zeroed;
 * MIEN_NOT_FOUND (the message lists the names), MIEN_INVALID_ARGUMENT, MIEN_OUT_OF_MEMORY.
 */
mien_status zoo_build(const char *architecture, const zoo_options *options, nn_graph *graph,
                      mien_error *error);

/* The names, for listings: index 0.. until NULL. */
const char *zoo_name(size_t index);

#endif
