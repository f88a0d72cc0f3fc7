/* SPDX-License-Identifier: Apache-2.0 */
#include "train/onednn/onednn.h"

#include "base/error.h"
#include "base/memory.h"

#include <oneapi/dnnl/dnnl.h>

#include <stdlib.h>
#include <string.h>

enum { FORWARD, BACKWARD_INPUT, BACKWARD_WEIGHTS, DIRECTIONS };

/*
 * One convolution in its three directions. Pictures lie channels last; the weights lie as each
 * direction likes best (asked for with `any`), and are reordered from and to ONNX's order.
 */
struct dense_conv {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitives[DIRECTIONS]; /* BACKWARD_INPUT: NULL when not needed */
    dnnl_primitive_t reorders[DIRECTIONS];   /* NULL: the order is ONNX's */
    dnnl_memory_t source, destination;       /* pictures; their data is set at each call */
    dnnl_memory_t user_weights, bias;
    dnnl_memory_t weights[DIRECTIONS];
    dnnl_memory_t scratchpads[DIRECTIONS];
    float *zero_bias;
    nn_conv whole;   /* as it was asked for */
    float *gathered; /* a 1x1 window with strides: the pixels that it reads; else NULL */
};

typedef struct descriptions {
    dnnl_memory_desc_t source, weights, any_weights, bias, destination;
    dnnl_dims_t strides, dilates, before, after;
} descriptions;

static bool describe(const nn_conv *s, descriptions *d)
{
    int grouped = s->group > 1;
    dnnl_dims_t in = {s->in.batch, s->in.channels, s->in.height, s->in.width};
    dnnl_dims_t out = {s->out.batch, s->out.channels, s->out.height, s->out.width};
    dnnl_dims_t plain = {s->out.channels, s->in.channels, s->window.kernel[0], s->window.kernel[1]};
    dnnl_dims_t groups = {s->group, s->out.channels / s->group, s->in.channels / s->group,
                          s->window.kernel[0], s->window.kernel[1]};
    dnnl_dims_t bias = {s->out.channels};
    const dnnl_dim_t *weights = grouped ? groups : plain;
    for (int i = 0; i < 2; i++) {
        d->strides[i] = s->window.stride[i];
        d->dilates[i] = s->window.dilation[i] - 1;
        d->before[i] = s->window.pad_before[i];
        /* Padding that no window reaches is cut off: oneDNN wants sizes that fit exactly. */
        d->after[i] = (i == 0 ? (s->out.height - 1) : (s->out.width - 1)) * s->window.stride[i] +
                      (s->window.kernel[i] - 1) * s->window.dilation[i] + 1 -
                      (i == 0 ? s->in.height : s->in.width) - s->window.pad_before[i];
    }
    dnnl_data_type_t f32 = dnnl_f32;
    return dnnl_memory_desc_init_by_tag(&d->source, 4, in, f32, dnnl_nhwc) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->destination, 4, out, f32, dnnl_nhwc) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->weights, 4 + grouped, weights, f32,
                                        grouped ? dnnl_goihw : dnnl_oihw) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->any_weights, 4 + grouped, weights, f32,
                                        dnnl_format_tag_any) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->bias, 1, bias, f32, dnnl_x) == dnnl_success;
}

static dnnl_status_t describe_direction(int direction, const descriptions *d,
                                        dnnl_convolution_desc_t *convolution)
{
    switch (direction) {
    case FORWARD:
        return dnnl_dilated_convolution_forward_desc_init(
            convolution, dnnl_forward_training, dnnl_convolution_direct, &d->source,
            &d->any_weights, &d->bias, &d->destination, d->strides, d->dilates, d->before,
            d->after);
    case BACKWARD_INPUT:
        return dnnl_dilated_convolution_backward_data_desc_init(
            convolution, dnnl_convolution_direct, &d->source, &d->any_weights, &d->destination,
            d->strides, d->dilates, d->before, d->after);
    default:
        return dnnl_dilated_convolution_backward_weights_desc_init(
            convolution, dnnl_convolution_direct, &d->source, &d->any_weights, NULL,
            &d->destination, d->strides, d->dilates, d->before, d->after);
    }
}

