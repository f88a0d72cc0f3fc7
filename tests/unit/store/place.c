/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

static bool on_server;

void place_choose(int argc, char **argv)
{
    on_server = argc > 1 && strcmp(argv[1], "postgres") == 0;
}

/* ---- The server ---- */

static const char *server(void)
{
    const char *address = getenv("MIEN_TEST_POSTGRES");
    assert_non_null(address);
    return address;
}

static void pass_over(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static void tell_server(const char *address, const char *sql)
{
    PGconn *connection = PQconnectdb(address);
    PQsetNoticeProcessor(connection, pass_over, NULL);
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static void make_schema(place *p)
{
    static int count;
    char sql[128];
    snprintf(p->schema, sizeof p->schema, "mien_test_%d_%d", (int)getpid(), count++);
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s", p->schema);
    tell_server(server(), sql);
    snprintf(p->where, sizeof p->where, "%s%soptions=-csearch_path%%3D%s", server(),
             strchr(server(), '?') != NULL ? "&" : "?", p->schema);
}

/* ---- Both ---- */

place place_make(void)
{
    place p = {.is_server = on_server};
    if (on_server) {
        make_schema(&p);
        return p;
    }
    const char *base = getenv("TMPDIR");
    snprintf(p.folder, sizeof p.folder, "%s/mien-store-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(p.folder));
    snprintf(p.where, sizeof p.where, "%s/sessions.db", p.folder);
    return p;
}

void place_remove(const place *p)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char text[640];
    if (p->is_server) {
        snprintf(text, sizeof text, "DROP SCHEMA %s CASCADE", p->schema);
        tell_server(server(), text);
        return;
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(text, sizeof text, "%s%s", p->where, endings[i]);
        unlink(text);
    }
    assert_int_equal(rmdir(p->folder), 0);
}

void place_tamper(const place *p, const char *sql)
{
    if (p->is_server) {
        tell_server(p->where, sql);
        return;
    }
    sqlite3 *database;
    char *message = NULL;
    assert_int_equal(sqlite3_open(p->where, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 20000); /* the store's own thread may be writing */
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(database);
}

store *place_open(const place *p)
{
    mien_error error;
    store *s;
    assert_ok(store_open(p->where, true, &s, &error), &error);
    return s;
}

/* ---- A session ---- */

static const char *const class_names[STANDARD_CLASSES] = {"happy", "sad", "neutral"};

const store_session standard_session = {
    .name = "Morning",
    .consent = "Ann Smith signed on 1 May: her own review, 30 days",
    .started_ms = INT64_C(1777623456789),
    .source = "camera",
    .model_name = "mien.onnx",
    .model_sha256 = "0123456789abcdef",
    .class_count = STANDARD_CLASSES,
    .class_names = class_names,
    .keep_days = 30,
};

timeline_sample standard_sample(int i)
{
    float f = (float)i;
    return (timeline_sample){.time_s = 0.1 * (i / 2),
                             .person = 1 + i % 2,
                             .x = 1.1f * f,
                             .y = -f / 3,
                             .width = 48.7f,
                             .height = 51,
                             .facing = i % 3 == 0 ? -1 : 1 / (1 + f)};
}

void standard_probabilities(int i, float *probabilities)
{
    probabilities[0] = 1 / (3 + (float)i);
    probabilities[1] = 0.25f;
    probabilities[2] = 0.75f - probabilities[0];
}

void write_samples(store_writer *writer, int first, int last)
{
    mien_error error;
    for (int i = first; i < last; i++) {
        float probabilities[STANDARD_CLASSES];
        timeline_sample sample = standard_sample(i);
        standard_probabilities(i, probabilities);
        assert_ok(store_writer_sample(writer, &sample, probabilities, &error), &error);
    }
}

int64_t write_session(store *s, const store_session *session, int count)
{
    mien_error error;
    store_writer *writer;
    int64_t id;
    assert_ok(store_writer_open(s, session, &writer, &id, &error), &error);
    write_samples(writer, 0, count);
    assert_ok(store_writer_close(writer, &error), &error);
    return id;
}

store_record *read_session(store *s, int64_t id)
{
    mien_error error;
    store_record *record;
    assert_ok(store_read(s, id, &record, &error), &error);
    return record;
}

void check_sample(const timeline *line, size_t i, int number)
{
    const timeline_sample *got = &line->samples[i], expected = standard_sample(number);
    float probabilities[STANDARD_CLASSES];
    standard_probabilities(number, probabilities);
    assert_true(got->time_s == expected.time_s && got->person == expected.person);
    assert_true(got->x == expected.x && got->y == expected.y);
    assert_true(got->width == expected.width && got->height == expected.height);
    assert_true(got->facing == expected.facing);
    assert_memory_equal(line->probabilities + i * STANDARD_CLASSES, probabilities,
                        sizeof probabilities);
}
