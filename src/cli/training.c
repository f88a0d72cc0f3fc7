/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/training.h"

#include "base/error.h"
#include "base/file.h"
#include "train/batches.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cli_training_init(cli_training *t, const char *command)
{
    *t = (cli_training){.command = command, .backend_name = "onednn", .seed = -1};
    cli_setup_init(&t->setup);
}

void cli_training_free(cli_training *t)
{
    train_data_free(&t->data);
    recipe_free(&t->recipe);
    free(t->recipe_text);
}

/* ---- Options ---- */

static int take_int(const cli_training *t, const char *option, const char *argument, int64_t low,
                    int64_t high, int64_t *value)
{
    return cli_parse_int(t->command, option, argument, low, high, value) ? EXIT_DONE : EXIT_USAGE;
}

static bool take_data_option(cli_training *t, int option, const char *argument)
{
    train_data_options *o = &t->data_options;
    switch (option) {
    case CLI_TRAINING_DATA:
        o->data = argument;
        return true;
    case CLI_TRAINING_VOTES:
        o->votes = argument;
        return true;
    case CLI_TRAINING_VALIDATE:
        o->validate = argument;
        return true;
    case CLI_TRAINING_HOLD_OUT:
        o->hold_out = argument;
        return true;
    case CLI_TRAINING_DETECT:
        o->detect = true;
        if (argument != NULL)
            t->setup.detector_path = argument;
        return true;
    default:
        return false;
    }
}

static bool take_option(cli_training *t, int option, const char *argument, int *status)
{
    *status = EXIT_DONE;
    if (cli_setup_option(&t->setup, t->command, option, argument, status) ||
        take_data_option(t, option, argument))
        return true;
    switch (option) {
    case CLI_TRAINING_OUT:
        t->folder = argument;
        return true;
    case CLI_TRAINING_INITIAL:
        t->initial = argument;
        return true;
    case CLI_TRAINING_TEACHER:
        if (t->teacher_count == CLI_MAX_TEACHERS)
            *status = cli_wrong_usage(t->command, "--teacher: at most %d", CLI_MAX_TEACHERS);
        else
            t->teachers[t->teacher_count++] = argument;
        return true;
    case CLI_TRAINING_SEED:
        *status = take_int(t, "--seed", argument, 0, INT64_MAX, &t->seed);
        return true;
    case CLI_TRAINING_THREADS:
        *status = take_int(t, "--threads", argument, 1, 64, &t->threads);
        return true;
    case CLI_TRAINING_WORKERS:
        *status = take_int(t, "--workers", argument, 1, BATCH_MAX_WORKERS, &t->workers);
        return true;
    case CLI_TRAINING_BACKEND:
        t->backend_name = argument;
        return true;
    case CLI_TRAINING_HELP_OPTION:
        t->asked_for_help = true;
        return true;
    default:
        return false;
    }
}

/* The file of the cudnn backend: beside the program, or where it is installed. */
static bool find_module(char *path, size_t size)
{
    static const char *const places[] = {"", "/../" MIEN_MODULE_FOLDER};
    char program[2048];
    if (!cli_program_folder(program, sizeof program))
        return false;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, size, "%s%s/mien-cudnn.so", program, places[i]);
        if (file_exists(path))
            return true;
    }
    return false;
}

static int find_backend(cli_training *t)
{
    char path[4096];
    mien_error error;
    t->backend = train_backend_find(t->backend_name);
    if (t->backend != NULL)
        return EXIT_DONE;
    if (strcmp(t->backend_name, "cudnn") != 0)
        return cli_wrong_usage(t->command, "--backend is '%s', not onednn, cudnn or ref",
                               t->backend_name);
    if (!find_module(path, sizeof path)) {
        error_set(&error, MIEN_UNSUPPORTED,
                  "--backend cudnn: this mien was built without CUDA (there is no mien-cudnn.so); "
                  "docs/GPU.md says how to build it");
        return cli_fail(&error);
    }
    return train_backend_load(path, &t->backend, &error) == MIEN_OK ? EXIT_DONE : cli_fail(&error);
}

static int check(cli_training *t)
{
    if (t->data_options.data == NULL || t->folder == NULL || t->recipe_path == NULL)
        return cli_wrong_usage(t->command, "name --data, --out and one recipe");
    int status = find_backend(t);
    if (status != EXIT_DONE)
        return status;
    t->data_options.setup = &t->setup;
    return train_data_check(t->command, &t->data_options);
}

int cli_training_parse(cli_training *t, int argc, char **argv, const struct option *table,
                       int (*own_option)(void *context, int option), void *context)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", table, NULL)) != -1)
        if (option == '?')
            status = cli_wrong_usage(t->command, "this option is not known or lacks its value");
        else if (!take_option(t, option, optarg, &status))
            status = own_option(context, option);
    if (status != EXIT_DONE || t->asked_for_help)
        return status;
    if (argc - optind == 1)
        t->recipe_path = argv[optind];
    return check(t);
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
    cli_training *t = context;
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
    const cli_training *t = context;
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

/* ---- Recipe and data ---- */

static mien_status read_recipe(cli_training *t, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(t->recipe_path, 1 << 20, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    t->recipe_text = (char *)bytes;
    return recipe_read(t->recipe_text, size, t->recipe_path, &t->recipe, error);
}

static int read_data(cli_training *t)
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

int cli_training_open(cli_training *t, trainer_options *options)
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
    *options = (trainer_options){.training = &t->data.training,
                                 .validation = &t->data.validation,
                                 .recipe_text = t->recipe_text,
                                 .backend = t->backend,
                                 .threads = threads,
                                 .workers = t->workers > 0 ? (int)t->workers : workers_for(threads),
                                 .initial = t->initial,
                                 .teachers = t->teachers,
                                 .teacher_count = t->teacher_count,
                                 .seed = t->seed,
                                 .step_done = step_done,
                                 .epoch_done = epoch_done,
                                 .note = note,
                                 .context = t};
    return EXIT_DONE;
}
