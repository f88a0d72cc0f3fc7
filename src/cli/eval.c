/* SPDX-License-Identifier: Apache-2.0 */

/* mien eval: how well a model does on a labelled set. */

#include "cli/cli.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "engine/model.h"
#include "eval/json_text.h"
#include "eval/metrics.h"
#include "eval/report_text.h"
#include "image/image.h"

#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
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
    "  --detect                find the face in each picture first (pictures that are not "
    "cropped)\n" CLI_DETECTOR_HELP
    "  --mirror                mean of the picture and its mirror image\n"
    "  --threads N             pictures worked on at once (default 1)\n"
    "  --json                  as one JSON object\n"
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
    {"detect", no_argument, NULL, 'e'},
    {"mirror", no_argument, NULL, 'i'},
    {"threads", required_argument, NULL, 't'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char command[] = "mien eval";

typedef struct evaluation {
    cli_setup setup;
    const char *data_path, *votes_path;
    const char *split_name;
    dataset_split split;
    bool detect, mirror, json, asked_for_help;
    int64_t threads;
    mien_model *model;
    mien_detector *detector;
    dataset set;
    int class_of_label[DATASET_MAX_CLASSES]; /* the model's class, or -1: it has none */
    float *probabilities;                    /* (samples, model classes) */
    int *labels;         /* (samples): the model's classes; -1 where the sample does not count */
    size_t not_in_model; /* samples whose class the model does not have */
    size_t no_face;      /* samples in which no face was found */
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
    case 'v':
        e->votes_path = optarg;
        return EXIT_DONE;
    case 'e':
        e->detect = true;
        return EXIT_DONE;
    case 'i':
        e->mirror = true;
        return EXIT_DONE;
    case 't':
        return cli_parse_int(command, "--threads", optarg, 1, 256, &e->threads) ? EXIT_DONE
                                                                                : EXIT_USAGE;
    case 'j':
        e->json = true;
        return EXIT_DONE;
    case 'h':
        e->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
}

static int parse_arguments(evaluation *e, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!cli_setup_option(&e->setup, command, option, optarg, &status))
            status = parse_option(e, option);
    if (status != EXIT_DONE || e->asked_for_help)
        return status;
    if (optind != argc || e->data_path == NULL)
        return cli_wrong_usage(command, "name one labelled set with --data");
    if (file_is_folder(e->data_path) && (e->votes_path != NULL || e->split_name != NULL))
        return cli_wrong_usage(command, "--votes and --split go with a CSV file, not a folder");
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

/* Classes are matched by name. */
static mien_status match_classes(evaluation *e, mien_error *error)
{
    int matched = 0;
    for (int label = 0; label < e->set.class_count; label++) {
        e->class_of_label[label] = -1;
        for (int c = 0; c < e->model->class_count; c++)
            if (strcmp(e->set.class_names[label], e->model->class_names[c]) == 0) {
                e->class_of_label[label] = c;
                matched++;
            }
    }
    if (matched == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the model has none of the classes of the set (the set's first is '%s', "
                         "the model's '%s')",
                         e->set.class_names[0], e->model->class_names[0]);
    return MIEN_OK;
}

/* ---- Scoring ---- */

/* What one thread works with. */
typedef struct scorer {
    evaluation *evaluation;
    mien_analyzer *analyzer;
    atomic_size_t *next; /* the sample that is taken next, shared */
    atomic_size_t *no_face;
    mien_image mirrored;
    mien_error error;
    mien_status status;
    pthread_t thread;
    bool started;
} scorer;

static const mien_face *largest(const mien_face *faces, size_t count)
{
    const mien_face *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (best == NULL || faces[i].width * faces[i].height > best->width * best->height)
            best = &faces[i];
    return best;
}

/* Adds the probabilities of the picture's largest face. *found false: there is none. */
static mien_status add_probabilities(scorer *s, const mien_image *image, float *sums, bool *found)
{
    const mien_face *faces;
    size_t count;
    mien_status status = mien_analyzer_run(s->analyzer, image, &faces, &count, &s->error);
    if (status != MIEN_OK)
        return status;
    const mien_face *face = largest(faces, count);
    *found = face != NULL;
    for (int c = 0; face != NULL && c < s->evaluation->model->class_count; c++)
        sums[c] += face->probabilities[c];
    return MIEN_OK;
}

static mien_status mirror(scorer *s, const mien_image *image)
{
    mien_status status = MIEN_OK;
    if (s->mirrored.width != image->width || s->mirrored.height != image->height ||
        s->mirrored.format != image->format) {
        mien_image_free(&s->mirrored);
        status =
            mien_image_alloc(image->width, image->height, image->format, &s->mirrored, &s->error);
    }
    return status == MIEN_OK ? image_mirror(image, &s->mirrored, &s->error) : status;
}

static mien_status score_sample(scorer *s, size_t index)
{
    evaluation *e = s->evaluation;
    const dataset_sample *sample = &e->set.samples[index];
    float *sums = e->probabilities + index * (size_t)e->model->class_count;
    bool found = false, found_mirrored = false;
    e->labels[index] = e->class_of_label[sample->label];
    if (e->labels[index] < 0)
        return MIEN_OK;
    mien_status status = add_probabilities(s, &sample->image, sums, &found);
    if (status == MIEN_OK && e->mirror) {
        status = mirror(s, &sample->image);
        if (status == MIEN_OK)
            status = add_probabilities(s, &s->mirrored, sums, &found_mirrored);
    }
    int views = found + found_mirrored;
    for (int c = 0; views > 1 && c < e->model->class_count; c++)
        sums[c] /= (float)views;
    if (views == 0 && status == MIEN_OK) {
        e->labels[index] = -1;
        atomic_fetch_add(s->no_face, 1);
    }
    return status;
}

static void *score_all(void *argument)
{
    scorer *s = argument;
    size_t index;
    while (s->status == MIEN_OK &&
           (index = atomic_fetch_add(s->next, 1)) < s->evaluation->set.count)
        s->status = score_sample(s, index);
    return NULL;
}

static mien_status run_scorers(evaluation *e, scorer *scorers, mien_error *error)
{
    atomic_size_t next = 0, no_face = 0;
    mien_status status = MIEN_OK;
    for (int64_t i = 0; i < e->threads; i++) {
        scorers[i].evaluation = e;
        scorers[i].next = &next;
        scorers[i].no_face = &no_face;
        status = mien_analyzer_create(e->model, e->detector, &scorers[i].analyzer, error);
        if (status != MIEN_OK)
            return status;
    }
    for (int64_t i = 1; i < e->threads; i++)
        scorers[i].started = pthread_create(&scorers[i].thread, NULL, score_all, &scorers[i]) == 0;
    score_all(&scorers[0]);
    for (int64_t i = 0; i < e->threads; i++) {
        if (scorers[i].started)
            pthread_join(scorers[i].thread, NULL);
        if (scorers[i].status != MIEN_OK && status == MIEN_OK) {
            status = scorers[i].status;
            *error = scorers[i].error;
        }
    }
    e->no_face = no_face;
    return status;
}

static mien_status score_set(evaluation *e, mien_error *error)
{
    size_t classes = (size_t)e->model->class_count;
    e->probabilities = memory_zeroed(e->set.count, classes * sizeof *e->probabilities);
    e->labels = memory_zeroed(e->set.count, sizeof *e->labels);
    scorer *scorers = memory_zeroed((size_t)e->threads, sizeof *scorers);
    mien_status status = MIEN_OK;
    if (e->probabilities == NULL || e->labels == NULL || scorers == NULL)
        status = error_no_memory(error, "scores", e->set.count * classes * sizeof(float));
    if (status == MIEN_OK)
        status = run_scorers(e, scorers, error);
    for (int64_t i = 0; scorers != NULL && i < e->threads; i++) {
        mien_analyzer_free(scorers[i].analyzer);
        mien_image_free(&scorers[i].mirrored);
    }
    free(scorers);
    return status;
}

/* Moves the samples that count to the front. Their number. */
static size_t keep_counted(evaluation *e)
{
    size_t classes = (size_t)e->model->class_count, kept = 0;
    for (size_t i = 0; i < e->set.count; i++) {
        if (e->labels[i] < 0)
            continue;
        e->labels[kept] = e->labels[i];
        memmove(e->probabilities + kept * classes, e->probabilities + i * classes,
                classes * sizeof *e->probabilities);
        kept++;
    }
    e->not_in_model = e->set.count - kept - e->no_face;
    return kept;
}

/* ---- Printing ---- */

static int print_json(const evaluation *e, const eval_scores *scores, const char *const *names)
{
    mien_error error;
    char *text;
    if (eval_to_json(scores, names, &text, &error) != MIEN_OK)
        return cli_fail(&error);
    json_t *object = json_loads(text, 0, NULL);
    free(text);
    const char *split = e->split_name != NULL ? e->split_name : "all";
    bool complete = json_object_set_new(object, "model", json_text_name(e->setup.model_path)) == 0;
    complete &= json_object_set_new(object, "data", json_text_name(e->data_path)) == 0;
    complete &= json_object_set_new(object, "split", json_string(split)) == 0;
    complete &= json_object_set_new(object, "mirror", json_boolean(e->mirror)) == 0;
    complete &=
        json_object_set_new(object, "left_out", json_integer((json_int_t)e->set.left_out)) == 0;
    complete &=
        json_object_set_new(object, "not_in_model", json_integer((json_int_t)e->not_in_model)) == 0;
    complete &= json_object_set_new(object, "no_face", json_integer((json_int_t)e->no_face)) == 0;
    return cli_print_json(json_text_finish(object, complete),
                          JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

static void print_text(const evaluation *e, const eval_scores *scores, const char *const *names)
{
    eval_print_table(stdout, scores, names);
    if (e->set.left_out != 0)
        printf("left out by the protocol: %zu\n", e->set.left_out);
    if (e->not_in_model != 0)
        printf("left out, of classes that the model does not have: %zu\n", e->not_in_model);
    if (e->no_face != 0)
        printf("left out, no face found: %zu\n", e->no_face);
}

static int report(evaluation *e)
{
    mien_error error;
    const char *names[MIEN_MAX_CLASSES];
    size_t count = keep_counted(e);
    eval_scores *scores = memory_zeroed(1, sizeof *scores);
    if (scores == NULL)
        error_no_memory(&error, "scores", sizeof *scores);
    for (int c = 0; c < e->model->class_count; c++)
        names[c] = e->model->class_names[c];
    int status;
    if (scores == NULL || eval_score(e->labels, e->probabilities, count, e->model->class_count,
                                     scores, &error) != MIEN_OK)
        status = cli_fail(&error);
    else if (e->json)
        status = print_json(e, scores, names);
    else {
        print_text(e, scores, names);
        status = EXIT_DONE;
    }
    free(scores);
    return status;
}

static int evaluate(evaluation *e)
{
    mien_error error;
    int status = cli_open_model(&e->setup, &e->model);
    if (status == EXIT_DONE && (e->detect || e->setup.detector_path != NULL))
        status = cli_open_detector(&e->setup, &e->detector);
    if (status != EXIT_DONE)
        return status;
    if (read_set(e, &error) != MIEN_OK || match_classes(e, &error) != MIEN_OK ||
        score_set(e, &error) != MIEN_OK)
        return cli_fail(&error);
    return report(e);
}

int cli_eval(int argc, char **argv)
{
    evaluation e = {.threads = 1, .split = DATASET_ALL};
    cli_setup_init(&e.setup);
    int status = parse_arguments(&e, argc, argv);
    if (status == EXIT_DONE && e.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE)
        status = evaluate(&e);
    dataset_free(&e.set);
    free(e.probabilities);
    free(e.labels);
    mien_model_free(e.model);
    mien_detector_free(e.detector);
    return status;
}
