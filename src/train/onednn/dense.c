/* SPDX-License-Identifier: Apache-2.0 */
#include "train/onednn/onednn.h"

#include "base/error.h"
#include "base/memory.h"

#include <oneapi/dnnl/dnnl.h>

#include <stdlib.h>
#include <string.h>

enum { FORWARD, BACKWARD_INPUT, BACKWARD_WEIGHTS, DIRECTIONS };
enum { X, Y, DX, DY, PICTURES };

/*
 * One convolution in its three directions. Pictures lie channels last; the weights lie as each
 * direction likes best (asked for with `any`), and are reordered from and to ONNX's order, and
 * rounded by the way in BF16. There, x and dy are BF16; sums, y, dx and the gradients are float.
 * Reordered weights, gathered pixels and oneDNN's own scratch lie in memory that the caller lends.
 */
struct dense_conv {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitives[DIRECTIONS]; /* BACKWARD_INPUT: NULL when not needed */
    dnnl_primitive_t reorders[DIRECTIONS];   /* NULL: the order is ONNX's */
    dnnl_memory_t pictures[PICTURES];        /* their data is set at each call */
    dnnl_memory_t user_weights, bias;
    dnnl_memory_t weights[DIRECTIONS];
    dnnl_memory_t scratchpads[DIRECTIONS];
    size_t weight_bytes, gathered_bytes, scratchpad_bytes; /* at most, of any direction */
    bool bf16;
    float *zero_bias;
    nn_conv whole; /* as it was asked for */
    bool gathers;  /* a 1x1 window with strides: the pixels that it reads are gathered */
};

/* The lent memory. */
typedef struct workspace {
    void *weights, *gathered, *scratchpad;
} workspace;

