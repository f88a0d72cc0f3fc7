/* SPDX-License-Identifier: Apache-2.0 */

/* What can happen to files: no right, no room, other content, and traces of what was deleted. */

#include "place.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

/* A file of the place, "" for the store itself, "-wal" for its log; NULL when it is not there.
 * Freed by the caller. */
static uint8_t *read_file(const place *p, const char *ending, size_t *size)
{
    char path[640];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", p->where, ending);
    int file = open(path, O_RDONLY);
    if (file < 0)
        return NULL;
    assert_int_equal(fstat(file, &info), 0);
    uint8_t *bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(file, bytes, (size_t)info.st_size), info.st_size);
    close(file);
    *size = (size_t)info.st_size;
    return bytes;
}

static void write_file(const place *p, const void *bytes, size_t size)
{
    FILE *file = fopen(p->where, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void refuse(const place *p, mien_status status, const char *message)
{
    mien_error error;
    store *s;
    assert_fails(status, store_open(p->where, true, &s, &error), &error, message);
    assert_null(s);
}

/* ---- Traces ---- */

static bool has_trace(const place *p, const void *bytes, size_t size)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    bool found = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t file_size = 0;
        uint8_t *file = read_file(p, endings[i], &file_size);
        found |= file != NULL && memmem(file, file_size, bytes, size) != NULL;
        free(file);
    }
    return found;
}

static bool has_text(const place *p, const char *text)
{
    return has_trace(p, text, strlen(text));
}

/* A session whose every text is found in a file by itself, with enough samples for many pages. */
static int64_t write_traces(store *s, const char *mark)
{
    char name[64], consent[64], source[64], text[64];
    snprintf(name, sizeof name, "name-%s", mark);
    snprintf(consent, sizeof consent, "consent-%s", mark);
    snprintf(source, sizeof source, "source-%s", mark);
    snprintf(text, sizeof text, "event-%s", mark);
    store_session session = standard_session;
    session.name = name;
    session.consent = consent;
    session.source = source;
    mien_error error;
    store_writer *writer;
    int64_t id;
    store_event event = {.kind = "notice", .text = text};
    float probabilities[STANDARD_CLASSES] = {0.123456f, 0.654321f, 0.222223f};
    assert_ok(store_writer_open(s, &session, &writer, &id, &error), &error);
    for (int i = 0; i < 3000; i++) {
        timeline_sample sample = standard_sample(i);
        assert_ok(store_writer_sample(writer, &sample, probabilities, &error), &error);
    }
    assert_ok(store_writer_event(writer, &event, &error), &error);
    assert_ok(store_writer_close(writer, &error), &error);
    snprintf(text, sizeof text, "label-%s", mark);
    assert_ok(store_label(s, id, 1, text, &error), &error);
    return id;
}

static void test_deletion_leaves_no_trace(void **state)
{
    (void)state;
    static const float blob[STANDARD_CLASSES] = {0.123456f, 0.654321f, 0.222223f};
    static const char *const gone[] = {"name-first", "consent-first", "source-first", "event-first",
                                       "label-first"};
    place p = place_make();
    store *s = place_open(&p), *other = place_open(&p); /* so that the log stays */
    mien_error error;
    int64_t first = write_traces(s, "first"), second = write_session(s, &standard_session, 500);
    size_t before, after;
    free(read_file(&p, "", &before));
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_true(has_text(&p, gone[i]));
    assert_true(has_trace(&p, blob, sizeof blob));
    assert_ok(store_delete(s, first, &error), &error);
    assert_ok(store_scrub(s, &error), &error);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_false(has_text(&p, gone[i]));
    assert_false(has_trace(&p, blob, sizeof blob));
    store_record *record = read_session(s, second);
    assert_int_equal(record->timeline.count, 500);
    assert_string_equal(record->session.consent, standard_session.consent);
    store_record_free(record);
    free(read_file(&p, "", &after));
    print_message("%zu bytes, then %zu\n", before, after);
    assert_true(after < 70000);
    store_close(s);
    store_close(other);
    place_remove(&p);
}

