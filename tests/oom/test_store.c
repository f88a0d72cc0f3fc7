/* SPDX-License-Identifier: Apache-2.0 */

/* The same for stores: opening, writing, reading and listing sessions in a file. */

#include "wrapped.h"

#include "store/store.h"

#include <unistd.h>

static const char *const class_names[] = {"happy", "sad"};

static const store_session session = {
    .name = "Morning",
    .consent = "Ann Smith",
    .source = "camera",
    .model_name = "mien.onnx",
    .model_sha256 = "0123",
    .class_count = 2,
    .class_names = class_names,
};

static mien_status write_session(const void *context, mien_error *error)
{
    static const float probabilities[] = {0.25f, 0.75f};
    store *s;
    store_writer *writer;
    mien_status status = store_open(context, true, &s, error), end;
    if (status == MIEN_OK)
        status = store_writer_open(s, &session, &writer, NULL, error);
    if (status != MIEN_OK) {
        store_close(s);
        return status;
    }
    for (int i = 0; status == MIEN_OK && i < 20; i++) {
        const timeline_sample sample = {.time_s = i, .person = 1 + i % 7};
        status = store_writer_sample(writer, &sample, probabilities, error);
    }
    const store_event event = {.kind = "notice", .text = "hello"};
    if (status == MIEN_OK)
        status = store_writer_event(writer, &event, error);
    end = store_writer_close(writer, status == MIEN_OK ? error : NULL);
    store_close(s);
    return status == MIEN_OK ? end : status;
}

static mien_status read_session(const void *context, mien_error *error)
{
    store *s;
    store_record *record;
    mien_status status = store_open(context, false, &s, error);
    if (status == MIEN_OK)
        status = store_label(s, 1, 1, "Ann", error);
    if (status == MIEN_OK)
        status = store_read(s, 1, &record, error);
    if (status == MIEN_OK)
        store_record_free(record);
    store_close(s);
    return status;
}

static mien_status list_sessions(const void *context, mien_error *error)
{
    store *s;
    store_list *list;
    mien_status status = store_open(context, false, &s, error);
    if (status == MIEN_OK)
        status = store_sessions(s, &list, error);
    if (status == MIEN_OK)
        store_list_free(list);
    store_close(s);
    return status;
}

static void sessions(void **state)
{
    (void)state;
    char folder[] = "/tmp/mien-oom-store-XXXXXX", path[64];
    mien_error error;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sessions.db", folder);
    assert_ok(write_session(path, &error), &error);         /* a whole one, to be read */
    fail_each("writing a session", write_session, path, 1); /* its last write is tried twice */
    fail_each("reading a session", read_session, path, 0);
    fail_each("a list of sessions", list_sessions, path, 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sessions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
