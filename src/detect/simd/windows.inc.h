/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The windows of a band: contrast and the first stage for all of them, then stage after stage for
 * what is left. A vector holds the windows at start .. start+LANES-1 of the tables, whether they
 * are still possible or not, so that all loads are of neighbours; VECTORS of them, wherever they
 * start, go through a stage side by side and share the loads of its nodes.
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

INLINE ints all_lanes(int32_t value)
{
    return value - (ints){0};
}

/* The bits of a float in all lanes. */
INLINE ints all_lanes_of(float value)
{
    return (ints)(value - (floats){0});
}

INLINE void add_stumps(const placed_node *node, const placed_node *end,
                       const int32_t *const *windows, const floats *factors, int vectors,
                       totals *sums)
{
    for (; node < end; node++) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            ints first = goes_first(node, windows[v], factors[v]);
            add_leaves(&sums[v], (floats)select_bits(first, all_lanes_of(node->leaves[0]),
                                                     all_lanes_of(node->leaves[1])));
        }
    }
}

/* Every node of the tree at nodes[root] is computed for all windows. */
INLINE floats find_leaves(const placed_node *nodes, int root, const int32_t *window, floats factors)
{
    ints at = all_lanes(root), leaves = {0}; /* the node where a window stands */
    for (int i = root; i < root + nodes[root].tree_nodes; i++) {
        const placed_node *node = &nodes[i];
        ints first = goes_first(node, window, factors);
        ints leaf =
            select_bits(first, all_lanes_of(node->leaves[0]), all_lanes_of(node->leaves[1]));
        ints next = select_bits(first, all_lanes(node->next[0]), all_lanes(node->next[1]));
        ints here = at == i;
        leaves = select_bits(here, leaf, leaves);
        at = select_bits(here, next, at);
    }
    return (floats)leaves;
}

INLINE void add_trees(const placed_node *nodes, int first, int end, const int32_t *const *windows,
                      const floats *factors, int vectors, totals *sums)
{
    for (int root = first; root < end; root += nodes[root].tree_nodes) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            add_leaves(&sums[v], find_leaves(nodes, root, windows[v], factors[v]));
    }
}

/* Some vectors of windows on their way through a stage. */
typedef struct group {
    const int32_t *windows[VECTORS];
    const float *factors[VECTORS];
    double sums[VECTORS][LANES]; /* of the stage's leaves */
} group;

/* Fills the first vectors of g->sums. */
INLINE void add_up_vectors(const cascade_layout *layout, const placed_stage *stage, int vectors,
                           group *g)
{
    floats factors[VECTORS];
    totals sums[VECTORS];
    UNROLL
    for (int v = 0; v < vectors; v++) {
        factors[v] = *(const floats_unaligned *)g->factors[v];
        sums[v] = (totals){0};
    }
    const placed_node *nodes = layout->nodes;
    if (stage->has_stumps_only)
        add_stumps(nodes + stage->first_node, nodes + stage->end_node, g->windows, factors, vectors,
                   sums);
    else
        add_trees(nodes, stage->first_node, stage->end_node, g->windows, factors, vectors, sums);
    UNROLL
    for (int v = 0; v < vectors; v++) {
        *(half_doubles_unaligned *)g->sums[v] = sums[v].low;
        *(half_doubles_unaligned *)(g->sums[v] + LANES / 2) = sums[v].high;
    }
}

static void add_up_full(const cascade_layout *layout, const placed_stage *stage, group *g)
{
    add_up_vectors(layout, stage, VECTORS, g);
}

static void add_up_one(const cascade_layout *layout, const placed_stage *stage, group *g)
{
    add_up_vectors(layout, stage, 1, g);
}

/* ---- the first stage ---- */

/* What is known of a row before a vector: how many windows were kept, whether the next is visited.
 */
typedef struct row_state {
    int kept;
    bool visited;
} row_state;

/* Appends those of a vector's first count windows that pass, at start and behind it. A window that
 * fails takes its neighbour with it: OpenCV's rule. */
INLINE row_state keep_visited(const placed_stage *stage, const float *factors, const double *sums,
                              int start, int count, int32_t *offsets, row_state state)
{
    for (int i = 0; i < count; i++) {
        bool flat = factors[i] == 0.0f;
        bool fails = sums[i] < stage->threshold;
        offsets[state.kept] = start + i;
        state.kept += state.visited & !flat & !fails;
        state.visited = !state.visited | flat | !fails;
    }
    return state;
}

/* The row of windows at an offset; returns how many windows are kept now. */
static int scan_first_row(const cascade_layout *layout, const int32_t *sums,
                          const uint32_t *squares, int offset, int count, int kept,
                          cascade_windows *windows)
{
    const placed_stage *stage = &layout->stages[0];
    row_state state = {kept, true};
    group g;
    for (int first = 0; first < count; first += VECTORS * LANES) {
        int start = offset + first, left = count - first;
        for (int v = 0; v < VECTORS; v++) {
            int at = start + v * LANES;
            g.windows[v] = sums + at;
            g.factors[v] = windows->factors + at;
            contrast_factors(layout, sums + at, squares + at, windows->factors + at);
        }
        add_up_full(layout, stage, &g);
        for (int v = 0; v < VECTORS && left > 0; v++, left -= LANES)
            state = keep_visited(stage, g.factors[v], g.sums[v], start + v * LANES,
                                 left < LANES ? left : LANES, windows->offsets, state);
    }
    return state.kept;
}

/* ---- the other stages ---- */

/* From the windows offsets[from .. count-1] takes vectors that hold the first ones of them, at most
 * VECTORS; returns how many. starts: their first windows, the first one's where there is no vector
 * more; *end: behind the last window. */
INLINE int take_vectors(const int32_t *offsets, int from, int count, int *starts, int *end)
{
    int vectors = 0;
    for (int v = 0; v < VECTORS; v++)
        starts[v] = offsets[from];
    while (vectors < VECTORS && from < count) {
        int start = starts[vectors++] = offsets[from];
        while (from < count && offsets[from] < start + LANES)
            from++;
    }
    *end = from;
    return vectors;
}

/* Keeps those of the possible windows that pass the stage; returns how many. */
static int scan_stage(const cascade_layout *layout, const placed_stage *stage, const int32_t *sums,
                      int count, cascade_windows *windows)
{
    int32_t *offsets = windows->offsets;
    int kept = 0;
    group g;
    for (int i = 0, end; i < count; i = end) {
        int starts[VECTORS];
        int vectors = take_vectors(offsets, i, count, starts, &end);
        for (int v = 0; v < VECTORS; v++) {
            g.windows[v] = sums + starts[v];
            g.factors[v] = windows->factors + starts[v];
        }
        if (vectors == 1)
            add_up_one(layout, stage, &g);
        else
            add_up_full(layout, stage, &g);
        for (int v = 0; v < vectors; v++)
            for (; i < end && offsets[i] < starts[v] + LANES; i++) {
                double sum = g.sums[v][offsets[i] - starts[v]];
                offsets[kept] = offsets[i];
                kept += !(sum < stage->threshold);
            }
    }
    return kept;
}

static int scan_band(const cascade_layout *layout, const int32_t *sums, const uint32_t *squares,
                     int rows, int columns, cascade_windows *windows)
{
    int kept = 0;
    for (int y = 0; y < rows; y++)
        kept =
            scan_first_row(layout, sums, squares, y * layout->row_offset, columns, kept, windows);
    for (int i = 1; i < layout->stage_count && kept > 0; i++)
        kept = scan_stage(layout, &layout->stages[i], sums, kept, windows);
    return kept;
}
