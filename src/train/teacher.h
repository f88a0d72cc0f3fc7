/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_TEACHER_H
#define TRAIN_TEACHER_H

/*
 * Networks to distill from (Hinton et al. 2015): ONNX files that the runtime runs on the batches
 * that are learned from. Several teachers count by the mean of their logits (the geometric mean of
 * their probabilities); a file without logits by the logarithm of its probabilities.
 */

#include "data/dataset.h"
#include "nn/nn.h"
#include "prep/prep.h"

typedef struct train_teachers train_teachers;

typedef struct teacher_file {
    const char *name; /* what messages call it */
    const void *bytes;
    size_t size;
} teacher_file;

/*
 * set: the classes of the student, all of which each teacher must have, by name and in any order.
 * prep: the student's preparation. A teacher's may differ in mean, scale, order of the colours, and
 * in taking colour where the student takes grey; else it is refused.
 * precision: NN_FLOAT or NN_BFLOAT16, in which they compute (nn_plan_options).
 * Success: *out is the caller's, free with teachers_free; immutable. Failure: *out is NULL;
 * MIEN_UNSUPPORTED, MIEN_NOT_FOUND (a class), and what reading a model reports.
 */
mien_status teachers_create(const teacher_file *files, size_t count, const dataset *set,
                            const prep_settings *prep, nn_type precision, int batch,
                            train_teachers **out, mien_error *error);
void teachers_free(train_teachers *teachers);

/* The memory of one thread. Freed before the teachers. */
typedef struct teacher_memory teacher_memory;
mien_status teacher_memory_create(const train_teachers *teachers, teacher_memory **out,
                                  mien_error *error);
void teacher_memory_free(teacher_memory *memory);

/* inputs: (batch, channels, height, width) as the student gets them; logits: (batch, classes). */
void teachers_run(teacher_memory *memory, const float *inputs, float *logits);

#endif
