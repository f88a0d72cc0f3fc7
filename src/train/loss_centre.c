/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/memory.h"
#include "data/nearest.h"
#include "train/loss_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

mien_status loss_centres_create(int classes, size_t dims, loss_centres *centres, mien_error *error)
{
    *centres = (loss_centres){0};
    if (classes < 1 || dims < 1)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "centres of %d classes in %zu dimensions: there must be one of each",
                         classes, dims);
    size_t count;
    if (!size_multiply((size_t)classes, dims, &count) || count > SIZE_MAX / sizeof(float))
        return error_no_memory(error, "the centres of the classes", UINT64_MAX);
    loss_centres made = {classes, dims, memory_zeroed(count, sizeof(float)),
                         memory_zeroed(count, sizeof(float))};
    if (made.centres == NULL || made.moved == NULL) {
        loss_centres_free(&made);
        return error_no_memory(error, "the centres of the classes", count * sizeof(float));
    }
    *centres = made;
    return MIEN_OK;
}

void loss_centres_free(loss_centres *centres)
{
    free(centres->centres);
    free(centres->moved);
    *centres = (loss_centres){0};
}

static const float *centre_of(const loss_centres *centres, int j)
{
    return centres->centres + (size_t)j * centres->dims;
}

/* ---- Centre loss ---- */

double loss_centre(const loss_targets *targets, const float *features, const loss_centres *centres,
                   float factor, float *gradient)
{
    size_t dims = centres->dims;
    double total = loss_batch_weight(targets), loss = 0;
    if (!(total > 0))
        return 0;
    for (size_t i = 0; i < targets->n; i++) {
        double part = (double)factor * loss_weight(targets, i) / total;
        const float *x = features + i * dims, *centre = centre_of(centres, targets->labels[i]);
        loss += part * nearest_square_distance(x, centre, dims) / 2;
        for (size_t d = 0; d < dims && gradient != NULL; d++)
            gradient[i * dims + d] += (float)(part * ((double)x[d] - (double)centre[d]));
    }
    return loss;
}

static void move_to_samples(loss_centres *centres, const loss_targets *targets,
                            const float *features, float alpha)
{
    size_t dims = centres->dims;
    for (int j = 0; j < centres->classes; j++) {
        const float *centre = centre_of(centres, j);
        float *moved = centres->moved + (size_t)j * dims;
        double count = (double)loss_class_count(targets, j);
        for (size_t d = 0; d < dims; d++) {
            double pull = 0;
            for (size_t i = 0; i < targets->n; i++)
                if (targets->labels[i] == j)
                    pull += (double)centre[d] - (double)features[i * dims + d];
            moved[d] = (float)((double)centre[d] - (double)alpha * pull / (1 + count));
        }
    }
}

static void take_moved(loss_centres *centres)
{
    memcpy(centres->centres, centres->moved,
           (size_t)centres->classes * centres->dims * sizeof *centres->centres);
}

void loss_centres_update(loss_centres *centres, const loss_targets *targets, const float *features,
                         float alpha)
{
    move_to_samples(centres, targets, features, alpha);
    take_moved(centres);
}

/* ---- Island loss ---- */

static double dot(const float *a, const float *b, size_t dims)
{
    double sum = 0;
    for (size_t d = 0; d < dims; d++)
        sum += (double)a[d] * (double)b[d];
    return sum;
}

static double cosine_between(const float *a, const float *b, size_t dims)
{
    double lengths = sqrt(dot(a, a, dims)) * sqrt(dot(b, b, dims));
    return lengths > 0 ? dot(a, b, dims) / lengths : 0;
}

double loss_island(const loss_targets *targets, const float *features, const loss_centres *centres,
                   float lambda1, float factor, float *gradient)
{
    double pairs = 0;
    for (int j = 0; j < centres->classes; j++)
        for (int k = 0; k < j; k++)
            pairs +=
                2 *
                (cosine_between(centre_of(centres, j), centre_of(centres, k), centres->dims) + 1);
    return loss_centre(targets, features, centres, factor, gradient) +
           (double)factor * (double)lambda1 * pairs;
}

/* Moves centre j against the gradient of cos(c_j, c_k), by a rate. */
static void move_apart(loss_centres *centres, int j, int k, double rate)
{
    size_t dims = centres->dims;
    const float *own = centre_of(centres, j), *other = centre_of(centres, k);
    double own_square = dot(own, own, dims);
    double lengths = sqrt(own_square) * sqrt(dot(other, other, dims));
    if (!(lengths > 0))
        return;
    double along_own = dot(own, other, dims) / lengths / own_square;
    float *moved = centres->moved + (size_t)j * dims;
    for (size_t d = 0; d < dims; d++)
        moved[d] -= (float)(rate * ((double)other[d] / lengths - along_own * (double)own[d]));
}

void loss_island_update(loss_centres *centres, const loss_targets *targets, const float *features,
                        float lambda1, float alpha)
{
    move_to_samples(centres, targets, features, alpha);
    double rate = (double)alpha * (double)lambda1 / (double)(centres->classes - 1);
    for (int j = 0; j < centres->classes; j++)
        for (int k = 0; k < centres->classes; k++)
            if (k != j)
                move_apart(centres, j, k, rate);
    take_moved(centres);
}
