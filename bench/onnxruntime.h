/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_ONNXRUNTIME_H
#define BENCH_ONNXRUNTIME_H

/*
 * ONNX Runtime through its public C API, opened at run time: nothing of it is needed to build. Only
 * for benchmarks. One network, float tensors.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct peer peer;

typedef struct peer_tensor {
    const char *name;
    const int64_t *dims; /* (rank) */
    size_t rank;
    float *data;
} peer_tensor;

/*
 * Opens the library (libonnxruntime.so) and the network with all graph optimisations; `threads`
 * share a run. The names, dims and data must stay until peer_close. Success: the caller's, close
 * with peer_close. Failure: NULL; message, of message_size bytes, says why.
 */
peer *peer_open(const char *library, const char *model_path, const peer_tensor *input,
                const char *const *output_names, size_t output_count, int threads, char *message,
                size_t message_size);
void peer_close(peer *p);

/* Runs the network on what the input holds. false when the run fails. */
bool peer_run(peer *p);

/* The numbers of an output of the last run, row-major. Valid until the next run. */
const float *peer_output(const peer *p, size_t index);

#endif
