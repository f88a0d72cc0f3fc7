/* SPDX-License-Identifier: Apache-2.0 */

/* vendor.h's convolutions by cuDNN: a plan for each way, made once. */

#include "train/cudnn/gpu.h"
#include "train/cudnn/plan.h"
#include "train/cudnn/vendor.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

#define WAYS 3

struct vendor_conv {
    train_device *device;
    conv_plan plans[WAYS]; /* by plan_way */
};

mien_status vendor_conv_create(train_device *device, const nn_conv *conv, bool needs_input_gradient,
                               bool bf16, vendor_conv **out, mien_error *error)
{
    *out = NULL;
    if (bf16 && !device->has_bf16)
        return error_set(error, MIEN_UNSUPPORTED,
                         "precision = bf16: this GPU does not multiply BF16 (compute capability "
                         "8.0); use precision = f32");
    vendor_conv *made = memory_zeroed(1, sizeof *made);
    if (made == NULL)
        return error_no_memory(error, "a convolution", sizeof *made);
    made->device = device;
    mien_status status = MIEN_OK;
    for (int way = 0; way < WAYS && status == MIEN_OK; way++)
        if (way != PLAN_INPUT_GRADIENT || needs_input_gradient)
            status = plan_create(device->properties, conv, (plan_way)way, bf16, &made->plans[way],
                                 error);
    if (status != MIEN_OK) {
        vendor_conv_free(made);
        return status;
    }
    *out = made;
    return MIEN_OK;
}

void vendor_conv_free(vendor_conv *conv)
{
    for (int way = 0; conv != NULL && way < WAYS; way++)
        plan_free(&conv->plans[way]);
    free(conv);
}

size_t vendor_conv_scratch(const vendor_conv *conv)
{
    size_t most = 0;
    for (int way = 0; way < WAYS; way++)
        most = conv->plans[way].workspace > most ? conv->plans[way].workspace : most;
    return most;
}

static void run(vendor_conv *conv, plan_way way, const void *x, const void *weights, const void *y,
                void *scratch)
{
    static const char *const names[WAYS] = {"a convolution", "the gradient of an input",
                                            "the gradient of weights"};
    train_device *device = conv->device;
    if (!device_failed(device))
        gpu_cudnn(device, plan_run(&conv->plans[way], device->cudnn, x, weights, y, scratch),
                  names[way]);
}

void vendor_conv_forward(vendor_conv *conv, const void *x, const void *weights, void *y,
                         void *scratch)
{
    run(conv, PLAN_FORWARD, x, weights, y, scratch);
}

void vendor_conv_backward_input(vendor_conv *conv, const void *weights, const void *dy, void *dx,
                                void *scratch)
{
    run(conv, PLAN_INPUT_GRADIENT, dx, weights, dy, scratch);
}

void vendor_conv_backward_weights(vendor_conv *conv, const void *x, const void *dy, void *d_weights,
                                  void *scratch)
{
    run(conv, PLAN_WEIGHT_GRADIENT, x, d_weights, dy, scratch);
}
