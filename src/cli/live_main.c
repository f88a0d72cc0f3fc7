/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The program mien-live, which `mien live` becomes: FFmpeg's libraries take 50 ms and 20 MB to
 * load, which no other command should pay for.
 */

#include "cli/cli.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    char name[] = "mien live";
    if (argc > 0)
        argv[0] = name;
    return cli_finish(cli_live(argc, argv));
}
