/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CALIBRATION_H
#define BASE_CALIBRATION_H

/*
 * From what a network puts out to probabilities that mean what they say. Temperature scaling (Guo
 * et al. 2017) alone leaves networks too timid where they are sure, and too bold where they are
 * not, when they learned from smoothed labels (Szegedy et al. 2016): those give every class a
 * little of each picture. The floor takes that off again.
 */

typedef struct calibration {
    double temperature; /* over 0; 1 for none */
    double floor;       /* 0..1, under 1 / classes; 0 for none */
} calibration;

/*
 * With q = softmax(logits / temperature): max(q - floor, q / 10), divided by their sum. No class
 * loses its rank or comes to 0. logits, probabilities: (classes), 1 or more; they may be the same.
 */
void calibration_apply(const calibration *c, const double *logits, int classes,
                       double *probabilities);

#endif
