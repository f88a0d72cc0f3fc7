/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ZOO_MODEL_OF_H
#define TESTS_ZOO_MODEL_OF_H

#include "support.h"

#include "nn/nn.h"
#include "nn/onnx_write.h"

/* A graph as its file is read again; the caller frees. */
static inline nn_model *model_of(const nn_graph *graph)
{
    uint8_t *bytes;
    size_t size;
    nn_model *model;
    mien_error error;
    assert_ok(onnx_write(graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, &error), &error);
    assert_ok(nn_model_read(bytes, size, &model, &error), &error);
    free(bytes);
    return model;
}

#endif
