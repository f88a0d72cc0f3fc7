/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "nn/bf16_kernels.h"

#include <math.h>

#define MOST_PRODUCTS 4000000 /* of one case: the reference is slow */

/* One convolution, its numbers channels first, and what the reference makes of them. */
typedef struct conv_case {
    nn_conv conv;
    check_buffer x, weights, bias, residual; /* bias, residual: data NULL when there is none */
    check_buffer expected;                   /* channels last */
} conv_case;

static int channels_for(check_case *c, int group)
{
    return group * test_random_int(&c->random, 1, group > 1 ? 9 : 70);
}

static nn_window random_window(check_case *c)
{
    static const int kernels[] = {1, 1, 2, 3, 3, 3, 4, 5, 7};
    nn_window w;
    for (int i = 0; i < 2; i++) {
        w.kernel[i] = kernels[test_random_int(&c->random, 0, 8)];
        w.stride[i] = test_random_int(&c->random, 1, 3);
        w.dilation[i] = test_random_int(&c->random, 0, 3) == 0 ? 2 : 1;
        w.pad_before[i] = test_random_int(&c->random, 0, w.kernel[i]);
        w.pad_after[i] = test_random_int(&c->random, 0, w.kernel[i]);
    }
    return w;
}

/* Pads until the window has a place. */
static void fit_window(nn_conv *conv)
{
    nn_window *w = &conv->window;
    const int64_t size[2] = {conv->in.height, conv->in.width};
    for (int i = 0; i < 2; i++)
        while ((w->kernel[i] - 1) * w->dilation[i] + 1 >
               size[i] + w->pad_before[i] + w->pad_after[i])
            w->pad_after[i]++;
}

static int64_t outputs_on(const nn_window *w, int axis, int64_t size)
{
    int64_t reach = (int64_t)(w->kernel[axis] - 1) * w->dilation[axis] + 1;
    return (size + w->pad_before[axis] + w->pad_after[axis] - reach) / w->stride[axis] + 1;
}

/* 3x3 with channels that fill vectors: what the fast algorithm asks for. */
static void set_winograd(check_case *c, nn_conv *conv)
{
    conv->in.channels = 8 * test_random_int(&c->random, 1, 6);
    conv->out.channels = 8 * test_random_int(&c->random, 1, 6);
    int stride = test_random_int(&c->random, 1, 2);
    conv->window = (nn_window){.kernel = {3, 3}, .stride = {stride, stride}, .dilation = {1, 1}};
    for (int i = 0; i < 2; i++) {
        conv->window.pad_before[i] = test_random_int(&c->random, 1, 2);
        conv->window.pad_after[i] = test_random_int(&c->random, 1, 2);
    }
}

/* Depthwise 3x3 as networks have it, the channels of all sorts. */
static void set_sliding(check_case *c, nn_conv *conv)
{
    int stride = test_random_int(&c->random, 1, 2);
    conv->in.channels = test_random_int(&c->random, 1, 6);
    if (test_random_int(&c->random, 0, 2) != 0)
        conv->in.channels *= 8;
    conv->group = (int)conv->in.channels;
    conv->out.channels = conv->in.channels;
    conv->window = (nn_window){.kernel = {3, 3}, .stride = {stride, stride}, .dilation = {1, 1}};
    for (int i = 0; i < 2; i++) {
        conv->window.pad_before[i] = test_random_int(&c->random, 0, 1);
        conv->window.pad_after[i] = 1;
    }
}

