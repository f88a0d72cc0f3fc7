/* SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/builder.h"

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

void dataset_free(dataset *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++) {
        mien_image_free(&set->samples[i].image);
        free_owned(set->samples[i].path);
        free_owned(set->samples[i].votes);
    }
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
