/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CUDNN_KERNEL_H
#define TRAIN_CUDNN_KERNEL_H

/*
 * How kernels are written: as a function of what is to be done and of a number i, 0..count-1, which
 * makes the i-th part of the result and reads no other part. So the parts can be made in any order,
 * without barriers, and the same source, in what C and CUDA have in common, is compiled by nvcc for
 * the device, one thread for each i, and by a C compiler for the host, as a loop: that is how it is
 * tested where there is no device.
 *
 *     KERNEL(kernel_add)
 *     {
 *         work->y[i] = work->a[i] + work->b[i];
 *     }
 *
 * defines void kernel_add(train_device *, const kernel_add_work *work, int64_t count), to be
 * declared, with its struct of arguments, in kernels.h. It waits for nothing. A count that does not
 * fit 31 bits, and what CUDA refuses, fail the device (device.h).
 */

#include "train/cudnn/device.h"
#include "train/cudnn/kernels.h"

#ifdef __CUDACC__

#define DEVICE         static __device__ __forceinline__
#define KERNEL_THREADS 256 /* of a block */

#define KERNEL(name)                                                                               \
    DEVICE void name##_at(const name##_work *work, uint32_t i);                                    \
    static __global__ void name##_grid(const __grid_constant__ name##_work work, uint32_t count)   \
    {                                                                                              \
        uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;                                        \
        if (i < count)                                                                             \
            name##_at(&work, i);                                                                   \
    }                                                                                              \
    void name(train_device *device, const name##_work *work, int64_t count)                        \
    {                                                                                              \
        if (!device_takes(device, #name, count))                                                   \
            return;                                                                                \
        unsigned blocks = (unsigned)((count + KERNEL_THREADS - 1) / KERNEL_THREADS);               \
        name##_grid<<<blocks, KERNEL_THREADS, 0, (cudaStream_t)device_queue(device)>>>(            \
            *work, (uint32_t)count);                                                               \
        device_launched(device, #name);                                                            \
    }                                                                                              \
    DEVICE void name##_at(const name##_work *work, uint32_t i)

#else

#define DEVICE static inline

#define KERNEL(name)                                                                               \
    DEVICE void name##_at(const name##_work *work, uint32_t i);                                    \
    void name(train_device *device, const name##_work *work, int64_t count)                        \
    {                                                                                              \
        if (!device_takes(device, #name, count))                                                   \
            return;                                                                                \
        for (uint32_t i = 0; i < (uint32_t)count; i++)                                             \
            name##_at(work, i);                                                                    \
        device_launched(device, #name);                                                            \
    }                                                                                              \
    DEVICE void name##_at(const name##_work *work, uint32_t i)

#endif

#endif
