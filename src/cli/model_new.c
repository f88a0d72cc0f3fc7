/* SPDX-License-Identifier: Apache-2.0 */

/* mien model new: an untrained network of the zoo as a file. */

#include "cli/model.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "nn/onnx_write.h"
#include "zoo/zoo.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char command[] = "mien model new";

static const char help[] =
    "usage: mien model new --architecture NAME --classes NAME,NAME,... [OPTION ...] FILE\n"
    "\n"
    "Writes a network with fresh random weights, ready to be trained: a complete model in ONNX\n"
    "format with its classes and input.\n"
    "\n"
    "  --architecture NAME   which network:\n";

static const char help_options[] =
    "  --classes LIST        the names of the classes in their order, commas between\n"
    "  --input HxW           pixels (default: the architecture's own, 32 to 224)\n"
    "  --channels N          1 for grey, 3 for RGB (default 1)\n"
    "  --width X             MobileNets: the width multiplier, 0.05 to 4 (default 1)\n"
    "  --seed N              of the weights (default 1)\n"
    "  --float16             stores the weights as float16\n"
    "\n"
    "example: mien model new --architecture mien --classes angry,happy,sad fresh.onnx\n";

static const struct option long_options[] = {
    {"architecture", required_argument, NULL, 'a'},
    {"classes", required_argument, NULL, 'c'},
    {"input", required_argument, NULL, 'i'},
    {"channels", required_argument, NULL, 'n'},
    {"width", required_argument, NULL, 'w'},
    {"seed", required_argument, NULL, 's'},
    {"float16", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct request {
    const char *path;
    const char *architecture;
    const char *classes;
    zoo_options options;
    onnx_weights weights;
    bool asked_for_help;
} request;

static void print_help(void)
{
    fputs(help, stdout);
    for (size_t i = 0; zoo_name(i) != NULL; i++)
        printf("                          %s\n", zoo_name(i));
    fputs(help_options, stdout);
}

static int parse_size(request *r, const char *text)
{
    char rest;
    zoo_options *o = &r->options;
    if (sscanf(text, "%5dx%5d%c", &o->height, &o->width, &rest) == 2 && o->height > 0 &&
        o->width > 0)
        return EXIT_DONE;
    return cli_wrong_usage(command, "--input is '%s', not a size such as 48x48", text);
}

static int parse_number(request *r, int option, const char *text)
{
    int64_t whole;
    double real;
    bool fine = false;
    if (option == 'n') {
        fine = cli_parse_int(command, "--channels", text, 1, 3, &whole);
        r->options.channels = fine ? (int)whole : 0;
    } else if (option == 's') {
        fine = cli_parse_int(command, "--seed", text, 0, INT64_MAX, &whole);
        r->options.seed = fine ? (uint64_t)whole : 0;
    } else {
        fine = cli_parse_real(command, "--width", text, 0.05, 4, &real);
        r->options.width_multiplier = fine ? (float)real : 0;
    }
    return fine ? EXIT_DONE : EXIT_USAGE;
}

static int parse_option(request *r, int option)
{
    switch (option) {
    case 'a':
        r->architecture = optarg;
        return EXIT_DONE;
    case 'c':
        r->classes = optarg;
        return EXIT_DONE;
    case 'i':
        return parse_size(r, optarg);
    case 'n':
    case 's':
    case 'w':
        return parse_number(r, option, optarg);
    case 'f':
        r->weights = ONNX_WEIGHTS_FLOAT16;
        return EXIT_DONE;
    case 'h':
        r->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
}

/* Names between commas; 0 when one is empty. */
static int count_classes(const char *list)
{
    int count = 1;
    for (const char *c = list; *c != '\0'; c++)
        count += *c == ',';
    bool empty = list[0] == ',' || list[0] == '\0' || list[strlen(list) - 1] == ',' ||
                 strstr(list, ",,") != NULL;
    return empty ? 0 : count;
}

static int parse_arguments(request *r, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = parse_option(r, option);
    if (status != EXIT_DONE || r->asked_for_help)
        return status;
    if (r->architecture == NULL || r->classes == NULL)
        return cli_wrong_usage(command, "--architecture and --classes are needed");
    if (argc - optind != 1)
        return cli_wrong_usage(command, "say the one file to write");
    r->options.classes = count_classes(r->classes);
    if (r->options.classes < 2)
        return cli_wrong_usage(
            command, "--classes is '%s', not two names or more with commas between", r->classes);
    r->path = argv[optind];
    return EXIT_DONE;
}

/* What makes the network a model: docs/MODEL_FORMAT.md. */
static mien_status describe(nn_graph *graph, const request *r, mien_error *error)
{
    const nn_shape *shape = &graph->values[graph->inputs[0]].tensor.shape;
    char height[24], width[24];
    snprintf(height, sizeof height, "%d", (int)shape->dims[2]);
    snprintf(width, sizeof width, "%d", (int)shape->dims[3]);
    const char *const entries[][2] = {
        {"mien.classes", r->classes},
        {"mien.output", "logits"},
        {"mien.output.kind", "logits"},
        {"mien.input.format", r->options.channels == 1 ? "gray" : "rgb"},
        {"mien.input.height", height},
        {"mien.input.width", width},
    };
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < sizeof entries / sizeof *entries; i++)
        status = nn_graph_set_metadata(graph, entries[i][0], entries[i][1], error);
    return status;
}

static mien_status write_network(const request *r, mien_error *error)
{
    nn_graph graph;
    uint8_t *bytes = NULL;
    size_t size;
    mien_status status = zoo_build(r->architecture, &r->options, &graph, error);
    if (status == MIEN_OK)
        status = describe(&graph, r, error);
    if (status == MIEN_OK)
        status = onnx_write(&graph, r->weights, &bytes, &size, error);
    if (status == MIEN_OK)
        status = file_write_atomic(r->path, bytes, size, error);
    free(bytes);
    nn_graph_free(&graph);
    return status;
}

int cli_model_new(int argc, char **argv)
{
    request r = {.options = {.channels = 1, .seed = 1}};
    mien_error error;
    int status = parse_arguments(&r, argc, argv);
    if (status != EXIT_DONE)
        return status;
    if (r.asked_for_help) {
        print_help();
        return EXIT_DONE;
    }
    return write_network(&r, &error) == MIEN_OK ? EXIT_DONE : cli_fail(&error);
}
