/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_SAMPLE_ORDER_H
#define EVAL_SAMPLE_ORDER_H

/* The samples of a timeline person by person, each person's in the order of time. */

#include "eval/timeline.h"

#include <mien/status.h>

typedef struct sample_order {
    size_t *samples; /* (count): places in the timeline */
    size_t count;
} sample_order;

/*
 * Of one person, or of all (0). Success: the caller frees with sample_order_free. Failure: *out is
 * zeroed; MIEN_OUT_OF_MEMORY.
 */
mien_status sample_order_make(const timeline *t, int64_t person, sample_order *out,
                              mien_error *error);
void sample_order_free(sample_order *order);

/* Seconds from the sample at a place to the same person's next one; INFINITY when it is the last.
 */
double sample_order_to_next(const timeline *t, const sample_order *order, size_t place);

#endif
