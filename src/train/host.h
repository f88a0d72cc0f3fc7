/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_HOST_H
#define TRAIN_HOST_H

/*
 * What backends that compute in the host's memory share: their arrays are plain ones, and their
 * device is NULL.
 */

#include "train/backend.h"

extern const train_memory train_host_memory;
extern const train_updates train_host_updates;

/* Arithmetic number by number on pictures with the channels first, or last: they differ in how they
 * take the input. */
extern const train_elements train_host_elements;
extern const train_elements train_host_elements_last;

#endif
