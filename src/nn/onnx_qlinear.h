/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ONNX_QLINEAR_H
#define NN_ONNX_QLINEAR_H

/* Part of reading ONNX: operators on 8-bit numbers in the form that the rest of the runtime knows.
 */

#include "nn/graph.h"

/*
 * Takes QLinearConv and QLinearMatMul apart: DequantizeLinear of what they read, Conv or MatMul,
 * QuantizeLinear of what they make. The graph needs to be sorted after. MIEN_UNSUPPORTED (scales
 * that are computed), MIEN_OUT_OF_MEMORY; then the graph can only be freed.
 */
mien_status onnx_expand_qlinear(nn_graph *graph, mien_error *error);

#endif
