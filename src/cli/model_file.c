/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/model.h"

#include "base/file.h"
#include "nn/onnx.h"

#include <stdlib.h>

mien_status model_read_graph(const char *path, nn_graph *graph, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, ONNX_MAX_FILE_SIZE, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = onnx_read(bytes, size, graph, error);
    free(bytes);
    return status;
}

mien_status model_write_graph(const char *path, const nn_graph *graph, onnx_weights weights,
                              mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = onnx_write(graph, weights, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = file_write_atomic(path, bytes, size, error);
    free(bytes);
    return status;
}

mien_status model_read_set(const char *csv_path, const char *votes_path, dataset_split split,
                           dataset *set, mien_error *error)
{
    return votes_path != NULL ? dataset_read_fer_plus(csv_path, votes_path, split, set, error)
                              : dataset_read_fer_csv(csv_path, split, set, error);
}