/* Reads in a transaction until the other end of the pipe is closed. */
static void read_for_long(const place *p, int begun, int until)
{
    sqlite3 *database;
    char end = 0;
    bool good = sqlite3_open(p->where, &database) == SQLITE_OK &&
                sqlite3_exec(database, "BEGIN; SELECT count(*) FROM mien_sample", NULL, NULL,
                             NULL) == SQLITE_OK &&
                write(begun, &end, 1) == 1 && read(until, &end, 1) == 0;
    sqlite3_close(database);
    _exit(good ? 0 : 1);
}

/* While somebody reads, the bytes stay; it is said, and the next time takes them out. */
static void test_hindered(void **state)
{
    (void)state;
    place p = place_make();
    store *s = place_open(&p);
    mien_error error;
    char begin;
    int begun[2], until[2], end;
    write_traces(s, "first");
    int64_t second = write_traces(s, "second");
    assert_true(pipe(begun) == 0 && pipe(until) == 0);
    pid_t reader = fork();
    if (reader == 0) {
        close(until[1]);
        read_for_long(&p, begun[1], until[0]);
    }
    assert_int_equal(read(begun[0], &begin, 1), 1);
    assert_ok(store_delete(s, second, &error), &error);
    assert_fails(MIEN_IO, store_scrub(s, &error), &error, "another program");
    assert_true(has_text(&p, "consent-second"));
    close(until[1]);
    assert_int_equal(waitpid(reader, &end, 0), reader);
    assert_int_equal(end, 0);
    assert_ok(store_scrub(s, &error), &error);
    assert_false(has_text(&p, "consent-second"));
    assert_true(has_text(&p, "consent-first"));
    close(until[0]);
    close(begun[0]);
    close(begun[1]);
    store_close(s);
    place_remove(&p);
}

/* ---- Rights and room ---- */

static void test_for_its_owner_alone(void **state)
{
    (void)state;
    place p = place_make();
    mode_t mask = umask(0);
    store *s = place_open(&p);
    struct stat info;
    char log[640];
    write_session(s, &standard_session, 2);
    umask(mask);
    assert_int_equal(stat(p.where, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    snprintf(log, sizeof log, "%s-wal", p.where);
    assert_int_equal(stat(log, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    store_close(s);
    place_remove(&p);
}

/* Runs a test in a program of its own, whose rights and limits may be taken away. */
static void run_apart(void (*test)(const place *p), const place *p)
{
    int status;
    pid_t program = fork();
    assert_true(program >= 0);
    if (program == 0) {
        test(p);
        _exit(0);
    }
    assert_int_equal(waitpid(program, &status, 0), program);
    assert_int_equal(status, 0);
}

/* A failure in a program of its own. cmocka's jump out of a test would run the others there. */
static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "not so: %s\n", what);
        _exit(1);
    }
}

static void become_nobody(void)
{
    if (geteuid() == 0)
        require(setgid(NOBODY) == 0 && setuid(NOBODY) == 0, "nobody");
}

static void open_in_read_only_folder(const place *p)
{
    mien_error error = {.message = ""};
    store *s;
    become_nobody();
    require(store_open(p->where, true, &s, &error) == MIEN_IO, "MIEN_IO");
    require(strstr(error.message, "cannot make '") != NULL, error.message);
    require(strstr(error.message, "Permission denied") != NULL, error.message);
}

static void use_read_only_store(const place *p)
{
    mien_error error = {.message = ""};
    store *s;
    store_writer *writer;
    become_nobody();
    mien_status status = store_open(p->where, true, &s, &error);
    if (status == MIEN_OK)
        status = store_writer_open(s, &standard_session, &writer, NULL, &error);
    require(status == MIEN_IO, "MIEN_IO");
    require(strstr(error.message, p->where) != NULL, error.message);
}

static void read_in_read_only_folder(const place *p)
{
    mien_error error = {.message = ""};
    store *s;
    become_nobody();
    require(store_open(p->where, false, &s, &error) == MIEN_IO, "MIEN_IO");
    require(strstr(error.message, "its folder is read-only") != NULL, error.message);
}

static void test_read_only(void **state)
{
    (void)state;
    place p = place_make();
    assert_int_equal(chmod(p.folder, 0555), 0);
    run_apart(open_in_read_only_folder, &p);
    assert_int_equal(chmod(p.folder, 0755), 0);
    store_close(place_open(&p));
    assert_int_equal(chmod(p.where, 0444), 0);
    assert_int_equal(chmod(p.folder, 0555), 0);
    run_apart(use_read_only_store, &p);
    assert_int_equal(chmod(p.where, 0666), 0);
    run_apart(read_in_read_only_folder, &p);
    assert_int_equal(chmod(p.folder, 0755), 0);
    place_remove(&p);
}

/* Until another connection sees so many samples of the first session, at most half a minute. */
static void wait_for_samples(const place *p, int64_t samples)
{
    const struct timespec moment = {.tv_nsec = 50000000};
    for (int i = 0; i < 600; i++) {
        mien_error error;
        store *s;
        store_list *list = NULL;
        int64_t there = 0;
        if (store_open(p->where, false, &s, &error) == MIEN_OK) {
            if (store_sessions(s, &list, &error) == MIEN_OK && list->count > 0)
                there = list->sessions[0].samples;
            store_list_free(list);
            store_close(s);
        }
        if (there >= samples)
            return;
        nanosleep(&moment, NULL);
    }
    require(false, "the samples come in");
}

/* The same until the writer has met with trouble. */
static void wait_for_trouble(store_writer *writer, mien_error *error)
{
    const struct timespec moment = {.tv_nsec = 50000000};
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && i < 600; i++) {
        status = store_writer_trouble(writer, error);
        nanosleep(&moment, NULL);
    }
    require(status == MIEN_IO, "trouble is told");
}

