/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/cudnn/device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct train_device {
    mien_error failure;
    float *sums;
    long left; /* works until it fails; negative: never */
    long blocks;
};

void emulated_fail_after(train_device *device, long works)
{
    device->left = works;
}

long emulated_blocks(const train_device *device)
{
    return device->blocks;
}

/* ---- Failures ---- */

void device_fail(train_device *device, mien_status status, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!device_failed(device))
        error_set(&device->failure, status, "%s", text);
}

bool device_failed(const train_device *device)
{
    return device->failure.status != MIEN_OK;
}

static bool may_work(train_device *device, const char *what)
{
    if (device->left >= 0 && device->left-- == 0)
        device_fail(device, MIEN_IO, "the emulated device failed in %s, as it was told to", what);
    return !device_failed(device);
}

bool device_takes(train_device *device, const char *kernel, int64_t count)
{
    if (count > INT32_MAX)
        device_fail(device, MIEN_LIMIT, "%s: %lld numbers are too many", kernel, (long long)count);
    return may_work(device, kernel) && count > 0;
}

void device_launched(train_device *device, const char *kernel)
{
    (void)device;
    (void)kernel;
}

void *device_queue(train_device *device)
{
    (void)device;
    return NULL;
}

float *device_sums(train_device *device)
{
    return device->sums;
}

/* ---- Memory ---- */

static void close_device(train_device *device)
{
    if (device != NULL)
        free(device->sums);
    free(device);
}

static mien_status open_device(train_device **device, mien_error *error)
{
    *device = memory_zeroed(1, sizeof **device);
    if (*device != NULL)
        (*device)->sums = memory_aligned(DEVICE_SUMS * sizeof(float));
    if (*device == NULL || (*device)->sums == NULL) {
        close_device(*device);
        *device = NULL;
        return error_no_memory(error, "a device", DEVICE_SUMS * sizeof(float));
    }
    (*device)->left = -1;
    return MIEN_OK;
}

static mien_status check(train_device *device, mien_error *error)
{
    if (error != NULL && device_failed(device))
        *error = device->failure;
    return device->failure.status;
}

static void *allocate(train_device *device, size_t bytes)
{
    void *block = memory_aligned(bytes);
    if (block != NULL) {
        memset(block, 0xff, bytes); /* what nobody wrote is no number */
        device->blocks++;
    }
    return block;
}

static void free_block(train_device *device, void *memory)
{
    device->blocks -= memory != NULL;
    free(memory);
}

static void *allocate_host(train_device *device, size_t bytes)
{
    void *block = memory_zeroed(bytes, 1);
    device->blocks += block != NULL;
    return block;
}

static void copy(train_device *device, void *to, const void *from, size_t bytes)
{
    if (may_work(device, "a copy"))
        memcpy(to, from, bytes);
}

static void zero(train_device *device, void *memory, size_t bytes)
{
    if (may_work(device, "zeroing"))
        memset(memory, 0, bytes);
}

const train_memory device_memory = {.open = open_device,
                                    .close = close_device,
                                    .check = check,
                                    .allocate = allocate,
                                    .free = free_block,
                                    .allocate_host = allocate_host,
                                    .free_host = free_block,
                                    .bring = copy,
                                    .fetch = copy,
                                    .copy = copy,
                                    .zero = zero};
