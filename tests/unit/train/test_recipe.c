/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "train/recipe.h"

static void read_recipe(const char *text, train_recipe *recipe)
{
    mien_error error;
    assert_ok(recipe_read(text, strlen(text), "recipe", recipe, &error), &error);
}

static void assert_refused(const char *text, mien_status expected, const char *part)
{
    train_recipe recipe;
    mien_error error;
    assert_fails(expected, recipe_read(text, strlen(text), "recipe", &recipe, &error), &error,
                 part);
    assert_int_equal(recipe.stage_count, 0);
    assert_int_equal(recipe.model_settings.count, 0);
}

static void test_defaults(void **state)
{
    (void)state;
    train_recipe r;
    read_recipe("architecture = mini_xception\n", &r);
    assert_string_equal(r.architecture, "mini_xception");
    assert_int_equal(r.seed, 1);
    assert_int_equal(r.height + r.width, 0);
    assert_false(r.fer_plus);
    assert_float_equal(r.norm_momentum, 0.1, 1e-7);
    assert_int_equal(r.stage_count, 1);
    const recipe_stage *stage = &r.stages[0];
    assert_string_equal(stage->name, "training");
    assert_int_equal(stage->epochs, 1);
    assert_int_equal(stage->batch, 64);
    assert_int_equal(stage->optimiser.kind, OPTIMISER_SGD);
    assert_float_equal(stage->optimiser.momentum, 0.9, 1e-6);
    assert_int_equal(stage->schedule.kind, SCHEDULE_COSINE);
    assert_float_equal(stage->schedule.rate, 0.1, 1e-7);
    assert_int_equal(stage->loss, RECIPE_SOFTMAX);
    assert_true(stage->average == 0 && stage->clip_norm == 0 && stage->centre_weight == 0);
    assert_int_equal(stage->patience, 0);
    recipe_free(&r);
}

static void test_every_key_arrives(void **state)
{
    (void)state;
    train_recipe r;
    read_recipe(
        "architecture = mobilenet_v1 # a comment\n\nwidth_multiplier = 0.5\nheight = 64\n"
        "width = 96\nseed = 7\nlabels = fer+\nnorm_momentum = 0.01\nepochs = 5\nbatch = 8\n"
        "optimiser = adamw\nbeta1 = 0.8\nbeta2 = 0.99\nepsilon = 1e-6\nweight_decay = 0.02\n"
        "rate = 0.003\nfinal_rate = 1e-5\nschedule = plateau\nwarmup = 0.1\ngamma = 0.5\n"
        "step_epochs = 3\nplateau = 4\nclip_norm = 2\naverage = 0.99\nloss = focal\n"
        "smoothing = 0.05\nfocal_gamma = 1.5\ncentre_weight = 0.01\ncentre_rate = 0.3\n"
        "class_weights = yes\nmixup = 0.2\ncutmix = 1\npatience = 6\n"
        "augment.mirror = 0.5\naugment.rotation = 12\naugment.zoom = 0.2\n"
        "augment.shift = 0.1\naugment.shear = 5\naugment.crop_min = 0.85\n"
        "augment.erase = 0.25\naugment.brightness = 0.3\naugment.contrast = 0.4\n"
        "augment.noise = 0.02\nmien.input.format = rgb\nmien.input.mean = 1, 2, 3\n",
        &r);
    const recipe_stage *s = &r.stages[0];
    assert_float_equal(r.width_multiplier, 0.5, 0);
    assert_true(r.height == 64 && r.width == 96 && r.seed == 7 && r.fer_plus);
    assert_true(s->epochs == 5 && s->batch == 8 && s->patience == 6 && s->class_weights);
    assert_int_equal(s->optimiser.kind, OPTIMISER_ADAMW);
    assert_float_equal(s->optimiser.beta1 + s->optimiser.beta2, 1.79, 1e-6);
    assert_float_equal(s->optimiser.weight_decay, 0.02, 1e-8);
    assert_int_equal(s->schedule.kind, SCHEDULE_PLATEAU);
    assert_true(s->schedule.step_epochs == 3 && s->schedule.patience == 4);
    assert_float_equal(s->schedule.gamma + s->schedule.warmup, 0.6, 1e-6);
    assert_int_equal(s->loss, RECIPE_FOCAL);
    assert_float_equal(s->focal_gamma + s->smoothing, 1.55, 1e-6);
    assert_float_equal(s->centre_weight + s->centre_rate, 0.31, 1e-6);
    assert_float_equal(s->clip_norm + s->average, 2.99, 1e-6);
    assert_float_equal(s->mixup + s->cutmix, 1.2, 1e-6);
    const augment_settings *a = &s->augment;
    assert_float_equal(a->mirror + a->rotation + a->zoom + a->shift + a->shear, 17.8, 1e-5);
    assert_float_equal(a->crop_min + a->erase + a->brightness + a->contrast + a->noise, 1.82, 1e-5);
    assert_int_equal(r.model_settings.count, 2);
    assert_string_equal(settings_get(&r.model_settings, "mien.input.mean"), "1, 2, 3");
    recipe_free(&r);
}

