/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAIN_MODULE_H
#define TRAIN_MODULE_H

/*
 * A backend in a file of its own, which a program opens when it is asked for: so the program starts
 * without the vendor's libraries, and does without them.
 */

#include "train/backend.h"

/* What a module has under the name TRAIN_MODULE_SYMBOL. */
typedef struct train_module {
    const char *version; /* of mien; a module of another one is refused */
    size_t table_size;   /* of train_backend, as the module was compiled */
    const train_backend *backend;
} train_module;

#define TRAIN_MODULE_SYMBOL "mien_train_module"

#endif
