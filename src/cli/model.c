/* SPDX-License-Identifier: Apache-2.0 */

/* mien model info: what is in a network file; the way to the other parts of mien model. */

#include "cli/model.h"
#include "cli/cli.h"

#include "base/error.h"
#include "base/file.h"
#include "engine/network.h"
#include "eval/json_text.h"
#include "nn/onnx.h"
#include "nn/op.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mien model info [OPTION ...] FILE\n"
    "       mien model new ...        an untrained network (mien model new --help)\n"
    "       mien model calibrate ...  fit the confidences (mien model calibrate --help)\n"
    "       mien model quantize ...   in 8-bit numbers (mien model quantize --help)\n"
    "\n"
    "info shows the inputs, outputs, operators, size and settings of a network in ONNX format.\n"
    "\n"
    "  --json           as one JSON object\n"
    "  --layers         every operator with its output shape, parameters and multiply-adds\n"
    "  --input HxW      the size to shape an open input for (default: its settings, else 224x224)\n"
    "  --sidecar FILE   its settings, when they are not in the file\n"
    "\n"
    "example: mien model info --layers mini_xception.onnx\n";

static const struct option long_options[] = {
    {"json", no_argument, NULL, 'j'},        {"layers", no_argument, NULL, 'l'},
    {"input", required_argument, NULL, 'i'}, {"sidecar", required_argument, NULL, 'S'},
    {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
};

typedef struct info {
    const char *path;
    const char *sidecar_path;
    bool json, layers, asked_for_help;
    int height, width; /* for open dimensions; 0 when not given */
    size_t file_bytes;
    nn_model *model;
    nn_plan *plan; /* as it runs */
    setting_list settings;
} info;

static int parse_arguments(info *in, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        switch (option) {
        case 'j':
            in->json = true;
            break;
        case 'l':
            in->layers = true;
            break;
        case 'i':
            status = cli_parse_size("mien model", "--input", optarg, &in->height, &in->width);
            break;
        case 'S':
            in->sidecar_path = optarg;
            break;
        case 'h':
            in->asked_for_help = true;
            break;
        default:
            status = cli_wrong_usage("mien model", "this option is not known or lacks its value");
        }
    if (status != EXIT_DONE || in->asked_for_help)
        return status;
    if (argc - optind != 2 || strcmp(argv[optind], "info") != 0)
        return cli_wrong_usage("mien model",
                               "say 'info' and one file, 'new', 'calibrate' or 'quantize'");
    in->path = argv[optind + 1];
    return EXIT_DONE;
}

/* The size of an open dimension: as asked, as the settings say, or 224. */
static int open_side(const info *in, int asked, const char *key)
{
    mien_error error;
    int side = 224;
    if (asked > 0)
        return asked;
    settings_int(&in->settings, key, 1, 65536, &side, &error);
    return side;
}

static mien_status shape_inputs(info *in, mien_error *error)
{
    const nn_graph *graph = nn_model_graph(in->model);
    nn_shape *shapes = calloc(graph->input_count, sizeof *shapes);
    if (shapes == NULL)
        return error_no_memory(error, "shapes", graph->input_count * sizeof *shapes);
    for (size_t i = 0; i < graph->input_count; i++) {
        shapes[i] = graph->values[graph->inputs[i]].tensor.shape;
        for (int d = 0; d < shapes[i].rank; d++) {
            if (shapes[i].dims[d] != NN_UNKNOWN_DIM)
                continue;
            bool picture = shapes[i].rank == 4 && d >= 2;
            shapes[i].dims[d] = !picture ? 1
                                : d == 2 ? open_side(in, in->height, "mien.input.height")
                                         : open_side(in, in->width, "mien.input.width");
        }
    }
    nn_plan_options options = {.input_shapes = shapes, .kernels = nn_kernels_best()};
    mien_status status = nn_plan_create(in->model, &options, &in->plan, error);
    free(shapes);
    return status;
}

static mien_status open_network(info *in, mien_error *error)
{
    uint8_t *bytes;
    char *sidecar = NULL;
    char folder[4096];
    mien_status status = file_read(in->path, ONNX_MAX_FILE_SIZE, &bytes, &in->file_bytes, error);
    if (status != MIEN_OK)
        return status;
    status = nn_model_read(bytes, in->file_bytes, &in->model, error);
    free(bytes);
    if (status != MIEN_OK)
        return error_prefix(error, status, "%s", in->path);
    status = engine_find_sidecar(in->path, in->sidecar_path, cli_data_folder(folder, sizeof folder),
                                 &sidecar, error);
    const nn_graph *graph = nn_model_graph(in->model);
    for (size_t i = 0; status == MIEN_OK && i < graph->metadata_count; i++)
        status =
            settings_set(&in->settings, graph->metadata[i].key, graph->metadata[i].value, error);
    if (status == MIEN_OK && sidecar != NULL)
        status = settings_read(&in->settings, sidecar, strlen(sidecar), "its sidecar", error);
    free(sidecar);
    if (status == MIEN_OK)
        status = shape_inputs(in, error);
    return status == MIEN_OK ? MIEN_OK : error_prefix(error, status, "%s", in->path);
}

static size_t count_op(const nn_graph *graph, const nn_op *op)
{
    size_t count = 0;
    for (size_t n = 0; n < graph->node_count; n++)
        count += graph->nodes[n].op == op;
    return count;
}

static int64_t node_parameters(const nn_graph *graph, const nn_node *node)
{
    int64_t total = 0;
    for (int i = 0; i < node->input_count; i++) {
        int64_t elements;
        if (node->inputs[i] < 0)
            continue;
        const nn_tensor *tensor = &graph->values[node->inputs[i]].tensor;
        if (tensor->data != NULL && (tensor->type == NN_FLOAT || tensor->type == NN_INT8) &&
            nn_shape_elements(&tensor->shape, &elements))
            total += elements;
    }
    return total;
}

/* ---- For people ---- */

static void print_ends(const info *in)
{
    const nn_graph *graph = nn_model_graph(in->model);
    char given[NN_SHAPE_TEXT_SIZE], used[NN_SHAPE_TEXT_SIZE];
    for (size_t i = 0; i < graph->input_count; i++) {
        const nn_value *value = &graph->values[graph->inputs[i]];
        printf("input          %s  %s", value->name, nn_shape_text(&value->tensor.shape, given));
        nn_shape_text(nn_plan_input_shape(in->plan, i), used);
        printf(strcmp(given, used) != 0 ? ", here %s\n" : "\n", used);
    }
    for (size_t o = 0; o < graph->output_count; o++)
        printf("output         %s  %s\n", graph->values[graph->outputs[o]].name,
               nn_shape_text(nn_plan_output_shape(in->plan, o), used));
}

static void print_layers(const info *in)
{
    const nn_graph *graph = nn_model_graph(in->model);
    char text[NN_SHAPE_TEXT_SIZE];
    printf("\n%-4s %-20s %-40s %-18s %12s %14s\n", "", "operator", "name", "output", "parameters",
           "multiply-adds");
    for (size_t n = 0; n < graph->node_count; n++) {
        const nn_node *node = &graph->nodes[n];
        nn_shape shape = nn_plan_value_shape(in->plan, node->outputs[0]);
        printf("%-4zu %-20s %-40.40s %-18s %12" PRId64 " %14" PRId64 "\n", n + 1, node->op->name,
               node->name, nn_shape_text(&shape, text), node_parameters(graph, node),
               nn_plan_node_multiply_adds(in->plan, n));
    }
}

static void print_text(const info *in)
{
    const nn_graph *graph = nn_model_graph(in->model);
    printf("file           %s, %zu bytes, opset %d\n", in->path, in->file_bytes, graph->opset);
    print_ends(in);
    printf("parameters     %" PRId64 "\n", nn_model_parameters(in->model));
    printf("multiply-adds  %" PRId64 "\n", nn_plan_multiply_adds(in->plan));
    printf("memory to run  %zu bytes of tensors, %zu steps\n", nn_plan_arena_bytes(in->plan),
           nn_plan_step_count(in->plan));
    printf("operators      ");
    const char *comma = "";
    const nn_op *op;
    for (size_t i = 0; (op = nn_op_at(i)) != NULL; i++) {
        size_t count = count_op(graph, op);
        if (count != 0)
            printf("%s%zu %s", comma, count, op->name);
        comma = count != 0 ? ", " : comma;
    }
    putchar('\n');
    for (size_t i = 0; i < in->settings.count; i++)
        printf("setting        %s = %s\n", in->settings.entries[i].key,
               in->settings.entries[i].value);
    if (in->layers)
        print_layers(in);
}

/* ---- JSON ---- */

static json_t *json_of_shape(const nn_shape *shape)
{
    json_t *dims = json_array();
    bool complete = dims != NULL;
    for (int i = 0; i < shape->rank; i++) {
        bool open = shape->dims[i] == NN_UNKNOWN_DIM;
        complete &=
            json_array_append_new(dims, open ? json_null() : json_integer(shape->dims[i])) == 0;
    }
    return json_text_finish(dims, complete);
}

static json_t *json_of_layer(const info *in, size_t n)
{
    const nn_graph *graph = nn_model_graph(in->model);
    const nn_node *node = &graph->nodes[n];
    nn_shape shape = nn_plan_value_shape(in->plan, node->outputs[0]);
    json_t *layer = json_object();
    bool complete = json_object_set_new(layer, "operator", json_string(node->op->name)) == 0;
    complete &= json_object_set_new(layer, "name", json_text_name(node->name)) == 0;
    complete &= json_object_set_new(layer, "output", json_of_shape(&shape)) == 0;
    complete &=
        json_object_set_new(layer, "parameters", json_integer(node_parameters(graph, node))) == 0;
    complete &= json_object_set_new(layer, "multiply_adds",
                                    json_integer(nn_plan_node_multiply_adds(in->plan, n))) == 0;
    return json_text_finish(layer, complete);
}

static json_t *json_of_layers(const info *in)
{
    json_t *layers = json_array();
    bool complete = layers != NULL;
    for (size_t n = 0; n < nn_model_graph(in->model)->node_count; n++)
        complete &= json_array_append_new(layers, json_of_layer(in, n)) == 0;
    return json_text_finish(layers, complete);
}

static json_t *json_of_end(const char *name, const nn_shape *shape)
{
    json_t *end = json_object();
    bool complete = json_object_set_new(end, "name", json_text_name(name)) == 0;
    complete &= json_object_set_new(end, "shape", json_of_shape(shape)) == 0;
    return json_text_finish(end, complete);
}

static json_t *json_of_ends(const info *in, bool inputs)
{
    const nn_graph *graph = nn_model_graph(in->model);
    size_t count = inputs ? graph->input_count : graph->output_count;
    json_t *ends = json_array();
    bool complete = ends != NULL;
    for (size_t i = 0; i < count; i++) {
        const nn_value *value = &graph->values[inputs ? graph->inputs[i] : graph->outputs[i]];
        const nn_shape *shape = inputs ? &value->tensor.shape : nn_plan_output_shape(in->plan, i);
        complete &= json_array_append_new(ends, json_of_end(value->name, shape)) == 0;
    }
    return json_text_finish(ends, complete);
}

static json_t *json_of_operators(const nn_graph *graph)
{
    json_t *operators = json_object();
    bool complete = operators != NULL;
    const nn_op *op;
    for (size_t i = 0; (op = nn_op_at(i)) != NULL; i++) {
        size_t count = count_op(graph, op);
        if (count != 0)
            complete &=
                json_object_set_new(operators, op->name, json_integer((json_int_t)count)) == 0;
    }
    return json_text_finish(operators, complete);
}

/* A key that is not UTF-8 is no key that anybody wrote by hand: it is an error like any other. */
static json_t *json_of_settings(const setting_list *settings)
{
    json_t *object = json_object();
    bool complete = object != NULL;
    for (size_t i = 0; i < settings->count; i++)
        complete &= json_object_set_new(object, settings->entries[i].key,
                                        json_text_name(settings->entries[i].value)) == 0;
    return json_text_finish(object, complete);
}

static json_t *json_of_info(const info *in)
{
    const nn_graph *graph = nn_model_graph(in->model);
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        {"parameters", nn_model_parameters(in->model)},
        {"multiply_adds", nn_plan_multiply_adds(in->plan)},
        {"arena_bytes", (int64_t)nn_plan_arena_bytes(in->plan)},
    };
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "file", json_text_name(in->path)) == 0;
    complete &= json_object_set_new(object, "bytes", json_integer((json_int_t)in->file_bytes)) == 0;
    complete &= json_object_set_new(object, "opset", json_integer(graph->opset)) == 0;
    complete &= json_object_set_new(object, "inputs", json_of_ends(in, true)) == 0;
    complete &= json_object_set_new(object, "outputs", json_of_ends(in, false)) == 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        complete &=
            json_object_set_new(object, numbers[i].key, json_integer(numbers[i].value)) == 0;
    complete &= json_object_set_new(object, "operators", json_of_operators(graph)) == 0;
    complete &= json_object_set_new(object, "settings", json_of_settings(&in->settings)) == 0;
    if (in->layers)
        complete &= json_object_set_new(object, "layers", json_of_layers(in)) == 0;
    return json_text_finish(object, complete);
}

int cli_model(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "new") == 0)
        return cli_model_new(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "calibrate") == 0)
        return cli_model_calibrate(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "quantize") == 0)
        return cli_model_quantize(argc - 1, argv + 1);
    info in = {0};
    mien_error error;
    int status = parse_arguments(&in, argc, argv);
    if (status == EXIT_DONE && in.asked_for_help) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (status != EXIT_DONE)
        return status;
    if (open_network(&in, &error) != MIEN_OK)
        status = cli_fail(&error);
    else if (in.json)
        status = cli_print_json(json_of_info(&in), JSON_INDENT(2));
    else
        print_text(&in);
    nn_plan_free(in.plan);
    nn_model_free(in.model);
    settings_free(&in.settings);
    return status;
}
