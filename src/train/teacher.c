/* SPDX-License-Identifier: Apache-2.0 */
#include "train/teacher.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The least probability that counts. */
#define LEAST_SHARE 1e-12f

/* One channel of a teacher's input: x = factor * (student's channel `from`) + offset. */
typedef struct channel_map {
    int from;
    float factor, offset;
} channel_map;

typedef struct teacher {
    nn_model *model;
    nn_plan *plan;
    channel_map channels[3];
    int channel_count;
    bool same_input;
    int class_of[DATASET_MAX_CLASSES]; /* by class of the student: the teacher's */
    size_t outputs;                    /* numbers a picture that the teacher puts out */
    size_t output;                     /* index among the plan's outputs */
    bool probabilities;
} teacher;

struct train_teachers {
    teacher *items;
    size_t count;
    int batch, classes, student_channels;
    size_t plane; /* pixels of an input */
};

struct teacher_memory {
    const train_teachers *teachers;
    nn_session **sessions; /* by teacher */
};

/* ---- Settings ---- */

static mien_status read_settings(const teacher *t, setting_list *settings, mien_error *error)
{
    const nn_graph *graph = nn_model_graph(t->model);
    mien_status status = MIEN_OK;
    for (size_t m = 0; status == MIEN_OK && m < graph->metadata_count; m++)
        if (strncmp(graph->metadata[m].key, "mien.", 5) == 0)
            status =
                settings_set(settings, graph->metadata[m].key, graph->metadata[m].value, error);
    return status;
}

/* Where a name stands in a list with commas between, or -1; *count is its length. */
static int place_in_list(const char *list, const char *name, int *count)
{
    int place = -1;
    size_t length = strlen(name);
    *count = 0;
    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        size_t end = strcspn(list, ","), used = end;
        while (used > 0 && (list[used - 1] == ' ' || list[used - 1] == '\t'))
            used--;
        if (used == 0)
            break;
        if (used == length && strncmp(list, name, length) == 0)
            place = *count;
        ++*count;
        list += end;
    }
    return place;
}

static mien_status match_classes(teacher *t, const setting_list *settings, const dataset *set,
                                 mien_error *error)
{
    int count = 0;
    const char *classes = settings_get(settings, "mien.classes");
    if (classes == NULL)
        return error_set(error, MIEN_UNSUPPORTED, "it does not name its classes (mien.classes)");
    for (int c = 0; c < set->class_count; c++) {
        t->class_of[c] = place_in_list(classes, set->class_names[c], &count);
        if (t->class_of[c] < 0)
            return error_set(error, MIEN_NOT_FOUND, "it has no class '%s', only %.200s",
                             set->class_names[c], classes);
    }
    if ((size_t)count != t->outputs)
        return error_set(error, MIEN_SHAPE, "it names %d classes and puts out %zu numbers", count,
                         t->outputs);
    return MIEN_OK;
}

/* ---- Input ---- */

/* Red, green, blue as 0, 1, 2 for a channel of a format; grey is all of them. */
static int colour_of(prep_format format, int channel)
{
    return format == PREP_BGR ? 2 - channel : channel;
}

static mien_status map_channels(teacher *t, const prep_settings *own, const prep_settings *student,
                                mien_error *error)
{
    bool grey = student->format == PREP_GRAY;
    if (own->format == PREP_GRAY && !grey)
        return error_set(error, MIEN_UNSUPPORTED, "it takes grey pictures, the student colour");
    if (own->width != student->width || own->height != student->height)
        return error_set(error, MIEN_UNSUPPORTED, "it takes %dx%d pixels, the student %dx%d",
                         own->width, own->height, student->width, student->height);
    if (own->margin != student->margin || own->square != student->square ||
        own->alignment != student->alignment)
        return error_set(error, MIEN_UNSUPPORTED,
                         "it cuts faces out another way than the student (mien.crop.*)");
    t->channel_count = own->format == PREP_GRAY ? 1 : 3;
    t->same_input = t->channel_count == (grey ? 1 : 3);
    for (int c = 0; c < t->channel_count; c++) {
        int from = grey ? 0 : colour_of(student->format, colour_of(own->format, c));
        channel_map *map = &t->channels[c];
        if (student->scale[from] == 0)
            return error_set(error, MIEN_UNSUPPORTED, "the student's pictures are scaled by 0");
        map->from = from;
        map->factor = own->scale[c] / student->scale[from];
        map->offset = (student->mean[from] - own->mean[c]) * own->scale[c];
        t->same_input = t->same_input && from == c && own->scale[c] == student->scale[from] &&
                        own->mean[c] == student->mean[from];
    }
    return MIEN_OK;
}

