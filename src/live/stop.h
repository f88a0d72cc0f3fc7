/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_STOP_H
#define LIVE_STOP_H

/* Ctrl-C and SIGTERM for commands that follow a video: they end after the current frame. */

#include <stdbool.h>

/* From now on the first signal is noted, and a second one ends the program at once. */
void stop_on_signals(void);

/* Whether one came; for video_source_options.stopped. Any thread may ask. context: not used. */
bool stop_asked(void *context);

#endif
