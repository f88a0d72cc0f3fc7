/* SPDX-License-Identifier: Apache-2.0 */

/* mien explain: a face beside maps of what the network looked at. */

#include "cli/canvas.h"
#include "cli/cli.h"
#include "cli/explainer.h"
#include "cli/scoring.h"

#include "base/error.h"
#include "base/file.h"
#include "eval/heat.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: mien explain [OPTION ...] --out FILE PICTURE\n"
    "\n"
    "Draws a face beside maps of what in it made the network say which expression appears:\n"
    "Grad-CAM shows where it looked, guided backpropagation which details count.\n"
    "\n" CLI_MODEL_HELP CLI_DETECTOR_HELP
    "  --out FILE              the picture that is written (.png, .jpg, .ppm)\n"
    "  --whole                 the picture is a face already\n"
    "  --face N                the Nth face from the left (default: the largest)\n"
    "  --class NAME            explain this expression (default: the apparent one)\n"
    "  --method NAME           gradcam, guided or both (default: both)\n"
    "  --max-pixels N          refuse larger pictures (default 100000000)\n"
    "\n"
    "example: mien explain --out why.png portrait.jpg\n";

static const char command[] = "mien explain";

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DETECTOR_OPTIONS,
    {"out", required_argument, NULL, 'o'},
    {"whole", no_argument, NULL, 'w'},
    {"face", required_argument, NULL, 'F'},
    {"class", required_argument, NULL, 'c'},
    {"method", required_argument, NULL, 'M'},
    {"max-pixels", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct request {
    cli_setup setup;
    const char *picture_path, *out_path, *class_name;
    bool whole, cam, guided, asked_for_help;
    int64_t face; /* from 1; 0: the largest */
    int64_t max_pixels;
    mien_model *model;
    mien_detector *detector;
    mien_analyzer *analyzer;
    mien_image image;
    const mien_face *found; /* the analyzer's */
    int explained;          /* class */
    explanation explanation;
    explainer *explainer;
} request;

static int parse_method(request *r, const char *name)
{
    r->cam = strcmp(name, "guided") != 0;
    r->guided = strcmp(name, "gradcam") != 0;
    if (r->cam && r->guided && strcmp(name, "both") != 0)
        return cli_wrong_usage(command, "--method is '%s', not gradcam, guided or both", name);
    return EXIT_DONE;
}

static int parse_option(request *r, int option)
{
    bool good = true;
    switch (option) {
    case 'o':
        r->out_path = optarg;
        break;
    case 'w':
        r->whole = true;
        break;
    case 'F':
        good = cli_parse_int(command, "--face", optarg, 1, 100000, &r->face);
        break;
    case 'c':
        r->class_name = optarg;
        break;
    case 'M':
        return parse_method(r, optarg);
    case 'p':
        good = cli_parse_int(command, "--max-pixels", optarg, 1, INT64_C(1) << 40, &r->max_pixels);
        break;
    case 'h':
        r->asked_for_help = true;
        break;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
    return good ? EXIT_DONE : EXIT_USAGE;
}

static int parse_arguments(request *r, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!cli_setup_option(&r->setup, command, option, optarg, &status))
            status = parse_option(r, option);
    if (status != EXIT_DONE || r->asked_for_help)
        return status;
    if (argc - optind != 1 || r->out_path == NULL)
        return cli_wrong_usage(command, "name one picture and --out");
    if (r->whole && (r->face != 0 || r->setup.detector_path != NULL))
        return cli_wrong_usage(command, "--whole goes without --face and --detector");
    r->picture_path = argv[optind];
    return EXIT_DONE;
}

/* ---- Work ---- */

static mien_status choose_face(request *r, mien_error *error)
{
    const mien_face *faces;
    size_t count;
    mien_status status = mien_analyzer_run(r->analyzer, &r->image, &faces, &count, error);
    if (status != MIEN_OK)
        return status;
    if (count == 0)
        return error_set(error, MIEN_NOT_FOUND,
                         "no face found in '%s' (--whole takes the picture as one)",
                         r->picture_path);
    if (r->face > (int64_t)count)
        return error_set(error, MIEN_INVALID_ARGUMENT, "there is no face %lld: '%s' has %zu",
                         (long long)r->face, r->picture_path, count);
    r->found = r->face > 0 ? &faces[r->face - 1] : scoring_largest_face(faces, count);
    return MIEN_OK;
}

static mien_status choose_class(request *r, mien_error *error)
{
    r->explained = r->found->top;
    if (r->class_name == NULL)
        return MIEN_OK;
    for (int c = 0; c < mien_model_class_count(r->model); c++)
        if (strcmp(mien_model_class_name(r->model, c), r->class_name) == 0) {
            r->explained = c;
            return MIEN_OK;
        }
    char names[400] = "";
    for (int c = 0; c < mien_model_class_count(r->model); c++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", c > 0 ? ", " : "",
                 mien_model_class_name(r->model, c));
    }
    return error_set(error, MIEN_INVALID_ARGUMENT, "the model has no class '%.40s'; it has: %s",
                     r->class_name, names);
}