static const dnnl_memory_desc_t *wanted_weights(int direction, const_dnnl_primitive_desc_t pd)
{
    return dnnl_primitive_desc_query_md(
        pd, direction == BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
}

/* From ONNX's order to the direction's, or back for gradients. */
static dnnl_status_t create_reorder(dense_conv *c, int direction, const descriptions *d,
                                    const dnnl_memory_desc_t *wanted)
{
    bool back = direction == BACKWARD_WEIGHTS;
    const dnnl_memory_desc_t *from = back ? wanted : &d->weights;
    const dnnl_memory_desc_t *to = back ? &d->weights : wanted;
    dnnl_primitive_desc_t pd;
    dnnl_status_t status =
        dnnl_reorder_primitive_desc_create(&pd, from, c->engine, to, c->engine, NULL);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_create(&c->reorders[direction], pd);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static dnnl_status_t create_direction(dense_conv *c, int direction, const descriptions *d,
                                      const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *pd)
{
    dnnl_convolution_desc_t convolution;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = describe_direction(direction, d, &convolution);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(pd, &convolution, attributes, c->engine, hint);
    dnnl_primitive_attr_destroy(attributes);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_create(&c->primitives[direction], *pd);
    const dnnl_memory_desc_t *wanted = wanted_weights(direction, *pd);
    const dnnl_memory_desc_t *scratchpad =
        dnnl_primitive_desc_query_md(*pd, dnnl_query_scratchpad_md, 0);
    if (status == dnnl_success)
        status = dnnl_memory_create(&c->scratchpads[direction], scratchpad, c->engine,
                                    DNNL_MEMORY_ALLOCATE);
    if (status == dnnl_success && !dnnl_memory_desc_equal(wanted, &d->weights)) {
        status = create_reorder(c, direction, d, wanted);
        if (status == dnnl_success)
            status =
                dnnl_memory_create(&c->weights[direction], wanted, c->engine, DNNL_MEMORY_ALLOCATE);
    }
    return status;
}

static dnnl_status_t create_all(dense_conv *c, const descriptions *d, bool needs_input_gradient)
{
    dnnl_primitive_desc_t forward = NULL, backward = NULL;
    dnnl_status_t status = dnnl_engine_create(&c->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        status = create_direction(c, FORWARD, d, NULL, &forward);
    for (int direction = BACKWARD_INPUT; status == dnnl_success && direction < DIRECTIONS;
         direction++) {
        if (direction == BACKWARD_INPUT && !needs_input_gradient)
            continue;
        status = create_direction(c, direction, d, forward, &backward);
        dnnl_primitive_desc_destroy(backward);
        backward = NULL;
    }
    dnnl_primitive_desc_destroy(forward);
    const struct {
        dnnl_memory_t *memory;
        const dnnl_memory_desc_t *desc;
    } memories[] = {{&c->source, &d->source},
                    {&c->destination, &d->destination},
                    {&c->user_weights, &d->weights},
                    {&c->bias, &d->bias}};
    for (size_t i = 0; status == dnnl_success && i < sizeof memories / sizeof *memories; i++)
        status =
            dnnl_memory_create(memories[i].memory, memories[i].desc, c->engine, DNNL_MEMORY_NONE);
    return status;
}

/* ---- 1x1 windows with strides ---- */

/*
 * oneDNN 2.6's weight gradient of a 1x1 window with strides writes beyond its scratchpad when the
 * input channels do not fill a block, with AVX2 and with AVX-512. So it never sees one: the pixels
 * that the window reads are gathered into a picture of the output's size.
 */
static bool must_gather(const nn_conv *s)
{
    const nn_window *w = &s->window;
    return w->kernel[0] == 1 && w->kernel[1] == 1 && (w->stride[0] > 1 || w->stride[1] > 1) &&
           w->pad_before[0] == 0 && w->pad_before[1] == 0 && w->pad_after[0] == 0 &&
           w->pad_after[1] == 0;
}

static nn_conv gathered_conv(const nn_conv *s)
{
    nn_conv dense = *s;
    dense.in.height = s->out.height;
    dense.in.width = s->out.width;
    dense.window.stride[0] = dense.window.stride[1] = 1;
    return dense;
}

/* Output row `row` of the batch: where its first pixel lies in the input, in floats. */
static int64_t gathered_row(const nn_conv *s, int64_t row)
{
    int64_t picture = row / s->out.height, y = row % s->out.height * s->window.stride[0];
    return (picture * s->in.height + y) * s->in.width * s->in.channels;
}

static void gather(const nn_conv *s, const float *x, float *gathered)
{
    int64_t rows = s->out.batch * s->out.height, channels = s->in.channels;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < s->out.width; column++)
            memcpy(gathered + (row * s->out.width + column) * channels,
                   x + gathered_row(s, row) + column * s->window.stride[1] * channels,
                   (size_t)channels * sizeof *x);
}

/* The way back: pixels that the window does not read get 0. */
static void scatter(const nn_conv *s, const float *gathered, float *dx)
{
    int64_t rows = s->out.batch * s->out.height, channels = s->in.channels;
    memset(dx, 0, (size_t)(s->in.batch * s->in.height * s->in.width * channels) * sizeof *dx);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < s->out.width; column++)
            memcpy(dx + gathered_row(s, row) + column * s->window.stride[1] * channels,
                   gathered + (row * s->out.width + column) * channels,
                   (size_t)channels * sizeof *dx);
}

mien_status dense_conv_create(const nn_conv *conv, bool needs_input_gradient, dense_conv **out,
                              mien_error *error)
{
    descriptions d;
    *out = NULL;
    dense_conv *c = memory_zeroed(1, sizeof *c);
    if (c == NULL)
        return error_no_memory(error, "a convolution", sizeof *c);
    c->zero_bias = memory_zeroed((size_t)conv->out.channels, sizeof *c->zero_bias);
    c->whole = *conv;
    nn_conv dense = must_gather(conv) ? gathered_conv(conv) : *conv;
    if (must_gather(conv))
        c->gathered = memory_aligned(
            (size_t)(dense.in.batch * dense.in.height * dense.in.width * dense.in.channels) *
            sizeof *c->gathered);
    dnnl_status_t status = dnnl_out_of_memory;
    if (c->zero_bias != NULL && (c->gathered != NULL || !must_gather(conv)))
        status =
            describe(&dense, &d) ? create_all(c, &d, needs_input_gradient) : dnnl_invalid_arguments;
    if (status != dnnl_success) {
        dense_conv_free(c);
        return error_set(error,
                         status == dnnl_out_of_memory ? MIEN_OUT_OF_MEMORY : MIEN_UNSUPPORTED,
                         "oneDNN cannot make a convolution of %lld to %lld channels (status %d)",
                         (long long)conv->in.channels, (long long)conv->out.channels, (int)status);
    }
    *out = c;
    return MIEN_OK;
}

void dense_conv_free(dense_conv *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < DIRECTIONS; i++) {
        dnnl_primitive_destroy(c->primitives[i]);
        dnnl_primitive_destroy(c->reorders[i]);
        dnnl_memory_destroy(c->weights[i]);
        dnnl_memory_destroy(c->scratchpads[i]);
    }
    dnnl_memory_destroy(c->source);
    dnnl_memory_destroy(c->destination);
    dnnl_memory_destroy(c->user_weights);
    dnnl_memory_destroy(c->bias);
    dnnl_stream_destroy(c->stream);
    dnnl_engine_destroy(c->engine);
    free(c->zero_bias);
    free(c->gathered);
    free(c);
}

