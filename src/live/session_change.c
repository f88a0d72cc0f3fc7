/* SPDX-License-Identifier: Apache-2.0 */

/* mien session label, delete and prune. */

#include "live/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int session_label(const session_arguments *a, store *s)
{
    int64_t session, person;
    mien_error error;
    int status = session_parse_id(a->command, "the session", a->names[0], &session);
    if (status == EXIT_DONE)
        status = session_parse_id(a->command, "the person", a->names[1], &person);
    if (status == EXIT_DONE && store_label(s, session, person, a->names[2], &error) != MIEN_OK)
        status = cli_fail(&error);
    return status;
}

/* ---- Deleting ---- */

static int scrub(store *s)
{
    mien_error error;
    if (store_scrub(s, &error) == MIEN_OK)
        return EXIT_DONE;
    fprintf(stderr,
            "mien: deleted, but the bytes are still in the store: %s; when nobody uses it any "
            "more, 'mien session prune' takes them out\n",
            error.message);
    return EXIT_FAILED;
}

static bool is_confirmed(const session_arguments *a)
{
    char answer[16] = "";
    fprintf(stderr, "delete %d %s with all samples, for good? [y/N] ", a->count,
            a->count == 1 ? "session" : "sessions");
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* Numbers are looked at before anything is deleted. */
static int check_ids(const session_arguments *a)
{
    int64_t id;
    int status = EXIT_DONE;
    for (int i = 0; status == EXIT_DONE && i < a->count; i++)
        status = session_parse_id(a->command, "the session", a->names[i], &id);
    if (status == EXIT_DONE && !a->yes && !isatty(STDIN_FILENO))
        return cli_wrong_usage(a->command, "add --yes, since there is no terminal to ask on");
    return status;
}

int session_delete(const session_arguments *a, store *s)
{
    int status = check_ids(a);
    if (status != EXIT_DONE)
        return status;
    if (!a->yes && !is_confirmed(a)) {
        fputs("mien: nothing was deleted\n", stderr);
        return EXIT_FAILED;
    }
    bool all = true;
    for (int i = 0; i < a->count; i++) {
        mien_error error;
        if (store_delete(s, strtoll(a->names[i], NULL, 10), &error) != MIEN_OK) {
            cli_fail(&error);
            all = false;
        }
    }
    status = scrub(s);
    return all ? status : EXIT_FAILED;
}

/* ---- Pruning ---- */

static bool is_expired(const store_session *session, int64_t now_ms)
{
    return session->keep_days > 0 && store_days_left(session, now_ms) <= 0;
}

static mien_status prune(store *s, bool dry_run, bool tell, size_t *count, mien_error *error)
{
    store_list *list;
    int64_t now_ms = session_now_ms();
    mien_status status = store_sessions(s, &list, error);
    *count = 0;
    for (size_t i = 0; status == MIEN_OK && i < list->count; i++) {
        const store_session *session = &list->sessions[i];
        if (!is_expired(session, now_ms))
            continue;
        if (!dry_run)
            status = store_delete(s, session->id, error);
        if (status == MIEN_NOT_FOUND) /* somebody else was faster */
            status = MIEN_OK;
        if (status != MIEN_OK)
            break;
        (*count)++;
        if (tell) {
            printf("%4" PRId64 "  ", session->id);
            session_print_text(session->name);
            putchar('\n');
        }
    }
    store_list_free(list);
    return status;
}

int session_prune(const session_arguments *a, store *s)
{
    mien_error error;
    size_t count;
    if (prune(s, a->dry_run, true, &count, &error) != MIEN_OK)
        return cli_fail(&error);
    return a->dry_run ? EXIT_DONE : scrub(s);
}

void session_prune_expired(store *s)
{
    mien_error error;
    size_t count;
    if (prune(s, false, false, &count, &error) != MIEN_OK)
        cli_fail(&error);
    else if (count > 0)
        scrub(s);
}