/* ---- Drawing ---- */

enum { SIDE = 288, GAP = 16, HEAD = 64, FOOT = 62 }; /* pixels */

static void draw_heat_bar(canvas *c, double x, double y, double width, double height)
{
    for (int i = 0; i < (int)width; i++) {
        uint8_t rgb[3];
        heat_colour((float)i / (float)(width - 1), rgb);
        cairo_set_source_rgb(c->cr, rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0);
        cairo_rectangle(c->cr, x + i, y, 1, height);
        cairo_fill(c->cr);
    }
}

static void draw_grey_bar(canvas *c, double x, double y, double width, double height)
{
    cairo_pattern_t *greys = cairo_pattern_create_linear(x, 0, x + width, 0);
    cairo_pattern_add_color_stop_rgb(greys, 0, 0, 0, 0);
    cairo_pattern_add_color_stop_rgb(greys, 1, 1, 1, 1);
    cairo_set_source(c->cr, greys);
    cairo_rectangle(c->cr, x, y, width, height);
    cairo_fill_preserve(c->cr);
    cairo_pattern_destroy(greys);
    cairo_set_source_rgb(c->cr, 0.5, 0.5, 0.5);
    cairo_set_line_width(c->cr, 1);
    cairo_stroke(c->cr);
}

static void set_ink(canvas *c, double grey)
{
    cairo_set_source_rgb(c->cr, grey, grey, grey);
}

typedef void (*draw_bar)(canvas *c, double x, double y, double width, double height);

/* What stands under a map: its name, and a bar between two words. */
static void draw_legend(canvas *c, double x, double y, const char *name, draw_bar bar,
                        const char *low, const char *high)
{
    cairo_text_extents_t extents;
    set_ink(c, 0.1);
    canvas_text(c, x, y + 20, 14, name);
    if (bar == NULL)
        return;
    set_ink(c, 0.35);
    canvas_text(c, x, y + 42, 12, low);
    cairo_text_extents(c->cr, low, &extents);
    double from = x + extents.x_advance + 6, to = from + 110;
    bar(c, from, y + 32, to - from, 11);
    set_ink(c, 0.35);
    canvas_text(c, to + 6, y + 42, 12, high);
}

static void draw_title(const request *r, canvas *c)
{
    char text[160];
    const mien_face *face = r->found;
    snprintf(text, sizeof text, "apparent expression: %s%s, %.0f %%",
             face->unsure ? "unsure, " : "", mien_model_class_name(r->model, face->top),
             100 * (double)face->confidence);
    set_ink(c, 0.1);
    canvas_text(c, GAP, 30, 19, text);
    snprintf(text, sizeof text, "what speaks for %s (%.0f %%)",
             mien_model_class_name(r->model, r->explained),
             100 * (double)face->probabilities[r->explained]);
    set_ink(c, 0.35);
    canvas_text(c, GAP, 52, 13, text);
}

