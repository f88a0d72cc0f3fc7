/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_KERNELS_H
#define DETECT_CASCADE_KERNELS_H

/*
 * The work on every window as a table of functions: one for each instruction set, and plain C.
 * All of them give the same windows: each computes in the same order, in the same types.
 */

#include "detect/cascade_layout.h"

#include "image/image.h"

/* What the windows of a band are worked on with. An offset counts entries of a table. */
typedef struct cascade_windows {
    int32_t *offsets; /* (windows + 1): of the windows that are still possible, rising */
    float *factors; /* (layout->table_size), by offset: what features are multiplied by; 0: flat */
} cascade_windows;

struct cascade_kernels {
    const char *name;
    /* image_bilinear_row of a grey picture. */
    void (*bilinear_row)(const mien_image *gray, image_tap row, const image_tap *columns, int width,
                         uint16_t *scratch, uint8_t *dst);
    /* Makes the integral images of a grey picture: sums (and tilted sums) and squares, both in the
     * form of the layout, with zeros or what else is there beyond the picture. */
    void (*fill_tables)(const cascade_layout *layout, const mien_image *gray, int32_t *sums,
                        uint32_t *squares);
    /* Leaves the offsets of the windows that pass all stages in windows->offsets and returns how
     * many. There are rows x columns of them, columns one entry and rows layout->row_offset entries
     * apart, from the first entries of sums and squares on. */
    int (*scan_band)(const cascade_layout *layout, const int32_t *sums, const uint32_t *squares,
                     int rows, int columns, cascade_windows *windows);
};

extern const cascade_kernels cascade_kernels_reference; /* plain C, window by window */
#if defined(__x86_64__)
extern const cascade_kernels cascade_kernels_avx512; /* AVX-512 F, VL, BW and DQ */
extern const cascade_kernels cascade_kernels_avx2;
#endif
extern const cascade_kernels cascade_kernels_generic; /* 128-bit vectors */

/* The index-th set that runs on this processor, the best first and plain C last; else NULL. */
const cascade_kernels *cascade_kernels_at(size_t index);

#endif
