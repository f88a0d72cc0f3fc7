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

/* How many pictures the sessions that are named have saved. */
static size_t count_all_pictures(const session_arguments *a, store *s)
{
    size_t count = 0;
    for (int i = 0; i < a->count; i++) {
        char *where;
        if (store_pictures(s, strtoll(a->names[i], NULL, 10), &where, NULL) != MIEN_OK)
            continue;
        count += session_count_pictures(where);
        free(where);
    }
    return count;
}

static bool says_yes(void)
{
    char answer[16] = "";
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* *pictures: whether theirs are deleted too, which is asked for where there are any. */
static bool is_confirmed(const session_arguments *a, store *s, bool *pictures)
{
    size_t count = count_all_pictures(a, s);
    fprintf(stderr, "delete %d %s with all samples, for good? [y/N] ", a->count,
            a->count == 1 ? "session" : "sessions");
    if (!says_yes())
        return false;
    if (count > 0 && !*pictures) {
        fprintf(stderr, "and the %zu %s of faces that %s saved? [y/N] ", count,
                count == 1 ? "picture" : "pictures", a->count == 1 ? "it" : "they");
        *pictures = says_yes();
    }
    return true;
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

static const char stay[] = "stay (--pictures deletes such)";

/* Pictures first: while there are any, the session says where. */
static int delete_one(store *s, int64_t id, bool with_pictures)
{
    mien_error error;
    char *where;
    int status = EXIT_DONE;
    if (store_pictures(s, id, &where, &error) != MIEN_OK)
        status = cli_fail(&error);
    else if (with_pictures)
        status = session_delete_pictures(id, where);
    if (where == NULL && !with_pictures) /* what is damaged can be deleted all the same */
        status = EXIT_DONE;
    if (status == EXIT_DONE && store_delete(s, id, &error) != MIEN_OK)
        status = cli_fail(&error);
    if (status == EXIT_DONE && !with_pictures && where != NULL)
        session_tell_pictures(id, where, stay);
    free(where);
    return status;
}

int session_delete(const session_arguments *a, store *s)
{
    int status = check_ids(a);
    if (status != EXIT_DONE)
        return status;
    bool all = true, pictures = a->pictures;
    if (!a->yes && !is_confirmed(a, s, &pictures)) {
        fputs("mien: nothing was deleted\n", stderr);
        return EXIT_FAILED;
    }
    for (int i = 0; i < a->count; i++)
        all &= delete_one(s, strtoll(a->names[i], NULL, 10), pictures) == EXIT_DONE;
    status = scrub(s);
    return all ? status : EXIT_FAILED;
}

/* ---- Pruning ---- */

static bool is_expired(const store_session *session, int64_t now_ms)
{
    return session->keep_days > 0 && store_days_left(session, now_ms) <= 0;
}

typedef struct pruning {
    bool dry_run, pictures;
    bool tell;        /* which they are */
    size_t count;     /* of those that are deleted */
    bool some_stayed; /* because their pictures could not be deleted */
} pruning;

/* A session whose time has passed. */
static mien_status prune_one(store *s, pruning *p, const store_session *session, mien_error *error)
{
    mien_status status = MIEN_OK;
    if (p->pictures && !p->dry_run &&
        session_delete_pictures(session->id, session->pictures) != EXIT_DONE) {
        p->some_stayed = true;
        return MIEN_OK;
    }
    if (!p->dry_run)
        status = store_delete(s, session->id, error);
    if (status != MIEN_OK && status != MIEN_NOT_FOUND) /* somebody else was faster */
        return status;
    p->count++;
    if (p->dry_run)
        session_tell_pictures(session->id, session->pictures,
                              p->pictures ? "would go" : "would stay");
    else if (!p->pictures)
        session_tell_pictures(session->id, session->pictures, stay);
    if (p->tell) {
        printf("%4" PRId64 "  ", session->id);
        session_print_text(session->name);
        putchar('\n');
    }
    return MIEN_OK;
}

static mien_status prune(store *s, pruning *p, mien_error *error)
{
    store_list *list;
    int64_t now_ms = session_now_ms();
    mien_status status = store_sessions(s, &list, error);
    for (size_t i = 0; status == MIEN_OK && i < list->count; i++)
        if (is_expired(&list->sessions[i], now_ms))
            status = prune_one(s, p, &list->sessions[i], error);
    store_list_free(list);
    return status;
}

int session_prune(const session_arguments *a, store *s)
{
    mien_error error;
    pruning p = {.dry_run = a->dry_run, .pictures = a->pictures, .tell = true};
    if (prune(s, &p, &error) != MIEN_OK)
        return cli_fail(&error);
    int status = a->dry_run ? EXIT_DONE : scrub(s);
    return p.some_stayed ? EXIT_FAILED : status;
}

void session_prune_expired(store *s)
{
    mien_error error;
    pruning p = {0};
    if (prune(s, &p, &error) != MIEN_OK)
        cli_fail(&error);
    else if (p.count > 0)
        scrub(s);
}
