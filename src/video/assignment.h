/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_ASSIGNMENT_H
#define VIDEO_ASSIGNMENT_H

/*
 * Minimum-cost assignment (Kuhn 1955, Munkres 1957) by shortest augmenting paths with potentials
 * (Jonker and Volgenant 1987): exact, O(rows^2 columns).
 */

#include <mien/status.h>
#include <stddef.h>

#define ASSIGNMENT_NONE SIZE_MAX

/*
 * cost: (rows, columns), row-major, finite. column_of (rows): the column of each row, or
 * ASSIGNMENT_NONE where there are fewer columns than rows. No column is given twice, the sum of the
 * costs is the least with as many pairs as there can be.
 * MIEN_OUT_OF_MEMORY: column_of is undefined.
 */
mien_status assignment_solve(const double *cost, size_t rows, size_t columns, size_t *column_of,
                             mien_error *error);

#endif
