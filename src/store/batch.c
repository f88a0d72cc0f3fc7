/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batch.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "store/internal.h"
#include "store/pack.h"
#include "store/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- The head of a session ---- */

static mien_status check_text(const char *what, const char *text, size_t most, mien_error *error)
{
    size_t length = strlen(text);
    if (length == strspn(text, " \t\r\n"))
        return error_set(error, MIEN_INVALID_ARGUMENT, "a session needs %s", what);
    if (length > most)
        return error_set(error, MIEN_LIMIT, "%s has %zu bytes, at most %zu fit", what, length,
                         most);
    return MIEN_OK;
}

/* A path that is kept otherwise than it is would be lost. */
static mien_status check_pictures(const char *path, mien_error *error)
{
    if (strlen(path) > STORE_MAX_TEXT)
        return error_set(error, MIEN_LIMIT,
                         "the path of a session's pictures has %zu bytes, at most %d fit",
                         strlen(path), STORE_MAX_TEXT);
    for (const char *at = path; *at != '\0'; at += utf8_length(at))
        if (utf8_length(at) == 0)
            return error_set(error, MIEN_INVALID_ARGUMENT,
                             "the path of a session's pictures, '%s', is not UTF-8; choose another "
                             "folder",
                             path);
    return MIEN_OK;
}

static mien_status check_session(const store_session *session, mien_error *error)
{
    mien_status status = check_text("a name", session->name, STORE_MAX_NAME, error);
    if (status == MIEN_OK)
        status =
            check_text("a note of who agreed to it", session->consent, STORE_MAX_CONSENT, error);
    if (status == MIEN_OK && (session->class_count < 1 || session->class_count > MIEN_MAX_CLASSES))
        status = error_set(error, MIEN_INVALID_ARGUMENT, "a session cannot have %d classes",
                           session->class_count);
    if (status == MIEN_OK && (session->keep_days < 0 || session->keep_days > STORE_MAX_DAYS))
        status = error_set(error, MIEN_INVALID_ARGUMENT,
                           "a session cannot be kept for %d days, at most %d", session->keep_days,
                           STORE_MAX_DAYS);
    if (status == MIEN_OK && session->pictures != NULL)
        status = check_pictures(session->pictures, error);
    return status;
}

static mien_status insert_session(store *s, const store_session *session, keep *kept, int64_t *id,
                                  mien_error *error)
{
    const struct {
        const char *text;
        size_t most;
    } texts[] = {{session->name, STORE_MAX_NAME},
                 {session->consent, STORE_MAX_CONSENT},
                 {session->source, STORE_MAX_TEXT},
                 {session->model_name, STORE_MAX_TEXT},
                 {session->model_sha256, STORE_MAX_TEXT}};
    store_value values[7];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *clean = keep_text(kept, texts[i].text, texts[i].most);
        if (clean == NULL)
            return error_no_memory(error, "a session", texts[i].most);
        values[i] = store_text(clean);
    }
    values[5] = store_integer(session->started_ms);
    values[6] = store_integer(session->keep_days);
    return store_run(s,
                     "INSERT INTO mien_session (name, consent, source, model_name, model_sha256,"
                     " started_ms, keep_days, length_s, ended, batch)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0) RETURNING id",
                     values, 7, schema_take_integer, id, NULL, error);
}

typedef struct classes {
    int64_t session;
    const char *names[MIEN_MAX_CLASSES];
} classes;

static void fill_class(const void *context, size_t index, store_value *row)
{
    const classes *all = context;
    row[0] = store_integer(all->session);
    row[1] = store_integer((int64_t)index + 1);
    row[2] = store_text(all->names[index]);
}

static mien_status insert_classes(store *s, const store_session *session, int64_t id, keep *kept,
                                  mien_error *error)
{
    classes all = {.session = id};
    for (int i = 0; i < session->class_count; i++) {
        all.names[i] = keep_text(kept, session->class_names[i], STORE_MAX_TEXT);
        if (all.names[i] == NULL)
            return error_no_memory(error, "a class", STORE_MAX_TEXT);
    }
    return s->driver->insert(s->connection, "mien_class", 3, (size_t)session->class_count,
                             fill_class, &all, error);
}

static mien_status insert_pictures(store *s, int64_t id, const char *path, mien_error *error)
{
    const store_value values[] = {store_integer(id), store_text(path)};
    return store_run(s,
                     "INSERT INTO mien_event (session, time_s, number, length_s, person, kind,"
                     " text) VALUES ($1, 0, 0, 0, 0, " STORE_PICTURES ", $2)",
                     values, 2, NULL, NULL, NULL, error);
}

mien_status batch_begin(store *s, const store_session *session, int64_t *id, mien_error *error)
{
    keep kept = {0};
    *id = 0;
    mien_status status = check_session(session, error);
    if (status == MIEN_OK)
        status = store_script(s, s->driver->begin_write, error);
    if (status != MIEN_OK)
        return status;
    status = insert_session(s, session, &kept, id, error);
    if (status == MIEN_OK)
        status = insert_classes(s, session, *id, &kept, error);
    if (status == MIEN_OK && session->pictures != NULL && session->pictures[0] != '\0')
        status = insert_pictures(s, *id, session->pictures, error);
    status = store_end(s, status, error);
    keep_free(&kept);
    return status;
}

/* ---- A batch ---- */

