/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_BUILDER_H
#define DATA_BUILDER_H

/* Filling a data set, for its readers only. */

#include "data/dataset.h"

typedef struct dataset_builder {
    dataset set;     /* freed with dataset_free, whole or half filled */
    size_t capacity; /* samples that fit */
} dataset_builder;

/* Appends a zeroed sample, which the set owns from now on, or returns NULL when out of memory. */
dataset_sample *dataset_builder_add(dataset_builder *builder);

/*
 * Appends a class. MIEN_LIMIT when the name is longer than DATASET_CLASS_NAME_SIZE - 1 bytes or
 * there are DATASET_MAX_CLASSES already.
 */
mien_status dataset_builder_add_class(dataset_builder *builder, const char *name,
                                      mien_error *error);

/* Ends the work: hands the set out on MIEN_OK, else frees it and zeroes *out. Returns status. */
mien_status dataset_builder_finish(dataset_builder *builder, mien_status status, dataset *out);

#endif
