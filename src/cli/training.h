/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

/* What the commands that train networks share: options, recipe, data, progress for people. */

#include "cli/train_data.h"
#include "train/trainer.h"

#include <getopt.h>
#include <time.h>

#define CLI_MAX_TEACHERS 16

typedef struct cli_training {
    const char *command; /* for messages */
    cli_setup setup;     /* the detector */
    train_data_options data_options;
    train_data data;
    const char *folder, *recipe_path, *backend_name, *initial;
    const train_backend *backend;
    const char *teachers[CLI_MAX_TEACHERS];
    size_t teacher_count;
    int64_t seed, threads, workers;
    bool asked_for_help;
    bool terminal; /* progress is redrawn in place */
    struct timespec last_drawn;
    train_recipe recipe;
    char *recipe_text;
} cli_training;

enum {
    CLI_TRAINING_DATA = 1000,
    CLI_TRAINING_VOTES,
    CLI_TRAINING_VALIDATE,
    CLI_TRAINING_HOLD_OUT,
    CLI_TRAINING_DETECT,
    CLI_TRAINING_OUT,
    CLI_TRAINING_INITIAL,
    CLI_TRAINING_TEACHER,
    CLI_TRAINING_SEED,
    CLI_TRAINING_THREADS,
    CLI_TRAINING_WORKERS,
    CLI_TRAINING_BACKEND,
    CLI_TRAINING_HELP_OPTION,
    CLI_TRAINING_OWN /* a command's own options begin here */
};

/* The options that cli_training_option understands, for a getopt_long table. */
/* clang-format off */
#define CLI_TRAINING_OPTIONS                                            \
    CLI_DETECTOR_OPTIONS,                                               \
    {"data", required_argument, NULL, CLI_TRAINING_DATA},               \
    {"votes", required_argument, NULL, CLI_TRAINING_VOTES},             \
    {"validate", required_argument, NULL, CLI_TRAINING_VALIDATE},       \
    {"hold-out", required_argument, NULL, CLI_TRAINING_HOLD_OUT},       \
    {"detect", optional_argument, NULL, CLI_TRAINING_DETECT},           \
    {"out", required_argument, NULL, CLI_TRAINING_OUT},                 \
    {"initial", required_argument, NULL, CLI_TRAINING_INITIAL},         \
    {"teacher", required_argument, NULL, CLI_TRAINING_TEACHER},         \
    {"seed", required_argument, NULL, CLI_TRAINING_SEED},               \
    {"threads", required_argument, NULL, CLI_TRAINING_THREADS},         \
    {"workers", required_argument, NULL, CLI_TRAINING_WORKERS},         \
    {"backend", required_argument, NULL, CLI_TRAINING_BACKEND},         \
    {"help", no_argument, NULL, CLI_TRAINING_HELP_OPTION}
/* clang-format on */
#define CLI_TRAINING_DATA_HELP                                                                     \
    "  --data FILE|FOLDER      FER-2013's CSV file, or a folder with a sub-folder per class\n"     \
    "  --votes FILE            FER+ votes, for recipes with labels = fer+\n"                       \
    "  --validate FOLDER       with a folder: another one to score on\n"                           \
    "  --hold-out PREFIX       with a folder: score on the files whose name begins so, learn "     \
    "from\n"                                                                                       \
    "                          the others\n"                                                       \
    "  --detect[=CASCADE]      with a folder: find the face in each picture first; pictures\n"     \
    "                          without a face are left out\n" CLI_DETECTOR_HELP
#define CLI_TRAINING_RUN_HELP                                                                      \
    "  --initial FILE          ONNX file whose weights to begin with\n"                            \
    "  --teacher FILE          ONNX file to distill from; several: the mean of their logits\n"     \
    "  --seed N                instead of the recipe's\n"                                          \
    "  --threads N             threads that compute (default: all cores); the result depends "     \
    "on\n"                                                                                         \
    "                          it\n"                                                               \
    "  --workers N             threads that make batches (default: 1 with one thread, else 2 "     \
    "to\n"                                                                                         \
    "                          4)\n"                                                               \
    "  --backend NAME          onednn (default), cudnn (an NVIDIA GPU) or ref\n"

void cli_training_init(cli_training *t, const char *command);
void cli_training_free(cli_training *t);

/*
 * Takes all arguments: the shared options, a command's own ones through own_option (which gets
 * optarg, and returns EXIT_DONE, or EXIT_USAGE after a message), and the recipe. table:
 * getopt_long's. EXIT_DONE, or EXIT_USAGE after a message; nothing more is to be done if it asked
 * for help.
 */
int cli_training_parse(cli_training *t, int argc, char **argv, const struct option *table,
                       int (*own_option)(void *context, int option), void *context);

/*
 * Reads recipe and data and fills in what trainer_run wants, but for folder, resume and stop_after.
 * EXIT_DONE, or EXIT_FAILED after a message.
 */
int cli_training_open(cli_training *t, trainer_options *options);

#endif
