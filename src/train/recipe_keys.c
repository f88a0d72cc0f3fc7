/* SPDX-License-Identifier: Apache-2.0 */
#include "train/recipe_keys.h"

#include "base/error.h"
#include "base/number.h"
#include "train/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Keys that hold for the whole run, but those under mien. */
static const char *const run_keys[] = {
    "architecture",  "width_multiplier", "height", "width",   "seed",      "labels",
    "norm_momentum", "features",         "head",   "classes", "precision", "smote",
    "smote_to",      "smote_neighbours", NULL};

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
                                         "island_weight",
                                         "island_lambda",
                                         "locality_weight",
                                         "locality_neighbours",
                                         "triplet_weight",
                                         "triplet_margin",
                                         "tuplet_weight",
                                         "tuplet_margin",
                                         "distill_weight",
                                         "distill_temperature",
                                         "class_weights",
                                         "sampler",
                                         "mixup",
                                         "cutmix",
                                         "patience",
                                         "freeze",
                                         "sam_rho",
                                         "weights",
                                         "settle",
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

mien_status recipe_check_key(const char *key, bool in_stage, const char *name, mien_error *error)
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
                   {"island_weight", 0, 10, &stage->island_weight},
                   {"island_lambda", 0, 1000, &stage->island_lambda},
                   {"locality_weight", 0, 10, &stage->locality_weight},
                   {"triplet_weight", 0, 10, &stage->triplet_weight},
                   {"triplet_margin", 0, 1e6, &stage->triplet_margin},
                   {"tuplet_weight", 0, 10, &stage->tuplet_weight},
                   {"tuplet_margin", 0, 1e6, &stage->tuplet_margin},
                   {"distill_weight", 0, 1, &stage->distill_weight},
                   {"distill_temperature", 0.1, 100, &stage->distill_temperature},
                   {"sam_rho", 0, 10, &stage->sam_rho},
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

/* Whole numbers of a stage. */
static mien_status read_ints(const setting_list *s, recipe_stage *stage, mien_error *error)
{
    const struct {
        const char *key;
        int low, high;
        int *value;
    } numbers[] = {{"epochs", 1, 100000, &stage->epochs},
                   {"batch", 1, 4096, &stage->batch},
                   {"patience", 0, 100000, &stage->patience},
                   {"step_epochs", 1, 100000, &stage->schedule.step_epochs},
                   {"plateau", 1, 100000, &stage->schedule.patience},
                   {"locality_neighbours", 1, LOSS_MOST_NEIGHBOURS, &stage->locality_neighbours},
                   {"settle", 0, 100000, &stage->settle}};
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < sizeof numbers / sizeof *numbers; i++)
        status = settings_int(s, numbers[i].key, numbers[i].low, numbers[i].high, numbers[i].value,
                              error);
    return status;
}

static mien_status read_choices(const setting_list *s, recipe_stage *stage, mien_error *error)
{
    static const char *const optimisers[] = {"sgd", "adam", "adamw", NULL};
    static const char *const schedules[] = {"constant", "step",    "cosine",
                                            "onecycle", "plateau", NULL};
    static const char *const losses[] = {"softmax", "focal", NULL};
    static const char *const samplers[] = {"shuffled", "balanced", NULL};
    static const char *const weights[] = {"float", "int8", NULL};
    int optimiser = OPTIMISER_SGD, kind = SCHEDULE_COSINE, loss = RECIPE_SOFTMAX, sampler = 0;
    int quantised = 0;
    mien_status status = settings_choice(s, "optimiser", optimisers, &optimiser, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "schedule", schedules, &kind, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "loss", losses, &loss, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "sampler", samplers, &sampler, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "weights", weights, &quantised, error);
    stage->optimiser = optimiser_defaults((optimiser_kind)optimiser);
    stage->schedule = (schedule){.kind = (schedule_kind)kind,
                                 .rate = 0.1f,
                                 .gamma = 0.1f,
                                 .step_epochs = 10,
                                 .patience = 5,
                                 .plateau_factor = 1,
                                 .best_score = -INFINITY};
    stage->loss = (recipe_loss)loss;
    stage->sampler = sampler == 1 ? SAMPLER_BALANCED : SAMPLER_SHUFFLED;
    stage->quantised = quantised == 1;
    if (status == MIEN_OK)
        status = settings_bool(s, "nesterov", &stage->optimiser.nesterov, error);
    if (status == MIEN_OK)
        status = settings_bool(s, "class_weights", &stage->class_weights, error);
    return status;
}

