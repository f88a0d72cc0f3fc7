/* SPDX-License-Identifier: Apache-2.0 */

/* mien live: a video or stream in, people with their apparent expressions over time out. */

#include "cli/cli.h"
#include "cli/live_output.h"
#include "cli/live_summary.h"

#include "video/pipeline.h"

#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static const char help[] =
    "usage: mien live --no-window [OPTION ...] SOURCE\n"
    "\n"
    "Follows the people in a video and prints the apparent expression of each, frame by frame.\n"
    "SOURCE is a file that FFmpeg reads (video, animated GIF), '-' for standard input (formats "
    "that\n"
    "can be read from start to end, such as Matroska), a pattern for numbered pictures\n"
    "('frames/%04d.png'), a camera (/dev/video0), a screen ('screen:' or 'screen::0+X,Y'), or an\n"
    "address (rtsp://, http://, udp://). A camera, screen or stream that breaks is opened again\n"
    "until it is back; when its frames come too fast, the oldest are dropped.\n"
    "Ctrl-C ends it after the current frame.\n"
    "\n" CLI_MODEL_HELP CLI_DETECTOR_HELP
    "  --every N               look for faces in one frame of N (default 1; of live sources in\n"
    "                          fewer when time is short); between them they are read where they\n"
    "                          are expected\n"
    "  --smooth SECONDS        smooth what a person looks like; it follows a change half-way in\n"
    "                          0.7 times as long; 0 for not at all (default 0.5)\n"
    "  --live                  play a file at its own pace, as a camera would give it\n"
    "  --rate N                frames a second that are wanted of a live source; the others are\n"
    "                          left out (default: all)\n"
    "  --raw WxH[:FORMAT][@N]  the source is raw frames, such as 640x480:rgb24@30 (rgb24, 25 a\n"
    "                          second, unless said)\n"
    "  --size WxH              what is asked of a camera or screen (default: its own)\n"
    "  --one-thread            do everything one after the other; files give the same results\n"
    "  --json                  one JSON object per frame and line (docs/OUTPUT.md)\n"
    "  --csv                   one row per face and frame\n"
    "  --no-window             print only; so far there is no window\n"
    "  --threads N             threads that look for faces with a cascade (default 1)\n"
    "  --max-pixels N          refuse larger frames (default 100000000)\n"
    "\n"
    "example: mien live --no-window --json --every 3 interview.mp4\n";

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DETECTOR_OPTIONS,
    {"every", required_argument, NULL, 'e'},
    {"smooth", required_argument, NULL, 'o'},
    {"live", no_argument, NULL, 'l'},
    {"rate", required_argument, NULL, 'r'},
    {"raw", required_argument, NULL, 'R'},
    {"size", required_argument, NULL, 'g'},
    {"one-thread", no_argument, NULL, '1'},
    {"json", no_argument, NULL, 'j'},
    {"csv", no_argument, NULL, 'c'},
    {"no-window", no_argument, NULL, 'w'},
    {"threads", required_argument, NULL, 't'},
    {"max-pixels", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* The longest wait for a frame before signals and keys are looked at again. */
#define WAIT_S 0.1

/* Everything of one run of the command. */
typedef struct run {
    const char *command;
    const char *name;
    cli_setup setup;
    output_format format;
    pipeline_settings settings;
    bool without_window;
    bool asked_for_help;
    mien_model *model;
    mien_detector *detector;
    pipeline *pipeline;
    live_summary summary;
} run;

/* ---- Options ---- */

static bool parse_raw(run *r)
{
    mien_error error;
    bool good = video_raw_parse(optarg, &r->settings.source.raw, &error) == MIEN_OK;
    if (!good)
        cli_wrong_usage(r->command, "%s", error.message);
    return good;
}

static bool parse_size(run *r)
{
    video_source_options *wanted = &r->settings.source;
    char end;
    bool good = sscanf(optarg, "%5dx%5d%c", &wanted->width, &wanted->height, &end) == 2 &&
                wanted->width > 0 && wanted->height > 0;
    if (!good)
        cli_wrong_usage(r->command, "--size is '%s', not WIDTHxHEIGHT such as 640x480", optarg);
    return good;
}

static int parse_own_option(run *r, int option)
{
    int64_t number = 1;
    bool good = true;
    switch (option) {
    case 'e':
        good = cli_parse_int(r->command, "--every", optarg, 1, 10000, &number);
        r->settings.people.every = (int)number;
        break;
    case 'o':
        good =
            cli_parse_real(r->command, "--smooth", optarg, 0, 3600, &r->settings.people.smooth_s);
        break;
    case 'l':
        r->settings.live = true;
        break;
    case 'r':
        good = cli_parse_real(r->command, "--rate", optarg, 0.001, 1000, &r->settings.rate);
        break;
    case 'R':
        good = parse_raw(r);
        break;
    case 'g':
        good = parse_size(r);
        break;
    case '1':
        r->settings.one_thread = true;
        break;
    case 'j':
        r->format = OUTPUT_JSON;
        break;
    case 'c':
        r->format = OUTPUT_CSV;
        break;
    case 'w':
        r->without_window = true;
        break;
    case 't':
        good = cli_parse_int(r->command, "--threads", optarg, 1, 256, &number);
        r->setup.detector.threads = (int)number;
        break;
    case 'p':
        good = cli_parse_int(r->command, "--max-pixels", optarg, 1, INT64_C(1) << 40,
                             &r->settings.source.max_pixels);
        break;
    case 'h':
        r->asked_for_help = true;
        break;
    default:
        return cli_wrong_usage(r->command, "this option is not known or lacks its value");
    }
    return good ? EXIT_DONE : EXIT_USAGE;
}

static int parse_arguments(run *r, int argc, char **argv)
{
    int option;
    int status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!cli_setup_option(&r->setup, r->command, option, optarg, &status))
            status = parse_own_option(r, option);
    if (status != EXIT_DONE || r->asked_for_help)
        return status;
    if (optind + 1 != argc)
        return cli_wrong_usage(r->command, "name one video or stream");
    if (!r->without_window)
        return cli_wrong_usage(r->command,
                               "this version has no window yet; add --no-window to print the "
                               "people of each frame");
    r->name = argv[optind];
    return EXIT_DONE;
}

