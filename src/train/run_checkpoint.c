/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>

/* ---- Which run this is ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return checkpoint_hash(hash, text, strlen(text) + 1);
}

static uint64_t hash_sample(uint64_t hash, const dataset *set, const dataset_sample *sample)
{
    const mien_image *image = &sample->image;
    const int numbers[4] = {sample->label, image->width, image->height, (int)image->format};
    hash = checkpoint_hash(hash, numbers, sizeof numbers);
    hash = checkpoint_hash(hash, &sample->face, sizeof sample->face);
    if (sample->votes != NULL)
        hash =
            checkpoint_hash(hash, sample->votes, (size_t)set->class_count * sizeof *sample->votes);
    size_t line = (size_t)image->width * (size_t)mien_pixel_size(image->format);
    for (int y = 0; y < image->height; y++)
        hash = checkpoint_hash(hash, image_row(image, y), line);
    return hash;
}

static uint64_t hash_set(uint64_t hash, const dataset *set)
{
    hash = checkpoint_hash(hash, &set->count, sizeof set->count);
    for (int c = 0; c < set->class_count; c++)
        hash = hash_text(hash, set->class_names[c]);
    for (size_t i = 0; i < set->count; i++)
        hash = hash_sample(hash, set, &set->samples[i]);
    return hash;
}

uint64_t run_identify(const run *r)
{
    const trainer_options *o = r->options;
    uint64_t hash = hash_text(CHECKPOINT_HASH_START, o->recipe_text);
    hash = checkpoint_hash(hash, &r->seed, sizeof r->seed);
    hash = hash_text(hash, o->backend->name);
    hash = checkpoint_hash(hash, &o->threads, sizeof o->threads);
    hash = hash_set(hash, o->training);
    hash = hash_set(hash, o->validation);
    if (r->initial.bytes != NULL)
        hash = checkpoint_hash(hash, r->initial.bytes, r->initial.size);
    for (size_t t = 0; t < o->teacher_count; t++)
        hash = checkpoint_hash(hash, r->teachers[t].bytes, r->teachers[t].size);
    return hash;
}

/* ---- Its numbers ---- */

/* checkpoint_write or checkpoint_read. */
typedef mien_status (*checkpoint_way)(const char *path, uint64_t identity,
                                      const checkpoint_array *arrays, size_t count,
                                      mien_error *error);

/* Every array of the run, in a fixed order: its state, those of the loan, the centres. */
static mien_status go_over_arrays(run *r, const learner_loan *loan, checkpoint_way way)
{
    char path[RUN_PATH_SIZE];
    checkpoint_array *arrays = memory_zeroed(loan->count + 2, sizeof *arrays);
    size_t count = 0;
    if (arrays == NULL)
        return error_no_memory(r->error, "a checkpoint", (loan->count + 2) * sizeof *arrays);
    arrays[count++] = (checkpoint_array){&r->state, sizeof r->state};
    for (size_t i = 0; i < loan->count; i++)
        arrays[count++] =
            (checkpoint_array){loan->arrays[i], loan->counts[i] * sizeof *loan->arrays[i]};
    if (r->centres.centres != NULL)
        arrays[count++] = (checkpoint_array){
            r->centres.centres, (size_t)r->centres.classes * r->centres.dims * sizeof(float)};
    run_path(r, "checkpoint.bin", path);
    mien_status status = way(path, r->identity, arrays, count, r->error);
    free(arrays);
    return status;
}

mien_status run_save_checkpoint(run *r)
{
    learner_loan loan;
    mien_status status = learner_lend(r->learner, &loan, r->error);
    if (status != MIEN_OK)
        return status;
    status = train_network_check(r->network, r->error);
    if (status == MIEN_OK)
        status = go_over_arrays(r, &loan, checkpoint_write);
    learner_return(r->learner, &loan, false);
    return status;
}

static mien_status read_checkpoint(run *r)
{
    learner_loan loan;
    mien_status status = learner_lend(r->learner, &loan, r->error);
    if (status != MIEN_OK)
        return status;
    status = go_over_arrays(r, &loan, checkpoint_read);
    learner_return(r->learner, &loan, status == MIEN_OK);
    return status;
}

/* Which stage a checkpoint stands in decides how long it is: they are tried from the last one. */
mien_status run_load_checkpoint(run *r, bool *loaded)
{
    char path[RUN_PATH_SIZE];
    run_path(r, "checkpoint.bin", path);
    *loaded = false;
    if (!r->options->resume || !file_exists(path))
        return MIEN_OK;
    mien_status status = MIEN_MALFORMED;
    for (int stage = r->recipe->stage_count; status == MIEN_MALFORMED && stage-- > 0;) {
        r->state = (run_state){.stage = stage, .best_score = -1};
        status = run_begin_stage(r);
        if (status != MIEN_OK)
            return status;
        status = read_checkpoint(r);
        if (status == MIEN_OK && r->state.stage != stage)
            status = MIEN_MALFORMED;
    }
    *loaded = status == MIEN_OK;
    return status;
}
