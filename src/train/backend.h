/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_BACKEND_H
#define TRAIN_BACKEND_H

/*
 * What a layer's arithmetic is made of: one table of functions per backend. `ref` is plain C on
 * (N, C, H, W), sums in double: the truth. `onednn` keeps pictures channels last, (N, H, W, C),
 * takes oneDNN for dense convolutions and products, and kernels of its own for the rest. `cudnn`
 * does the same on an NVIDIA GPU, with cuDNN and cuBLASLt; its dense convolutions use TF32.
 *
 * All arrays that the functions read and write are the backend's memory (train_memory), unless they
 * are said to be the host's. Parameters and their gradients are always row-major as in ONNX,
 * whatever the backend. Results are the same, bit for bit, for the same inputs and number of
 * threads.
 *
 * Functions of arithmetic cannot fail on the host. On a device they may: then they do nothing more,
 * and the device keeps the first failure, which train_memory's `check` tells.
 */

#include "nn/kernels.h"
#include "train/optimiser.h"

#define TRAIN_MAX_THREADS  64 /* that a backend's own loops use */
#define TRAIN_NORM_SCRATCH (2 * TRAIN_MAX_THREADS)
#define TRAIN_MAX_CHANNELS 4096 /* of BatchNormalization */

/*
 * What a backend's memory and work belong to, a GPU for instance. NULL with backends that compute
 * in the host's memory. For one thread at a time.
 */
typedef struct train_device train_device;

/* Where a backend's arrays lie. */
typedef struct train_memory {
    bool on_host; /* arrays are the host's: who may only look at them needs no copy */
    /* Success: the caller closes the device once all that belongs to it is freed. Failure: *device
     * is NULL, MIEN_UNSUPPORTED (there is none that can be used; the message says why) or
     * MIEN_OUT_OF_MEMORY. */
    mien_status (*open)(train_device **device, mien_error *error);
    void (*close)(train_device *device);
    /* The first failure of all work since the device was opened, as far as it is known: all of it
     * after a `fetch`. */
    mien_status (*check)(train_device *device, mien_error *error);
    /* At a MEMORY_ALIGNMENT, not zeroed; NULL: there is no more. */
    void *(*allocate)(train_device *device, size_t bytes);
    void (*free)(train_device *device, void *memory); /* NULL is fine */
    /* Zeroed memory of the host that is moved from and to the backend's sooner than any other. */
    void *(*allocate_host)(train_device *device, size_t bytes);
    void (*free_host)(train_device *device, void *memory);
    /* From the host's memory. What allocate_host gave is to stay as it is until the next fetch. */
    void (*bring)(train_device *device, void *to, const void *host, size_t bytes);
    /* To the host's memory, once all work before it is done. */
    void (*fetch)(train_device *device, void *host, const void *from, size_t bytes);
    void (*copy)(train_device *device, void *to, const void *from, size_t bytes);
    void (*zero)(train_device *device, void *memory, size_t bytes);
} train_memory;

/* Arithmetic number by number, as elementwise.h has it for the host. */
typedef struct train_elements {
    /* y may be a or b. */
    void (*add)(train_device *device, const float *a, const float *b, size_t count, float *y);
    void (*multiply)(train_device *device, const float *a, const float *b, size_t count, float *y);
    /* In place. */
    void (*activate)(train_device *device, nn_activation activation, size_t count, float *y);
    /* x: may be NULL for RELU and CLIP. dx may be dy. */
    void (*activate_backward)(train_device *device, nn_activation activation, const float *x,
                              const float *y, const float *dy, size_t count, float *dx);
    void (*dropout)(train_device *device, const float *x, size_t count, float ratio, uint64_t seed,
                    uint64_t step, uint64_t layer, float *y);
    /* (planes, rows, columns) -> (planes, columns, rows) */
    void (*transpose)(train_device *device, const float *x, int64_t planes, int64_t rows,
                      int64_t columns, float *y);
    /* The host's pictures (N, C, H W) as the backend keeps them. scratch: as many floats. */
    void (*take_input)(train_device *device, const float *host, const nn_extent *extent,
                       float *scratch, float *y);
} train_elements;

