/* SPDX-License-Identifier: Apache-2.0 */
#include "train/recipe.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every key of a recipe but those under mien. */
static const char *const known_keys[] = {"architecture",
                                         "width_multiplier",
                                         "height",
                                         "width",
                                         "seed",
                                         "labels",
                                         "norm_momentum",
                                         "epochs",
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
                                         "augment.noise"};

static bool is_known(const char *key)
{
    for (size_t i = 0; i < sizeof known_keys / sizeof *known_keys; i++)
        if (strcmp(known_keys[i], key) == 0)
            return true;
    return strncmp(key, "mien.", 5) == 0;
}

static mien_status check_keys(const setting_list *s, const char *name, mien_error *error)
{
    for (size_t i = 0; i < s->count; i++)
        if (!is_known(s->entries[i].key))
            return error_set(error, MIEN_MALFORMED, "%s: there is no setting '%.60s'", name,
                             s->entries[i].key);
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
                                 .plateau_factor = 1};
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
    int seed = 1, label_kind = 0;
    const char *architecture = settings_get(s, "architecture");
    r->norm_momentum = 0.1f;
    if (architecture == NULL)
        return error_set(error, MIEN_MALFORMED, "%s: it does not name its architecture", name);
    snprintf(r->architecture, sizeof r->architecture, "%s", architecture);
    mien_status status = settings_int(s, "seed", 0, 2147483647, &seed, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "labels", labels, &label_kind, error);
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
    for (size_t i = 0; status == MIEN_OK && i < s->count; i++)
        if (strncmp(s->entries[i].key, "mien.", 5) == 0)
            status =
                settings_set(&r->model_settings, s->entries[i].key, s->entries[i].value, error);
    return status;
}

/* A line "[name]": its name in the caller's buffer. */
static bool is_stage_line(const char *line, size_t length, char name[RECIPE_NAME_SIZE])
{
    while (length > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    const char *end = memchr(line, ']', length);
    if (length == 0 || *line != '[' || end == NULL || end - line - 1 >= RECIPE_NAME_SIZE)
        return false;
    snprintf(name, RECIPE_NAME_SIZE, "%.*s", (int)(end - line - 1), line + 1);
    return true;
}

/* Takes in the lines up to the next stage; *text moves behind them. */
static mien_status read_section(setting_list *s, const char **text, const char *end,
                                const char *name, char next[RECIPE_NAME_SIZE], bool *has_next,
                                mien_error *error)
{
    const char *start = *text;
    *has_next = false;
    while (*text < end && !*has_next) {
        const char *newline = memchr(*text, '\n', (size_t)(end - *text));
        const char *line_end = newline != NULL ? newline : end;
        *has_next = is_stage_line(*text, (size_t)(line_end - *text), next);
        if (*has_next) {
            mien_status status = settings_read(s, start, (size_t)(*text - start), name, error);
            *text = newline != NULL ? newline + 1 : end;
            return status;
        }
        *text = newline != NULL ? newline + 1 : end;
    }
    return settings_read(s, start, (size_t)(*text - start), name, error);
}

mien_status recipe_read(const char *text, size_t size, const char *name, train_recipe *out,
                        mien_error *error)
{
    *out = (train_recipe){0};
    setting_list s = {0};
    const char *at = text, *end = text + size;
    char stage_name[RECIPE_NAME_SIZE] = "training", next[RECIPE_NAME_SIZE];
    bool has_next;
    mien_status status = read_section(&s, &at, end, name, next, &has_next, error);
    if (status == MIEN_OK)
        status = check_keys(&s, name, error);
    if (status == MIEN_OK)
        status = read_run(&s, name, out, error);
    while (status == MIEN_OK) {
        bool more = has_next;
        if (more) {
            memcpy(stage_name, next, sizeof stage_name);
            status = read_section(&s, &at, end, name, next, &has_next, error);
        }
        if (status == MIEN_OK && out->stage_count == RECIPE_MAX_STAGES)
            status =
                error_set(error, MIEN_LIMIT, "%s: more than %d stages", name, RECIPE_MAX_STAGES);
        if (status == MIEN_OK)
            status = check_keys(&s, name, error);
        if (status == MIEN_OK)
            status = read_stage(&s, stage_name, &out->stages[out->stage_count], error);
        if (status == MIEN_OK)
            out->stage_count++;
        if (!has_next || !more)
            break;
    }
    settings_free(&s);
    if (status != MIEN_OK)
        recipe_free(out);
    return status;
}

void recipe_free(train_recipe *r)
{
    settings_free(&r->model_settings);
    *r = (train_recipe){0};
}
