/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_PREDICT_H
#define TRAIN_PREDICT_H

/* What a trained model says of a set, through the runtime. */

#include "data/dataset.h"

/*
 * The probabilities of every sample by the model file of a run (output `probabilities`, prepared as
 * its metadata say; the picture is the face). probabilities: (set->count, classes), the caller's;
 * classes: those that the model must have. Errors of file_read, nn_model_read and nn_plan_create;
 * MIEN_SHAPE (another number of classes), MIEN_OUT_OF_MEMORY.
 */
mien_status train_predict(const char *model_path, const dataset *set, int classes,
                          float *probabilities, mien_error *error);

#endif
