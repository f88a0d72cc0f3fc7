/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "nn/chain.h"

/*
 * Chains of random stages. The truth is the same stages one by one, by the kernels that the other
 * checks compare with the reference: the numbers must be the same, bit for bit.
 */

#define MOST_STAGES 6

typedef struct chain_case {
    int count;
    chain_stage stages[MOST_STAGES]; /* without packed weights */
    bool planar;                     /* the first stage reads (N, C, H, W) where it can */
    int bf16_count;                  /* the first stages, which work on BF16 numbers */
    bool ends_in_floats;
    check_buffer x, weights[MOST_STAGES], residuals[MOST_STAGES]; /* floats; data NULL: none */
    check_buffer read[1 + MOST_STAGES]; /* x and the residuals as the stages read them */
    check_buffer values[MOST_STAGES];   /* what each stage made */
    check_buffer packed[MOST_STAGES];
} chain_case;

static nn_extent out_of(const chain_stage *stage)
{
    return stage->pools ? stage->u.pool.out : stage->u.conv.out;
}

static int64_t outputs_on(const nn_window *w, int axis, int64_t size)
{
    return (size + w->pad_before[axis] + w->pad_after[axis] - w->kernel[axis]) / w->stride[axis] +
           1;
}

static nn_extent extent_behind(const nn_window *w, nn_extent in, int64_t channels)
{
    return (nn_extent){in.batch, outputs_on(w, 0, in.height), outputs_on(w, 1, in.width), channels};
}

static chain_stage random_pool(check_case *c, nn_extent in)
{
    int rows = test_random_int(&c->random, 1, 3), columns = test_random_int(&c->random, 1, 3);
    chain_stage stage = {.pools = true, .residual = -1};
    nn_pool *pool = &stage.u.pool;
    pool->in = in;
    pool->maximum = test_random_int(&c->random, 0, 1) != 0;
    pool->window = (nn_window){.kernel = {rows, columns},
                               .stride = {rows, test_random_int(&c->random, 1, columns)},
                               .dilation = {1, 1},
                               .pad_after = {rows - 1, columns - 1}};
    pool->out = extent_behind(&pool->window, in, in.channels);
    return stage;
}

static chain_stage random_conv(check_case *c, nn_extent in, bool first)
{
    enum { POINTWISE, DEPTHWISE, FEW_CHANNELS, KINDS };
    chain_stage stage = {.residual = -1};
    nn_conv *conv = &stage.u.conv;
    int kind = test_random_int(&c->random, 0, KINDS - 1), side = 3;
    if (!first && kind == FEW_CHANNELS)
        kind = DEPTHWISE;
    conv->group = kind == DEPTHWISE ? (int)in.channels : 1;
    if (kind == POINTWISE)
        side = 1;
    else if (kind == FEW_CHANNELS)
        side = test_random_int(&c->random, 2, 4);
    int pad = side > 1 ? test_random_int(&c->random, 0, 1) : 0;
    int stride = side > 1 ? test_random_int(&c->random, 1, 2) : 1;
    conv->window = (nn_window){.kernel = {side, side},
                               .stride = {stride, stride},
                               .dilation = {1, 1},
                               .pad_before = {pad, pad},
                               .pad_after = {side > 1, side > 1}};
    conv->in = in;
    if (kind == FEW_CHANNELS)
        conv->in.channels = test_random_int(&c->random, 1, 4);
    int64_t outputs = kind == DEPTHWISE ? in.channels : 8 * test_random_int(&c->random, 1, 6);
    conv->out = extent_behind(&conv->window, conv->in, outputs);
    conv->activation = check_random_activation(c, CHECK_CONV_KINDS);
    return stage;
}

static size_t weight_count(const nn_conv *conv)
{
    return (size_t)(conv->out.channels * (conv->in.channels / conv->group) *
                    conv->window.kernel[0] * conv->window.kernel[1]);
}