static void test_keys_of_transfer_and_losses_arrive(void **state)
{
    (void)state;
    train_recipe r;
    read_recipe(
        "architecture = file\nfeatures = embedding\n"
        "head = dense 128 relu  dropout 0.25\tdense 64\nclasses = happy,  sad , very angry\n"
        "smote = pixels\nsmote_to = 0.5\nsmote_neighbours = 7\n"
        "island_weight = 0.02\nisland_lambda = 3\nlocality_weight = 0.3\n"
        "locality_neighbours = 9\ntriplet_weight = 0.4\ntriplet_margin = 0.6\n"
        "tuplet_weight = 0.5\ntuplet_margin = 2\ndistill_weight = 0.7\n"
        "distill_temperature = 5\nsampler = balanced\nfreeze = conv_1, bn\n"
        "sam_rho = 0.05\nsettle = 11\n",
        &r);
    assert_string_equal(r.architecture, RECIPE_FILE);
    assert_string_equal(r.features, "embedding");
    assert_int_equal(r.head_count, 4);
    assert_true(r.head[0].kind == RECIPE_DENSE && r.head[0].outputs == 128);
    assert_true(r.head[1].kind == RECIPE_RELU && r.head[3].outputs == 64);
    assert_true(r.head[2].kind == RECIPE_DROPOUT && r.head[2].ratio == 0.25f);
    assert_int_equal(r.class_count, 3);
    assert_string_equal(r.class_names[1], "sad");
    assert_string_equal(r.class_names[2], "very angry");
    assert_true(r.smote == RECIPE_SMOTE_PIXELS && r.smote_neighbours == 7 && r.smote_to == 0.5f);
    const recipe_stage *s = &r.stages[0];
    assert_float_equal(s->island_weight + s->island_lambda, 3.02, 1e-6);
    assert_float_equal(s->locality_weight, 0.3, 1e-6);
    assert_int_equal(s->locality_neighbours, 9);
    assert_float_equal(s->triplet_weight + s->triplet_margin, 1, 1e-6);
    assert_float_equal(s->tuplet_weight + s->tuplet_margin, 2.5, 1e-6);
    assert_float_equal(s->distill_weight + s->distill_temperature, 5.7, 1e-6);
    assert_int_equal(s->sampler, SAMPLER_BALANCED);
    assert_string_equal(s->freeze, "conv_1, bn");
    assert_float_equal(s->sam_rho, 0.05, 1e-7);
    assert_int_equal(s->settle, 11);
    assert_true(recipe_uses_features(s));
    recipe_free(&r);
    read_recipe("architecture = fcn\n", &r);
    s = &r.stages[0];
    assert_false(s->quantised);
    assert_int_equal(s->sampler, SAMPLER_SHUFFLED);
    assert_string_equal(s->freeze, "nothing");
    assert_true(s->sam_rho == 0 && s->settle == 0 && s->distill_weight == 0);
    assert_true(r.smote == RECIPE_SMOTE_OFF && r.class_count == 0 && !recipe_uses_features(s));
    recipe_free(&r);
    read_recipe("architecture = fcn\nweights = int8\n", &r);
    assert_true(r.stages[0].quantised);
    recipe_free(&r);
}

