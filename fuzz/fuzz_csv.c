/* SPDX-License-Identifier: Apache-2.0 */
#include "data/fer.h"

#include <stdint.h>
#include <string.h>

/*
 * Bytes as a FER-2013 file. What follows a first byte 0xFF, which no such text has, is taken as
 * the FER+ votes to it.
 */

#define SEPARATOR 0xFF

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static FILE *open_bytes(const uint8_t *bytes, size_t size)
{
    return fmemopen((void *)(uintptr_t)bytes, size, "rb");
}

static void read_as(const fer_source *pictures, const fer_source *votes, dataset_split split)
{
    dataset set;
    mien_error error;
    rewind(pictures->stream);
    if (votes != NULL)
        rewind(votes->stream);
    if (fer_read(pictures, votes, split, &set, &error) == MIEN_OK)
        dataset_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *separator = size != 0 ? memchr(bytes, SEPARATOR, size) : NULL;
    size_t csv_size = separator != NULL ? (size_t)(separator - bytes) : size;
    fer_source pictures = {open_bytes(bytes, csv_size), "faces.csv"};
    if (pictures.stream == NULL)
        return 0;
    read_as(&pictures, NULL, DATASET_ALL);
    if (separator != NULL) {
        fer_source votes = {open_bytes(separator + 1, size - csv_size - 1), "votes.csv"};
        if (votes.stream != NULL) {
            read_as(&pictures, &votes, DATASET_PUBLIC_TEST);
            fclose(votes.stream);
        }
    }
    fclose(pictures.stream);
    return 0;
}
