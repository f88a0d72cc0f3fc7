/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live_output.h"

#include "base/error.h"
#include "eval/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SCHEMA "mien.frame/1"

static json_t *json_of_person(const mien_model *model, const person *who)
{
    json_t *object = json_object();
    json_t *face = output_face(model, &who->face);
    bool complete = json_object_set_new(object, "track",
                                        who->id != 0 ? json_integer(who->id) : json_null()) == 0;
    complete &= json_object_set_new(object, "predicted", json_boolean(who->predicted)) == 0;
    complete &= json_object_update(object, face) == 0;
    json_decref(face);
    return json_text_finish(object, complete);
}

static json_t *json_of_people(const mien_model *model, const pipeline_frame *frame)
{
    json_t *faces = json_array();
    bool complete = faces != NULL;
    for (size_t i = 0; i < frame->count; i++)
        complete &= json_array_append_new(faces, json_of_person(model, &frame->people[i])) == 0;
    return json_text_finish(faces, complete);
}

static json_t *json_of_frame(const mien_model *model, const pipeline_frame *frame)
{
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "schema", json_string(SCHEMA)) == 0;
    complete &= json_object_set_new(object, "source", json_text_name(frame->source)) == 0;
    complete &= json_object_set_new(object, "frame", json_integer(frame->number)) == 0;
    complete &=
        json_object_set_new(object, "time", json_real(round(frame->time_s * 1e6) / 1e6)) == 0;
    complete &= json_object_set_new(object, "width", json_integer(frame->image->width)) == 0;
    complete &= json_object_set_new(object, "height", json_integer(frame->image->height)) == 0;
    complete &= json_object_set_new(object, "faces", json_of_people(model, frame)) == 0;
    return json_text_finish(object, complete);
}

static bool print_json(const mien_model *model, const pipeline_frame *frame)
{
    char *text =
        json_text_dump(json_of_frame(model, frame), JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (text == NULL)
        return false;
    puts(text);
    free(text);
    return true;
}

static void print_csv(const mien_model *model, const pipeline_frame *frame)
{
    for (size_t i = 0; i < frame->count; i++) {
        const person *who = &frame->people[i];
        output_field(stdout, frame->source);
        printf(",%" PRId64 ",%.6f,", frame->number, frame->time_s);
        if (who->id != 0)
            printf("%" PRId64, who->id);
        fputs(who->predicted ? ",true" : ",false", stdout);
        output_face_fields(stdout, model, &who->face);
    }
}

static void print_table(const mien_model *model, const pipeline_frame *frame)
{
    for (size_t i = 0; i < frame->count; i++) {
        const mien_face *face = &frame->people[i].face;
        char name[24] = "?";
        if (frame->people[i].id != 0)
            snprintf(name, sizeof name, "%" PRId64, frame->people[i].id);
        printf("%9.3f s  %3s  ", frame->time_s, name);
        if (face->has_expression)
            printf("%-12s %3.0f %%%s  ", mien_model_class_name(model, face->top),
                   100 * (double)face->confidence, face->unsure ? "  unsure" : "        ");
        printf("at %.0f,%.0f  %.0fx%.0f pixels\n", (double)face->x, (double)face->y,
               (double)face->width, (double)face->height);
    }
}

void live_output_begin(output_format format, const mien_model *model)
{
    if (format != OUTPUT_CSV)
        return;
    fputs("source,frame,time,track,predicted", stdout);
    output_face_names(stdout, model);
}

mien_status live_output_frame(output_format format, const mien_model *model,
                              const pipeline_frame *frame, mien_error *error)
{
    if (format == OUTPUT_JSON)
        return print_json(model, frame)
                   ? MIEN_OK
                   : error_no_memory(error, "the text of a frame", frame->count * sizeof(person));
    if (format == OUTPUT_CSV)
        print_csv(model, frame);
    else
        print_table(model, frame);
    return MIEN_OK;
}