static mien_status draw_panels(const request *r, canvas *c, mien_error *error)
{
    const explanation *x = &r->explanation;
    const mien_image *pictures[] = {&x->face, r->cam ? &x->cam : &x->guided, &x->guided};
    int panels = 2 + (r->cam && r->guided);
    double bottom = HEAD + x->face.height;
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && i < panels; i++)
        status = canvas_place(c, pictures[i], GAP + i * (SIDE + GAP), HEAD, x->face.width,
                              x->face.height, error);
    draw_legend(c, GAP, bottom, "the face as it is prepared", NULL, "", "");
    if (r->cam)
        draw_legend(c, GAP + SIDE + GAP, bottom, "Grad-CAM: where", draw_heat_bar, "little",
                    "much");
    if (r->guided)
        draw_legend(c, GAP + (panels - 1) * (SIDE + GAP), bottom,
                    "guided backpropagation: which details", draw_grey_bar, "darker helps",
                    "lighter helps");
    return status;
}

static mien_status draw(const request *r, mien_image *sheet, mien_error *error)
{
    canvas c;
    int panels = 2 + (r->cam && r->guided);
    int width = GAP + panels * (SIDE + GAP), height = HEAD + r->explanation.face.height + FOOT;
    *sheet = (mien_image){0};
    mien_status status = canvas_create(width, height, &c, error);
    if (status == MIEN_OK) {
        cairo_set_source_rgb(c.cr, 1, 1, 1);
        cairo_paint(c.cr);
        draw_title(r, &c);
        status = draw_panels(r, &c, error);
    }
    if (status == MIEN_OK)
        status = canvas_finish(&c, sheet, error);
    canvas_free(&c);
    return status;
}

static mien_status explain(request *r, mien_error *error)
{
    mien_image sheet;
    mien_status status =
        mien_image_load(r->picture_path, MIEN_PIXEL_RGB8, r->max_pixels, &r->image, error);
    if (status == MIEN_OK)
        status = mien_analyzer_create(r->model, r->detector, &r->analyzer, error);
    if (status == MIEN_OK)
        status = choose_face(r, error);
    if (status == MIEN_OK)
        status = choose_class(r, error);
    if (status == MIEN_OK)
        status = explainer_create(r->model, r->setup.model_path, &r->explainer, error);
    if (status == MIEN_OK)
        status = explainer_run(r->explainer, &r->image, r->found, r->explained, SIDE,
                               &r->explanation, error);
    if (status == MIEN_OK)
        status = draw(r, &sheet, error);
    if (status != MIEN_OK)
        return status;
    status = mien_image_save(&sheet, r->out_path, error);
    mien_image_free(&sheet);
    return status;
}

static int run_request(request *r)
{
    mien_error error;
    int status = cli_open_model(&r->setup, &r->model);
    if (status == EXIT_DONE && !r->whole)
        status = cli_open_detector(&r->setup, &r->detector);
    if (status != EXIT_DONE)
        return status;
    if (explain(r, &error) != MIEN_OK)
        return cli_fail(&error);
    const mien_face *face = r->found;
    printf("%s: %s%s %.1f %%; maps for %s, Grad-CAM of '%s'\n", r->picture_path,
           face->unsure ? "unsure: " : "", mien_model_class_name(r->model, face->top),
           100 * (double)face->confidence, mien_model_class_name(r->model, r->explained),
           explainer_feature_map(r->explainer));
    return EXIT_DONE;
}

int cli_explain(int argc, char **argv)
{
    request r = {.cam = true, .guided = true};
    cli_setup_init(&r.setup);
    int status = parse_arguments(&r, argc, argv);
    if (status == EXIT_DONE && r.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE)
        status = run_request(&r);
    explanation_free(&r.explanation);
    explainer_free(r.explainer);
    mien_image_free(&r.image);
    mien_analyzer_free(r.analyzer);
    mien_detector_free(r.detector);
    mien_model_free(r.model);
    return status;
}
