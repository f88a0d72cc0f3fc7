/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/team.h"
#include "nn/onnx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool last_class_is_double(const mien_model *model)
{
    int last = model->class_count - 1;
    for (int c = 0; c < last; c++)
        if (strcmp(model->class_names[c], model->class_names[last]) == 0)
            return true;
    return false;
}

static mien_status read_classes(mien_model *model, mien_error *error)
{
    const char *list = settings_get(&model->network.settings, "mien.classes");
    if (list == NULL)
        return error_set(error, MIEN_NOT_FOUND,
                         "it does not say what its classes are: give a sidecar file with a line "
                         "such as \"mien.classes = angry,happy,neutral\" (docs/MODEL_FORMAT.md)");
    do {
        size_t length = strcspn(list, ",");
        const char *name = list;
        list += length + (list[length] == ',');
        while (length > 0 && *name == ' ') {
            name++;
            length--;
        }
        while (length > 0 && name[length - 1] == ' ')
            length--;
        if (length == 0 || length >= MODEL_CLASS_NAME_SIZE ||
            model->class_count == MIEN_MAX_CLASSES)
            return error_set(error, MIEN_MALFORMED,
                             "mien.classes must hold 1 to %d names of 1 to %d letters with commas "
                             "between",
                             MIEN_MAX_CLASSES, MODEL_CLASS_NAME_SIZE - 1);
        snprintf(model->class_names[model->class_count++], MODEL_CLASS_NAME_SIZE, "%.*s",
                 (int)length, name);
        if (last_class_is_double(model))
            return error_set(error, MIEN_MALFORMED, "mien.classes holds '%.*s' twice", (int)length,
                             name);
    } while (*list != '\0');
    return MIEN_OK;
}

static bool holds_classes(const mien_model *model, size_t output)
{
    const nn_shape *shape = nn_plan_output_shape(model->network.plan, output);
    int64_t elements;
    return shape != NULL && nn_shape_elements(shape, &elements) && elements == model->class_count;
}

/* mien.output names it; else the first output with as many numbers as there are classes. */
static mien_status find_output(mien_model *model, mien_error *error)
{
    const nn_plan *plan = model->network.plan;
    const char *name = settings_get(&model->network.settings, "mien.output");
    if (name != NULL) {
        int index = nn_plan_find_output(plan, name);
        if (index < 0 || !holds_classes(model, (size_t)index))
            return error_set(error, MIEN_SHAPE, "the network has no output '%.60s' of %d numbers",
                             name, model->class_count);
        model->output = (size_t)index;
        return MIEN_OK;
    }
    for (size_t o = 0; nn_plan_output_shape(plan, o) != NULL; o++)
        if (holds_classes(model, o)) {
            model->output = o;
            return MIEN_OK;
        }
    return error_set(error, MIEN_SHAPE,
                     "the settings name %d classes, but no output of the network has %d numbers",
                     model->class_count, model->class_count);
}

static mien_status read_settings(mien_model *model, mien_error *error)
{
    static const char *const kinds[] = {"probabilities", "logits", NULL};
    const setting_list *s = &model->network.settings;
    int kind = 0;
    float temperature = 1, floor = 0;
    mien_status status = read_classes(model, error);
    if (status == MIEN_OK)
        status = find_output(model, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "mien.output.kind", kinds, &kind, error);
    if (status == MIEN_OK)
        status = settings_float(s, "mien.temperature", 0.01, 100, &temperature, error);
    if (status == MIEN_OK)
        status =
            settings_float(s, "mien.floor", 0, 0.99F / (float)model->class_count, &floor, error);
    if (status == MIEN_OK)
        status = settings_float(s, "mien.unsure_below", 0, 1, &model->unsure_below, error);
    model->logits = kind == 1;
    model->calibration = (calibration){temperature, floor};
    return status;
}

/* Takes the network. */
static mien_status make_model(nn_model *network, const char *name, const char *sidecar,
                              const mien_model_options *options, mien_model **out,
                              mien_error *error)
{
    *out = NULL;
    mien_model *model = memory_zeroed(1, sizeof *model);
    if (model == NULL) {
        nn_model_free(network);
        return error_no_memory(error, name, sizeof *model);
    }
    model->threads = options->threads > 0 ? options->threads : 1;
    const engine_network_options network_options = {.sidecar_text = sidecar,
                                                    .name = name,
                                                    .kernels = options->kernels,
                                                    .precision = options->precision};
    mien_status status = engine_network_make(network, &network_options, &model->network, error);
    if (status == MIEN_OK) {
        status = read_settings(model, error);
        if (status != MIEN_OK)
            error_prefix(error, status, "%s", name);
    }
    if (status != MIEN_OK) {
        mien_model_free(model);
        return status;
    }
    *out = model;
    return MIEN_OK;
}

mien_status mien_model_open_memory(const void *bytes, size_t size, const char *name,
                                   const char *sidecar, const char *kernels, mien_model **out,
                                   mien_error *error)
{
    const mien_model_options options = {.kernels = kernels};
    nn_model *network;
    *out = NULL;
    mien_status status = nn_model_read(bytes, size, &network, error);
    if (status != MIEN_OK)
        return error_prefix(error, status, "%s", name);
    return make_model(network, name, sidecar, &options, out, error);
}

mien_status mien_model_open(const char *path, const mien_model_options *options, mien_model **out,
                            mien_error *error)
{
    static const mien_model_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    *out = NULL;
    if (options->threads < 0 || options->threads > TEAM_MOST_MEMBERS)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%d threads for a face, not 1 to %d",
                         options->threads, TEAM_MOST_MEMBERS);
    nn_model *network;
    char *sidecar;
    mien_status status = engine_read_file(path, &network, error);
    if (status != MIEN_OK)
        return status;
    status = engine_find_sidecar(path, options->sidecar, options->data_folder, &sidecar, error);
    if (status == MIEN_OK)
        status = make_model(network, path, sidecar, options, out, error);
    else
        nn_model_free(network);
    free(sidecar);
    return status;
}

void mien_model_free(mien_model *model)
{
    if (model == NULL)
        return;
    engine_network_free(&model->network);
    free(model);
}

int mien_model_class_count(const mien_model *model)
{
    return model->class_count;
}

const char *mien_model_class_name(const mien_model *model, int index)
{
    return index >= 0 && index < model->class_count ? model->class_names[index] : NULL;
}

void model_calibrate(const mien_model *model, const float *in, float *out)
{
    const double smallest = 1e-30; /* of a probability, so that its logarithm is finite */
    if (!model->logits && model->calibration.temperature == 1 && model->calibration.floor == 0) {
        if (out != in)
            memcpy(out, in, (size_t)model->class_count * sizeof *out);
        return;
    }
    double values[MIEN_MAX_CLASSES];
    for (int c = 0; c < model->class_count; c++)
        values[c] = model->logits ? in[c] : log(fmax(in[c], smallest));
    calibration_apply(&model->calibration, values, model->class_count, values);
    for (int c = 0; c < model->class_count; c++)
        out[c] = (float)values[c];
}

void model_choose_top(const mien_model *model, mien_face *face)
{
    face->top = 0;
    for (int c = 1; c < model->class_count; c++)
        if (face->probabilities[c] > face->probabilities[face->top])
            face->top = c;
    face->confidence = face->probabilities[face->top];
    face->unsure = face->confidence < model->unsure_below;
}
