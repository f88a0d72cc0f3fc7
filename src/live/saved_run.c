/* SPDX-License-Identifier: Apache-2.0 */
#include "live/saved_run.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/csv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PICTURE_BYTES  ((size_t)64 << 20)
#define MAX_PICTURE_PIXELS INT64_C(25000000)
#define MAX_TABLE_BYTES    ((off_t)1 << 30)

/* ---- Names ---- */

/* "20261121-134556-767". */
static bool is_run_name(const char *text)
{
    static const char form[] = "dddddddd-dddddd-ddd";
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return text[sizeof form - 1] == '\0';
}

/* Reads 1 to 18 digits. false: there are none, or more. */
static bool read_digits(const char **at, int64_t *number)
{
    size_t length = strspn(*at, "0123456789");
    if (length < 1 || length > 18)
        return false;
    *number = strtoll(*at, NULL, 10);
    *at += length;
    return true;
}

static bool skip(const char **at, const char *text)
{
    size_t length = strlen(text);
    bool is_there = strncmp(*at, text, length) == 0;
    *at += is_there ? length : 0;
    return is_there;
}

/* "", or ".<process>-<try>.tmp": what a run that was killed may leave of a file. */
static bool is_temporary_ending(const char *at)
{
    int64_t number;
    return skip(&at, ".") && read_digits(&at, &number) && skip(&at, "-") &&
           read_digits(&at, &number) && strcmp(at, ".tmp") == 0;
}

typedef enum file_kind { FILE_OF_OTHERS, FILE_PICTURE, FILE_TABLE, FILE_TEMPORARY } file_kind;

/* What a name says. Of a picture, person and frame are filled in. */
static file_kind read_name(const saved_run *run, const char *name, saved_picture *picture)
{
    const char *at = name;
    if (!skip(&at, run->name))
        return FILE_OF_OTHERS;
    if (strcmp(at, ".csv") == 0)
        return FILE_TABLE;
    if (!skip(&at, "-") || !read_digits(&at, &picture->frame) || !skip(&at, "-") ||
        !read_digits(&at, &picture->person) || !skip(&at, ".png"))
        return FILE_OF_OTHERS;
    if (at[0] == '\0')
        return FILE_PICTURE;
    return is_temporary_ending(at) ? FILE_TEMPORARY : FILE_OF_OTHERS;
}

/* ---- Looking ---- */

static int by_frame_and_person(const void *a, const void *b)
{
    const saved_picture *first = a, *second = b;
    if (first->frame != second->frame)
        return first->frame < second->frame ? -1 : 1;
    return (first->person > second->person) - (first->person < second->person);
}

/* Takes over what the file has. */
static bool add_file(saved_picture **files, size_t *count, size_t *room, const saved_picture *file)
{
    void *grown = *files;
    if (!memory_grow(&grown, *count, room, sizeof **files))
        return false;
    *files = grown;
    (*files)[(*count)++] = *file;
    return true;
}

