/* SPDX-License-Identifier: Apache-2.0 */
#include "data/smote.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/nearest.h"

#include <stdlib.h>

/* The k nearest of every sample. */
typedef struct neighbour_table {
    size_t k;
    size_t *index;    /* (n, k) */
    double *distance; /* (k), of the row that is being made */
    size_t *turn;     /* (n), the order in which the samples are used */
} neighbour_table;

static void free_table(neighbour_table *table)
{
    free(table->index);
    free(table->distance);
    free(table->turn);
}

static mien_status create_table(size_t n, size_t k, neighbour_table *table, mien_error *error)
{
    size_t count;
    if (!size_multiply(n, k, &count) || !size_multiply(count, sizeof(size_t), &count))
        return error_no_memory(error, "nearest neighbours", UINT64_MAX);
    table->k = k;
    table->index = malloc(count);
    table->distance = memory_zeroed(k, sizeof *table->distance);
    table->turn = memory_zeroed(n, sizeof *table->turn);
    if (table->index == NULL || table->distance == NULL || table->turn == NULL)
        return error_no_memory(error, "nearest neighbours", count);
    return MIEN_OK;
}

static void find_neighbours(const float *samples, size_t n, size_t dims, neighbour_table *table)
{
    for (size_t i = 0; i < n; i++) {
        nearest_list list = {table->index + i * table->k, table->distance, 0, table->k};
        for (size_t j = 0; j < n; j++)
            if (j != i)
                nearest_offer(
                    &list, j,
                    nearest_square_distance(samples + i * dims, samples + j * dims, dims));
        table->turn[i] = i;
    }
}

/* One step of a shuffle: place i of the order is drawn among those that are left. */
static size_t draw_turn(size_t *turn, size_t i, size_t n, random_state *random)
{
    size_t other = i + (size_t)random_below(random, n - i);
    size_t drawn = turn[other];
    turn[other] = turn[i];
    turn[i] = drawn;
    return drawn;
}

static void interpolate(const float *from, const float *to, size_t dims, float share, float *out)
{
    for (size_t d = 0; d < dims; d++)
        out[d] = from[d] + share * (to[d] - from[d]);
}

mien_status smote_make(const float *samples, size_t n, size_t dims, size_t k, size_t m,
                       random_state *random, float *synthetic, mien_error *error)
{
    if (n < 2 || dims < 1 || k < 1)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "SMOTE of %zu samples of %zu numbers with %zu neighbours: it needs at "
                         "least 2 samples and 1 neighbour",
                         n, dims, k);
    neighbour_table table = {0};
    mien_status status = create_table(n, k < n - 1 ? k : n - 1, &table, error);
    if (status != MIEN_OK)
        goto cleanup;
    find_neighbours(samples, n, dims, &table);
    for (size_t i = 0; i < m; i++) {
        size_t own = draw_turn(table.turn, i % n, n, random);
        size_t other = table.index[own * table.k + (size_t)random_below(random, table.k)];
        interpolate(samples + own * dims, samples + other * dims, dims, (float)random_unit(random),
                    synthetic + i * dims);
    }
cleanup:
    free_table(&table);
    return status;
}
