/* SPDX-License-Identifier: Apache-2.0 */

/* mien live: a video or stream in, people with their apparent expressions over time out. */

#include "live/commands.h"

#include "cli/cli.h"
#include "live/live_output.h"
#include "live/live_session.h"
#include "live/live_show.h"
#include "live/live_summary.h"
#include "live/stop.h"

#include "video/clock.h"
#include "video/pipeline.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: mien live [OPTION ...] [SOURCE]\n"
    "\n"
    "Follows the people in a video: shows the apparent expression of each in a window, and prints\n"
    "it frame by frame.\n"
    "SOURCE is a camera (default /dev/video0), a file that FFmpeg reads (video, animated GIF), "
    "'-'\n"
    "for standard input (formats that can be read from start to end, such as Matroska), a pattern\n"
    "for numbered pictures ('frames/%04d.png'), a screen ('screen:' or 'screen::0+X,Y'), or an\n"
    "address (rtsp://, http://, udp://). A camera, screen or stream that breaks is opened again\n"
    "until it is back; when its frames come too fast, the oldest are dropped.\n"
    "Ctrl-C ends it after the current frame; so does q in the window, which also knows space\n"
    "(pause), s (snapshot) and m (free or saving mode).\n"
    "\n" CLI_MODEL_HELP CLI_DETECTOR_HELP
    "  --every N               look for faces in one frame of N (default 1; of live sources in\n"
    "                          fewer when time is short); between them they are read where they\n"
    "                          are expected\n"
    "  --smooth SECONDS        smooth what a person looks like; it follows a change half-way in\n"
    "                          0.7 times as long; 0 for not at all (default 0.5)\n"
    "  --baseline SECONDS      record for so long what each person's face looks like at rest, and\n"
    "                          take that out afterwards: ask them to look neutral at first\n"
    "  --remember SECONDS      who left the picture keeps their number when they are back within\n"
    "                          so long, by clothes and hair; 0 for never (default 30)\n"
    "  --live                  play a file at its own pace, as a camera would give it\n"
    "  --rate N                frames a second that are wanted of a live source; the others are\n"
    "                          left out (default: all)\n"
    "  --raw WxH[:FORMAT][@N]  the source is raw frames, such as 640x480:rgb24@30 (rgb24, 25 a\n"
    "                          second, unless said)\n"
    "  --size WxH              what is asked of a camera or screen (default: its own)\n"
    "  --one-thread            do everything one after the other; files give the same results\n"
    "  --json                  one JSON object per frame and line (docs/OUTPUT.md)\n"
    "  --csv                   one row per face and frame\n";

static const char more_help[] = LIVE_SHOW_HELP LIVE_SESSION_HELP
    "  --threads N             threads that find and read faces (default 1)\n"
    "  --max-pixels N          refuse larger frames (default 100000000)\n"
    "\n"
    "example: mien live --no-window --json --every 3 interview.mp4\n";

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DETECTOR_OPTIONS,
    {"every", required_argument, NULL, 'e'},
    {"smooth", required_argument, NULL, 'o'},
    {"baseline", required_argument, NULL, 'b'},
    {"remember", required_argument, NULL, 'y'},
    {"live", no_argument, NULL, 'l'},
    {"rate", required_argument, NULL, 'r'},
    {"raw", required_argument, NULL, 'R'},
    {"size", required_argument, NULL, 'g'},
    {"one-thread", no_argument, NULL, '1'},
    {"json", no_argument, NULL, 'j'},
    {"csv", no_argument, NULL, 'c'},
    LIVE_SESSION_OPTIONS,
    LIVE_SHOW_OPTIONS,
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
    live_show_settings show_settings;
    bool asked_for_help;
    mien_model *model;
    mien_detector *detector;
    pipeline *pipeline;
    live_show *show;
    bool ended; /* the source, by itself */
    live_session_options session_options;
    live_session *session;
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
    case 'b':
        good = cli_parse_real(r->command, "--baseline", optarg, 0, 3600,
                              &r->settings.people.baseline_s);
        break;
    case 'y':
        good = cli_parse_real(r->command, "--remember", optarg, 0, 3600,
                              &r->settings.people.remember_s);
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
    case 't':
        good = cli_parse_int(r->command, "--threads", optarg, 1, 256, &number);
        r->setup.detector.threads = r->setup.model.threads = (int)number;
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
        if (!cli_setup_option(&r->setup, r->command, option, optarg, &status) &&
            !live_session_option(&r->session_options, r->command, option, optarg, &status) &&
            !live_show_option(&r->show_settings, r->command, option, optarg, &status))
            status = parse_own_option(r, option);
    if (status != EXIT_DONE || r->asked_for_help)
        return status;
    if (argc - optind > 1)
        return cli_wrong_usage(r->command, "name one video, camera or stream");
    r->name = optind < argc ? argv[optind] : "/dev/video0";
    status = live_session_check(&r->session_options, r->command);
    return status == EXIT_DONE ? live_show_check(&r->show_settings, r->command) : status;
}

