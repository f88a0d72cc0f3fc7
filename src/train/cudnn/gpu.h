/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CUDNN_GPU_H
#define TRAIN_CUDNN_GPU_H

/* The device as a GPU, for what knows CUDA: gpu.c, gpu_conv.c and gpu_product.c. */

#include "train/cudnn/device.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#define GPU_PRODUCT_WORKSPACE ((size_t)32 << 20) /* bytes, for cuBLASLt */

struct train_device {
    mien_error failure; /* the first one */
    cudaStream_t stream;
    cudnnHandle_t cudnn;
    cublasLtHandle_t blas;
    cudnnBackendDescriptor_t properties; /* of the GPU, for plans */
    bool has_bf16;
    float *sums;
    void *product_workspace;
};

/* Whether a call went well; else the device fails, and `what` says in which work. */
bool gpu_cuda(train_device *device, cudaError_t status, const char *what);
bool gpu_cudnn(train_device *device, cudnnStatus_t status, const char *what);
bool gpu_blas(train_device *device, cublasStatus_t status, const char *what);

#endif
