/* SPDX-License-Identifier: Apache-2.0 */
#include "round_trip.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLES    21
#define TRIPS      500
#define MOST_LOOKS 20000000 /* for one answer: the other thread does not run */

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Waits until the word has this value. */
static bool await(atomic_int *word, int value)
{
    for (int look = 0; look < MOST_LOOKS; look++)
        if (atomic_load_explicit(word, memory_order_acquire) == value)
            return true;
    return false;
}

/* Answers each odd value with the next one. */
static void *answer(void *context)
{
    atomic_int *word = context;
    for (int trip = 0; trip < SAMPLES * TRIPS; trip++) {
        if (!await(word, 2 * trip + 1))
            break;
        atomic_store_explicit(word, 2 * trip + 2, memory_order_release);
    }
    return NULL;
}

double round_trip_ns(void)
{
    atomic_int word = 0;
    double samples[SAMPLES];
    pthread_t thread;
    bool done = true;
    if (pthread_create(&thread, NULL, answer, &word) != 0)
        return -1;
    for (int trip = 0; done && trip < SAMPLES * TRIPS;) {
        double before = now_ns();
        for (int end = trip + TRIPS; done && trip < end; trip++) {
            atomic_store_explicit(&word, 2 * trip + 1, memory_order_release);
            done = await(&word, 2 * trip + 2);
        }
        samples[(trip - 1) / TRIPS] = (now_ns() - before) / TRIPS;
    }
    pthread_join(thread, NULL);
    qsort(samples, SAMPLES, sizeof *samples, by_value);
    return done ? samples[SAMPLES / 2] : -1;
}
