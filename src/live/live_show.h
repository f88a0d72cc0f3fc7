/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_LIVE_SHOW_H
#define LIVE_LIVE_SHOW_H

/*
 * What `mien live` does with a frame besides printing: shows it in a window, writes it into an
 * annotated video, saves the faces in it. Each of these can fail without the others: a message says
 * so, and the run goes on. For one thread at a time.
 */

#include "live/live_save.h"
#include "video/pipeline.h"

#include <getopt.h>

typedef struct live_show live_show;

typedef struct live_show_settings {
    bool window;
    live_save_settings save; /* folder NULL: free mode, nothing is stored */
    bool save_limited;       /* a limit of saving was given */
    const char *video;       /* the annotated video; NULL for none */
    bool force;              /* replace a video that is there */
} live_show_settings;

/* The options that live_show_option understands, for a getopt_long table. */
enum { LIVE_ANNOTATE = 0x100, LIVE_FORCE, LIVE_SAVE, LIVE_SAVE_RATE, LIVE_SAVE_QUOTA, LIVE_BARE };
/* clang-format off */
#define LIVE_SHOW_OPTIONS                                     \
    {"annotate", required_argument, NULL, LIVE_ANNOTATE},     \
    {"force", no_argument, NULL, LIVE_FORCE},                 \
    {"save", required_argument, NULL, LIVE_SAVE},             \
    {"save-rate", required_argument, NULL, LIVE_SAVE_RATE},   \
    {"save-quota", required_argument, NULL, LIVE_SAVE_QUOTA}, \
    {"no-window", no_argument, NULL, LIVE_BARE}
/* clang-format on */
#define LIVE_SHOW_HELP                                                                             \
    "  --no-window             print only\n"                                                       \
    "  --annotate FILE         write the video with its faces marked (.mp4, .mov, .mkv), with\n"   \
    "                          the sound of a local file\n"                                        \
    "  --force                 replace that file when it is there\n"                               \
    "  --save DIR              saving mode: keep pictures of the faces and what was read in\n"     \
    "                          them, in a folder for each expression; without it nothing is "      \
    "stored\n"                                                                                     \
    "  --save-rate N           at most N pictures a second of each person (default 2)\n"           \
    "  --save-quota MB         until DIR holds so much (default 200)\n"

/* The defaults. */
live_show_settings live_show_init(void);

/* Takes one option. *status: EXIT_DONE, or EXIT_USAGE after a message. false: not one of its own.
 */
bool live_show_option(live_show_settings *settings, const char *command, int option,
                      const char *argument, int *status);

/* Whether the options make sense together: EXIT_DONE, or EXIT_USAGE after a message. */
int live_show_check(const live_show_settings *settings, const char *command);

/*
 * Opens what the settings ask for. source: as the user named it; can_wait: it is a file, which no
 * one else drives. It, the model (NULL for none) and what the settings point to must outlive the
 * object.
 * Success: *out is the caller's, end it with live_show_close. Failure: *out is NULL; errors as of
 * live_window_open, live_save_open, video_writer_open.
 */
mien_status live_show_open(const live_show_settings *settings, const char *source, bool can_wait,
                           const mien_model *model, live_show **out, mien_error *error);

/*
 * Whether it is time for a frame: a file in a window plays at its own pace, and stands still while
 * it is paused. Looks at the keys; ask again soon. frame NULL: looks at the keys only.
 */
bool live_show_is_due(live_show *show, const pipeline_frame *frame);

/* Takes a frame. */
void live_show_frame(live_show *show, const pipeline_frame *frame);

/* Where the run's face pictures go, as face_folder_run gives it; "" when none are saved. */
const char *live_show_pictures(const live_show *show);

/* Somebody at the window wants to end the run. */
bool live_show_wants_end(const live_show *show);

/*
 * Ends everything and says what was written. whole: the source has ended by itself.
 * EXIT_DONE, or EXIT_FAILED when something that was asked for could not be shown or written.
 * NULL is fine.
 */
int live_show_close(live_show *show, bool whole);

#endif
