/* SPDX-License-Identifier: Apache-2.0 */
#include "data/fer.h"

#include "base/memory.h"

/* Ten people voted. The limit keeps sums of hostile numbers small. */
#define MAX_VOTES 1000

enum { COLUMN_USAGE, COLUMN_IMAGE, COLUMN_FIRST_VOTE, COLUMN_COUNT = 2 + FER_PLUS_VOTES };

static const char *const column_names[COLUMN_COUNT] = {
    "Usage", "Image name", "neutral", "happiness", "surprise", "sadness",
    "anger", "disgust",    "fear",    "contempt",  "unknown",  "NF"};

const char *const fer_plus_class_names[FER_PLUS_CLASSES] = {
    "neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"};

mien_status fer_plus_open(fer_plus_reader *reader, const fer_source *source, mien_error *error)
{
    mien_status status = csv_open(&reader->csv, source->stream, source->name, error);
    if (status != MIEN_OK)
        return status;
    status = csv_read_header(&reader->csv, column_names, COLUMN_COUNT, reader->columns, error);
    if (status != MIEN_OK)
        csv_close(&reader->csv);
    return status;
}

mien_status fer_plus_next(fer_plus_reader *reader, fer_plus_row *row, bool *more, mien_error *error)
{
    csv_reader *csv = &reader->csv;
    mien_status status = csv_next(csv, more, error);
    if (status != MIEN_OK || !*more)
        return status;
    char shown[CSV_SHOWN_SIZE];
    csv_text usage = csv->fields[reader->columns[COLUMN_USAGE]];
    if (!fer_usage(usage, &row->usage))
        return csv_fail(csv, error, column_names[COLUMN_USAGE],
                        "'%s' is not Training, PublicTest or PrivateTest", csv_show(usage, shown));
    row->has_image = csv->fields[reader->columns[COLUMN_IMAGE]].length != 0;
    for (int i = 0; i < FER_PLUS_VOTES; i++) {
        csv_text votes = csv->fields[reader->columns[COLUMN_FIRST_VOTE + i]];
        if (!csv_number(votes, MAX_VOTES, &row->votes[i]))
            return csv_fail(csv, error, column_names[COLUMN_FIRST_VOTE + i],
                            "'%s' is not a number of votes from 0 to %d", csv_show(votes, shown),
                            MAX_VOTES);
    }
    return MIEN_OK;
}

int fer_plus_label(const fer_plus_row *row)
{
    int best = 0;
    bool tie = false;
    for (int i = 1; i < FER_PLUS_VOTES; i++) {
        tie = row->votes[i] == row->votes[best] || (tie && row->votes[i] < row->votes[best]);
        if (row->votes[i] > row->votes[best])
            best = i;
    }
    return row->has_image && !tie && best < FER_PLUS_CLASSES ? best : -1;
}

float *fer_plus_shares(const fer_plus_row *row)
{
    float *shares = memory_zeroed(FER_PLUS_CLASSES, sizeof *shares);
    if (shares == NULL)
        return NULL;
    int sum = 0;
    for (int i = 0; i < FER_PLUS_CLASSES; i++)
        sum += row->votes[i];
    for (int i = 0; i < FER_PLUS_CLASSES; i++)
        shares[i] = (float)row->votes[i] / (float)sum;
    return shares;
}
