/* SPDX-License-Identifier: Apache-2.0 */

/* mien data capture: leads a participant through a list of expressions and keeps the faces. */

#include "live/commands.h"

#include "cli/cli.h"
#include "live/capture_folder.h"
#include "live/cut_out.h"
#include "live/prompting.h"
#include "live/stop.h"

#include "base/file.h"
#include "data/difference_hash.h"
#include "video/pipeline.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mien data capture [OPTION ...] --out FOLDER --participant NAME [SOURCE]\n"
    "       mien data capture --withdraw NAME --out FOLDER\n"
    "\n"
    "Asks a participant to agree, leads through a list of expressions, and keeps pictures of the\n"
    "face in a folder per expression, for reviewers to vote on. Faces that look like one that is\n"
    "there already are left out. SOURCE is a camera, video or stream (default /dev/video0).\n"
    "The label of a picture is what was asked for, which is not what a face shows: have it "
    "reviewed.\n"
    "The window is a mirror with the expression to show; space pauses, q ends.\n"
    "\n"
    "  --out FOLDER            where pictures, manifest.csv and consents go\n"
    "  --participant NAME      letters, digits and '_', no name that tells who it is\n"
    "  --plan NAME,NAME,...    expressions (default "
    "angry,disgust,fear,happy,sad,surprise,neutral)\n"
    "  --consent FILE          the words to agree to, instead of mien's\n"
    "  --agreed NOTE           who agreed and how, when it was done on paper: nobody is asked\n"
    "  --withdraw NAME         delete all that the folder holds of a participant\n"
    "  --rest SECONDS          before each expression (default 4)\n"
    "  --record SECONDS        to show it in (default 5)\n"
    "  --rate N                faces looked at a second (default 5)\n"
    "  --near BITS             leave out faces that differ in at most so many of 576 bits from\n"
    "                          one of the same person and expression (default 170; -1: none)\n"
    "  --margin SHARE          of the face around it, on each side (default 0.1)\n"
    "  --no-window             words on the terminal only\n" CLI_DETECTOR_HELP "\n"
    "example: mien data capture --out faces --participant p01\n";

