/* SPDX-License-Identifier: Apache-2.0 */
#include "data/sampler.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

#include <stdlib.h>

static void shuffle(size_t *order, size_t n, random_state *random)
{
    for (size_t left = n; left > 1; left--) {
        size_t drawn = (size_t)random_below(random, left), kept = order[left - 1];
        order[left - 1] = order[drawn];
        order[drawn] = kept;
    }
}

static mien_status check_labels(const int *labels, size_t n, int classes, mien_error *error)
{
    for (size_t i = 0; i < n; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return error_set(error, MIEN_INVALID_ARGUMENT,
                             "sample %zu has the label %d; there are %d classes", i, labels[i],
                             classes);
    return MIEN_OK;
}

/* Samples of class c lie at grouped[starts[c]]..grouped[starts[c + 1] - 1]. starts: zeroed. */
static void group_by_class(const int *labels, size_t n, int classes, size_t *grouped,
                           size_t *starts)
{
    for (size_t i = 0; i < n; i++)
        starts[labels[i]]++;
    for (int c = 1; c <= classes; c++)
        starts[c] += starts[c - 1];
    for (size_t i = n; i-- > 0;)
        grouped[--starts[labels[i]]] = i;
}

/* Goes round the classes, so that none comes more than once oftener than another. */
static void draw_balanced(const size_t *grouped, const size_t *starts, size_t n, int classes,
                          random_state *random, size_t *order)
{
    int c = (int)random_below(random, (uint64_t)classes); /* else the first always had the most */
    for (size_t i = 0; i < n; c = (c + 1) % classes) {
        size_t count = starts[c + 1] - starts[c];
        if (count != 0)
            order[i++] = grouped[starts[c] + (size_t)random_below(random, count)];
    }
}

static mien_status order_balanced(const int *labels, size_t n, int classes, random_state *random,
                                  size_t *order, mien_error *error)
{
    mien_status status = check_labels(labels, n, classes, error);
    if (status != MIEN_OK || n == 0)
        return status;
    size_t *grouped = memory_zeroed(n, sizeof *grouped);
    size_t *starts = memory_zeroed((size_t)classes + 1, sizeof *starts);
    if (grouped == NULL || starts == NULL) {
        status = error_no_memory(error, "the samples by class", n * sizeof *grouped);
        goto cleanup;
    }
    group_by_class(labels, n, classes, grouped, starts);
    draw_balanced(grouped, starts, n, classes, random, order);
    shuffle(order, n, random);
cleanup:
    free(grouped);
    free(starts);
    return status;
}

mien_status sampler_order(sampler_kind kind, const int *labels, size_t n, int classes,
                          uint64_t seed, uint64_t epoch, size_t *order, mien_error *error)
{
    /* Its own family of streams: epochs and augmented samples are both numbered from 0. */
    random_state random = random_start(seed, (UINT64_C(1) << 60) + epoch);
    if (kind == SAMPLER_BALANCED)
        return order_balanced(labels, n, classes, &random, order, error);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    if (kind == SAMPLER_SHUFFLED)
        shuffle(order, n, &random);
    return MIEN_OK;
}