nn_conv check_random_conv(check_case *c)
{
    enum { DENSE, POINTWISE, PRODUCT, GROUPED, DEPTHWISE, WINOGRAD, FIRST, SLIDING, KINDS };
    nn_conv conv = {.group = 1};
    int kind = test_random_int(&c->random, 0, KINDS - 1);
    conv.in = (nn_extent){test_random_int(&c->random, 1, 3), test_random_int(&c->random, 1, 40),
                          test_random_int(&c->random, 1, 40), channels_for(c, 1)};
    conv.out.channels = channels_for(c, 1);
    if (kind == GROUPED) {
        conv.group = test_random_int(&c->random, 2, 6);
        conv.in.channels = channels_for(c, conv.group);
        conv.out.channels = channels_for(c, conv.group);
    } else if (kind == DEPTHWISE) {
        conv.group = (int)conv.in.channels;
        conv.out.channels = conv.in.channels;
    }
    if (kind == PRODUCT)
        conv.in.batch = conv.in.height = 1;
    conv.window = random_window(c);
    if (kind == POINTWISE || kind == PRODUCT)
        conv.window = (nn_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    if (kind == WINOGRAD)
        set_winograd(c, &conv);
    if (kind == SLIDING)
        set_sliding(c, &conv);
    if (kind == FIRST) { /* wide ones are read where they lie */
        conv.in.channels = test_random_int(&c->random, 1, 4);
        if (test_random_int(&c->random, 0, 1) != 0)
            conv.in.width = test_random_int(&c->random, 60, 200);
    }
    conv.out.batch = conv.in.batch;
    fit_window(&conv);
    conv.out.height = outputs_on(&conv.window, 0, conv.in.height);
    conv.out.width = outputs_on(&conv.window, 1, conv.in.width);
    conv.activation = check_random_activation(c, CHECK_CONV_KINDS);
    return conv;
}

static int64_t window_length(const nn_conv *conv)
{
    return conv->in.channels / conv->group * conv->window.kernel[0] * conv->window.kernel[1];
}

static void describe(check_case *c, const nn_conv *conv, bool bias, bool residual)
{
    const nn_window *w = &conv->window;
    snprintf(c->detail, sizeof c->detail,
             "%dx%dx%dx%d to %d channels, %d groups, window %dx%d, stride %dx%d, dilation %dx%d, "
             "pads %d %d %d %d, %s%s%s",
             (int)conv->in.batch, (int)conv->in.height, (int)conv->in.width, (int)conv->in.channels,
             (int)conv->out.channels, conv->group, w->kernel[0], w->kernel[1], w->stride[0],
             w->stride[1], w->dilation[0], w->dilation[1], w->pad_before[0], w->pad_before[1],
             w->pad_after[0], w->pad_after[1], check_activation_name(conv->activation.kind),
             bias ? ", bias" : "", residual ? ", residual" : "");
}

/* expected = activation(Conv(x) + residual) by the reference operators, then channels last. */
static void run_reference(check_case *c, conv_case *k)
{
    const nn_conv *conv = &k->conv;
    nn_params params = {.conv = {conv->window, conv->group}};
    nn_shape weight_shape = {4,
                             {conv->out.channels, conv->in.channels / conv->group,
                              conv->window.kernel[0], conv->window.kernel[1]}};
    check_buffer y = check_empty(c, check_floats(conv->out));
    nn_tensor inputs[3] = {check_picture(conv->in, k->x.data),
                           {NN_FLOAT, weight_shape, k->weights.data},
                           {NN_FLOAT, {1, {conv->out.channels}}, k->bias.data}};
    nn_tensor output = check_picture(conv->out, y.data);
    nn_op_find("Conv")->run(&params, inputs, k->bias.data != NULL ? 3 : 2, &output);
    for (size_t i = 0; k->residual.data != NULL && i < y.count; i++)
        y.data[i] += k->residual.data[i];
    check_activate(conv->activation, y.data, y.count);
    check_to_channels_last(y.data, conv->out, k->expected.data);
    check_free(&y);
}

static check_buffer channels_last(check_case *c, const check_buffer *from, nn_extent extent)
{
    check_buffer to = check_empty(c, from->count);
    check_to_channels_last(from->data, extent, to.data);
    return to;
}

/* The same in parts, the last first; residual: of the whole call, or the numbers that were in y. */
static void run_in_parts(check_case *c, const nn_conv *conv, const check_buffer *x,
                         const check_buffer *residual, bool in_place, check_buffer *scratch,
                         const check_buffer *whole)
{
    check_buffer y = check_empty(c, whole->count);
    if (in_place)
        memcpy(y.data, residual->data, y.count * sizeof *y.data);
    nn_part part = {.count = check_part_count(c)};
    for (part.index = part.count - 1; part.index >= 0; part.index--) {
        memset(scratch->data, 0xff, scratch->count * sizeof *scratch->data);
        c->kernels->conv(conv, part, x->data, in_place ? y.data : residual->data, y.data,
                         scratch->data);
    }
    check_same_bits(c, whole->data, y.data, y.count * sizeof *y.data);
    if (!check_guards(&y))
        c->failures++;
    check_free(&y);
}

/* Whether it may take Winograd's or Strassen's way, whose rounding errors are larger (kernels.h).
 */
static bool makes_fewer_products(const nn_conv *conv)
{
    const int *kernel = conv->window.kernel;
    if (conv->group != 1 || kernel[0] != kernel[1])
        return false;
    return kernel[0] == 3 || (kernel[0] == 1 && conv->in.channels >= 256);
}

static void run_kernel(check_case *c, void *context)
{
    const conv_case *k = context;
    const nn_kernels *kernels = c->kernels;
    nn_conv conv = k->conv;
    if (!kernels->conv_supported(&conv))
        return;
    check_buffer packed = check_aligned(kernels->conv_packed_floats(&conv));
    kernels->conv_pack(&conv, k->weights.data, k->bias.data, packed.data);
    conv.packed = packed.data;
    size_t scratch_bytes = kernels->conv_scratch_bytes(&conv);
    check_buffer scratch = check_aligned((scratch_bytes + 3) / 4);
    conv.planar = kernels->conv_takes_planar(&conv) && test_random_int(&c->random, 0, 1) != 0;
    check_buffer x = conv.planar ? check_copy(c, &k->x) : channels_last(c, &k->x, conv.in);
    check_buffer y = check_empty(c, k->expected.count);
    check_buffer residual = {0};
    const float *added = NULL;
    if (k->residual.data != NULL) {
        residual = channels_last(c, &k->residual, conv.out);
        added = residual.data;
        if (test_random_int(&c->random, 0, 1) == 0) { /* in place */
            memcpy(y.data, residual.data, y.count * sizeof *y.data);
            added = y.data;
        }
    }
    kernels->conv(&conv, nn_whole(), x.data, added, y.data, scratch.data);
    double tolerance =
        (double)((makes_fewer_products(&conv) ? 2 : 1) * window_length(&conv) + 2) / (1 << 23);
    check_equal(c, k->expected.data, &y, tolerance, 0);
    run_in_parts(c, &conv, &x, &residual, added == y.data, &scratch, &y);
    if (!check_guards(&packed) || !check_guards(&scratch)) {
        c->failures++;
        printf("FAILED %s conv, seed %llu: it writes outside its scratch or packed weights\n",
               kernels->name, (unsigned long long)c->seed);
    }
    check_free(&packed);
    check_free(&scratch);
    check_free(&x);
    check_free(&y);
    check_free(&residual);
}

/* Random numbers; expected has room for the outputs. */
static conv_case fill_conv_case(check_case *c, nn_conv conv)
{
    conv_case k = {.conv = conv};
    size_t outputs = (size_t)k.conv.out.channels;
    bool bias = test_random_int(&c->random, 0, 3) != 0;
    bool residual = test_random_int(&c->random, 0, 1) != 0;
    describe(c, &k.conv, bias, residual);
    k.x = check_random(c, check_floats(k.conv.in));
    k.weights = check_random(c, outputs * (size_t)window_length(&k.conv));
    if (bias)
        k.bias = check_random(c, outputs);
    if (residual)
        k.residual = check_random(c, check_floats(k.conv.out));
    k.expected = check_empty(c, check_floats(k.conv.out));
    return k;
}

static conv_case random_conv_case(check_case *c)
{
    nn_conv conv = check_random_conv(c);
    while ((int64_t)check_floats(conv.out) * window_length(&conv) > MOST_PRODUCTS)
        conv = check_random_conv(c);
    return fill_conv_case(c, conv);
}

static void free_conv_case(conv_case *k)
{
    check_free(&k->x);
    check_free(&k->weights);
    check_free(&k->bias);
    check_free(&k->residual);
    check_free(&k->expected);
}

static void check_conv_case(check_case *c, conv_case *k)
{
    run_reference(c, k);
    check_each_set(c, run_kernel, k);
    free_conv_case(k);
}

void check_conv(check_case *c)
{
    c->what = "conv";
    conv_case k = random_conv_case(c);
    check_conv_case(c, &k);
}

/* 1x1 from many channels to many: what is halved all ways. */
void check_wide_conv(check_case *c)
{
    c->what = "wide conv";
    nn_conv conv = {.group = 1,
                    .in = {test_random_int(&c->random, 1, 2), test_random_int(&c->random, 7, 17),
                           test_random_int(&c->random, 9, 17),
                           256 + 64 * test_random_int(&c->random, 0, 1)},
                    .window = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}}};
    conv.out = conv.in;
    conv.out.channels = 256 + 64 * test_random_int(&c->random, 0, 2);
    conv.activation = check_random_activation(c, CHECK_CONV_KINDS);
    conv_case k = fill_conv_case(c, conv);
    check_conv_case(c, &k);
}

