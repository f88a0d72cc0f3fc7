/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CUDNN_PLAN_H
#define TRAIN_CUDNN_PLAN_H

/*
 * One way through a convolution as cuDNN computes it: a graph of one operation, and the first of
 * the ways that cuDNN's heuristics name for it which gives the same bits each time and rounds
 * nothing further than asked for. No GPU is needed to make one, only its properties. Private to
 * what knows CUDA.
 */

#include "nn/kernels.h"

#include <cudnn.h>
#include <mien/status.h>

typedef enum plan_way { PLAN_FORWARD, PLAN_INPUT_GRADIENT, PLAN_WEIGHT_GRADIENT } plan_way;

#define PLAN_DESCRIPTORS 12

typedef struct conv_plan {
    cudnnBackendDescriptor_t descriptors[PLAN_DESCRIPTORS]; /* of the graph */
    size_t descriptor_count;
    cudnnBackendDescriptor_t plan;
    size_t workspace; /* bytes */
} conv_plan;

/*
 * conv: x and y channels last, weights (M, kH, kW, C/group). bf16: all three are BF16, else float,
 * of which cuDNN may round the products' factors to TF32; sums are float. properties: a finished
 * CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR. Success: the caller frees with plan_free. Failure: *plan is
 * empty; MIEN_UNSUPPORTED, the message says what cuDNN cannot do.
 */
mien_status plan_create(cudnnBackendDescriptor_t properties, const nn_conv *conv, plan_way way,
                        bool bf16, conv_plan *plan, mien_error *error);
void plan_free(conv_plan *plan);

/* Runs it in the handle's stream, with what the way reads and writes among x, weights and y. */
cudnnStatus_t plan_run(const conv_plan *plan, cudnnHandle_t handle, const void *x,
                       const void *weights, const void *y, void *workspace);

#endif
