/* SPDX-License-Identifier: Apache-2.0 */

/* mien data pack: FER-2013 in one compact file. */

#include "cli/cli.h"
#include "cli/data.h"

#include "data/pack.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: mien data pack [OPTION ...] --data FILE --out FILE\n"
    "\n"
    "Packs FER-2013 without loss: some 50 MB instead of 300. Whatever takes --data takes the "
    "packed\n"
    "set too, with the same results; with FER+ votes in it, --votes takes it as well.\n"
    "\n"
    "  --data FILE         FER-2013's CSV file\n"
    "  --votes FILE        FER+ votes, to be packed too\n"
    "  --without-private   leaves out the PrivateTest split, which is for scoring finished models\n"
    "  --out FILE          the packed set\n"
    "\n"
    "example: mien data pack --data fer2013.csv --votes fer2013new.csv --out fer2013.mien\n";

static const char command[] = "mien data pack";

static const struct option long_options[] = {
    {"data", required_argument, NULL, 'd'},
    {"votes", required_argument, NULL, 'v'},
    {"without-private", no_argument, NULL, 'p'},
    {"out", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct command_line {
    const char *data_path, *votes_path, *out_path;
    bool without_private, asked_for_help;
} command_line;

static int parse_arguments(command_line *c, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        switch (option) {
        case 'd':
            c->data_path = optarg;
            break;
        case 'v':
            c->votes_path = optarg;
            break;
        case 'p':
            c->without_private = true;
            break;
        case 'o':
            c->out_path = optarg;
            break;
        case 'h':
            c->asked_for_help = true;
            return EXIT_DONE;
        default:
            return cli_wrong_usage(command, "this option is not known or lacks its value");
        }
    if (c->data_path == NULL || c->out_path == NULL || optind != argc)
        return cli_wrong_usage(command, "name --data and --out, and nothing else");
    return EXIT_DONE;
}

static mien_status pack(const command_line *c, mien_error *error)
{
    fer_source pictures = {0}, votes = {0};
    pack_report report;
    mien_status status = fer_source_open(c->data_path, &pictures, error);
    if (status == MIEN_OK && c->votes_path != NULL)
        status = fer_source_open(c->votes_path, &votes, error);
    if (status == MIEN_OK)
        status = pack_write(&pictures, c->votes_path != NULL ? &votes : NULL, !c->without_private,
                            c->out_path, &report, error);
    if (status == MIEN_OK)
        printf("%zu pictures in %.1f MB\n", report.pictures, (double)report.bytes / 1e6);
    fer_source_close(&votes);
    fer_source_close(&pictures);
    return status;
}

int cli_data_pack(int argc, char **argv)
{
    command_line c = {0};
    mien_error error;
    int status = parse_arguments(&c, argc, argv);
    if (status == EXIT_DONE && c.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE && pack(&c, &error) != MIEN_OK)
        status = cli_fail(&error);
    return status;
}
