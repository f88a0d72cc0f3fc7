/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_ONNX_WRITE_H
#define NN_ONNX_WRITE_H

/* Writing a graph as an ONNX file: what onnx_read reads, bit for bit the same for the same graph.
 */

#include "nn/graph.h"

typedef enum onnx_weights { ONNX_WEIGHTS_FLOAT32, ONNX_WEIGHTS_FLOAT16 } onnx_weights;

/*
 * weights: FLOAT16 stores float constants of 64 numbers and more as float16, rounded to nearest
 * even, followed by a Cast to float32 (so that any ONNX program reads them); a constant with a
 * number that float16 cannot hold stays float32, and one that a Cast follows already gets no
 * second. The open batch dimension is called "N". Success: *bytes is the caller's, free with
 * free(). Failure: *bytes is NULL; MIEN_OUT_OF_MEMORY.
 */
mien_status onnx_write(const nn_graph *graph, onnx_weights weights, uint8_t **bytes, size_t *size,
                       mien_error *error);

#endif
