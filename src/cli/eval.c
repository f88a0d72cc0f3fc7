/* SPDX-License-Identifier: Apache-2.0 */

/* mien eval: how well a model does on a labelled set. */

#include "cli/cli.h"
#include "cli/report.h"
#include "cli/scoring.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/difference_hash.h"
#include "eval/json_text.h"
#include "eval/metrics.h"
#include "eval/report_text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mien eval [OPTION ...] --data FILE|FOLDER\n"
    "\n"
    "Scores a model on a labelled set: FER-2013's CSV file with its official splits, the same "
    "with\n"
    "the votes of FER+, or a folder with a sub-folder of pictures per class.\n"
    "\n"
    "  --data FILE|FOLDER      the labelled set\n"
    "  --split NAME            Training, PublicTest, PrivateTest or all (default: all; for CSV)\n"
    "  --votes FILE            FER+ votes: labels by majority\n" CLI_MODEL_HELP
    "  --without-near NAME     leave out pictures that look like one of that split (Training):\n"
    "                          difference hashes of 576 bits that differ in at most 54\n"
    "  --detect                find the face in each picture first (pictures that are not "
    "cropped)\n" CLI_DETECTOR_HELP
    "  --mirror                mean of the picture and its mirror image\n"
    "  --threads N             pictures worked on at once (default 1)\n"
    "  --json                  as one JSON object\n"
    "  --report DIR            write DIR/report.html too: one page with tables, curves, faces\n"
    "  --no-pictures           no faces of the set in that page\n"
    "  --run DIR               the best model of a training run, on PublicTest unless --split "
    "says\n"
    "                          otherwise; its curves and recipe go into the page, which is\n"
    "                          written into the same folder unless --report names another\n"
    "\n"
    "example: mien eval --model net.onnx --data fer2013.csv --split PublicTest\n"
    "\n"
    "Choose on PublicTest; score PrivateTest once, for a finished model.\n";

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DETECTOR_OPTIONS,
    {"data", required_argument, NULL, 'a'},
    {"split", required_argument, NULL, 'p'},
    {"votes", required_argument, NULL, 'v'},
    {"without-near", required_argument, NULL, 'w'},
    {"detect", no_argument, NULL, 'e'},
    {"mirror", no_argument, NULL, 'i'},
    {"threads", required_argument, NULL, 't'},
    {"json", no_argument, NULL, 'j'},
    {"report", required_argument, NULL, 'r'},
    {"no-pictures", no_argument, NULL, 'N'},
    {"run", required_argument, NULL, 'R'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char command[] = "mien eval";

/* In how many of its bits a picture may differ from one that it looks like. */
enum { NEAR_BITS = 54 };

typedef struct evaluation {
    cli_setup setup;
    const char *data_path, *votes_path;
    const char *split_name, *near_name; /* near_name: NULL for none */
    const char *report_folder, *run_folder;
    dataset_split split, near_split;
    size_t near_count; /* left out: they look like one of near_split */
    bool detect, json, no_pictures, asked_for_help;
    char run_model[4096];
    mien_model *model;
    mien_detector *detector;
    dataset set;
    scoring scoring;
    eval_scores *scores, *plain; /* plain: without the mirror image, else NULL */
} evaluation;

static int parse_option(evaluation *e, int option)
{
    switch (option) {
    case 'a':
        e->data_path = optarg;
        return EXIT_DONE;
    case 'p':
        e->split_name = optarg;
        if (dataset_split_parse(optarg, &e->split))
            return EXIT_DONE;
        return cli_wrong_usage(
            command, "--split is '%s', not Training, PublicTest, PrivateTest or all", optarg);
    case 'w':
        e->near_name = optarg;
        if (dataset_split_parse(optarg, &e->near_split))
            return EXIT_DONE;
        return cli_wrong_usage(
            command, "--without-near is '%s', not Training, PublicTest, PrivateTest or all",
            optarg);
    case 'v':
        e->votes_path = optarg;
        return EXIT_DONE;
    case 'e':
        e->detect = true;
        return EXIT_DONE;
    case 'i':
        e->scoring.mirror = true;
        return EXIT_DONE;
    case 't':
        return cli_parse_int(command, "--threads", optarg, 1, 256, &e->scoring.threads)
                   ? EXIT_DONE
                   : EXIT_USAGE;
    case 'j':
        e->json = true;
        return EXIT_DONE;
    case 'r':
        e->report_folder = optarg;
        return EXIT_DONE;
    case 'N':
        e->no_pictures = true;
        return EXIT_DONE;
    case 'R':
        e->run_folder = optarg;
        return EXIT_DONE;
    case 'h':
        e->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
}

/* What --run stands for. */
static void take_run(evaluation *e)
{
    snprintf(e->run_model, sizeof e->run_model, "%s/best.onnx", e->run_folder);
    e->setup.model_path = e->run_model;
    if (e->report_folder == NULL)
        e->report_folder = e->run_folder;
    if (e->split_name == NULL && !file_is_folder(e->data_path)) {
        e->split = DATASET_PUBLIC_TEST;
        e->split_name = dataset_split_name(e->split);
    }
}

static int parse_arguments(evaluation *e, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    bool named = false; /* --model is there */
    while (status == EXIT_DONE &&
           (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        named = named || option == 'm';
        if (!cli_setup_option(&e->setup, command, option, optarg, &status))
            status = parse_option(e, option);
    }
    if (status != EXIT_DONE || e->asked_for_help)
        return status;
    if (optind != argc || e->data_path == NULL)
        return cli_wrong_usage(command, "name one labelled set with --data");
    if (file_is_folder(e->data_path) &&
        (e->votes_path != NULL || e->split_name != NULL || e->near_name != NULL))
        return cli_wrong_usage(
            command, "--votes, --split and --without-near go with a CSV file, not a folder");
    if (e->no_pictures && e->report_folder == NULL && e->run_folder == NULL)
        return cli_wrong_usage(command, "--no-pictures goes with --report or --run");
    if (e->run_folder != NULL && named)
        return cli_wrong_usage(command, "--run names the model: leave --model out");
    if (e->run_folder != NULL)
        take_run(e);
    return EXIT_DONE;
}

static mien_status read_set(evaluation *e, mien_error *error)
{
    if (file_is_folder(e->data_path))
        return dataset_read_folder(e->data_path, MIEN_PIXEL_RGB8, &e->set, error);
    if (e->votes_path != NULL)
        return dataset_read_fer_plus(e->data_path, e->votes_path, e->split, &e->set, error);
    return dataset_read_fer_csv(e->data_path, e->split, &e->set, error);
}

/* Leaves out what looks like a picture of another split. */
static mien_status leave_out_near(evaluation *e, mien_error *error)
{
    dataset others = {0};
    size_t before = e->set.count;
    if (e->near_name == NULL)
        return MIEN_OK;
    bool *keep = memory_zeroed(e->set.count, sizeof *keep);
    if (keep == NULL)
        return error_no_memory(error, "pictures to leave out", e->set.count);
    mien_status status = dataset_read_fer_csv(e->data_path, e->near_split, &others, error);
    if (status == MIEN_OK)
        status = difference_hash_find(&e->set, &others, NEAR_BITS, keep, error);
    for (size_t i = 0; i < before; i++)
        keep[i] = !keep[i];
    if (status == MIEN_OK)
        dataset_keep(&e->set, keep);
    if (status == MIEN_OK && e->set.count == 0)
        status =
            error_set(error, MIEN_NOT_FOUND, "every picture looks like one of %s", e->near_name);
    e->near_count = before - e->set.count;
    free(keep);
    dataset_free(&others);
    return status;
}

/* ---- Printing ---- */

static int print_json(const evaluation *e, const char *const *names)
{
    mien_error error;
    char *text;
    if (eval_to_json(e->scores, names, &text, &error) != MIEN_OK)
        return cli_fail(&error);
    json_t *object = json_loads(text, 0, NULL);
    free(text);
    const char *split = e->split_name != NULL ? e->split_name : "all";
    bool complete = json_object_set_new(object, "model", json_text_name(e->setup.model_path)) == 0;
    complete &= json_object_set_new(object, "data", json_text_name(e->data_path)) == 0;
    complete &= json_object_set_new(object, "split", json_string(split)) == 0;
    complete &= json_object_set_new(object, "mirror", json_boolean(e->scoring.mirror)) == 0;
    complete &=
        json_object_set_new(object, "left_out", json_integer((json_int_t)e->set.left_out)) == 0;
    if (e->near_name != NULL)
        complete &=
            json_object_set_new(object, "near", json_integer((json_int_t)e->near_count)) == 0;
    complete &= json_object_set_new(object, "not_in_model",
                                    json_integer((json_int_t)e->scoring.not_in_model)) == 0;
    complete &=
        json_object_set_new(object, "no_face", json_integer((json_int_t)e->scoring.no_face)) == 0;
    return cli_print_json(json_text_finish(object, complete),
                          JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

static void print_text(const evaluation *e, const char *const *names)
{
    eval_print_table(stdout, e->scores, names);
    if (e->set.left_out != 0)
        printf("left out by the protocol: %zu\n", e->set.left_out);
    if (e->near_name != NULL)
        printf("left out, look like a picture of %s: %zu\n", e->near_name, e->near_count);
    if (e->scoring.not_in_model != 0)
        printf("left out, of classes that the model does not have: %zu\n", e->scoring.not_in_model);
    if (e->scoring.no_face != 0)
        printf("left out, no face found: %zu\n", e->scoring.no_face);
}

static int print_scores(const evaluation *e)
{
    const char *names[MIEN_MAX_CLASSES];
    for (int c = 0; c < mien_model_class_count(e->model); c++)
        names[c] = mien_model_class_name(e->model, c);
    if (e->json)
        return print_json(e, names);
    print_text(e, names);
    return EXIT_DONE;
}

/* ---- Work ---- */

static mien_status score(evaluation *e, mien_error *error)
{
    scoring *s = &e->scoring;
    int classes = mien_model_class_count(e->model);
    s->model = e->model;
    s->detector = e->detector;
    s->set = &e->set;
    e->scores = memory_zeroed(1, sizeof *e->scores);
    e->plain = s->mirror ? memory_zeroed(1, sizeof *e->plain) : NULL;
    if (e->scores == NULL || (s->mirror && e->plain == NULL))
        return error_no_memory(error, "scores", sizeof *e->scores);
    mien_status status = scoring_run(s, error);
    if (status == MIEN_OK)
        status = eval_score(s->labels, s->probabilities, s->count, classes, e->scores, error);
    if (status == MIEN_OK && s->mirror)
        status = eval_score(s->labels, s->plain, s->count, classes, e->plain, error);
    return status;
}

static mien_status write_report(const evaluation *e, mien_error *error)
{
    if (e->report_folder == NULL)
        return MIEN_OK;
    report_request request = {.folder = e->report_folder,
                              .model_path = e->setup.model_path,
                              .data_name = e->data_path,
                              .split_name = e->split_name,
                              .scoring = &e->scoring,
                              .scores = e->scores,
                              .plain = e->plain,
                              .run_folder = e->run_folder,
                              .pictures = !e->no_pictures};
    return report_write(&request, error);
}

static int evaluate(evaluation *e)
{
    mien_error error;
    int status = cli_open_model(&e->setup, &e->model);
    if (status == EXIT_DONE && (e->detect || e->setup.detector_path != NULL))
        status = cli_open_detector(&e->setup, &e->detector);
    if (status != EXIT_DONE)
        return status;
    if (read_set(e, &error) != MIEN_OK || leave_out_near(e, &error) != MIEN_OK ||
        score(e, &error) != MIEN_OK || write_report(e, &error) != MIEN_OK)
        return cli_fail(&error);
    return print_scores(e);
}

int cli_eval(int argc, char **argv)
{
    evaluation e = {.scoring.threads = 1, .split = DATASET_ALL};
    cli_setup_init(&e.setup);
    int status = parse_arguments(&e, argc, argv);
    if (status == EXIT_DONE && e.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE)
        status = evaluate(&e);
    dataset_free(&e.set);
    scoring_free(&e.scoring);
    free(e.scores);
    free(e.plain);
    mien_model_free(e.model);
    mien_detector_free(e.detector);
    return status;
}
