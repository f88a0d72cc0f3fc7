/* SPDX-License-Identifier: Apache-2.0 */

/* mien train: a recipe and labelled pictures in, a model out. */

#include "cli/cli.h"
#include "cli/train_data.h"

#include "base/error.h"
#include "base/file.h"
#include "train/batches.h"
#include "train/trainer.h"

#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_TEACHERS 16

static const char help[] =
    "usage: mien train [OPTION ...] --data FILE|FOLDER --out FOLDER RECIPE\n"
    "\n"
    "Trains the network of a recipe and keeps the epoch that does best on the validation set: of\n"
    "FER-2013, Training is learned from and PublicTest scored on; PrivateTest is not looked at.\n"
    "Run again with the same folder to go on after an interruption.\n"
    "\n"
    "  --data FILE|FOLDER      FER-2013's CSV file, or a folder with a sub-folder per class\n"
    "  --votes FILE            FER+ votes, for recipes with labels = fer+\n"
    "  --validate FOLDER       with a folder: another one to score on\n"
    "  --hold-out PREFIX       with a folder: score on the files whose name begins so, learn from\n"
    "                          the others\n"
    "  --detect[=CASCADE]      with a folder: find the face in each picture first; pictures\n"
    "                          without a face are left out\n" CLI_DETECTOR_HELP
    "  --out FOLDER            where checkpoints, log and models go\n"
    "  --initial FILE          ONNX file whose weights to begin with\n"
    "  --teacher FILE          ONNX file to distill from; several: the mean of their logits\n"
    "  --seed N                instead of the recipe's\n"
    "  --threads N             threads that compute (default: all cores); the result depends on "
    "it\n"
    "  --workers N             threads that make batches (default: 1 with one thread, else 2 to "
    "4)\n"
    "  --backend NAME          onednn (default) or ref\n"
    "  --anew                  begin anew, whatever is in the folder\n"
    "  --stop-after N          stop after N epochs; to be gone on with later\n"
    "\n"
    "example: mien train --data fer2013.csv --out runs/1 models/recipes/mini-xception.txt\n";

static const char command[] = "mien train";

enum {
    OPTION_DATA = 1000,
    OPTION_VOTES,
    OPTION_VALIDATE,
    OPTION_HOLD_OUT,
    OPTION_DETECT,
    OPTION_OUT,
    OPTION_INITIAL,
    OPTION_TEACHER,
    OPTION_SEED,
    OPTION_THREADS,
    OPTION_WORKERS,
    OPTION_BACKEND,
    OPTION_ANEW,
    OPTION_STOP_AFTER,
    OPTION_HELP
};

static const struct option long_options[] = {
    CLI_DETECTOR_OPTIONS,
    {"data", required_argument, NULL, OPTION_DATA},
    {"votes", required_argument, NULL, OPTION_VOTES},
    {"validate", required_argument, NULL, OPTION_VALIDATE},
    {"hold-out", required_argument, NULL, OPTION_HOLD_OUT},
    {"detect", optional_argument, NULL, OPTION_DETECT},
    {"out", required_argument, NULL, OPTION_OUT},
    {"initial", required_argument, NULL, OPTION_INITIAL},
    {"teacher", required_argument, NULL, OPTION_TEACHER},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"backend", required_argument, NULL, OPTION_BACKEND},
    {"anew", no_argument, NULL, OPTION_ANEW},
    {"stop-after", required_argument, NULL, OPTION_STOP_AFTER},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

typedef struct training {
    cli_setup setup;
    train_data_options data_options;
    train_data data;
    const char *folder, *recipe_path, *backend, *initial;
    const char *teachers[MAX_TEACHERS];
    size_t teacher_count;
    int64_t seed, threads, workers, stop_after;
    bool anew, asked_for_help;
    bool terminal; /* progress is redrawn in place */
    struct timespec last_drawn;
    train_recipe recipe;
    char *recipe_text;
} training;

static int take_int(const char *option, int64_t low, int64_t high, int64_t *value)
{
    return cli_parse_int(command, option, optarg, low, high, value) ? EXIT_DONE : EXIT_USAGE;
}

