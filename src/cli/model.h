/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

/* The parts of `mien model`, one file each. argv[0] is the name of the part. */

#include "data/dataset.h"
#include "nn/onnx_write.h"

/* mien model new: writes an untrained network. */
int cli_model_new(int argc, char **argv);

/* mien model calibrate: fits the temperature. */
int cli_model_calibrate(int argc, char **argv);

/* mien model quantize: 8-bit numbers. */
int cli_model_quantize(int argc, char **argv);

/* ---- What those that change a model share ---- */

/* The network of a file: the caller's, free with nn_graph_free. Errors of file_read, onnx_read. */
mien_status model_read_graph(const char *path, nn_graph *graph, mien_error *error);

/* Errors of onnx_write and file_write_atomic. */
mien_status model_write_graph(const char *path, const nn_graph *graph, onnx_weights weights,
                              mien_error *error);

/* A split of FER-2013's CSV file, with the labels of FER+ where votes_path is not NULL. */
mien_status model_read_set(const char *csv_path, const char *votes_path, dataset_split split,
                           dataset *set, mien_error *error);

#endif