/* A parameter that updates move. */
typedef struct train_moved {
    float *values;
    const float *gradients; /* NULL: it does not learn */
    float *state;           /* the optimiser's */
    float *average;         /* NULL: none is kept */
    size_t count;
    bool decays;
} train_moved;

/* What moves parameters, as optimiser.h has it for the host. Lists are the host's, their arrays the
 * backend's. */
typedef struct train_updates {
    /* One update of each that learns, step 1 for the first; then of the averages, which keep the
     * share `kept` of what they were. */
    void (*update)(train_device *device, const optimiser_settings *settings, float rate,
                   int64_t step, float kept, const train_moved *list, size_t count);
    void (*swap)(train_device *device, float *a, float *b, size_t count);
    double (*norm)(train_device *device, const float *const *arrays, const size_t *counts,
                   size_t array_count);
    void (*clip)(train_device *device, float *const *gradients, const size_t *counts,
                 size_t array_count, double norm, double max_norm);
    void (*ascend)(train_device *device, float *values, const float *gradients, size_t count,
                   double norm, float rho);
    void (*quantise)(train_device *device, float *values, size_t outputs, size_t inner);
    /*
     * Running statistics of BatchNormalization by those of a batch of `rows` numbers a channel:
     * running = (1 - momentum) running + momentum batch, the variance unbiased as PyTorch keeps it.
     */
    void (*move_statistics)(train_device *device, int64_t rows, int64_t channels, float epsilon,
                            float momentum, const float *mean, const float *inverse,
                            float *running_mean, float *running_variance);
} train_updates;

/* Forward and backward of one convolution: the backend's memory. */
typedef struct train_conv train_conv;

/* How the threads of a backend compute: control words of the processor. */
typedef struct train_modes {
    unsigned words[TRAIN_MAX_THREADS];
    int threads;
} train_modes;

/* A number in BF16: the upper half of a float, rounded to the nearest, denormals to 0. */
typedef uint16_t train_bf16;

/* BatchNormalization of one layer. */
typedef struct train_norm {
    train_device *device;
    nn_extent extent;
    float epsilon;
    nn_activation activation; /* joined: NONE, RELU or CLIP */
    float *scratch;           /* TRAIN_NORM_SCRATCH floats a channel */
    /* Backends with `rounding`, NULL where not wanted: y once more, and the gradient in the place
     * of dx, which is then left alone. */
    train_bf16 *rounded, *rounded_gradient;
    /* Backends with `joining`, on the way backwards, NULL where not wanted: the sums that a joined
     * convolution gave (train_joined_norm), and its slopes, then written in the place of dx. */
    const double *sums;
    float *slopes;
} train_norm;

/*
 * A BatchNormalization beside a convolution that does its work piece by piece, while the piece lies
 * in the cache. By channel, (C) each.
 */
typedef struct train_joined_norm {
    nn_activation activation;
    float epsilon;
    float *factor, *offset; /* y = activation(factor x + offset) */
    float *mean, *inverse;  /* of the batch; inverse: of the standard deviation */
    double *sums;           /* (2, C): of `back`, the gradient of y, 0 where y is flat; and of back
                               times (x - mean) */
    float *slopes;          /* (3, C): gradient of x = slopes[0] back + slopes[1] x + slopes[2] */
} train_joined_norm;

/*
 * What a backend adds that joins a convolution to BatchNormalization before and behind it, so that
 * what lies between them is never written as a whole.
 */