static mien_status settle_input(teacher *t, const setting_list *settings,
                                const prep_settings *student, nn_shape *shape, mien_error *error)
{
    const nn_graph *graph = nn_model_graph(t->model);
    prep_settings own;
    *shape = graph->values[graph->inputs[0]].tensor.shape;
    if (graph->input_count != 1 || shape->rank != 4)
        return error_set(error, MIEN_SHAPE, "it does not take one picture");
    for (int i = 2; i < 4; i++)
        if (shape->dims[i] == NN_UNKNOWN_DIM)
            shape->dims[i] = 0;
    /* A size that neither file nor settings fix is the student's. */
    bool open = shape->dims[2] == 0 && settings_get(settings, "mien.input.height") == NULL;
    int height = open ? student->height : (int)shape->dims[2];
    int width = open ? student->width : (int)shape->dims[3];
    mien_status status =
        prep_read_settings(settings, (int)shape->dims[1], height, width, &own, error);
    if (status == MIEN_OK)
        status = map_channels(t, &own, student, error);
    shape->dims[2] = own.height;
    shape->dims[3] = own.width;
    return status;
}

/* ---- Output ---- */

static mien_status find_output(teacher *t, const setting_list *settings, int batch,
                               mien_error *error)
{
    const char *name = settings_get(settings, "mien.output");
    int output = nn_plan_find_output(t->plan, "logits");
    t->probabilities = output < 0;
    if (output < 0 && name != NULL)
        output = nn_plan_find_output(t->plan, name);
    if (output < 0)
        return error_set(error, MIEN_NOT_FOUND, "it has no output 'logits' or '%.60s'",
                         name != NULL ? name : "probabilities");
    const nn_shape *shape = nn_plan_output_shape(t->plan, (size_t)output);
    if (shape->rank != 2 || shape->dims[0] != batch)
        return error_set(error, MIEN_SHAPE, "its output is no list of classes for each picture");
    t->output = (size_t)output;
    t->outputs = (size_t)shape->dims[1];
    return MIEN_OK;
}

static mien_status open_teacher(teacher *t, const teacher_file *file, const dataset *set,
                                const prep_settings *prep, nn_type precision, int batch,
                                mien_error *error)
{
    setting_list settings = {0};
    nn_shape shape;
    mien_status status = nn_model_read(file->bytes, file->size, &t->model, error);
    if (status == MIEN_OK)
        status = read_settings(t, &settings, error);
    if (status == MIEN_OK)
        status = settle_input(t, &settings, prep, &shape, error);
    if (status == MIEN_OK) {
        shape.dims[0] = batch;
        nn_plan_options options = {.input_shapes = &shape,
                                   .kernels = nn_kernels_best(),
                                   .max_bytes = SIZE_MAX / 2,
                                   .precision = precision};
        status = nn_plan_create(t->model, &options, &t->plan, error);
    }
    if (status == MIEN_OK)
        status = find_output(t, &settings, batch, error);
    if (status == MIEN_OK)
        status = match_classes(t, &settings, set, error);
    settings_free(&settings);
    return status == MIEN_OK ? status : error_prefix(error, status, "the teacher '%s'", file->name);
}

