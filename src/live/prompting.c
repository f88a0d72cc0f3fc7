/* SPDX-License-Identifier: Apache-2.0 */
#include "live/prompting.h"

#include "cli/cli.h"

#include <stdio.h>

/* The longest wait for a frame before signals and keys are looked at again. */
#define WAIT_S 0.1

void prompt_announce(const prompt_clock *clock, const char *name)
{
    prompt_moment now = clock->now;
    if (now.phase == PROMPT_REST)
        fprintf(stderr, "%zu of %zu: in %.2g s, show: %s\n", now.task + 1, clock->prompts.count,
                now.left_s, name);
    else
        fprintf(stderr, "now: %s\n", name);
}

static bool is_over(const prompt_follower *f)
{
    bool done = f->clock->started && f->clock->now.phase == PROMPT_DONE;
    return done || (f->wants_end != NULL && f->wants_end(f->context));
}

int prompt_follow(pipeline *source, const prompt_follower *f)
{
    mien_error error;
    pipeline_event event = PIPELINE_NOTHING;
    pipeline_frame frame;
    while (event != PIPELINE_END && !is_over(f)) {
        mien_status status = pipeline_next(source, WAIT_S, &event, &frame, &error);
        if (status == MIEN_OK && event == PIPELINE_NOTICE)
            fprintf(stderr, "mien: %s\n", pipeline_notice(source));
        if (status == MIEN_OK && event == PIPELINE_FRAME)
            status = f->take(f->context, &frame, &error);
        if (status != MIEN_OK)
            return cli_fail(&error);
    }
    return EXIT_DONE;
}

const person *prompt_person(const pipeline_frame *frame)
{
    const person *found = NULL;
    for (size_t i = 0; i < frame->count; i++)
        if (found == NULL || frame->people[i].face.width > found->face.width)
            found = &frame->people[i];
    return found;
}
