/* SPDX-License-Identifier: Apache-2.0 */

/* mien data preview: a contact sheet of what a network will see while it learns. */

#include "cli/canvas.h"
#include "cli/cli.h"
#include "cli/data.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "train/recipe.h"
#include "zoo/zoo.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mien data preview [OPTION ...] --data FILE --out FILE RECIPE\n"
    "\n"
    "Draws pictures of FER-2013's Training split beside what the recipe makes of them: prepared,\n"
    "augmented, mixed, as the network will see them. Another --seed shows others.\n"
    "\n"
    "  --data FILE      FER-2013's CSV file\n"
    "  --votes FILE     FER+ votes, for recipes with labels = fer+\n"
    "  --out FILE       the picture that is written (.png, .jpg, .ppm)\n"
    "  --stage NAME     the stage of the recipe (default: the first)\n"
    "  --count N        pictures, classes in turn (default 14)\n"
    "  --versions N     augmented versions of each (default 8)\n"
    "  --seed N         what is drawn (default: the recipe's)\n"
    "\n"
    "example: mien data preview --data fer2013.csv --out sheet.png "
    "models/recipes/mini-xception.txt\n";

static const char command[] = "mien data preview";

static const struct option long_options[] = {
    {"data", required_argument, NULL, 'd'},
    {"votes", required_argument, NULL, 'v'},
    {"out", required_argument, NULL, 'o'},
    {"stage", required_argument, NULL, 'g'},
    {"count", required_argument, NULL, 'n'},
    {"versions", required_argument, NULL, 'V'},
    {"seed", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Streams of the generator, apart from each other by their high bits. */
#define STREAM_CHOICE (UINT64_C(1) << 60)
#define STREAM_MIX    (UINT64_C(2) << 60)

typedef struct preview {
    const char *data_path, *votes_path, *out_path, *stage_name, *recipe_path;
    int64_t count, versions, seed;
    bool asked_for_help;
    train_recipe recipe;
    const recipe_stage *stage;
    dataset set;
    prep_settings prep;
    size_t *chosen; /* (count): samples */
    float *inputs;  /* (count, channels, height, width): one version of all, a batch */
    float *shares;  /* (count, classes) */
    float *scratch; /* of mixing */
    prep_scratch prep_scratch;
    canvas canvas;
    int cell_width, cell_height; /* of a picture on the sheet, pixels */
} preview;

static int parse_option(preview *p, int option)
{
    bool good = true;
    switch (option) {
    case 'd':
        p->data_path = optarg;
        break;
    case 'v':
        p->votes_path = optarg;
        break;
    case 'o':
        p->out_path = optarg;
        break;
    case 'g':
        p->stage_name = optarg;
        break;
    case 'n':
        good = cli_parse_int(command, "--count", optarg, 1, 200, &p->count);
        break;
    case 'V':
        good = cli_parse_int(command, "--versions", optarg, 1, 50, &p->versions);
        break;
    case 's':
        good = cli_parse_int(command, "--seed", optarg, 0, INT64_MAX, &p->seed);
        break;
    case 'h':
        p->asked_for_help = true;
        break;
    default:
        return cli_wrong_usage(command, "this option is not known or lacks its value");
    }
    return good ? EXIT_DONE : EXIT_USAGE;
}

static int parse_arguments(preview *p, int argc, char **argv)
{
    int option, status = EXIT_DONE;
    while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        status = parse_option(p, option);
    if (status != EXIT_DONE || p->asked_for_help)
        return status;
    if (p->data_path == NULL || p->out_path == NULL || argc - optind != 1)
        return cli_wrong_usage(command, "name --data, --out and one recipe");
    p->recipe_path = argv[optind];
    return EXIT_DONE;
}

/* ---- Reading ---- */

static mien_status find_stage(preview *p, mien_error *error)
{
    p->stage = &p->recipe.stages[0];
    if (p->stage_name == NULL)
        return MIEN_OK;
    for (int s = 0; s < p->recipe.stage_count; s++)
        if (strcmp(p->recipe.stages[s].name, p->stage_name) == 0) {
            p->stage = &p->recipe.stages[s];
            return MIEN_OK;
        }
    return error_set(error, MIEN_NOT_FOUND, "the recipe has no stage '%.60s'; its first is '%s'",
                     p->stage_name, p->recipe.stages[0].name);
}

static mien_status read_recipe(preview *p, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(p->recipe_path, 1 << 20, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = recipe_read((const char *)bytes, size, p->recipe_path, &p->recipe, error);
    free(bytes);
    if (status == MIEN_OK && p->seed < 0)
        p->seed = (int64_t)(p->recipe.seed & INT64_MAX);
    return status == MIEN_OK ? find_stage(p, error) : status;
}

/* How the recipe's network takes its pictures. */
static mien_status read_prep(preview *p, mien_error *error)
{
    const setting_list *settings = &p->recipe.model_settings;
    const char *format = settings_get(settings, "mien.input.format");
    bool colour = format != NULL && strcmp(format, "gray") != 0;
    zoo_options options = {.classes = p->set.class_count,
                           .channels = colour ? 3 : 1,
                           .height = p->recipe.height,
                           .width = p->recipe.width,
                           .width_multiplier = p->recipe.width_multiplier};
    nn_graph graph;
    mien_status status = zoo_build(p->recipe.architecture, &options, &graph, error);
    if (status != MIEN_OK)
        return status;
    const int64_t *dims = graph.values[graph.inputs[0]].tensor.shape.dims;
    status =
        prep_read_settings(settings, (int)dims[1], (int)dims[2], (int)dims[3], &p->prep, error);
    nn_graph_free(&graph);
    return status;
}

static mien_status read_set(preview *p, mien_error *error)
{
    if (!p->recipe.fer_plus)
        return dataset_read_fer_csv(p->data_path, DATASET_TRAINING, &p->set, error);
    if (p->votes_path == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the recipe wants the labels of FER+: name the votes with --votes");
    return dataset_read_fer_plus(p->data_path, p->votes_path, DATASET_TRAINING, &p->set, error);
}

/* The classes in turn; within a class from a random place on. */
static size_t choose_sample(const preview *p, int label, random_state *random)
{
    size_t start = (size_t)random_below(random, p->set.count);
    for (size_t i = 0; i < p->set.count; i++)
        if (p->set.samples[(start + i) % p->set.count].label == label)
            return (start + i) % p->set.count;
    return start; /* the class has no sample */
}

static mien_status prepare(preview *p, mien_error *error)
{
    size_t count = (size_t)p->count, classes = (size_t)p->set.class_count;
    size_t floats = prep_input_floats(&p->prep), numbers;
    random_state random = random_start((uint64_t)p->seed, STREAM_CHOICE);
    if (!size_multiply(count, floats + classes, &numbers))
        return error_no_memory(error, "the sheet", SIZE_MAX);
    p->chosen = memory_zeroed(count, sizeof *p->chosen);
    p->inputs = memory_zeroed(count * floats, sizeof *p->inputs);
    p->shares = memory_zeroed(count * classes, sizeof *p->shares);
    p->scratch = memory_zeroed(numbers, sizeof *p->scratch);
    if (p->chosen == NULL || p->inputs == NULL || p->shares == NULL || p->scratch == NULL)
        return error_no_memory(error, "the sheet", 2 * numbers * sizeof(float));
    for (size_t i = 0; i < count; i++)
        p->chosen[i] = choose_sample(p, (int)(i % classes), &random);
    return MIEN_OK;
}

/* ---- Making the versions, as the trainer makes a batch ---- */

static mien_status fill_version(preview *p, int64_t version, mien_error *error)
{
    size_t floats = prep_input_floats(&p->prep), classes = (size_t)p->set.class_count;
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < (size_t)p->count; i++) {
        const dataset_sample *sample = &p->set.samples[p->chosen[i]];
        random_state random =
            random_start((uint64_t)p->seed, (uint64_t)(version * p->count) + (uint64_t)i);
        for (size_t c = 0; c < classes; c++)
            p->shares[i * classes + c] =
                sample->votes != NULL ? sample->votes[c] : c == (size_t)sample->label;
        status = augment_fill(&p->stage->augment, &p->prep, &sample->image, &random,
                              &p->prep_scratch, p->inputs + i * floats, error);
    }
    return status;
}

static void mix_version(preview *p, int64_t version)
{
    const recipe_stage *stage = p->stage;
    random_state random = random_start((uint64_t)p->seed, STREAM_MIX + (uint64_t)version);
    bool cut = stage->cutmix > 0 && (stage->mixup <= 0 || random_unit(&random) < 0.5);
    int channels = p->prep.format == PREP_GRAY ? 1 : 3;
    if (cut)
        augment_cutmix(p->inputs, p->shares, (size_t)p->count, channels, p->prep.height,
                       p->prep.width, p->set.class_count, stage->cutmix, &random, p->scratch);
    else if (stage->mixup > 0)
        augment_mixup(p->inputs, p->shares, (size_t)p->count, prep_input_floats(&p->prep),
                      p->set.class_count, stage->mixup, &random, p->scratch);
}

/* ---- Drawing ---- */

enum { GAP = 8, CAPTION = 24, HEAD = 62, NAMES = 92, LEAST_CELL = 96, LARGEST_CELL = 192 };

static bool is_mixed(const preview *p)
{
    return p->stage->mixup > 0 || p->stage->cutmix > 0 || p->recipe.fer_plus;
}

static int row_height(const preview *p)
{
    return p->cell_height + GAP + (is_mixed(p) ? CAPTION : 0);
}

/* Pictures are enlarged by whole numbers, so that each pixel of the network is seen. */
static void settle_cells(preview *p)
{
    int longer = p->prep.width > p->prep.height ? p->prep.width : p->prep.height;
    double scale = longer <= LEAST_CELL ? LEAST_CELL / longer : 1;
    if (longer > LARGEST_CELL)
        scale = (double)LARGEST_CELL / longer;
    p->cell_width = (int)ceil(p->prep.width * scale);
    p->cell_height = (int)ceil(p->prep.height * scale);
}

static double column_x(const preview *p, int64_t column)
{
    return NAMES + (double)column * (p->cell_width + GAP);
}

static mien_status draw_input(preview *p, const float *input, int64_t column, int64_t row,
                              mien_error *error)
{
    mien_image picture;
    mien_status status = prep_picture(&p->prep, input, &picture, error);
    if (status == MIEN_OK)
        status = canvas_place(&p->canvas, &picture, column_x(p, column),
                              HEAD + (double)(row * row_height(p)), p->cell_width, p->cell_height,
                              error);
    mien_image_free(&picture);
    return status;
}

static void draw_share(preview *p, double x, double y, int class_index, float share)
{
    char text[DATASET_CLASS_NAME_SIZE + 32];
    snprintf(text, sizeof text, "%s %.0f %%", p->set.class_names[class_index], 100 * (double)share);
    canvas_text(&p->canvas, x, y, 10.5, text);
}

/* The two largest shares of what a picture should be taken for. */
static void draw_shares(preview *p, int64_t column, int64_t row)
{
    const float *shares = p->shares + row * p->set.class_count;
    double x = column_x(p, column), y = HEAD + (double)(row * row_height(p)) + p->cell_height;
    int first = 0, second = -1;
    for (int c = 1; c < p->set.class_count; c++)
        if (shares[c] > shares[first])
            first = c;
    for (int c = 0; c < p->set.class_count; c++)
        if (c != first && shares[c] >= 0.005f && (second < 0 || shares[c] > shares[second]))
            second = c;
    cairo_set_source_rgb(p->canvas.cr, 0.3, 0.3, 0.3);
    draw_share(p, x, y + 12, first, shares[first]);
    if (second >= 0)
        draw_share(p, x, y + 24, second, shares[second]);
}

static void add_strength(char *text, size_t size, const char *name, float strength)
{
    size_t used = strlen(text);
    if (strength > 0)
        snprintf(text + used, size - used, "%s%s %.3g", used > 0 ? ", " : "", name,
                 (double)strength);
}

static void draw_head(preview *p)
{
    const augment_settings *a = &p->stage->augment;
    char text[400];
    snprintf(text, sizeof text, "%s, stage %s: %s, %d x %d, seed %lld", file_name(p->recipe_path),
             p->stage->name, p->recipe.architecture, p->prep.height, p->prep.width,
             (long long)p->seed);
    cairo_set_source_rgb(p->canvas.cr, 0.1, 0.1, 0.1);
    canvas_text(&p->canvas, GAP, 20, 14, text);
    text[0] = '\0';
    const struct {
        const char *name;
        float strength;
    } strengths[] = {
        {"mirror", a->mirror}, {"rotation", a->rotation},     {"zoom", a->zoom},
        {"shift", a->shift},   {"shear", a->shear},           {"crop_min", a->crop_min},
        {"erase", a->erase},   {"brightness", a->brightness}, {"contrast", a->contrast},
        {"noise", a->noise},   {"mixup", p->stage->mixup},    {"cutmix", p->stage->cutmix}};
    for (size_t i = 0; i < sizeof strengths / sizeof *strengths; i++)
        add_strength(text, sizeof text, strengths[i].name, strengths[i].strength);
    cairo_set_source_rgb(p->canvas.cr, 0.3, 0.3, 0.3);
    canvas_text(&p->canvas, GAP, 38, 11.5, text[0] != '\0' ? text : "no augmentation");
    canvas_text(&p->canvas, column_x(p, 0), 56, 11.5, "as it is");
    canvas_text(&p->canvas, column_x(p, 1), 56, 11.5, "as the network may see it");
}

static mien_status draw_originals(preview *p, mien_error *error)
{
    mien_status status = MIEN_OK;
    for (int64_t row = 0; status == MIEN_OK && row < p->count; row++) {
        const dataset_sample *sample = &p->set.samples[p->chosen[row]];
        prep_face all = {.box = {0, 0, (float)sample->image.width, (float)sample->image.height}};
        cairo_set_source_rgb(p->canvas.cr, 0.1, 0.1, 0.1);
        canvas_text(&p->canvas, GAP,
                    HEAD + (double)(row * row_height(p)) + (double)p->cell_height / 2 + 4, 13,
                    p->set.class_names[sample->label]);
        status = prep_fill(&p->prep, &sample->image, &all, &p->prep_scratch, p->inputs, error);
        if (status == MIEN_OK)
            status = draw_input(p, p->inputs, 0, row, error);
    }
    return status;
}

static mien_status draw_version(preview *p, int64_t version, mien_error *error)
{
    size_t floats = prep_input_floats(&p->prep);
    mien_status status = fill_version(p, version, error);
    if (status == MIEN_OK)
        mix_version(p, version);
    for (int64_t row = 0; status == MIEN_OK && row < p->count; row++) {
        status = draw_input(p, p->inputs + (size_t)row * floats, version + 1, row, error);
        if (is_mixed(p))
            draw_shares(p, version + 1, row);
    }
    return status;
}

static mien_status draw(preview *p, mien_error *error)
{
    settle_cells(p);
    int width = (int)column_x(p, p->versions + 1), height = HEAD + (int)p->count * row_height(p);
    mien_status status = canvas_create(width, height, &p->canvas, error);
    if (status != MIEN_OK)
        return status;
    cairo_set_source_rgb(p->canvas.cr, 1, 1, 1);
    cairo_paint(p->canvas.cr);
    draw_head(p);
    status = draw_originals(p, error);
    for (int64_t v = 0; status == MIEN_OK && v < p->versions; v++)
        status = draw_version(p, v, error);
    return status;
}

static mien_status make_sheet(preview *p, mien_error *error)
{
    mien_image sheet;
    mien_status status = read_recipe(p, error);
    if (status == MIEN_OK)
        status = read_set(p, error);
    if (status == MIEN_OK)
        status = read_prep(p, error);
    if (status == MIEN_OK)
        status = prepare(p, error);
    if (status == MIEN_OK)
        status = draw(p, error);
    if (status == MIEN_OK)
        status = canvas_finish(&p->canvas, &sheet, error);
    if (status != MIEN_OK)
        return status;
    status = mien_image_save(&sheet, p->out_path, error);
    mien_image_free(&sheet);
    return status;
}

int cli_data_preview(int argc, char **argv)
{
    preview p = {.count = 14, .versions = 8, .seed = -1};
    mien_error error;
    int status = parse_arguments(&p, argc, argv);
    if (status == EXIT_DONE && p.asked_for_help)
        fputs(help, stdout);
    else if (status == EXIT_DONE && make_sheet(&p, &error) != MIEN_OK)
        status = cli_fail(&error);
    canvas_free(&p.canvas);
    dataset_free(&p.set);
    recipe_free(&p.recipe);
    prep_scratch_free(&p.prep_scratch);
    free(p.chosen);
    free(p.inputs);
    free(p.shares);
    free(p.scratch);
    return status;
}
