/* SPDX-License-Identifier: Apache-2.0 */

/* mien session: the sessions that were kept, one command for each thing to do with them. */

#include "live/commands.h"

#include "live/session.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define STORE_HELP                                                                                 \
    "  --store FILE|URL        the sessions: a file, or postgresql://user@host/database\n"         \
    "                          (default: mien/sessions.db in $XDG_DATA_HOME or "                   \
    "~/.local/share)\n"

static const char help[] = "usage: mien session COMMAND [OPTION ...] [ID ...]\n"
                           "\n"
                           "Sessions that `mien live --session` has kept (docs/SESSIONS.md).\n"
                           "\n"
                           "  list      all sessions\n"
                           "  show      one session: its people and events\n"
                           "  export    one session with all samples, as JSON Lines or CSV\n"
                           "  label     gives a person of a session a name\n"
                           "  delete    takes sessions away, with every byte of them\n"
                           "  prune     the same for all whose time has passed\n"
                           "\n"
                           "  mien session COMMAND --help   the options of a command\n"
                           "\n"
                           "example: mien session show 3\n";

typedef struct command {
    const char *name;
    int least, most; /* arguments behind the options; most < 0 for any number */
    const char *lack;
    const char *options; /* of OPTIONS */
    int (*run)(const session_arguments *arguments, store *store);
    const char *help;
} command;

/* clang-format off */
static const command commands[] = {
    {"list", 0, 0, "list takes no session", "sjh", session_list,
     "usage: mien session list [OPTION ...]\n"
     "\n"
     "Prints all sessions: number, start, length, people, samples, days until it may be pruned.\n"
     "\n" STORE_HELP
     "  --json                  one JSON object per session and line (docs/OUTPUT.md)\n"
     "\n"
     "example: mien session list\n"},
    {"show", 1, 1, "name one session by its number", "sjh", session_show,
     "usage: mien session show [OPTION ...] ID\n"
     "\n"
     "Prints a session: what it was, who agreed to it, its people with the share of samples of\n"
     "each apparent expression, and its events.\n"
     "\n" STORE_HELP
     "  --json                  one JSON object (docs/OUTPUT.md)\n"
     "\n"
     "example: mien session show 3\n"},
    {"export", 1, 1, "name one session by its number", "sjch", session_export,
     "usage: mien session export [OPTION ...] ID\n"
     "\n"
     "Prints a session with all its samples (docs/OUTPUT.md).\n"
     "\n" STORE_HELP
     "  --json                  JSON Lines: the session, then its samples (this is the default)\n"
     "  --csv                   one row per sample\n"
     "\n"
     "example: mien session export --csv 3 > morning.csv\n"},
    {"label", 3, 3, "name a session, a person in it and the name to give", "sh", session_label,
     "usage: mien session label [OPTION ...] ID PERSON NAME\n"
     "\n"
     "Gives a person of a session a name; '' takes it away.\n"
     "\n" STORE_HELP
     "\n"
     "example: mien session label 3 1 'Ann Smith'\n"},
    {"delete", 1, -1, "name the sessions to delete by their numbers", "syph", session_delete,
     "usage: mien session delete [OPTION ...] ID ...\n"
     "\n"
     "Deletes sessions with all that they hold, and overwrites their bytes in the store\n"
     "(docs/SESSIONS.md says what disks and servers may keep). Asks first on a terminal. Face\n"
     "pictures (mien live --save) lie outside of the store: it says which of them stay where.\n"
     "\n" STORE_HELP
     "  --pictures              delete the pictures that they saved too, and no other file\n"
     "  --yes                   do not ask\n"
     "\n"
     "example: mien session delete 3\n"},
    {"prune", 0, 0, "prune takes no session", "sdph", session_prune,
     "usage: mien session prune [OPTION ...]\n"
     "\n"
     "Deletes the sessions whose time (mien live --keep-days) has passed. `mien live --session`\n"
     "does it too, when it begins. Both say which pictures of theirs (mien live --save) stay.\n"
     "\n" STORE_HELP
     "  --pictures              delete the pictures that they saved too, and no other file\n"
     "  --dry-run               only say which they are\n"
     "\n"
     "example: mien session prune --dry-run\n"},
};

