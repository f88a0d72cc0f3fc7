/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DATA_FER_TEXT_H
#define TESTS_DATA_FER_TEXT_H

/* Small FER-2013 and FER+ files, made in memory. */

#include "data/fer.h"

#include "support.h"

#define FER_VALUES 2304

#define VOTES_HEADER                                                                               \
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"

/* count values, the i-th being (first + i) % 256, in a string that the next call overwrites. */
static inline const char *pixel_text(int count, int first)
{
    static char text[4 * (FER_VALUES + 8) + 1];
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", i != 0 ? " " : "",
                                 (first + i) % 256);
    return text;
}

/* A text that grows; free(text.bytes). */
typedef struct text_file {
    char *bytes;
    size_t size;
    FILE *stream;
} text_file;

static inline FILE *text_begin(text_file *file)
{
    *file = (text_file){0};
    file->stream = open_memstream(&file->bytes, &file->size);
    assert_non_null(file->stream);
    return file->stream;
}

/* Reads size bytes as FER-2013, with votes (a string) as FER+. */
static inline mien_status read_bytes(const void *bytes, size_t size, const char *votes,
                                     dataset_split split, dataset *out, mien_error *error)
{
    fer_source pictures = {fmemopen((void *)(uintptr_t)bytes, size, "rb"), "faces.csv"};
    fer_source plus = {NULL, "votes.csv"};
    assert_non_null(pictures.stream);
    if (votes != NULL)
        plus.stream = fmemopen((void *)(uintptr_t)votes, strlen(votes), "rb");
    mien_status status = fer_read(&pictures, votes != NULL ? &plus : NULL, split, out, error);
    fclose(pictures.stream);
    if (plus.stream != NULL)
        fclose(plus.stream);
    return status;
}

/* Closes the text, reads it and frees it. */
static inline mien_status read_text(text_file *file, dataset_split split, dataset *out,
                                    mien_error *error)
{
    fclose(file->stream);
    mien_status status = read_bytes(file->bytes, file->size, NULL, split, out, error);
    free(file->bytes);
    return status;
}

#endif
