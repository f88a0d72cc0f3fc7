/* SPDX-License-Identifier: Apache-2.0 */
#include "train/optimiser.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* From `from` to `to` along half a cosine; share 0..1. */
static double along_cosine(double from, double to, double share)
{
    return to + (from - to) * (1 + cos(pi * share)) / 2;
}

/* Share of the way from one step to another; a way without length has been gone. */
static double share_of_way(double step, double from, double to)
{
    return to > from ? fmin((step - from) / (to - from), 1) : 1;
}

static double step_rate(const schedule *s, int64_t step)
{
    if (s->steps_per_epoch < 1 || s->step_epochs < 1)
        return (double)s->rate;
    int64_t drops = step / s->steps_per_epoch / s->step_epochs;
    return (double)s->rate * pow((double)s->gamma, (double)drops);
}

/* The highest rate is reached one step before the end of the warm-up, as in PyTorch. */
static double one_cycle_rate(const schedule *s, double step)
{
    double top = (double)s->warmup * (double)s->total_steps - 1;
    if (step < top)
        return along_cosine((double)s->rate / 25, (double)s->rate, share_of_way(step, 0, top));
    double last = (double)(s->total_steps - 1);
    return along_cosine((double)s->rate, (double)s->final_rate,
                        share_of_way(step, fmax(top, 0), last));
}

static double rate_after_warmup(const schedule *s, int64_t step, double warm)
{
    switch (s->kind) {
    case SCHEDULE_STEP:
        return step_rate(s, step);
    case SCHEDULE_COSINE:
        return along_cosine((double)s->rate, (double)s->final_rate,
                            share_of_way((double)step, warm, (double)s->total_steps));
    case SCHEDULE_PLATEAU:
        return (double)s->rate * (double)s->plateau_factor;
    case SCHEDULE_CONSTANT:
    case SCHEDULE_ONECYCLE:
        break;
    }
    return (double)s->rate;
}

float schedule_rate(const schedule *s, int64_t step)
{
    if (s->kind == SCHEDULE_ONECYCLE)
        return (float)one_cycle_rate(s, (double)step);
    double warm = (double)s->warmup * (double)s->total_steps;
    if ((double)step < warm)
        return (float)((double)s->rate * (double)step / warm);
    return (float)rate_after_warmup(s, step, warm);
}

void schedule_epoch_done(schedule *s, double score)
{
    if (s->kind != SCHEDULE_PLATEAU)
        return;
    if (score > s->best_score) {
        s->best_score = score;
        s->waited = 0;
        return;
    }
    s->waited++;
    if (s->waited >= s->patience) {
        s->plateau_factor *= s->gamma;
        s->waited = 0;
    }
}
