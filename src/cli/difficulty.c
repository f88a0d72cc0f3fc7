/* SPDX-License-Identifier: Apache-2.0 */

/* mien difficulty: how easy the samples of a set are, and whether it helps to know. */

#include "train/difficulty.h"
#include "cli/training.h"

#include <stdio.h>

static const char help[] =
    "usage: mien difficulty [OPTION ...] --data FILE|FOLDER --out FOLDER RECIPE\n"
    "\n"
    "Trains many networks by one recipe, each on all folds of the training set but one; the ease "
    "of\n"
    "a sample is the share of them that classify it right (ease.csv in the folder). Then trains a\n"
    "network for the easy samples, one for the difficult ones and a gate that routes between "
    "them,\n"
    "and compares them on the validation set with one network for all. Run again with the same\n"
    "folder to go on after an interruption.\n"
    "\n"
    "  --folds N               K, folds of the training set (default 5)\n"
    "  --repeats N             m, times that it is split anew (default 2): K m networks\n"
    "  --threshold X           samples with less ease are difficult (default "
    "0.5)\n" CLI_TRAINING_DATA_HELP
    "  --out FOLDER            where the networks and the table of ease go\n" CLI_TRAINING_RUN_HELP
    "  --json                  the result as one JSON object\n"
    "\n"
    "example: mien difficulty --data fer2013.csv --out runs/ease models/recipes/difficulty.txt\n";

static const char command[] = "mien difficulty";

enum { OPTION_FOLDS = CLI_TRAINING_OWN, OPTION_REPEATS, OPTION_THRESHOLD, OPTION_JSON };

static const struct option long_options[] = {
    CLI_TRAINING_OPTIONS,
    {"folds", required_argument, NULL, OPTION_FOLDS},
    {"repeats", required_argument, NULL, OPTION_REPEATS},
    {"threshold", required_argument, NULL, OPTION_THRESHOLD},
    {"json", no_argument, NULL, OPTION_JSON},
    {NULL, 0, NULL, 0},
};

typedef struct difficulty_command {
    cli_training training;
    int64_t folds, repeats;
    double threshold;
    bool json;
} difficulty_command;

static int take_option(void *context, int option)
{
    difficulty_command *c = context;
    bool good = true;
    switch (option) {
    case OPTION_FOLDS:
        good = cli_parse_int(command, "--folds", optarg, 2, DIFFICULTY_MAX_FOLDS, &c->folds);
        break;
    case OPTION_REPEATS:
        good = cli_parse_int(command, "--repeats", optarg, 1, DIFFICULTY_MAX_REPEATS, &c->repeats);
        break;
    case OPTION_THRESHOLD:
        good = cli_parse_real(command, "--threshold", optarg, 0, 1, &c->threshold);
        break;
    case OPTION_JSON:
        c->json = true;
        break;
    default:
        break;
    }
    return good ? EXIT_DONE : EXIT_USAGE;
}

static void network_begins(void *context, const char *name, int index, int count)
{
    (void)context;
    fprintf(stderr, "network %d/%d: %s\n", index + 1, count, name);
}

static void print_text(const difficulty_command *c, const difficulty_result *r)
{
    printf("mean ease %.4f; by networks that have not learned from the sample %.4f\n", r->mean_ease,
           r->mean_unseen_ease);
    printf("threshold %g: %zu easy samples, %zu difficult ones\n\n", c->threshold, r->easy,
           r->difficult);
    printf("on the validation set          accuracy\n");
    printf("one network for all            %6.2f %%\n", 100 * r->whole);
    printf("the easy one alone             %6.2f %%\n", 100 * r->easy_network);
    printf("the difficult one alone        %6.2f %%\n", 100 * r->difficult_network);
    printf("the one that the gate chooses  %6.2f %%\n", 100 * r->routed);
    printf("both, weighed by the gate      %6.2f %%\n", 100 * r->weighed);
    printf("the gate tells easy from difficult samples, held out: %.2f %%\n", 100 * r->gate);
}

static int print_json(const difficulty_command *c, const difficulty_result *r)
{
    return cli_print_json(json_pack("{s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}",
                                    "mean_ease", r->mean_ease, "mean_unseen_ease",
                                    r->mean_unseen_ease, "threshold", c->threshold, "easy",
                                    (json_int_t)r->easy, "difficult", (json_int_t)r->difficult,
                                    "whole", r->whole, "easy_network", r->easy_network,
                                    "difficult_network", r->difficult_network, "routed", r->routed,
                                    "weighed", r->weighed, "gate", r->gate),
                          JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

static int run_difficulty(difficulty_command *c)
{
    mien_error error;
    difficulty_result result;
    difficulty_options options = {.folder = c->training.folder,
                                  .folds = (int)c->folds,
                                  .repeats = (int)c->repeats,
                                  .threshold = (float)c->threshold,
                                  .network_begins = network_begins};
    int status = cli_training_open(&c->training, &options.training);
    if (status != EXIT_DONE)
        return status;
    if (difficulty_run(&c->training.recipe, &options, &result, &error) != MIEN_OK)
        return cli_fail(&error);
    if (c->json)
        return print_json(c, &result);
    print_text(c, &result);
    return EXIT_DONE;
}

int cli_difficulty(int argc, char **argv)
{
    difficulty_command c = {.folds = 5, .repeats = 2, .threshold = 0.5};
    cli_training_init(&c.training, command);
    int status = cli_training_parse(&c.training, argc, argv, long_options, take_option, &c);
    if (status == EXIT_DONE && c.training.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE)
        status = run_difficulty(&c);
    cli_training_free(&c.training);
    return status;
}
