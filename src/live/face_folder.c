/* SPDX-License-Identifier: Apache-2.0 */
#include "live/face_folder.h"

#include "cli/output.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "image/codec/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct face_folder {
    char *path, *source, *run;
    const mien_model *model;
    char stamp[32]; /* what the names of this run's files begin with */
    int64_t quota_bytes, used_bytes;
    int tables[MIEN_MAX_CLASSES]; /* descriptors, -1 where there is none */
};

/* ---- Rows ---- */

/* A growing text in memory. *text is the caller's when text_end gave MIEN_OK. */
static mien_status text_end(FILE *stream, char **text, mien_error *error)
{
    bool bad = stream == NULL || ferror(stream) != 0;
    bad |= stream != NULL && fclose(stream) != 0;
    if (!bad)
        return MIEN_OK;
    free(*text);
    *text = NULL;
    return error_no_memory(error, "the row of a face", 0);
}

static mien_status make_header(const face_folder *f, char **text, size_t *size, mien_error *error)
{
    *text = NULL;
    FILE *stream = open_memstream(text, size);
    if (stream != NULL) {
        fputs("picture,source,frame,time,track", stream);
        output_face_names(stream, f->model);
    }
    return text_end(stream, text, error);
}

static mien_status make_row(const face_folder *f, const face_record *record, const char *picture,
                            char **text, size_t *size, mien_error *error)
{
    *text = NULL;
    FILE *stream = open_memstream(text, size);
    if (stream != NULL) {
        output_field(stream, picture);
        fputc(',', stream);
        output_field(stream, f->source);
        fprintf(stream, ",%" PRId64 ",%.6f,%" PRId64, record->frame, record->time_s,
                record->who.id);
        output_face_fields(stream, f->model, &record->who.face);
    }
    return text_end(stream, text, error);
}

/* ---- Files ---- */

/* A class name as the name of a folder: it comes from the model's file, which may say anything. */
static void name_folder(const char *class_name, char *name, size_t size)
{
    utf8_clean(class_name, name, size);
    for (char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || strchr("./\\:*?\"<>|\x7f", *c) != NULL)
            *c = '_';
    if (name[0] == '\0')
        snprintf(name, size, "_");
}

static mien_status sub_folder_of(const face_folder *f, const mien_face *face, char *path,
                                 size_t size, mien_error *error)
{
    char name[128] = "face";
    if (face->has_expression)
        name_folder(mien_model_class_name(f->model, face->top), name, sizeof name);
    int length = snprintf(path, size, "%s/%s", f->path, name);
    if (length < 0 || (size_t)length >= size)
        return error_set(error, MIEN_LIMIT, "the name of the folder '%s' is too long", f->path);
    if (mkdir(path, 0777) != 0 && !file_is_folder(path))
        return error_set(error, MIEN_IO, "cannot make the folder '%s': %s", path, strerror(errno));
    return MIEN_OK;
}

/* In one call, so that a table ends with a whole row whatever happens. */
static mien_status append(face_folder *f, int table, const char *folder, const char *text,
                          size_t size, mien_error *error)
{
    off_t before = lseek(table, 0, SEEK_END);
    ssize_t written = write(table, text, size);
    if (written == (ssize_t)size) {
        f->used_bytes += written;
        return MIEN_OK;
    }
    const char *why = written < 0 ? strerror(errno) : "no room";
    mien_status status =
        error_set(error, MIEN_IO, "cannot write '%s/%s.csv': %s", folder, f->stamp, why);
    if (written > 0 && before >= 0 && ftruncate(table, before) != 0)
        error_prefix(error, status, "its last row is torn");
    return status;
}

/* Opens the table of an expression with its header, unless it is open. */
static mien_status open_table(face_folder *f, const char *folder, int class_index,
                              mien_error *error)
{
    char path[4096];
    char *header;
    size_t size;
    if (f->tables[class_index] >= 0)
        return MIEN_OK;
    mien_status status = make_header(f, &header, &size, error);
    if (status != MIEN_OK)
        return status;
    snprintf(path, sizeof path, "%s/%s.csv", folder, f->stamp);
    int table = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (table < 0)
        status = error_set(error, MIEN_IO, "cannot make '%s': %s", path, strerror(errno));
    else
        status = append(f, table, folder, header, size, error);
    free(header);
    if (status == MIEN_OK) {
        f->tables[class_index] = table;
    } else if (table >= 0) {
        close(table);
        unlink(path);
    }
    return status;
}

/* What a face is written to, all of it known before anything is written. */
typedef struct parcel {
    char folder[3900], picture[64], path[4096];
    int table;
    uint8_t *png;
    size_t png_size;
    char *row;
    size_t row_size;
} parcel;

