/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EVAL_GOLDEN_H
#define TESTS_EVAL_GOLDEN_H

/*
 * 60 samples of 4 classes (the last one without support) and their scores by an independent NumPy
 * 1.24 program: AUC by comparing every pair, F1 from precision and recall, ECE by boolean masks,
 * the Wilson interval as numpy.roots of its quadratic. Drawn with default_rng(20240607). The
 * probabilities are 32nds, so they are exact in float and have many ties.
 */

#define GOLDEN_COUNT   60
#define GOLDEN_CLASSES 4

static const int golden_labels[GOLDEN_COUNT] = {
    1, 0, 2, 1, 2, 1, 0, 2, 1, 1, 1, 0, 0, 1, 2, 0, 2, 1, 2, 1, 1, 2, 2, 0, 2, 2, 2, 0, 1, 1,
    0, 1, 2, 1, 0, 2, 0, 0, 2, 2, 2, 0, 1, 2, 2, 2, 0, 2, 0, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 0};

static const int golden_32nds[GOLDEN_COUNT][GOLDEN_CLASSES] = {
    {8, 7, 3, 14},  {20, 1, 9, 3},  {6, 11, 9, 7},  {9, 16, 6, 0},  {7, 9, 15, 0},  {3, 27, 0, 1},
    {16, 9, 6, 1},  {0, 12, 19, 1}, {1, 28, 1, 1},  {5, 18, 2, 6},  {5, 19, 0, 8},  {19, 0, 12, 1},
    {27, 0, 3, 2},  {7, 3, 15, 7},  {0, 6, 18, 8},  {9, 5, 18, 0},  {13, 1, 17, 1}, {7, 16, 8, 0},
    {4, 0, 17, 11}, {4, 18, 5, 5},  {5, 9, 15, 3},  {4, 2, 18, 7},  {6, 11, 0, 15}, {26, 2, 0, 4},
    {4, 2, 21, 5},  {1, 2, 16, 13}, {0, 6, 20, 6},  {24, 5, 1, 2},  {12, 19, 1, 1}, {9, 9, 0, 15},
    {11, 4, 1, 16}, {2, 4, 3, 22},  {7, 0, 24, 1},  {1, 1, 26, 4},  {23, 1, 0, 8},  {8, 1, 21, 3},
    {20, 1, 11, 1}, {22, 8, 0, 1},  {0, 15, 4, 12}, {5, 0, 25, 2},  {9, 0, 22, 1},  {17, 0, 0, 14},
    {0, 26, 3, 2},  {1, 3, 27, 2},  {5, 7, 1, 19},  {0, 3, 28, 0},  {9, 18, 5, 1},  {12, 2, 16, 2},
    {16, 13, 0, 3}, {10, 4, 17, 1}, {8, 0, 1, 23},  {13, 7, 3, 9},  {11, 0, 18, 3}, {12, 1, 17, 2},
    {2, 7, 16, 6},  {0, 16, 13, 2}, {3, 9, 20, 0},  {1, 20, 0, 10}, {13, 2, 14, 3}, {9, 7, 2, 14}};

#endif
