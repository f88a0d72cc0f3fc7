/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scoring.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What all threads share. */
typedef struct work {
    scoring *scoring;
    size_t classes;                          /* of the model */
    int class_of_label[DATASET_MAX_CLASSES]; /* the model's class, or -1: it has none */
    int *labels;                             /* (samples): -1 where the sample does not count */
    atomic_size_t next;                      /* the sample that is taken next */
    atomic_size_t no_face;
} work;

/* What one thread works with. */
typedef struct scorer {
    work *work;
    mien_analyzer *analyzer;
    mien_image mirrored;
    mien_error error;
    mien_status status;
    pthread_t thread;
    bool started;
} scorer;

static mien_status match_classes(work *w, mien_error *error)
{
    const dataset *set = w->scoring->set;
    const mien_model *model = w->scoring->model;
    int matched = 0;
    for (int label = 0; label < set->class_count; label++) {
        w->class_of_label[label] = -1;
        for (int c = 0; c < mien_model_class_count(model); c++)
            if (strcmp(set->class_names[label], mien_model_class_name(model, c)) == 0) {
                w->class_of_label[label] = c;
                matched++;
            }
    }
    if (matched == 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "the model has none of the classes of the set (the set's first is '%s', "
                         "the model's '%s')",
                         set->class_names[0], mien_model_class_name(model, 0));
    return MIEN_OK;
}

const mien_face *scoring_largest_face(const mien_face *faces, size_t count)
{
    const mien_face *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (best == NULL || faces[i].width * faces[i].height > best->width * best->height)
            best = &faces[i];
    return best;
}

/* Adds the probabilities of the picture's largest face. *found false: there is none. */
static mien_status add_probabilities(scorer *s, const mien_image *image, float *sums, bool *found)
{
    const mien_face *faces;
    size_t count;
    mien_status status = mien_analyzer_run(s->analyzer, image, &faces, &count, &s->error);
    if (status != MIEN_OK)
        return status;
    const mien_face *face = scoring_largest_face(faces, count);
    *found = face != NULL;
    for (size_t c = 0; face != NULL && c < s->work->classes; c++)
        sums[c] += face->probabilities[c];
    return MIEN_OK;
}

static mien_status mirror(scorer *s, const mien_image *image)
{
    mien_status status = MIEN_OK;
    if (s->mirrored.width != image->width || s->mirrored.height != image->height ||
        s->mirrored.format != image->format) {
        mien_image_free(&s->mirrored);
        status =
            mien_image_alloc(image->width, image->height, image->format, &s->mirrored, &s->error);
    }
    return status == MIEN_OK ? image_mirror(image, &s->mirrored, &s->error) : status;
}

/* Adds the mirror image's answer to that of the picture, which is kept apart first. */
static mien_status add_mirrored(scorer *s, const mien_image *image, float *sums, float *plain,
                                bool found, bool *found_mirrored)
{
    size_t classes = s->work->classes;
    memcpy(plain, sums, classes * sizeof *plain);
    mien_status status = mirror(s, image);
    if (status == MIEN_OK)
        status = add_probabilities(s, &s->mirrored, sums, found_mirrored);
    for (size_t c = 0; found && *found_mirrored && c < classes; c++)
        sums[c] /= 2;
    if (!found)
        memcpy(plain, sums, classes * sizeof *plain);
    return status;
}

static mien_status score_sample(scorer *s, size_t index)
{
    work *w = s->work;
    const scoring *to = w->scoring;
    const dataset_sample *sample = &to->set->samples[index];
    float *sums = to->probabilities + index * w->classes;
    bool found = false, found_mirrored = false;
    w->labels[index] = w->class_of_label[sample->label];
    if (w->labels[index] < 0)
        return MIEN_OK;
    mien_status status = add_probabilities(s, &sample->image, sums, &found);
    if (status == MIEN_OK && to->mirror)
        status = add_mirrored(s, &sample->image, sums, to->plain + index * w->classes, found,
                              &found_mirrored);
    if (!found && !found_mirrored && status == MIEN_OK) {
        w->labels[index] = -1;
        atomic_fetch_add(&w->no_face, 1);
    }
    return status;
}

