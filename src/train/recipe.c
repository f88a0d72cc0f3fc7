/* SPDX-License-Identifier: Apache-2.0 */
#include "train/recipe.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys that hold for the whole run, but those under mien. */
static const char *const run_keys[] = {
    "architecture", "width_multiplier", "height",    "width", "seed",
    "labels",       "norm_momentum",    "precision", NULL};

/* Keys that each stage may set. */
static const char *const stage_keys[] = {"epochs",
                                         "batch",
                                         "optimiser",
                                         "momentum",
                                         "nesterov",
                                         "beta1",
                                         "beta2",
                                         "epsilon",
                                         "weight_decay",
                                         "rate",
                                         "final_rate",
                                         "schedule",
                                         "warmup",
                                         "gamma",
                                         "step_epochs",
                                         "plateau",
                                         "clip_norm",
                                         "average",
                                         "loss",
                                         "smoothing",
                                         "focal_gamma",
                                         "centre_weight",
                                         "centre_rate",
                                         "class_weights",
                                         "mixup",
                                         "cutmix",
                                         "patience",
                                         "augment.mirror",
                                         "augment.rotation",
                                         "augment.zoom",
                                         "augment.shift",
                                         "augment.shear",
                                         "augment.crop_min",
                                         "augment.erase",
                                         "augment.brightness",
                                         "augment.contrast",
                                         "augment.noise",
                                         NULL};

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static mien_status check_key(const char *key, bool in_stage, const char *name, mien_error *error)
{
    if (is_one_of(key, stage_keys))
        return MIEN_OK;
    if (!is_one_of(key, run_keys) && strncmp(key, "mien.", 5) != 0)
        return error_set(error, MIEN_MALFORMED, "%s: there is no setting '%.60s'", name, key);
    if (in_stage)
        return error_set(error, MIEN_MALFORMED,
                         "%s: '%.60s' holds for the whole run: say it before the first stage", name,
                         key);
    return MIEN_OK;
}

/* Numbers of a stage: key, bounds, where they go. */
static mien_status read_floats(const setting_list *s, recipe_stage *stage, mien_error *error)
{
    const struct {
        const char *key;
        double low, high;
        float *value;
    } numbers[] = {{"momentum", 0, 1, &stage->optimiser.momentum},
                   {"beta1", 0, 1, &stage->optimiser.beta1},
                   {"beta2", 0, 1, &stage->optimiser.beta2},
                   {"epsilon", 0, 1, &stage->optimiser.epsilon},
                   {"weight_decay", 0, 10, &stage->optimiser.weight_decay},
                   {"rate", 0, 100, &stage->schedule.rate},
                   {"final_rate", 0, 100, &stage->schedule.final_rate},
                   {"warmup", 0, 1, &stage->schedule.warmup},
                   {"gamma", 0, 1, &stage->schedule.gamma},
                   {"clip_norm", 0, 1e6, &stage->clip_norm},
                   {"average", 0, 1, &stage->average},
                   {"smoothing", 0, 0.99, &stage->smoothing},
                   {"focal_gamma", 0, 10, &stage->focal_gamma},
                   {"centre_weight", 0, 10, &stage->centre_weight},
                   {"centre_rate", 0, 1, &stage->centre_rate},
                   {"mixup", 0, 10, &stage->mixup},
                   {"cutmix", 0, 10, &stage->cutmix},
                   {"augment.mirror", 0, 1, &stage->augment.mirror},
                   {"augment.rotation", 0, 180, &stage->augment.rotation},
                   {"augment.zoom", 0, 0.9, &stage->augment.zoom},
                   {"augment.shift", 0, 1, &stage->augment.shift},
                   {"augment.shear", 0, 60, &stage->augment.shear},
                   {"augment.crop_min", 0, 1, &stage->augment.crop_min},
                   {"augment.erase", 0, 1, &stage->augment.erase},
                   {"augment.brightness", 0, 1, &stage->augment.brightness},
                   {"augment.contrast", 0, 1, &stage->augment.contrast},
                   {"augment.noise", 0, 1, &stage->augment.noise}};
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < sizeof numbers / sizeof *numbers; i++)
        status = settings_float(s, numbers[i].key, numbers[i].low, numbers[i].high,
                                numbers[i].value, error);
    return status;
}

