/* SPDX-License-Identifier: Apache-2.0 */

/* Sets made of FER-2013's and FER+'s rows. */

#include "data/fer.h"

#include "base/error.h"
#include "base/file.h"
#include "data/builder.h"
#include "data/pack.h"

#include <stdlib.h>
#include <string.h>

/* The set that grows. */
typedef struct collector {
    dataset_split split;
    bool by_votes;
    size_t rows; /* of all splits */
    dataset_builder builder;
} collector;

static bool wants(void *context, dataset_split usage)
{
    collector *c = context;
    c->rows++;
    return c->split == DATASET_ALL || c->split == usage;
}

static mien_status take(void *context, const fer_record *record, const uint8_t *pixels,
                        mien_error *error)
{
    collector *c = context;
    int label = c->by_votes ? fer_plus_label(record->votes) : record->emotion;
    if (label < 0) {
        c->builder.set.left_out++;
        return MIEN_OK;
    }
    dataset_sample *sample = dataset_builder_add(&c->builder);
    if (sample == NULL)
        return error_no_memory(error, "the list of samples",
                               2 * c->builder.capacity * sizeof *sample);
    sample->label = label;
    sample->row = record->row;
    if (c->by_votes && (sample->votes = fer_plus_shares(record->votes)) == NULL)
        return error_no_memory(error, "votes", FER_PLUS_CLASSES * sizeof *sample->votes);
    mien_status status =
        mien_image_alloc(FER_SIDE, FER_SIDE, MIEN_PIXEL_GRAY8, &sample->image, error);
    if (status == MIEN_OK)
        memcpy(sample->image.data, pixels, FER_PIXELS);
    return status;
}

static mien_status add_classes(collector *c, mien_error *error)
{
    const char *const *names = c->by_votes ? fer_plus_class_names : fer_class_names;
    int count = c->by_votes ? FER_PLUS_CLASSES : FER_CLASSES;
    mien_status status = MIEN_OK;
    for (int i = 0; i < count && status == MIEN_OK; i++)
        status = dataset_builder_add_class(&c->builder, names[i], error);
    return status;
}

static mien_status check_not_empty(const collector *c, const char *name, mien_error *error)
{
    const dataset *set = &c->builder.set;
    if (set->count > 0)
        return MIEN_OK;
    return error_set(error, MIEN_NOT_FOUND,
                     "'%s' has no sample of the split '%s' (%zu rows in all, %zu of the split "
                     "left out by FER+)",
                     name, dataset_split_name(c->split), c->rows, set->left_out);
}

static mien_status scan_packed(const char *path, bool with_votes, const fer_taker *taker,
                               mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, PACK_MAX_BYTES, &bytes, &size, error);
    if (status == MIEN_OK)
        status = pack_scan(bytes, size, path, with_votes, taker, error);
    free(bytes);
    return status;
}

/* From a packed set where is_packed, else from CSV. */
static mien_status collect(const fer_source *pictures, const fer_source *votes, bool is_packed,
                           dataset_split split, dataset *out, mien_error *error)
{
    collector c = {.split = split, .by_votes = votes != NULL};
    const fer_taker taker = {&c, wants, take};
    mien_status status = add_classes(&c, error);
    if (status == MIEN_OK && is_packed)
        status = scan_packed(pictures->name, votes != NULL, &taker, error);
    else if (status == MIEN_OK)
        status = fer_scan(pictures, votes, &taker, error);
    if (status == MIEN_OK)
        status = check_not_empty(&c, pictures->name, error);
    return dataset_builder_finish(&c.builder, status, out);
}

mien_status fer_read(const fer_source *pictures, const fer_source *votes, dataset_split split,
                     dataset *out, mien_error *error)
{
    return collect(pictures, votes, false, split, out, error);
}

mien_status dataset_read_fer_csv(const char *path, dataset_split split, dataset *out,
                                 mien_error *error)
{
    *out = (dataset){0};
    fer_source pictures;
    mien_status status = fer_source_open(path, &pictures, error);
    if (status == MIEN_OK)
        status = collect(&pictures, NULL, pack_begins(pictures.stream), split, out, error);
    fer_source_close(&pictures);
    return status;
}

mien_status dataset_read_fer_plus(const char *path, const char *votes_path, dataset_split split,
                                  dataset *out, mien_error *error)
{
    *out = (dataset){0};
    fer_source pictures = {0};
    fer_source votes = {0};
    mien_status status = fer_source_open(path, &pictures, error);
    if (status == MIEN_OK)
        status = fer_source_open(votes_path, &votes, error);
    bool is_packed = status == MIEN_OK && pack_begins(pictures.stream);
    if (status == MIEN_OK && is_packed != pack_begins(votes.stream))
        status =
            error_set(error, MIEN_INVALID_ARGUMENT,
                      "'%s' is packed and '%s' is not: a packed set has its own votes, so name "
                      "it for both",
                      is_packed ? path : votes_path, is_packed ? votes_path : path);
    if (status == MIEN_OK)
        status = collect(&pictures, &votes, is_packed, split, out, error);
    fer_source_close(&votes);
    fer_source_close(&pictures);
    return status;
}