static size_t aligned(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

size_t dense_conv_scratch(const dense_conv *c)
{
    return aligned(c->weight_bytes) + aligned(c->gathered_bytes) + c->scratchpad_bytes;
}

static workspace split_scratch(const dense_conv *c, void *scratch)
{
    unsigned char *gathered = (unsigned char *)scratch + aligned(c->weight_bytes);
    return (workspace){scratch, gathered, gathered + aligned(c->gathered_bytes)};
}

static size_t at_least(size_t bytes, const dnnl_memory_desc_t *memory)
{
    size_t wanted = dnnl_memory_desc_get_size(memory);
    return wanted > bytes ? wanted : bytes;
}

typedef struct descriptions {
    dnnl_memory_desc_t pictures[PICTURES], weights, any_weights[DIRECTIONS], bias;
    dnnl_dims_t strides, dilates, before, after;
    bool product; /* an inner product */
} descriptions;

typedef union operation {
    dnnl_convolution_desc_t convolution;
    dnnl_inner_product_desc_t product;
} operation;

/* One pixel to one pixel: a product of matrices, for which oneDNN has better BF16 kernels. */
static bool is_product(const nn_conv *s)
{
    const nn_window *w = &s->window;
    return s->in.height * s->in.width * s->out.height * s->out.width == 1 && s->group == 1 &&
           w->kernel[0] * w->kernel[1] == 1;
}

static void describe_window(const nn_conv *s, descriptions *d)
{
    const nn_window *w = &s->window;
    const int64_t in[2] = {s->in.height, s->in.width}, out[2] = {s->out.height, s->out.width};
    for (int i = 0; i < 2; i++) {
        d->strides[i] = w->stride[i];
        d->dilates[i] = w->dilation[i] - 1;
        d->before[i] = w->pad_before[i];
        /* Padding that no window reaches is cut off: oneDNN wants sizes that fit exactly. */
        d->after[i] = (out[i] - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1 -
                      in[i] - w->pad_before[i];
    }
}

static bool describe_pictures(const nn_conv *s, bool bf16, descriptions *d)
{
    dnnl_dims_t in = {s->in.batch, s->in.channels, s->in.height, s->in.width};
    dnnl_dims_t out = {s->out.batch, s->out.channels, s->out.height, s->out.width};
    dnnl_format_tag_t order = d->product ? dnnl_nc : dnnl_nhwc;
    bool described = true;
    for (int i = 0; i < PICTURES; i++)
        described = described &&
                    dnnl_memory_desc_init_by_tag(
                        &d->pictures[i], d->product ? 2 : 4, i == X || i == DX ? in : out,
                        bf16 && (i == X || i == DY) ? dnnl_bf16 : dnnl_f32, order) == dnnl_success;
    return described;
}

static bool describe_weights(const nn_conv *s, bool bf16, descriptions *d)
{
    dnnl_dims_t plain = {s->out.channels, s->in.channels, s->window.kernel[0], s->window.kernel[1]};
    dnnl_dims_t groups = {s->group, s->out.channels / s->group, s->in.channels / s->group,
                          s->window.kernel[0], s->window.kernel[1]};
    dnnl_dims_t bias = {s->out.channels};
    bool grouped = s->group > 1;
    const dnnl_dim_t *dims = grouped ? groups : plain;
    int rank = d->product ? 2 : grouped ? 5 : 4;
    dnnl_format_tag_t order = d->product ? dnnl_oi : grouped ? dnnl_goihw : dnnl_oihw;
    bool described =
        dnnl_memory_desc_init_by_tag(&d->weights, rank, dims, dnnl_f32, order) == dnnl_success &&
        dnnl_memory_desc_init_by_tag(&d->bias, 1, bias, dnnl_f32, dnnl_x) == dnnl_success;
    for (int i = 0; i < DIRECTIONS; i++)
        described = described && dnnl_memory_desc_init_by_tag(
                                     &d->any_weights[i], rank, dims,
                                     bf16 && i != BACKWARD_WEIGHTS ? dnnl_bf16 : dnnl_f32,
                                     dnnl_format_tag_any) == dnnl_success;
    return described;
}

static bool describe(const nn_conv *s, bool bf16, descriptions *d)
{
    d->product = bf16 && is_product(s);
    describe_window(s, d);
    return describe_pictures(s, bf16, d) && describe_weights(s, bf16, d);
}

static dnnl_status_t describe_convolution(int direction, const descriptions *d,
                                          dnnl_convolution_desc_t *convolution)
{
    const dnnl_memory_desc_t *weights = &d->any_weights[direction];
    switch (direction) {
    case FORWARD:
        return dnnl_dilated_convolution_forward_desc_init(
            convolution, dnnl_forward_training, dnnl_convolution_direct, &d->pictures[X], weights,
            &d->bias, &d->pictures[Y], d->strides, d->dilates, d->before, d->after);
    case BACKWARD_INPUT:
        return dnnl_dilated_convolution_backward_data_desc_init(
            convolution, dnnl_convolution_direct, &d->pictures[DX], weights, &d->pictures[DY],
            d->strides, d->dilates, d->before, d->after);
    default:
        return dnnl_dilated_convolution_backward_weights_desc_init(
            convolution, dnnl_convolution_direct, &d->pictures[X], weights, NULL, &d->pictures[DY],
            d->strides, d->dilates, d->before, d->after);
    }
}

static dnnl_status_t describe_product(int direction, const descriptions *d,
                                      dnnl_inner_product_desc_t *product)
{
    const dnnl_memory_desc_t *weights = &d->any_weights[direction];
    switch (direction) {
    case FORWARD:
        return dnnl_inner_product_forward_desc_init(product, dnnl_forward_training, &d->pictures[X],
                                                    weights, &d->bias, &d->pictures[Y]);
    case BACKWARD_INPUT:
        return dnnl_inner_product_backward_data_desc_init(product, &d->pictures[DX], weights,
                                                          &d->pictures[DY]);
    default:
        return dnnl_inner_product_backward_weights_desc_init(product, &d->pictures[X], weights,
                                                             NULL, &d->pictures[DY]);
    }
}

static dnnl_status_t describe_direction(int direction, const descriptions *d, operation *o)
{
    return d->product ? describe_product(direction, d, &o->product)
                      : describe_convolution(direction, d, &o->convolution);
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

/* oneDNN's reference kernels, which take the place of those that it lacks, crawl. */
static bool is_slow(const_dnnl_primitive_desc_t pd)
{
    const char *name = "ref";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return strstr(name, "ref") != NULL;
}

static dnnl_status_t create_direction(dense_conv *c, int direction, const descriptions *d,
                                      const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *pd)
{
    operation o;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = describe_direction(direction, d, &o);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(pd, &o, attributes, c->engine, hint);
    dnnl_primitive_attr_destroy(attributes);
    if (status == dnnl_success && c->bf16 && is_slow(*pd))
        status = dnnl_unimplemented;
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_create(&c->primitives[direction], *pd);
    const dnnl_memory_desc_t *wanted = wanted_weights(direction, *pd);
    const dnnl_memory_desc_t *scratchpad =
        dnnl_primitive_desc_query_md(*pd, dnnl_query_scratchpad_md, 0);
    if (status == dnnl_success)
        status =
            dnnl_memory_create(&c->scratchpads[direction], scratchpad, c->engine, DNNL_MEMORY_NONE);
    c->scratchpad_bytes = at_least(c->scratchpad_bytes, scratchpad);
    if (status == dnnl_success && !dnnl_memory_desc_equal(wanted, &d->weights)) {
        c->weight_bytes = at_least(c->weight_bytes, wanted);
        status = create_reorder(c, direction, d, wanted);
        if (status == dnnl_success)
            status =
                dnnl_memory_create(&c->weights[direction], wanted, c->engine, DNNL_MEMORY_NONE);
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
    for (int i = 0; status == dnnl_success && i < PICTURES; i++)
        status = dnnl_memory_create(&c->pictures[i], &d->pictures[i], c->engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&c->user_weights, &d->weights, c->engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&c->bias, &d->bias, c->engine, DNNL_MEMORY_NONE);
    return status;
}

mien_status dense_conv_create(const nn_conv *conv, bool needs_input_gradient, bool bf16,
                              dense_conv **out, mien_error *error)
{
    descriptions d;
    *out = NULL;
    dense_conv *c = memory_zeroed(1, sizeof *c);
    if (c == NULL)
        return error_no_memory(error, "a convolution", sizeof *c);
    c->zero_bias = memory_zeroed((size_t)conv->out.channels, sizeof *c->zero_bias);
    c->whole = *conv;
    c->bf16 = bf16;
    c->gathers = strided_must_gather(conv);
    nn_conv dense = c->gathers ? strided_gathered(conv) : *conv;
    if (c->gathers)
        c->gathered_bytes =
            (size_t)(dense.in.batch * dense.in.height * dense.in.width * dense.in.channels) *
            sizeof(float);
    dnnl_status_t status = dnnl_out_of_memory;
    if (c->zero_bias != NULL)
        status = describe(&dense, bf16, &d) ? create_all(c, &d, needs_input_gradient)
                                            : dnnl_invalid_arguments;
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
    for (int i = 0; i < PICTURES; i++)
        dnnl_memory_destroy(c->pictures[i]);
    dnnl_memory_destroy(c->user_weights);
    dnnl_memory_destroy(c->bias);
    dnnl_stream_destroy(c->stream);
    dnnl_engine_destroy(c->engine);
    free(c->zero_bias);
    free(c);
}

bool dense_conv_is_bf16(const dense_conv *c)
{
    return c->bf16;
}

/* oneDNN's handles are not const; it does not write through inputs. */
static void set_data(dnnl_memory_t memory, const void *data)
{
    union {
        const void *in;
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
static dnnl_memory_t ordered_weights(dense_conv *c, int direction, const float *weights,
                                     const workspace *w)
{
    set_data(c->user_weights, weights);
    if (c->reorders[direction] == NULL)
        return c->user_weights;
    set_data(c->weights[direction], w->weights);
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, c->user_weights},
                                    {DNNL_ARG_TO, c->weights[direction]}};
    execute(c, c->reorders[direction], args, 2);
    return c->weights[direction];
}

/* x, or the pixels of it that a window with strides reads. */
static const void *read_pixels(const dense_conv *c, const void *x, const workspace *w)
{
    if (!c->gathers)
        return x;
    strided_gather(&c->whole, x, c->bf16 ? sizeof(train_bf16) : sizeof(float), w->gathered);
    return w->gathered;
}

static dnnl_memory_t lent_scratchpad(dense_conv *c, int direction, const workspace *w)
{
    set_data(c->scratchpads[direction], w->scratchpad);
    return c->scratchpads[direction];
}

void dense_conv_forward(dense_conv *c, const void *x, const float *weights, const float *bias,
                        float *y, void *scratch)
{
    workspace w = split_scratch(c, scratch);
    dnnl_memory_t ordered = ordered_weights(c, FORWARD, weights, &w);
    set_data(c->pictures[X], read_pixels(c, x, &w));
    set_data(c->pictures[Y], y);
    set_data(c->bias, bias != NULL ? bias : c->zero_bias);
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, c->pictures[X]},
                                    {DNNL_ARG_WEIGHTS, ordered},
                                    {DNNL_ARG_BIAS, c->bias},
                                    {DNNL_ARG_DST, c->pictures[Y]},
                                    {DNNL_ARG_SCRATCHPAD, lent_scratchpad(c, FORWARD, &w)}};
    execute(c, c->primitives[FORWARD], args, 5);
}

static void backward_input(dense_conv *c, const float *weights, const void *dy, float *dx,
                           const workspace *w)
{
    dnnl_memory_t ordered = ordered_weights(c, BACKWARD_INPUT, weights, w);
    set_data(c->pictures[DX], c->gathers ? w->gathered : dx);
    set_data(c->pictures[DY], dy);
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_SRC, c->pictures[DX]},
                                    {DNNL_ARG_WEIGHTS, ordered},
                                    {DNNL_ARG_DIFF_DST, c->pictures[DY]},
                                    {DNNL_ARG_SCRATCHPAD, lent_scratchpad(c, BACKWARD_INPUT, w)}};
    execute(c, c->primitives[BACKWARD_INPUT], args, 4);
    if (c->gathers)
        strided_scatter(&c->whole, w->gathered, dx);
}

