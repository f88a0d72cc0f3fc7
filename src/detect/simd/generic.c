/* SPDX-License-Identifier: Apache-2.0 */
#define LANES      4
#define LOW_LANES  0, 1
#define HIGH_LANES 2, 3
#define VECTORS    2
#include "detect/simd/set.inc.h"

const cascade_kernels cascade_kernels_generic = {"generic", fill_tables, scan_band};
