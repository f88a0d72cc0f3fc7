/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_BAND_H
#define DETECT_CASCADE_BAND_H

/* The search of one band of one scale, from the picture's pixels to the windows that pass. */

#include "detect/cascade_kernels.h"
#include "detect/cascade_plan.h"
#include "detect/grouping.h"

/* What one thread works with; serves all bands of a plan. Starts zeroed. */
typedef struct band_memory {
    uint8_t *shrunk;      /* pixels of a band of the shrunk picture */
    uint16_t *resize_row; /* see image_bilinear_row */
    int32_t *sums;        /* upright, then tilted if the cascade needs it */
    uint32_t *squares;
    cascade_windows windows;
    raw_windows found;
} band_memory;

/* false when out of memory; then it is as zeroed. What it held goes. */
bool band_memory_allocate(const cascade_plan *plan, band_memory *memory);
void band_memory_free(band_memory *memory);

/* Adds the windows of the band to memory->found, row by row. false when out of memory. */
bool band_search(const cascade *model, const cascade_kernels *kernels, const cascade_plan *plan,
                 const scan_band *band, const mien_image *gray, band_memory *memory);

#endif
