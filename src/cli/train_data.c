/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/train_data.h"

#include "cli/scoring.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int train_data_check(const char *command, const train_data_options *o)
{
    bool folder = file_is_folder(o->data);
    if (folder && o->votes != NULL)
        return cli_wrong_usage(command, "--votes goes with a CSV file, not a folder");
    if (!folder && (o->validate != NULL || o->hold_out != NULL || o->detect))
        return cli_wrong_usage(
            command, "--validate, --hold-out and --detect go with a folder, not a CSV file");
    if (folder && (o->validate == NULL) == (o->hold_out == NULL))
        return cli_wrong_usage(command,
                               "with a folder, say what to score on: --validate or --hold-out");
    return EXIT_DONE;
}

static mien_pixel_format format_of(const train_recipe *recipe)
{
    const char *format = settings_get(&recipe->model_settings, "mien.input.format");
    return format == NULL || strcmp(format, "gray") == 0 ? MIEN_PIXEL_GRAY8 : MIEN_PIXEL_RGB8;
}

static mien_status read_csv(const train_data_options *o, const train_recipe *recipe,
                            train_data *data, mien_error *error)
{
    static const dataset_split splits[2] = {DATASET_TRAINING, DATASET_PUBLIC_TEST};
    dataset *const sets[2] = {&data->training, &data->validation};
    if (recipe->fer_plus && o->votes == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the recipe wants the labels of FER+: name the votes with --votes");
    mien_status status = MIEN_OK;
    for (int i = 0; status == MIEN_OK && i < 2; i++)
        status = recipe->fer_plus
                     ? dataset_read_fer_plus(o->data, o->votes, splits[i], sets[i], error)
                     : dataset_read_fer_csv(o->data, splits[i], sets[i], error);
    return status;
}

static mien_status select_classes(dataset *set, const char *names, int count, mien_error *error)
{
    const char *list[DATASET_MAX_CLASSES];
    for (int c = 0; c < count; c++)
        list[c] = names + (size_t)c * DATASET_CLASS_NAME_SIZE;
    return dataset_select_classes(set, list, count, error);
}

static mien_status read_folders(const train_data_options *o, const train_recipe *recipe,
                                train_data *data, mien_error *error)
{
    mien_pixel_format format = format_of(recipe);
    if (recipe->fer_plus)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the recipe wants the labels of FER+, which a folder does not have");
    mien_status status = dataset_read_folder(o->data, format, &data->training, error);
    if (status == MIEN_OK && o->validate != NULL)
        status = dataset_read_folder(o->validate, format, &data->validation, error);
    if (status == MIEN_OK && o->hold_out != NULL)
        status = dataset_hold_out(&data->training, o->hold_out, &data->validation, error);
    return status;
}

static mien_status pick_classes(const train_recipe *recipe, train_data *data, mien_error *error)
{
    mien_status status = MIEN_OK;
    if (recipe->class_count > 0)
        status =
            select_classes(&data->training, recipe->class_names[0], recipe->class_count, error);
    if (status == MIEN_OK)
        status = select_classes(&data->validation, data->training.class_names[0],
                                data->training.class_count, error);
    return status;
}

/* ---- Faces ---- */

static mien_status find_face(mien_analyzer *analyzer, dataset_sample *sample, bool *found,
                             mien_error *error)
{
    const mien_face *faces;
    size_t count;
    mien_status status = mien_analyzer_run(analyzer, &sample->image, &faces, &count, error);
    const mien_face *face = status == MIEN_OK ? scoring_largest_face(faces, count) : NULL;
    *found = face != NULL;
    if (face != NULL)
        sample->face = (image_rect){face->x, face->y, face->width, face->height};
    return status;
}

/* Finds the face of every picture; those without go. */
static mien_status find_faces(mien_analyzer *analyzer, dataset *set, size_t *no_face,
                              mien_error *error)
{
    size_t before = set->count;
    bool *found = memory_zeroed(set->count, sizeof *found);
    if (found == NULL)
        return error_no_memory(error, "faces", set->count);
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < set->count; i++)
        status = find_face(analyzer, &set->samples[i], &found[i], error);
    if (status == MIEN_OK)
        dataset_keep(set, found);
    *no_face += before - set->count;
    free(found);
    return status;
}

static mien_status detect(const mien_detector *detector, train_data *data, mien_error *error)
{
    mien_analyzer *analyzer;
    mien_status status = mien_analyzer_create(NULL, detector, &analyzer, error);
    if (status != MIEN_OK)
        return status;
    status = find_faces(analyzer, &data->training, &data->no_face, error);
    if (status == MIEN_OK)
        status = find_faces(analyzer, &data->validation, &data->no_face, error);
    mien_analyzer_free(analyzer);
    return status;
}

static mien_status check_counts(const train_data *data, mien_error *error)
{
    const dataset *empty = data->training.count == 0 ? &data->training : &data->validation;
    if (empty->count > 0)
        return MIEN_OK;
    return error_set(error, MIEN_NOT_FOUND, "no picture is left to %s (no face found in %zu)",
                     empty == &data->training ? "learn from" : "score on", data->no_face);
}

int train_data_read(const train_data_options *o, const train_recipe *recipe, train_data *data)
{
    mien_error error;
    mien_detector *detector = NULL;
    *data = (train_data){0};
    if (o->detect && cli_open_detector(o->setup, &detector) != EXIT_DONE)
        return EXIT_FAILED;
    mien_status status = file_is_folder(o->data) ? read_folders(o, recipe, data, &error)
                                                 : read_csv(o, recipe, data, &error);
    if (status == MIEN_OK)
        status = pick_classes(recipe, data, &error);
    if (status == MIEN_OK && detector != NULL)
        status = detect(detector, data, &error);
    if (status == MIEN_OK)
        status = check_counts(data, &error);
    mien_detector_free(detector);
    if (status == MIEN_OK)
        return EXIT_DONE;
    train_data_free(data);
    return cli_fail(&error);
}

void train_data_free(train_data *data)
{
    dataset_free(&data->training);
    dataset_free(&data->validation);
}
