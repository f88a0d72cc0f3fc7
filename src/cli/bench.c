/* SPDX-License-Identifier: Apache-2.0 */

/* mien bench: how long a network takes on this machine. */

#include "cli/cli.h"

#include "base/error.h"
#include "base/file.h"
#include "base/team.h"
#include "engine/network.h"
#include "eval/json_text.h"
#include "nn/onnx.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: mien bench [OPTION ...] --model FILE\n"
    "\n"
    "Runs a network again and again on made-up input and prints how long one run takes.\n"
    "\n"
    "  --model FILE     the network, an ONNX file\n"
    "  --kernels NAME   avx512, avx2, generic, reference or all (default: the best here)\n"
    "  --precision NAME f32, or bf16 where the processor has AVX-512 BF16 (default: f32)\n"
    "  --runs N         counted runs of each session (default 200)\n"
    "  --threads N      threads that share one run (default 1)\n"
    "  --sessions N     runs at once, each on threads of its own (default 1)\n"
    "  --batch N        pictures in one run (default 1)\n"
    "  --input HxW      the size to shape an open input for (default 224x224)\n"
    "  --profile        the median of each step too\n"
    "  --json           as one JSON object per kernel set and line\n"
    "\n"
    "example: mien bench --model mini_xception.onnx --kernels all\n";

static const struct option long_options[] = {
    {"model", required_argument, NULL, 'm'},    {"kernels", required_argument, NULL, 'k'},
    {"runs", required_argument, NULL, 'r'},     {"threads", required_argument, NULL, 't'},
    {"sessions", required_argument, NULL, 's'}, {"batch", required_argument, NULL, 'b'},
    {"input", required_argument, NULL, 'i'},    {"precision", required_argument, NULL, 'P'},
    {"profile", no_argument, NULL, 'p'},        {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
};

typedef struct bench {
    const char *model_path;
    const char *kernel_name;
    const char *precision; /* a name, or NULL */
    int64_t runs, threads, sessions, batch;
    int height, width;
    bool profile, json, asked_for_help;
    nn_model *model;
} bench;

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int ascending(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

/* A share 0..1 of sorted values, nearest rank. */
static double quantile(const double *sorted, size_t count, double share)
{
    size_t index = (size_t)(share * (double)(count - 1) + 0.5);
    return sorted[index];
}

static int parse_option(bench *b, int option)
{
    switch (option) {
    case 'm':
        b->model_path = optarg;
        return EXIT_DONE;
    case 'k':
        b->kernel_name = optarg;
        return EXIT_DONE;
    case 'P':
        b->precision = optarg;
        return EXIT_DONE;
    case 'r':
        return cli_parse_int("mien bench", "--runs", optarg, 1, 1000000, &b->runs) ? EXIT_DONE
                                                                                   : EXIT_USAGE;
    case 't':
        return cli_parse_int("mien bench", "--threads", optarg, 1, 256, &b->threads) ? EXIT_DONE
                                                                                     : EXIT_USAGE;
    case 's':
        return cli_parse_int("mien bench", "--sessions", optarg, 1, 256, &b->sessions) ? EXIT_DONE
                                                                                       : EXIT_USAGE;
    case 'b':
        return cli_parse_int("mien bench", "--batch", optarg, 1, 4096, &b->batch) ? EXIT_DONE
                                                                                  : EXIT_USAGE;
    case 'i':
        return cli_parse_size("mien bench", "--input", optarg, &b->height, &b->width);
    case 'p':
        b->profile = true;
        return EXIT_DONE;
    case 'j':
        b->json = true;
        return EXIT_DONE;
    case 'h':
        b->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage("mien bench", "this option is not known or lacks its value");
    }
}

/* ---- Timing ---- */

/* Opens once, for all who wait. */
typedef struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
} gate;

static void gate_wait(gate *g)
{
    pthread_mutex_lock(&g->mutex);
    while (!g->open)
        pthread_cond_wait(&g->opened, &g->mutex);
    pthread_mutex_unlock(&g->mutex);
}

static void gate_open(gate *g)
{
    pthread_mutex_lock(&g->mutex);
    g->open = true;
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->mutex);
}

typedef struct timed_session {
    team *workers;
    nn_session *session;
    double *times_us; /* (runs) */
    int64_t runs;
    gate *start;
    pthread_t thread;
} timed_session;

static void close_session(timed_session *t)
{
    nn_session_free(t->session);
    team_free(t->workers);
}

static void fill_inputs(const nn_plan *plan, nn_session *session)
{
    const nn_shape *shape;
    for (size_t i = 0; (shape = nn_plan_input_shape(plan, i)) != NULL; i++) {
        int64_t count = 0;
        float *input = nn_session_input(session, i);
        nn_shape_elements(shape, &count);
        for (int64_t k = 0; k < count; k++)
            input[k] = (float)(k * 37 % 255) / 127.5f - 1;
    }
}