/* ---- Running ---- */

static int open_all(run *r)
{
    mien_error error;
    r->settings.source.stopped = stop_asked;
    int status = cli_open_both(&r->setup, &r->model, &r->detector);
    if (status == EXIT_DONE &&
        (pipeline_open(r->name, r->model, r->detector, &r->settings, &r->pipeline, &error) !=
             MIEN_OK ||
         live_show_open(&r->show_settings, pipeline_name(r->pipeline),
                        !pipeline_is_live(r->pipeline), r->model, &r->show, &error) != MIEN_OK))
        status = cli_fail(&error);
    if (status == EXIT_DONE)
        status = live_session_open(&r->session_options, r->name, r->model, r->setup.model_path,
                                   live_show_pictures(r->show), &r->session);
    return status;
}

/* A file in a window plays at its own pace. */
static void wait_until_due(run *r, const pipeline_frame *frame)
{
    while (!live_show_is_due(r->show, frame) && !stop_asked(NULL))
        clock_sleep(0.002);
}

/* What is done with a frame. */
static mien_status take_frame(run *r, const pipeline_frame *frame, mien_error *error)
{
    live_summary_add(&r->summary, frame);
    wait_until_due(r, frame);
    live_show_frame(r->show, frame);
    mien_status status = live_session_frame(r->session, frame, error);
    return status == MIEN_OK ? live_output_frame(r->format, r->model, frame, error) : status;
}

/* Each frame reaches its reader at once. When nobody takes it, main says so. */
static int follow_frames(run *r)
{
    mien_error error;
    pipeline_event event;
    pipeline_frame frame;
    live_output_begin(r->format, r->model);
    while (fflush(stdout) == 0 && !live_show_wants_end(r->show)) {
        mien_status status = pipeline_next(r->pipeline, WAIT_S, &event, &frame, &error);
        r->ended = status == MIEN_OK && event == PIPELINE_END && !stop_asked(NULL);
        if (status == MIEN_OK && event == PIPELINE_END)
            break;
        if (status == MIEN_OK && event != PIPELINE_FRAME)
            live_show_is_due(r->show, NULL);
        if (status == MIEN_OK && event == PIPELINE_NOTICE) {
            fprintf(stderr, "mien: %s\n", pipeline_notice(r->pipeline));
            live_session_notice(r->session, pipeline_notice(r->pipeline));
        }
        if (status == MIEN_OK && event == PIPELINE_FRAME)
            status = take_frame(r, &frame, &error);
        if (status != MIEN_OK)
            return cli_fail(&error);
    }
    return EXIT_DONE;
}

static int run_live(run *r)
{
    stop_on_signals();
    int status = open_all(r);
    if (status == EXIT_DONE) {
        double start_s = clock_now_s();
        status = follow_frames(r);
        live_summary_print(&r->summary, r->pipeline, clock_now_s() - start_s);
    }
    if (live_session_close(r->session) != EXIT_DONE)
        status = EXIT_FAILED;
    if (live_show_close(r->show, r->ended) != EXIT_DONE && status == EXIT_DONE)
        status = EXIT_FAILED;
    pipeline_close(r->pipeline);
    mien_model_free(r->model);
    mien_detector_free(r->detector);
    return status;
}

int command_live(int argc, char **argv)
{
    run r = {.command = argv[0],
             .settings.people = {.every = 1, .smooth_s = 0.5, .remember_s = 30},
             .session_options = LIVE_SESSION_DEFAULTS,
             .show_settings = live_show_init()};
    cli_setup_init(&r.setup);
    int status = parse_arguments(&r, argc, argv);
    if (status != EXIT_DONE)
        return status;
    if (r.asked_for_help) {
        fputs(help, stdout);
        fputs(more_help, stdout);
        return EXIT_DONE;
    }
    return run_live(&r);
}
