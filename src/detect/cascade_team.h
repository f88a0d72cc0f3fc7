/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_TEAM_H
#define DETECT_CASCADE_TEAM_H

/* Threads that wait between pictures and work on one together. */

#include <stdbool.h>

typedef struct cascade_team cascade_team;

/* What each member does; member 0 is the thread that calls cascade_team_run. */
typedef void cascade_team_task(void *context, int member);

/*
 * A team of up to members (1..), the caller among them; it has fewer when the system gives no more
 * threads, and one where there are no threads at all. NULL: out of memory.
 * Free with cascade_team_free (NULL is fine), which ends the threads.
 */
cascade_team *cascade_team_create(int members);
void cascade_team_free(cascade_team *team);

int cascade_team_size(const cascade_team *team);

/* Calls task(context, member) once for each member, at the same time; returns when all are done. */
void cascade_team_run(cascade_team *team, cascade_team_task *task, void *context);

#endif
