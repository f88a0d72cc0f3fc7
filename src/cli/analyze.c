/* SPDX-License-Identifier: Apache-2.0 */

/* mien analyze and mien detect: pictures in, faces out, with or without their expressions. */

#include "cli/annotate.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/picture_job.h"

#include "base/error.h"
#include "base/file.h"
#include "image/image.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHARED_HELP                                                                                \
    "  --json                  one JSON object per picture and line (docs/OUTPUT.md)\n"            \
    "  --csv                   one row per face\n"                                                 \
    "  --annotate DIR          write each picture with its faces marked into this folder\n"        \
    "  --threads N             threads that share the pictures, or one picture (default 1)\n"      \
    "  --max-pixels N          refuse larger pictures (default 100000000)\n"                       \
    "  --reduce N              decode JPEG pictures at 1/2, 1/4 or 1/8 while their longer side\n"  \
    "                          keeps N pixels: faster, small faces are lost; sizes for the\n"      \
    "                          detector count in the reduced picture\n"

static const char analyze_help[] =
    "usage: mien analyze [OPTION ...] FILE|FOLDER|- ...\n"
    "\n"
    "Finds the faces in pictures (JPEG, PNG, PGM, PPM) and prints the apparent expression of "
    "each.\n"
    "A folder stands for the pictures in it, '-' for a picture on standard input.\n"
    "\n" CLI_MODEL_HELP CLI_DETECTOR_HELP SHARED_HELP "\n"
    "example: mien analyze --json --annotate marked holiday/ portrait.jpg\n";

static const char detect_help[] = "usage: mien detect [OPTION ...] FILE|FOLDER|- ...\n"
                                  "\n"
                                  "Finds the faces in pictures (JPEG, PNG, PGM, PPM). A folder "
                                  "stands for the pictures in it, '-'\n"
                                  "for a picture on standard input.\n"
                                  "\n"
                                  "  --kernels NAME          avx512, avx2, generic or reference "
                                  "(default: the best here)\n" CLI_DETECTOR_HELP SHARED_HELP "\n"
                                  "example: mien detect --detector yunet.onnx --csv holiday/\n";

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DETECTOR_OPTIONS,
    {"json", no_argument, NULL, 'j'},
    {"csv", no_argument, NULL, 'c'},
    {"annotate", required_argument, NULL, 'a'},
    {"threads", required_argument, NULL, 't'},
    {"max-pixels", required_argument, NULL, 'p'},
    {"reduce", required_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Everything of one run of the command. */
typedef struct run {
    const char *command;
    bool with_model;
    cli_setup setup;
    output_format format;
    const char *annotate_folder;
    int threads;
    int64_t max_pixels;
    int least_side;
    mien_model *model;
    mien_detector *detector;
    file_list files;
    file_list written; /* names under annotate_folder that this run has used */
    bool failed;
    bool asked_for_help;
} run;

static int parse_own_option(run *r, int option)
{
    int64_t number;
    switch (option) {
    case 'j':
        r->format = OUTPUT_JSON;
        return EXIT_DONE;
    case 'c':
        r->format = OUTPUT_CSV;
        return EXIT_DONE;
    case 'a':
        r->annotate_folder = optarg;
        return EXIT_DONE;
    case 't':
        if (!cli_parse_int(r->command, "--threads", optarg, 1, 256, &number))
            return EXIT_USAGE;
        r->threads = (int)number;
        return EXIT_DONE;
    case 'p':
        return cli_parse_int(r->command, "--max-pixels", optarg, 1, INT64_C(1) << 40,
                             &r->max_pixels)
                   ? EXIT_DONE
                   : EXIT_USAGE;
    case 'r':
        if (!cli_parse_int(r->command, "--reduce", optarg, 1, IMAGE_MAX_SIDE, &number))
            return EXIT_USAGE;
        r->least_side = (int)number;
        return EXIT_DONE;
    case 'h':
        r->asked_for_help = true;
        return EXIT_DONE;
    default:
        return cli_wrong_usage(r->command, "this option is not known or lacks its value");
    }
}

static int parse_arguments(run *r, int argc, char **argv)
{
    int option;
    int status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!cli_setup_option(&r->setup, r->command, option, optarg, &status))
            status = parse_own_option(r, option);
    if (status == EXIT_DONE && !r->asked_for_help && optind == argc)
        return cli_wrong_usage(r->command, "name at least one picture or folder");
    if (status == EXIT_DONE && r->annotate_folder != NULL && r->least_side != INT_MAX)
        return cli_wrong_usage(r->command, "--annotate marks whole pictures: leave out --reduce");
    return status;
}

