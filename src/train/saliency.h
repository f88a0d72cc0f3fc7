/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_SALIENCY_H
#define TRAIN_SALIENCY_H

/*
 * What in its input a network looked at: Grad-CAM (Selvaraju et al. 2017) and guided
 * backpropagation (Springenberg et al. 2015) for one picture at a time, in plain C with the
 * runtime's reference operators, for any network whose operators have a gradient
 * (train/saliency_rules.h). For one thread at a time.
 */

#include "nn/nn.h"

typedef struct saliency saliency;

/*
 * model must outlive the object. output: index of the network's output that holds the class scores;
 * where that is a Softmax, what goes into it is explained. height, width: of the input, in pixels.
 * Success: *out is the caller's, free with saliency_free. Failure: *out is NULL; MIEN_UNSUPPORTED
 * (an operator without a gradient: the message names the node; no feature map), MIEN_SHAPE,
 * MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */
mien_status saliency_create(const nn_model *model, size_t output, int height, int width,
                            saliency **out, mien_error *error);
void saliency_free(saliency *s);

/* (channels, height, width), to be written before saliency_forward. */
float *saliency_input(saliency *s);

/* Runs the network on the input. Allocates nothing. */
void saliency_forward(saliency *s);

/* The scores of the last run, before any Softmax: (classes). */
const float *saliency_scores(const saliency *s);
size_t saliency_class_count(const saliency *s);

/* The name of the feature map that Grad-CAM looks at: the last one of more than a single pixel. The
 * model's. */
const char *saliency_feature_map(const saliency *s);

/*
 * Grad-CAM of class `index`: the channels of the feature map, weighted by the mean of their
 * gradients, summed, cut off at 0, enlarged bilinearly (half-pixel centres) to (height, width), and
 * divided by the largest value. map: 0..1; all 0 where nothing speaks for the class. Only after
 * saliency_forward.
 */
void saliency_grad_cam(saliency *s, size_t index, float *map);

/*
 * The gradient of the score of class `index` by the input: map (channels, height, width). guided:
 * ReLU (and Clip from 0) lets back only what is positive; other activations let back what their
 * slope says. Only after saliency_forward.
 */
void saliency_gradient(saliency *s, size_t index, bool guided, float *map);

#endif
