/* SPDX-License-Identifier: Apache-2.0 */

/* device.h by CUDA's runtime. */

#include "train/cudnn/gpu.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Failures ---- */

void device_fail(train_device *device, mien_status status, const char *format, ...)
{
    char text[256];
    va_list arguments;
    if (device_failed(device))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(&device->failure, status, "%s", text);
}

bool device_failed(const train_device *device)
{
    return device->failure.status != MIEN_OK;
}

bool gpu_cuda(train_device *device, cudaError_t status, const char *what)
{
    if (status != cudaSuccess)
        device_fail(device, MIEN_IO, "the GPU failed in %s: %s", what, cudaGetErrorString(status));
    return status == cudaSuccess;
}

bool gpu_cudnn(train_device *device, cudnnStatus_t status, const char *what)
{
    if (status != CUDNN_STATUS_SUCCESS)
        device_fail(device, MIEN_IO, "cuDNN failed in %s: %s", what, cudnnGetErrorString(status));
    return status == CUDNN_STATUS_SUCCESS;
}

bool gpu_blas(train_device *device, cublasStatus_t status, const char *what)
{
    if (status != CUBLAS_STATUS_SUCCESS)
        device_fail(device, MIEN_IO, "cuBLASLt failed in %s: %s", what,
                    cublasLtGetStatusString(status));
    return status == CUBLAS_STATUS_SUCCESS;
}

bool device_takes(train_device *device, const char *kernel, int64_t count)
{
    if (count > INT32_MAX)
        device_fail(device, MIEN_LIMIT,
                    "%s: %lld numbers at once are too many for the GPU: choose "
                    "a smaller batch",
                    kernel, (long long)count);
    return !device_failed(device) && count > 0;
}

void device_launched(train_device *device, const char *kernel)
{
    gpu_cuda(device, cudaGetLastError(), kernel);
}

void *device_queue(train_device *device)
{
    return device->stream;
}

float *device_sums(train_device *device)
{
    return device->sums;
}

/* ---- Opening ---- */

static void close_gpu(train_device *device)
{
    if (device == NULL)
        return;
    if (device->properties != NULL)
        cudnnBackendDestroyDescriptor(device->properties);
    if (device->cudnn != NULL)
        cudnnDestroy(device->cudnn);
    if (device->blas != NULL)
        cublasLtDestroy(device->blas);
    cudaFree(device->sums);
    cudaFree(device->product_workspace);
    if (device->stream != NULL)
        cudaStreamDestroy(device->stream);
    free(device);
}

#define OLDEST_GPU 75 /* compute capability times 10 that the kernels are compiled for */
#define BF16_GPU   80

static mien_status find_gpu(train_device *device, mien_error *error)
{
    int count = 0, major = 0, minor = 0;
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || count == 0)
        return error_set(error, MIEN_UNSUPPORTED,
                         "no GPU found: %s; the backend cudnn needs one and its driver, onednn "
                         "does without",
                         status != cudaSuccess ? cudaGetErrorString(status) : "CUDA sees none");
    if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess ||
        cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0) != cudaSuccess ||
        10 * major + minor < OLDEST_GPU)
        return error_set(error, MIEN_UNSUPPORTED,
                         "the GPU has compute capability %d.%d, and 7.5 is the oldest that serves",
                         major, minor);
    device->has_bf16 = 10 * major + minor >= BF16_GPU;
    return MIEN_OK;
}

/* What plans are made for. */
static void describe_gpu(train_device *device)
{
    int32_t first = 0;
    cudnnBackendDescriptor_t *made = &device->properties;
    cudnnStatus_t status = cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, made);
    if (status == CUDNN_STATUS_SUCCESS)
        status = cudnnBackendSetAttribute(*made, CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32,
                                          1, &first);
    if (status == CUDNN_STATUS_SUCCESS)
        status = cudnnBackendFinalize(*made);
    gpu_cudnn(device, status, "describing the GPU");
}

