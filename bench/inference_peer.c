/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One network in mien and in ONNX Runtime, as many threads each, in turns of some milliseconds;
 * bench/inference_vs_onnxruntime.py runs it.
 *
 *     inference_peer LIBONNXRUNTIME MIENS.onnx ITS.onnx HEIGHT WIDTH SECONDS PRECISION THREADS
 *                    [KERNELS]
 *
 * HEIGHT and WIDTH stand for dimensions that the network leaves open. Prints the median
 * microseconds of mien and of ONNX Runtime, the largest difference between their outputs as a
 * share of the output's range, but at least of 0.01 (some outputs are nearly constant), and with
 * several threads the median microseconds of mien on one thread and the nanoseconds of a round trip
 * from core to core (round_trip.h).
 */

#include "onnxruntime.h"
#include "round_trip.h"

#include "base/file.h"
#include "base/team.h"
#include "nn/nn.h"
#include "nn/onnx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURN_US  20000.0
#define REST_NS  60000000 /* before a turn of threads: ONNX Runtime's look for work so long */
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

/* What runs. */
typedef struct contest {
    nn_model *model;
    nn_plan *plan;
    team *workers;
    nn_session *session, *alone; /* alone: on one thread, where session has more */
    const char **names;          /* of the outputs */
    peer *p;
} contest;

static void rest(void)
{
    nanosleep(&(struct timespec){0, REST_NS}, NULL);
}

/* Times both, and mien alone, and prints the line. */
static bool compare(const contest *c, double seconds)
{
    static times ours, theirs, alone;
    double end = now_us() + seconds * 1e6;
    bool done = true, shared = c->alone != NULL;
    while (done && now_us() < end && ours.count < MAX_RUNS && theirs.count < MAX_RUNS) {
        done = take_turn(run_ours, c->session, &ours);
        if (done && shared && alone.count < MAX_RUNS)
            done = take_turn(run_ours, c->alone, &alone);
        done = done && take_turn(run_theirs, c->p, &theirs);
        if (shared)
            rest();
    }
    if (!done)
        return false;
    printf("%.2f %.2f %.3g", median(&ours), median(&theirs),
           difference(c->plan, c->session, c->p, nn_model_graph(c->model)->output_count));
    if (shared)
        printf(" %.2f %.0f", median(&alone), round_trip_ns());
    putchar('\n');
    return true;
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

static peer *open_peer(const char *library, const char *path, int threads, contest *c)
{
    const nn_graph *graph = nn_model_graph(c->model);
    const nn_shape *shape = nn_plan_input_shape(c->plan, 0);
    char message[300];
    for (size_t o = 0; o < graph->output_count; o++)
        c->names[o] = graph->values[graph->outputs[o]].name;
    peer_tensor input = {graph->values[graph->inputs[0]].name, shape->dims, (size_t)shape->rank,
                         nn_session_input(c->session, 0)};
    peer *p = peer_open(library, path, &input, c->names, graph->output_count, threads, message,
                        sizeof message);
    if (p == NULL)
        fprintf(stderr, "inference_peer: %s\n", message);
    return p;
}

static mien_status open_sessions(contest *c, int threads, mien_error *error)
{
    const nn_shape *shape = nn_plan_input_shape(c->plan, 0);
    mien_status status = team_create(threads, &c->workers, error);
    if (status == MIEN_OK)
        status = nn_session_create_shared(c->plan, c->workers, &c->session, error);
    if (status == MIEN_OK && threads > 1)
        status = nn_session_create(c->plan, &c->alone, error);
    if (status == MIEN_OK)
        fill_input(shape, nn_session_input(c->session, 0));
    if (status == MIEN_OK && c->alone != NULL)
        fill_input(shape, nn_session_input(c->alone, 0));
    return status;
}

static void close_contest(contest *c)
{
    if (c->p != NULL)
        peer_close(c->p);
    free(c->names);
    nn_session_free(c->session);
    nn_session_free(c->alone);
    team_free(c->workers);
    nn_plan_free(c->plan);
    nn_model_free(c->model);
}

int main(int count, char **arguments)
{
    if (count < 9) {
        fprintf(stderr, "usage: inference_peer LIBONNXRUNTIME MIENS.onnx ITS.onnx HEIGHT WIDTH "
                        "SECONDS f32|bf16 THREADS [KERNELS]\n");
        return 2;
    }
    nn_type precision = strcmp(arguments[7], "bf16") == 0 ? NN_BFLOAT16 : NN_FLOAT;
    int threads = atoi(arguments[8]);
    mien_error error = {0};
    contest c = {0};
    mien_status status =
        open_plan(arguments[2], precision, count > 9 ? arguments[9] : NULL, atoi(arguments[4]),
                  atoi(arguments[5]), &c.model, &c.plan, &error);
    if (status == MIEN_OK)
        status = open_sessions(&c, threads, &error);
    bool done = false;
    if (status == MIEN_OK) {
        c.names = calloc(nn_model_graph(c.model)->output_count, sizeof *c.names);
        c.p = c.names != NULL ? open_peer(arguments[1], arguments[3], threads, &c) : NULL;
        done = c.p != NULL && compare(&c, atof(arguments[6]));
    } else {
        fprintf(stderr, "inference_peer: %s\n", error.message);
    }
    close_contest(&c);
    return done ? 0 : 1;
}
