/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_PROMPTING_H
#define LIVE_PROMPTING_H

/* What commands share that ask somebody to show an expression. */

#include "eval/prompts.h"
#include "live/prompt_view.h"
#include "video/pipeline.h"

/* Says on standard error what comes next: name is the expression of the clock's task. Not when the
 * prompts are done. */
void prompt_announce(const prompt_clock *clock, const char *name);

/* What a command does with the frames while it asks. */
typedef struct prompt_follower {
    const prompt_clock *clock; /* followed by take; the frames end when it is done */
    prompt_view *view;         /* NULL: no window, and so no pause */
    /* A frame that counts. time_s: of the source, without the pauses. who: as of prompt_person. */
    mien_status (*take)(void *context, const pipeline_frame *frame, double time_s,
                        const person *who, mien_error *error);
    /* What the window shows of it; moment, tasks, paused and who are filled in. Not when the
     * prompts are done. */
    void (*describe)(void *context, prompt_scene *scene);
    void (*pause)(void *context); /* a pause begins; NULL: nothing is done */
    void *context;
} prompt_follower;

/* Takes the frames of a pipeline until the prompts are done, somebody at the window wants to end,
 * or there are no more. Space at the window pauses: frames are shown and not taken. Notices go to
 * standard error. Returns the exit status, after a message on failure. */
int prompt_follow(pipeline *pipeline, const prompt_follower *follower);

/* Who is asked: the largest face of a frame; NULL when there is nobody. */
const person *prompt_person(const pipeline_frame *frame);

#endif
