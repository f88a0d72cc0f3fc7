/* SPDX-License-Identifier: Apache-2.0 */
#include "data/nearest.h"
#include "train/loss_parts.h"

#include <math.h>
#include <string.h>

/* "No such sample." */
static const size_t none = SIZE_MAX;

/* ---- Locality-preserving loss ---- */

static void find_neighbours(const loss_targets *targets, const float *features, size_t dims,
                            size_t i, nearest_list *near)
{
    near->count = 0;
    for (size_t j = 0; j < targets->n; j++)
        if (j != i && targets->labels[j] == targets->labels[i])
            nearest_offer(near, j,
                          nearest_square_distance(features + i * dims, features + j * dims, dims));
}

static double locality_sample(const float *features, size_t dims, size_t i,
                              const nearest_list *near, double part, float *gradient)
{
    double loss = 0;
    for (size_t d = 0; d < dims; d++) {
        double mean = 0;
        for (size_t m = 0; m < near->count; m++)
            mean += (double)features[near->index[m] * dims + d];
        double difference = (double)features[i * dims + d] - mean / (double)near->count;
        loss += difference * difference / 2;
        if (gradient != NULL)
            gradient[i * dims + d] += (float)(part * difference);
    }
    return part * loss;
}

double loss_locality(const loss_targets *targets, const float *features, size_t dims, int k,
                     float factor, float *gradient)
{
    double total = loss_batch_weight(targets), loss = 0;
    if (!(total > 0) || k < 1)
        return 0;
    size_t index[LOSS_MOST_NEIGHBOURS];
    double distance[LOSS_MOST_NEIGHBOURS];
    nearest_list near = {index, distance, 0,
                         k < LOSS_MOST_NEIGHBOURS ? (size_t)k : LOSS_MOST_NEIGHBOURS};
    for (size_t i = 0; i < targets->n; i++) {
        find_neighbours(targets, features, dims, i, &near);
        if (near.count != 0)
            loss += locality_sample(features, dims, i, &near,
                                    (double)factor * loss_weight(targets, i) / total, gradient);
    }
    return loss;
}

/* ---- Triplet loss ---- */

/* gradient of row i += 2 part (a - b) */
static void add_difference(float *gradient, size_t i, size_t dims, double part, const float *a,
                           const float *b)
{
    for (size_t d = 0; d < dims; d++)
        gradient[i * dims + d] += (float)(2 * part * ((double)a[d] - (double)b[d]));
}

typedef struct triplet {
    size_t positive, negative; /* none: there is none */
    double positive_distance, negative_distance;
} triplet;

static triplet hardest(const loss_targets *targets, const float *features, size_t dims, size_t i)
{
    triplet found = {none, none, 0, 0};
    for (size_t j = 0; j < targets->n; j++) {
        if (j == i)
            continue;
        double distance = nearest_square_distance(features + i * dims, features + j * dims, dims);
        if (targets->labels[j] == targets->labels[i]) {
            if (found.positive == none || distance > found.positive_distance) {
                found.positive = j;
                found.positive_distance = distance;
            }
        } else if (found.negative == none || distance < found.negative_distance) {
            found.negative = j;
            found.negative_distance = distance;
        }
    }
    return found;
}

/* Whether a sample's class has another sample in the batch, and the batch another class. */
static bool has_both(const loss_targets *targets, int label)
{
    size_t count = loss_class_count(targets, label);
    return count >= 2 && count < targets->n;
}

static double weight_of_those_with_both(const loss_targets *targets)
{
    double sum = 0;
    for (size_t i = 0; i < targets->n; i++)
        if (has_both(targets, targets->labels[i]))
            sum += loss_weight(targets, i);
    return sum;
}

double loss_triplet(const loss_targets *targets, const float *features, size_t dims, float margin,
                    float factor, float *gradient)
{
    double total = weight_of_those_with_both(targets), loss = 0;
    if (!(total > 0))
        return 0;
    for (size_t i = 0; i < targets->n; i++) {
        triplet t = hardest(targets, features, dims, i);
        if (t.positive == none || t.negative == none)
            continue;
        double excess = t.positive_distance - t.negative_distance + (double)margin;
        if (!(excess > 0))
            continue;
        double part = (double)factor * loss_weight(targets, i) / total;
        loss += part * excess;
        if (gradient == NULL)
            continue;
        const float *x = features + i * dims;
        const float *positive = features + t.positive * dims;
        const float *negative = features + t.negative * dims;
        add_difference(gradient, i, dims, part, negative, positive);
        add_difference(gradient, t.positive, dims, part, positive, x);
        add_difference(gradient, t.negative, dims, part, x, negative);
    }
    return loss;
}

/* ---- (N+M)-tuplet cluster loss ---- */

static void set_centre(const loss_targets *targets, const float *features, size_t dims, int label,
                       double *centre)
{
    double count = (double)loss_class_count(targets, label);
    memset(centre, 0, dims * sizeof *centre);
    for (size_t i = 0; i < targets->n; i++)
        for (size_t d = 0; d < dims && targets->labels[i] == label; d++)
            centre[d] += (double)features[i * dims + d];
    for (size_t d = 0; d < dims; d++)
        centre[d] /= count;
}

static double distance_to(const double *centre, const float *x, size_t dims)
{
    double sum = 0;
    for (size_t d = 0; d < dims; d++) {
        double difference = (double)x[d] - centre[d];
        sum += difference * difference;
    }
    return sum;
}

static size_t nearest_negative(const loss_targets *targets, const float *features, size_t dims,
                               int label, const double *centre, double *distance)
{
    size_t nearest = none;
    for (size_t i = 0; i < targets->n; i++) {
        if (targets->labels[i] == label)
            continue;
        double other = distance_to(centre, features + i * dims, dims);
        if (nearest == none || other < *distance) {
            nearest = i;
            *distance = other;
        }
    }
    return nearest;
}

/* gradient of row i += 2 part (x_i - centre) */
static void add_from_centre(float *gradient, const float *features, size_t i, size_t dims,
                            double part, const double *centre)
{
    for (size_t d = 0; d < dims && gradient != NULL; d++)
        gradient[i * dims + d] += (float)(2 * part * ((double)features[i * dims + d] - centre[d]));
}

static double cluster(const loss_targets *targets, const float *features, size_t dims, int label,
                      double margin, double scale, float *gradient, double *centre)
{
    double reference = 0, loss = 0, pushed = 0;
    set_centre(targets, features, dims, label, centre);
    size_t negative = nearest_negative(targets, features, dims, label, centre, &reference);
    for (size_t i = 0; i < targets->n; i++) {
        if (targets->labels[i] != label)
            continue;
        double excess = distance_to(centre, features + i * dims, dims) - reference + margin;
        if (!(excess > 0))
            continue;
        double part = scale * loss_weight(targets, i);
        loss += part * excess;
        pushed += part;
        add_from_centre(gradient, features, i, dims, part, centre);
    }
    add_from_centre(gradient, features, negative, dims, -pushed, centre);
    return loss;
}

double loss_tuplet_cluster(const loss_targets *targets, const float *features, size_t dims,
                           float margin, float factor, float *gradient, double *centre)
{
    double total = weight_of_those_with_both(targets), loss = 0;
    if (!(total > 0))
        return 0;
    for (int label = 0; label < targets->classes; label++)
        if (has_both(targets, label))
            loss += cluster(targets, features, dims, label, (double)margin, (double)factor / total,
                            gradient, centre);
    return loss;
}
