/* SPDX-License-Identifier: Apache-2.0 */

/* mien data: what is in labelled sets. */

#include "cli/data.h"

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: mien data COMMAND [OPTION ...]\n"
    "\n"
    "  preview   a contact sheet of what a network will see while it learns\n"
    "  pack      FER-2013 in one compact file\n"
    "  capture   leads a participant through expressions and keeps the faces\n"
    "\n"
    "  mien data COMMAND --help   its options\n"
    "\n"
    "example: mien data preview --data fer2013.csv --out sheet.png recipe.txt\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"preview", cli_data_preview}, {"pack", cli_data_pack}, {"capture", cli_become_live}};

int cli_data(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (argc > 1 && argv[1][0] == '-')
        return cli_wrong_usage("mien data", "the option '%s' is not known", argv[1]);
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        char name[64];
        snprintf(name, sizeof name, "mien data %s", commands[i].name);
        argv[1] = name;
        return commands[i].run(argc - 1, argv + 1);
    }
    return cli_wrong_usage("mien data", "say 'preview', 'pack' or 'capture'");
}
