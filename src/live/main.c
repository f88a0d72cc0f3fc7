/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The program mien-live, which `mien` becomes for the commands about people over time: FFmpeg's
 * libraries take 50 ms and 20 MB to load, which no other command should pay for. The first argument
 * is the whole name of the command, such as "mien live".
 */

#include "cli/cli.h"
#include "live/commands.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"mien live", command_live},
    {"mien practice", command_practice},
    {"mien data capture", command_capture},
    {"mien session", command_session},
    {"mien report", command_report},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (argc > 0 && strcmp(argv[0], commands[i].name) == 0)
            return cli_finish(commands[i].run(argc, argv));
    fputs("mien-live is a part of mien; try 'mien live --help'\n", stderr);
    return EXIT_USAGE;
}
