/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ONNX_TENSOR_H
#define NN_ONNX_TENSOR_H

/* ONNX TensorProto: constants of a network. Private to the ONNX reader. */

#include "nn/graph.h"
#include "nn/wire.h"

/*
 * Reads a tensor. float16, bfloat16 and double become float32; integers of every size and booleans
 * become int64. *name is the span of its name (empty when it has none).
 * Success: tensor->data is the caller's, free with free(). Failure: nothing is left to free;
 * MIEN_MALFORMED (content shorter or longer than the shape, NaN), MIEN_UNSUPPORTED (strings,
 * external files), MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */
mien_status onnx_read_tensor(wire_span span, nn_tensor *tensor, wire_span *name, mien_error *error);

#endif