static void fill_gpu(train_device *device)
{
    if (!gpu_cuda(device, cudaSetDevice(0), "choosing the GPU") ||
        !gpu_cuda(device, cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking),
                  "making a stream") ||
        !gpu_cuda(device, cudaMalloc((void **)&device->sums, DEVICE_SUMS * sizeof(float)),
                  "allocating memory") ||
        !gpu_cuda(device, cudaMalloc(&device->product_workspace, GPU_PRODUCT_WORKSPACE),
                  "allocating memory") ||
        !gpu_cudnn(device, cudnnCreate(&device->cudnn), "starting") ||
        !gpu_cudnn(device, cudnnSetStream(device->cudnn, device->stream), "taking the stream") ||
        !gpu_blas(device, cublasLtCreate(&device->blas), "starting"))
        return;
    describe_gpu(device);
}

static mien_status open_gpu(train_device **out, mien_error *error)
{
    *out = NULL;
    train_device *device = memory_zeroed(1, sizeof *device);
    if (device == NULL)
        return error_no_memory(error, "a GPU", sizeof *device);
    mien_status status = find_gpu(device, error);
    if (status == MIEN_OK) {
        fill_gpu(device);
        status = device_memory.check(device, error);
    }
    if (status != MIEN_OK) {
        close_gpu(device);
        return status;
    }
    *out = device;
    return MIEN_OK;
}

static mien_status check(train_device *device, mien_error *error)
{
    if (device_failed(device) && error != NULL)
        *error = device->failure;
    return device->failure.status;
}

/* ---- Memory ---- */

static void *allocate(train_device *device, size_t bytes)
{
    void *memory = NULL;
    (void)device;
    if (cudaMalloc(&memory, bytes > 0 ? bytes : 1) == cudaSuccess)
        return memory;
    cudaGetLastError(); /* the caller tells it: the next kernel is not to find it */
    return NULL;
}

static void free_memory(train_device *device, void *memory)
{
    (void)device;
    cudaFree(memory);
}

static void *allocate_host(train_device *device, size_t bytes)
{
    void *memory = NULL;
    (void)device;
    if (cudaHostAlloc(&memory, bytes > 0 ? bytes : 1, cudaHostAllocDefault) == cudaSuccess)
        return memset(memory, 0, bytes);
    cudaGetLastError();
    return NULL;
}

static void free_host(train_device *device, void *memory)
{
    (void)device;
    if (memory != NULL)
        cudaFreeHost(memory);
}

static void move(train_device *device, void *to, const void *from, size_t bytes,
                 enum cudaMemcpyKind kind, const char *what)
{
    if (!device_failed(device) && bytes > 0)
        gpu_cuda(device, cudaMemcpyAsync(to, from, bytes, kind, device->stream), what);
}

/* Of memory that is not pinned, CUDA has read all when this returns. */
static void bring(train_device *device, void *to, const void *host, size_t bytes)
{
    move(device, to, host, bytes, cudaMemcpyHostToDevice, "bringing numbers from the host");
}

static void fetch(train_device *device, void *host, const void *from, size_t bytes)
{
    move(device, host, from, bytes, cudaMemcpyDeviceToHost, "fetching numbers to the host");
    if (!device_failed(device))
        gpu_cuda(device, cudaStreamSynchronize(device->stream), "the work before a fetch");
}

static void copy(train_device *device, void *to, const void *from, size_t bytes)
{
    move(device, to, from, bytes, cudaMemcpyDeviceToDevice, "copying numbers");
}

static void zero(train_device *device, void *memory, size_t bytes)
{
    if (!device_failed(device) && bytes > 0)
        gpu_cuda(device, cudaMemsetAsync(memory, 0, bytes, device->stream), "zeroing numbers");
}

const train_memory device_memory = {.open = open_gpu,
                                    .close = close_gpu,
                                    .check = check,
                                    .allocate = allocate,
                                    .free = free_memory,
                                    .allocate_host = allocate_host,
                                    .free_host = free_host,
                                    .bring = bring,
                                    .fetch = fetch,
                                    .copy = copy,
                                    .zero = zero};
