/* SPDX-License-Identifier: Apache-2.0 */

/* All kernels of one instruction set in float, and what the table needs to point at. */

#include "nn/simd/vector.inc.h"

#include "nn/simd/float_numbers.inc.h"

#include "nn/simd/panels.inc.h"

#include "nn/simd/ways.inc.h"

#include "nn/simd/elementwise.inc.h"
#include "nn/simd/pool.inc.h"
#include "nn/simd/staged.inc.h"
#include "nn/simd/strassen.inc.h"

static const conv_way staged_way = {dense_packed_floats, staged_scratch_bytes, pack_staged,
                                    run_staged};
static const conv_way strassen_way = {strassen_packed_floats, strassen_scratch_bytes, pack_strassen,
                                      run_strassen};

static const conv_way *way_of(const nn_conv *conv)
{
    if (!is_depthwise(conv) && is_staged(conv))
        return &staged_way;
    if (strassen_takes(conv))
        return &strassen_way;
    return way_by_channels(conv);
}

static bool conv_supported(const nn_conv *conv)
{
    return applies_activation(conv);
}

static bool conv_takes_planar(const nn_conv *conv)
{
    return way_of(conv) == &staged_way;
}

static void run_float_conv(const nn_conv *conv, nn_part part, const float *x, const float *residual,
                           float *y, void *scratch)
{
    run_conv(conv, part, x, residual, y, scratch);
}

/* ---- Rows one by one ---- */

static bool conv_has_rows(const nn_conv *conv)
{
    const conv_way *way = way_of(conv);
    return way == &staged_way || (way == &dense_way && is_pointwise(conv)) ||
           (way == &depthwise_way && slides(conv));
}

static void run_conv_row(const nn_conv *conv, int64_t row, const float *const *x,
                         const float *residual, float *y, void *scratch)
{
    const conv_way *way = way_of(conv);
    if (way == &staged_way) {
        staged_row_alone(conv, row, x, residual, y, scratch);
    } else if (way == &depthwise_way) {
        slide_over_rows(conv, row, x, residual, y);
    } else {
        nn_conv line = *conv;
        line.in.batch = line.in.height = line.out.batch = line.out.height = 1;
        run_dense(&line, nn_whole(), x[0], residual, y, scratch);
    }
}

#define KERNEL_TABLE(set_name)                                                                     \
    {                                                                                              \
        .name = set_name, .vector_floats = WIDE_FLOATS, .conv_supported = conv_supported,          \
        .conv_takes_planar = conv_takes_planar, .conv_packed_floats = conv_packed_floats,          \
        .conv_scratch_bytes = conv_scratch_bytes, .conv_pack = conv_pack, .conv = run_float_conv,  \
        .conv_has_rows = conv_has_rows, .conv_row = run_conv_row, .pool_row = pool_row,            \
        .pool = run_pool, .global_average = run_global_average, .scale_shift = run_scale_shift,    \
        .activate = run_activate, .prelu = run_prelu, .binary = run_binary,                        \
        .binary_channels = run_binary_channels, .transpose = run_transpose                         \
    }
