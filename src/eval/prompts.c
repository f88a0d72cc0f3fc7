/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/prompts.h"

#include <math.h>

prompt_moment prompts_at(const prompts *p, double time_s)
{
    double each_s = p->rest_s + p->act_s, since_s = fmax(time_s, 0);
    if (since_s >= each_s * (double)p->count)
        return (prompt_moment){PROMPT_DONE, p->count, 0};
    size_t task = (size_t)(since_s / each_s);
    double within_s = since_s - each_s * (double)task;
    if (within_s < p->rest_s)
        return (prompt_moment){PROMPT_REST, task, p->rest_s - within_s};
    return (prompt_moment){PROMPT_ACT, task, each_s - within_s};
}

bool prompt_clock_follow(prompt_clock *clock, double time_s, prompt_moment *before)
{
    *before = clock->started ? clock->now : (prompt_moment){.phase = PROMPT_DONE};
    if (!clock->started)
        clock->first_s = time_s;
    bool starts = !clock->started;
    clock->started = true;
    clock->now = prompts_at(&clock->prompts, time_s - clock->first_s);
    return starts || clock->now.phase != before->phase || clock->now.task != before->task;
}