/* Files may grow to 300,000 bytes, as if the disk were full then; what is in by then stays. */
static void fill_the_disk(const place *p)
{
    const struct rlimit limit = {300000, 300000};
    mien_error error = {.message = ""};
    store *s;
    store_writer *writer;
    require(setrlimit(RLIMIT_FSIZE, &limit) == 0, "a limit");
    require(store_open(p->where, true, &s, &error) == MIEN_OK, error.message);
    require(store_writer_open(s, &standard_session, &writer, NULL, &error) == MIEN_OK,
            error.message);
    write_samples(writer, 0, 100);
    wait_for_samples(p, 100);
    write_samples(writer, 100, 30000);
    wait_for_trouble(writer, &error);
    require(strstr(error.message, "File too large") != NULL ||
                strstr(error.message, "disk is full") != NULL,
            error.message);
    require(store_writer_close(writer, &error) == MIEN_IO, "MIEN_IO");
    require(strstr(error.message, "29900 of its 30000 samples") != NULL, error.message);
    store_close(s);
}

static void test_full_disk(void **state)
{
    (void)state;
    place p = place_make();
    run_apart(fill_the_disk, &p);
    store *s = place_open(&p);
    store_record *record = read_session(s, 1);
    assert_int_equal(record->timeline.count, 100);
    assert_false(record->session.ended);
    store_record_free(record);
    store_close(s);
    place_remove(&p);
}

/* ---- Other content ---- */

static void test_no_database(void **state)
{
    (void)state;
    place p = place_make();
    char text[5000];
    memset(text, 'x', sizeof text);
    write_file(&p, text, sizeof text);
    refuse(&p, MIEN_MALFORMED, "is no SQLite database");
    size_t size;
    uint8_t *bytes = read_file(&p, "", &size);
    assert_int_equal(size, sizeof text);
    assert_memory_equal(bytes, text, size);
    free(bytes);
    place_remove(&p);
}

/* An empty file is an empty database to SQLite. */
static void test_empty_file(void **state)
{
    (void)state;
    place p = place_make();
    write_file(&p, "", 0);
    store_close(place_open(&p));
    place_remove(&p);
}