/* oneDNN's handles are not const; it does not write through inputs. */
static void set_data(dnnl_memory_t memory, const float *data)
{
    union {
        const float *in;
        void *out;
    } handle = {data};
    dnnl_memory_set_data_handle(memory, handle.out);
}

static void execute(const dense_conv *c, dnnl_primitive_t primitive, const dnnl_exec_arg_t *args,
                    int count)
{
    dnnl_primitive_execute(primitive, c->stream, count, args);
    dnnl_stream_wait(c->stream);
}

/* The weights as the direction wants them. */
static dnnl_memory_t ordered_weights(dense_conv *c, int direction, const float *weights)
{
    set_data(c->user_weights, weights);
    if (c->reorders[direction] == NULL)
        return c->user_weights;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, c->user_weights},
                                    {DNNL_ARG_TO, c->weights[direction]}};
    execute(c, c->reorders[direction], args, 2);
    return c->weights[direction];
}

void dense_conv_forward(dense_conv *c, const float *x, const float *weights, const float *bias,
                        float *y)
{
    dnnl_memory_t ordered = ordered_weights(c, FORWARD, weights);
    if (c->gathered != NULL) {
        gather(&c->whole, x, c->gathered);
        x = c->gathered;
    }
    set_data(c->source, x);
    set_data(c->destination, y);
    set_data(c->bias, bias != NULL ? bias : c->zero_bias);
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, c->source},
                                    {DNNL_ARG_WEIGHTS, ordered},
                                    {DNNL_ARG_BIAS, c->bias},
                                    {DNNL_ARG_DST, c->destination},
                                    {DNNL_ARG_SCRATCHPAD, c->scratchpads[FORWARD]}};
    execute(c, c->primitives[FORWARD], args, 5);
}