static void backward_weights(dense_conv *c, const void *x, const void *dy, float *d_weights,
                             const workspace *w)
{
    bool reorders = c->reorders[BACKWARD_WEIGHTS] != NULL;
    set_data(c->user_weights, d_weights);
    if (reorders)
        set_data(c->weights[BACKWARD_WEIGHTS], w->weights);
    set_data(c->pictures[X], read_pixels(c, x, w));
    set_data(c->pictures[DY], dy);
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, c->pictures[X]},
        {DNNL_ARG_DIFF_DST, c->pictures[DY]},
        {DNNL_ARG_DIFF_WEIGHTS, reorders ? c->weights[BACKWARD_WEIGHTS] : c->user_weights},
        {DNNL_ARG_SCRATCHPAD, lent_scratchpad(c, BACKWARD_WEIGHTS, w)}};
    execute(c, c->primitives[BACKWARD_WEIGHTS], args, 4);
    if (!reorders)
        return;
    const dnnl_exec_arg_t back[] = {{DNNL_ARG_FROM, c->weights[BACKWARD_WEIGHTS]},
                                    {DNNL_ARG_TO, c->user_weights}};
    execute(c, c->reorders[BACKWARD_WEIGHTS], back, 2);
}

void dense_conv_backward(dense_conv *c, const void *x, const float *weights, const void *dy,
                         float *dx, float *d_weights, void *scratch)
{
    workspace w = split_scratch(c, scratch);
    if (dx != NULL)
        backward_input(c, weights, dy, dx, &w);
    backward_weights(c, x, dy, d_weights, &w);
}