static mien_status read_choices(const setting_list *s, recipe_stage *stage, mien_error *error)
{
    static const char *const optimisers[] = {"sgd", "adam", "adamw", NULL};
    static const char *const schedules[] = {"constant", "step",    "cosine",
                                            "onecycle", "plateau", NULL};
    static const char *const losses[] = {"softmax", "focal", NULL};
    int optimiser = OPTIMISER_SGD, kind = SCHEDULE_COSINE, loss = RECIPE_SOFTMAX;
    mien_status status = settings_choice(s, "optimiser", optimisers, &optimiser, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "schedule", schedules, &kind, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "loss", losses, &loss, error);
    stage->optimiser = optimiser_defaults((optimiser_kind)optimiser);
    stage->schedule = (schedule){.kind = (schedule_kind)kind,
                                 .rate = 0.1f,
                                 .gamma = 0.1f,
                                 .step_epochs = 10,
                                 .patience = 5,
                                 .plateau_factor = 1,
                                 .best_score = -INFINITY};
    stage->loss = (recipe_loss)loss;
    if (status == MIEN_OK)
        status = settings_bool(s, "nesterov", &stage->optimiser.nesterov, error);
    if (status == MIEN_OK)
        status = settings_bool(s, "class_weights", &stage->class_weights, error);
    return status;
}

static mien_status read_stage(const setting_list *s, const char *name, recipe_stage *stage,
                              mien_error *error)
{
    *stage = (recipe_stage){.epochs = 1, .batch = 64, .centre_rate = 0.5f, .focal_gamma = 2};
    snprintf(stage->name, sizeof stage->name, "%s", name);
    mien_status status = read_choices(s, stage, error);
    if (status == MIEN_OK)
        status = settings_int(s, "epochs", 1, 100000, &stage->epochs, error);
    if (status == MIEN_OK)
        status = settings_int(s, "batch", 1, 4096, &stage->batch, error);
    if (status == MIEN_OK)
        status = settings_int(s, "patience", 0, 100000, &stage->patience, error);
    if (status == MIEN_OK)
        status = settings_int(s, "step_epochs", 1, 100000, &stage->schedule.step_epochs, error);
    if (status == MIEN_OK)
        status = settings_int(s, "plateau", 1, 100000, &stage->schedule.patience, error);
    return status == MIEN_OK ? read_floats(s, stage, error) : status;
}

static mien_status read_run(const setting_list *s, const char *name, train_recipe *r,
                            mien_error *error)
{
    static const char *const labels[] = {"fer2013", "fer+", NULL};
    static const char *const precisions[] = {"f32", "bf16", NULL};
    int seed = 1, label_kind = 0, precision = TRAIN_F32;
    const char *architecture = settings_get(s, "architecture");
    r->norm_momentum = 0.1f;
    if (architecture == NULL)
        return error_set(error, MIEN_MALFORMED, "%s: it does not name its architecture", name);
    if (strlen(architecture) >= sizeof r->architecture)
        return error_set(error, MIEN_MALFORMED, "%s: there is no architecture '%.60s'", name,
                         architecture);
    snprintf(r->architecture, sizeof r->architecture, "%s", architecture);
    mien_status status = settings_int(s, "seed", 0, 2147483647, &seed, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "labels", labels, &label_kind, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "precision", precisions, &precision, error);
    if (status == MIEN_OK)
        status = settings_float(s, "width_multiplier", 0.05, 8, &r->width_multiplier, error);
    if (status == MIEN_OK)
        status = settings_float(s, "norm_momentum", 0.0001, 1, &r->norm_momentum, error);
    if (status == MIEN_OK)
        status = settings_int(s, "height", 8, 1024, &r->height, error);
    if (status == MIEN_OK)
        status = settings_int(s, "width", 8, 1024, &r->width, error);
    r->seed = (uint64_t)seed;
    r->fer_plus = label_kind == 1;
    r->precision = (train_precision)precision;
    for (size_t i = 0; status == MIEN_OK && i < s->count; i++)
        if (strncmp(s->entries[i].key, "mien.", 5) == 0)
            status =
                settings_set(&r->model_settings, s->entries[i].key, s->entries[i].value, error);
    return status;
}

