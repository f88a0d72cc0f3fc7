/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_PICTOGRAM_H
#define LIVE_PICTOGRAM_H

/* A drawn face that shows an expression, for those who are asked to show it. */

#include "cli/canvas.h"

#include <stdbool.h>

/*
 * Draws the face of an expression, size pixels wide and high, its left upper corner at x, y. Known
 * are angry, contempt, disgust, fear, happy, neutral, sad and surprise, and their usual other
 * names; false, and nothing is drawn, for any other.
 */
bool pictogram_draw(canvas *c, double x, double y, double size, const char *expression);

/* Whether an expression is among these. */
bool pictogram_knows(const char *expression);

#endif
