/* SPDX-License-Identifier: Apache-2.0 */
#include "data/fer.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

enum { COLUMN_EMOTION, COLUMN_PIXELS, COLUMN_USAGE, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = {"emotion", "pixels", "Usage"};

const char *const fer_class_names[FER_CLASSES] = {"angry", "disgust",  "fear",   "happy",
                                                  "sad",   "surprise", "neutral"};

/* The work in hand: two files side by side. */
typedef struct fer_job {
    csv_reader csv;
    int columns[COLUMN_COUNT];
    fer_plus_reader *plus; /* NULL without votes */
    const fer_taker *taker;
    size_t rows; /* read so far, of all splits */
} fer_job;

mien_status fer_source_open(const char *path, fer_source *source, mien_error *error)
{
    *source = (fer_source){fopen(path, "rbe"), path};
    if (source->stream != NULL)
        return MIEN_OK;
    mien_status status = errno == ENOENT || errno == ENOTDIR ? MIEN_NOT_FOUND : MIEN_IO;
    if (errno == ENOMEM)
        return error_no_memory(error, path, BUFSIZ);
    return error_set(error, status, "cannot open '%s': %s", path, strerror(errno));
}

void fer_source_close(fer_source *source)
{
    if (source->stream != NULL)
        fclose(source->stream);
}

bool fer_usage(csv_text text, dataset_split *split)
{
    for (int i = DATASET_TRAINING; i <= DATASET_PRIVATE_TEST; i++) {
        if (!csv_equals(text, dataset_split_name((dataset_split)i)))
            continue;
        *split = (dataset_split)i;
        return true;
    }
    return false;
}

static mien_status parse_row(const fer_job *job, int *emotion, dataset_split *usage,
                             mien_error *error)
{
    char shown[CSV_SHOWN_SIZE];
    csv_text emotion_text = job->csv.fields[job->columns[COLUMN_EMOTION]];
    csv_text usage_text = job->csv.fields[job->columns[COLUMN_USAGE]];
    if (!csv_number(emotion_text, FER_CLASSES - 1, emotion))
        return csv_fail(&job->csv, error, column_names[COLUMN_EMOTION],
                        "'%s' is not a class from 0 to %d", csv_show(emotion_text, shown),
                        FER_CLASSES - 1);
    if (!fer_usage(usage_text, usage))
        return csv_fail(&job->csv, error, column_names[COLUMN_USAGE],
                        "'%s' is not Training, PublicTest or PrivateTest",
                        csv_show(usage_text, shown));
    return MIEN_OK;
}

/* Reads the number 0..255 at *cursor and passes over it; false when there is none. */
static bool scan_pixel(const char **cursor, const char *end, uint8_t *pixel)
{
    const char *start = *cursor;
    unsigned value = 0;
    while (*cursor < end && **cursor >= '0' && **cursor <= '9' && value <= UINT8_MAX)
        value = value * 10 + (unsigned)(*(*cursor)++ - '0');
    *pixel = (uint8_t)value;
    bool ends = *cursor == end || **cursor == ' ';
    return *cursor != start && ends && value <= UINT8_MAX;
}

static mien_status bad_pixel(const csv_reader *csv, size_t index, const char *start,
                             const char *end, mien_error *error)
{
    char shown[CSV_SHOWN_SIZE];
    const char *blank = memchr(start, ' ', (size_t)(end - start));
    csv_text value = {start, (size_t)((blank != NULL ? blank : end) - start)};
    return csv_fail(csv, error, column_names[COLUMN_PIXELS],
                    "value %zu is '%s', not a number from 0 to 255", index + 1,
                    csv_show(value, shown));
}

/* pixels: (FER_PIXELS), filled from numbers with blanks between. */
static mien_status parse_pixels(const csv_reader *csv, csv_text text, uint8_t *pixels,
                                mien_error *error)
{
    const char *cursor = text.text;
    const char *end = text.text + text.length;
    size_t count = 0;
    while (cursor < end) {
        if (*cursor == ' ') {
            cursor++;
            continue;
        }
        if (count == FER_PIXELS)
            return csv_fail(csv, error, column_names[COLUMN_PIXELS],
                            "more than %d values; a picture has %d x %d", FER_PIXELS, FER_SIDE,
                            FER_SIDE);
        const char *start = cursor;
        if (!scan_pixel(&cursor, end, &pixels[count]))
            return bad_pixel(csv, count, start, end, error);
        count++;
    }
    if (count != FER_PIXELS)
        return csv_fail(csv, error, column_names[COLUMN_PIXELS],
                        "%zu values; a picture has %d x %d = %d", count, FER_SIDE, FER_SIDE,
                        FER_PIXELS);
    return MIEN_OK;
}

static mien_status read_votes(const fer_job *job, dataset_split usage, fer_plus_row *votes,
                              mien_error *error)
{
    bool more;
    mien_status status = fer_plus_next(job->plus, votes, &more, error);
    if (status != MIEN_OK)
        return status;
    if (!more)
        return csv_fail(&job->plus->csv, error, NULL, "the votes end here, but '%s' goes on",
                        job->csv.name);
    if (votes->usage != usage)
        return csv_fail(&job->plus->csv, error, column_names[COLUMN_USAGE],
                        "'%s', but '%s' has '%s' there; the files do not belong together",
                        dataset_split_name(votes->usage), job->csv.name, dataset_split_name(usage));
    return MIEN_OK;
}

static mien_status read_row(fer_job *job, mien_error *error)
{
    fer_plus_row votes;
    fer_record record = {.row = job->rows++, .votes = job->plus != NULL ? &votes : NULL};
    mien_status status = parse_row(job, &record.emotion, &record.usage, error);
    if (status == MIEN_OK && job->plus != NULL)
        status = read_votes(job, record.usage, &votes, error);
    if (status != MIEN_OK || !job->taker->wants(job->taker->context, record.usage))
        return status;
    uint8_t pixels[FER_PIXELS];
    status = parse_pixels(&job->csv, job->csv.fields[job->columns[COLUMN_PIXELS]], pixels, error);
    if (status != MIEN_OK)
        return status;
    return job->taker->take(job->taker->context, &record, pixels, error);
}

static mien_status check_end(const fer_job *job, mien_error *error)
{
    if (job->plus == NULL)
        return MIEN_OK;
    fer_plus_row votes;
    bool more;
    mien_status status = fer_plus_next(job->plus, &votes, &more, error);
    if (status == MIEN_OK && more)
        status = csv_fail(&job->plus->csv, error, NULL, "votes for a picture that '%s' has not",
                          job->csv.name);
    return status;
}

static mien_status read_rows(fer_job *job, mien_error *error)
{
    mien_status status =
        csv_read_header(&job->csv, column_names, COLUMN_COUNT, job->columns, error);
    while (status == MIEN_OK) {
        bool more;
        status = csv_next(&job->csv, &more, error);
        if (status == MIEN_OK && !more)
            return check_end(job, error);
        if (status == MIEN_OK)
            status = read_row(job, error);
    }
    return status;
}

mien_status fer_scan(const fer_source *pictures, const fer_source *votes, const fer_taker *taker,
                     mien_error *error)
{
    fer_plus_reader plus = {0};
    fer_job job = {.taker = taker, .plus = votes != NULL ? &plus : NULL};
    mien_status status = csv_open(&job.csv, pictures->stream, pictures->name, error);
    if (status == MIEN_OK && votes != NULL)
        status = fer_plus_open(&plus, votes, error);
    if (status == MIEN_OK)
        status = read_rows(&job, error);
    csv_close(&plus.csv);
    csv_close(&job.csv);
    return status;
}
