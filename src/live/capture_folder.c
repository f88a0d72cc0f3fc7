/* SPDX-License-Identifier: Apache-2.0 */
#include "live/capture_folder.h"

#include "live/when.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/difference_hash.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_HEADER "file,participant,expression,taken\n"

enum { MAX_NAME = 64, PATH_SIZE = 4096 };

#define MAX_MANIFEST ((size_t)1 << 30)

/* A picture that is in the folder. */
typedef struct kept_picture {
    char expression[MAX_NAME + 1];
    int number;
    difference_hash hash;
} kept_picture;

struct capture_folder {
    char *path;
    char participant[MAX_NAME + 1];
    int most_bits;
    FILE *manifest;
    kept_picture *kept; /* of this participant */
    size_t count, room;
};

bool capture_is_name(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return length >= 1 && length <= MAX_NAME && text[length] == '\0';
}

static mien_status check_name(const char *what, const char *text, mien_error *error)
{
    if (capture_is_name(text))
        return MIEN_OK;
    return error_set(error, MIEN_INVALID_ARGUMENT,
                     "the %s '%.100s' must be 1 to %d letters (a-z), digits and '_'", what, text,
                     MAX_NAME);
}

static mien_status make_path(char path[PATH_SIZE], const char *folder, const char *name,
                             mien_error *error)
{
    int length = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    if (length < 0 || length >= PATH_SIZE)
        return error_set(error, MIEN_LIMIT, "the name of the folder is too long");
    return MIEN_OK;
}

static mien_status make_folder(const char *path, mien_error *error)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return error_set(error, MIEN_IO, "cannot make the folder '%s': %s", path, strerror(errno));
    return MIEN_OK;
}

/* ---- The pictures that are there ---- */

/*
 * "<participant>-<expression>-<number>.png" of this participant, in a folder of the same
 * expression. Fills in expression and number.
 */
static bool read_name(const char *path, const char *participant, kept_picture *picture)
{
    const char *name = file_name(path);
    size_t length = strlen(participant);
    if (strncmp(name, participant, length) != 0 || name[length] != '-')
        return false;
    name += length + 1;
    length = strcspn(name, "-");
    if (length == 0 || length > MAX_NAME || name[length] != '-')
        return false;
    memcpy(picture->expression, name, length);
    picture->expression[length] = '\0';
    char *end;
    long number = strtol(name + length + 1, &end, 10);
    picture->number = (int)number;
    return number > 0 && number < INT_MAX && strcmp(end, ".png") == 0;
}

static mien_status remember(capture_folder *f, const kept_picture *picture, mien_error *error)
{
    void *kept = f->kept;
    if (!memory_grow(&kept, f->count, &f->room, sizeof *f->kept))
        return error_no_memory(error, "the pictures of a participant", f->count * sizeof *picture);
    f->kept = kept;
    f->kept[f->count++] = *picture;
    return MIEN_OK;
}

static mien_status remember_file(capture_folder *f, const char *path, kept_picture *picture,
                                 mien_error *error)
{
    mien_image image;
    mien_status status = mien_image_load(path, MIEN_PIXEL_RGB8, 0, &image, error);
    if (status != MIEN_OK)
        return status;
    status = difference_hash_of(&image, &picture->hash, error);
    mien_image_free(&image);
    return status == MIEN_OK ? remember(f, picture, error) : status;
}

static mien_status remember_all(capture_folder *f, mien_error *error)
{
    file_list files = {0};
    mien_status status = file_list_add_folder(&files, f->path, error);
    for (size_t i = 0; status == MIEN_OK && i < files.count; i++) {
        kept_picture picture;
        if (read_name(files.paths[i], f->participant, &picture))
            status = remember_file(f, files.paths[i], &picture, error);
    }
    file_list_free(&files);
    return status;
}

/* ---- Opening ---- */

static mien_status open_manifest(capture_folder *f, mien_error *error)
{
    char path[PATH_SIZE];
    mien_status status = make_path(path, f->path, "manifest.csv", error);
    if (status != MIEN_OK)
        return status;
    f->manifest = fopen(path, "a");
    bool good = f->manifest != NULL;
    if (good && fseek(f->manifest, 0, SEEK_END) == 0 && ftell(f->manifest) == 0)
        good = fputs(MANIFEST_HEADER, f->manifest) >= 0 && fflush(f->manifest) == 0;
    if (!good)
        return error_set(error, MIEN_IO, "cannot write to '%s': %s", path, strerror(errno));
    return MIEN_OK;
}

mien_status capture_folder_open(const char *path, const char *participant, int most_bits,
                                capture_folder **out, mien_error *error)
{
    *out = NULL;
    mien_status status = check_name("participant", participant, error);
    if (status != MIEN_OK)
        return status;
    capture_folder *f = memory_zeroed(1, sizeof *f);
    if (f == NULL || (f->path = memory_copy_string(path)) == NULL) {
        free(f);
        return error_no_memory(error, "a folder", sizeof *f);
    }
    strcpy(f->participant, participant);
    f->most_bits = most_bits;
    status = make_folder(path, error);
    if (status == MIEN_OK)
        status = remember_all(f, error);
    if (status == MIEN_OK)
        status = open_manifest(f, error);
    if (status != MIEN_OK) {
        capture_folder_close(f);
        return status;
    }
    *out = f;
    return MIEN_OK;
}

void capture_folder_close(capture_folder *f)
{
    if (f == NULL)
        return;
    if (f->manifest != NULL)
        fclose(f->manifest);
    free(f->kept);
    free(f->path);
    free(f);
}

