/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_CUDNN_DEVICE_H
#define TRAIN_CUDNN_DEVICE_H

/*
 * What the backend needs of a GPU beside kernels, in no vendor's types: device.c has it by CUDA's
 * runtime; the tests have one that computes on the host.
 *
 * All work goes into one queue, in order. The device keeps its first failure; after it, work is
 * refused.
 */

#include "train/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* open says why no GPU can be used, and closes what it began. */
extern const train_memory device_memory;

/* Keeps a failure, where it is the first one. */
void device_fail(train_device *device, mien_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool device_failed(const train_device *device);

/* Memory of the device that sums go through on their way: DEVICE_SUMS floats, at a
 * MEMORY_ALIGNMENT. What is in it may be lost with the next function of the backend. */
#define DEVICE_SUMS (1 << 20)
float *device_sums(train_device *device);

/* ---- For kernel.h ---- */

/* Whether a kernel may run: nothing has failed, and count is 1..INT32_MAX. A larger count fails
 * the device. */
bool device_takes(train_device *device, const char *kernel, int64_t count);
void device_launched(train_device *device, const char *kernel);
void *device_queue(train_device *device); /* a cudaStream_t; NULL on the host */

#ifdef __cplusplus
}
#endif

#endif
