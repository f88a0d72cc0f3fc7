/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "mien.faces/1"

/* ---- JSON Lines ---- */

static json_t *rounded(float value, double step)
{
    double scaled = (double)value / step;
    return json_real((double)(long long)(scaled + (scaled < 0 ? -0.5 : 0.5)) * step);
}

static json_t *json_of_box(const mien_face *face)
{
    return json_pack("[o, o, o, o]", rounded(face->x, 0.01), rounded(face->y, 0.01),
                     rounded(face->width, 0.01), rounded(face->height, 0.01));
}

static void add_landmarks(json_t *object, const mien_face *face)
{
    json_t *points = json_array();
    for (int i = 0; i < 5; i++)
        json_array_append_new(points, json_pack("[o, o]", rounded(face->landmarks[i][0], 0.01),
                                                rounded(face->landmarks[i][1], 0.01)));
    json_object_set_new(object, "landmarks", points);
}

static void add_expression(json_t *object, const mien_model *model, const mien_face *face)
{
    json_t *probabilities = json_object();
    for (int c = 0; c < mien_model_class_count(model); c++)
        json_object_set_new(probabilities, mien_model_class_name(model, c),
                            rounded(face->probabilities[c], 1e-6));
    json_object_set_new(object, "expression", json_string(mien_model_class_name(model, face->top)));
    json_object_set_new(object, "confidence", rounded(face->confidence, 1e-6));
    json_object_set_new(object, "unsure", json_boolean(face->unsure));
    json_object_set_new(object, "probabilities", probabilities);
}

static json_t *json_of_face(const mien_model *model, const mien_face *face)
{
    json_t *object = json_object();
    json_object_set_new(object, "box", json_of_box(face));
    json_object_set_new(object, "detection_score", rounded(face->detection_score, 1e-4));
    if (face->has_landmarks)
        add_landmarks(object, face);
    if (face->has_expression)
        add_expression(object, model, face);
    return object;
}

/* File names need not be UTF-8; JSON text must be: bytes that are not become '?'. */
static json_t *json_of_name(const char *name)
{
    json_t *text = json_string(name);
    if (text != NULL)
        return text;
    char *copy = strdup(name);
    for (char *c = copy; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    text = copy != NULL ? json_string(copy) : NULL;
    free(copy);
    return text;
}

static json_t *json_of_picture(const mien_model *model, const picture_result *result)
{
    json_t *object = json_object();
    json_object_set_new(object, "schema", json_string(SCHEMA));
    json_object_set_new(object, "source", json_of_name(result->source));
    if (result->status != MIEN_OK) {
        json_object_set_new(object, "error",
                            json_pack("{s:s, s:o}", "status", mien_status_name(result->status),
                                      "message", json_of_name(result->error.message)));
        return object;
    }
    json_object_set_new(object, "width", json_integer(result->width));
    json_object_set_new(object, "height", json_integer(result->height));
    json_t *faces = json_array();
    for (size_t i = 0; i < result->face_count; i++)
        json_array_append_new(faces, json_of_face(model, &result->faces[i]));
    json_object_set_new(object, "faces", faces);
    return object;
}

static bool print_json(const mien_model *model, const picture_result *result)
{
    json_t *object = json_of_picture(model, result);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (text == NULL)
        return false;
    puts(text);
    free(text);
    return true;
}

/* ---- CSV (RFC 4180) ---- */

static void print_field(const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_csv(const mien_model *model, const picture_result *result)
{
    for (size_t i = 0; i < result->face_count; i++) {
        const mien_face *face = &result->faces[i];
        print_field(result->source);
        printf(",%zu,%.2f,%.2f,%.2f,%.2f,%.4f", i + 1, (double)face->x, (double)face->y,
               (double)face->width, (double)face->height, (double)face->detection_score);
        if (face->has_expression) {
            putchar(',');
            print_field(mien_model_class_name(model, face->top));
            printf(",%.6f,%s", (double)face->confidence, face->unsure ? "true" : "false");
            for (int c = 0; c < mien_model_class_count(model); c++)
                printf(",%.6f", (double)face->probabilities[c]);
        }
        putchar('\n');
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
    fputs("source,face,x,y,width,height,detection_score", stdout);
    if (model != NULL) {
        fputs(",expression,confidence,unsure", stdout);
        for (int c = 0; c < mien_model_class_count(model); c++) {
            putchar(',');
            print_field(mien_model_class_name(model, c));
        }
    }
    putchar('\n');
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