static void backward_input(dense_conv *c, const float *weights, const float *dy, float *dx)
{
    dnnl_memory_t ordered = ordered_weights(c, BACKWARD_INPUT, weights);
    set_data(c->source, dx);
    set_data(c->destination, dy);
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_SRC, c->source},
                                    {DNNL_ARG_WEIGHTS, ordered},
                                    {DNNL_ARG_DIFF_DST, c->destination},
                                    {DNNL_ARG_SCRATCHPAD, c->scratchpads[BACKWARD_INPUT]}};
    execute(c, c->primitives[BACKWARD_INPUT], args, 4);
}

static void backward_weights(dense_conv *c, const float *x, const float *dy, float *d_weights)
{
    bool reorders = c->reorders[BACKWARD_WEIGHTS] != NULL;
    set_data(c->user_weights, d_weights);
    set_data(c->source, x);
    set_data(c->destination, dy);
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, c->source},
        {DNNL_ARG_DIFF_DST, c->destination},
        {DNNL_ARG_DIFF_WEIGHTS, reorders ? c->weights[BACKWARD_WEIGHTS] : c->user_weights},
        {DNNL_ARG_SCRATCHPAD, c->scratchpads[BACKWARD_WEIGHTS]}};
    execute(c, c->primitives[BACKWARD_WEIGHTS], args, 4);
    if (!reorders)
        return;
    const dnnl_exec_arg_t back[] = {{DNNL_ARG_FROM, c->weights[BACKWARD_WEIGHTS]},
                                    {DNNL_ARG_TO, c->user_weights}};
    execute(c, c->reorders[BACKWARD_WEIGHTS], back, 2);
}

void dense_conv_backward(dense_conv *c, const float *x, const float *weights, const float *dy,
                         float *dx, float *d_weights)
{
    if (dx != NULL)
        backward_input(c, weights, dy, c->gathered != NULL ? c->gathered : dx);
    if (c->gathered != NULL) {
        if (dx != NULL)
            scatter(&c->whole, c->gathered, dx);
        gather(&c->whole, x, c->gathered);
        x = c->gathered;
    }
    backward_weights(c, x, dy, d_weights);
}

/* ---- Products ---- */

void dense_forward(int64_t rows, int64_t inner, int64_t outputs, const float *x,
                   const float *weights, const float *bias, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t o = 0; o < outputs; o++)
            y[r * outputs + o] = bias != NULL ? bias[o] : 0;
    dnnl_sgemm('N', 'T', rows, outputs, inner, 1, x, inner, weights, inner, 1, y, outputs);
}

void dense_backward(int64_t rows, int64_t inner, int64_t outputs, const float *x,
                    const float *weights, const float *dy, float *dx, float *d_weights,
                    float *d_bias)
{
    if (dx != NULL)
        dnnl_sgemm('N', 'N', rows, inner, outputs, 1, dy, outputs, weights, inner, 0, dx, inner);
    dnnl_sgemm('T', 'N', outputs, inner, rows, 1, dy, outputs, x, inner, 0, d_weights, inner);
    if (d_bias != NULL)
        sum_rows(dy, rows, outputs, d_bias);
}
