/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One network in mien and in ONNX Runtime, one thread each, in turns of some milliseconds;
 * bench/inference_vs_onnxruntime.py runs it.
 *
 *     inference_peer LIBONNXRUNTIME MODEL.onnx HEIGHT WIDTH SECONDS [PRECISION [KERNELS]]
 *
 * HEIGHT and WIDTH stand for dimensions that the network leaves open. Prints the median
 * microseconds of mien and of ONNX Runtime, and the largest difference between their outputs as a
 * share of the output's range, but at least of 0.01: some outputs are nearly constant.
 */

#include "onnxruntime.h"

#include "base/file.h"
#include "nn/nn.h"
#include "nn/onnx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURN_US  20000.0
#define MAX_RUNS 100000

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

typedef struct times {
    double us[MAX_RUNS];
    size_t count;
} times;

static double median(times *t)
{
    qsort(t->us, t->count, sizeof *t->us, by_value);
    return t->us[t->count / 2];
}

/* One run that warms the caches, then runs until the turn is over, each timed. */
static bool take_turn(bool (*run)(void *), void *what, times *t)
{
    bool done = run(what);
    for (double end = now_us() + TURN_US; done && t->count < MAX_RUNS;) {
        double before = now_us();
        done = run(what);
        double after = now_us();
        t->us[t->count++] = after - before;
        if (after > end)
            break;
    }
    return done;
}

static bool run_ours(void *session)
{
    nn_session_run(session);
    return true;
}

static bool run_theirs(void *p)
{
    return peer_run(p);
}

static int64_t fill_input(const nn_shape *shape, float *input)
{
    int64_t count = 0;
    nn_shape_elements(shape, &count);
    for (int64_t i = 0; i < count; i++)
        input[i] = (float)(i * 7919 % 255) / 127.5f - 1;
    return count;
}

static double difference(const nn_plan *plan, const nn_session *session, const peer *p,
                         size_t outputs)
{
    double worst = 0;
    for (size_t o = 0; o < outputs; o++) {
        const float *ours = nn_session_output(session, o), *theirs = peer_output(p, o);
        double low = INFINITY, high = -INFINITY, most = 0;
        int64_t count = 0;
        nn_shape_elements(nn_plan_output_shape(plan, o), &count);
        for (int64_t i = 0; i < count; i++) {
            low = fmin(low, (double)theirs[i]);
            high = fmax(high, (double)theirs[i]);
            double apart = fabs((double)ours[i] - (double)theirs[i]);
            most = apart <= most ? most : apart; /* NaN stays */
        }
        double share = most / fmax(high - low, 1e-2);
        worst = share <= worst ? worst : share;
    }
    return worst;
}

/* Times both and prints the line. */
static bool compare(const nn_plan *plan, nn_session *session, peer *p, size_t outputs,
                    double seconds)
{
    static times ours, theirs;
    double end = now_us() + seconds * 1e6;
    bool done = true;
    while (done && now_us() < end && ours.count < MAX_RUNS && theirs.count < MAX_RUNS)
        done = take_turn(run_ours, session, &ours) && take_turn(run_theirs, p, &theirs);
    if (done)
        printf("%.2f %.2f %.3g\n", median(&ours), median(&theirs),
               difference(plan, session, p, outputs));
    return done;
}

static mien_status open_plan(const char *path, nn_type precision, const char *kernels,
                             int64_t height, int64_t width, nn_model **model, nn_plan **plan,
                             mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, ONNX_MAX_FILE_SIZE, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = nn_model_read(bytes, size, model, error);
    free(bytes);
    if (status != MIEN_OK)
        return status;
    const nn_graph *graph = nn_model_graph(*model);
    nn_shape shape = graph->values[graph->inputs[0]].tensor.shape;
    const int64_t sides[4] = {1, 3, height, width};
    for (int i = 0; i < shape.rank && i < 4; i++)
        if (shape.dims[i] == NN_UNKNOWN_DIM)
            shape.dims[i] = sides[i];
    nn_plan_options options = {.input_shapes = &shape,
                               .precision = precision,
                               .kernels =
                                   kernels != NULL ? nn_kernels_find(kernels) : nn_kernels_best()};
    return nn_plan_create(*model, &options, plan, error);
}

static peer *open_peer(const char *library, const char *path, const nn_model *model,
                       const nn_plan *plan, nn_session *session, const char **names)
{
    const nn_graph *graph = nn_model_graph(model);
    const nn_shape *shape = nn_plan_input_shape(plan, 0);
    char message[300];
    fill_input(shape, nn_session_input(session, 0));
    for (size_t o = 0; o < graph->output_count; o++)
        names[o] = graph->values[graph->outputs[o]].name;
    peer_tensor input = {graph->values[graph->inputs[0]].name, shape->dims, (size_t)shape->rank,
                         nn_session_input(session, 0)};
    peer *p = peer_open(library, path, &input, names, graph->output_count, message, sizeof message);
    if (p == NULL)
        fprintf(stderr, "inference_peer: %s\n", message);
    return p;
}

int main(int count, char **arguments)
{
    if (count < 7) {
        fprintf(stderr, "usage: inference_peer LIBONNXRUNTIME MIENS.onnx ITS.onnx HEIGHT WIDTH "
                        "SECONDS [f32|bf16 [KERNELS]]\n");
        return 2;
    }
    nn_type precision = count > 7 && strcmp(arguments[7], "bf16") == 0 ? NN_BFLOAT16 : NN_FLOAT;
    mien_error error = {0};
    nn_model *model = NULL;
    nn_plan *plan = NULL;
    nn_session *session = NULL;
    mien_status status = open_plan(arguments[2], precision, count > 8 ? arguments[8] : NULL,
                                   atoi(arguments[4]), atoi(arguments[5]), &model, &plan, &error);
    if (status == MIEN_OK)
        status = nn_session_create(plan, &session, &error);
    bool done = false;
    if (status == MIEN_OK) {
        size_t outputs = nn_model_graph(model)->output_count;
        const char **names = calloc(outputs, sizeof *names);
        peer *p = names != NULL ? open_peer(arguments[1], arguments[3], model, plan, session, names)
                                : NULL;
        done = p != NULL && compare(plan, session, p, outputs, atof(arguments[6]));
        if (p != NULL)
            peer_close(p);
        free(names);
    } else {
        fprintf(stderr, "inference_peer: %s\n", error.message);
    }
    nn_session_free(session);
    nn_plan_free(plan);
    nn_model_free(model);
    return done ? 0 : 1;
}
