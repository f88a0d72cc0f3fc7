/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

/* Files as a whole: read at once, written atomically. All functions are thread-safe. */

#include <mien/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads a whole file of at most max_bytes. "-" is not special.
 * Success: *bytes (never NULL, one zero byte after the end) is the caller's, free with free().
 * Failure: *bytes is NULL. MIEN_NOT_FOUND, MIEN_IO (a folder, no right to read, read error),
 * MIEN_LIMIT, MIEN_OUT_OF_MEMORY. The message names the file.
 */
mien_status file_read(const char *path, size_t max_bytes, uint8_t **bytes, size_t *size,
                      mien_error *error);

/* The same from an open file descriptor until its end; name is what messages call it. */
mien_status file_read_descriptor(int descriptor, const char *name, size_t max_bytes,
                                 uint8_t **bytes, size_t *size, mien_error *error);

/*
 * Writes a file so that a reader sees the old one or the whole new one: a temporary file in the
 * same folder, synced, renamed. Failure: MIEN_IO, the old file untouched, no temporary left.
 */
mien_status file_write_atomic(const char *path, const void *bytes, size_t size, mien_error *error);

typedef struct file_part {
    const void *bytes; /* the caller's; may be NULL when size is 0 */
    size_t size;
} file_part;

/* The same for a file that lies in parts, one behind the other. */
mien_status file_write_parts_atomic(const char *path, const file_part *parts, size_t count,
                                    mien_error *error);

bool file_is_folder(const char *path);
bool file_exists(const char *path);

/* A list of paths, sorted by name, freed with file_list_free. */
typedef struct file_list {
    char **paths;
    size_t count;
    size_t capacity;
} file_list;

/*
 * Adds the regular files below a folder, sub-folders included, hidden names and symbolic links to
 * folders left out, in byte order of the path. What cannot be read is left out and reported: the
 * first such error comes back when everything else is in the list. MIEN_NOT_FOUND, MIEN_IO,
 * MIEN_LIMIT (too deep), MIEN_OUT_OF_MEMORY.
 */
mien_status file_list_add_folder(file_list *list, const char *folder, mien_error *error);
mien_status file_list_add(file_list *list, const char *path, mien_error *error);
void file_list_free(file_list *list);

/* The part after the last '/', and the part after the last '.' of it ("" when there is none). */
const char *file_name(const char *path);
const char *file_extension(const char *path);

#endif