static mien_status take_batch(void *context, const store_value *row, size_t count,
                              mien_error *error)
{
    return schema_take_integer(context, row, count, error);
}

/* *is_there: an earlier try has kept the batch. */
static mien_status update_session(store *s, int64_t session, const store_batch *batch,
                                  bool *is_there, mien_error *error)
{
    const store_value values[] = {store_real(batch->length_s), store_integer(batch->ended),
                                  store_integer(batch->number), store_integer(session)};
    int64_t changed = 0, last = -1;
    mien_status status = store_run(s,
                                   "UPDATE mien_session SET length_s = $1, ended = $2, batch = $3"
                                   " WHERE id = $4 AND batch < $3",
                                   values, 4, NULL, NULL, &changed, error);
    *is_there = changed == 0;
    if (status == MIEN_OK && changed == 0)
        status = store_run(s, "SELECT batch FROM mien_session WHERE id = $1", &values[3], 1,
                           take_batch, &last, NULL, error);
    if (status == MIEN_OK && changed == 0 && last < 0)
        return error_set(error, MIEN_NOT_FOUND, "session %" PRId64 " was deleted meanwhile",
                         session);
    return status;
}

static int by_person_and_time(const void *a, const void *b)
{
    const timeline_sample *const *first = a, *const *second = b;
    if ((*first)->person != (*second)->person)
        return (*first)->person < (*second)->person ? -1 : 1;
    return ((*first)->time_s > (*second)->time_s) - ((*first)->time_s < (*second)->time_s);
}

static mien_status add_person(store *s, int64_t session, const timeline_sample *first,
                              const timeline_sample *last, size_t count, mien_error *error)
{
    const store_value values[] = {store_integer(session), store_integer(first->person),
                                  store_real(first->time_s), store_real(last->time_s),
                                  store_integer((int64_t)count)};
    return store_run(s,
                     "INSERT INTO mien_person (session, id, label, first_s, last_s, samples)"
                     " VALUES ($1, $2, '', $3, $4, $5) ON CONFLICT (session, id) DO UPDATE SET"
                     " last_s = excluded.last_s, samples = mien_person.samples + excluded.samples",
                     values, 5, NULL, NULL, NULL, error);
}

static mien_status add_people(store *s, int64_t session, const store_batch *batch,
                              mien_error *error)
{
    size_t count = batch->sample_count, begin = 0;
    const timeline_sample **sorted = memory_zeroed(count, sizeof *sorted);
    if (sorted == NULL)
        return error_no_memory(error, "people", count * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &batch->samples[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, by_person_and_time);
    mien_status status = MIEN_OK;
    for (size_t i = 1; status == MIEN_OK && i <= count; i++) {
        if (i < count && sorted[i]->person == sorted[begin]->person)
            continue;
        status = add_person(s, session, sorted[begin], sorted[i - 1], i - begin, error);
        begin = i;
    }
    free(sorted);
    return status;
}

/* What a row of a batch is made of. */
typedef struct filling {
    int64_t session;
    int class_count;
    const store_batch *batch;
    uint8_t *packed; /* of one row */
} filling;

static void fill_sample(const void *context, size_t index, store_value *row)
{
    const filling *f = context;
    const timeline_sample *sample = &f->batch->samples[index];
    pack_write(f->batch->probabilities + index * (size_t)f->class_count, f->class_count, f->packed);
    row[0] = store_integer(f->session);
    row[1] = store_real(sample->time_s);
    row[2] = store_integer(f->batch->first_sample + (int64_t)index);
    row[3] = store_integer(sample->person);
    row[4] = store_real((double)sample->x);
    row[5] = store_real((double)sample->y);
    row[6] = store_real((double)sample->width);
    row[7] = store_real((double)sample->height);
    row[8] = store_real((double)sample->facing);
    row[9] = store_bytes(f->packed, pack_size(f->class_count));
}

static void fill_event(const void *context, size_t index, store_value *row)
{
    const filling *f = context;
    const store_event *event = &f->batch->events[index];
    row[0] = store_integer(f->session);
    row[1] = store_real(event->time_s);
    row[2] = store_integer(f->batch->first_event + (int64_t)index);
    row[3] = store_real(event->length_s);
    row[4] = store_integer(event->person);
    row[5] = store_text(event->kind);
    row[6] = store_text(event->text);
}

static mien_status add_rows(store *s, int64_t session, int class_count, const store_batch *batch,
                            mien_error *error)
{
    uint8_t packed[4 * MIEN_MAX_CLASSES];
    filling f = {session, class_count, batch, packed};
    mien_status status = add_people(s, session, batch, error);
    if (status == MIEN_OK)
        status = s->driver->insert(s->connection, "mien_sample", 10, batch->sample_count,
                                   fill_sample, &f, error);
    if (status == MIEN_OK)
        status = s->driver->insert(s->connection, "mien_event", 7, batch->event_count, fill_event,
                                   &f, error);
    return status;
}

mien_status batch_write(store *s, int64_t session, int class_count, const store_batch *batch,
                        mien_error *error)
{
    bool is_there = false;
    mien_status status = store_script(s, s->driver->begin_write, error);
    if (status != MIEN_OK)
        return status;
    status = update_session(s, session, batch, &is_there, error);
    if (status == MIEN_OK && !is_there)
        status = add_rows(s, session, class_count, batch, error);
    return store_end(s, status, error);
}
