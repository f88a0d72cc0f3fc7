/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/error.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FOLDER_DEPTH 32

mien_status file_read_descriptor(int descriptor, const char *name, size_t max_bytes,
                                 uint8_t **bytes, size_t *size, mien_error *error)
{
    *bytes = NULL;
    *size = 0;
    struct stat info;
    size_t capacity = 1 << 16;
    if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        if ((uint64_t)info.st_size > max_bytes)
            return error_set(error, MIEN_LIMIT, "'%s' has %lld bytes, the limit is %zu", name,
                             (long long)info.st_size, max_bytes);
        capacity = (size_t)info.st_size + 1; /* one more, so that the end is seen at once */
    }
    uint8_t *buffer = malloc(capacity + 1);
    size_t used = 0;
    mien_status status = MIEN_OK;
    while (buffer != NULL) {
        ssize_t got = read(descriptor, buffer + used, capacity - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = error_set(error, MIEN_IO, "cannot read '%s': %s", name, strerror(errno));
            break;
        }
        used += (size_t)got;
        if (got == 0)
            break;
        if (used > max_bytes) {
            status = error_set(error, MIEN_LIMIT, "'%s' has more than %zu bytes", name, max_bytes);
            break;
        }
        if (used < capacity)
            continue;
        uint8_t *grown = realloc(buffer, capacity * 2 + 1);
        if (grown == NULL) {
            status = error_no_memory(error, name, capacity * 2);
            break;
        }
        buffer = grown;
        capacity *= 2;
    }
    if (buffer == NULL)
        return error_no_memory(error, name, capacity);
    if (status != MIEN_OK) {
        free(buffer);
        return status;
    }
    buffer[used] = 0;
    *bytes = buffer;
    *size = used;
    return MIEN_OK;
}

mien_status file_read(const char *path, size_t max_bytes, uint8_t **bytes, size_t *size,
                      mien_error *error)
{
    *bytes = NULL;
    *size = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        mien_status status = errno == ENOENT || errno == ENOTDIR ? MIEN_NOT_FOUND : MIEN_IO;
        return error_set(error, status, "cannot open '%s': %s", path, strerror(errno));
    }
    mien_status status = file_read_descriptor(descriptor, path, max_bytes, bytes, size, error);
    close(descriptor);
    return status;
}

/* false with errno set when it fails. */
static bool write_all(int descriptor, const uint8_t *bytes, size_t size)
{
    size_t written = 0;
    while (written < size) {
        ssize_t part = write(descriptor, bytes + written, size - written);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return false;
        written += (size_t)part;
    }
    return true;
}

/* Writes everything and syncs; false with errno set when it fails. */
static bool write_parts(int descriptor, const file_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!write_all(descriptor, parts[i].bytes, parts[i].size))
            return false;
    return fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS;
}

/* Opens a new file "<path>.<process>-<try>.tmp" for writing; its name goes into the buffer. */
static int open_temporary(const char *path, char *name, size_t size)
{
    enum { MOST_TRIES = 1000 };
    int descriptor = -1;
    for (int i = 0; i < MOST_TRIES && descriptor < 0; i++) {
        snprintf(name, size, "%s.%ld-%d.tmp", path, (long)getpid(), i);
        descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor < 0 && errno != EEXIST)
            break;
    }
    return descriptor;
}

mien_status file_write_atomic(const char *path, const void *bytes, size_t size, mien_error *error)
{
    return file_write_parts_atomic(path, &(file_part){bytes, size}, 1, error);
}

mien_status file_write_parts_atomic(const char *path, const file_part *parts, size_t count,
                                    mien_error *error)
{
    size_t room = strlen(path) + 48;
    char *temporary = malloc(room);
    if (temporary == NULL)
        return error_no_memory(error, path, room);
    int descriptor = open_temporary(path, temporary, room);
    if (descriptor < 0) {
        mien_status status =
            error_set(error, MIEN_IO, "cannot write '%s': %s", path, strerror(errno));
        free(temporary);
        return status;
    }
    bool written = write_parts(descriptor, parts, count);
    int reason = errno;
    if (close(descriptor) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(temporary, path) != 0) {
        written = false;
        reason = errno;
    }
    mien_status status = MIEN_OK;
    if (!written) {
        unlink(temporary);
        status = error_set(error, MIEN_IO, "cannot write '%s': %s", path, strerror(reason));
    }
    free(temporary);
    return status;
}

bool file_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

mien_status file_list_add(file_list *list, const char *path, mien_error *error)
{
    char *copy = memory_copy_string(path);
    void *paths = list->paths;
    if (copy == NULL || !memory_grow(&paths, list->count, &list->capacity, sizeof *list->paths)) {
        free(copy);
        return error_no_memory(error, "a list of files", list->count * sizeof *list->paths);
    }
    list->paths = paths;
    list->paths[list->count++] = copy;
    return MIEN_OK;
}

static mien_status add_folder(file_list *list, const char *folder, int depth, mien_error *error);

static mien_status add_entry(file_list *list, const char *folder, const char *name, int depth,
                             mien_error *error)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path == NULL)
        return error_no_memory(error, folder, room);
    size_t folder_length = strlen(folder);
    bool slash = folder_length != 0 && folder[folder_length - 1] == '/';
    snprintf(path, room, "%s%s%s", folder, slash ? "" : "/", name);
    struct stat info, target;
    mien_status status = MIEN_OK;
    if (lstat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            status = add_folder(list, path, depth + 1, error);
        else if (stat(path, &target) == 0 && S_ISREG(target.st_mode))
            status = file_list_add(list, path, error);
    }
    free(path);
    return status;
}

static mien_status add_folder(file_list *list, const char *folder, int depth, mien_error *error)
{
    if (depth > MAX_FOLDER_DEPTH)
        return error_set(error, MIEN_LIMIT, "'%s' is more than %d folders deep", folder,
                         MAX_FOLDER_DEPTH);
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        mien_status status = errno == ENOENT ? MIEN_NOT_FOUND : MIEN_IO;
        return error_set(error, status, "cannot read folder '%s': %s", folder, strerror(errno));
    }
    mien_status first_failure = MIEN_OK;
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        mien_error ignored;
        mien_status status = add_entry(list, folder, entry->d_name, depth,
                                       first_failure == MIEN_OK ? error : &ignored);
        if (first_failure == MIEN_OK)
            first_failure = status;
    }
    closedir(stream);
    return first_failure;
}

static int compare_paths(const void *a, const void *b)
{
    const char *const *first = a;
    const char *const *second = b;
    return strcmp(*first, *second);
}

mien_status file_list_add_folder(file_list *list, const char *folder, mien_error *error)
{
    size_t before = list->count;
    mien_status status = add_folder(list, folder, 0, error);
    if (list->count > before)
        qsort(list->paths + before, list->count - before, sizeof *list->paths, compare_paths);
    return status;
}

void file_list_free(file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (file_list){0};
}

const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

const char *file_extension(const char *path)
{
    const char *name = file_name(path);
    const char *dot = strrchr(name, '.');
    return dot != NULL && dot != name ? dot + 1 : "";
}
