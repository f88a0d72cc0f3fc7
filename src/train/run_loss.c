/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

static loss_targets targets_of(const run *r, const train_batch *batch)
{
    return (loss_targets){.n = batch->n,
                          .classes = run_classes(r),
                          .labels = batch->labels,
                          .shares = batch->shares,
                          .weights = r->class_weights};
}

static double loss_on_logits(run *r, const loss_targets *targets, const float *teacher)
{
    const recipe_stage *stage = run_stage(r);
    const float *logits = train_network_output(r->network, RUN_LOGITS);
    float *gradient = train_network_output_gradient(r->network, RUN_LOGITS);
    float hard = 1 - stage->distill_weight;
    double loss = stage->loss == RECIPE_FOCAL
                      ? loss_focal(targets, logits, stage->focal_gamma, hard, gradient)
                      : loss_softmax(targets, logits, stage->smoothing, hard, gradient);
    if (teacher != NULL)
        loss += loss_distill(targets, logits, teacher, stage->distill_temperature,
                             stage->distill_weight, gradient);
    return loss;
}

static double loss_on_features(run *r, const loss_targets *targets)
{
    const recipe_stage *stage = run_stage(r);
    const float *features = train_network_output(r->network, RUN_FEATURES);
    float *gradient = train_network_output_gradient(r->network, RUN_FEATURES);
    nn_shape shape = train_tape_shape(run_tape(r), train_tape_output(run_tape(r), "features"));
    size_t dims = (size_t)shape.dims[1];
    double loss = 0;
    if (stage->centre_weight > 0)
        loss += loss_centre(targets, features, &r->centres, stage->centre_weight, gradient);
    if (stage->island_weight > 0)
        loss += loss_island(targets, features, &r->centres, stage->island_lambda,
                            stage->island_weight, gradient);
    if (stage->locality_weight > 0)
        loss += loss_locality(targets, features, dims, stage->locality_neighbours,
                              stage->locality_weight, gradient);
    if (stage->triplet_weight > 0)
        loss += loss_triplet(targets, features, dims, stage->triplet_margin, stage->triplet_weight,
                             gradient);
    if (stage->tuplet_weight > 0)
        loss += loss_tuplet_cluster(targets, features, dims, stage->tuplet_margin,
                                    stage->tuplet_weight, gradient, r->tuplet_centre);
    return loss;
}

double run_loss(run *r, const train_batch *batch)
{
    loss_targets targets = targets_of(r, batch);
    double loss = loss_on_logits(r, &targets, batch->teacher);
    return recipe_uses_features(run_stage(r)) ? loss + loss_on_features(r, &targets) : loss;
}

void run_move_centres(run *r, const train_batch *batch)
{
    const recipe_stage *stage = run_stage(r);
    if (r->centres.centres == NULL)
        return;
    loss_targets targets = targets_of(r, batch);
    const float *features = train_network_output(r->network, RUN_FEATURES);
    if (stage->island_weight > 0)
        loss_island_update(&r->centres, &targets, features, stage->island_lambda,
                           stage->centre_rate);
    else
        loss_centres_update(&r->centres, &targets, features, stage->centre_rate);
}
