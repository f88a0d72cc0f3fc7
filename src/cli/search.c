/* SPDX-License-Identifier: Apache-2.0 */

/* mien search: many trials of a recipe, the best ones trained longest. */

#include "train/search.h"
#include "cli/training.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: mien search [OPTION ...] --data FILE|FOLDER --space FILE --out FOLDER RECIPE\n"
    "\n"
    "Tries values for the keys of a recipe: random trials, thinned out by successive halving. A\n"
    "file says what to try (docs/RECIPES.md), in lines such as\n"
    "  search.trials = 27\n"
    "  rate = log 0.01 0.3\n"
    "  weight_decay = choice 0 0.0001 0.0005\n"
    "  augment.rotation = uniform 0 20\n"
    "Prints a table, which is results.csv in the folder too, beside best-recipe.txt. Run again "
    "with\n"
    "the same folder to go on after an interruption.\n"
    "\n"
    "  --space FILE            what to try\n" CLI_TRAINING_DATA_HELP
    "  --out FOLDER            where the trials and the table go\n" CLI_TRAINING_RUN_HELP "\n"
    "example: mien search --data fer2013.csv --space space.txt --out runs/search recipe.txt\n";

static const char command[] = "mien search";

enum { OPTION_SPACE = CLI_TRAINING_OWN };

static const struct option long_options[] = {
    CLI_TRAINING_OPTIONS,
    {"space", required_argument, NULL, OPTION_SPACE},
    {NULL, 0, NULL, 0},
};

typedef struct search_command {
    cli_training training;
    const char *space_path;
    search_space space;
} search_command;

static int take_option(void *context, int option)
{
    search_command *c = context;
    if (option == OPTION_SPACE)
        c->space_path = optarg;
    return EXIT_DONE;
}

static mien_status read_space(search_command *c, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(c->space_path, 1 << 20, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = search_space_read((const char *)bytes, size, c->space_path, &c->space, error);
    free(bytes);
    return status;
}

static void trial_done(void *context, const search_progress *p)
{
    (void)context;
    fprintf(stderr, "round %d/%d  trial %d/%d  %d epochs  ", p->round, p->rounds, p->position,
            p->in_round, p->trial.epochs);
    if (p->trial.accuracy < 0)
        fputs("the loss is no number any more", stderr);
    else
        fprintf(stderr, "accuracy %.2f %%", 100 * p->trial.accuracy);
    fprintf(stderr, "  %s\n", p->values);
}

/* results.csv, on standard output. */
static int print_table(const search_command *c)
{
    char path[4096];
    uint8_t *bytes;
    size_t size;
    mien_error error;
    snprintf(path, sizeof path, "%s/results.csv", c->training.folder);
    if (file_read(path, SIZE_MAX / 4, &bytes, &size, &error) != MIEN_OK)
        return cli_fail(&error);
    fwrite(bytes, 1, size, stdout);
    free(bytes);
    return EXIT_DONE;
}

static int run_search(search_command *c)
{
    mien_error error;
    search_trial best;
    search_options options = {.folder = c->training.folder, .trial_done = trial_done};
    if (read_space(c, &error) != MIEN_OK)
        return cli_fail(&error);
    int status = cli_training_open(&c->training, &options.training);
    if (status != EXIT_DONE)
        return status;
    options.recipe_text = c->training.recipe_text;
    options.recipe_name = c->training.recipe_path;
    options.training.epoch_done = NULL;
    options.training.note = NULL;
    if (search_run(&c->space, &options, &best, &error) != MIEN_OK)
        return cli_fail(&error);
    return print_table(c);
}

int cli_search(int argc, char **argv)
{
    search_command c = {0};
    cli_training_init(&c.training, command);
    int status = cli_training_parse(&c.training, argc, argv, long_options, take_option, &c);
    if (status == EXIT_DONE && c.training.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE && c.space_path == NULL)
        status = cli_wrong_usage(command, "say what to try with --space");
    else if (status == EXIT_DONE)
        status = run_search(&c);
    search_space_free(&c.space);
    cli_training_free(&c.training);
    return status;
}
