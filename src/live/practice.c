/* SPDX-License-Identifier: Apache-2.0 */

/* mien practice: shows an expression to try, scores the face that tries it, keeps the progress. */

#include "live/commands.h"

#include "cli/cli.h"
#include "live/practice_record.h"
#include "live/prompting.h"
#include "live/stop.h"

#include "eval/attempt.h"
#include "eval/roles.h"
#include "video/pipeline.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: mien practice [OPTION ...] [SOURCE]\n"
    "       mien practice --progress FILE\n"
    "\n"
    "Names an expression to show, and scores from 0 to 100 how like it the face looks to the\n"
    "network while it is tried. The largest face of the picture practises. The score is a mirror\n"
    "for play and therapy, no measure of a person. SOURCE is a camera, video or stream (default\n"
    "/dev/video0). Nothing is kept, save what --record writes: scores, never pictures. In the\n"
    "window space pauses and q ends.\n"
    "\n" CLI_MODEL_HELP CLI_DETECTOR_HELP
    "  --plan NAME,NAME,...    expressions in their order (default: all of the model, neutral\n"
    "                          left out)\n"
    "  --repeat N              go through the plan N times (default 1)\n"
    "  --rest SECONDS          before each expression (default 3)\n"
    "  --try SECONDS           to show it in (default 6)\n"
    "  --hold SECONDS          the score is of the best stretch of this length (default 1)\n"
    "  --record FILE           add the scores to a file of JSON Lines\n"
    "  --name NAME             who practises, for the record\n"
    "  --progress FILE         what a record says of the progress; nobody practises\n"
    "  --no-window             words and bars on the terminal, no window\n"
    "  --json                  one JSON object per attempt and line\n"
    "\n"
    "example: mien practice --plan happy,surprise --repeat 3 --record ann.jsonl --name Ann\n";

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DETECTOR_OPTIONS,
    {"plan", required_argument, NULL, 'l'},
    {"repeat", required_argument, NULL, 'r'},
    {"rest", required_argument, NULL, 'e'},
    {"try", required_argument, NULL, 't'},
    {"hold", required_argument, NULL, 'o'},
    {"record", required_argument, NULL, 'R'},
    {"name", required_argument, NULL, 'N'},
    {"progress", required_argument, NULL, 'p'},
    {"no-window", no_argument, NULL, 'w'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* How smooth the probabilities are that are scored: a blink is no failure. */
#define SMOOTH_S 0.2

enum { MAX_PLAN = 64, MAX_REPEATS = 1000, BAR = 25 };

/* Everything of one run of the command. */
typedef struct run {
    const char *command;
    const char *source;
    const char *plan_text;     /* NULL: the default */
    const char *record_path;   /* NULL: nothing is kept */
    const char *progress_path; /* NULL: somebody practises */
    const char *name;          /* NULL: not said */
    bool json, without_window;
    bool asked_for_help;
    bool on_terminal; /* standard error is one */
    cli_setup setup;
    int64_t repeats;
    double hold_s;
    prompt_clock clock;
    int plan[MAX_PLAN]; /* (plan_length): classes */
    int plan_length;
    mien_model *model;
    mien_detector *detector;
    pipeline *pipeline;
    prompt_view *view; /* NULL without a window */
    FILE *record;      /* NULL where nothing is kept */
    attempt attempt;
    double sum; /* of the scores */
    int64_t attempts;
} run;

/* ---- Options ---- */

static int parse_own_option(run *r, int option)
{
    bool good = true;
    switch (option) {
    case 'l':
        r->plan_text = optarg;
        break;
    case 'r':
        good = cli_parse_int(r->command, "--repeat", optarg, 1, MAX_REPEATS, &r->repeats);
        break;
    case 'e':
        good = cli_parse_real(r->command, "--rest", optarg, 0, 600, &r->clock.prompts.rest_s);
        break;
    case 't':
        good = cli_parse_real(r->command, "--try", optarg, 0.5, 600, &r->clock.prompts.act_s);
        break;
    case 'o':
        good = cli_parse_real(r->command, "--hold", optarg, 0, 60, &r->hold_s);
        break;
    case 'R':
        r->record_path = optarg;
        break;
    case 'N':
        r->name = optarg;
        break;
    case 'p':
        r->progress_path = optarg;
        break;
    case 'w':
        r->without_window = true;
        break;
    case 'j':
        r->json = true;
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
    if (argc - optind > 1)
        return cli_wrong_usage(r->command, "name one camera, video or stream");
    if (r->hold_s > r->clock.prompts.act_s)
        return cli_wrong_usage(r->command, "--hold %g is longer than --try %g", r->hold_s,
                               r->clock.prompts.act_s);
    if (r->name != NULL && r->record_path == NULL)
        return cli_wrong_usage(r->command, "--name is for the record; add --record FILE");
    if (optind < argc)
        r->source = argv[optind];
    return EXIT_DONE;
}

/* ---- The plan ---- */

static int add_to_plan(run *r, const char *name, size_t length)
{
    for (int c = 0; c < mien_model_class_count(r->model); c++) {
        const char *known = mien_model_class_name(r->model, c);
        if (strlen(known) != length || memcmp(known, name, length) != 0)
            continue;
        if (r->plan_length == MAX_PLAN)
            return cli_wrong_usage(r->command, "a plan has at most %d expressions", MAX_PLAN);
        r->plan[r->plan_length++] = c;
        return EXIT_DONE;
    }
    return cli_wrong_usage(r->command, "--plan: the model has no expression '%.*s'",
                           (int)(length > 64 ? 64 : length), name);
}

/* All of the model but neutral. */
static void plan_all(run *r)
{
    const char *names[MIEN_MAX_CLASSES];
    int count = mien_model_class_count(r->model);
    for (int c = 0; c < count; c++)
        names[c] = mien_model_class_name(r->model, c);
    int neutral = roles_of(names, count).neutral;
    for (int c = 0; c < count && r->plan_length < MAX_PLAN; c++)
        if (c != neutral)
            r->plan[r->plan_length++] = c;
}

static int read_plan(run *r)
{
    int status = EXIT_DONE;
    for (const char *at = r->plan_text; at != NULL && status == EXIT_DONE;) {
        size_t length = strcspn(at, ",");
        status = add_to_plan(r, at, length);
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    if (r->plan_text == NULL)
        plan_all(r);
    r->clock.prompts.count = (size_t)(r->plan_length * r->repeats);
    return status;
}

/* The class of a task. */
static int target(const run *r, size_t task)
{
    return r->plan[task % (size_t)r->plan_length];
}

static const char *class_name(const run *r, size_t task)
{
    return mien_model_class_name(r->model, target(r, task));
}

/* ---- What people see ---- */

static void show_bar(const run *r)
{
    char bar[BAR + 1];
    int filled = (int)lround(r->attempt.now / 100 * BAR);
    for (int i = 0; i < BAR; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, "\r\033[K  %-10s [%s] %3.0f   best %3.0f   %2.0f s left",
            class_name(r, r->clock.now.task), bar, r->attempt.now, r->attempt.score,
            ceil(r->clock.now.left_s));
}

/* ---- Attempts ---- */

static mien_status finish_attempt(run *r, size_t task, mien_error *error)
{
    practice_entry entry = {.time = time(NULL),
                            .name = r->name != NULL ? r->name : "",
                            .expression = class_name(r, task),
                            .score = r->attempt.score,
                            .reached_s = r->attempt.reached_s,
                            .hold_s = r->hold_s};
    r->sum += entry.score;
    r->attempts++;
    if (r->on_terminal)
        fputs("\r\033[K", stderr);
    fprintf(stderr, "  %s: %.0f of 100\n", entry.expression, entry.score);
    mien_status status = MIEN_OK;
    if (r->record != NULL)
        status = practice_record_add(r->record, r->record_path, &entry, error);
    if (status == MIEN_OK && r->json)
        status = practice_record_add(stdout, "standard output", &entry, error);
    return status;
}

/* What changes when the source has come to a time. */
static mien_status follow_clock(run *r, double time_s, mien_error *error)
{
    prompt_moment before, now;
    mien_status status = MIEN_OK;
    if (!prompt_clock_follow(&r->clock, time_s, &before))
        return MIEN_OK;
    now = r->clock.now;
    if (before.phase == PROMPT_ACT)
        status = finish_attempt(r, before.task, error);
    if (now.phase == PROMPT_ACT)
        attempt_begin(&r->attempt, time_s, r->hold_s);
    if (now.phase != PROMPT_DONE)
        prompt_announce(&r->clock, class_name(r, now.task));
    return status;
}

static mien_status take_frame(void *context, const pipeline_frame *frame, double time_s,
                              const person *who, mien_error *error)
{
    run *r = context;
    (void)frame;
    mien_status status = follow_clock(r, time_s, error);
    bool acting = r->clock.now.phase == PROMPT_ACT;
    if (status == MIEN_OK && who != NULL && acting)
        attempt_see(&r->attempt, time_s,
                    (double)who->face.probabilities[target(r, r->clock.now.task)]);
    if (acting && r->on_terminal)
        show_bar(r);
    return status;
}

static void describe(void *context, prompt_scene *scene)
{
    const run *r = context;
    bool acting = r->clock.now.phase == PROMPT_ACT;
    scene->expression = class_name(r, r->clock.now.task);
    scene->scored = true;
    scene->now = acting ? r->attempt.now : 0;
    scene->best = acting ? r->attempt.score : 0;
    if (acting)
        snprintf(scene->words, sizeof scene->words, "best %.0f", scene->best);
}

/* A stretch that is scored does not reach over a pause. */
static void pause_attempt(void *context)
{
    run *r = context;
    r->attempt.count = 0;
    if (r->on_terminal)
        fputs("\r\033[K", stderr);
}

/* ---- Running ---- */

static int open_all(run *r)
{
    mien_error error;
    pipeline_settings settings = {.people = {.every = 1, .smooth_s = SMOOTH_S},
                                  .source = {.stopped = stop_asked},
                                  .live = !r->without_window}; /* a film plays as a mirror would */
    int status = cli_open_model(&r->setup, &r->model);
    if (status == EXIT_DONE)
        status = read_plan(r);
    if (status == EXIT_DONE)
        status = cli_open_detector(&r->setup, &r->detector);
    if (status == EXIT_DONE && r->record_path != NULL &&
        practice_record_open(r->record_path, &r->record, &error) != MIEN_OK)
        status = cli_fail(&error);
    if (status == EXIT_DONE &&
        pipeline_open(r->source, r->model, r->detector, &settings, &r->pipeline, &error) != MIEN_OK)
        status = cli_fail(&error);
    if (status == EXIT_DONE && !r->without_window &&
        prompt_view_open("mien practice", &r->view, &error) != MIEN_OK)
        status = cli_fail(&error);
    return status;
}

static void summarise(const run *r)
{
    if (r->attempts > 0)
        fprintf(stderr, "mien: %" PRId64 " %s, %.0f of 100 on the mean\n", r->attempts,
                r->attempts == 1 ? "attempt" : "attempts", r->sum / (double)r->attempts);
    if (!r->clock.started || r->clock.now.phase != PROMPT_DONE)
        fprintf(stderr, "mien: it ended before the plan did\n");
}

static int run_practice(run *r)
{
    stop_on_signals();
    int status = open_all(r);
    if (status == EXIT_DONE) {
        const prompt_follower follower = {.clock = &r->clock,
                                          .view = r->view,
                                          .take = take_frame,
                                          .describe = describe,
                                          .pause = pause_attempt,
                                          .context = r};
        status = prompt_follow(r->pipeline, &follower);
        summarise(r);
    }
    prompt_view_close(r->view);
    pipeline_close(r->pipeline);
    if (r->record != NULL)
        fclose(r->record);
    mien_model_free(r->model);
    mien_detector_free(r->detector);
    return status;
}

int command_practice(int argc, char **argv)
{
    run r = {.command = argv[0],
             .source = "/dev/video0",
             .repeats = 1,
             .hold_s = 1,
             .clock.prompts = {.rest_s = 3, .act_s = 6},
             .on_terminal = isatty(STDERR_FILENO) != 0};
    cli_setup_init(&r.setup);
    int status = parse_arguments(&r, argc, argv);
    if (status != EXIT_DONE)
        return status;
    if (r.asked_for_help) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (r.progress_path != NULL)
        return practice_progress(r.progress_path);
    return run_practice(&r);
}
