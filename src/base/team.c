/* SPDX-License-Identifier: Apache-2.0 */
#include "base/team.h"

#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SPINS 2000 /* looks before one sleeps: 40 to 80 microseconds */

typedef struct team_member {
    team *team;
    int number;
    pthread_t thread;
} team_member;

struct team {
    /* The pieces that nobody has taken: the first one, in the upper half the end. */
    _Alignas(MEMORY_ALIGNMENT) _Atomic uint64_t open;
    _Alignas(MEMORY_ALIGNMENT) atomic_int unfinished; /* pieces that are not done */
    atomic_bool caller_sleeps, members_sleep;         /* one or more */
    /* The job. Written while no piece is open, read by who has taken one. A piece is of the job
     * that is at hand when it is taken, however long the taker hesitated. */
    team_task *task;
    void *context;
    int size; /* the caller and the threads that were started */
    pthread_mutex_t mutex;
    pthread_cond_t called, done;
    /* Under the mutex: */
    unsigned calls;
    bool ends;
    team_member members[]; /* member 0 is not used */
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#define ONE_FROM_THE_END (UINT64_C(1) << 32)

static uint32_t first_of(uint64_t open)
{
    return (uint32_t)open;
}

static uint32_t end_of(uint64_t open)
{
    return (uint32_t)(open >> 32);
}

static bool is_open(team *t)
{
    uint64_t open = atomic_load(&t->open);
    return first_of(open) < end_of(open);
}

/* The caller takes from the front, the others from the end: of job after job each then works on
 * much the same share, which lies in the cache of its core. */
static bool take_piece(team *t, int member, int *piece)
{
    uint64_t open = atomic_load(&t->open), left;
    do {
        if (first_of(open) >= end_of(open))
            return false;
        left = member == 0 ? open + 1 : open - ONE_FROM_THE_END;
    } while (!atomic_compare_exchange_weak(&t->open, &open, left));
    *piece = (int)(member == 0 ? first_of(open) : end_of(left));
    return true;
}

static void wake_caller(team *t)
{
    pthread_mutex_lock(&t->mutex);
    pthread_cond_signal(&t->done);
    pthread_mutex_unlock(&t->mutex);
}

static void work(team *t, int member)
{
    int piece;
    while (take_piece(t, member, &piece)) {
        t->task(t->context, piece, member);
        if (atomic_fetch_sub(&t->unfinished, 1) == 1 && atomic_load(&t->caller_sleeps))
            wake_caller(t);
    }
}

/* ---- Members ---- */

/* false: the team ends. */
static bool wait_for_work(team *t)
{
    for (int i = 0; i < SPINS; i++) {
        if (is_open(t))
            return true;
        pause_briefly();
    }
    pthread_mutex_lock(&t->mutex);
    unsigned calls = t->calls;
    atomic_store(&t->members_sleep, true); /* before the last look: team_run looks the other way */
    while (!t->ends && t->calls == calls && !is_open(t))
        pthread_cond_wait(&t->called, &t->mutex);
    bool ends = t->ends;
    pthread_mutex_unlock(&t->mutex);
    return !ends;
}

static void *serve(void *argument)
{
    const team_member *self = argument;
    while (wait_for_work(self->team))
        work(self->team, self->number);
    return NULL;
}

mien_status team_create(int members, team **out, mien_error *error)
{
    *out = NULL;
    if (members < 1 || members > TEAM_MOST_MEMBERS)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%d threads; 1 to %d are possible", members,
                         TEAM_MOST_MEMBERS);
    size_t bytes = sizeof(team) + (size_t)members * sizeof(team_member);
    team *t = memory_aligned(bytes);
    if (t == NULL)
        return error_no_memory(error, "a team of threads", bytes);
    memset(t, 0, bytes);
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->called, NULL);
    pthread_cond_init(&t->done, NULL);
    for (t->size = 1; t->size < members; t->size++) {
        team_member *member = &t->members[t->size];
        *member = (team_member){.team = t, .number = t->size};
        if (pthread_create(&member->thread, NULL, serve, member) != 0)
            break;
    }
    *out = t;
    return MIEN_OK;
}

void team_free(team *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->mutex);
    t->ends = true;
    pthread_cond_broadcast(&t->called);
    pthread_mutex_unlock(&t->mutex);
    for (int i = 1; i < t->size; i++)
        pthread_join(t->members[i].thread, NULL);
    pthread_cond_destroy(&t->done);
    pthread_cond_destroy(&t->called);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

int team_size(const team *t)
{
    return t != NULL ? t->size : 1;
}

/* ---- The caller ---- */

static void wake_members(team *t)
{
    pthread_mutex_lock(&t->mutex);
    t->calls++;
    atomic_store(&t->members_sleep, false);
    pthread_cond_broadcast(&t->called);
    pthread_mutex_unlock(&t->mutex);
}

/* Until the pieces that others have taken are done. */
static void wait_for_members(team *t)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&t->unfinished) == 0)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&t->mutex);
    atomic_store(&t->caller_sleeps, true); /* before the last look: work() looks the other way */
    while (atomic_load(&t->unfinished) > 0)
        pthread_cond_wait(&t->done, &t->mutex);
    atomic_store(&t->caller_sleeps, false);
    pthread_mutex_unlock(&t->mutex);
}

void team_run(team *t, int pieces, team_task *task, void *context)
{
    if (team_size(t) == 1 || pieces <= 1) {
        for (int piece = 0; piece < pieces; piece++)
            task(context, piece, 0);
        return;
    }
    t->task = task;
    t->context = context;
    atomic_store(&t->unfinished, pieces);
    atomic_store(&t->open, (uint64_t)pieces << 32);
    if (atomic_load(&t->members_sleep))
        wake_members(t);
    work(t, 0);
    wait_for_members(t);
}
