/* SPDX-License-Identifier: Apache-2.0 */
#include "video/assignment.h"

#include "base/error.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* Rows are never more than columns: else the matrix is read transposed. Row and column 0 stand for
 * "none"; the real ones count from 1. */
typedef struct solver {
    const double *cost;
    size_t rows, columns;
    size_t row_step, column_step;     /* from one cost to the next */
    double *row_price, *column_price; /* potentials (rows + 1), (columns + 1) */
    double *slack;                    /* (columns + 1): shortest way to a column so far */
    size_t *row_of;                   /* (columns + 1): who has the column; 0 for nobody */
    size_t *before;                   /* (columns + 1): the column before it on that way */
    bool *reached;                    /* (columns + 1) */
} solver;

static double reduced_cost(const solver *s, size_t row, size_t column)
{
    return s->cost[(row - 1) * s->row_step + (column - 1) * s->column_step] - s->row_price[row] -
           s->column_price[column];
}

/* Looks on from a column that was reached; returns the nearest one that was not. */
static size_t nearest_column(solver *s, size_t from, double *distance)
{
    size_t nearest = 0;
    *distance = INFINITY;
    for (size_t j = 1; j <= s->columns; j++) {
        if (s->reached[j])
            continue;
        double cost = reduced_cost(s, s->row_of[from], j);
        if (cost < s->slack[j]) {
            s->slack[j] = cost;
            s->before[j] = from;
        }
        if (s->slack[j] < *distance) {
            *distance = s->slack[j];
            nearest = j;
        }
    }
    return nearest;
}

static void shift_prices(solver *s, double by)
{
    for (size_t j = 0; j <= s->columns; j++) {
        if (s->reached[j]) {
            s->row_price[s->row_of[j]] += by;
            s->column_price[j] -= by;
        } else {
            s->slack[j] -= by;
        }
    }
}

/* Gives one more row a column, moving others along the cheapest chain. */
static void add_row(solver *s, size_t row)
{
    size_t column = 0;
    s->row_of[0] = row;
    for (size_t j = 0; j <= s->columns; j++) {
        s->slack[j] = INFINITY;
        s->reached[j] = false;
    }
    do {
        double distance;
        s->reached[column] = true;
        size_t next = nearest_column(s, column, &distance);
        shift_prices(s, distance);
        column = next;
    } while (s->row_of[column] != 0);
    for (; column != 0; column = s->before[column])
        s->row_of[column] = s->row_of[s->before[column]];
}

static bool allocate(solver *s, assignment_scratch *kept)
{
    size_t rows = s->rows + 1, columns = s->columns + 1;
    s->row_price = scratch_zeroed(&kept->row_price, rows, sizeof *s->row_price);
    s->column_price = scratch_zeroed(&kept->column_price, columns, sizeof *s->column_price);
    s->slack = scratch_zeroed(&kept->slack, columns, sizeof *s->slack);
    s->row_of = scratch_zeroed(&kept->row_of, columns, sizeof *s->row_of);
    s->before = scratch_zeroed(&kept->before, columns, sizeof *s->before);
    s->reached = scratch_zeroed(&kept->reached, columns, sizeof *s->reached);
    return s->row_price != NULL && s->column_price != NULL && s->slack != NULL &&
           s->row_of != NULL && s->before != NULL && s->reached != NULL;
}

void assignment_scratch_free(assignment_scratch *kept)
{
    scratch_free(&kept->row_price);
    scratch_free(&kept->column_price);
    scratch_free(&kept->slack);
    scratch_free(&kept->row_of);
    scratch_free(&kept->before);
    scratch_free(&kept->reached);
}

mien_status assignment_solve(assignment_scratch *kept, const double *cost, size_t rows,
                             size_t columns, size_t *column_of, mien_error *error)
{
    bool transposed = rows > columns;
    solver s = {.cost = cost,
                .rows = transposed ? columns : rows,
                .columns = transposed ? rows : columns,
                .row_step = transposed ? 1 : columns,
                .column_step = transposed ? columns : 1};
    bool ready = allocate(&s, kept);
    for (size_t i = 1; ready && i <= s.rows; i++)
        add_row(&s, i);
    for (size_t i = 0; ready && i < rows; i++)
        column_of[i] = ASSIGNMENT_NONE;
    for (size_t j = 1; ready && j <= s.columns; j++) {
        if (s.row_of[j] == 0)
            continue;
        if (transposed)
            column_of[j - 1] = s.row_of[j] - 1;
        else
            column_of[s.row_of[j] - 1] = j - 1;
    }
    return ready ? MIEN_OK
                 : error_no_memory(error, "the assignment of boxes", columns * sizeof(double));
}
