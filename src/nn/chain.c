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

static int64_t row_floats(const nn_extent *extent)
{
    return extent->width * extent->channels;
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

size_t chain_lay_out(nn_chain *chain)
{
    size_t end = 0;
    for (int i = 0; i < chain->count; i++) {
        chain_stage *stage = &chain->stages[i];
        stage->scratch = end;
        if (!stage->pools)
            end += whole_lines(chain->kernels->conv_scratch_bytes(&stage->u.conv));
        if (i + 1 == chain->count)
            break;
        /* An odd number of lines: the rows of a window fall into different sets of the cache. */
        size_t lines = whole_lines((size_t)row_floats(out_of(stage)) * sizeof(float)) / LINE | 1;
        stage->pitch = (int64_t)(lines * LINE / sizeof(float));
        stage->slots = window_of(stage + 1)->kernel[0];
        stage->ring = end;
        end += (size_t)stage->slots * lines * LINE;
    }
    return end;
}

/* ---- Run ---- */

typedef struct chain_run_state {
    const nn_chain *chain;
    const float *const *inputs;
    float *y;
    char *scratch;
    int64_t picture;
    int64_t next[CHAIN_STAGES]; /* the first row that the stage has not made */
} chain_run_state;

static float *ring_row(const chain_run_state *run, int stage, int64_t row)
{
    const chain_stage *s = &run->chain->stages[stage];
    return (float *)(run->scratch + s->ring) + row % s->slots * s->pitch;
}

static void make_row(chain_run_state *run, int stage, int64_t row);

/* A row of what the stage reads, made now if it is not there yet. */
static const float *input_row(chain_run_state *run, int stage, int64_t row)
{
    const chain_stage *s = &run->chain->stages[stage];
    if (stage > 0) {
        if (run->next[stage - 1] <= row)
            make_row(run, stage - 1, row);
        return ring_row(run, stage - 1, row);
    }
    const nn_extent *in = in_of(s);
    int64_t floats = !s->pools && s->u.conv.planar ? in->width : row_floats(in);
    return run->inputs[0] + run->picture * in->height * row_floats(in) + row * floats;
}

/* The rows of the input under the window of an output row, those inside the picture. */
static void input_rows(chain_run_state *run, int stage, int64_t row, const float **rows)
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

/* Each stage makes its rows in order; those above the first one that is asked for, never. */
static void make_row(chain_run_state *run, int stage, int64_t row)
{
    const nn_kernels *kernels = run->chain->kernels;
    const chain_stage *s = &run->chain->stages[stage];
    const nn_extent *out = out_of(s);
    const float *rows[CHAIN_WINDOW];
    input_rows(run, stage, row, rows);
    int64_t at = (run->picture * out->height + row) * row_floats(out);
    bool last = stage + 1 == run->chain->count;
    float *y = last ? run->y + at : ring_row(run, stage, row);
    if (s->pools) {
        int64_t pitch = stage > 0 ? s[-1].pitch : row_floats(in_of(s));
        kernels->pool_row(&s->u.pool, row, rows[0], pitch, y);
    } else {
        const float *residual = s->residual >= 0 ? run->inputs[s->residual] + at : NULL;
        kernels->conv_row(&s->u.conv, row, rows, residual, y, run->scratch + s->scratch);
    }
    run->next[stage] = row + 1;
}

void chain_run(const nn_chain *chain, nn_part part, const float *const *inputs, float *y,
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
