/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/*
 * The gradients at the worst place nearby (Foret et al. 2021). With a momentum of 0 the statistics
 * of BatchNormalization, which moved with the first pass, stay.
 */
static void look_around(run *r, const train_batch *batch)
{
    learner_ascend(r->learner, run_stage(r)->sam_rho);
    train_network_forward(r->network, true, 0, r->seed, (uint64_t)r->state.step);
    run_loss(r, batch);
    train_network_backward(r->network);
    learner_descend(r->learner);
}

static void update(run *r)
{
    if (run_stage(r)->clip_norm > 0)
        learner_clip(r->learner, run_stage(r)->clip_norm);
    learner_update(r->learner, schedule_rate(&r->state.schedule, r->state.step), r->state.step + 1);
    r->state.step++;
}

void run_quantise(run *r)
{
    if (run_stage(r)->quantised)
        learner_quantise(r->learner);
}

void run_restore(run *r)
{
    if (run_stage(r)->quantised)
        learner_restore(r->learner);
}

mien_status run_learn(run *r, const train_batch *batch, int64_t step)
{
    size_t floats = prep_input_floats(&r->prep);
    memcpy(train_network_input(r->network), batch->inputs, batch->n * floats * sizeof(float));
    run_quantise(r);
    train_network_forward(r->network, true, r->recipe->norm_momentum, r->seed,
                          (uint64_t)r->state.step);
    double loss = run_loss(r, batch);
    mien_status status = train_network_check(r->network, r->error);
    if (status != MIEN_OK)
        return status;
    if (!isfinite(loss))
        return error_set(r->error, MIEN_LIMIT,
                         "the loss is no number any more in epoch %lld, step %lld: lower the rate",
                         (long long)r->state.epoch + 1, (long long)step + 1);
    r->epoch_loss += loss;
    train_network_backward(r->network);
    run_restore(r);
    if (run_stage(r)->sam_rho > 0)
        look_around(r, batch);
    run_move_centres(r, batch);
    update(r);
    return train_network_check(r->network, r->error);
}
