/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include "eval/figures.h"

#include <string.h>

/* ---- Validation ---- */

static mien_status fill_input(run *r, size_t first, size_t n)
{
    size_t floats = prep_input_floats(&r->prep);
    float *input = train_network_input(r->network);
    mien_status status = MIEN_OK;
    for (size_t i = 0; status == MIEN_OK && i < n; i++) {
        const dataset_sample *sample = &r->options->validation->samples[first + i];
        prep_face face = {.box = dataset_face(sample)};
        status =
            prep_fill(&r->prep, &sample->image, &face, &r->scratch, input + i * floats, r->error);
    }
    return status;
}

static mien_status score_network(run *r, double *score, double *loss)
{
    const dataset *set = r->options->validation;
    size_t batch = (size_t)run_stage(r)->batch, right = 0;
    *loss = 0;
    for (size_t first = 0; first < set->count; first += batch) {
        size_t n = set->count - first < batch ? set->count - first : batch;
        mien_status status = fill_input(r, first, n);
        if (status != MIEN_OK)
            return status;
        train_network_forward(r->network, false, 0, 0, 0);
        status = train_network_check(r->network, r->error);
        if (status != MIEN_OK)
            return status;
        const float *logits = train_network_output(r->network, RUN_LOGITS);
        for (size_t i = 0; i < n; i++) {
            int label = set->samples[first + i].label;
            loss_targets one = {.n = 1, .classes = run_classes(r), .labels = &label};
            const float *row = logits + i * (size_t)run_classes(r);
            right += eval_argmax(row, run_classes(r)) == label;
            *loss += loss_softmax(&one, row, 0, 1, NULL);
        }
    }
    *score = (double)right / (double)set->count;
    *loss /= (double)set->count;
    return MIEN_OK;
}

mien_status run_score(run *r, double *score, double *loss)
{
    run_quantise(r);
    mien_status status = score_network(r, score, loss);
    run_restore(r);
    return status;
}

/* ---- Settling ---- */

static void clear_statistics(run *r)
{
    for (size_t p = 0; p < run_tape(r)->parameter_count; p++) {
        const train_parameter *parameter = &run_tape(r)->parameters[p];
        if (parameter->statistic && !parameter->frozen)
            train_network_clear_values(r->network, p);
    }
}

/* The k-th batch (0..) counts by 1 / (k + 1), which gives the mean of all. */
static mien_status add_batches(run *r, batch_maker *maker)
{
    const train_batch *batch;
    int64_t per_epoch = batch_maker_per_epoch(maker);
    size_t floats = prep_input_floats(&r->prep);
    mien_status status = MIEN_OK;
    for (int64_t k = 0; status == MIEN_OK && k < run_stage(r)->settle; k++) {
        if (k % per_epoch == 0)
            status = batch_maker_begin(maker, r->state.epoch + k / per_epoch, r->error);
        if (status == MIEN_OK)
            status = batch_maker_next(maker, &batch, r->error);
        if (status != MIEN_OK)
            break;
        memcpy(train_network_input(r->network), batch->inputs, batch->n * floats * sizeof(float));
        train_network_forward(r->network, true, 1 / (float)(k + 1), r->seed, (uint64_t)k);
        status = train_network_check(r->network, r->error);
    }
    return status;
}

mien_status run_settle(run *r)
{
    batch_settings settings = run_batches(r);
    batch_maker *maker;
    settings.mixup = settings.cutmix = 0; /* the model will not see mixed pictures */
    mien_status status = batch_maker_create(&settings, &maker, r->error);
    if (status != MIEN_OK)
        return status;
    clear_statistics(r);
    run_quantise(r);
    status = add_batches(r, maker);
    run_restore(r);
    batch_maker_free(maker);
    return status;
}
