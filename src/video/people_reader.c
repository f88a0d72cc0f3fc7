/* SPDX-License-Identifier: Apache-2.0 */
#include "video/people_reader.h"

#include "base/error.h"
#include "base/memory.h"
#include "engine/model.h"
#include "video/baseline.h"
#include "video/smoother.h"

#include <stdlib.h>
#include <strings.h>

/* What is remembered of a person. */
typedef struct memory {
    int64_t id;
    baseline baseline;
    smoother smoother;
} memory;

struct people_reader {
    const mien_model *model;
    double smooth_s, baseline_s;
    int neutral;             /* the class; -1 where the model has none */
    mien_analyzer *analyzer; /* without a detector */
    memory *memories;
    size_t memory_count, memory_room;
};

static int neutral_class(const mien_model *model)
{
    for (int c = 0; model != NULL && c < model->class_count; c++)
        if (strcasecmp(mien_model_class_name(model, c), "neutral") == 0)
            return c;
    return -1;
}

static mien_status check_settings(const mien_model *model, const people_settings *settings,
                                  mien_error *error)
{
    if (!(settings->smooth_s >= 0))
        return error_set(error, MIEN_INVALID_ARGUMENT, "cannot smooth over %g s",
                         settings->smooth_s);
    if (!(settings->baseline_s >= 0))
        return error_set(error, MIEN_INVALID_ARGUMENT, "cannot record a baseline for %g s",
                         settings->baseline_s);
    if (settings->baseline_s > 0 && neutral_class(model) < 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a baseline needs a model with a class 'neutral'");
    return MIEN_OK;
}

mien_status people_reader_create(const mien_model *model, const people_settings *settings,
                                 people_reader **out, mien_error *error)
{
    *out = NULL;
    mien_status status = check_settings(model, settings, error);
    if (status != MIEN_OK)
        return status;
    people_reader *reader = memory_zeroed(1, sizeof *reader);
    if (reader == NULL)
        return error_no_memory(error, "people", sizeof *reader);
    reader->model = model;
    reader->smooth_s = settings->smooth_s;
    reader->baseline_s = settings->baseline_s;
    reader->neutral = neutral_class(model);
    status = mien_analyzer_create(model, NULL, &reader->analyzer, error);
    if (status != MIEN_OK) {
        people_reader_free(reader);
        return status;
    }
    *out = reader;
    return MIEN_OK;
}

void people_reader_free(people_reader *reader)
{
    if (reader == NULL)
        return;
    mien_analyzer_free(reader->analyzer);
    free(reader->memories);
    free(reader);
}

static bool lives(const people_list *list, int64_t id)
{
    for (size_t i = 0; i < list->living_count; i++)
        if (list->living[i] == id)
            return true;
    return false;
}

static void forget_the_lost(people_reader *reader, const people_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < reader->memory_count; i++)
        if (lives(list, reader->memories[i].id))
            reader->memories[kept++] = reader->memories[i];
    reader->memory_count = kept;
}

/* NULL when out of memory. */
static memory *memory_of(people_reader *reader, int64_t id)
{
    for (size_t i = 0; i < reader->memory_count; i++)
        if (reader->memories[i].id == id)
            return &reader->memories[i];
    void *memories = reader->memories;
    if (!memory_grow(&memories, reader->memory_count, &reader->memory_room,
                     sizeof *reader->memories))
        return NULL;
    reader->memories = memories;
    reader->memories[reader->memory_count] = (memory){.id = id};
    return &reader->memories[reader->memory_count++];
}

/* Records how a person looks at rest, and once that is known takes it out. */
static void take_out_rest(const people_reader *reader, memory *kept, double time_s,
                          float *probabilities)
{
    int count = reader->model->class_count;
    if (kept->baseline.recorded_s < reader->baseline_s)
        baseline_record(&kept->baseline, time_s, probabilities, count);
    else if (reader->baseline_s > 0)
        baseline_remove(&kept->baseline, reader->neutral, probabilities, count);
}

static mien_status remember(people_reader *reader, double time_s, person *who, mien_error *error)
{
    memory *kept = memory_of(reader, who->id);
    if (kept == NULL)
        return error_no_memory(error, "a person", sizeof *kept);
    take_out_rest(reader, kept, time_s, who->face.probabilities);
    mien_status status =
        smoother_update(&kept->smoother, time_s, reader->smooth_s, who->face.probabilities,
                        reader->model->class_count, error);
    if (status == MIEN_OK)
        model_choose_top(reader->model, &who->face);
    return status;
}

mien_status people_reader_run(people_reader *reader, const mien_image *image, double time_s,
                              people_list *list, mien_error *error)
{
    mien_status status = MIEN_OK;
    forget_the_lost(reader, list);
    for (size_t i = 0; status == MIEN_OK && reader->model != NULL && i < list->count; i++) {
        status = mien_analyzer_read(reader->analyzer, image, &list->people[i].face, error);
        if (status == MIEN_OK && list->people[i].id != 0)
            status = remember(reader, time_s, &list->people[i], error);
    }
    return status;
}
