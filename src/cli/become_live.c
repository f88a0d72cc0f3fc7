/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_become_live(int argc, char **argv)
{
    char path[4096];
    (void)argc;
    if (!cli_program_folder(path, sizeof path - sizeof "/mien-live")) {
        fputs("mien: cannot find out where this program lies\n", stderr);
        return EXIT_FAILED;
    }
    strcat(path, "/mien-live");
    execv(path, argv);
    fprintf(stderr, "mien: cannot run %s, which reads video: %s\n", path, strerror(errno));
    return EXIT_FAILED;
}
