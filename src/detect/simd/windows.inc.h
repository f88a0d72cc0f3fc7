/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A row of windows: contrast, the first stage for all of them, then each stage for the vectors that
 * still hold a possible window. Lanes of windows that are out are computed along and not looked at.
 */

INLINE ints entries(const int32_t *at)
{
    return *(const ints_unaligned *)at;
}

INLINE words square_entries(const uint32_t *at)
{
    return *(const words_unaligned *)at;
}

INLINE ints rect_sums(const int32_t *window, const int32_t corners[4])
{
    return entries(window + corners[0]) - entries(window + corners[1]) -
           entries(window + corners[2]) + entries(window + corners[3]);
}

/* ---- contrast ---- */

/* The factors of LANES windows; 0 for flat ones. */
INLINE void contrast_factors(const cascade_layout *layout, const int32_t *window,
                             const uint32_t *squares, float *factors)
{
    const int32_t *corners = layout->area_corners;
    ints sums = rect_sums(window, corners);
    words square_sums = square_entries(squares + corners[0]) -
                        square_entries(squares + corners[1]) -
                        square_entries(squares + corners[2]) + square_entries(squares + corners[3]);
    for (int i = 0; i < LANES; i++) {
        double sum = sums[i];
        double variance = layout->area * square_sums[i] - sum * sum;
        float factor = (float)(1.0 / sqrt(variance));
        bool flat = variance <= 0.0 || !(layout->area * factor < CASCADE_FLATTEST_CONTRAST);
        factors[i] = flat ? 0.0f : factor;
    }
}

/* ---- stages ---- */

/* The sums of the leaves of LANES windows so far. */
typedef struct totals {
    half_doubles low, high;
} totals;

INLINE void add_leaves(totals *sum, floats leaves)
{
    half_floats low = __builtin_shufflevector(leaves, leaves, LOW_LANES);
    half_floats high = __builtin_shufflevector(leaves, leaves, HIGH_LANES);
    sum->low += __builtin_convertvector(low, half_doubles);
    sum->high += __builtin_convertvector(high, half_doubles);
}

/* All ones where the node leads to its first side. In float and in this order, as OpenCV. */
INLINE ints goes_first(const placed_node *node, const int32_t *window, floats factors)
{
    floats value =
        node->weights[0] * __builtin_convertvector(rect_sums(window, node->corners[0]), floats) +
        node->weights[1] * __builtin_convertvector(rect_sums(window, node->corners[1]), floats);
    if (node->weights[2] != 0.0f)
        value +=
            node->weights[2] * __builtin_convertvector(rect_sums(window, node->corners[2]), floats);
    return value * factors < node->threshold;
}

INLINE ints select_bits(ints mask, ints yes, ints no)
{
    return (mask & yes) | (~mask & no);
}

INLINE ints bits_of(float value)
{
    return (ints)(value - (floats){0});
}

INLINE totals add_stumps(const placed_node *node, const placed_node *end, const int32_t *window,
                         floats factors)
{
    totals sum = {0};
    for (; node < end; node++) {
        ints first = goes_first(node, window, factors);
        add_leaves(&sum,
                   (floats)select_bits(first, bits_of(node->leaves[0]), bits_of(node->leaves[1])));
    }
    return sum;
}

/* Every node of a tree is computed for all windows; at[] says where each of them stands. */
INLINE totals add_trees(const placed_node *nodes, int first, int end, const int32_t *window,
                        floats factors)
{
    totals sum = {0};
    for (int root = first; root < end; root += nodes[root].tree_nodes) {
        ints at = root - (ints){0}, leaves = {0};
        for (int i = root; i < root + nodes[root].tree_nodes; i++) {
            const placed_node *node = &nodes[i];
            ints here = at == i;
            ints side = goes_first(node, window, factors);
            ints leaf = select_bits(side, bits_of(node->leaves[0]), bits_of(node->leaves[1]));
            ints next = select_bits(side, node->next[0] - (ints){0}, node->next[1] - (ints){0});
            leaves = select_bits(here, leaf, leaves);
            at = select_bits(here, next, at);
        }
        add_leaves(&sum, (floats)leaves);
    }
    return sum;
}

/* The sums of a stage's leaves for LANES windows. */
INLINE void add_up_stage(const cascade_layout *layout, const placed_stage *stage,
                         const int32_t *window, const float *factors, double sums[LANES])
{
    floats own_factors = *(const floats_unaligned *)factors;
    const placed_node *nodes = layout->nodes;
    totals sum;
    if (stage->has_stumps_only)
        sum = add_stumps(nodes + stage->first_node, nodes + stage->end_node, window, own_factors);
    else
        sum = add_trees(nodes, stage->first_node, stage->end_node, window, own_factors);
    *(half_doubles *)sums = sum.low;
    *(half_doubles *)(sums + LANES / 2) = sum.high;
}

/* ---- rows ---- */

/* The first stage. A window that fails it takes its neighbour with it: OpenCV's rule. */
static int scan_first_stage(const cascade_layout *layout, const int32_t *sums,
                            const uint32_t *squares, int count, cascade_row *row)
{
    const placed_stage *stage = &layout->stages[0];
    int kept = 0;
    bool visited = true;
    for (int start = 0; start < count; start += LANES) {
        _Alignas(64) double leaf_sums[LANES];
        contrast_factors(layout, sums + start, squares + start, row->factors + start);
        add_up_stage(layout, stage, sums + start, row->factors + start, leaf_sums);
        for (int i = 0; i < LANES && start + i < count; i++) {
            bool flat = row->factors[start + i] == 0.0f;
            bool fails = leaf_sums[i] < stage->threshold;
            row->positions[kept] = start + i;
            kept += visited & !flat & !fails;
            visited = !visited | flat | !fails;
        }
    }
    return kept;
}

/* Keeps those of the row's possible windows that pass the stage; returns how many. */
static int scan_stage(const cascade_layout *layout, const placed_stage *stage, const int32_t *sums,
                      int count, cascade_row *row)
{
    int kept = 0;
    for (int i = 0; i < count;) {
        int start = row->positions[i];
        _Alignas(64) double leaf_sums[LANES];
        add_up_stage(layout, stage, sums + start, row->factors + start, leaf_sums);
        for (; i < count && row->positions[i] < start + LANES; i++) {
            row->positions[kept] = row->positions[i];
            kept += !(leaf_sums[row->positions[i] - start] < stage->threshold);
        }
    }
    return kept;
}

static int scan_row(const cascade_layout *layout, const int32_t *sums, const uint32_t *squares,
                    int count, cascade_row *row)
{
    int kept = scan_first_stage(layout, sums, squares, count, row);
    for (int i = 1; i < layout->stage_count && kept > 0; i++)
        kept = scan_stage(layout, &layout->stages[i], sums, kept, row);
    return kept;
}