/* ---- Inputs ---- */

static bool is_picture_name(const char *path)
{
    static const char *const extensions[] = {"jpg", "jpeg", "jpe", "png", "pgm", "ppm", "pnm"};
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(file_extension(path), extensions[i]) == 0)
            return true;
    return false;
}

/* The pictures of a folder; its other files are passed over. On failure, those that could be read
 * are there. */
static mien_status add_folder(run *r, const char *folder, mien_error *error)
{
    file_list all = {0};
    size_t before = r->files.count;
    mien_status status = file_list_add_folder(&all, folder, error);
    mien_status added = MIEN_OK;
    for (size_t i = 0; added == MIEN_OK && i < all.count; i++)
        if (is_picture_name(all.paths[i]))
            added = file_list_add(&r->files, all.paths[i], error);
    file_list_free(&all);
    if (added != MIEN_OK)
        return added;
    if (status == MIEN_OK && r->files.count == before)
        return error_set(error, MIEN_NOT_FOUND,
                         "there is no picture in '%s' (names ending in .jpg, .jpeg, .png, .pgm or "
                         ".ppm)",
                         folder);
    return status;
}

static void gather_inputs(run *r, char **names, int count)
{
    mien_error error;
    for (int i = 0; i < count; i++) {
        mien_status status = file_is_folder(names[i]) ? add_folder(r, names[i], &error)
                                                      : file_list_add(&r->files, names[i], &error);
        if (status != MIEN_OK)
            r->failed = cli_fail(&error) != EXIT_DONE;
    }
}

/* Threads that have no picture of their own help with one. */
static void share_threads(run *r)
{
    size_t pictures = r->files.count > 0 ? r->files.count : 1;
    if ((size_t)r->threads >= pictures)
        r->setup.model.threads = r->setup.detector.threads = r->threads / (int)pictures;
}

/* ---- Annotated pictures ---- */

static bool was_written(const run *r, const char *name)
{
    for (size_t i = 0; i < r->written.count; i++)
        if (strcmp(r->written.paths[i], name) == 0)
            return true;
    return false;
}

static bool lies_in(const char *path, const struct stat *folder)
{
    char parent[4096];
    struct stat info;
    snprintf(parent, sizeof parent, "%.*s.", (int)(file_name(path) - path), path);
    return stat(parent, &info) == 0 && info.st_dev == folder->st_dev &&
           info.st_ino == folder->st_ino;
}

/* The user's pictures that lie in the folder count as written: they are never overwritten. */
static mien_status keep_inputs(run *r, mien_error *error)
{
    struct stat folder;
    mien_status status = MIEN_OK;
    if (r->annotate_folder == NULL || stat(r->annotate_folder, &folder) != 0)
        return MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < r->files.count; i++) {
        char path[4096];
        if (!lies_in(r->files.paths[i], &folder))
            continue;
        snprintf(path, sizeof path, "%s/%s", r->annotate_folder, file_name(r->files.paths[i]));
        status = file_list_add(&r->written, path, error);
    }
    return status;
}

