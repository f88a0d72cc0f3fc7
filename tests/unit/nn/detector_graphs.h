/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_NN_DETECTOR_GRAPHS_H
#define TESTS_UNIT_NN_DETECTOR_GRAPHS_H

/* Pieces of detector networks, which the planner makes into fewer steps. */

#include "onnx_bytes.h"

static inline void add_random(message *graph, const char *name, const int64_t *dims, int rank)
{
    test_random random = {(uint64_t)name[0] * 131 + (uint64_t)name[1] + 7};
    float values[1024];
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    assert_true(count <= 1024);
    for (size_t i = 0; i < count; i++)
        values[i] = test_random_float(&random);
    add_floats(graph, name, dims, rank, values, count);
}

static inline void add_depthwise(message *graph, const char *text, int64_t channels)
{
    static const int64_t pads[4] = {1, 1, 1, 1};
    message node = node_of(text);
    add_int(&node, "group", channels);
    add_ints(&node, "pads", pads, 4);
    put_message(graph, 1, &node);
}

/*
 * x (2, 16, 9, 7) into three heads of 1, 4 and 10 channels: a 1x1 and a depthwise convolution each.
 * Outputs sa (a sigmoid), b, c. early: the sigmoid comes before the last head.
 */
static inline message heads_graph(bool early)
{
    static const int64_t x[4] = {2, 16, 9, 7}, channels[3] = {1, 4, 10};
    static const char *const points[] = {"Conv x pa ba > ta", "Conv x pb > tb", "Conv x pc > tc"};
    static const char *const depths[] = {"Conv ta da > a", "Conv tb db eb > b", "Conv tc dc > c"};
    message graph = {.size = 0};
    add_input(&graph, "x", x, 4);
    for (int i = 0; i < 3; i++) {
        const char point[3] = {'p', (char)('a' + i), 0}, depth[3] = {'d', (char)('a' + i), 0};
        add_random(&graph, point, (int64_t[4]){channels[i], 16, 1, 1}, 4);
        add_random(&graph, depth, (int64_t[4]){channels[i], 1, 3, 3}, 4);
        add_node(&graph, points[i]);
        add_depthwise(&graph, depths[i], channels[i]);
        if (i == (early ? 0 : 2))
            add_node(&graph, "Sigmoid a > sa");
    }
    add_random(&graph, "ba", channels, 1);
    add_random(&graph, "eb", channels + 1, 1);
    add_output(&graph, "sa");
    add_output(&graph, "b");
    add_output(&graph, "c");
    return graph;
}

/*
 * x (1, 3, 128, 256), 3x3 to 8 channels and Relu: g, 1x1: p, depthwise and Relu: r, pooled: y.
 * The pictures between are 512 KiB each in BF16, twice that in float. shows_between: p is an
 * output, too.
 */
static inline message wide_graph(bool shows_between)
{
    static const int64_t x[4] = {1, 3, 128, 256}, sides[2] = {2, 2}, pads[4] = {1, 1, 1, 1};
    message graph = {.size = 0}, first = node_of("Conv x wf > f"), pool = node_of("MaxPool r > y");
    add_input(&graph, "x", x, 4);
    add_random(&graph, "wf", (int64_t[4]){8, 3, 3, 3}, 4);
    add_random(&graph, "wp", (int64_t[4]){8, 8, 1, 1}, 4);
    add_random(&graph, "wd", (int64_t[4]){8, 1, 3, 3}, 4);
    add_ints(&first, "pads", pads, 4);
    put_message(&graph, 1, &first);
    add_node(&graph, "Relu f > g");
    add_node(&graph, "Conv g wp > p");
    add_depthwise(&graph, "Conv p wd > d", 8);
    add_node(&graph, "Relu d > r");
    add_ints(&pool, "kernel_shape", sides, 2);
    add_ints(&pool, "strides", sides, 2);
    put_message(&graph, 1, &pool);
    add_output(&graph, "y");
    if (shows_between)
        add_output(&graph, "p");
    return graph;
}

#endif
