/* SPDX-License-Identifier: Apache-2.0 */

/* mien model quantize: a trained network in 8-bit numbers, and what that costs. */

#include "cli/cli.h"
#include "cli/model.h"
#include "cli/scoring.h"

#include "base/error.h"
#include "data/dataset.h"
#include "engine/model.h"
#include "eval/metrics.h"
#include "nn/quantize.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char command[] = "mien model quantize";

static const char help[] =
    "usage: mien model quantize --data FILE --out FILE [OPTION ...] MODEL\n"
    "\n"
    "Writes a trained network in 8-bit numbers: weights as int8 with a scale for each output, "
    "what\n"
    "flows between the layers as uint8 (QuantizeLinear and DequantizeLinear, as ONNX has them). "
    "The\n"
    "ranges are watched on pictures of FER-2013's Training; then both networks are scored on\n"
    "PublicTest.\n"
    "\n"
    "  --data FILE      FER-2013's CSV file\n"
    "  --votes FILE     FER+ votes: labels by majority\n"
    "  --out FILE       the quantised model\n"
    "  --samples N      pictures to watch, 1 to 28709 (default 512)\n"
    "  --range HOW      percentile, divergence (of Kullback and Leibler) or largest\n"
    "                   (default: percentile)\n"
    "  --percentile X   share of the numbers within the range at each end, 0.5 to 1\n"
    "                   (default 0.9999)\n"
    "  --no-score       does not score\n"
    "\n"
    "example: mien model quantize --data fer2013.csv --out net-int8.onnx net.onnx\n";