static mien_status open_session(const bench *b, const nn_plan *plan, timed_session *t,
                                mien_error *error)
{
    mien_status status = team_create((int)b->threads, &t->workers, error);
    if (status == MIEN_OK)
        status = nn_session_create_shared(plan, t->workers, &t->session, error);
    if (status == MIEN_OK)
        fill_inputs(plan, t->session);
    return status;
}

static void *time_runs(void *argument)
{
    timed_session *t = argument;
    for (int64_t warm = 0; warm < 1 + t->runs / 20; warm++)
        nn_session_run(t->session);
    gate_wait(t->start);
    for (int64_t r = 0; r < t->runs; r++) {
        double before = now_us();
        nn_session_run(t->session);
        t->times_us[r] = now_us() - before;
    }
    return NULL;
}

/* All sessions at once; *wall_us from the common start to the last end. */
static mien_status time_sessions(const bench *b, const nn_plan *plan, double *times,
                                 double *wall_us, mien_error *error)
{
    size_t count = (size_t)b->sessions;
    gate start = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    timed_session *sessions = calloc(count, sizeof *sessions);
    mien_status status = sessions != NULL ? MIEN_OK : error_no_memory(error, "sessions", count);
    for (size_t i = 0; status == MIEN_OK && i < count; i++) {
        sessions[i] = (timed_session){
            .times_us = times + i * (size_t)b->runs, .runs = b->runs, .start = &start};
        status = open_session(b, plan, &sessions[i], error);
    }
    size_t started = 0;
    while (status == MIEN_OK && started < count) {
        if (pthread_create(&sessions[started].thread, NULL, time_runs, &sessions[started]) == 0)
            started++;
        else
            status = error_set(error, MIEN_OUT_OF_MEMORY, "cannot start thread %zu", started + 1);
    }
    double before = now_us();
    gate_open(&start);
    for (size_t i = 0; i < started; i++)
        pthread_join(sessions[i].thread, NULL);
    *wall_us = now_us() - before;
    for (size_t i = 0; sessions != NULL && i < count; i++)
        close_session(&sessions[i]);
    free(sessions);
    return status;
}

/* ---- Printing ---- */

static void print_steps(const bench *b, const nn_plan *plan, nn_session *session, double *times)
{
    nn_session_run(session);
    for (size_t s = 0; s < nn_plan_step_count(plan); s++) {
        for (int64_t r = 0; r < b->runs; r++) {
            double before = now_us();
            nn_session_run_step(session, s);
            times[r] = now_us() - before;
        }
        qsort(times, (size_t)b->runs, sizeof *times, ascending);
        printf("  %4zu %-24s %10.1f us", s + 1, nn_plan_step_name(plan, s),
               quantile(times, (size_t)b->runs, 0.5));
        if (b->threads > 1)
            printf(" in %d", nn_session_step_parts(session, s));
        putchar('\n');
    }
}

static mien_status print_profile(const bench *b, const nn_plan *plan, double *times,
                                 mien_error *error)
{
    timed_session t = {0};
    mien_status status = open_session(b, plan, &t, error);
    if (status == MIEN_OK)
        print_steps(b, plan, t.session, times);
    close_session(&t);
    return status;
}

typedef struct figures {
    double min_us, median_us, p95_us, pictures_per_second;
} figures;

/* Sorts the times. */
static figures sum_up(const bench *b, double *times, double wall_us)
{
    size_t count = (size_t)(b->runs * b->sessions);
    qsort(times, count, sizeof *times, ascending);
    return (figures){times[0], quantile(times, count, 0.5), quantile(times, count, 0.95),
                     (double)(b->runs * b->sessions * b->batch) / wall_us * 1e6};
}

static int print_json(const bench *b, const char *kernels, const nn_plan *plan, figures f)
{
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "model", json_text_name(b->model_path)) == 0;
    complete &= json_object_set_new(object, "kernels", json_string(kernels)) == 0;
    if (b->precision != NULL)
        complete &= json_object_set_new(object, "precision", json_string(b->precision)) == 0;
    complete &= json_object_set_new(object, "threads", json_integer(b->threads)) == 0;
    complete &= json_object_set_new(object, "sessions", json_integer(b->sessions)) == 0;
    complete &= json_object_set_new(object, "batch", json_integer(b->batch)) == 0;
    complete &= json_object_set_new(object, "runs", json_integer(b->runs)) == 0;
    complete &= json_object_set_new(object, "min_us", json_real(f.min_us)) == 0;
    complete &= json_object_set_new(object, "median_us", json_real(f.median_us)) == 0;
    complete &= json_object_set_new(object, "p95_us", json_real(f.p95_us)) == 0;
    complete &=
        json_object_set_new(object, "pictures_per_second", json_real(f.pictures_per_second)) == 0;
    complete &= json_object_set_new(object, "multiply_adds",
                                    json_integer(nn_plan_multiply_adds(plan))) == 0;
    return cli_print_json(json_text_finish(object, complete),
                          JSON_COMPACT | JSON_REAL_PRECISION(8));
}

