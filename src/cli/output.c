/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include "eval/json_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "mien.faces/1"

/* ---- JSON Lines ---- */

static json_t *rounded(float value, double step)
{
    return json_real(round((double)value / step) * step);
}

static json_t *json_of_numbers(const float *values, size_t count)
{
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; i < count; i++)
        complete &= json_array_append_new(list, rounded(values[i], 0.01)) == 0;
    return json_text_finish(list, complete);
}

static json_t *json_of_landmarks(const mien_face *face)
{
    json_t *points = json_array();
    bool complete = points != NULL;
    for (int i = 0; i < 5; i++)
        complete &= json_array_append_new(points, json_of_numbers(face->landmarks[i], 2)) == 0;
    return json_text_finish(points, complete);
}

/* Names are text of the model's file: UTF-8 or not. */
static bool add_probability(json_t *object, const char *name, float value)
{
    json_t *key = json_text_name(name);
    bool added = key != NULL &&
                 json_object_set_new(object, json_string_value(key), rounded(value, 1e-6)) == 0;
    json_decref(key);
    return added;
}

static json_t *json_of_probabilities(const mien_model *model, const mien_face *face)
{
    json_t *object = json_object();
    bool complete = object != NULL;
    for (int c = 0; c < mien_model_class_count(model); c++)
        complete &=
            add_probability(object, mien_model_class_name(model, c), face->probabilities[c]);
    return json_text_finish(object, complete);
}

static bool add_expression(json_t *object, const mien_model *model, const mien_face *face)
{
    const char *top = mien_model_class_name(model, face->top);
    bool complete = json_object_set_new(object, "expression", json_text_name(top)) == 0;
    complete &= json_object_set_new(object, "confidence", rounded(face->confidence, 1e-6)) == 0;
    complete &= json_object_set_new(object, "unsure", json_boolean(face->unsure)) == 0;
    complete &=
        json_object_set_new(object, "probabilities", json_of_probabilities(model, face)) == 0;
    return complete;
}

json_t *output_face(const mien_model *model, const mien_face *face)
{
    const float box[] = {face->x, face->y, face->width, face->height};
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "box", json_of_numbers(box, 4)) == 0;
    complete &=
        json_object_set_new(object, "detection_score", rounded(face->detection_score, 1e-4)) == 0;
    if (face->has_landmarks)
        complete &= json_object_set_new(object, "landmarks", json_of_landmarks(face)) == 0;
    if (face->has_expression)
        complete &= add_expression(object, model, face);
    return json_text_finish(object, complete);
}

static json_t *json_of_error(const picture_result *result)
{
    json_t *object = json_object();
    bool complete =
        json_object_set_new(object, "status", json_string(mien_status_name(result->status))) == 0;
    complete &= json_object_set_new(object, "message", json_text_name(result->error.message)) == 0;
    return json_text_finish(object, complete);
}

static json_t *json_of_faces(const mien_model *model, const picture_result *result)
{
    json_t *faces = json_array();
    bool complete = faces != NULL;
    for (size_t i = 0; i < result->face_count; i++)
        complete &= json_array_append_new(faces, output_face(model, &result->faces[i])) == 0;
    return json_text_finish(faces, complete);
}

static json_t *json_of_picture(const mien_model *model, const picture_result *result)
{
    json_t *object = json_object();
    bool complete = json_object_set_new(object, "schema", json_string(SCHEMA)) == 0;
    complete &= json_object_set_new(object, "source", json_text_name(result->source)) == 0;
    if (result->status != MIEN_OK) {
        complete &= json_object_set_new(object, "error", json_of_error(result)) == 0;
        return json_text_finish(object, complete);
    }
    complete &= json_object_set_new(object, "width", json_integer(result->width)) == 0;
    complete &= json_object_set_new(object, "height", json_integer(result->height)) == 0;
    complete &= json_object_set_new(object, "faces", json_of_faces(model, result)) == 0;
    return json_text_finish(object, complete);
}

static bool print_json(const mien_model *model, const picture_result *result)
{
    char *text =
        json_text_dump(json_of_picture(model, result), JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text == NULL)
        return false;
    puts(text);
    free(text);
    return true;
}

/* ---- CSV (RFC 4180) ---- */

void output_field(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void output_face_fields(FILE *out, const mien_model *model, const mien_face *face)
{
    fprintf(out, ",%.2f,%.2f,%.2f,%.2f,%.4f", (double)face->x, (double)face->y, (double)face->width,
            (double)face->height, (double)face->detection_score);
    if (face->has_expression) {
        fputc(',', out);
        output_field(out, mien_model_class_name(model, face->top));
        fprintf(out, ",%.6f,%s", (double)face->confidence, face->unsure ? "true" : "false");
        for (int c = 0; c < mien_model_class_count(model); c++)
            fprintf(out, ",%.6f", (double)face->probabilities[c]);
    }
    fputc('\n', out);
}

void output_face_names(FILE *out, const mien_model *model)
{
    fputs(",x,y,width,height,detection_score", out);
    if (model != NULL) {
        fputs(",expression,confidence,unsure", out);
        for (int c = 0; c < mien_model_class_count(model); c++) {
            fputc(',', out);
            output_field(out, mien_model_class_name(model, c));
        }
    }
    fputc('\n', out);
}

static void print_csv(const mien_model *model, const picture_result *result)
{
    for (size_t i = 0; i < result->face_count; i++) {
        output_field(stdout, result->source);
        printf(",%zu", i + 1);
        output_face_fields(stdout, model, &result->faces[i]);
    }
}

/* ---- For people ---- */

static void print_table(const mien_model *model, const picture_result *result)
{
    if (result->status != MIEN_OK)
        return;
    printf("%s  %dx%d  %zu %s\n", result->source, result->width, result->height, result->face_count,
           result->face_count == 1 ? "face" : "faces");
    for (size_t i = 0; i < result->face_count; i++) {
        const mien_face *face = &result->faces[i];
        printf("  %2zu  ", i + 1);
        if (face->has_expression)
            printf("%-12s %3.0f %%%s  ", mien_model_class_name(model, face->top),
                   100 * (double)face->confidence, face->unsure ? "  unsure" : "        ");
        printf("at %.0f,%.0f  %.0fx%.0f pixels\n", (double)face->x, (double)face->y,
               (double)face->width, (double)face->height);
    }
}

void output_begin(output_format format, const mien_model *model)
{
    if (format != OUTPUT_CSV)
        return;
    fputs("source,face", stdout);
    output_face_names(stdout, model);
}

bool output_picture(output_format format, const mien_model *model, const picture_result *result)
{
    if (format == OUTPUT_JSON)
        return print_json(model, result);
    if (format == OUTPUT_CSV)
        print_csv(model, result);
    else
        print_table(model, result);
    return true;
}
