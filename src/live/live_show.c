/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live_show.h"

#include "cli/annotate.h"
#include "cli/cli.h"
#include "live/live_window.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/codec/codec.h"
#include "video/clock.h"
#include "video/writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a message stands in the status line, and over how long its figures are means. */
#define MESSAGE_S 4.0
#define MEANS_S   0.5

/* A file that falls behind by more, or whose clock jumps so far, takes up its pace from there. */
#define MAX_LATE_S 0.5
#define MAX_JUMP_S 10.0

static const char keys_line[] = "space pause   s snapshot   m mode   q quit";

/* What the status line says of the last frames. */
typedef struct figures {
    double since_s; /* of the clock */
    int frames;
    double find_s; /* of all these frames */
    double rate;   /* frames a second of the time before */
    double mean_find_s;
    int64_t dropped;
} figures;

struct live_show {
    live_show_settings settings;
    const char *source;
    const mien_model *model;
    canvas canvas;       /* the last frame that was drawn */
    live_window *window; /* NULL for none, as the next two */
    video_writer *video;
    live_save *save;
    bool saving; /* mode */
    bool failed;
    bool can_wait;
    bool paused, ended;
    mien_image held; /* what the window shows while it is paused; else empty */
    int64_t frame;   /* number of the one that is shown */
    bool paced;      /* start_s is known */
    double start_s;  /* of the clock, when the time of the file was 0 */
    double paced_s;  /* time of the file at its last frame */
    figures figures;
    char message[192];
    double message_until_s; /* of the clock */
};

/* ---- Options ---- */

live_show_settings live_show_init(void)
{
    return (live_show_settings){.window = true, .save = {.rate = 2, .quota_bytes = 200000000}};
}

bool live_show_option(live_show_settings *settings, const char *command, int option,
                      const char *argument, int *status)
{
    double megabytes;
    bool good = true;
    switch (option) {
    case LIVE_BARE:
        settings->window = false;
        break;
    case LIVE_ANNOTATE:
        settings->video = argument;
        break;
    case LIVE_FORCE:
        settings->force = true;
        break;
    case LIVE_SAVE:
        settings->save.folder = argument;
        break;
    case LIVE_SAVE_RATE:
        settings->save_limited = true;
        good = cli_parse_real(command, "--save-rate", argument, 0.001, 1000, &settings->save.rate);
        break;
    case LIVE_SAVE_QUOTA:
        settings->save_limited = true;
        good = cli_parse_real(command, "--save-quota", argument, 0, 1e9, &megabytes);
        settings->save.quota_bytes = good ? llrint(megabytes * 1e6) : 0;
        break;
    default:
        return false;
    }
    *status = good ? EXIT_DONE : EXIT_USAGE;
    return true;
}

int live_show_check(const live_show_settings *settings, const char *command)
{
    if (settings->save_limited && settings->save.folder == NULL)
        return cli_wrong_usage(command, "--save-rate and --save-quota need --save DIR");
    if (settings->force && settings->video == NULL)
        return cli_wrong_usage(command, "--force needs --annotate FILE");
    return EXIT_DONE;
}

/* ---- Opening and closing ---- */

mien_status live_show_open(const live_show_settings *settings, const char *source, bool can_wait,
                           const mien_model *model, live_show **out, mien_error *error)
{
    *out = NULL;
    live_show *s = memory_zeroed(1, sizeof *s);
    if (s == NULL)
        return error_no_memory(error, "what is shown", sizeof *s);
    *s = (live_show){.settings = *settings, .source = source, .can_wait = can_wait, .model = model};
    s->saving = settings->save.folder != NULL;
    mien_status status = MIEN_OK;
    char title[300];
    snprintf(title, sizeof title, "%.200s - mien live", source);
    if (settings->window)
        status = live_window_open(title, &s->window, error);
    video_writer_options video = {.source = source, .force = settings->force};
    if (status == MIEN_OK && settings->video != NULL)
        status = video_writer_open(settings->video, &video, &s->video, error);
    if (status == MIEN_OK && s->saving)
        status = live_save_open(&settings->save, source, model, &s->save, error);
    if (status != MIEN_OK) {
        live_show_close(s, false);
        return status;
    }
    *out = s;
    return MIEN_OK;
}

static void fail(live_show *s, const mien_error *error)
{
    s->failed = true;
    fprintf(stderr, "mien: %s\n", error->message);
}

