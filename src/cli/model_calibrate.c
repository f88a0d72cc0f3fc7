/* SPDX-License-Identifier: Apache-2.0 */

/* mien model calibrate: makes the confidences of a trained model mean what they say. */

#include "cli/cli.h"
#include "cli/model.h"
#include "cli/scoring.h"

#include "engine/model.h"
#include "eval/calibrate.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char command[] = "mien model calibrate";

static const char help[] =
    "usage: mien model calibrate --data FILE --out FILE [OPTION ...] MODEL\n"
    "\n"
    "Fits the temperature of a model (Guo et al. 2017) on FER-2013's PublicTest, with the share of "
    "its\n"
    "probabilities that comes from smoothed labels alone, and writes the model with both. Faces "
    "whose\n"
    "confidence is then under a half are marked unsure.\n"
    "\n"
    "  --data FILE      FER-2013's CSV file\n"
    "  --votes FILE     FER+ votes: labels by majority\n"
    "  --out FILE       the calibrated model\n"
    "  --float16        stores the weights as float16\n"
    "\n"
    "example: mien model calibrate --data fer2013.csv --out net.onnx runs/1/best.onnx\n";

static const struct option long_options[] = {
    {"data", required_argument, NULL, 'd'}, {"votes", required_argument, NULL, 'v'},
    {"out", required_argument, NULL, 'o'},  {"float16", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

typedef struct command_line {
    const char *data_path, *votes_path, *out_path, *model_path;
    onnx_weights weights;
    bool asked_for_help;
    mien_model *model;
    dataset set;
    scoring scoring;
    calibration fitted;
} command_line;

static int parse_option(command_line *c, int option)
{
    switch (option) {
    case 'd':
        c->data_path = optarg;
        return EXIT_DONE;
    case 'v':
        c->votes_path = optarg;
        return EXIT_DONE;
    case 'o':
        c->out_path = optarg;
        return EXIT_DONE;
    case 'f':
        c->weights = ONNX_WEIGHTS_FLOAT16;
        return EXIT_DONE;
    case 'h':
        c->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
}

static int parse_arguments(command_line *c, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = parse_option(c, option);
    if (status != EXIT_DONE || c->asked_for_help)
        return status;
    if (c->data_path == NULL || c->out_path == NULL || argc - optind != 1)
        return cli_wrong_usage(command, "name --data, --out and one model");
    c->model_path = argv[optind];
    return EXIT_DONE;
}

static mien_status fit(command_line *c, mien_error *error)
{
    static const calibration uncalibrated = {.temperature = 1};
    scoring *found = &c->scoring;
    mien_status status = mien_model_open(c->model_path, NULL, &c->model, error);
    if (status == MIEN_OK)
        status = model_read_set(c->data_path, c->votes_path, DATASET_PUBLIC_TEST, &c->set, error);
    if (status != MIEN_OK)
        return status;
    c->model->calibration = uncalibrated;
    *found = (scoring){.model = c->model, .set = &c->set, .threads = 1};
    status = scoring_run(found, error);
    if (status != MIEN_OK)
        return status;
    int classes = mien_model_class_count(c->model);
    c->fitted = eval_fit_calibration(found->labels, found->probabilities, found->count, classes);
    printf("temperature %.4f, floor %.4f: NLL on PublicTest %.4f, uncalibrated %.4f\n",
           c->fitted.temperature, c->fitted.floor,
           eval_nll_at(found->labels, found->probabilities, found->count, classes, &c->fitted),
           eval_nll_at(found->labels, found->probabilities, found->count, classes, &uncalibrated));
    return MIEN_OK;
}

/* What docs/MODEL_FORMAT.md says of calibrated models. */
static mien_status describe(const command_line *c, nn_graph *graph, mien_error *error)
{
    char temperature[32], floor[32], set[64];
    snprintf(temperature, sizeof temperature, "%.6f", c->fitted.temperature);
    snprintf(floor, sizeof floor, "%.6f", c->fitted.floor);
    snprintf(set, sizeof set, "%s PublicTest, %zu pictures",
             c->votes_path != NULL ? "FER+" : "FER-2013", c->scoring.count);
    const char *const entries[][2] = {{"mien.temperature", temperature},
                                      {"mien.floor", floor},
                                      {"mien.unsure_below", "0.5"},
                                      {"mien.provenance.calibration", set}};
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < sizeof entries / sizeof *entries; i++)
        status = nn_graph_set_metadata(graph, entries[i][0], entries[i][1], error);
    return status;
}

static mien_status write_model(const command_line *c, mien_error *error)
{
    nn_graph graph;
    mien_status status = model_read_graph(c->model_path, &graph, error);
    if (status != MIEN_OK)
        return status;
    status = describe(c, &graph, error);
    if (status == MIEN_OK)
        status = model_write_graph(c->out_path, &graph, c->weights, error);
    nn_graph_free(&graph);
    return status;
}

int cli_model_calibrate(int argc, char **argv)
{
    command_line c = {.weights = ONNX_WEIGHTS_FLOAT32};
    mien_error error;
    int status = parse_arguments(&c, argc, argv);
    if (status == EXIT_DONE && c.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE &&
             (fit(&c, &error) != MIEN_OK || write_model(&c, &error) != MIEN_OK))
        status = cli_fail(&error);
    dataset_free(&c.set);
    mien_model_free(c.model);
    scoring_free(&c.scoring);
    return status;
}
