/* SPDX-License-Identifier: Apache-2.0 */
#include "train/module.h"

#include "train/cudnn/cudnn.h"
#include <mien/mien.h>

extern const train_module mien_train_module;

__attribute__((visibility("default"))) const train_module mien_train_module = {
    .version = MIEN_VERSION, .table_size = sizeof(train_backend), .backend = &train_backend_cudnn};
