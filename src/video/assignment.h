/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_ASSIGNMENT_H
#define VIDEO_ASSIGNMENT_H

/*
 * Minimum-cost assignment (Kuhn 1955, Munkres 1957) by shortest augmenting paths with potentials
 * (Jonker and Volgenant 1987): exact, O(rows^2 columns).
 */

#include "video/scratch.h"

#include <mien/status.h>
#include <stddef.h>

#define ASSIGNMENT_NONE SIZE_MAX

/* What assignment_solve keeps from call to call. Starts zeroed. */
typedef struct assignment_scratch {
    scratch row_price, column_price, slack, row_of, before, reached;
} assignment_scratch;

void assignment_scratch_free(assignment_scratch *kept);

/*
 * cost: (rows, columns), row-major, finite. column_of (rows): the column of each row, or
 * ASSIGNMENT_NONE where there are fewer columns than rows. No column is given twice, the sum of the
 * costs is the least with as many pairs as there can be.
 * MIEN_OUT_OF_MEMORY: column_of is undefined.
 */
mien_status assignment_solve(assignment_scratch *kept, const double *cost, size_t rows,
                             size_t columns, size_t *column_of, mien_error *error);

#endif