static const struct option long_options[] = {
    {"data", required_argument, NULL, 'd'},
    {"votes", required_argument, NULL, 'v'},
    {"out", required_argument, NULL, 'o'},
    {"samples", required_argument, NULL, 'n'},
    {"range", required_argument, NULL, 'r'},
    {"percentile", required_argument, NULL, 'p'},
    {"no-score", no_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct quantization {
    const char *data_path, *votes_path, *out_path, *model_path;
    int64_t samples;
    nn_range_method method;
    double percentile;
    bool unscored, asked_for_help;
    mien_model *model; /* as it was */
    dataset set;       /* to watch */
    prep_scratch scratch;
} quantization;

static int parse_range(quantization *q, const char *text)
{
    static const char *const names[] = {"largest", "percentile", "divergence"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            q->method = (nn_range_method)i;
            return EXIT_DONE;
        }
    return cli_wrong_usage(command, "--range is percentile, divergence or largest, not '%s'", text);
}

static int parse_option(quantization *q, int option)
{
    switch (option) {
    case 'd':
        q->data_path = optarg;
        return EXIT_DONE;
    case 'v':
        q->votes_path = optarg;
        return EXIT_DONE;
    case 'o':
        q->out_path = optarg;
        return EXIT_DONE;
    case 'n':
        return cli_parse_int(command, "--samples", optarg, 1, 28709, &q->samples) ? EXIT_DONE
                                                                                  : EXIT_USAGE;
    case 'r':
        return parse_range(q, optarg);
    case 'p':
        return cli_parse_real(command, "--percentile", optarg, 0.5, 1, &q->percentile) ? EXIT_DONE
                                                                                       : EXIT_USAGE;
    case 's':
        q->unscored = true;
        return EXIT_DONE;
    case 'h':
        q->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
}

static int parse_arguments(quantization *q, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = parse_option(q, option);
    if (status != EXIT_DONE || q->asked_for_help)
        return status;
    if (q->data_path == NULL || q->out_path == NULL || argc - optind != 1)
        return cli_wrong_usage(command, "name --data, --out and one model");
    q->model_path = argv[optind];
    return EXIT_DONE;
}

/* Samples that lie evenly over the set. */
static mien_status fill_sample(void *context, size_t index, float *input, mien_error *error)
{
    quantization *q = context;
    const dataset_sample *sample = &q->set.samples[index * q->set.count / (size_t)q->samples];
    prep_face face = {.box = dataset_face(sample)};
    return prep_fill(&q->model->network.prep, &sample->image, &face, &q->scratch, input, error);
}

static mien_status quantize(quantization *q, mien_error *error)
{
    nn_graph graph;
    size_t quantised;
    mien_status status = mien_model_open(q->model_path, NULL, &q->model, error);
    if (status == MIEN_OK)
        status = model_read_set(q->data_path, q->votes_path, DATASET_TRAINING, &q->set, error);
    if (status == MIEN_OK)
        status = model_read_graph(q->model_path, &graph, error);
    if (status != MIEN_OK)
        return status;
    if ((size_t)q->samples > q->set.count)
        q->samples = (int64_t)q->set.count;
    nn_quantize_options options = {.method = q->method,
                                   .percentile = q->percentile,
                                   .input_shape = *nn_plan_input_shape(q->model->network.plan, 0),
                                   .samples = (size_t)q->samples,
                                   .source = fill_sample,
                                   .context = q};
    status = nn_quantize(&graph, &options, &quantised, error);
    if (status == MIEN_OK)
        status = model_write_graph(q->out_path, &graph, ONNX_WEIGHTS_FLOAT32, error);
    if (status == MIEN_OK)
        printf("%zu convolutions and products in 8 bits, ranges from %" PRId64 " pictures\n",
               quantised, q->samples);
    nn_graph_free(&graph);
    return status == MIEN_OK ? MIEN_OK : error_prefix(error, status, "%s", q->model_path);
}

/* How a network did on a set. */
typedef struct trial {
    double accuracy; /* 0..1 */
    double ms;       /* of processor time a picture, preparation included */
} trial;

static double processor_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static mien_status try_model(const mien_model *model, const dataset *set, trial *result,
                             mien_error *error)
{
    scoring s = {.model = model, .set = set, .threads = 1};
    double start = processor_ms();
    eval_scores *scores = calloc(1, sizeof *scores);
    if (scores == NULL)
        return error_no_memory(error, "scores", sizeof *scores);
    mien_status status = scoring_run(&s, error);
    result->ms = (processor_ms() - start) / (double)set->count;
    if (status == MIEN_OK)
        status = eval_score(s.labels, s.probabilities, s.count, mien_model_class_count(model),
                            scores, error);
    result->accuracy = scores->accuracy;
    scoring_free(&s);
    free(scores);
    return status;
}

static void print_trials(const trial *before, const trial *after)
{
    printf("PublicTest: accuracy %.2f %%, before %.2f %%; %.2f ms a picture, before %.2f ms\n",
           100 * after->accuracy, 100 * before->accuracy, after->ms, before->ms);
}

static mien_status score(const quantization *q, mien_error *error)
{
    mien_model *quantised = NULL;
    dataset test = {0};
    trial before, after;
    mien_status status = mien_model_open(q->out_path, NULL, &quantised, error);
    if (status == MIEN_OK)
        status = model_read_set(q->data_path, q->votes_path, DATASET_PUBLIC_TEST, &test, error);
    if (status == MIEN_OK)
        status = try_model(q->model, &test, &before, error);
    if (status == MIEN_OK)
        status = try_model(quantised, &test, &after, error);
    if (status == MIEN_OK)
        print_trials(&before, &after);
    dataset_free(&test);
    mien_model_free(quantised);
    return status;
}

int cli_model_quantize(int argc, char **argv)
{
    quantization q = {.samples = 512, .method = NN_RANGE_PERCENTILE, .percentile = 0.9999};
    mien_error error;
    int status = parse_arguments(&q, argc, argv);
    if (status == EXIT_DONE && q.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE &&
             (quantize(&q, &error) != MIEN_OK || (!q.unscored && score(&q, &error) != MIEN_OK)))
        status = cli_fail(&error);
    dataset_free(&q.set);
    prep_scratch_free(&q.scratch);
    mien_model_free(q.model);
    return status;
}