/* "<folder>/<name of the picture>.png"; a second picture of that name gets "-2". */
static mien_status choose_name(run *r, const char *source, char *path, size_t size,
                               mien_error *error)
{
    const char *name = strcmp(source, "-") == 0 ? "stdin" : file_name(source);
    const char *extension = file_extension(name);
    int stem = (int)(strlen(name) - (*extension != '\0' ? strlen(extension) + 1 : 0));
    char number[16] = "";
    for (int i = 2;; i++) {
        int length = snprintf(path, size, "%s/%.*s%s.png", r->annotate_folder, stem, name, number);
        if (length < 0 || (size_t)length >= size)
            return error_set(error, MIEN_LIMIT, "the path of the marked picture '%s' is too long",
                             name);
        if (!was_written(r, path))
            return file_list_add(&r->written, path, error);
        snprintf(number, sizeof number, "-%d", i);
    }
}

static mien_status write_annotated(run *r, const picture_result *result, mien_error *error)
{
    char path[4096];
    mien_image marked;
    mien_status status = annotate_picture(result->image, r->model, result->faces,
                                          result->face_count, &marked, error);
    if (status != MIEN_OK)
        return error_prefix(error, status, "%s", result->source);
    status = choose_name(r, result->source, path, sizeof path, error);
    if (status == MIEN_OK)
        status = mien_image_save(&marked, path, error);
    mien_image_free(&marked);
    return status;
}

/* ---- Running ---- */

static void deliver(void *context, const picture_result *result)
{
    run *r = context;
    mien_error error;
    if (result->status != MIEN_OK) {
        r->failed = true;
        cli_fail(&result->error);
    }
    if (!output_picture(r->format, r->model, result)) {
        r->failed = true;
        fputs("mien: out of memory for the output\n", stderr);
    }
    if (result->status == MIEN_OK && r->annotate_folder != NULL &&
        write_annotated(r, result, &error) != MIEN_OK) {
        r->failed = true;
        cli_fail(&error);
    }
}

static int open_all(run *r)
{
    if (r->annotate_folder != NULL && mkdir(r->annotate_folder, 0777) != 0 &&
        !file_is_folder(r->annotate_folder)) {
        fprintf(stderr, "mien: cannot make the folder '%s': %s\n", r->annotate_folder,
                strerror(errno));
        return EXIT_FAILED;
    }
    return r->with_model ? cli_open_both(&r->setup, &r->model, &r->detector)
                         : cli_open_detector(&r->setup, &r->detector);
}

static int run_pictures(run *r)
{
    mien_error error;
    picture_job job = {.files = &r->files,
                       .model = r->model,
                       .detector = r->detector,
                       .max_pixels = r->max_pixels,
                       .least_side = r->least_side,
                       .threads = r->threads,
                       .keep_images = r->annotate_folder != NULL,
                       .deliver = deliver,
                       .context = r};
    output_begin(r->format, r->model);
    if (keep_inputs(r, &error) != MIEN_OK || picture_job_run(&job, &error) != MIEN_OK)
        return cli_fail(&error);
    return r->failed ? EXIT_FAILED : EXIT_DONE;
}

static int run_command(const char *help, bool with_model, int argc, char **argv)
{
    run r = {.command = argv[0], .with_model = with_model, .threads = 1, .least_side = INT_MAX};
    cli_setup_init(&r.setup);
    int status = parse_arguments(&r, argc, argv);
    if (status == EXIT_DONE && r.asked_for_help) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (status == EXIT_DONE) {
        gather_inputs(&r, argv + optind, argc - optind);
        share_threads(&r);
        status = open_all(&r);
    }
    if (status == EXIT_DONE)
        status = run_pictures(&r);
    mien_model_free(r.model);
    mien_detector_free(r.detector);
    file_list_free(&r.files);
    file_list_free(&r.written);
    return status;
}

int cli_analyze(int argc, char **argv)
{
    return run_command(analyze_help, true, argc, argv);
}

int cli_detect(int argc, char **argv)
{
    return run_command(detect_help, false, argc, argv);
}
