/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run_log.h"

#include "base/error.h"
#include "base/file.h"
#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mien_status run_log_cut(const char *path, int64_t lines, mien_error *error)
{
    uint8_t *bytes;
    size_t size, kept = 0;
    if (!file_exists(path))
        return MIEN_OK;
    mien_status status = file_read(path, SIZE_MAX / 4, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    for (int64_t line = 0; line < lines && kept < size; line++) {
        const uint8_t *newline = memchr(bytes + kept, '\n', size - kept);
        if (newline == NULL)
            break;
        kept = (size_t)(newline - bytes) + 1;
    }
    if (kept != size)
        status = file_write_atomic(path, bytes, kept, error);
    free(bytes);
    return status;
}

/* The number behind a key of a line, on which *at moves on; false without one. */
static bool find_number(const char **at, const char *key, double *value)
{
    const char *found = strstr(*at, key);
    if (found == NULL)
        return false;
    return number_read(found + strlen(key), at, value);
}

mien_status run_log_best(const char *path, int epochs, int *logged, double *best, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    double epoch, accuracy;
    *logged = 0;
    *best = -1;
    mien_status status = file_read(path, SIZE_MAX / 4, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    const char *at = (const char *)bytes;
    while (find_number(&at, "\"epoch\":", &epoch) && epoch <= epochs) {
        *logged = (int)epoch;
        if (!find_number(&at, "\"validation_accuracy\":", &accuracy)) {
            status =
                error_set(error, MIEN_MALFORMED, "%s: epoch %d has no accuracy", path, *logged);
            break;
        }
        *best = accuracy > *best ? accuracy : *best;
    }
    free(bytes);
    return status;
}

mien_status run_log_append(const char *path, const train_progress *p, mien_error *error)
{
    FILE *log = fopen(path, "a");
    if (log == NULL)
        return error_set(error, MIEN_IO, "cannot write '%s': %s", path, strerror(errno));
    fprintf(log,
            "{\"stage\":\"%s\",\"epoch\":%d,\"loss\":%.6f,\"validation_loss\":%.6f,"
            "\"validation_accuracy\":%.6f,\"rate\":%.6g,\"images_per_second\":%.1f%s}\n",
            p->stage, p->epoch, p->loss, p->validation_loss, p->score, p->rate,
            p->images_per_second, p->settled ? ",\"settled\":true" : "");
    bool failed = ferror(log) != 0;
    failed = fclose(log) != 0 || failed;
    return failed ? error_set(error, MIEN_IO, "cannot write '%s': %s", path, strerror(errno))
                  : MIEN_OK;
}