/* A line "[name]", a comment may follow: its name in the caller's buffer. */
static bool is_stage_line(const char *line, size_t length, char name[RECIPE_NAME_SIZE])
{
    static const char blanks[] = " \t\r";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789 ._-";
    char copy[256];
    if (length >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)length, line);
    const char *start = copy + strspn(copy, blanks);
    if (*start != '[')
        return false;
    size_t letters_in_name = strspn(start + 1, letters);
    const char *end = start + 1 + letters_in_name;
    if (letters_in_name == 0 || letters_in_name >= RECIPE_NAME_SIZE || *end != ']')
        return false;
    end += 1 + strspn(end + 1, blanks);
    snprintf(name, RECIPE_NAME_SIZE, "%.*s", (int)letters_in_name, start + 1);
    return *end == '\0' || *end == '#';
}

/* A recipe as it is read, section by section. */
typedef struct recipe_reader {
    const char *at, *end;
    const char *name;               /* of the recipe, for messages */
    char section[RECIPE_NAME_SIZE]; /* the stage that is read; "": before the first one */
    char next[RECIPE_NAME_SIZE];    /* the stage behind it; "": none */
    setting_list settings;          /* all that was said so far */
} recipe_reader;

/* Moves behind the line of the next stage, or to the end; returns where the section ends. */
static const char *skip_section(recipe_reader *reader)
{
    reader->next[0] = '\0';
    while (reader->at < reader->end) {
        const char *line = reader->at;
        const char *newline = memchr(line, '\n', (size_t)(reader->end - line));
        const char *line_end = newline != NULL ? newline : reader->end;
        reader->at = newline != NULL ? newline + 1 : reader->end;
        if (is_stage_line(line, (size_t)(line_end - line), reader->next))
            return line;
        reader->next[0] = '\0';
    }
    return reader->end;
}

/* Takes in the lines up to the next stage. Lines are counted within the section. */
static mien_status read_section(recipe_reader *reader, mien_error *error)
{
    char name[RECIPE_NAME_SIZE + 300];
    setting_list section = {0};
    const char *start = reader->at, *end = skip_section(reader);
    bool in_stage = reader->section[0] != '\0';
    snprintf(name, sizeof name, in_stage ? "%.256s [%s]" : "%.256s", reader->name, reader->section);
    mien_status status = settings_read(&section, start, (size_t)(end - start), name, error);
    for (size_t i = 0; status == MIEN_OK && i < section.count; i++) {
        const setting_entry *entry = &section.entries[i];
        status = check_key(entry->key, in_stage, name, error);
        if (status == MIEN_OK)
            status = settings_set(&reader->settings, entry->key, entry->value, error);
    }
    settings_free(&section);
    return status;
}

static mien_status add_stage(const recipe_reader *reader, train_recipe *r, mien_error *error)
{
    if (r->stage_count == RECIPE_MAX_STAGES)
        return error_set(error, MIEN_LIMIT, "%s: more than %d stages", reader->name,
                         RECIPE_MAX_STAGES);
    const char *name = reader->section[0] != '\0' ? reader->section : "training";
    mien_status status = read_stage(&reader->settings, name, &r->stages[r->stage_count], error);
    if (status == MIEN_OK)
        r->stage_count++;
    return status;
}

mien_status recipe_read(const char *text, size_t size, const char *name, train_recipe *out,
                        mien_error *error)
{
    *out = (train_recipe){0};
    recipe_reader reader = {.at = text, .end = text + size, .name = name};
    mien_status status = read_section(&reader, error);
    if (status == MIEN_OK)
        status = read_run(&reader.settings, name, out, error);
    if (status == MIEN_OK && reader.next[0] == '\0')
        status = add_stage(&reader, out, error);
    while (status == MIEN_OK && reader.next[0] != '\0') {
        memcpy(reader.section, reader.next, sizeof reader.section);
        status = read_section(&reader, error);
        if (status == MIEN_OK)
            status = add_stage(&reader, out, error);
    }
    settings_free(&reader.settings);
    if (status != MIEN_OK)
        recipe_free(out);
    return status;
}

void recipe_free(train_recipe *r)
{
    settings_free(&r->model_settings);
    *r = (train_recipe){0};
}
