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
    part parts[PARTS];
} totals;

INLINE void add_leaves(totals *sum, floats leaves)
{
    doubles wide = __builtin_convertvector(leaves, doubles);
#if PARTS == 1
    sum->parts[0] += wide;
#else
    part parts[PARTS];
    memcpy(parts, &wide, sizeof parts);
    sum->parts[0] += parts[0];
    sum->parts[1] += parts[1];
#endif
}

/* The sums of a rectangle. */
INLINE void sum_rect(const int32_t *const *windows, const int32_t corners[4], int vectors,
                     ints *sums)
{
    UNROLL
    for (int v = 0; v < vectors; v++)
        sums[v] = rect_sums(windows[v], corners);
}

/* All ones where the node leads to its first side. In float and in this order, as OpenCV. */
INLINE void goes_first(const placed_node *node, const int32_t *const *windows,
                       const floats *factors, int vectors, ints *first)
{
    ints a[VECTORS], b[VECTORS];
    floats values[VECTORS];
    sum_rect(windows, node->corners[0], vectors, a);
    sum_rect(windows, node->corners[1], vectors, b);
    UNROLL
    for (int v = 0; v < vectors; v++)
        values[v] = node->weights[0] * __builtin_convertvector(a[v], floats) +
                    node->weights[1] * __builtin_convertvector(b[v], floats);
    if (node->weights[2] != 0.0f) {
        sum_rect(windows, node->corners[2], vectors, a);
        UNROLL
        for (int v = 0; v < vectors; v++)
            values[v] += node->weights[2] * __builtin_convertvector(a[v], floats);
    }
    UNROLL
    for (int v = 0; v < vectors; v++)
        first[v] = values[v] * factors[v] < node->threshold;
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
        ints first[VECTORS];
        goes_first(node, windows, factors, vectors, first);
        UNROLL
        for (int v = 0; v < vectors; v++)
            first[v] =
                select_bits(first[v], all_lanes_of(node->leaves[0]), all_lanes_of(node->leaves[1]));
        UNROLL
        for (int v = 0; v < vectors; v++)
            add_leaves(&sums[v], (floats)first[v]);
    }
}

/* Where the windows stand in a tree. */
typedef struct tree_walk {
    ints at[VECTORS];     /* the node, -1 at the end */
    ints leaves[VECTORS]; /* bits of the leaf at the end */
} tree_walk;

/* Moves the windows on that stand at this node. */
INLINE void walk_on(const placed_node *node, int number, const int32_t *const *windows,
                    const floats *factors, int vectors, tree_walk *walk)
{
    ints first[VECTORS];
    goes_first(node, windows, factors, vectors, first);
    UNROLL
    for (int v = 0; v < vectors; v++) {
        ints here = walk->at[v] == number;
        ints leaf =
            select_bits(first[v], all_lanes_of(node->leaves[0]), all_lanes_of(node->leaves[1]));
        ints next = select_bits(first[v], all_lanes(node->next[0]), all_lanes(node->next[1]));
        walk->leaves[v] = select_bits(here, leaf, walk->leaves[v]);
        walk->at[v] = select_bits(here, next, walk->at[v]);
    }
}

/* Every node of a tree is computed for all windows. */
INLINE void add_trees(const placed_node *nodes, int first, int end, const int32_t *const *windows,
                      const floats *factors, int vectors, totals *sums)
{
    for (int root = first; root < end; root += nodes[root].tree_nodes) {
        tree_walk walk;
        for (int v = 0; v < vectors; v++) {
            walk.at[v] = all_lanes(root);
            walk.leaves[v] = all_lanes(0);
        }
        for (int i = root; i < root + nodes[root].tree_nodes; i++)
            walk_on(&nodes[i], i, windows, factors, vectors, &walk);
        for (int v = 0; v < vectors; v++)
            add_leaves(&sums[v], (floats)walk.leaves[v]);
    }
}

/* Some vectors of windows on their way through a stage. */
typedef struct group {
    const int32_t *windows[VECTORS];
    const float *factors[VECTORS];
    int32_t passes[VECTORS][LANES]; /* all ones for those that pass the stage */
} group;

INLINE void compare_sums(const totals *sum, double threshold, int32_t passes[LANES])
{
    for (int p = 0; p < PARTS; p++) {
        part_longs fails = sum->parts[p] < threshold;
        part_ints kept = __builtin_convertvector(~fails, part_ints);
        memcpy(passes + p * (LANES / PARTS), &kept, sizeof kept);
    }
}

/* Fills the first vectors of g->passes. */
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
    for (int v = 0; v < vectors; v++)
        compare_sums(&sums[v], stage->threshold, g->passes[v]);
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

/* What the windows of a row so far leave to the next one. */
typedef struct row_state {
    int kept;    /* windows */
    int visited; /* whether the next one is: 0 or 1 */
} row_state;

INLINE bool are_all_set(ints mask)
{
    int32_t lanes[LANES], all = -1;
    memcpy(lanes, &mask, sizeof lanes);
    for (int i = 0; i < LANES; i++)
        all &= lanes[i];
    return all != 0;
}

/* Appends those of a vector's first count windows that pass, at start and behind it. A window that
 * fails takes its neighbour with it: OpenCV's rule. */
INLINE row_state keep_visited(ints passes, ints fails, int start, int count, int32_t *offsets,
                              row_state state)
{
    if (count == LANES && are_all_set(fails))
        return state; /* of an even number of windows, every other one was visited */
    for (int i = 0; i < count; i++) {
        offsets[state.kept] = start + i;
        state.kept += state.visited & passes[i];
        state.visited = !(state.visited & fails[i]);
    }
    return state;
}

/* The row of windows at an offset; returns how many windows are kept now. */
static int scan_first_row(const cascade_layout *layout, const int32_t *sums,
                          const uint32_t *squares, int offset, int count, int kept,
                          cascade_windows *windows)
{
    const placed_stage *stage = &layout->stages[0];
    row_state state = {kept, 1};
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
        for (int v = 0; v < VECTORS && left > 0; v++, left -= LANES) {
            ints flat = *(const floats_unaligned *)g.factors[v] == 0.0f;
            ints passes = entries(g.passes[v]);
            state = keep_visited(passes & ~flat, ~(passes | flat), start + v * LANES,
                                 left < LANES ? left : LANES, windows->offsets, state);
        }
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
                int32_t passes = g.passes[v][offsets[i] - starts[v]];
                offsets[kept] = offsets[i];
                kept -= passes;
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
