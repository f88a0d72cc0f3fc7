/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/error.h"
#include "base/file.h"
#include "eval/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fputs("mien: cannot write to standard output\n", stderr);
    return status == EXIT_USAGE ? status : EXIT_FAILED;
}

int cli_fail(const mien_error *error)
{
    fprintf(stderr, "mien: %s\n", error->message);
    return EXIT_FAILED;
}

int cli_wrong_usage(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", command);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n'%s --help' shows how to use it\n", command);
    va_end(args);
    return EXIT_USAGE;
}

int cli_print_json(json_t *value, size_t flags)
{
    char *text = json_text_dump(value, flags);
    if (text == NULL) {
        fputs("mien: out of memory for the output\n", stderr);
        return EXIT_FAILED;
    }
    puts(text);
    free(text);
    return EXIT_DONE;
}

bool cli_parse_real(const char *command, const char *option, const char *text, double low,
                    double high, double *value)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && errno == 0 && *value >= low && *value <= high)
        return true;
    cli_wrong_usage(command, "%s is '%s', not a number from %g to %g", option, text, low, high);
    return false;
}

bool cli_parse_int(const char *command, const char *option, const char *text, int64_t low,
                   int64_t high, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0 && *value >= low && *value <= high)
        return true;
    cli_wrong_usage(command, "%s is '%s', not a whole number from %" PRId64 " to %" PRId64, option,
                    text, low, high);
    return false;
}

int cli_parse_size(const char *command, const char *option, const char *text, int *first,
                   int *second)
{
    const int most = 65536;
    char rest;
    /* Six digits, so that a larger number is no size rather than another one. */
    if (sscanf(text, "%6dx%6d%c", first, second, &rest) == 2 && *first > 0 && *second > 0 &&
        *first <= most && *second <= most)
        return EXIT_DONE;
    return cli_wrong_usage(command, "%s is '%s', not a size such as 224x224", option, text);
}

bool cli_program_folder(char *buffer, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", buffer, size - 1);
    if (length <= 0 || (size_t)length >= size - 1)
        return false;
    buffer[length] = '\0';
    *strrchr(buffer, '/') = '\0';
    return true;
}

const char *cli_data_folder(char *buffer, size_t size)
{
    static const char *const places[] = {"/../share/mien", "/../models"};
    const char *environment = getenv("MIEN_DATA");
    if (environment != NULL) {
        snprintf(buffer, size, "%s", environment);
        return buffer;
    }
    char program[2048];
    if (!cli_program_folder(program, sizeof program))
        return NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(buffer, size, "%s%s", program, places[i]);
        if (file_is_folder(buffer))
            return buffer;
    }
    return NULL;
}

void cli_setup_init(cli_setup *setup)
{
    *setup = (cli_setup){0};
    const char *folder = cli_data_folder(setup->data_folder, sizeof setup->data_folder);
    setup->model.data_folder = folder;
    setup->detector.data_folder = folder;
    setup->model_path = getenv("MIEN_MODEL");
    if (setup->model_path != NULL || folder == NULL)
        return;
    snprintf(setup->own_model, sizeof setup->own_model, "%s/mien.onnx", folder);
    if (file_exists(setup->own_model))
        setup->model_path = setup->own_model;
}

bool cli_setup_option(cli_setup *setup, const char *command, int option, const char *argument,
                      int *status)
{
    int64_t whole = 0;
    double real = 0;
    bool good = true;
    mien_detector_options *detector = &setup->detector;
    switch (option) {
    case 'm':
        setup->model_path = argument;
        break;
    case 'S':
        setup->model.sidecar = argument;
        break;
    case 'k':
        setup->model.kernels = detector->kernels = argument;
        break;
    case 'P':
        setup->model.precision = argument;
        break;
    case 'd':
        setup->detector_path = argument;
        break;
    case 'D':
        detector->sidecar = argument;
        break;
    case 'f':
        good = cli_parse_real(command, "--scale-factor", argument, 1.001, 10, &real);
        detector->scale_factor = real;
        break;
    case 'n':
        good = cli_parse_int(command, "--min-neighbours", argument, 0, 1000, &whole);
        detector->min_neighbours = whole > 0 ? (int)whole : -1;
        break;
    case 'z':
        good = cli_parse_int(command, "--min-size", argument, 0, 65535, &whole);
        detector->min_size = (int)whole;
        break;
    case 'Z':
        good = cli_parse_int(command, "--max-size", argument, 0, 65535, &whole);
        detector->max_size = (int)whole;
        break;
    case CLI_DETECTOR_INPUT:
        *status = cli_parse_size(command, "--detector-input", argument, &detector->input_width,
                                 &detector->input_height);
        return true;
    case 's':
        good = cli_parse_real(command, "--min-score", argument, 0.001, 1, &real);
        detector->min_score = (float)real;
        break;
    default:
        return false;
    }
    *status = good ? EXIT_DONE : EXIT_USAGE;
    return true;
}

static bool has_model(const cli_setup *setup)
{
    if (setup->model_path != NULL)
        return true;
    fputs("mien: no model: name one with --model FILE or in MIEN_MODEL (mien's own is not part of "
          "this version)\n",
          stderr);
    return false;
}

int cli_open_model(const cli_setup *setup, mien_model **model)
{
    mien_error error;
    if (!has_model(setup))
        return EXIT_FAILED;
    if (mien_model_open(setup->model_path, &setup->model, model, &error) != MIEN_OK)
        return cli_fail(&error);
    return EXIT_DONE;
}

int cli_open_detector(const cli_setup *setup, mien_detector **detector)
{
    mien_error error;
    *detector = NULL;
    if (setup->detector_path != NULL && strcmp(setup->detector_path, "none") == 0)
        return EXIT_DONE;
    if (mien_detector_open(setup->detector_path, &setup->detector, detector, &error) != MIEN_OK)
        return cli_fail(&error);
    return EXIT_DONE;
}

/* A model that a thread opens. */
typedef struct opening {
    const cli_setup *setup;
    mien_model *model;
    mien_status status;
    mien_error error;
} opening;

static void *open_apart(void *context)
{
    opening *o = context;
    o->status = mien_model_open(o->setup->model_path, &o->setup->model, &o->model, &o->error);
    return NULL;
}

int cli_open_both(const cli_setup *setup, mien_model **model, mien_detector **detector)
{
    opening o = {.setup = setup};
    pthread_t thread;
    *model = NULL;
    *detector = NULL;
    if (!has_model(setup))
        return EXIT_FAILED;
    bool apart = pthread_create(&thread, NULL, open_apart, &o) == 0;
    int status = cli_open_detector(setup, detector);
    if (apart)
        pthread_join(thread, NULL);
    else
        open_apart(&o);
    *model = o.model;
    return o.status == MIEN_OK ? status : cli_fail(&o.error);
}