static int parse_data_option(training *t, int option)
{
    train_data_options *o = &t->data_options;
    switch (option) {
    case OPTION_DATA:
        o->data = optarg;
        return EXIT_DONE;
    case OPTION_VOTES:
        o->votes = optarg;
        return EXIT_DONE;
    case OPTION_VALIDATE:
        o->validate = optarg;
        return EXIT_DONE;
    case OPTION_HOLD_OUT:
        o->hold_out = optarg;
        return EXIT_DONE;
    case OPTION_DETECT:
        o->detect = true;
        if (optarg != NULL)
            t->setup.detector_path = optarg;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
}

static int parse_option(training *t, int option)
{
    switch (option) {
    case OPTION_OUT:
        t->folder = optarg;
        return EXIT_DONE;
    case OPTION_INITIAL:
        t->initial = optarg;
        return EXIT_DONE;
    case OPTION_TEACHER:
        if (t->teacher_count == MAX_TEACHERS)
            return cli_wrong_usage(command, "--teacher: at most %d", MAX_TEACHERS);
        t->teachers[t->teacher_count++] = optarg;
        return EXIT_DONE;
    case OPTION_SEED:
        return take_int("--seed", 0, INT64_MAX, &t->seed);
    case OPTION_THREADS:
        return take_int("--threads", 1, 64, &t->threads);
    case OPTION_WORKERS:
        return take_int("--workers", 1, BATCH_MAX_WORKERS, &t->workers);
    case OPTION_BACKEND:
        t->backend = optarg;
        return EXIT_DONE;
    case OPTION_ANEW:
        t->anew = true;
        return EXIT_DONE;
    case OPTION_STOP_AFTER:
        return take_int("--stop-after", 1, 100000, &t->stop_after);
    case OPTION_HELP:
        t->asked_for_help = true;
        return EXIT_DONE;
    default:
        return parse_data_option(t, option);
    }
}

static int parse_arguments(training *t, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!cli_setup_option(&t->setup, command, option, optarg, &status))
            status = parse_option(t, option);
    if (status != EXIT_DONE || t->asked_for_help)
        return status;
    if (t->data_options.data == NULL || t->folder == NULL || argc - optind != 1)
        return cli_wrong_usage(command, "name --data, --out and one recipe");
    if (train_backend_find(t->backend) == NULL)
        return cli_wrong_usage(command, "--backend is '%s', not onednn or ref", t->backend);
    t->recipe_path = argv[optind];
    t->data_options.setup = &t->setup;
    return train_data_check(command, &t->data_options);
}

static mien_status read_recipe(training *t, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(t->recipe_path, 1 << 20, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    t->recipe_text = (char *)bytes;
    return recipe_read(t->recipe_text, size, t->recipe_path, &t->recipe, error);
}

/* ---- Progress ---- */

static void print_duration(double seconds)
{
    long minutes = lround(seconds / 60);
    if (minutes >= 60)
        fprintf(stderr, "%ld h %02ld min", minutes / 60, minutes % 60);
    else
        fprintf(stderr, "%ld min", minutes);
}

static void step_done(void *context, const train_progress *p)
{
    training *t = context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!t->terminal || (now.tv_sec == t->last_drawn.tv_sec && p->step != p->steps))
        return;
    t->last_drawn = now;
    fprintf(stderr, "\r%s %d/%d  %3.0f %%  loss %.4f  rate %.4g  %.0f images/s  ", p->stage,
            p->epoch, p->epochs, 100 * (double)p->step / (double)p->steps, p->loss, p->rate,
            p->images_per_second);
    print_duration(p->seconds_left);
    fputs(" left \033[K", stderr);
}

static void epoch_done(void *context, const train_progress *p)
{
    const training *t = context;
    fprintf(stderr, "%s%s %d/%d  ", t->terminal ? "\r\033[K" : "", p->stage, p->epoch, p->epochs);
    if (p->settled)
        fputs("settled", stderr);
    else
        fprintf(stderr, "loss %.4f", p->loss);
    fprintf(stderr, "  validation loss %.4f accuracy %.2f %% (best %.2f %%)", p->validation_loss,
            100 * p->score, 100 * p->best_score);
    if (!p->settled) {
        fprintf(stderr, "  %.0f images/s  ", p->images_per_second);
        print_duration(p->seconds_left);
        fputs(" left", stderr);
    }
    fputc('\n', stderr);
}

static void note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

/* ---- The command ---- */

static int read_data(training *t)
{
    int status = train_data_read(&t->data_options, &t->recipe, &t->data);
    if (status != EXIT_DONE || !t->data_options.detect)
        return status;
    fprintf(stderr, "%zu pictures to learn from, %zu to score on, %zu left out: no face found\n",
            t->data.training.count, t->data.validation.count, t->data.no_face);
    return status;
}

/* Batches are made beside the computing; many cores compute faster than one makes. */
static int workers_for(int threads)
{
    return threads < 4 ? threads : 4;
}

static int run_training(training *t)
{
    mien_error error;
    if (t->threads > 0)
        omp_set_num_threads((int)t->threads);
    int threads = omp_get_max_threads();
    t->terminal = isatty(STDERR_FILENO) == 1;
    if (read_recipe(t, &error) != MIEN_OK)
        return cli_fail(&error);
    int status = read_data(t);
    if (status != EXIT_DONE)
        return status;
    trainer_options options = {.training = &t->data.training,
                               .validation = &t->data.validation,
                               .recipe_text = t->recipe_text,
                               .folder = t->folder,
                               .backend = train_backend_find(t->backend),
                               .threads = threads,
                               .workers = t->workers > 0 ? (int)t->workers : workers_for(threads),
                               .initial = t->initial,
                               .teachers = t->teachers,
                               .teacher_count = t->teacher_count,
                               .seed = t->seed,
                               .resume = !t->anew,
                               .stop_after = (int)t->stop_after,
                               .step_done = step_done,
                               .epoch_done = epoch_done,
                               .note = note,
                               .context = t};
    if (trainer_run(&t->recipe, &options, &error) != MIEN_OK)
        return cli_fail(&error);
    return EXIT_DONE;
}

int cli_train(int argc, char **argv)
{
    training t = {.backend = "onednn", .seed = -1};
    cli_setup_init(&t.setup);
    int status = parse_arguments(&t, argc, argv);
    if (status == EXIT_DONE && t.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE)
        status = run_training(&t);
    train_data_free(&t.data);
    recipe_free(&t.recipe);
    free(t.recipe_text);
    return status;
}