typedef struct train_joining {
    /* Whether this convolution can be joined. */
    bool (*takes)(const train_conv *conv);
    /* factor and offset of a train_joined_norm, by the batch's statistics or by running ones. */
    void (*batch_map)(const train_norm *norm, const float *scale, const float *shift,
                      const float *mean, const float *inverse, float *factor, float *offset);
    void (*running_map)(const train_norm *norm, const float *scale, const float *shift,
                        const float *mean, const float *variance, float *factor, float *offset);
    /* y = conv(before(x), weights) + bias. before: read, NULL for x itself. after: gets mean and
     * inverse of y; or NULL. */
    void (*conv_forward)(train_conv *conv, const train_joined_norm *before, const float *x,
                         const float *weights, const float *bias, float *y,
                         const train_joined_norm *after, void *scratch);
    /*
     * From dy, the gradient of after(y), or of y where after is NULL. before: as on the way
     * forwards, gets sums where dx is wanted. dx, or NULL: the gradient of before(x). y is read
     * where after is not NULL.
     */
    void (*conv_backward)(train_conv *conv, const train_joined_norm *before, const float *x,
                          const float *weights, const train_joined_norm *after, const float *y,
                          const float *dy, float *dx, float *d_weights, void *scratch);
} train_joining;

/*
 * What a backend adds that multiplies in BF16 and sums in float, here in convolutions and products.
 * Everything that is kept from step to step stays float. `cudnn` rounds what comes of a convolution
 * to BF16 once more.
 */
typedef struct train_rounding {
    /* Whether this processor multiplies BF16 by itself. */
    bool (*available)(void);

    /* Around each run of the arithmetic: in the computing threads, denormals count as 0 (they slow
     * a processor down manyfold). `modes` keeps what was before. */
    void (*enter)(train_modes *modes);
    void (*leave)(const train_modes *modes);

    /* Whether this convolution is one of them; any other is made by the backend's float functions.
     */
    bool (*takes)(const train_conv *conv);
    void (*round)(train_device *device, const float *x, size_t count, train_bf16 *rounded);
    /* Rounds dy (rows, channels), 0 where the output y shows that a RELU was flat (y: NULL for no
     * RELU); d_bias (channels), or NULL, gets the sums over the rows. scratch: as in train_norm. */
    void (*round_gradient)(train_device *device, const float *y, const float *dy, int64_t rows,
                           int64_t channels, float *scratch, train_bf16 *rounded, float *d_bias);
    void (*conv_forward)(train_conv *conv, const train_bf16 *x, const float *weights,
                         const float *bias, float *y, void *scratch);
    void (*conv_backward)(train_conv *conv, const train_bf16 *x, const float *weights,
                          const train_bf16 *dy, float *dx, float *d_weights, void *scratch);
} train_rounding;

