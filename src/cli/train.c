/* SPDX-License-Identifier: Apache-2.0 */

/* mien train: a recipe and labelled pictures in, a model out. */

#include "cli/report.h"
#include "cli/training.h"

#include <stdio.h>

static const char help[] =
    "usage: mien train [OPTION ...] --data FILE|FOLDER --out FOLDER RECIPE\n"
    "\n"
    "Trains the network of a recipe and keeps the epoch that does best on the validation set: of\n"
    "FER-2013, Training is learned from and PublicTest scored on; PrivateTest is not looked at.\n"
    "Run again with the same folder to go on after an interruption. At the end the folder has a\n"
    "page about the run, report.html.\n"
    "\n" CLI_TRAINING_DATA_HELP
    "  --out FOLDER            where checkpoints, log, models and report go\n" CLI_TRAINING_RUN_HELP
    "  --anew                  begin anew, whatever is in the folder\n"
    "  --stop-after N          stop after N epochs; to be gone on with later\n"
    "  --no-report             no report.html, which holds faces of the data\n"
    "\n"
    "example: mien train --data fer2013.csv --out runs/1 models/recipes/mini-xception.txt\n";

static const char command[] = "mien train";

enum { OPTION_ANEW = CLI_TRAINING_OWN, OPTION_STOP_AFTER, OPTION_NO_REPORT };

static const struct option long_options[] = {
    CLI_TRAINING_OPTIONS,
    {"anew", no_argument, NULL, OPTION_ANEW},
    {"stop-after", required_argument, NULL, OPTION_STOP_AFTER},
    {"no-report", no_argument, NULL, OPTION_NO_REPORT},
    {NULL, 0, NULL, 0},
};

typedef struct train_command {
    cli_training training;
    int64_t stop_after;
    bool anew, no_report;
} train_command;

static int take_option(void *context, int option)
{
    train_command *c = context;
    switch (option) {
    case OPTION_ANEW:
        c->anew = true;
        return EXIT_DONE;
    case OPTION_STOP_AFTER:
        return cli_parse_int(command, "--stop-after", optarg, 1, 100000, &c->stop_after)
                   ? EXIT_DONE
                   : EXIT_USAGE;
    case OPTION_NO_REPORT:
        c->no_report = true;
        return EXIT_DONE;
    default:
        return EXIT_DONE;
    }
}

/* A face cut out by a detector is not scored anew for the page: it has the curves alone. */
static int write_report(const train_command *c, const trainer_options *options)
{
    mien_error error;
    const train_data_options *data = &c->training.data_options;
    mien_status status = MIEN_OK;
    if (!c->no_report && data->detect)
        status = report_run_so_far(options->folder, &error);
    else if (!c->no_report)
        status = report_run(options->folder, data->data, options->training, options->validation,
                            options->threads, &error);
    return status == MIEN_OK ? EXIT_DONE : cli_fail(&error);
}

static int run_training(train_command *c)
{
    mien_error error;
    trainer_options options;
    cli_training *t = &c->training;
    int status = cli_training_open(t, &options);
    if (status != EXIT_DONE)
        return status;
    options.folder = t->folder;
    options.resume = !c->anew;
    options.stop_after = (int)c->stop_after;
    if (trainer_run(&t->recipe, &options, &error) != MIEN_OK)
        return cli_fail(&error);
    return write_report(c, &options);
}

int cli_train(int argc, char **argv)
{
    train_command c = {0};
    cli_training_init(&c.training, command);
    int status = cli_training_parse(&c.training, argc, argv, long_options, take_option, &c);
    if (status == EXIT_DONE && c.training.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE)
        status = run_training(&c);
    cli_training_free(&c.training);
    return status;
}
