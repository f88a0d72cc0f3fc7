/* SPDX-License-Identifier: Apache-2.0 */

/* What the commands about sessions say of the pictures that these have saved, and do to them. */

#include "live/saved_run.h"
#include "live/session.h"

#include "eval/json_text.h"

#include <inttypes.h>
#include <stdio.h>

static const char *pictures(size_t count)
{
    return count == 1 ? "picture" : "pictures";
}

/* false: there are none, or, after a message, they cannot be looked at. */
static bool open_run(const char *where, saved_run *run, int *status)
{
    mien_error error;
    *status = EXIT_DONE;
    *run = (saved_run){0};
    if (where[0] == '\0')
        return false;
    if (saved_run_open(where, run, &error) == MIEN_OK)
        return true;
    *status = cli_fail(&error);
    return false;
}

static void say_not_there(int64_t id, const saved_run *run)
{
    fprintf(stderr,
            "mien: session %" PRId64 " saved pictures in '%s', which is not on this machine: none "
            "of them was deleted\n",
            id, run->folder);
}

size_t session_count_pictures(const char *where)
{
    saved_run run;
    if (where[0] == '\0' || saved_run_open(where, &run, NULL) != MIEN_OK)
        return 0;
    size_t count = run.count;
    saved_run_close(&run);
    return count;
}

void session_tell_pictures(int64_t id, const char *where, const char *fate)
{
    saved_run run;
    int status;
    if (!open_run(where, &run, &status))
        return;
    if (!run.is_there)
        say_not_there(id, &run);
    else if (run.count + run.other_count > 0)
        fprintf(stderr,
                "mien: %zu %s of session %" PRId64 ", and the tables about them, %s: '%s', files "
                "named %s...\n",
                run.count, pictures(run.count), id, fate, run.folder, run.name);
    saved_run_close(&run);
}

int session_delete_pictures(int64_t id, const char *where)
{
    saved_run run;
    mien_error error;
    size_t removed = 0;
    int status;
    if (open_run(where, &run, &status)) {
        if (!run.is_there)
            say_not_there(id, &run);
        else if (saved_run_delete(&run, &removed, &error) != MIEN_OK)
            status = cli_fail(&error);
        if (run.is_there)
            fprintf(stderr, "mien: %zu %s of session %" PRId64 " deleted in '%s'\n", removed,
                    pictures(removed), id, run.folder);
        saved_run_close(&run);
    }
    if (status != EXIT_DONE)
        fprintf(stderr,
                "mien: session %" PRId64 " stays, so that its pictures can be found again; without "
                "--pictures it alone is deleted\n",
                id);
    return status;
}

/* ---- Showing ---- */

/* What lies there; *gone: pictures that do no more, where that is known. Success: the caller frees
 * *run, whose folder is NULL where none were saved. */
static mien_status look(const char *where, saved_run *run, size_t *gone, mien_error *error)
{
    *run = (saved_run){0};
    if (where[0] == '\0')
        return MIEN_OK;
    mien_status status = saved_run_open(where, run, error);
    if (status == MIEN_OK)
        status = saved_run_read_tables(run, gone, error);
    if (status != MIEN_OK)
        saved_run_close(run);
    return status;
}

void session_print_pictures(const char *where)
{
    saved_run run;
    size_t gone;
    mien_error error;
    if (look(where, &run, &gone, &error) != MIEN_OK)
        cli_fail(&error);
    if (run.folder == NULL)
        return;
    printf("%-10s", "pictures");
    if (run.is_there)
        printf("%zu in ", run.count);
    session_print_text(run.folder);
    if (!run.is_there)
        fputs(", which is not on this machine", stdout);
    if (gone > 0)
        printf(", %zu gone", gone);
    putchar('\n');
    saved_run_close(&run);
}

static json_t *number(bool is_known, size_t value)
{
    return is_known ? json_integer((json_int_t)value) : json_null();
}

json_t *session_pictures_json(const char *where)
{
    saved_run run;
    size_t gone;
    mien_error error;
    mien_status status = look(where, &run, &gone, &error);
    if (status != MIEN_OK)
        cli_fail(&error);
    if (run.folder == NULL)
        return status == MIEN_OUT_OF_MEMORY ? NULL : json_null();
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "folder", json_text_name(run.folder)) == 0;
    complete &= json_object_set_new(object, "run", json_text_name(run.name)) == 0;
    complete &= json_object_set_new(object, "count", number(run.is_there, run.count)) == 0;
    complete &= json_object_set_new(object, "gone", number(run.is_there, gone)) == 0;
    saved_run_close(&run);
    return json_text_finish(object, complete);
}
