/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_FER_H
#define DATA_FER_H

/* FER-2013 and FER+ from streams: what dataset.h does with paths. */

#include "data/csv.h"
#include "data/dataset.h"

typedef struct fer_source {
    FILE *stream;     /* the caller's; read from where it stands */
    const char *name; /* what messages call it */
} fer_source;

/*
 * dataset_read_fer_csv, or with votes (not NULL) dataset_read_fer_plus. The two streams are read
 * side by side; memory is taken only for the pictures of the split.
 */
mien_status fer_read(const fer_source *pictures, const fer_source *votes, dataset_split split,
                     dataset *out, mien_error *error);

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

#endif
