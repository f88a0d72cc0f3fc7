/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_FER_H
#define DATA_FER_H

/* FER-2013 and FER+ row by row, from streams: what dataset.h does with paths. */

#include "data/csv.h"
#include "data/dataset.h"

typedef struct fer_source {
    FILE *stream;     /* the caller's; read from where it stands */
    const char *name; /* what messages call it */
} fer_source;

/* Opens a file to read. Success: fer_source_close. Failure: the stream is NULL; MIEN_NOT_FOUND,
 * MIEN_IO, MIEN_OUT_OF_MEMORY. */
mien_status fer_source_open(const char *path, fer_source *source, mien_error *error);
void fer_source_close(fer_source *source);

#define FER_SIDE    48
#define FER_PIXELS  (FER_SIDE * FER_SIDE)
#define FER_CLASSES 7

extern const char *const fer_class_names[FER_CLASSES];

/* The Usage column. false when it is none of the three names. */
bool fer_usage(csv_text text, dataset_split *split);

#define FER_PLUS_CLASSES 8  /* the expressions */
#define FER_PLUS_VOTES   10 /* and unknown and NF, "not a face" */

typedef struct fer_plus_reader {
    csv_reader csv;
    int columns[2 + FER_PLUS_VOTES];
} fer_plus_reader;

/* One row of votes. */
typedef struct fer_plus_row {
    dataset_split usage;
    bool has_image; /* false when the image name is empty: removed as no face */
    int votes[FER_PLUS_VOTES];
} fer_plus_row;

/* Opens the stream and reads the header. Success: csv_close(&reader->csv). Failure: nothing. */
mien_status fer_plus_open(fer_plus_reader *reader, const fer_source *source, mien_error *error);

/* The next row; *more is false at the end. */
mien_status fer_plus_next(fer_plus_reader *reader, fer_plus_row *row, bool *more,
                          mien_error *error);

/* The class of a row, or -1 when the protocol leaves it out. */
int fer_plus_label(const fer_plus_row *row);

/*
 * The shares of the expressions, (FER_PLUS_CLASSES), which sum to 1. The row has a label.
 * The caller's, free with free(); NULL when out of memory.
 */
float *fer_plus_shares(const fer_plus_row *row);

extern const char *const fer_plus_class_names[FER_PLUS_CLASSES];

/* A row of the set. */
typedef struct fer_record {
    size_t row; /* in the CSV file, from 0 */
    dataset_split usage;
    int emotion;               /* 0..FER_CLASSES-1 */
    const fer_plus_row *votes; /* NULL without; valid during the call */
} fer_record;

/* Who takes the rows, in their order. */
typedef struct fer_taker {
    void *context;
    bool (*wants)(void *context, dataset_split usage); /* asked once a row, before its pixels */
    /* pixels: (FER_SIDE, FER_SIDE) grey, valid during the call. */
    mien_status (*take)(void *context, const fer_record *record, const uint8_t *pixels,
                        mien_error *error);
} fer_taker;

/*
 * Hands out the rows of a CSV file; with votes (not NULL) those too, read side by side. Errors:
 * those of dataset_read_fer_csv and dataset_read_fer_plus, and the taker's.
 */
mien_status fer_scan(const fer_source *pictures, const fer_source *votes, const fer_taker *taker,
                     mien_error *error);

/* dataset_read_fer_csv, or with votes (not NULL) dataset_read_fer_plus, of CSV streams. */
mien_status fer_read(const fer_source *pictures, const fer_source *votes, dataset_split split,
                     dataset *out, mien_error *error);

#endif
