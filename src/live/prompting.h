/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_PROMPTING_H
#define LIVE_PROMPTING_H

/* What commands share that ask somebody to show an expression. */

#include "eval/prompts.h"
#include "video/pipeline.h"

/* Says on standard error what comes next: name is the expression of the clock's task. Not when the
 * prompts are done. */
void prompt_announce(const prompt_clock *clock, const char *name);

/* Who is asked: the largest face of a frame; NULL when there is nobody. */
const person *prompt_person(const pipeline_frame *frame);

#endif