static void close_video(live_show *s, bool whole)
{
    mien_error error;
    if (s->video != NULL && video_writer_finish(s->video, whole, &error) != MIEN_OK)
        fail(s, &error);
    video_writer_close(s->video);
    s->video = NULL;
}

static void close_save(live_show *s)
{
    if (s->save == NULL)
        return;
    live_save_counts counts = live_save_close(s->save);
    s->save = NULL;
    s->failed |= counts.failed;
    fprintf(stderr, "mien: %" PRId64 " %s saved in '%s', %" PRId64 " not saved\n", counts.saved,
            counts.saved == 1 ? "face was" : "faces were", s->settings.save.folder,
            counts.not_saved);
}

const char *live_show_pictures(const live_show *s)
{
    return s->save != NULL ? live_save_run(s->save) : "";
}

int live_show_close(live_show *s, bool whole)
{
    if (s == NULL)
        return EXIT_DONE;
    close_video(s, whole);
    close_save(s);
    live_window_close(s->window);
    canvas_free(&s->canvas);
    mien_image_free(&s->held);
    int status = s->failed ? EXIT_FAILED : EXIT_DONE;
    free(s);
    return status;
}

/* ---- The status line ---- */

static void say(live_show *s, const char *text)
{
    snprintf(s->message, sizeof s->message, "%s", text);
    s->message_until_s = clock_now_s() + MESSAGE_S;
}

static void note_figures(figures *f, const pipeline_frame *frame)
{
    double now = clock_now_s(), span = now - f->since_s;
    f->dropped = frame->dropped;
    if (f->since_s == 0 || span >= MEANS_S) {
        f->rate = f->since_s != 0 ? f->frames / span : 0;
        f->mean_find_s = f->frames > 0 ? f->find_s / f->frames : frame->find_s;
        *f = (figures){now, 0, 0, f->rate, f->mean_find_s, f->dropped};
    }
    f->frames++;
    f->find_s += frame->find_s;
}

static void write_mode(const live_show *s, char *text, size_t size)
{
    if (!s->saving) {
        snprintf(text, size, "free mode");
        return;
    }
    live_save_counts counts = live_save_count(s->save);
    snprintf(text, size, "saving: %" PRId64 " faces", counts.saved);
    if (counts.not_saved > 0)
        snprintf(text + strlen(text), size - strlen(text), ", %" PRId64 " not", counts.not_saved);
}

static void write_line(const live_show *s, char *text, size_t size)
{
    char mode[64];
    const figures *f = &s->figures;
    write_mode(s, mode, sizeof mode);
    if (clock_now_s() < s->message_until_s)
        snprintf(text, size, "%s", s->message);
    else
        snprintf(text, size, "%s%.1f fps   prediction %.1f ms   %" PRId64 " dropped   %s",
                 s->paused ? "PAUSED   " : "", f->rate, 1e3 * f->mean_find_s, f->dropped, mode);
}

/* A window that can no longer be drawn ends the run: nobody could end it otherwise. */
static void check_window(live_show *s, mien_status status, const mien_error *error)
{
    if (status == MIEN_OK)
        return;
    fail(s, error);
    s->ended = true;
}

static void refresh_line(live_show *s)
{
    mien_error error;
    char line[256];
    write_line(s, line, sizeof line);
    check_window(s, live_window_say(s->window, line, keys_line, &error), &error);
}

/* ---- Keys ---- */

static void choose_snapshot_name(const live_show *s, char *path, size_t size)
{
    const char *folder = s->settings.save.folder != NULL ? s->settings.save.folder : ".";
    snprintf(path, size, "%s/snapshot-%06" PRId64 ".png", folder, s->frame);
    for (int i = 2; file_exists(path); i++)
        snprintf(path, size, "%s/snapshot-%06" PRId64 "-%d.png", folder, s->frame, i);
}

/* What the window shows, in full size. */
static mien_status write_snapshot(const live_show *s, const char *path, mien_error *error)
{
    mien_image view = s->held;
    uint8_t *bytes = NULL;
    size_t size = 0;
    mien_status status = MIEN_OK;
    if (view.data == NULL)
        status = canvas_view(&s->canvas, &view, error);
    if (status == MIEN_OK)
        status = image_encode_png_fast(&view, &bytes, &size, error);
    if (status == MIEN_OK)
        status = file_write_atomic(path, bytes, size, error);
    free(bytes);
    return status;
}