/* ---- BF16 ---- */

#define BF16_STEP (1.0 / 128) /* the most that lies between neighbours, as a share */

static nn_bf16 bf16_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (nn_bf16)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static float float_of(nn_bf16 x)
{
    uint32_t bits = (uint32_t)x << 16;
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void round_all(check_buffer *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        numbers->data[i] = float_of(bf16_of(numbers->data[i]));
}

/* The picture in BF16, channels last, between guards that are NaN: in half of the buffer. */
static check_buffer bf16_picture(check_case *c, const check_buffer *from, nn_extent extent)
{
    check_buffer last = channels_last(c, from, extent);
    check_buffer to = check_empty(c, (from->count + 1) / 2);
    for (size_t i = 0; i < from->count; i++) {
        nn_bf16 number = bf16_of(last.data[i]);
        memcpy((char *)to.data + i * sizeof number, &number, sizeof number);
    }
    check_free(&last);
    return to;
}

/* The same numbers as floats. */
static check_buffer widened(check_case *c, const check_buffer *from, size_t count)
{
    check_buffer to = check_empty(c, count);
    for (size_t i = 0; i < count; i++) {
        nn_bf16 number;
        memcpy(&number, (const char *)from->data + i * sizeof number, sizeof number);
        to.data[i] = float_of(number);
    }
    return to;
}

/* Winograd's way rounds what it transformed, an error that grows as the root of the length; the
 * other ways round nothing but the output. */
static double bf16_tolerance(const nn_conv *conv)
{
    bool winograd = conv->group == 1 && conv->window.kernel[0] == 3 && conv->window.kernel[1] == 3;
    double length = (double)window_length(conv);
    return winograd ? sqrt(length) * 4 * BF16_STEP : (length + 2) / (1 << 22);
}

static void run_bf16_kernel(check_case *c, void *context)
{
    const conv_case *k = context;
    const nn_bf16_kernels *kernels = nn_bf16_kernels_with(c->kernels);
    nn_conv conv = k->conv;
    if (kernels == NULL || !kernels->conv_supported(&conv))
        return;
    conv.writes_floats = test_random_int(&c->random, 0, 1) != 0;
    size_t outputs = k->expected.count;
    check_buffer packed = check_aligned(kernels->conv_packed_floats(&conv));
    check_buffer scratch = check_aligned((kernels->conv_scratch_bytes(&conv) + 3) / 4);
    kernels->conv_pack(&conv, k->weights.data, k->bias.data, packed.data);
    conv.packed = packed.data;
    bool floats = kernels->conv_reads_floats(&conv);
    conv.planar = floats && test_random_int(&c->random, 0, 1) != 0;
    check_buffer x = conv.planar ? check_copy(c, &k->x)
                     : floats    ? channels_last(c, &k->x, conv.in)
                                 : bf16_picture(c, &k->x, conv.in);
    check_buffer residual = {0};
    if (k->residual.data != NULL)
        residual = bf16_picture(c, &k->residual, conv.out);
    check_buffer y = check_empty(c, conv.writes_floats ? outputs : (outputs + 1) / 2);
    kernels->conv(&conv, nn_whole(), x.data, (const nn_bf16 *)(const void *)residual.data, y.data,
                  scratch.data);
    check_buffer parts = check_empty(c, y.count);
    nn_part part = {.count = check_part_count(c)};
    for (part.index = part.count - 1; part.index >= 0; part.index--)
        kernels->conv(&conv, part, x.data, (const nn_bf16 *)(const void *)residual.data, parts.data,
                      scratch.data);
    check_same_bits(c, y.data, parts.data, outputs * (conv.writes_floats ? 4 : 2));
    check_buffer made = conv.writes_floats ? check_copy(c, &y) : widened(c, &y, outputs);
    check_equal(c, k->expected.data, &made, bf16_tolerance(&conv),
                conv.writes_floats ? 0 : BF16_STEP / 2);
    if (!check_guards(&packed) || !check_guards(&scratch) || !check_guards(&y)) {
        c->failures++;
        printf("FAILED BF16 conv, seed %llu: it writes outside its buffers\n",
               (unsigned long long)c->seed);
    }
    check_free(&packed);
    check_free(&scratch);
    check_free(&x);
    check_free(&residual);
    check_free(&y);
    check_free(&parts);
    check_free(&made);
}

void check_bf16_conv(check_case *c)
{
    c->what = "BF16 conv";
    conv_case k = random_conv_case(c);
    round_all(&k.x);
    round_all(&k.weights);
    if (k.residual.data != NULL)
        round_all(&k.residual);
    run_reference(c, &k);
    check_each_set(c, run_bf16_kernel, &k);
    free_conv_case(&k);
}