mien_status capture_folder_consent(capture_folder *f, const char *text, const char *note,
                                   mien_error *error)
{
    char path[PATH_SIZE], name[MAX_NAME + 32], when[WHEN_SIZE];
    mien_status status = make_path(path, f->path, "consents", error);
    if (status == MIEN_OK)
        status = make_folder(path, error);
    snprintf(name, sizeof name, "consents/%s.txt", f->participant);
    if (status == MIEN_OK)
        status = make_path(path, f->path, name, error);
    if (status != MIEN_OK)
        return status;
    when_utc(time(NULL), when);
    FILE *stream = fopen(path, "a");
    bool good = stream != NULL && fprintf(stream, "%s\n%s\n\n%s\n\n", when, note, text) > 0;
    if (stream != NULL)
        good &= fclose(stream) == 0;
    return good ? MIEN_OK
                : error_set(error, MIEN_IO, "cannot write to '%s': %s", path, strerror(errno));
}

/* ---- Adding ---- */

/* The number of the next picture, or -1 when the face looks like one that is there. */
static int choose_number(const capture_folder *f, const char *expression,
                         const difference_hash *hash)
{
    int last = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->kept[i].expression, expression) != 0)
            continue;
        if (difference_hash_distance(&f->kept[i].hash, hash) <= f->most_bits)
            return -1;
        last = f->kept[i].number > last ? f->kept[i].number : last;
    }
    return last + 1;
}

/* The row first: a picture without a row would not be found to be taken back. */
static mien_status write_picture(const capture_folder *f, const kept_picture *picture,
                                 const mien_image *face, mien_error *error)
{
    char path[PATH_SIZE], name[3 * MAX_NAME + 32], when[WHEN_SIZE];
    mien_status status = make_path(path, f->path, picture->expression, error);
    if (status == MIEN_OK)
        status = make_folder(path, error);
    snprintf(name, sizeof name, "%s/%s-%s-%04d.png", picture->expression, f->participant,
             picture->expression, picture->number);
    if (status == MIEN_OK)
        status = make_path(path, f->path, name, error);
    if (status != MIEN_OK)
        return status;
    when_utc(time(NULL), when);
    if (fprintf(f->manifest, "%s,%s,%s,%s\n", name, f->participant, picture->expression, when) <
            0 ||
        fflush(f->manifest) != 0)
        return error_set(error, MIEN_IO, "cannot write to '%s/manifest.csv': %s", f->path,
                         strerror(errno));
    return mien_image_save(face, path, error);
}

mien_status capture_folder_add(capture_folder *f, const char *expression, const mien_image *face,
                               bool *kept, mien_error *error)
{
    kept_picture picture = {0};
    *kept = false;
    mien_status status = check_name("expression", expression, error);
    if (status == MIEN_OK)
        status = difference_hash_of(face, &picture.hash, error);
    if (status != MIEN_OK)
        return status;
    strcpy(picture.expression, expression);
    picture.number = choose_number(f, expression, &picture.hash);
    if (picture.number < 0)
        return MIEN_OK;
    status = write_picture(f, &picture, face, error);
    if (status == MIEN_OK)
        status = remember(f, &picture, error);
    *kept = status == MIEN_OK;
    return status;
}

/* ---- Taking back ---- */

static mien_status remove_file(const char *path, mien_error *error)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set(error, MIEN_IO, "cannot delete '%s': %s", path, strerror(errno));
    return MIEN_OK;
}

/* The rows without those of a participant, in place. Returns their length. */
static size_t leave_out_rows(char *text, const char *participant)
{
    size_t length = strlen(participant), kept = 0;
    for (char *row = text; *row != '\0';) {
        size_t size = strcspn(row, "\n");
        size += row[size] == '\n';
        const char *owner = memchr(row, ',', size);
        bool own = owner != NULL && strncmp(owner + 1, participant, length) == 0 &&
                   owner[1 + length] == ',';
        if (!own) {
            memmove(text + kept, row, size);
            kept += size;
        }
        row += size;
    }
    return kept;
}

static mien_status clean_manifest(const char *folder, const char *participant, mien_error *error)
{
    char path[PATH_SIZE];
    uint8_t *bytes;
    size_t size;
    mien_status status = make_path(path, folder, "manifest.csv", error);
    if (status != MIEN_OK || !file_exists(path))
        return status;
    status = file_read(path, MAX_MANIFEST, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    size = leave_out_rows((char *)bytes, participant);
    status = file_write_atomic(path, bytes, size, error);
    free(bytes);
    return status;
}

mien_status capture_folder_withdraw(const char *path, const char *participant, size_t *removed,
                                    mien_error *error)
{
    *removed = 0;
    file_list files = {0};
    char name[MAX_NAME + 32], consent[PATH_SIZE];
    mien_status status = check_name("participant", participant, error);
    if (status == MIEN_OK)
        status = file_list_add_folder(&files, path, error);
    for (size_t i = 0; status == MIEN_OK && i < files.count; i++) {
        kept_picture picture;
        if (!read_name(files.paths[i], participant, &picture))
            continue;
        status = remove_file(files.paths[i], error);
        *removed += status == MIEN_OK;
    }
    file_list_free(&files);
    if (status == MIEN_OK)
        status = clean_manifest(path, participant, error);
    snprintf(name, sizeof name, "consents/%s.txt", participant);
    if (status == MIEN_OK)
        status = make_path(consent, path, name, error);
    return status == MIEN_OK ? remove_file(consent, error) : status;
}