typedef struct train_backend {
    const char *name;
    bool channels_last;
    const train_rounding *rounding;   /* NULL: all in float */
    const train_joining *joining;     /* NULL: none */
    const struct train_backend *bf16; /* the same in BF16; NULL: there is none */
    const train_memory *memory;
    const train_elements *elements;
    const train_updates *updates;

    /*
     * conv->packed is not used; conv->activation neither. The device outlives it. Failure: *out is
     * NULL, MIEN_UNSUPPORTED or MIEN_OUT_OF_MEMORY.
     */
    mien_status (*conv_create)(train_device *device, const nn_conv *conv, bool needs_input_gradient,
                               train_conv **out, mien_error *error);
    void (*conv_free)(train_conv *conv);
    /* Bytes of scratch that its runs need, at a MEMORY_ALIGNMENT; what is in it may be lost between
     * them. */
    size_t (*conv_scratch)(const train_conv *conv);
    /* y = conv(x, weights) + bias; weights (M, C/group, kH, kW), bias (M) or NULL. */
    void (*conv_forward)(train_conv *conv, const float *x, const float *weights, const float *bias,
                         float *y, void *scratch);
    /* Gradients of x (dx, or NULL when not wanted), weights and bias (or NULL): overwritten. */
    void (*conv_backward)(train_conv *conv, const float *x, const float *weights, const float *dy,
                          float *dx, float *d_weights, float *d_bias, void *scratch);

    /* y (rows, outputs) = x (rows, inner) weights' + bias; weights (outputs, inner). */
    void (*dense_forward)(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                          const float *x, const float *weights, const float *bias, float *y);
    void (*dense_backward)(train_device *device, int64_t rows, int64_t inner, int64_t outputs,
                           const float *x, const float *weights, const float *dy, float *dx,
                           float *d_weights, float *d_bias);

    /*
     * Normalises by the batch: mean (C) and inverse standard deviation (C) are given back for the
     * way backwards; variance is biased (by N H W). y: NULL with `joining` where not wanted.
     */
    void (*norm_forward)(const train_norm *norm, const float *x, const float *scale,
                         const float *shift, float *mean, float *inverse, float *y);
    /* y once more, bit for bit, from what norm_forward gave back. */
    void (*norm_again)(const train_norm *norm, const float *x, const float *scale,
                       const float *shift, const float *mean, const float *inverse, float *y);
    /* With given statistics, as the runtime does. */
    void (*norm_running)(const train_norm *norm, const float *x, const float *scale,
                         const float *shift, const float *mean, const float *variance, float *y);
    /* What the way forwards gave is made again from x, for the slope of the joined activation.
     * dx: may be dy; NULL: not wanted. */
    void (*norm_backward)(const train_norm *norm, const float *x, const float *scale,
                          const float *shift, const float *mean, const float *inverse,
                          const float *dy, float *dx, float *d_scale, float *d_shift);

    /* Max: winners gets, for each output, which cell of the window won (up to 255 cells). */
    void (*pool_forward)(train_device *device, const nn_pool *pool, const float *x, float *y,
                         uint8_t *winners);
    void (*pool_backward)(train_device *device, const nn_pool *pool, const float *dy,
                          const uint8_t *winners, float *dx);
    void (*global_average_forward)(train_device *device, const nn_extent *in, const float *x,
                                   float *y);
    void (*global_average_backward)(train_device *device, const nn_extent *in, const float *dy,
                                    float *dx);

    /* y = x * factor, factor (N, C) for each picture and channel. */
    void (*scale_channels_forward)(train_device *device, const nn_extent *in, const float *x,
                                   const float *factor, float *y);
    void (*scale_channels_backward)(train_device *device, const nn_extent *in, const float *x,
                                    const float *factor, const float *dy, float *dx,
                                    float *d_factor);

    /* Copies channels first..first+part.channels-1 of `whole` out of or into it (Concat). */
    void (*join_channels)(train_device *device, const nn_extent *part, int64_t first,
                          int64_t all_channels, const float *from, float *whole);
    void (*split_channels)(train_device *device, const nn_extent *part, int64_t first,
                           int64_t all_channels, const float *whole, float *to);
} train_backend;

extern const train_backend train_backend_ref;
extern const train_backend train_backend_onednn;
extern const train_backend train_backend_onednn_bf16; /* only where rounding->available() */
/* The cudnn backend is in a module of its own: train_backend_load. */

typedef enum train_precision { TRAIN_F32, TRAIN_BF16 } train_precision;

/* "ref" or "onednn". NULL: there is none of that name built in. */
const train_backend *train_backend_find(const char *name);

/*
 * Opens the file of a module, which stays open until the program ends. Failure: *out is NULL;
 * MIEN_UNSUPPORTED (the file or a library that it needs is missing, or it belongs to another
 * version; the message says which).
 */
mien_status train_backend_load(const char *path, const train_backend **out, mien_error *error);

/*
 * The same backend with that precision. Failure: *out is NULL, MIEN_UNSUPPORTED: the backend or
 * this processor does not have it.
 */
mien_status train_backend_with(const train_backend *backend, train_precision precision,
                               const train_backend **out, mien_error *error);

#endif