/* Wide pictures too: a first layer reads these where they lie. */
static chain_case random_chain(check_case *c)
{
    chain_case k = {.count = test_random_int(&c->random, 2, MOST_STAGES)};
    k.planar = test_random_int(&c->random, 0, 1) != 0;
    int widest = test_random_int(&c->random, 0, 3) == 0 ? 200 : 40;
    nn_extent in = {test_random_int(&c->random, 1, 2), test_random_int(&c->random, 6, 40),
                    test_random_int(&c->random, 6, widest), 8 * test_random_int(&c->random, 1, 6)};
    for (int i = 0; i < k.count; i++) {
        bool pools = test_random_int(&c->random, 0, 3) == 0;
        k.stages[i] = pools ? random_pool(c, in) : random_conv(c, in, i == 0);
        if (i == 0)
            k.x = check_random(c,
                               check_floats(pools ? k.stages[i].u.pool.in : k.stages[i].u.conv.in));
        in = out_of(&k.stages[i]);
        if (!pools) {
            k.weights[i] = check_random(c, weight_count(&k.stages[i].u.conv));
            if (test_random_int(&c->random, 0, 3) == 0)
                k.residuals[i] = check_random(c, check_floats(in));
        }
        if (in.height < 4 || in.width < 4)
            k.count = i + 1;
    }
    snprintf(c->detail, sizeof c->detail, "%d stages to %dx%dx%dx%d", k.count, (int)in.batch,
             (int)in.height, (int)in.width, (int)in.channels);
    return k;
}

/* ---- In float or in BF16 ---- */

/* The numbers as a stage reads them. */
static check_buffer numbers_of(check_case *c, const check_buffer *floats, bool bf16)
{
    if (floats->data == NULL)
        return (check_buffer){0};
    if (!bf16)
        return check_copy(c, floats);
    check_buffer to = check_empty(c, (floats->count + 1) / 2);
    nn_bf16_kernels_with(c->kernels)
        ->from_floats(floats->data, (int64_t)floats->count, (nn_bf16 *)(void *)to.data);
    return to;
}

/* Room for what a stage makes; *bytes: of these numbers. */
static check_buffer room_behind(check_case *c, const chain_stage *stage, size_t *bytes)
{
    size_t count = check_floats(out_of(stage));
    bool halves = stage->bf16 && (stage->pools || !stage->u.conv.writes_floats);
    *bytes = count * (halves ? sizeof(nn_bf16) : sizeof(float));
    return check_empty(c, halves ? (count + 1) / 2 : count);
}

static bool has_rows(const check_case *c, const chain_stage *stage)
{
    return stage->bf16 ? nn_bf16_kernels_with(c->kernels)->conv_has_rows(&stage->u.conv)
                       : c->kernels->conv_has_rows(&stage->u.conv);
}

static bool reads_floats(const check_case *c, const chain_stage *stage)
{
    return !stage->bf16 ||
           (!stage->pools && nn_bf16_kernels_with(c->kernels)->conv_reads_floats(&stage->u.conv));
}

static void run_pool(const check_case *c, const chain_stage *stage, const void *x, void *y)
{
    if (stage->bf16)
        nn_bf16_kernels_with(c->kernels)->pool(&stage->u.pool, nn_whole(), x, y);
    else
        c->kernels->pool(&stage->u.pool, nn_whole(), x, y);
}

static check_buffer pack(const check_case *c, const chain_stage *stage, const float *weights)
{
    const nn_conv *conv = &stage->u.conv;
    const nn_bf16_kernels *bf16 = nn_bf16_kernels_with(c->kernels);
    check_buffer packed = check_aligned(stage->bf16 ? bf16->conv_packed_floats(conv)
                                                    : c->kernels->conv_packed_floats(conv));
    if (stage->bf16)
        bf16->conv_pack(conv, weights, NULL, packed.data);
    else
        c->kernels->conv_pack(conv, weights, NULL, packed.data);
    return packed;
}

static void run_conv(const check_case *c, const chain_stage *stage, const void *x,
                     const void *residual, void *y)
{
    const nn_conv *conv = &stage->u.conv;
    const nn_bf16_kernels *bf16 = nn_bf16_kernels_with(c->kernels);
    size_t bytes =
        stage->bf16 ? bf16->conv_scratch_bytes(conv) : c->kernels->conv_scratch_bytes(conv);
    check_buffer scratch = check_aligned((bytes + 3) / 4);
    if (stage->bf16)
        bf16->conv(conv, nn_whole(), x, residual, y, scratch.data);
    else
        c->kernels->conv(conv, nn_whole(), x, residual, y, scratch.data);
    check_free(&scratch);
}

/* ---- One by one, and as a chain ---- */

