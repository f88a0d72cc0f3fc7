/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/chain.h"

#define LINE 64 /* bytes of a line of the cache */

/* ---- What the two kinds of stages share ---- */

static const nn_window *window_of(const chain_stage *stage)
{
    return stage->pools ? &stage->u.pool.window : &stage->u.conv.window;
}

static const nn_extent *in_of(const chain_stage *stage)
{
    return stage->pools ? &stage->u.pool.in : &stage->u.conv.in;
}

static const nn_extent *out_of(const chain_stage *stage)
{
    return stage->pools ? &stage->u.pool.out : &stage->u.conv.out;
}

static int64_t row_numbers(const nn_extent *extent)
{
    return extent->width * extent->channels;
}

/* Bytes of a number that the chain reads, that a stage writes, and of a residual. */

static size_t input_bytes(const nn_chain *chain)
{
    const chain_stage *first = &chain->stages[0];
    bool floats =
        !first->bf16 || (!first->pools && chain->bf16_kernels->conv_reads_floats(&first->u.conv));
    return floats ? sizeof(float) : sizeof(nn_bf16);
}

static size_t output_bytes(const chain_stage *stage)
{
    bool floats = !stage->bf16 || (!stage->pools && stage->u.conv.writes_floats);
    return floats ? sizeof(float) : sizeof(nn_bf16);
}

static size_t residual_bytes(const chain_stage *stage)
{
    return stage->bf16 ? sizeof(nn_bf16) : sizeof(float);
}

int64_t chain_overlap(const nn_chain *chain)
{
    int64_t rows = 0;
    for (int i = chain->count - 1; i > 0; i--) {
        const nn_window *w = window_of(&chain->stages[i]);
        int shared = w->kernel[0] - w->stride[0];
        rows = rows * w->stride[0] + (shared > 0 ? shared : 0);
    }
    return rows;
}

/* ---- Layout ---- */

static size_t whole_lines(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

static size_t conv_scratch_bytes(const nn_chain *chain, const chain_stage *stage)
{
    return stage->bf16 ? chain->bf16_kernels->conv_scratch_bytes(&stage->u.conv)
                       : chain->kernels->conv_scratch_bytes(&stage->u.conv);
}

size_t chain_lay_out(nn_chain *chain)
{
    size_t end = 0;
    for (int i = 0; i < chain->count; i++) {
        chain_stage *stage = &chain->stages[i];
        stage->scratch = end;
        if (!stage->pools)
            end += whole_lines(conv_scratch_bytes(chain, stage));
        if (i + 1 == chain->count)
            break;
        /* An odd number of lines: the rows of a window fall into different sets of the cache. */
        size_t bytes = (size_t)row_numbers(out_of(stage)) * output_bytes(stage);
        stage->pitch = (whole_lines(bytes) / LINE | 1) * LINE;
        stage->slots = window_of(stage + 1)->kernel[0];
        stage->ring = end;
        end += (size_t)stage->slots * stage->pitch;
    }
    return end;
}

/* ---- Run ---- */

typedef struct chain_run_state {
    const nn_chain *chain;
    const void *const *inputs;
    char *y;
    char *scratch;
    int64_t picture;
    int64_t next[CHAIN_STAGES]; /* the first row that the stage has not made */
} chain_run_state;

static char *ring_row(const chain_run_state *run, int stage, int64_t row)
{
    const chain_stage *s = &run->chain->stages[stage];
    return run->scratch + s->ring + (uint32_t)row % (uint32_t)s->slots * s->pitch;
}

static void make_row(chain_run_state *run, int stage, int64_t row);

/* A row of what the stage reads, made now if it is not there yet. */
static const char *input_row(chain_run_state *run, int stage, int64_t row)
{
    const chain_stage *s = &run->chain->stages[stage];
    if (stage > 0) {
        if (run->next[stage - 1] <= row)
            make_row(run, stage - 1, row);
        return ring_row(run, stage - 1, row);
    }
    const nn_extent *in = in_of(s);
    int64_t numbers = !s->pools && s->u.conv.planar ? in->width : row_numbers(in);
    int64_t at = run->picture * in->height * row_numbers(in) + row * numbers;
    return (const char *)run->inputs[0] + (size_t)at * input_bytes(run->chain);
}

/* The rows of the input under the window of an output row, those inside the picture. */
static void input_rows(chain_run_state *run, int stage, int64_t row, const void **rows)
{
    const chain_stage *s = &run->chain->stages[stage];
    const nn_window *w = window_of(s);
    int64_t top = row * w->stride[0] - w->pad_before[0];
    for (int ky = 0; ky < w->kernel[0]; ky++) {
        int64_t at = top + (int64_t)ky * w->dilation[0];
        if (at >= 0 && at < in_of(s)->height)
            *rows++ = input_row(run, stage, at);
    }
}

static void make_pool_row(const chain_run_state *run, int stage, int64_t row, const void *x,
                          void *y)
{
    const chain_stage *s = &run->chain->stages[stage];
    size_t bytes = residual_bytes(s);
    int64_t pitch = stage > 0 ? (int64_t)(s[-1].pitch / bytes) : row_numbers(in_of(s));
    if (s->bf16)
        run->chain->bf16_kernels->pool_row(&s->u.pool, row, x, pitch, y);
    else
        run->chain->kernels->pool_row(&s->u.pool, row, x, pitch, y);
}

/* at: of the row's first number in the stage's whole picture. */
static void make_conv_row(const chain_run_state *run, int stage, int64_t row, int64_t at,
                          const void *const *x, void *y)
{
    const chain_stage *s = &run->chain->stages[stage];
    const void *residual = NULL;
    if (s->residual >= 0)
        residual = (const char *)run->inputs[s->residual] + (size_t)at * residual_bytes(s);
    void *scratch = run->scratch + s->scratch;
    if (s->bf16) {
        run->chain->bf16_kernels->conv_row(&s->u.conv, row, x, residual, y, scratch);
        return;
    }
    const float *rows[CHAIN_WINDOW];
    for (int i = 0; i < s->u.conv.window.kernel[0]; i++)
        rows[i] = x[i];
    run->chain->kernels->conv_row(&s->u.conv, row, rows, residual, y, scratch);
}

/* Each stage makes its rows in order; those above the first one that is asked for, never. */
static void make_row(chain_run_state *run, int stage, int64_t row)
{
    const chain_stage *s = &run->chain->stages[stage];
    const nn_extent *out = out_of(s);
    const void *rows[CHAIN_WINDOW] = {NULL};
    input_rows(run, stage, row, rows);
    int64_t at = (run->picture * out->height + row) * row_numbers(out);
    bool last = stage + 1 == run->chain->count;
    void *y = last ? run->y + (size_t)at * output_bytes(s) : ring_row(run, stage, row);
    if (s->pools)
        make_pool_row(run, stage, row, rows[0], y);
    else
        make_conv_row(run, stage, row, at, rows, y);
    run->next[stage] = row + 1;
}

void chain_run(const nn_chain *chain, nn_part part, const void *const *inputs, void *y,
               void *scratch)
{
    const nn_extent *out = out_of(&chain->stages[chain->count - 1]);
    nn_span rows = nn_share(part, out->batch * out->height, 1);
    chain_run_state run = {.chain = chain, .inputs = inputs, .y = y, .scratch = scratch};
    for (int64_t i = rows.first; i < rows.end; i++) {
        if (i / out->height != run.picture) {
            run.picture = i / out->height;
            for (int s = 0; s < chain->count; s++)
                run.next[s] = 0;
        }
        make_row(&run, chain->count - 1, i % out->height);
    }
}
