/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "mien reads the apparent expression of every face in a picture, on this machine alone.\n"
    "\n"
    "usage: mien COMMAND [OPTION ...] [FILE ...]\n"
    "\n"
    "  analyze     pictures -> faces with their apparent expressions\n"
    "  detect      pictures -> faces\n"
    "  live        a video or stream -> people with their apparent expressions over time\n"
    "  practice    an expression to show -> how like it the face looks, from 0 to 100\n"
    "  session     the sessions that `mien live --session` has kept\n"
    "  report      a session -> a page about it\n"
    "  explain     a picture -> what in a face the network looked at\n"
    "  eval        how well a model does on a labelled set\n"
    "  train       a recipe and labelled pictures -> a model\n"
    "  search      a recipe -> better values for its keys\n"
    "  difficulty  how easy the samples of a labelled set are\n"
    "  data        labelled sets: what a network will see of them\n"
    "  model       what is in a network file\n"
    "  bench       how fast a network runs here\n"
    "\n"
    "  mien COMMAND --help   the options of a command, with an example\n"
    "  mien --version        the version\n"
    "\n"
    "What is reported is how a face looks, not what a person feels. In the European Union reading\n"
    "emotions at work or in education is forbidden, save for medical or safety reasons.\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"analyze", cli_analyze},       {"detect", cli_detect},
    {"explain", cli_explain},       {"eval", cli_eval},
    {"train", cli_train},           {"search", cli_search},
    {"difficulty", cli_difficulty}, {"data", cli_data},
    {"model", cli_model},           {"bench", cli_bench},
    {"live", cli_become_live},      {"practice", cli_become_live},
    {"session", cli_become_live},   {"report", cli_become_live},
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        fputs(help, stdout);
        return cli_finish(EXIT_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("mien %s\n", mien_version());
        return cli_finish(EXIT_DONE);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        char name[32];
        snprintf(name, sizeof name, "mien %s", commands[i].name);
        argv[1] = name;
        return cli_finish(commands[i].run(argc - 1, argv + 1));
    }
    fprintf(stderr, "mien: there is no command '%s'; 'mien --help' lists them\n", argv[1]);
    return EXIT_USAGE;
}