/* What one stage makes by itself. false: this set has no kernel that makes its rows. */
static bool run_stage(check_case *c, chain_case *k, int i)
{
    chain_stage *stage = &k->stages[i];
    const float *x = i > 0 ? k->values[i - 1].data : k->read[0].data;
    size_t bytes;
    if (!stage->pools)
        stage->u.conv.writes_floats = i + 1 < k->count ? !k->stages[i + 1].bf16 : k->ends_in_floats;
    k->values[i] = room_behind(c, stage, &bytes);
    if (stage->pools) {
        run_pool(c, stage, x, k->values[i].data);
        return true;
    }
    if (!has_rows(c, stage))
        return false;
    k->packed[i] = pack(c, stage, k->weights[i].data);
    stage->u.conv.packed = k->packed[i].data;
    run_conv(c, stage, x, k->read[1 + i].data, k->values[i].data);
    return true;
}

static void compare(check_case *c, chain_case *k, const nn_chain *chain, const void *const *inputs,
                    size_t scratch_bytes)
{
    const check_buffer *expected = &k->values[k->count - 1];
    const chain_stage *last = &k->stages[k->count - 1];
    size_t bytes;
    check_buffer scratch = check_aligned((scratch_bytes + 3) / 4);
    check_buffer y = room_behind(c, last, &bytes), parts = room_behind(c, last, &bytes);
    chain_run(chain, nn_whole(), inputs, y.data, scratch.data);
    check_same_bits(c, expected->data, y.data, bytes);
    nn_part part = {.count = check_part_count(c)};
    for (part.index = part.count - 1; part.index >= 0; part.index--) {
        memset(scratch.data, 0xff, scratch.count * sizeof *scratch.data);
        chain_run(chain, part, inputs, parts.data, scratch.data);
    }
    check_same_bits(c, expected->data, parts.data, bytes);
    if (!check_guards(&y) || !check_guards(&parts) || !check_guards(&scratch)) {
        c->failures++;
        printf("FAILED %s chain, seed %llu: it writes outside its buffers\n", c->kernels->name,
               (unsigned long long)c->seed);
    }
    check_free(&scratch);
    check_free(&y);
    check_free(&parts);
}

/* The type of number of each stage, the layout of the first picture, and what the stages read. */
static void prepare(check_case *c, chain_case *k)
{
    for (int i = 0; i < k->count; i++) /* pooling writes what it reads */
        k->stages[i].bf16 =
            i < k->bf16_count || (i > 0 && k->stages[i - 1].pools && k->stages[i - 1].bf16);
    chain_stage *first = &k->stages[0];
    if (!first->pools)
        first->u.conv.planar =
            k->planar &&
            (first->bf16 ? reads_floats(c, first) : c->kernels->conv_takes_planar(&first->u.conv));
    k->read[0] = numbers_of(c, &k->x, !reads_floats(c, first));
    for (int i = 0; i < k->count; i++)
        k->read[1 + i] = numbers_of(c, &k->residuals[i], k->stages[i].bf16);
}

static void run_chain(check_case *c, void *context)
{
    chain_case k = *(const chain_case *)context;
    const nn_bf16_kernels *bf16 = nn_bf16_kernels_with(c->kernels);
    if (k.bf16_count > 0 && bf16 == NULL)
        return;
    prepare(c, &k);
    nn_chain chain = {
        .kernels = c->kernels, .bf16_kernels = bf16, .stages = k.stages, .count = k.count};
    const void *inputs[1 + MOST_STAGES] = {k.read[0].data};
    int input_count = 1;
    bool fits = true;
    for (int i = 0; i < k.count; i++) {
        fits = fits && run_stage(c, &k, i);
        if (k.residuals[i].data == NULL)
            continue;
        k.stages[i].residual = input_count;
        inputs[input_count++] = k.read[1 + i].data;
    }
    if (fits) {
        size_t scratch_bytes = chain_lay_out(&chain);
        compare(c, &k, &chain, inputs, scratch_bytes);
    }
    check_free(&k.read[0]);
    for (int i = 0; i < k.count; i++) {
        check_free(&k.read[1 + i]);
        check_free(&k.values[i]);
        check_free(&k.packed[i]);
    }
}

static void check_chain_of(check_case *c, bool bf16)
{
    chain_case k = random_chain(c);
    if (bf16)
        k.bf16_count = test_random_int(&c->random, 1, k.count);
    k.ends_in_floats = test_random_int(&c->random, 0, 1) != 0;
    check_each_set(c, run_chain, &k);
    check_free(&k.x);
    for (int i = 0; i < MOST_STAGES; i++) {
        check_free(&k.weights[i]);
        check_free(&k.residuals[i]);
    }
}

void check_chain(check_case *c)
{
    c->what = "chain";
    check_chain_of(c, false);
}

void check_bf16_chain(check_case *c)
{
    c->what = "BF16 chain";
    check_chain_of(c, true);
}
