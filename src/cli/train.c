/* SPDX-License-Identifier: Apache-2.0 */

/* mien train: a recipe and labelled pictures in, a model out. */

#include "cli/cli.h"

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "train/trainer.h"

#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: mien train [OPTION ...] --data FILE --out FOLDER RECIPE\n"
    "\n"
    "Trains the network of a recipe on FER-2013's Training split and keeps the epoch that does "
    "best\n"
    "on PublicTest. PrivateTest is not looked at. Run again with the same folder to go on after "
    "an\n"
    "interruption.\n"
    "\n"
    "  --data FILE      FER-2013's CSV file\n"
    "  --votes FILE     FER+ votes, for recipes with labels = fer+\n"
    "  --out FOLDER     where checkpoints, log and models go\n"
    "  --seed N         instead of the recipe's\n"
    "  --threads N      threads that compute (default: all cores); the result depends on it\n"
    "  --backend NAME   onednn (default) or ref\n"
    "  --anew           begin anew, whatever is in the folder\n"
    "  --stop-after N   stop after N epochs; to be gone on with later\n"
    "\n"
    "example: mien train --data fer2013.csv --out runs/1 models/recipes/mini-xception.txt\n";

static const char command[] = "mien train";

static const struct option long_options[] = {
    {"data", required_argument, NULL, 'd'},    {"votes", required_argument, NULL, 'v'},
    {"out", required_argument, NULL, 'o'},     {"seed", required_argument, NULL, 's'},
    {"threads", required_argument, NULL, 't'}, {"backend", required_argument, NULL, 'b'},
    {"anew", no_argument, NULL, 'a'},          {"stop-after", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
};

typedef struct training {
    const char *data_path, *votes_path, *folder, *recipe_path, *backend;
    int64_t seed, threads, stop_after;
    bool anew, asked_for_help;
    bool terminal; /* progress is redrawn in place */
    struct timespec last_drawn;
    dataset sets[2]; /* training, validation */
    train_recipe recipe;
    char *recipe_text;
} training;

static int parse_option(training *t, int option)
{
    switch (option) {
    case 'd':
        t->data_path = optarg;
        return EXIT_DONE;
    case 'v':
        t->votes_path = optarg;
        return EXIT_DONE;
    case 'o':
        t->folder = optarg;
        return EXIT_DONE;
    case 's':
        return cli_parse_int(command, "--seed", optarg, 0, INT64_MAX, &t->seed) ? EXIT_DONE
                                                                                : EXIT_USAGE;
    case 't':
        return cli_parse_int(command, "--threads", optarg, 1, 64, &t->threads) ? EXIT_DONE
                                                                               : EXIT_USAGE;
    case 'b':
        t->backend = optarg;
        return EXIT_DONE;
    case 'a':
        t->anew = true;
        return EXIT_DONE;
    case 'p':
        return cli_parse_int(command, "--stop-after", optarg, 1, 100000, &t->stop_after)
                   ? EXIT_DONE
                   : EXIT_USAGE;
    case 'h':
        t->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
}

static int parse_arguments(training *t, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = parse_option(t, option);
    if (status != EXIT_DONE || t->asked_for_help)
        return status;
    if (t->data_path == NULL || t->folder == NULL || argc - optind != 1)
        return cli_wrong_usage(command, "name --data, --out and one recipe");
    if (train_backend_find(t->backend) == NULL)
        return cli_wrong_usage(command, "--backend is '%s', not onednn or ref", t->backend);
    t->recipe_path = argv[optind];
    return EXIT_DONE;
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

static mien_status read_sets(training *t, mien_error *error)
{
    static const dataset_split splits[2] = {DATASET_TRAINING, DATASET_PUBLIC_TEST};
    if (t->recipe.fer_plus && t->votes_path == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the recipe wants the labels of FER+: name the votes with --votes");
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && i < 2; i++)
        status =
            t->recipe.fer_plus
                ? dataset_read_fer_plus(t->data_path, t->votes_path, splits[i], &t->sets[i], error)
                : dataset_read_fer_csv(t->data_path, splits[i], &t->sets[i], error);
    return status;
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
    fprintf(stderr,
            "%s%s %d/%d  loss %.4f  validation loss %.4f accuracy %.2f %% (best %.2f %%)  "
            "%.0f images/s  ",
            t->terminal ? "\r\033[K" : "", p->stage, p->epoch, p->epochs, p->loss,
            p->validation_loss, 100 * p->score, 100 * p->best_score, p->images_per_second);
    print_duration(p->seconds_left);
    fputs(" left\n", stderr);
}

static int run_training(training *t)
{
    mien_error error;
    if (t->threads > 0)
        omp_set_num_threads((int)t->threads);
    t->terminal = isatty(STDERR_FILENO) == 1;
    if (read_recipe(t, &error) != MIEN_OK || read_sets(t, &error) != MIEN_OK)
        return cli_fail(&error);
    trainer_options options = {.training = &t->sets[0],
                               .validation = &t->sets[1],
                               .recipe_text = t->recipe_text,
                               .folder = t->folder,
                               .backend = train_backend_find(t->backend),
                               .seed = t->seed,
                               .resume = !t->anew,
                               .stop_after = (int)t->stop_after,
                               .step_done = step_done,
                               .epoch_done = epoch_done,
                               .context = t};
    if (trainer_run(&t->recipe, &options, &error) != MIEN_OK)
        return cli_fail(&error);
    return EXIT_DONE;
}

int cli_train(int argc, char **argv)
{
    training t = {.backend = "onednn", .seed = -1};
    int status = parse_arguments(&t, argc, argv);
    if (status == EXIT_DONE && t.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE)
        status = run_training(&t);
    for (int i = 0; i < 2; i++)
        dataset_free(&t.sets[i]);
    recipe_free(&t.recipe);
    free(t.recipe_text);
    return status;
}