/* A text of the recipe into a place of the given size; *place stays when there is none. */
static mien_status read_text(const setting_list *s, const char *key, char *place, size_t size,
                             mien_error *error)
{
    const char *text = settings_get(s, key);
    if (text == NULL)
        return MIEN_OK;
    if (*text == '\0' || strlen(text) >= size)
        return error_set(error, MIEN_MALFORMED, "setting %s is '%.60s', not 1 to %zu bytes", key,
                         text, size - 1);
    memcpy(place, text, strlen(text) + 1);
    return MIEN_OK;
}

static mien_status check_stage(const recipe_stage *stage, mien_error *error)
{
    if (stage->island_weight > 0 && stage->centre_weight > 0)
        return error_set(error, MIEN_MALFORMED,
                         "stage '%s' has island_weight and centre_weight: the island loss has the "
                         "centre loss within, choose one",
                         stage->name);
    if (stage->quantised && stage->sam_rho > 0)
        return error_set(error, MIEN_MALFORMED,
                         "stage '%s' has sam_rho and weights = int8: they do not go together",
                         stage->name);
    return MIEN_OK;
}

mien_status recipe_read_stage(const setting_list *s, const char *name, recipe_stage *stage,
                              mien_error *error)
{
    *stage = (recipe_stage){.epochs = 1,
                            .batch = 64,
                            .centre_rate = 0.5f,
                            .focal_gamma = 2,
                            .island_lambda = 10,
                            .locality_neighbours = 20,
                            .triplet_margin = 0.2f,
                            .tuplet_margin = 1,
                            .distill_temperature = 4,
                            .freeze = "nothing"};
    snprintf(stage->name, sizeof stage->name, "%s", name);
    mien_status status = read_choices(s, stage, error);
    if (status == MIEN_OK)
        status = read_ints(s, stage, error);
    if (status == MIEN_OK)
        status = read_floats(s, stage, error);
    if (status == MIEN_OK)
        status = read_text(s, "freeze", stage->freeze, sizeof stage->freeze, error);
    return status == MIEN_OK ? check_stage(stage, error) : status;
}

/* ---- The whole run ---- */

/* The next of the words of a text, into the caller's buffer; false at the end. A word that is too
 * long is cut, and so is none that is known. */
static bool next_word(const char **text, const char *separators, char *word, size_t size)
{
    *text += strspn(*text, separators);
    size_t length = strcspn(*text, separators);
    snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1), *text);
    *text += length;
    return length > 0;
}

static bool read_head_number(const char **text, double low, double high, double *value)
{
    char word[32];
    const char *end;
    return next_word(text, " \t", word, sizeof word) && number_read(word, &end, value) &&
           *end == '\0' && *value >= low && *value <= high;
}

static bool read_head_layer(const char *word, const char **text, recipe_layer *layer)
{
    double number = 0;
    *layer = (recipe_layer){.kind = RECIPE_RELU};
    if (strcmp(word, "relu") == 0)
        return true;
    if (strcmp(word, "dense") == 0) {
        layer->kind = RECIPE_DENSE;
        bool good = read_head_number(text, 1, 65536, &number) && number == floor(number);
        layer->outputs = good ? (int)number : 0;
        return good;
    }
    layer->kind = RECIPE_DROPOUT;
    bool good = strcmp(word, "dropout") == 0 && read_head_number(text, 0, 0.99, &number);
    layer->ratio = (float)number;
    return good;
}

static mien_status read_head(const setting_list *s, train_recipe *r, mien_error *error)
{
    char word[32];
    const char *text = settings_get(s, "head"), *rest = text;
    while (text != NULL && next_word(&rest, " \t", word, sizeof word)) {
        if (r->head_count == RECIPE_MAX_HEAD)
            return error_set(error, MIEN_LIMIT, "setting head has more than %d layers",
                             RECIPE_MAX_HEAD);
        if (!read_head_layer(word, &rest, &r->head[r->head_count++]))
            return error_set(error, MIEN_MALFORMED,
                             "setting head is '%.60s', not layers such as dense 128 relu dropout "
                             "0.5 (outputs 1 to 65536, dropout 0 to 0.99)",
                             text);
    }
    return MIEN_OK;
}

static mien_status read_architecture(const setting_list *s, const char *name, train_recipe *r,
                                     mien_error *error)
{
    const char *architecture = settings_get(s, "architecture");
    if (architecture == NULL)
        return error_set(error, MIEN_MALFORMED, "%s: it does not name its architecture", name);
    if (strlen(architecture) >= sizeof r->architecture)
        return error_set(error, MIEN_MALFORMED, "%s: there is no architecture '%.60s'", name,
                         architecture);
    snprintf(r->architecture, sizeof r->architecture, "%s", architecture);
    bool of_file = strcmp(architecture, RECIPE_FILE) == 0;
    bool has_features = settings_get(s, "features") != NULL;
    if (of_file != has_features || (!of_file && settings_get(s, "head") != NULL))
        return error_set(error, MIEN_MALFORMED,
                         of_file ? "%s: architecture = file needs features, the tensor where the "
                                   "new head begins"
                                 : "%s: features and head go with architecture = file",
                         name);
    mien_status status = read_text(s, "features", r->features, sizeof r->features, error);
    return status == MIEN_OK ? read_head(s, r, error) : status;
}