static void *score_all(void *argument)
{
    scorer *s = argument;
    size_t index;
    while (s->status == MIEN_OK &&
           (index = atomic_fetch_add(&s->work->next, 1)) < s->work->scoring->set->count)
        s->status = score_sample(s, index);
    return NULL;
}

static mien_status run_scorers(work *w, scorer *scorers, mien_error *error)
{
    const scoring *to = w->scoring;
    mien_status status = MIEN_OK;
    for (int64_t i = 0; i < to->threads; i++) {
        scorers[i].work = w;
        status = mien_analyzer_create(to->model, to->detector, &scorers[i].analyzer, error);
        if (status != MIEN_OK)
            return status;
    }
    for (int64_t i = 1; i < to->threads; i++)
        scorers[i].started = pthread_create(&scorers[i].thread, NULL, score_all, &scorers[i]) == 0;
    score_all(&scorers[0]);
    for (int64_t i = 0; i < to->threads; i++) {
        if (scorers[i].started)
            pthread_join(scorers[i].thread, NULL);
        if (scorers[i].status != MIEN_OK && status == MIEN_OK) {
            status = scorers[i].status;
            *error = scorers[i].error;
        }
    }
    return status;
}

/* Moves the samples that count to the front. */
static void keep_counted(work *w)
{
    scoring *to = w->scoring;
    size_t bytes = w->classes * sizeof *to->probabilities;
    for (size_t i = 0; i < to->set->count; i++) {
        if (w->labels[i] < 0)
            continue;
        size_t kept = to->count++;
        to->labels[kept] = w->labels[i];
        to->samples[kept] = i;
        memmove(to->probabilities + kept * w->classes, to->probabilities + i * w->classes, bytes);
        if (to->plain != NULL)
            memmove(to->plain + kept * w->classes, to->plain + i * w->classes, bytes);
    }
    to->no_face = w->no_face;
    to->not_in_model = to->set->count - to->count - to->no_face;
}

static mien_status create_arrays(work *w, mien_error *error)
{
    scoring *to = w->scoring;
    size_t count = to->set->count, numbers;
    if (!size_multiply(count, w->classes, &numbers))
        return error_no_memory(error, "scores", SIZE_MAX);
    to->samples = memory_zeroed(count, sizeof *to->samples);
    to->labels = w->labels = memory_zeroed(count, sizeof *to->labels);
    to->probabilities = memory_zeroed(numbers, sizeof *to->probabilities);
    to->plain = to->mirror ? memory_zeroed(numbers, sizeof *to->plain) : NULL;
    if (to->samples == NULL || to->labels == NULL || to->probabilities == NULL ||
        (to->mirror && to->plain == NULL))
        return error_no_memory(error, "scores", numbers * sizeof *to->probabilities);
    return MIEN_OK;
}

mien_status scoring_run(scoring *s, mien_error *error)
{
    work w = {.scoring = s, .classes = (size_t)mien_model_class_count(s->model)};
    mien_status status = match_classes(&w, error);
    if (status == MIEN_OK)
        status = create_arrays(&w, error);
    if (status != MIEN_OK)
        return status;
    scorer *scorers = memory_zeroed((size_t)s->threads, sizeof *scorers);
    if (scorers == NULL)
        return error_no_memory(error, "threads", (size_t)s->threads * sizeof *scorers);
    status = run_scorers(&w, scorers, error);
    for (int64_t i = 0; i < s->threads; i++) {
        mien_analyzer_free(scorers[i].analyzer);
        mien_image_free(&scorers[i].mirrored);
    }
    free(scorers);
    if (status == MIEN_OK)
        keep_counted(&w);
    return status;
}

void scoring_free(scoring *s)
{
    free(s->samples);
    free(s->labels);
    free(s->probabilities);
    free(s->plain);
    s->samples = NULL;
    s->labels = NULL;
    s->probabilities = s->plain = NULL;
}
