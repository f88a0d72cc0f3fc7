/* SPDX-License-Identifier: Apache-2.0 */
#include "live/session_faces.h"

#include "live/saved_run.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pictures of a person, and of a page, however many people there are. */
enum { MOST_OF_A_PERSON = 6, MOST_OF_A_PAGE = 300 };

/* Of a person, that cannot be read: then no more are tried. */
enum { MOST_BAD = 24 };

enum { SIDE = 112 }; /* the longer one of a small picture, pixels */

/* ---- Candidates ---- */

static bool is_known_person(const store_record *record, int64_t id)
{
    for (size_t i = 0; i < record->person_count; i++)
        if (record->people[i].id == id)
            return true;
    return false;
}

/* -1: the model has no such class. The picture's may be cut off. */
static int class_of(const timeline *line, const saved_picture *picture)
{
    for (int c = 0; c < line->class_count; c++)
        if (strncmp(line->class_names[c], picture->expression, sizeof picture->expression - 1) == 0)
            return c;
    return -1;
}

static int by_person_and_time(const void *a, const void *b)
{
    const picture_choice *first = a, *second = b;
    if (first->person != second->person)
        return first->person < second->person ? -1 : 1;
    return (first->time_s > second->time_s) - (first->time_s < second->time_s);
}

/* The pictures of known people that a row tells of; tag is their place in the run. (run->count) */
static size_t list_choices(const store_record *record, const saved_run *run,
                           picture_choice *choices)
{
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        const saved_picture *picture = &run->pictures[i];
        int class_index = class_of(&record->timeline, picture);
        if (picture->has_row && class_index >= 0 && is_known_person(record, picture->person))
            choices[count++] = (picture_choice){.person = picture->person,
                                                .time_s = picture->time_s,
                                                .class_index = class_index,
                                                .tag = i};
    }
    if (count > 1)
        qsort(choices, count, sizeof *choices, by_person_and_time);
    return count;
}

/* How many of the choices from the first on are the same person's. */
static size_t count_same(const picture_choice *choices, size_t count)
{
    size_t same = 1;
    while (same < count && choices[same].person == choices[0].person)
        same++;
    return same;
}

/* So that a page of many people does not grow without bound. */
static size_t most_of_each(const picture_choice *choices, size_t count)
{
    size_t people = 0;
    for (size_t i = 0; i < count; i += count_same(choices + i, count - i))
        people++;
    size_t each = people > 0 ? MOST_OF_A_PAGE / people : MOST_OF_A_PERSON;
    return each < 1 ? 1 : each > MOST_OF_A_PERSON ? MOST_OF_A_PERSON : each;
}

/* ---- Reading ---- */

static int scaled(int side, double scale)
{
    return (int)fmax(round(side * scale), 1);
}

/* Small ones stay as they are. Takes the picture over. */
static mien_status make_small(mien_image *image, mien_image *out, mien_error *error)
{
    double scale = (double)SIDE / (image->width > image->height ? image->width : image->height);
    if (scale >= 1) {
        *out = *image;
        return MIEN_OK;
    }
    mien_status status = mien_image_alloc(scaled(image->width, scale), scaled(image->height, scale),
                                          image->format, out, error);
    if (status == MIEN_OK)
        status = image_resize(image, out, IMAGE_FILTER_AREA, error);
    if (status != MIEN_OK)
        mien_image_free(out);
    mien_image_free(image);
    return status;
}

static mien_status read_small(const saved_run *run, const picture_choice *choice, mien_image *out,
                              mien_error *error)
{
    mien_image image;
    mien_status status = saved_run_load(run, &run->pictures[choice->tag], &image, error);
    return status == MIEN_OK ? make_small(&image, out, error) : status;
}

/* Reads a picture into the list. *good: it could be read; else it is counted. */
static mien_status take_choice(const saved_run *run, picture_choice *choice, session_pictures *out,
                               bool *good, mien_error *error)
{
    session_picture picture = {choice->person, choice->time_s, choice->class_index, {0}};
    mien_status status = read_small(run, choice, &picture.image, error);
    if (status == MIEN_OUT_OF_MEMORY)
        return status;
    *good = status == MIEN_OK;
    choice->passed = true;
    out->unreadable += !*good;
    if (*good)
        out->images[out->count++] = picture;
    return MIEN_OK;
}

static int by_time(const void *a, const void *b)
{
    const session_picture *first = a, *second = b;
    return (first->time_s > second->time_s) - (first->time_s < second->time_s);
}

/* choices: one person's. The list has room. */
static mien_status take_person(const saved_run *run, picture_choice *choices, size_t count,
                               session_pictures *out, mien_error *error)
{
    size_t shown[MOST_OF_A_PERSON], shown_count = 0, first = out->count, bad = 0;
    mien_status status = MIEN_OK;
    while (shown_count < out->of_a_person && out->count < MOST_OF_A_PAGE && bad < MOST_BAD) {
        bool good = false;
        size_t next = picture_choose(choices, count, shown, shown_count);
        if (next < count)
            status = take_choice(run, &choices[next], out, &good, error);
        if (next == count || status != MIEN_OK)
            break;
        if (good)
            shown[shown_count++] = next;
        bad += !good;
    }
    if (shown_count > 1)
        qsort(out->images + first, shown_count, sizeof *out->images, by_time);
    return status;
}

static mien_status take_people(const store_record *record, const saved_run *run,
                               session_pictures *out, mien_error *error)
{
    picture_choice *choices = memory_zeroed(run->count, sizeof *choices);
    out->images = memory_zeroed(MOST_OF_A_PAGE, sizeof *out->images);
    mien_status status = MIEN_OK;
    if (choices == NULL || out->images == NULL) {
        status = error_no_memory(error, "the pictures of a page", run->count * sizeof *choices);
    } else {
        size_t count = list_choices(record, run, choices), same;
        out->of_a_person = most_of_each(choices, count);
        for (size_t i = 0; status == MIEN_OK && i < count; i += same) {
            same = count_same(choices + i, count - i);
            status = take_person(run, choices + i, same, out, error);
        }
    }
    free(choices);
    return status;
}

mien_status session_faces_read(const store_record *record, session_pictures *out, mien_error *error)
{
    const char *where = record->session.pictures;
    saved_run run;
    *out = (session_pictures){0};
    if (where[0] == '\0')
        return MIEN_OK;
    mien_status status = saved_run_open(where, &run, error);
    if (status != MIEN_OK)
        return status;
    status = saved_run_read_tables(&run, &out->gone, error);
    out->folder = memory_copy_string(run.folder);
    if (status == MIEN_OK && out->folder == NULL)
        status = error_no_memory(error, "the name of a folder", strlen(run.folder));
    out->is_there = run.is_there;
    out->saved = run.count;
    if (status == MIEN_OK)
        status = take_people(record, &run, out, error);
    saved_run_close(&run);
    if (status != MIEN_OK)
        session_faces_free(out);
    return status;
}

void session_faces_free(session_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++)
        mien_image_free(&pictures->images[i].image);
    free(pictures->images);
    free(pictures->folder);
    *pictures = (session_pictures){0};
}
