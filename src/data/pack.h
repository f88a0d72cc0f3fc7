/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_PACK_H
#define DATA_PACK_H

/*
 * FER-2013, with FER+'s votes where wanted, in one compact file without loss (docs/DATA.md). The
 * readers of dataset.h take it like the CSV file.
 */

#include "data/fer.h"

/* The stream begins as a packed set does; one byte is looked at and put back. */
bool pack_begins(FILE *stream);

#define PACK_MAX_BYTES ((size_t)1 << 30)

/*
 * Hands out the rows of a packed set, as fer_scan does those of CSV files. name: what messages call
 * it. with_votes: they have to be there. The bytes are hostile. MIEN_NOT_FOUND (no votes),
 * MIEN_UNSUPPORTED (of a newer mien), MIEN_MALFORMED (damaged), MIEN_OUT_OF_MEMORY, and the taker's
 * errors.
 */
mien_status pack_scan(const uint8_t *bytes, size_t size, const char *name, bool with_votes,
                      const fer_taker *taker, mien_error *error);

typedef struct pack_report {
    size_t pictures, bytes;
} pack_report;

/*
 * Writes the rows of a CSV file, with their votes unless votes is NULL. with_private: those of
 * PrivateTest too. The file appears whole or not at all. Errors: those of fer_scan, MIEN_LIMIT
 * (over 255 votes in a column), MIEN_NOT_FOUND (no row), MIEN_IO.
 */
mien_status pack_write(const fer_source *pictures, const fer_source *votes, bool with_private,
                       const char *path, pack_report *report, mien_error *error);

#endif
