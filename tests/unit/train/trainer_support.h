/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_TRAINER_SUPPORT_H
#define TESTS_TRAIN_TRAINER_SUPPORT_H

/* Whole training runs on small sets drawn here, each in a folder of its own. */

#include "sets.h"

#include "base/file.h"
#include "train/trainer.h"

#include <omp.h>
#include <unistd.h>

static dataset training, validation;
static char folder[64];

/* What runs get beside their recipe; tests that change it put it back. */
typedef struct train_extras {
    const train_backend *backend;
    const char *initial;
    const char *teachers[2];
    size_t teacher_count;
    int threads, workers;
    int64_t seed;
} train_extras;

static const train_extras plain_extras = {
    .backend = &train_backend_onednn, .threads = 1, .workers = 1, .seed = -1};
static train_extras extras;

static inline int make_sets(void **state)
{
    (void)state;
    omp_set_num_threads(1);
    training = set_make(280, 1);
    validation = set_make(70, 2);
    return 0;
}

static inline int free_sets(void **state)
{
    (void)state;
    set_free(&training);
    set_free(&validation);
    return 0;
}

static inline int make_folder(void **state)
{
    (void)state;
    extras = plain_extras;
    snprintf(folder, sizeof folder, "/tmp/mien-trainer-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

/* "<folder>/<run>/<name>" */
static inline const char *path_of(const char *run, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s/%s", folder, run, name);
    return path;
}

/* How a run went. */
typedef struct record {
    int epochs, steps;
    double first_loss, last_loss, best_score, least_rate;
} record;

static inline void note_step(void *context, const train_progress *p)
{
    record *r = context;
    r->steps++;
    assert_true(p->step >= 1 && p->step <= p->steps && p->epoch <= p->epochs);
}

static inline void note_epoch(void *context, const train_progress *p)
{
    record *r = context;
    if (r->epochs++ == 0)
        r->first_loss = p->loss;
    r->last_loss = p->loss;
    r->best_score = p->best_score;
    if (r->least_rate == 0 || p->rate < r->least_rate)
        r->least_rate = p->rate;
}

static char noted[512]; /* the last note of a run */

static inline void take_note(void *context, const char *text)
{
    (void)context;
    snprintf(noted, sizeof noted, "%s", text);
}

/* Runs a recipe in "<folder>/<run>"; stop_after 0: to its end. */
static inline mien_status train(const char *text, const char *run, int stop_after, record *r,
                                mien_error *error)
{
    char path[128];
    train_recipe recipe;
    snprintf(path, sizeof path, "%s/%s", folder, run);
    assert_ok(recipe_read(text, strlen(text), "recipe", &recipe, error), error);
    trainer_options options = {.training = &training,
                               .validation = &validation,
                               .recipe_text = text,
                               .folder = path,
                               .backend = extras.backend,
                               .threads = extras.threads,
                               .workers = extras.workers,
                               .initial = extras.initial,
                               .teachers = extras.teachers,
                               .teacher_count = extras.teacher_count,
                               .seed = extras.seed,
                               .resume = true,
                               .stop_after = stop_after,
                               .step_done = r != NULL ? note_step : NULL,
                               .epoch_done = r != NULL ? note_epoch : NULL,
                               .note = take_note,
                               .context = r};
    noted[0] = '\0';
    mien_status status = trainer_run(&recipe, &options, error);
    recipe_free(&recipe);
    return status;
}

static inline void train_well(const char *text, const char *run, int stop_after, record *r)
{
    mien_error error;
    *r = (record){0};
    assert_ok(train(text, run, stop_after, r, &error), &error);
}

static inline uint8_t *bytes_of(const char *run, const char *name, size_t *size)
{
    uint8_t *bytes;
    mien_error error;
    assert_ok(file_read(path_of(run, name), SIZE_MAX / 4, &bytes, size, &error), &error);
    return bytes;
}

static inline bool same_files(const char *run, const char *other, const char *name)
{
    size_t size, other_size;
    uint8_t *bytes = bytes_of(run, name, &size), *other_bytes = bytes_of(other, name, &other_size);
    bool same = size == other_size && memcmp(bytes, other_bytes, size) == 0;
    free(bytes);
    free(other_bytes);
    return same;
}

static inline int lines_of(const char *run, const char *name)
{
    size_t size;
    uint8_t *bytes = bytes_of(run, name, &size);
    int lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    free(bytes);
    return lines;
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

#endif