/* ---- Stopping ---- */

/* The one variable that a signal can reach; the source's thread asks for it. */
static atomic_int stop_signal;

static void note_signal(int signal)
{
    stop_signal = signal;
}

static bool is_stopped(void *context)
{
    (void)context;
    return stop_signal != 0;
}

/* Signals come while frames are waited for, and at no other time: a write would lose its line. */
static void let_signals_in(bool in)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(in ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* The first signal ends the run after its frame, a second one at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    stop_signal = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    let_signals_in(false);
}

/* ---- Running ---- */

static mien_status open_pipeline(run *r, mien_error *error)
{
    r->settings.source.stopped = is_stopped;
    let_signals_in(true);
    mien_status status =
        pipeline_open(r->name, r->model, r->detector, &r->settings, &r->pipeline, error);
    let_signals_in(false);
    return status;
}

static mien_status next_event(run *r, pipeline_event *event, pipeline_frame *frame,
                              mien_error *error)
{
    let_signals_in(true);
    mien_status status = pipeline_next(r->pipeline, WAIT_S, event, frame, error);
    let_signals_in(false);
    return status;
}

static int open_all(run *r)
{
    mien_error error;
    int status = cli_open_model(&r->setup, &r->model);
    if (status == EXIT_DONE)
        status = cli_open_detector(&r->setup, &r->detector);
    if (status == EXIT_DONE && open_pipeline(r, &error) != MIEN_OK)
        status = cli_fail(&error);
    return status;
}

/* What is done with a frame. */
static mien_status take_frame(run *r, const pipeline_frame *frame, mien_error *error)
{
    live_summary_add(&r->summary, frame);
    return live_output_frame(r->format, r->model, frame, error);
}

/* Each frame reaches its reader at once. When nobody takes it, main says so. */
static int follow_frames(run *r)
{
    mien_error error;
    pipeline_event event;
    pipeline_frame frame;
    live_output_begin(r->format, r->model);
    while (fflush(stdout) == 0) {
        mien_status status = next_event(r, &event, &frame, &error);
        if (status == MIEN_OK && event == PIPELINE_END)
            break;
        if (status == MIEN_OK && event == PIPELINE_NOTICE)
            fprintf(stderr, "mien: %s\n", pipeline_notice(r->pipeline));
        if (status == MIEN_OK && event == PIPELINE_FRAME)
            status = take_frame(r, &frame, &error);
        if (status != MIEN_OK)
            return cli_fail(&error);
    }
    return EXIT_DONE;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static int run_live(run *r)
{
    struct timespec start;
    catch_signals();
    int status = open_all(r);
    if (status == EXIT_DONE) {
        clock_gettime(CLOCK_MONOTONIC, &start);
        status = follow_frames(r);
        live_summary_print(&r->summary, r->pipeline, r->name, seconds_since(&start));
    }
    pipeline_close(r->pipeline);
    mien_model_free(r->model);
    mien_detector_free(r->detector);
    return status;
}

int cli_live(int argc, char **argv)
{
    run r = {.command = argv[0], .settings.people = {.every = 1, .smooth_s = 0.5}};
    cli_setup_init(&r.setup);
    int status = parse_arguments(&r, argc, argv);
    if (status != EXIT_DONE)
        return status;
    if (r.asked_for_help) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    return run_live(&r);
}
