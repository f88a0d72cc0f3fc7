/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SCORING_H
#define CLI_SCORING_H

/* What a model says to every picture of a labelled set, worked out on several threads. */

#include "data/dataset.h"

#include <mien/mien.h>

typedef struct scoring {
    /* Given; must outlive what follows. */
    const mien_model *model;
    const mien_detector *detector; /* NULL: each picture is a face as a whole */
    const dataset *set;
    bool mirror;     /* mean of the picture and its mirror image */
    int64_t threads; /* 1.. */
    /* Found: one entry for each sample that counts, in the order of the set. */
    size_t count;
    size_t *samples;      /* (count): index in the set */
    int *labels;          /* (count): the model's classes, which are matched by name */
    float *probabilities; /* (count, model classes) */
    float *plain;         /* the same without the mirror image; NULL unless mirror */
    size_t not_in_model;  /* samples whose class the model does not have */
    size_t no_face;       /* samples in which no face was found */
} scoring;

/*
 * Fills in what is found; the result does not depend on the number of threads. The caller frees
 * with scoring_free, also after a failure: MIEN_INVALID_ARGUMENT (no class in common), errors of
 * mien_analyzer_run, MIEN_OUT_OF_MEMORY.
 */
mien_status scoring_run(scoring *s, mien_error *error);
void scoring_free(scoring *s);

/* The face of the largest area, the first of equals; NULL when there is none. */
const mien_face *scoring_largest_face(const mien_face *faces, size_t count);

#endif