mien_status teachers_create(const teacher_file *files, size_t count, const dataset *set,
                            const prep_settings *prep, nn_type precision, int batch,
                            train_teachers **out, mien_error *error)
{
    *out = NULL;
    train_teachers *made = memory_zeroed(1, sizeof *made);
    if (made != NULL)
        made->items = memory_zeroed(count, sizeof *made->items);
    if (made == NULL || made->items == NULL) {
        free(made);
        return error_no_memory(error, "teachers", count * sizeof(teacher));
    }
    made->count = count;
    made->batch = batch;
    made->classes = set->class_count;
    made->student_channels = prep->format == PREP_GRAY ? 1 : 3;
    made->plane = (size_t)prep->width * (size_t)prep->height;
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < count; i++)
        status = open_teacher(&made->items[i], &files[i], set, prep, precision, batch, error);
    if (status != MIEN_OK)
        teachers_free(made);
    else
        *out = made;
    return status;
}

void teachers_free(train_teachers *teachers)
{
    if (teachers == NULL)
        return;
    for (size_t i = 0; i < teachers->count; i++) {
        nn_plan_free(teachers->items[i].plan);
        nn_model_free(teachers->items[i].model);
    }
    free(teachers->items);
    free(teachers);
}

/* ---- Running ---- */

mien_status teacher_memory_create(const train_teachers *teachers, teacher_memory **out,
                                  mien_error *error)
{
    *out = NULL;
    teacher_memory *memory = memory_zeroed(1, sizeof *memory);
    if (memory != NULL)
        memory->sessions = memory_zeroed(teachers->count, sizeof(nn_session *));
    if (memory == NULL || memory->sessions == NULL) {
        free(memory);
        return error_no_memory(error, "teachers", teachers->count * sizeof(nn_session *));
    }
    memory->teachers = teachers;
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < teachers->count; i++)
        status = nn_session_create(teachers->items[i].plan, &memory->sessions[i], error);
    if (status != MIEN_OK)
        teacher_memory_free(memory);
    else
        *out = memory;
    return status;
}

void teacher_memory_free(teacher_memory *memory)
{
    if (memory == NULL)
        return;
    for (size_t i = 0; i < memory->teachers->count; i++)
        nn_session_free(memory->sessions[i]);
    free(memory->sessions);
    free(memory);
}

static void fill_input(const train_teachers *all, const teacher *t, const float *inputs, float *to)
{
    size_t plane = all->plane, from_size = plane * (size_t)all->student_channels;
    size_t to_size = plane * (size_t)t->channel_count;
    if (t->same_input) {
        memcpy(to, inputs, (size_t)all->batch * to_size * sizeof *to);
        return;
    }
    for (size_t n = 0; n < (size_t)all->batch; n++)
        for (int c = 0; c < t->channel_count; c++) {
            const channel_map *map = &t->channels[c];
            const float *x = inputs + n * from_size + (size_t)map->from * plane;
            float *y = to + n * to_size + (size_t)c * plane;
            for (size_t i = 0; i < plane; i++)
                y[i] = map->factor * x[i] + map->offset;
        }
}

static void add_logits(const train_teachers *all, const teacher *t, const float *answer,
                       float *logits)
{
    float share = 1 / (float)all->count;
    for (size_t n = 0; n < (size_t)all->batch; n++)
        for (int c = 0; c < all->classes; c++) {
            float value = answer[n * t->outputs + (size_t)t->class_of[c]];
            if (t->probabilities)
                value = logf(value > LEAST_SHARE ? value : LEAST_SHARE);
            logits[n * (size_t)all->classes + (size_t)c] += share * value;
        }
}

void teachers_run(teacher_memory *memory, const float *inputs, float *logits)
{
    const train_teachers *all = memory->teachers;
    memset(logits, 0, (size_t)all->batch * (size_t)all->classes * sizeof *logits);
    for (size_t i = 0; i < all->count; i++) {
        const teacher *t = &all->items[i];
        nn_session *session = memory->sessions[i];
        fill_input(all, t, inputs, nn_session_input(session, 0));
        nn_session_run(session);
        add_logits(all, t, nn_session_output(session, t->output), logits);
    }
}
