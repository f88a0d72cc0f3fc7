/* SPDX-License-Identifier: Apache-2.0 */
#include "live/prompting.h"

#include <stdio.h>

void prompt_announce(const prompt_clock *clock, const char *name)
{
    prompt_moment now = clock->now;
    if (now.phase == PROMPT_REST)
        fprintf(stderr, "%zu of %zu: in %.2g s, show: %s\n", now.task + 1, clock->prompts.count,
                now.left_s, name);
    else
        fprintf(stderr, "now: %s\n", name);
}

const person *prompt_person(const pipeline_frame *frame)
{
    const person *found = NULL;
    for (size_t i = 0; i < frame->count; i++)
        if (found == NULL || frame->people[i].face.width > found->face.width)
            found = &frame->people[i];
    return found;
}