static const struct option long_options[] = {
    CLI_DETECTOR_OPTIONS,
    {"out", required_argument, NULL, 'o'},
    {"participant", required_argument, NULL, 'a'},
    {"plan", required_argument, NULL, 'l'},
    {"consent", required_argument, NULL, 'c'},
    {"agreed", required_argument, NULL, 'g'},
    {"withdraw", required_argument, NULL, 'w'},
    {"rest", required_argument, NULL, 'e'},
    {"record", required_argument, NULL, 't'},
    {"rate", required_argument, NULL, 'r'},
    {"near", required_argument, NULL, 'N'},
    {"margin", required_argument, NULL, 'M'},
    {"no-window", no_argument, NULL, 'W'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char default_consent[] =
    "Pictures of your face will be taken with a camera while you show expressions. They are kept\n"
    "on this machine, labelled with the expression and a number in place of your name, to train\n"
    "and test programs that tell facial expressions apart. They are not sent anywhere by this\n"
    "program. Taking part is free: you may stop at any moment, and have your pictures deleted\n"
    "later, by the number, without saying why.\n";

#define MAX_CONSENT ((size_t)1 << 20)

enum { MAX_PLAN = 64, NAME_SIZE = 65 };

/* Everything of one run of the command. */
typedef struct run {
    const char *command;
    const char *source;
    const char *out, *participant, *plan_text, *consent_path, *agreed, *withdraw;
    cli_setup setup;
    double rate, margin;
    int64_t near;
    bool asked_for_help, without_window;
    char plan[MAX_PLAN][NAME_SIZE]; /* (clock.prompts.count) */
    prompt_clock clock;
    mien_detector *detector;
    capture_folder *folder;
    pipeline *pipeline;
    prompt_view *view;  /* NULL without a window */
    double next_s;      /* when a face is looked at again */
    size_t kept, alike; /* of this expression */
    size_t all_kept;
} run;

/* ---- Options ---- */

static int parse_number(run *r, int option)
{
    bool good = false;
    if (option == 'e')
        good = cli_parse_real(r->command, "--rest", optarg, 0, 600, &r->clock.prompts.rest_s);
    else if (option == 't')
        good = cli_parse_real(r->command, "--record", optarg, 0.1, 600, &r->clock.prompts.act_s);
    else if (option == 'r')
        good = cli_parse_real(r->command, "--rate", optarg, 0.01, 1000, &r->rate);
    else if (option == 'N')
        good = cli_parse_int(r->command, "--near", optarg, -1, DIFFERENCE_HASH_BITS, &r->near);
    else
        good = cli_parse_real(r->command, "--margin", optarg, 0, 2, &r->margin);
    return good ? EXIT_DONE : EXIT_USAGE;
}

static int parse_own_option(run *r, int option)
{
    switch (option) {
    case 'o':
        r->out = optarg;
        break;
    case 'a':
        r->participant = optarg;
        break;
    case 'l':
        r->plan_text = optarg;
        break;
    case 'c':
        r->consent_path = optarg;
        break;
    case 'g':
        r->agreed = optarg;
        break;
    case 'w':
        r->withdraw = optarg;
        break;
    case 'W':
        r->without_window = true;
        break;
    case 'h':
        r->asked_for_help = true;
        break;
    case '?':
        return cli_wrong_usage(r->command, "this option is not known or lacks its value");
    default:
        return parse_number(r, option);
    }
    return EXIT_DONE;
}

static int read_plan(run *r)
{
    for (const char *at = r->plan_text; at != NULL;) {
        size_t length = strcspn(at, ","), task = r->clock.prompts.count;
        if (task == MAX_PLAN)
            return cli_wrong_usage(r->command, "a plan has at most %d expressions", MAX_PLAN);
        snprintf(r->plan[task], NAME_SIZE, "%.*s", (int)(length > NAME_SIZE ? NAME_SIZE : length),
                 at);
        if (length >= NAME_SIZE || !capture_is_name(r->plan[task]))
            return cli_wrong_usage(
                r->command, "--plan: '%s' must be 1 to 64 letters, digits and '_'", r->plan[task]);
        r->clock.prompts.count++;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return EXIT_DONE;
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
    if (r->out == NULL)
        return cli_wrong_usage(r->command, "--out FOLDER is missing");
    if (r->withdraw == NULL && r->participant == NULL)
        return cli_wrong_usage(r->command, "--participant NAME is missing");
    if (argc - optind > 1)
        return cli_wrong_usage(r->command, "name one camera, video or stream");
    if (optind < argc)
        r->source = argv[optind];
    return read_plan(r);
}

/* ---- Consent ---- */

static bool asked_and_agreed(const char *words)
{
    char answer[16] = "";
    fprintf(stderr, "%s\nType yes to agree, anything else to end: ", words);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        answer[0] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "yes") == 0;
}

/* Keeps the words and who agreed to them. EXIT_FAILED, after a message, where nobody did. */
static int get_consent(run *r)
{
    mien_error error;
    uint8_t *bytes = NULL;
    size_t size;
    if (r->consent_path != NULL &&
        file_read(r->consent_path, MAX_CONSENT, &bytes, &size, &error) != MIEN_OK)
        return cli_fail(&error);
    const char *words = bytes != NULL ? (const char *)bytes : default_consent;
    int status = EXIT_DONE;
    if (r->agreed == NULL && !asked_and_agreed(words)) {
        fputs("mien: nobody agreed, nothing was recorded (--agreed NOTE, where it was done on "
              "paper)\n",
              stderr);
        status = EXIT_FAILED;
    } else if (capture_folder_consent(r->folder, words,
                                      r->agreed != NULL ? r->agreed : "agreed by typing yes",
                                      &error) != MIEN_OK) {
        status = cli_fail(&error);
    }
    free(bytes);
    return status;
}

/* ---- Faces ---- */

static mien_status take_face(run *r, const pipeline_frame *frame, double time_s, const person *who,
                             mien_error *error)
{
    mien_image face;
    bool kept = false;
    if (who == NULL || time_s < r->next_s || !cut_out(frame->image, &who->face, r->margin, &face))
        return MIEN_OK;
    r->next_s = time_s + 1 / r->rate;
    mien_status status =
        capture_folder_add(r->folder, r->plan[r->clock.now.task], &face, &kept, error);
    if (status == MIEN_OK) {
        r->kept += kept;
        r->alike += !kept;
    }
    return status;
}

static void finish_expression(run *r, size_t task)
{
    fprintf(stderr, "  %s: %zu kept, %zu looked like one of them\n", r->plan[task], r->kept,
            r->alike);
    r->all_kept += r->kept;
    r->kept = r->alike = 0;
}

static mien_status take_frame(void *context, const pipeline_frame *frame, double time_s,
                              const person *who, mien_error *error)
{
    run *r = context;
    prompt_moment before;
    if (prompt_clock_follow(&r->clock, time_s, &before)) {
        if (before.phase == PROMPT_ACT)
            finish_expression(r, before.task);
        if (r->clock.now.phase != PROMPT_DONE)
            prompt_announce(&r->clock, r->plan[r->clock.now.task]);
        r->next_s = time_s;
    }
    return r->clock.now.phase == PROMPT_ACT ? take_face(r, frame, time_s, who, error) : MIEN_OK;
}

static void describe(void *context, prompt_scene *scene)
{
    const run *r = context;
    scene->expression = r->plan[r->clock.now.task];
    snprintf(scene->words, sizeof scene->words, "%zu kept", r->all_kept + r->kept);
}

/* ---- Running ---- */

static int open_all(run *r)
{
    mien_error error;
    pipeline_settings settings = {.people = {.every = 1},
                                  .source = {.stopped = stop_asked},
                                  .live = !r->without_window}; /* a film plays as a mirror would */
    int status = cli_open_detector(&r->setup, &r->detector);
    if (status == EXIT_DONE && !r->without_window &&
        prompt_view_open("mien data capture", &r->view, &error) != MIEN_OK)
        status = cli_fail(&error);
    if (status == EXIT_DONE &&
        capture_folder_open(r->out, r->participant, (int)r->near, &r->folder, &error) != MIEN_OK)
        status = cli_fail(&error);
    if (status == EXIT_DONE)
        status = get_consent(r);
    if (status == EXIT_DONE &&
        pipeline_open(r->source, NULL, r->detector, &settings, &r->pipeline, &error) != MIEN_OK)
        status = cli_fail(&error);
    return status;
}

static int capture(run *r)
{
    int status = open_all(r);
    if (status == EXIT_DONE) {
        fputs("Sit so that your face is in the light and in the middle of the picture.\n", stderr);
        stop_on_signals();
        const prompt_follower follower = {.clock = &r->clock,
                                          .view = r->view,
                                          .take = take_frame,
                                          .describe = describe,
                                          .context = r};
        status = prompt_follow(r->pipeline, &follower);
        if (r->clock.now.phase == PROMPT_ACT)
            finish_expression(r, r->clock.now.task);
        fprintf(stderr,
                "mien: %zu %s of %s in %s; to delete them: mien data capture --withdraw %s "
                "--out %s\n",
                r->all_kept, r->all_kept == 1 ? "picture" : "pictures", r->participant, r->out,
                r->participant, r->out);
    }
    prompt_view_close(r->view);
    pipeline_close(r->pipeline);
    capture_folder_close(r->folder);
    mien_detector_free(r->detector);
    return status;
}

static int withdraw(const run *r)
{
    mien_error error;
    size_t removed;
    if (capture_folder_withdraw(r->out, r->withdraw, &removed, &error) != MIEN_OK)
        return cli_fail(&error);
    fprintf(stderr, "mien: deleted %zu %s, the rows and the consent of %s\n", removed,
            removed == 1 ? "picture" : "pictures", r->withdraw);
    return EXIT_DONE;
}

int command_capture(int argc, char **argv)
{
    run r = {.command = argv[0],
             .source = "/dev/video0",
             .plan_text = "angry,disgust,fear,happy,sad,surprise,neutral",
             .rate = 5,
             .margin = 0.1,
             .near = 170,
             .clock.prompts = {.rest_s = 4, .act_s = 5}};
    cli_setup_init(&r.setup);
    int status = parse_arguments(&r, argc, argv);
    if (status != EXIT_DONE)
        return status;
    if (r.asked_for_help) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    return r.withdraw != NULL ? withdraw(&r) : capture(&r);
}
