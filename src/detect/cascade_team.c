/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_team.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct team_member {
    cascade_team *team;
    int number;
    pthread_t thread;
} team_member;

struct cascade_team {
    int size; /* the caller and the threads that were started */
    pthread_mutex_t mutex;
    pthread_cond_t called, done;
    /* Under the mutex: */
    unsigned calls; /* of cascade_team_run so far */
    int working;    /* threads that have not finished the last one */
    bool ends;
    cascade_team_task *task;
    void *context;
    team_member members[]; /* member 0 is not used */
};

static void *serve(void *argument)
{
    const team_member *self = argument;
    cascade_team *team = self->team;
    unsigned served = 0;
    pthread_mutex_lock(&team->mutex);
    for (;;) {
        while (team->calls == served && !team->ends)
            pthread_cond_wait(&team->called, &team->mutex);
        if (team->ends)
            break;
        served = team->calls;
        cascade_team_task *task = team->task;
        void *context = team->context;
        pthread_mutex_unlock(&team->mutex);
        task(context, self->number);
        pthread_mutex_lock(&team->mutex);
        if (--team->working == 0)
            pthread_cond_signal(&team->done);
    }
    pthread_mutex_unlock(&team->mutex);
    return NULL;
}

cascade_team *cascade_team_create(int members)
{
    cascade_team *team = memory_zeroed(1, sizeof *team + (size_t)members * sizeof *team->members);
    if (team == NULL)
        return NULL;
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->called, NULL);
    pthread_cond_init(&team->done, NULL);
    for (team->size = 1; team->size < members; team->size++) {
        team_member *member = &team->members[team->size];
        *member = (team_member){.team = team, .number = team->size};
        if (pthread_create(&member->thread, NULL, serve, member) != 0)
            break;
    }
    return team;
}

void cascade_team_free(cascade_team *team)
{
    if (team == NULL)
        return;
    pthread_mutex_lock(&team->mutex);
    team->ends = true;
    pthread_cond_broadcast(&team->called);
    pthread_mutex_unlock(&team->mutex);
    for (int i = 1; i < team->size; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->done);
    pthread_cond_destroy(&team->called);
    pthread_mutex_destroy(&team->mutex);
    free(team);
}

int cascade_team_size(const cascade_team *team)
{
    return team->size;
}

void cascade_team_run(cascade_team *team, cascade_team_task *task, void *context)
{
    if (team->size == 1) {
        task(context, 0);
        return;
    }
    pthread_mutex_lock(&team->mutex);
    team->task = task;
    team->context = context;
    team->working = team->size - 1;
    team->calls++;
    pthread_cond_broadcast(&team->called);
    pthread_mutex_unlock(&team->mutex);
    task(context, 0);
    pthread_mutex_lock(&team->mutex);
    while (team->working > 0)
        pthread_cond_wait(&team->done, &team->mutex);
    pthread_mutex_unlock(&team->mutex);
}
