/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_VECTORISED_H
#define TRAIN_VECTORISED_H

/*
 * Of a function: the compiler makes one for each of these instruction sets, the best one runs. Its
 * name must be the only one of its kind in the program: clang makes the choosing function global.
 */
#define VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

#endif
