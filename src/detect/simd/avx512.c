/* SPDX-License-Identifier: Apache-2.0 */
#define LANES   8
#define PARTS   1
#define VECTORS 4
#define LANE_SEQUENCE(first, step)                                                                 \
    (first), (first) + (step), (first) + 2 * (step), (first) + 3 * (step), (first) + 4 * (step),   \
        (first) + 5 * (step), (first) + 6 * (step), (first) + 7 * (step)
#include "detect/simd/set.inc.h"

const cascade_kernels cascade_kernels_avx512 = {"avx512", bilinear_row, fill_tables, scan_band};
