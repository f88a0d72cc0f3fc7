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

/* ---- Pauses ---- */

/* How far the source has come, and how much of that was paused. */
typedef struct pauses {
    bool paused, started;
    double last_s, sum_s;
} pauses;

/* The time of the source without the pauses, which stands still in one. */
static double follow_time(pauses *p, double time_s)
{
    if (p->paused && p->started)
        p->sum_s += time_s - p->last_s;
    p->started = true;
    p->last_s = time_s;
    return time_s - p->sum_s;
}

static void change_pause(const prompt_follower *f, pauses *p)
{
    p->paused = !p->paused;
    if (p->paused && f->pause != NULL)
        f->pause(f->context);
    fputs(p->paused ? "paused; space goes on\n" : "it goes on\n", stderr);
}

/* ---- Frames ---- */

static bool is_done(const prompt_follower *f)
{
    return f->clock->started && f->clock->now.phase == PROMPT_DONE;
}

static bool is_over(const prompt_follower *f, pauses *p)
{
    bool pause = false;
    if (is_done(f) || (f->view != NULL && prompt_view_wants_end(f->view, &pause)))
        return true;
    if (pause)
        change_pause(f, p);
    return false;
}

static mien_status show(const prompt_follower *f, const pipeline_frame *frame, const person *who,
                        bool paused, mien_error *error)
{
    prompt_scene scene = {
        .moment = f->clock->now, .tasks = f->clock->prompts.count, .paused = paused, .who = who};
    if (f->view == NULL || !f->clock->started || is_done(f))
        return MIEN_OK;
    f->describe(f->context, &scene);
    return prompt_view_show(f->view, frame->image, &scene, error);
}

static mien_status take_frame(const prompt_follower *f, const pipeline_frame *frame, pauses *p,
                              mien_error *error)
{
    const person *who = prompt_person(frame);
    double time_s = follow_time(p, frame->time_s);
    mien_status status = MIEN_OK;
    if (!p->paused)
        status = f->take(f->context, frame, time_s, who, error);
    return status == MIEN_OK ? show(f, frame, who, p->paused, error) : status;
}

int prompt_follow(pipeline *source, const prompt_follower *f)
{
    mien_error error;
    pipeline_event event = PIPELINE_NOTHING;
    pipeline_frame frame;
    pauses p = {0};
    while (event != PIPELINE_END && !is_over(f, &p)) {
        mien_status status = pipeline_next(source, WAIT_S, &event, &frame, &error);
        if (status == MIEN_OK && event == PIPELINE_NOTICE)
            fprintf(stderr, "mien: %s\n", pipeline_notice(source));
        if (status == MIEN_OK && event == PIPELINE_FRAME)
            status = take_frame(f, &frame, &p, &error);
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
