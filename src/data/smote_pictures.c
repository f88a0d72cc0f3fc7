/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/memory.h"
#include "data/builder.h"
#include "data/smote.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A family of streams of its own, one for each class. */
#define STREAM_SMOTE (UINT64_C(3) << 60)

/* A sample as a row of numbers: its pixels, then its votes, which are too small to matter for who
 * is near. */
typedef struct rows {
    const dataset *set;
    int width, height;
    mien_pixel_format format;
    size_t line, pixels, dims;
    bool votes;
} rows;

static mien_status measure(const dataset *set, rows *r, mien_error *error)
{
    const dataset_sample *first = &set->samples[0];
    *r = (rows){.set = set,
                .width = first->image.width,
                .height = first->image.height,
                .format = first->image.format,
                .line = (size_t)first->image.width * (size_t)mien_pixel_size(first->image.format),
                .votes = first->votes != NULL};
    r->pixels = r->line * (size_t)r->height;
    r->dims = r->pixels + (r->votes ? (size_t)set->class_count : 0);
    for (size_t i = 0; i < set->count; i++) {
        const dataset_sample *sample = &set->samples[i];
        if (sample->image.width != r->width || sample->image.height != r->height ||
            sample->image.format != r->format || (sample->votes != NULL) != r->votes ||
            sample->face.width > 0)
            return error_set(error, MIEN_UNSUPPORTED,
                             "SMOTE of pixels needs pictures of one size that are faces as a "
                             "whole; sample %zu is another",
                             i);
    }
    return MIEN_OK;
}

static void to_row(const rows *r, const dataset_sample *sample, float *row)
{
    for (int y = 0; y < r->height; y++) {
        const uint8_t *line = image_row(&sample->image, y);
        for (size_t x = 0; x < r->line; x++)
            *row++ = line[x];
    }
    if (r->votes)
        memcpy(row, sample->votes, (size_t)r->set->class_count * sizeof *row);
}

static mien_status from_row(const rows *r, const float *row, dataset_sample *sample,
                            mien_error *error)
{
    mien_status status = mien_image_alloc(r->width, r->height, r->format, &sample->image, error);
    if (status != MIEN_OK)
        return status;
    for (int y = 0; y < r->height; y++) {
        uint8_t *line = image_row(&sample->image, y);
        for (size_t x = 0; x < r->line; x++)
            line[x] = (uint8_t)lrintf(*row++);
    }
    if (!r->votes)
        return MIEN_OK;
    float *votes = memory_zeroed((size_t)r->set->class_count, sizeof *votes);
    if (votes == NULL)
        return error_no_memory(error, "votes", (size_t)r->set->class_count * sizeof *votes);
    memcpy(votes, row, (size_t)r->set->class_count * sizeof *votes);
    sample->votes = votes;
    return MIEN_OK;
}

static void count_classes(const dataset *set, size_t counts[DATASET_MAX_CLASSES], size_t *most)
{
    memset(counts, 0, DATASET_MAX_CLASSES * sizeof *counts);
    *most = 0;
    for (size_t i = 0; i < set->count; i++) {
        size_t count = ++counts[set->samples[i].label];
        *most = count > *most ? count : *most;
    }
}

static mien_status add_rows(const rows *r, int label, const float *made, size_t count,
                            dataset_builder *builder, mien_error *error)
{
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < count; i++) {
        dataset_sample *sample = dataset_builder_add(builder);
        if (sample == NULL)
            return error_no_memory(error, "the list of samples", count * sizeof *sample);
        sample->label = label;
        status = from_row(r, made + i * r->dims, sample, error);
    }
    return status;
}

/* n: samples of the class; wanted: how many are made. */
static mien_status make_class(const rows *r, int label, size_t n, size_t wanted, size_t k,
                              uint64_t seed, dataset_builder *builder, mien_error *error)
{
    float *samples = memory_zeroed(n, r->dims * sizeof *samples);
    float *made = memory_zeroed(wanted, r->dims * sizeof *made);
    mien_status status = MIEN_OK;
    if (samples == NULL || made == NULL)
        status = error_no_memory(error, "SMOTE", (uint64_t)(n + wanted) * r->dims * sizeof *made);
    for (size_t i = 0, row = 0; status == MIEN_OK && i < r->set->count; i++)
        if (r->set->samples[i].label == label)
            to_row(r, &r->set->samples[i], samples + r->dims * row++);
    random_state random = random_start(seed, STREAM_SMOTE + (uint64_t)label);
    if (status == MIEN_OK)
        status = smote_make(samples, n, r->dims, k, wanted, &random, made, error);
    if (status == MIEN_OK)
        status = add_rows(r, label, made, wanted, builder, error);
    free(samples);
    free(made);
    return status;
}

mien_status smote_pictures(const dataset *set, float share, size_t k, uint64_t seed,
                           dataset *synthetic, mien_error *error)
{
    dataset_builder builder = {.set = {.class_count = set->class_count}};
    size_t counts[DATASET_MAX_CLASSES], most;
    rows r = {0};
    memcpy(builder.set.class_names, set->class_names, sizeof set->class_names);
    count_classes(set, counts, &most);
    size_t wanted = (size_t)((double)share * (double)most);
    mien_status status = set->count > 0 ? measure(set, &r, error) : MIEN_OK;
    for (int c = 0; status == MIEN_OK && c < set->class_count; c++)
        if (counts[c] >= 2 && counts[c] < wanted)
            status = make_class(&r, c, counts[c], wanted - counts[c], k, seed, &builder, error);
    return dataset_builder_finish(&builder, status, synthetic);
}
