/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_PROMPTING_H
#define LIVE_PROMPTING_H

/* What commands share that ask somebody to show an expression. */

#include "eval/prompts.h"
#include "video/pipeline.h"

/* Says on standard error what comes next: name is the expression of the clock's task. Not when the
 * prompts are done. */
void prompt_announce(const prompt_clock *clock, const char *name);

/* What a command does with the frames while it asks. */
typedef struct prompt_follower {
    const prompt_clock *clock; /* followed by take; the frames end when it is done */
    mien_status (*take)(void *context, const pipeline_frame *frame, mien_error *error);
    bool (*wants_end)(void *context); /* asked between frames; NULL: never */
    void *context;
} prompt_follower;

/* Takes the frames of a pipeline until the prompts are done, somebody wants to end, or there are no
 * more. Notices go to standard error. Returns the exit status, after a message on failure. */
int prompt_follow(pipeline *pipeline, const prompt_follower *follower);

/* Who is asked: the largest face of a frame; NULL when there is nobody. */
const person *prompt_person(const pipeline_frame *frame);

#endif
