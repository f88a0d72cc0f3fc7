/* SPDX-License-Identifier: Apache-2.0 */
#define LANES      16
#define LOW_LANES  0, 1, 2, 3, 4, 5, 6, 7
#define HIGH_LANES 8, 9, 10, 11, 12, 13, 14, 15
#define VECTORS    2
#include "detect/simd/set.inc.h"

const cascade_kernels cascade_kernels_avx512 = {"avx512", fill_tables, scan_band};