static void take_snapshot(live_show *s)
{
    mien_error error;
    char path[4096], words[4200];
    if (s->frame == 0)
        return;
    choose_snapshot_name(s, path, sizeof path);
    bool done = write_snapshot(s, path, &error) == MIEN_OK;
    snprintf(words, sizeof words, "%s%s",
             done ? "snapshot saved as " : "no snapshot: ", done ? path : error.message);
    fprintf(stderr, "mien: %s\n", words);
    say(s, words);
}

static void change_mode(live_show *s)
{
    if (s->save == NULL) {
        say(s, "nothing is stored; start with --save DIR for the saving mode");
        return;
    }
    s->saving = !s->saving;
    say(s, s->saving ? "saving mode: faces are saved" : "free mode: nothing is stored");
}

/* The picture is kept: what goes on behind it is drawn on the same canvas. */
static void change_pause(live_show *s)
{
    mien_error error;
    s->paused = !s->paused;
    s->paced = false;
    mien_image_free(&s->held);
    if (s->paused && s->frame != 0 && canvas_finish(&s->canvas, &s->held, &error) != MIEN_OK)
        fail(s, &error);
}

static void answer_keys(live_show *s)
{
    live_keys keys;
    live_window_poll(s->window, &keys);
    s->ended |= keys.quit;
    if (keys.pause)
        change_pause(s);
    if (keys.snapshot)
        take_snapshot(s);
    if (keys.mode)
        change_mode(s);
    if (keys.pause || keys.snapshot || keys.mode)
        refresh_line(s);
}

bool live_show_wants_end(const live_show *s)
{
    return s->ended;
}

/* ---- Frames ---- */

/* By the clock: the first frame at once, each other one as long after it as the file says. */
static bool keeps_pace(live_show *s, double time_s)
{
    double now = clock_now_s(), step_s = time_s - s->paced_s;
    double late_s = now - (s->start_s + time_s);
    if (!s->paced || step_s < 0 || step_s > MAX_JUMP_S || late_s > MAX_LATE_S) {
        s->paced = true;
        s->start_s = now - time_s;
        late_s = 0;
    }
    if (late_s < 0)
        return false;
    s->paced_s = time_s;
    return true;
}

bool live_show_is_due(live_show *s, const pipeline_frame *frame)
{
    if (s->window == NULL)
        return true;
    answer_keys(s);
    if (frame == NULL || s->ended || !s->can_wait)
        return true;
    return !s->paused && keeps_pace(s, frame->time_s);
}

static mien_status draw(live_show *s, const pipeline_frame *frame, mien_image *view,
                        mien_error *error)
{
    mien_status status = canvas_load(&s->canvas, frame->image, error);
    for (size_t i = 0; status == MIEN_OK && i < frame->count; i++) {
        const person *who = &frame->people[i];
        annotate_face(&s->canvas, s->model,
                      &(annotate_mark){&who->face, who->id, who->predicted, true});
    }
    return status == MIEN_OK ? canvas_view(&s->canvas, view, error) : status;
}

static void show(live_show *s, const pipeline_frame *frame, const mien_image *view)
{
    mien_error error;
    char line[256];
    s->frame = frame->number;
    write_line(s, line, sizeof line);
    check_window(s, live_window_show(s->window, view, line, keys_line, &error), &error);
}

/* After a failure the video ends there. */
static void add_to_video(live_show *s, const mien_image *view, double time_s)
{
    mien_error error;
    bool first = video_writer_notice(s->video) == NULL;
    mien_status status = video_writer_add(s->video, view, time_s, &error);
    const char *notice = video_writer_notice(s->video);
    if (first && notice != NULL)
        fprintf(stderr, "mien: %s\n", notice);
    if (status == MIEN_OK)
        return;
    error_prefix(&error, status, "the annotated video ends at %.3f s", time_s);
    fail(s, &error);
    video_writer_finish(s->video, false, NULL);
    video_writer_close(s->video);
    s->video = NULL;
}

void live_show_frame(live_show *s, const pipeline_frame *frame)
{
    mien_error error;
    mien_image view;
    bool shown = s->window != NULL && !s->paused;
    note_figures(&s->figures, frame);
    if (s->saving)
        live_save_frame(s->save, frame);
    if (!shown && s->video == NULL)
        return;
    mien_status status = draw(s, frame, &view, &error);
    if (status != MIEN_OK) {
        fail(s, &error);
        return;
    }
    if (shown)
        show(s, frame, &view);
    if (s->video != NULL)
        add_to_video(s, &view, frame->time_s);
}