static void test_stages_start_with_what_was_said_before(void **state)
{
    (void)state;
    train_recipe r;
    read_recipe("architecture = fcn\nepochs = 3\nrate = 0.2\n"
                "[warm]\nbatch = 16\naverage = 0.9\n"
                "  [fine tuning]  # the last one\nrate = 0.01\nepochs = 2\n",
                &r);
    assert_int_equal(r.stage_count, 2);
    const recipe_stage *a = &r.stages[0], *b = &r.stages[1];
    assert_string_equal(a->name, "warm");
    assert_string_equal(b->name, "fine tuning");
    assert_true(a->epochs == 3 && b->epochs == 2 && a->batch == 16 && b->batch == 16);
    assert_float_equal(a->schedule.rate, 0.2, 1e-7);
    assert_float_equal(b->schedule.rate, 0.01, 1e-7);
    assert_float_equal(b->average, 0.9, 1e-7);
    recipe_free(&r);
}

static void test_bad_recipes_are_named(void **state)
{
    (void)state;
    const mien_status bad = MIEN_MALFORMED;
    assert_refused("", bad, "architecture");
    assert_refused("epochs = 3\n", bad, "architecture");
    assert_refused("architecture = fcn\nepoch = 3\n", bad, "'epoch'");
    assert_refused("architecture = fcn\n[two]\nlearning_rate = 3\n", bad, "'learning_rate'");
    assert_refused("architecture = fcn\nepochs = many\n", bad, "many");
    assert_refused("architecture = fcn\nepochs = 0\n", bad, "epochs");
    assert_refused("architecture = fcn\nbatch = 100000\n", bad, "batch");
    assert_refused("architecture = fcn\noptimiser = lion\n", bad, "lion");
    assert_refused("architecture = fcn\nloss = hinge\n", bad, "hinge");
    assert_refused("architecture = fcn\nschedule = square\n", bad, "square");
    assert_refused("architecture = fcn\nlabels = affectnet\n", bad, "affectnet");
    assert_refused("architecture = fcn\nrate = nan\n", bad, "rate");
    assert_refused("architecture = fcn\nsmoothing = 1\n", bad, "smoothing");
    assert_refused("architecture = fcn\naugment.mirror = 2\n", bad, "augment.mirror");
    assert_refused("architecture = fcn\nclass_weights = maybe\n", bad, "maybe");
    assert_refused("architecture = fcn\njust words\n", bad, "2");
}