static mien_status add_class(train_recipe *r, const char *name, mien_error *error)
{
    if (r->class_count == DATASET_MAX_CLASSES)
        return error_set(error, MIEN_LIMIT, "setting classes names more than %d",
                         DATASET_MAX_CLASSES);
    if (strlen(name) >= DATASET_CLASS_NAME_SIZE)
        return error_set(error, MIEN_MALFORMED, "setting classes: '%.60s' is longer than %d bytes",
                         name, DATASET_CLASS_NAME_SIZE - 1);
    for (int c = 0; c < r->class_count; c++)
        if (strcmp(r->class_names[c], name) == 0)
            return error_set(error, MIEN_MALFORMED, "setting classes names '%s' twice", name);
    memcpy(r->class_names[r->class_count++], name, strlen(name) + 1);
    return MIEN_OK;
}

static mien_status read_classes(const setting_list *s, train_recipe *r, mien_error *error)
{
    char name[80];
    const char *text = settings_get(s, "classes"), *rest = text;
    mien_status status = MIEN_OK;
    while (text != NULL && status == MIEN_OK && next_word(&rest, ",", name, sizeof name)) {
        char *start = name + strspn(name, " \t"), *end = start + strlen(start);
        while (end > start && strchr(" \t", end[-1]) != NULL)
            *--end = '\0';
        if (*start != '\0')
            status = add_class(r, start, error);
    }
    if (status == MIEN_OK && text != NULL && r->class_count < 2)
        return error_set(error, MIEN_MALFORMED, "setting classes is '%.60s', not two or more names",
                         text);
    return status;
}

static mien_status read_smote(const setting_list *s, train_recipe *r, mien_error *error)
{
    static const char *const kinds[] = {"off", "pixels", NULL};
    const char *text = settings_get(s, "smote");
    int kind = RECIPE_SMOTE_OFF;
    r->smote_to = 1;
    r->smote_neighbours = 5;
    if (text != NULL && strcmp(text, "features") == 0)
        return error_set(error, MIEN_MALFORMED,
                         "setting smote is 'features': SMOTE of features is not there, only "
                         "pixels");
    mien_status status = settings_choice(s, "smote", kinds, &kind, error);
    if (status == MIEN_OK)
        status = settings_float(s, "smote_to", 0, 1, &r->smote_to, error);
    if (status == MIEN_OK)
        status = settings_int(s, "smote_neighbours", 1, 100, &r->smote_neighbours, error);
    r->smote = (recipe_smote)kind;
    return status;
}

static mien_status read_size(const setting_list *s, train_recipe *r, mien_error *error)
{
    mien_status status =
        settings_float(s, "width_multiplier", 0.05, 8, &r->width_multiplier, error);
    if (status == MIEN_OK)
        status = settings_int(s, "height", 8, 1024, &r->height, error);
    if (status == MIEN_OK)
        status = settings_int(s, "width", 8, 1024, &r->width, error);
    return status;
}

mien_status recipe_read_run(const setting_list *s, const char *name, train_recipe *r,
                            mien_error *error)
{
    static const char *const labels[] = {"fer2013", "fer+", NULL};
    static const char *const precisions[] = {"f32", "bf16", NULL};
    int seed = 1, label_kind = 0, precision = TRAIN_F32;
    r->norm_momentum = 0.1f;
    mien_status status = read_architecture(s, name, r, error);
    if (status == MIEN_OK)
        status = settings_int(s, "seed", 0, 2147483647, &seed, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "labels", labels, &label_kind, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "precision", precisions, &precision, error);
    if (status == MIEN_OK)
        status = settings_float(s, "norm_momentum", 0.0001, 1, &r->norm_momentum, error);
    if (status == MIEN_OK)
        status = read_size(s, r, error);
    if (status == MIEN_OK)
        status = read_classes(s, r, error);
    if (status == MIEN_OK)
        status = read_smote(s, r, error);
    r->seed = (uint64_t)seed;
    r->fer_plus = label_kind == 1;
    r->precision = (train_precision)precision;
    for (size_t i = 0; status == MIEN_OK && i < s->count; i++)
        if (strncmp(s->entries[i].key, "mien.", 5) == 0)
            status =
                settings_set(&r->model_settings, s->entries[i].key, s->entries[i].value, error);
    return status;
}