/* By their letters; commands say which they have. */
static const struct option long_options[] = {
    {"store", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {"csv", no_argument, NULL, 'c'},
    {"pictures", no_argument, NULL, 'p'},
    {"yes", no_argument, NULL, 'y'},
    {"dry-run", no_argument, NULL, 'd'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
/* clang-format on */

/* ---- What the commands share ---- */

int64_t session_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int session_parse_id(const char *name, const char *what, const char *text, int64_t *id)
{
    return cli_parse_int(name, what, text, 1, INT64_MAX, id) ? EXIT_DONE : EXIT_USAGE;
}

/* Makes the folders above a file, for its owner alone. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (!made)
            fprintf(stderr, "mien: cannot make '%s' for the sessions: %s\n", path, strerror(errno));
        *slash = '/';
        if (!made)
            return false;
    }
    return true;
}

const char *session_place(const char *given, bool create, char *buffer, size_t size)
{
    if (given != NULL)
        return given;
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int length = -1;
    if (data != NULL && data[0] == '/') /* others are to be passed over, says the specification */
        length = snprintf(buffer, size, "%s/mien/sessions.db", data);
    else if (home != NULL && home[0] == '/')
        length = snprintf(buffer, size, "%s/.local/share/mien/sessions.db", home);
    if (length < 0 || (size_t)length >= size) {
        fputs("mien: there is no home folder to keep sessions in; name a place with --store\n",
              stderr);
        return NULL;
    }
    return create && !make_folders(buffer) ? NULL : buffer;
}

/* ---- The command ---- */

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int take_option(const command *asked, session_arguments *a, int option, bool *help_asked)
{
    if (option == '?' || strchr(asked->options, option) == NULL)
        return cli_wrong_usage(a->command, "this option is not known here or lacks its value");
    if (option == 's')
        a->place = optarg;
    else if (option == 'j' || option == 'c')
        a->format = option == 'j' ? OUTPUT_JSON : OUTPUT_CSV;
    else if (option == 'y')
        a->yes = true;
    else if (option == 'd')
        a->dry_run = true;
    else if (option == 'p')
        a->pictures = true;
    else
        *help_asked = true;
    return EXIT_DONE;
}

static int parse_arguments(const command *asked, int argc, char **argv, session_arguments *a,
                           bool *help_asked)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = take_option(asked, a, option, help_asked);
    a->names = argv + optind;
    a->count = argc - optind;
    if (status != EXIT_DONE || *help_asked)
        return status;
    if (a->count < asked->least || (asked->most >= 0 && a->count > asked->most))
        return cli_wrong_usage(a->command, "%s", asked->lack);
    return EXIT_DONE;
}

/* Nothing was kept yet: that is no failure where nobody named a place, and no session is meant. */
static int say_that_there_is_none(const command *asked, const session_arguments *a,
                                  const mien_error *error)
{
    int status = cli_fail(error);
    return a->place == NULL && asked->least == 0 ? EXIT_DONE : status;
}

static int run_command(const command *asked, const session_arguments *a)
{
    char buffer[4096];
    mien_error error;
    store *s;
    const char *place = session_place(a->place, false, buffer, sizeof buffer);
    if (place == NULL)
        return EXIT_FAILED;
    mien_status opened = store_open(place, false, &s, &error);
    if (opened == MIEN_NOT_FOUND)
        return say_that_there_is_none(asked, a, &error);
    if (opened != MIEN_OK)
        return cli_fail(&error);
    int status = asked->run(a, s);
    store_close(s);
    return status;
}

int command_session(int argc, char **argv)
{
    char name[64];
    bool help_asked = false;
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    const command *asked = argc >= 2 ? find_command(argv[1]) : NULL;
    if (asked == NULL)
        return cli_wrong_usage(argv[0], "name a command: list, show, export, label, delete, prune");
    snprintf(name, sizeof name, "%s %s", argv[0], asked->name);
    session_arguments a = {.command = name};
    argv[1] = name; /* getopt names it in its messages */
    int status = parse_arguments(asked, argc - 1, argv + 1, &a, &help_asked);
    if (status != EXIT_DONE)
        return status;
    if (!help_asked)
        return run_command(asked, &a);
    fputs(asked->help, stdout);
    return EXIT_DONE;
}