static void test_database_of_another_program(void **state)
{
    (void)state;
    place p = place_make();
    size_t before, after;
    place_tamper(&p, "CREATE TABLE letters (text)");
    uint8_t *first = read_file(&p, "", &before);
    refuse(&p, MIEN_UNSUPPORTED, "another program");
    uint8_t *second = read_file(&p, "", &after);
    assert_int_equal(before, after);
    assert_memory_equal(first, second, before);
    free(first);
    free(second);
    place_remove(&p);
}

static void test_names_that_sqlite_takes_for_something_else(void **state)
{
    (void)state;
    mien_error error;
    store *s;
    assert_fails(MIEN_NOT_FOUND, store_open(":memory:", false, &s, &error), &error, ":memory:");
    assert_fails(MIEN_NOT_FOUND, store_open("file:x?mode=memory", false, &s, &error), &error,
                 "file:x?mode=memory");
    assert_fails(MIEN_INVALID_ARGUMENT, store_open("", true, &s, &error), &error, "empty");
    assert_fails(MIEN_IO, store_open("/", true, &s, &error), &error, "'/'");
    assert_fails(MIEN_IO, store_open("/dev/null/x", true, &s, &error), &error, "/dev/null/x");
}

/* Bytes of the file change or are cut off: an error or other values, never a crash. */
static void test_damaged(void **state)
{
    (void)state;
    enum { CASES = 150 };
    place p = place_make();
    store *s = place_open(&p);
    write_session(s, &standard_session, 500);
    store_close(s);
    size_t size;
    uint8_t *good = read_file(&p, "", &size), *bad = malloc(size);
    test_random random = {7};
    int failures = 0;
    for (int i = 0; i < CASES; i++) {
        mien_error error;
        store_record *record = NULL;
        memcpy(bad, good, size);
        for (int k = 0; k < 1 << i % 9; k++)
            bad[test_random_next(&random) % size] ^= (uint8_t)(1 << k % 8);
        write_file(&p, bad, i % 3 == 0 ? test_random_next(&random) % size : size);
        mien_status status = store_open(p.where, true, &s, &error);
        if (status == MIEN_OK)
            status = store_read(s, 1, &record, &error);
        store_record_free(record);
        store_close(s);
        failures += status != MIEN_OK;
        assert_true(status == MIEN_OK || error.message[0] != '\0');
    }
    print_message("%d of %d damaged files were refused\n", failures, CASES);
    assert_true(failures > CASES / 4);
    free(good);
    free(bad);
    place_remove(&p);
}

/* SQLite lets any type into any column. */
static void test_other_types(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE mien_session SET source = zeroblob(2000000)",
        "UPDATE mien_session SET length_s = 'long'",
        "UPDATE mien_session SET name = x'00ff'",
        "UPDATE mien_session SET started_ms = 1.5",
        "UPDATE mien_session SET length_s = 9e999",
        "UPDATE mien_person SET label = 17.5, samples = 'many'",
        "UPDATE mien_sample SET probabilities = 'text'",
        "UPDATE mien_sample SET probabilities = x''",
        "UPDATE mien_sample SET probabilities = x'0000c07f0000c07f0000c07f'",
        "UPDATE mien_sample SET x = 'left'",
        "INSERT INTO mien_event VALUES (1, 0, 1, 0, 0, x'', x'')",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        place p = place_make();
        store *s = place_open(&p);
        mien_error error;
        store_record *record;
        write_session(s, &standard_session, 8);
        place_tamper(&p, changes[i]);
        mien_status status = store_read(s, 1, &record, &error);
        if (status != MIEN_MALFORMED && status != MIEN_LIMIT)
            fail_msg("%s is taken", changes[i]);
        store_close(s);
        place_remove(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deletion_leaves_no_trace),
        cmocka_unit_test(test_hindered),
        cmocka_unit_test(test_for_its_owner_alone),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_no_database),
        cmocka_unit_test(test_empty_file),
        cmocka_unit_test(test_database_of_another_program),
        cmocka_unit_test(test_names_that_sqlite_takes_for_something_else),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_other_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
