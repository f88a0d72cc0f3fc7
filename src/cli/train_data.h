/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TRAIN_DATA_H
#define CLI_TRAIN_DATA_H

/* The labelled pictures that mien train learns from and scores on. */

#include "cli/cli.h"
#include "data/dataset.h"
#include "train/recipe.h"

typedef struct train_data_options {
    const char *data;     /* FER-2013's CSV file, or a folder with a folder per class */
    const char *votes;    /* FER+; NULL for none */
    const char *validate; /* folder to score on; NULL for none */
    const char *hold_out; /* file names that begin so are scored on; NULL for none */
    bool detect;
    const cli_setup *setup; /* the detector */
} train_data_options;

typedef struct train_data {
    dataset training, validation;
    size_t no_face; /* pictures left out: no face was found */
} train_data;

/* EXIT_DONE, or EXIT_USAGE after a message: options that do not go together. */
int train_data_check(const char *command, const train_data_options *options);

/*
 * Reads both sets. Success: EXIT_DONE, the caller frees with train_data_free. Failure: EXIT_FAILED
 * after a message.
 */
int train_data_read(const train_data_options *options, const train_recipe *recipe,
                    train_data *data);
void train_data_free(train_data *data);

#endif
