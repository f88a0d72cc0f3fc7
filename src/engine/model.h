/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

/* What a mien_model is, for the rooms that look inside: evaluation, listings, benchmarks. */

#include "base/calibration.h"
#include "engine/network.h"

#include <mien/analyzer.h>
#include <mien/model.h>

#define MODEL_CLASS_NAME_SIZE 32

struct mien_model {
    engine_network network;
    int threads; /* that share a run of it, 1.. */
    int class_count;
    char class_names[MIEN_MAX_CLASSES][MODEL_CLASS_NAME_SIZE];
    size_t output; /* index of the network's output that holds the classes */
    bool logits;   /* the output is not yet a probability */
    calibration calibration;
    float unsure_below; /* confidence under which a face is unsure, 0..1 */
};

/*
 * From what the network puts out, (class_count) floats, to calibrated probabilities.
 * Probabilities p count as logits ln p. in and out may be the same.
 */
void model_calibrate(const mien_model *model, const float *in, float *out);

/* Fills in top, confidence and unsure of a face from its probabilities. */
void model_choose_top(const mien_model *model, mien_face *face);

#endif
