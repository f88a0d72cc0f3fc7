/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_CUDNN_EMULATED_H
#define TESTS_TRAIN_CUDNN_EMULATED_H

/*
 * A device that computes on the host, in the place of a GPU (emulated_device.c), with plain
 * convolutions and products in the place of the vendor's (emulated_vendor.c). Behind it, the cudnn
 * backend is the same code, its kernels compiled for the host.
 */

#include "train/backend.h"

/* Makes a device fail at its n-th kernel or transfer from now on, as a GPU may; -1: at none. */
void emulated_fail_after(train_device *device, long works);

/* What has been allocated and not freed. */
long emulated_blocks(const train_device *device);

#endif