static void test_bad_keys_of_transfer_and_losses_are_named(void **state)
{
    (void)state;
    const mien_status bad = MIEN_MALFORMED;
    const char *const file = "architecture = file\nfeatures = x\n";
    static const char *const heads[] = {"dense",  "dense 0", "dense 1.5", "dense x",    "dropout 1",
                                        "conv 3", "relu 3",  "dropout",   "dense 70000"};
    char text[200];
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        snprintf(text, sizeof text, "%shead = %s\n", file, heads[i]);
        assert_refused(text, bad, "head");
    }
    assert_refused("architecture = file\n", bad, "features");
    assert_refused("architecture = fcn\nfeatures = x\n", bad, "architecture = file");
    assert_refused("architecture = fcn\nhead = relu\n", bad, "architecture = file");
    assert_refused("architecture = fcn\nclasses = happy\n", bad, "classes");
    assert_refused("architecture = fcn\nclasses = a, b, a\n", bad, "'a' twice");
    assert_refused("architecture = fcn\nsmote = features\n", bad, "not there");
    assert_refused("architecture = fcn\nsmote = yes\n", bad, "smote");
    assert_refused("architecture = fcn\nsmote_to = 2\n", bad, "smote_to");
    assert_refused("architecture = fcn\nsampler = random\n", bad, "sampler");
    assert_refused("architecture = fcn\nfreeze =\n", bad, "freeze");
    assert_refused("architecture = fcn\nsam_rho = -1\n", bad, "sam_rho");
    assert_refused("architecture = fcn\nsettle = -1\n", bad, "settle");
    assert_refused("architecture = fcn\nlocality_neighbours = 65\n", bad, "locality_neighbours");
    assert_refused("architecture = fcn\ndistill_weight = 1.1\n", bad, "distill_weight");
    assert_refused("architecture = fcn\ndistill_temperature = 0\n", bad, "distill_temperature");
    assert_refused("architecture = fcn\ncentre_weight = 1\nisland_weight = 1\n", bad,
                   "island_weight and centre_weight");
    assert_refused("architecture = fcn\nweights = int4\n", bad, "weights");
    assert_refused("architecture = fcn\nweights = int8\nsam_rho = 0.1\n", bad, "together");
    assert_refused("architecture = fcn\n[one]\nsmote = pixels\n", bad, "'smote'");
}

/* What holds for the whole run cannot change on the way. */
static void test_keys_of_the_run_stand_before_the_stages(void **state)
{
    (void)state;
    const mien_status bad = MIEN_MALFORMED;
    assert_refused("[one]\narchitecture = fcn\n", bad, "architecture");
    assert_refused("architecture = fcn\n[one]\nseed = 3\n", bad, "'seed'");
    assert_refused("architecture = fcn\n[one]\n[two]\narchitecture = vgg\n", bad, "'architecture'");
    assert_refused("architecture = fcn\n[one]\nmien.input.mean = 3\n", bad, "'mien.input.mean'");
}

static void test_long_architecture_names_are_refused(void **state)
{
    (void)state;
    char text[200] = "architecture = ";
    memset(text + strlen(text), 'x', 100);
    assert_refused(text, MIEN_MALFORMED, "architecture");
}

static void stages_of(int count, char *text, size_t size)
{
    snprintf(text, size, "architecture = fcn\n");
    for (int i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "[stage %d]\nepochs = %d\n", i, i + 1);
    }
}

static void test_number_of_stages(void **state)
{
    (void)state;
    char text[1000];
    train_recipe r;
    stages_of(RECIPE_MAX_STAGES, text, sizeof text);
    read_recipe(text, &r);
    assert_int_equal(r.stage_count, RECIPE_MAX_STAGES);
    assert_int_equal(r.stages[RECIPE_MAX_STAGES - 1].epochs, RECIPE_MAX_STAGES);
    recipe_free(&r);
    stages_of(RECIPE_MAX_STAGES + 1, text, sizeof text);
    assert_refused(text, MIEN_LIMIT, "stages");
}

static void test_shipped_recipe_is_good(void **state)
{
    (void)state;
    char path[4096], text[8192];
    FILE *file =
        fopen(test_source_path("models/recipes/mini-xception.txt", path, sizeof path), "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    train_recipe r;
    mien_error error;
    assert_ok(recipe_read(text, size, path, &r, &error), &error);
    assert_string_equal(r.architecture, "mini_xception");
    recipe_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key_arrives),
        cmocka_unit_test(test_keys_of_transfer_and_losses_arrive),
        cmocka_unit_test(test_bad_keys_of_transfer_and_losses_are_named),
        cmocka_unit_test(test_stages_start_with_what_was_said_before),
        cmocka_unit_test(test_bad_recipes_are_named),
        cmocka_unit_test(test_keys_of_the_run_stand_before_the_stages),
        cmocka_unit_test(test_long_architecture_names_are_refused),
        cmocka_unit_test(test_number_of_stages),
        cmocka_unit_test(test_shipped_recipe_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