static mien_status pack(face_folder *f, const face_record *record, parcel *p, mien_error *error)
{
    int class_index = record->who.face.has_expression ? record->who.face.top : 0;
    mien_status status = sub_folder_of(f, &record->who.face, p->folder, sizeof p->folder, error);
    if (status == MIEN_OK)
        status = open_table(f, p->folder, class_index, error);
    if (status != MIEN_OK)
        return status;
    p->table = f->tables[class_index];
    snprintf(p->picture, sizeof p->picture, "%s-%06" PRId64 "-%" PRId64 ".png", f->stamp,
             record->frame, record->who.id);
    snprintf(p->path, sizeof p->path, "%s/%s", p->folder, p->picture);
    status = image_encode_png_fast(&record->picture, &p->png, &p->png_size, error);
    if (status == MIEN_OK)
        status = make_row(f, record, p->picture, &p->row, &p->row_size, error);
    return status;
}

static mien_status write_parcel(face_folder *f, const parcel *p, mien_error *error)
{
    mien_status status = file_write_atomic(p->path, p->png, p->png_size, error);
    if (status != MIEN_OK)
        return status;
    status = append(f, p->table, p->folder, p->row, p->row_size, error);
    if (status == MIEN_OK)
        f->used_bytes += (int64_t)p->png_size;
    else
        unlink(p->path);
    return status;
}

mien_status face_folder_write(face_folder *f, const face_record *record, bool *written,
                              mien_error *error)
{
    parcel p = {0};
    mien_status status = pack(f, record, &p, error);
    bool fits = f->used_bytes + (int64_t)(p.png_size + p.row_size) <= f->quota_bytes;
    if (status == MIEN_OK && fits)
        status = write_parcel(f, &p, error);
    *written = status == MIEN_OK && fits;
    free(p.png);
    free(p.row);
    return status;
}

/* ---- Opening and closing ---- */

static mien_status prepare_folder(const char *folder, mien_error *error)
{
    if (mkdir(folder, 0777) != 0 && !file_is_folder(folder))
        return error_set(error, MIEN_IO, "cannot make the folder '%s' to save faces in: %s", folder,
                         strerror(errno));
    if (access(folder, W_OK | X_OK) != 0)
        return error_set(error, MIEN_IO, "faces cannot be saved in '%s': %s; name another folder",
                         folder, strerror(errno));
    return MIEN_OK;
}

/* What lies in a folder; files that cannot be looked at count nothing. */
static int64_t size_of_folder(const char *folder)
{
    file_list files = {0};
    struct stat info;
    int64_t bytes = 0;
    file_list_add_folder(&files, folder, NULL);
    for (size_t i = 0; i < files.count; i++)
        if (stat(files.paths[i], &info) == 0)
            bytes += info.st_size;
    file_list_free(&files);
    return bytes;
}

/* UTC, to the millisecond: two runs into one folder do not meet. */
static void make_stamp(char *stamp, size_t size)
{
    struct timespec now;
    struct tm date;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    size_t length = strftime(stamp, size, "%Y%m%d-%H%M%S", &date);
    snprintf(stamp + length, size - length, "-%03d", (int)(now.tv_nsec / 1000000));
}

/* NULL when the folder has gone meanwhile, or out of memory. */
static char *name_run(const char *folder, const char *stamp)
{
    char resolved[PATH_MAX], run[PATH_MAX + 64];
    if (realpath(folder, resolved) == NULL)
        return NULL;
    snprintf(run, sizeof run, "%s/%s", resolved, stamp);
    return memory_copy_string(run);
}

mien_status face_folder_open(const char *path, int64_t quota_bytes, const char *source,
                             const mien_model *model, face_folder **out, mien_error *error)
{
    *out = NULL;
    mien_status status = prepare_folder(path, error);
    if (status != MIEN_OK)
        return status;
    face_folder *f = memory_zeroed(1, sizeof *f);
    if (f == NULL)
        return error_no_memory(error, "a folder of faces", sizeof *f);
    for (int i = 0; i < MIEN_MAX_CLASSES; i++)
        f->tables[i] = -1;
    f->path = memory_copy_string(path);
    f->source = memory_copy_string(source);
    make_stamp(f->stamp, sizeof f->stamp);
    f->run = name_run(path, f->stamp);
    if (f->path == NULL || f->source == NULL || f->run == NULL) {
        face_folder_close(f);
        return error_no_memory(error, "a folder of faces", sizeof *f);
    }
    f->model = model;
    f->quota_bytes = quota_bytes;
    f->used_bytes = size_of_folder(path);
    *out = f;
    return MIEN_OK;
}

const char *face_folder_run(const face_folder *f)
{
    return f->run;
}

void face_folder_close(face_folder *f)
{
    if (f == NULL)
        return;
    for (int i = 0; i < MIEN_MAX_CLASSES; i++)
        if (f->tables[i] >= 0)
            close(f->tables[i]);
    free(f->path);
    free(f->source);
    free(f->run);
    free(f);
}
