/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ONNX_H
#define NN_ONNX_H

/*
 * Reading ONNX files (https://onnx.ai, opset 7 to 21). The bytes are treated as hostile: every size
 * is checked before it is used, and the operators are those of nn/op.h alone.
 */

#include "nn/graph.h"

#define ONNX_MIN_OPSET     7
#define ONNX_MAX_OPSET     21
#define ONNX_MAX_NODES     20000
#define ONNX_MAX_FILE_SIZE ((size_t)1 << 30)

/*
 * Success: *graph is filled, the caller frees it with nn_graph_free. The bytes are not needed
 * afterwards.
 * Failure: *graph is zeroed. MIEN_MALFORMED with the byte position, MIEN_UNSUPPORTED (operator,
 * opset, subgraphs), MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */
mien_status onnx_read(const void *bytes, size_t size, nn_graph *graph, mien_error *error);

#endif
