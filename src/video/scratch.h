/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_SCRATCH_H
#define VIDEO_SCRATCH_H

/* Memory that a function needs anew in each call, kept between them. For one thread at a time. */

#include <stddef.h>

/* Starts zeroed. */
typedef struct scratch {
    void *memory;
    size_t bytes;
} scratch;

/* Zeroed memory for count items of size bytes, the scratch's until its next use; allocated only
 * when there was less. NULL when out of memory or when it overflows. */
void *scratch_zeroed(scratch *scratch, size_t count, size_t size);

void scratch_free(scratch *scratch);

#endif
