/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live_session.h"

#include "base/address.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "live/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MODEL_BYTES ((size_t)1 << 30)

struct live_session {
    store *store;
    store_writer *writer;
    int64_t id;
    double time_s;  /* of the last frame, in the session */
    double shift_s; /* from the source's clock to the session's */
};

/* ---- Options ---- */

bool live_session_option(live_session_options *options, const char *command, int option,
                         const char *argument, int *status)
{
    int64_t days = 0;
    *status = EXIT_DONE;
    switch (option) {
    case LIVE_SESSION_NAME:
        options->name = argument;
        return true;
    case LIVE_SESSION_CONSENT:
        options->consent = argument;
        break;
    case LIVE_SESSION_STORE:
        options->place = argument;
        break;
    case LIVE_SESSION_KEEP:
        if (!cli_parse_int(command, "--keep-days", argument, 0, STORE_MAX_DAYS, &days))
            *status = EXIT_USAGE;
        options->keep_days = (int)days;
        break;
    default:
        return false;
    }
    options->has_more = true;
    return true;
}

int live_session_check(const live_session_options *options, const char *command)
{
    if (options->name == NULL && options->has_more)
        return cli_wrong_usage(command, "--consent, --store and --keep-days belong to --session");
    if (options->name == NULL)
        return EXIT_DONE;
    if (options->name[0] == '\0' || strlen(options->name) > STORE_MAX_NAME)
        return cli_wrong_usage(command, "the name of a session has 1 to %d bytes", STORE_MAX_NAME);
    if (options->consent != NULL && options->consent[strspn(options->consent, " \t\r\n")] != '\0')
        return EXIT_DONE;
    return cli_wrong_usage(
        command, "a session keeps how people look over time, which they must have agreed to; say "
                 "who agreed to what: --consent 'Ann Smith, signed 1 May, her own review'");
}

/* ---- Beginning ---- */

/* Of a file that is there no more, nothing. */
static void hash_file(const char *path, char *hex)
{
    uint8_t *bytes;
    size_t size;
    hex[0] = '\0';
    if (file_read(path, MAX_MODEL_BYTES, &bytes, &size, NULL) != MIEN_OK)
        return;
    sha256_hex(bytes, size, hex);
    free(bytes);
}

static int begin(live_session *session, const live_session_options *options, const char *source,
                 const mien_model *model, const char *model_path, const char *pictures)
{
    const char *classes[MIEN_MAX_CLASSES];
    char hash[SHA256_HEX_SIZE];
    mien_error error;
    hash_file(model_path, hash);
    for (int i = 0; i < mien_model_class_count(model); i++)
        classes[i] = mien_model_class_name(model, i);
    const store_session facts = {
        .name = options->name,
        .consent = options->consent,
        .started_ms = session_now_ms(),
        .source = source,
        .model_name = file_name(model_path),
        .model_sha256 = hash,
        .class_count = mien_model_class_count(model),
        .class_names = classes,
        .keep_days = options->keep_days,
        .pictures = pictures,
    };
    mien_status status =
        store_writer_open(session->store, &facts, &session->writer, &session->id, &error);
    return status == MIEN_OK ? EXIT_DONE : cli_fail(&error);
}

static void session_free(live_session *session)
{
    if (session == NULL)
        return;
    store_close(session->store);
    free(session);
}

static int open_store(const char *place, store **out)
{
    mien_error error;
    if (store_open(place, true, out, &error) != MIEN_OK)
        return cli_fail(&error);
    session_prune_expired(*out); /* when that fails, it is no reason to stop */
    return EXIT_DONE;
}

int live_session_open(const live_session_options *options, const char *source,
                      const mien_model *model, const char *model_path, const char *pictures,
                      live_session **out)
{
    char buffer[4096];
    *out = NULL;
    if (options->name == NULL)
        return EXIT_DONE;
    const char *place = session_place(options->place, true, buffer, sizeof buffer);
    if (place == NULL)
        return EXIT_FAILED;
    live_session *session = memory_zeroed(1, sizeof *session);
    char *clean = address_without_password(source);
    int status = EXIT_FAILED;
    if (session == NULL || clean == NULL)
        fputs("mien: out of memory for a session\n", stderr);
    else
        status = open_store(place, &session->store);
    if (status == EXIT_DONE)
        status = begin(session, options, clean, model, model_path, pictures);
    free(clean);
    if (status == EXIT_DONE)
        *out = session;
    else
        session_free(session);
    return status;
}

/* ---- While it goes on ---- */

/* The clock of a stream may step back; that of a session does not. */
static double session_time(live_session *session, double source_s)
{
    if (source_s + session->shift_s < session->time_s)
        session->shift_s = session->time_s - source_s;
    session->time_s = source_s + session->shift_s;
    return session->time_s;
}

static void tell_trouble(live_session *session)
{
    mien_error error;
    if (store_writer_trouble(session->writer, &error) != MIEN_OK)
        fprintf(stderr, "mien: the session is not being written, it is tried again: %s\n",
                error.message);
}

static mien_status add_person(live_session *session, const person *who, double time_s,
                              mien_error *error)
{
    const mien_face *face = &who->face;
    const timeline_sample sample = {
        .time_s = time_s,
        .person = who->id,
        .x = face->x,
        .y = face->y,
        .width = face->width,
        .height = face->height,
        .facing = timeline_facing(face->has_landmarks ? face->landmarks : NULL),
    };
    return store_writer_sample(session->writer, &sample, face->probabilities, error);
}

mien_status live_session_frame(live_session *session, const pipeline_frame *frame,
                               mien_error *error)
{
    if (session == NULL)
        return MIEN_OK;
    mien_status status = MIEN_OK;
    double time_s = session_time(session, frame->time_s);
    store_writer_time(session->writer, time_s);
    for (size_t i = 0; status == MIEN_OK && i < frame->count; i++)
        if (frame->people[i].id != 0 && frame->people[i].face.has_expression)
            status = add_person(session, &frame->people[i], time_s, error);
    tell_trouble(session);
    return status;
}

void live_session_notice(live_session *session, const char *text)
{
    if (session == NULL)
        return;
    char *clean = address_without_password(text);
    const store_event event = {
        .time_s = session->time_s, .kind = "notice", .text = clean != NULL ? clean : ""};
    store_writer_event(session->writer, &event, NULL);
    free(clean);
}

int live_session_close(live_session *session)
{
    if (session == NULL)
        return EXIT_DONE;
    mien_error error;
    int status = EXIT_DONE;
    if (store_writer_close(session->writer, &error) != MIEN_OK)
        status = cli_fail(&error);
    else
        fprintf(stderr, "mien: kept as session %" PRId64 "\n", session->id);
    session_free(session);
    return status;
}