/* Links and all else that is no regular file are somebody else's. */
static bool is_file(int folder, const char *name)
{
    struct stat info;
    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

static mien_status take_name(saved_run *run, int folder, const char *name, mien_error *error)
{
    saved_picture file = {.sub_folder = run->sub_folder_count - 1};
    file_kind kind = read_name(run, name, &file);
    if (kind == FILE_OF_OTHERS || !is_file(folder, name))
        return MIEN_OK;
    file.name = memory_copy_string(name);
    bool added = file.name != NULL;
    if (added && kind == FILE_PICTURE)
        added = add_file(&run->pictures, &run->count, &run->picture_room, &file);
    else if (added)
        added = add_file(&run->others, &run->other_count, &run->other_room, &file);
    if (added)
        return MIEN_OK;
    free(file.name);
    return error_no_memory(error, "the names of pictures", run->count * sizeof file);
}

/* A sub-folder by its name; -1 with errno set where it is none, or a link. */
static int open_sub_folder(const saved_run *run, const char *name)
{
    return openat(run->descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static mien_status look_into(saved_run *run, int descriptor, const char *name, mien_error *error)
{
    DIR *stream = fdopendir(descriptor);
    if (stream == NULL) {
        close(descriptor);
        return error_no_memory(error, "a folder", sizeof *run);
    }
    char *copy = memory_copy_string(name);
    void *folders = run->sub_folders;
    if (copy == NULL || !memory_grow(&folders, run->sub_folder_count, &run->sub_folder_room,
                                     sizeof *run->sub_folders)) {
        free(copy);
        closedir(stream);
        return error_no_memory(error, "a folder", strlen(name));
    }
    run->sub_folders = folders;
    run->sub_folders[run->sub_folder_count++] = copy;
    mien_status status = MIEN_OK;
    const struct dirent *entry;
    while (status == MIEN_OK && (entry = readdir(stream)) != NULL)
        status = take_name(run, descriptor, entry->d_name, error);
    closedir(stream);
    return status;
}

/* Entries that are no folders are passed over. */
static mien_status look_at(saved_run *run, const char *name, mien_error *error)
{
    if (name[0] == '.')
        return MIEN_OK;
    int descriptor = open_sub_folder(run, name);
    if (descriptor >= 0)
        return look_into(run, descriptor, name, error);
    if (errno == ENOTDIR || errno == ELOOP || errno == ENOENT)
        return MIEN_OK;
    return error_set(error, MIEN_IO, "cannot look for pictures in '%s/%s': %s", run->folder, name,
                     strerror(errno));
}

/* The folder's entries, beside the descriptor that is kept. NULL with errno set. */
static DIR *open_folder(saved_run *run)
{
    run->descriptor = open(run->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int second = run->descriptor >= 0 ? open_sub_folder(run, ".") : -1;
    DIR *stream = second >= 0 ? fdopendir(second) : NULL;
    if (second >= 0 && stream == NULL)
        close(second);
    return stream;
}

static mien_status look(saved_run *run, mien_error *error)
{
    DIR *stream = open_folder(run);
    if (stream == NULL && run->descriptor < 0 && errno == ENOENT)
        return MIEN_OK;
    if (stream == NULL)
        return error_set(error, MIEN_IO, "cannot look for pictures in '%s': %s", run->folder,
                         strerror(errno));
    mien_status status = MIEN_OK;
    const struct dirent *entry;
    run->is_there = true;
    while (status == MIEN_OK && (entry = readdir(stream)) != NULL)
        status = look_at(run, entry->d_name, error);
    closedir(stream);
    if (run->count > 1)
        qsort(run->pictures, run->count, sizeof *run->pictures, by_frame_and_person);
    return status;
}

mien_status saved_run_open(const char *where, saved_run *run, mien_error *error)
{
    *run = (saved_run){0};
    const char *slash = strrchr(where, '/');
    if (where[0] != '/' || !is_run_name(slash + 1))
        return error_set(error, MIEN_MALFORMED,
                         "the store is damaged: '%s' does not say where pictures were saved",
                         where);
    run->descriptor = -1;
    run->folder = memory_copy_bytes_as_string(where, slash > where ? (size_t)(slash - where) : 1);
    run->name = memory_copy_string(slash + 1);
    mien_status status = run->folder != NULL && run->name != NULL
                             ? look(run, error)
                             : error_no_memory(error, "the pictures of a run", strlen(where));
    if (status != MIEN_OK)
        saved_run_close(run);
    return status;
}

static void free_files(saved_picture *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(files[i].name);
    free(files);
}

void saved_run_close(saved_run *run)
{
    free_files(run->pictures, run->count);
    free_files(run->others, run->other_count);
    for (size_t i = 0; i < run->sub_folder_count; i++)
        free(run->sub_folders[i]);
    free(run->sub_folders);
    if (run->folder != NULL && run->descriptor >= 0)
        close(run->descriptor);
    free(run->folder);
    free(run->name);
    *run = (saved_run){0};
}

/* ---- Reading ---- */

/* A regular file, open for reading; -1 after a message. A pipe in its place does not hold it up. */
static int open_file(const saved_run *run, const saved_picture *file, off_t *size,
                     mien_error *error)
{
    const char *sub = run->sub_folders[file->sub_folder];
    int folder = open_sub_folder(run, sub), descriptor = -1;
    struct stat info;
    if (folder >= 0)
        descriptor = openat(folder, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int reason = errno;
    if (folder >= 0)
        close(folder);
    if (descriptor >= 0 && fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode)) {
        *size = info.st_size;
        return descriptor;
    }
    error_set(error, descriptor < 0 && reason == ENOENT ? MIEN_NOT_FOUND : MIEN_IO,
              "cannot open '%s/%s/%s': %s", run->folder, sub, file->name,
              descriptor >= 0 ? "it is no file" : strerror(reason));
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

mien_status saved_run_load(const saved_run *run, const saved_picture *picture, mien_image *out,
                           mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    off_t file_size;
    mien_error own;
    error = error != NULL ? error : &own;
    *out = (mien_image){0};
    int descriptor = open_file(run, picture, &file_size, error);
    if (descriptor < 0)
        return error->status;
    mien_status status =
        file_read_descriptor(descriptor, picture->name, MAX_PICTURE_BYTES, &bytes, &size, error);
    close(descriptor);
    if (status != MIEN_OK)
        return status;
    status = mien_image_decode(bytes, size, MIEN_PIXEL_RGB8, MAX_PICTURE_PIXELS, out, error);
    free(bytes);
    return status;
}

/* ---- Tables ---- */

enum { COLUMN_PICTURE, COLUMN_TIME, COLUMN_EXPRESSION, COLUMNS };

/* A field with a zero byte behind it, cut off where the buffer ends. */
static const char *copy_field(csv_text field, char *buffer, size_t size)
{
    size_t length = field.length < size ? field.length : size - 1;
    memcpy(buffer, field.text, length);
    buffer[length] = '\0';
    return buffer;
}

/* The picture that a row is about; NULL when it is not there. *is_row: it is about one. */
static saved_picture *find_picture(const saved_run *run, const saved_picture *table, csv_text field,
                                   bool *is_row)
{
    char name[128];
    saved_picture key = {0};
    *is_row = read_name(run, copy_field(field, name, sizeof name), &key) == FILE_PICTURE;
    saved_picture *found = *is_row && run->count > 0 ? bsearch(&key, run->pictures, run->count,
                                                               sizeof key, by_frame_and_person)
                                                     : NULL;
    return found != NULL && found->sub_folder == table->sub_folder ? found : NULL;
}

static void take_row(const saved_run *run, const saved_picture *table, const csv_text *fields,
                     const int columns[COLUMNS], size_t *gone)
{
    bool is_row;
    char number[64], *end;
    saved_picture *picture = find_picture(run, table, fields[columns[COLUMN_PICTURE]], &is_row);
    if (picture == NULL) {
        *gone += is_row;
        return;
    }
    copy_field(fields[columns[COLUMN_TIME]], number, sizeof number);
    picture->time_s = strtod(number, &end);
    picture->has_row =
        end != number && *end == '\0' && picture->time_s >= 0 && picture->time_s < 1e9;
    copy_field(fields[columns[COLUMN_EXPRESSION]], picture->expression, sizeof picture->expression);
}

static mien_status read_rows(saved_run *run, const saved_picture *table, FILE *stream, size_t *gone,
                             mien_error *error)
{
    static const char *const names[COLUMNS] = {"picture", "time", "expression"};
    int columns[COLUMNS];
    csv_reader reader;
    bool more = true;
    mien_status status = csv_open(&reader, stream, table->name, error);
    if (status != MIEN_OK)
        return status;
    status = csv_read_header(&reader, names, COLUMNS, columns, error);
    while (status == MIEN_OK) {
        status = csv_next(&reader, &more, error);
        if (status != MIEN_OK || !more)
            break;
        take_row(run, table, reader.fields, columns, gone);
    }
    csv_close(&reader);
    return status;
}

static mien_status read_table(saved_run *run, const saved_picture *table, size_t *gone,
                              mien_error *error)
{
    off_t size;
    int descriptor = open_file(run, table, &size, error);
    if (descriptor < 0)
        return error->status;
    FILE *stream = size <= MAX_TABLE_BYTES ? fdopen(descriptor, "r") : NULL;
    if (stream == NULL) {
        close(descriptor);
        return size > MAX_TABLE_BYTES
                   ? error_set(error, MIEN_LIMIT, "'%s' is too long", table->name)
                   : error_no_memory(error, "a table", sizeof *table);
    }
    mien_status status = read_rows(run, table, stream, gone, error);
    fclose(stream);
    return status;
}

mien_status saved_run_read_tables(saved_run *run, size_t *gone, mien_error *error)
{
    mien_error own;
    saved_picture ignored;
    mien_status status = MIEN_OK;
    *gone = 0;
    for (size_t i = 0; status != MIEN_OUT_OF_MEMORY && i < run->other_count; i++) {
        if (read_name(run, run->others[i].name, &ignored) != FILE_TABLE)
            continue;
        status = read_table(run, &run->others[i], gone, &own);
    }
    if (status != MIEN_OUT_OF_MEMORY)
        return MIEN_OK;
    return error_no_memory(error, "the tables of a run", run->count * sizeof ignored);
}

/* ---- Deleting ---- */

static mien_status delete_file(const saved_run *run, const saved_picture *file, mien_error *error)
{
    const char *sub = run->sub_folders[file->sub_folder];
    int folder = open_sub_folder(run, sub);
    bool deleted = (folder >= 0 && unlinkat(folder, file->name, 0) == 0) || errno == ENOENT;
    int reason = errno;
    if (folder >= 0)
        close(folder);
    if (deleted)
        return MIEN_OK;
    return error_set(error, MIEN_IO, "cannot delete '%s/%s/%s': %s", run->folder, sub, file->name,
                     strerror(reason));
}

mien_status saved_run_delete(const saved_run *run, size_t *removed, mien_error *error)
{
    mien_status first = MIEN_OK;
    *removed = 0;
    for (size_t i = 0; i < run->count + run->other_count; i++) {
        bool is_picture = i < run->count;
        const saved_picture *file = is_picture ? &run->pictures[i] : &run->others[i - run->count];
        mien_status status = delete_file(run, file, first == MIEN_OK ? error : NULL);
        *removed += is_picture && status == MIEN_OK;
        first = first == MIEN_OK ? status : first;
    }
    return first;
}
