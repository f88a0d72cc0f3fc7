/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_CUDNN_TABLES_H
#define TESTS_TRAIN_CUDNN_TABLES_H

/*
 * The cudnn backend that a test program is about: the emulated one (tables_emulated.c) or the real
 * one of the module (tables_module.c). Both programs have the same tests.
 */

#include "support.h"

#include "train/backend.h"

/* Ends the program as skipped, with the reason, where there is no GPU to run on. */
const train_backend *tables_f32(void);
const train_backend *tables_bf16(void);

/* How many times as far as sums in float32 a dense product may be off, and what comes of a network
 * of them. */
double tables_slack(void);
double tables_network_slack(void);

#endif
