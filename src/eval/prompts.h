/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_PROMPTS_H
#define EVAL_PROMPTS_H

/* When to show what: tasks one after another, each a rest and then the time to act. Pure. */

#include <stdbool.h>
#include <stddef.h>

typedef struct prompts {
    size_t count;
    double rest_s, act_s; /* rest at least 0, act over 0 */
} prompts;

typedef enum prompt_phase { PROMPT_REST, PROMPT_ACT, PROMPT_DONE } prompt_phase;

typedef struct prompt_moment {
    prompt_phase phase;
    size_t task;   /* 0..count-1; count when done */
    double left_s; /* of the phase */
} prompt_moment;

/* Where the prompts are time_s after their start; before it, the first rest begins. */
prompt_moment prompts_at(const prompts *p, double time_s);

/* Prompts that follow the times of a source. Starts with its prompts alone set. */
typedef struct prompt_clock {
    prompts prompts;
    bool started;
    double first_s;    /* of the source, when the prompts started */
    prompt_moment now; /* of the last time */
} prompt_clock;

/* The source has come to time_s; the first time starts the prompts. true: another phase or task
 * began; *before is then what was, PROMPT_DONE at the start. */
bool prompt_clock_follow(prompt_clock *clock, double time_s, prompt_moment *before);

#endif
