/* SPDX-License-Identifier: Apache-2.0 */
#define LANES      8
#define LOW_LANES  0, 1, 2, 3
#define HIGH_LANES 4, 5, 6, 7
#define VECTORS    2
#include "detect/simd/set.inc.h"

const cascade_kernels cascade_kernels_avx2 = {"avx2", fill_tables, scan_band};
