/* SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const split_names[] = {
    [DATASET_ALL] = "all",
    [DATASET_TRAINING] = "Training",
    [DATASET_PUBLIC_TEST] = "PublicTest",
    [DATASET_PRIVATE_TEST] = "PrivateTest",
};

bool dataset_split_parse(const char *name, dataset_split *split)
{
    for (int i = DATASET_ALL; i <= DATASET_PRIVATE_TEST; i++) {
        if (strcmp(name, split_names[i]) != 0)
            continue;
        *split = (dataset_split)i;
        return true;
    }
    return false;
}

const char *dataset_split_name(dataset_split split)
{
    return split_names[split];
}

/* The set owns its votes and paths; const is for those who look at them. */
static void free_owned(const void *memory)
{
    free((void *)(uintptr_t)memory);
}

static void free_sample(dataset_sample *sample)
{
    mien_image_free(&sample->image);
    free_owned(sample->path);
    free_owned(sample->votes);
}

void dataset_free(dataset *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        free_sample(&set->samples[i]);
    free(set->samples);
    *set = (dataset){0};
}

dataset_sample *dataset_builder_add(dataset_builder *builder)
{
    dataset *set = &builder->set;
    void *samples = set->samples;
    if (!memory_grow(&samples, set->count, &builder->capacity, sizeof *set->samples))
        return NULL;
    set->samples = samples;
    dataset_sample *sample = &set->samples[set->count++];
    *sample = (dataset_sample){0};
    return sample;
}

mien_status dataset_builder_add_class(dataset_builder *builder, const char *name, mien_error *error)
{
    dataset *set = &builder->set;
    if (set->class_count == DATASET_MAX_CLASSES)
        return error_set(error, MIEN_LIMIT, "class '%s' is one too many; a set may have %d", name,
                         DATASET_MAX_CLASSES);
    size_t length = strlen(name);
    if (length >= DATASET_CLASS_NAME_SIZE)
        return error_set(error, MIEN_LIMIT, "the class name '%s' is longer than %d bytes", name,
                         DATASET_CLASS_NAME_SIZE - 1);
    memcpy(set->class_names[set->class_count++], name, length + 1);
    return MIEN_OK;
}

mien_status dataset_builder_finish(dataset_builder *builder, mien_status status, dataset *out)
{
    if (status != MIEN_OK)
        dataset_free(&builder->set);
    *out = builder->set;
    *builder = (dataset_builder){0};
    return status;
}

/* ---- Changing a set ---- */

void dataset_keep(dataset *set, const bool *keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (keep[i])
            set->samples[kept++] = set->samples[i];
        else
            free_sample(&set->samples[i]);
    }
    set->count = kept;
}

image_rect dataset_face(const dataset_sample *sample)
{
    if (sample->face.width > 0)
        return sample->face;
    return (image_rect){0, 0, (float)sample->image.width, (float)sample->image.height};
}

static mien_status no_class(const dataset *set, const char *name, mien_error *error)
{
    char names[200] = "";
    for (int c = 0; c < set->class_count; c++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", c > 0 ? ", " : "", set->class_names[c]);
    }
    return error_set(error, MIEN_NOT_FOUND, "the data has no class '%.40s', only %s", name, names);
}

/* place[old class]: its index among the names, or -1. */
static mien_status place_classes(const dataset *set, const char *const *names, int count,
                                 int place[DATASET_MAX_CLASSES], mien_error *error)
{
    for (int c = 0; c < set->class_count; c++)
        place[c] = -1;
    if (count > DATASET_MAX_CLASSES)
        return error_set(error, MIEN_LIMIT, "%d classes are more than %d", count,
                         DATASET_MAX_CLASSES);
    for (int n = 0; n < count; n++) {
        int found = 0;
        while (found < set->class_count && strcmp(set->class_names[found], names[n]) != 0)
            found++;
        if (found == set->class_count)
            return no_class(set, names[n], error);
        place[found] = n;
    }
    return MIEN_OK;
}

/* Shares among the classes that stay; the label's is over 0, so is the sum. */
static void select_votes(const dataset *set, const dataset_sample *sample, const int *place)
{
    float shares[DATASET_MAX_CLASSES] = {0}, sum = 0;
    float *votes = (float *)(uintptr_t)sample->votes; /* the set's own */
    for (int c = 0; votes != NULL && c < set->class_count; c++)
        if (place[c] >= 0) {
            shares[place[c]] = votes[c];
            sum += votes[c];
        }
    for (int c = 0; votes != NULL && c < set->class_count; c++)
        votes[c] = shares[c] / sum;
}

static bool is_same_order(const dataset *set, const char *const *names, int count)
{
    bool same = count == set->class_count;
    for (int c = 0; same && c < count; c++)
        same = strcmp(set->class_names[c], names[c]) == 0;
    return same;
}

mien_status dataset_select_classes(dataset *set, const char *const *names, int count,
                                   mien_error *error)
{
    int place[DATASET_MAX_CLASSES];
    mien_status status = place_classes(set, names, count, place, error);
    if (status != MIEN_OK || is_same_order(set, names, count))
        return status;
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        dataset_sample sample = set->samples[i];
        if (place[sample.label] < 0) {
            free_sample(&sample);
            continue;
        }
        select_votes(set, &sample, place);
        sample.label = place[sample.label];
        set->samples[kept++] = sample;
    }
    set->count = kept;
    set->class_count = count;
    for (int c = 0; c < count; c++)
        snprintf(set->class_names[c], sizeof set->class_names[c], "%s", names[c]);
    return MIEN_OK;
}

static bool begins_with(const dataset_sample *sample, const char *prefix)
{
    return sample->path != NULL && strncmp(file_name(sample->path), prefix, strlen(prefix)) == 0;
}

mien_status dataset_hold_out(dataset *set, const char *prefix, dataset *held, mien_error *error)
{
    size_t matching = 0, kept = 0;
    *held = (dataset){0};
    for (size_t i = 0; i < set->count; i++)
        matching += begins_with(&set->samples[i], prefix);
    if (matching == 0 || matching == set->count)
        return error_set(error, MIEN_NOT_FOUND,
                         "%s of the %zu pictures has a file name that begins with '%.60s'",
                         matching == 0 ? "none" : "each", set->count, prefix);
    dataset_sample *samples = memory_zeroed(matching, sizeof *samples);
    if (samples == NULL)
        return error_no_memory(error, "a list of samples", matching * sizeof *samples);
    *held = *set;
    held->samples = samples;
    held->count = held->left_out = 0;
    for (size_t i = 0; i < set->count; i++) {
        dataset_sample sample = set->samples[i];
        if (begins_with(&sample, prefix))
            held->samples[held->count++] = sample;
        else
            set->samples[kept++] = sample;
    }
    set->count = kept;
    return MIEN_OK;
}