static int print_times(const bench *b, const char *kernels, const nn_plan *plan, figures f)
{
    if (b->json)
        return print_json(b, kernels, plan, f);
    printf("%-10s min %.1f us, median %.1f us, p95 %.1f us; %lld threads, %lld sessions, batch "
           "%lld: %.0f pictures/s, %.1f GFLOP/s each\n",
           kernels, f.min_us, f.median_us, f.p95_us, (long long)b->threads, (long long)b->sessions,
           (long long)b->batch, f.pictures_per_second,
           2e-3 * (double)nn_plan_multiply_adds(plan) / f.median_us);
    return EXIT_DONE;
}

static mien_status shape_network(const bench *b, const nn_kernels *kernels, nn_plan **plan,
                                 mien_error *error)
{
    const nn_graph *graph = nn_model_graph(b->model);
    if (graph->input_count != 1)
        return error_set(error, MIEN_UNSUPPORTED, "%s has %zu inputs, not one", b->model_path,
                         graph->input_count);
    nn_shape shape = graph->values[graph->inputs[0]].tensor.shape;
    const int64_t sides[4] = {b->batch, 3, b->height, b->width};
    for (int i = 0; i < shape.rank; i++)
        if (shape.dims[i] == NN_UNKNOWN_DIM)
            shape.dims[i] = i < 4 ? sides[i] : 1;
    nn_plan_options options = {.input_shapes = &shape, .kernels = kernels};
    mien_status status = engine_find_precision(b->precision, &options.precision, error);
    return status != MIEN_OK ? status : nn_plan_create(b->model, &options, plan, error);
}

static int bench_kernels(const bench *b, const nn_kernels *kernels)
{
    mien_error error;
    nn_plan *plan = NULL;
    double wall_us = 0;
    double *times = calloc((size_t)(b->runs * b->sessions), sizeof *times);
    mien_status status = times != NULL ? shape_network(b, kernels, &plan, &error)
                                       : error_no_memory(&error, "times", sizeof *times);
    if (status == MIEN_OK)
        status = time_sessions(b, plan, times, &wall_us, &error);
    int result = EXIT_DONE;
    if (status == MIEN_OK)
        result = print_times(b, kernels != NULL ? kernels->name : "reference", plan,
                             sum_up(b, times, wall_us));
    if (status == MIEN_OK && b->profile && !b->json)
        status = print_profile(b, plan, times, &error);
    nn_plan_free(plan);
    free(times);
    if (status == MIEN_OK)
        return result;
    error_prefix(&error, status, "%s", b->model_path);
    return cli_fail(&error);
}

static int bench_all(const bench *b)
{
    const nn_kernels *kernels;
    int status = EXIT_DONE;
    for (size_t i = 0; status == EXIT_DONE && (kernels = nn_kernels_at(i)) != NULL; i++)
        status = bench_kernels(b, kernels);
    return status;
}

static int run_bench(bench *b)
{
    mien_error error;
    uint8_t *bytes;
    size_t size;
    const nn_kernels *kernels = NULL;
    bool all = b->kernel_name != NULL && strcmp(b->kernel_name, "all") == 0;
    if (!all && engine_find_kernels(b->kernel_name, &kernels, &error) != MIEN_OK)
        return cli_fail(&error);
    if (file_read(b->model_path, ONNX_MAX_FILE_SIZE, &bytes, &size, &error) != MIEN_OK)
        return cli_fail(&error);
    mien_status status = nn_model_read(bytes, size, &b->model, &error);
    free(bytes);
    if (status != MIEN_OK) {
        error_prefix(&error, status, "%s", b->model_path);
        return cli_fail(&error);
    }
    int result = all ? bench_all(b) : bench_kernels(b, kernels);
    nn_model_free(b->model);
    return result;
}

int cli_bench(int argc, char **argv)
{
    bench b = {.runs = 200, .threads = 1, .sessions = 1, .batch = 1, .height = 224, .width = 224};
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = parse_option(&b, option);
    if (status != EXIT_DONE)
        return status;
    if (b.asked_for_help) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (b.model_path == NULL || optind != argc)
        return cli_wrong_usage("mien bench", "name one network with --model");
    return run_bench(&b);
}
