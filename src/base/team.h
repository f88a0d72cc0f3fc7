/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEAM_H
#define BASE_TEAM_H

/*
 * Threads that wait between jobs and do one together. A job is cut into pieces; each member takes
 * one that nobody has until none is left, so that the caller never waits for a member that has not
 * begun. Handing out work takes neither a lock nor memory while the members are awake; a
 * member without work looks for some during about 50 microseconds, then sleeps until it is called.
 */

#include <mien/status.h>

typedef struct team team;

#define TEAM_MOST_MEMBERS 256

/*
 * What is done with one piece. member: 0..team_size-1, who does it; 0 is the thread that calls
 * team_run. A member does one piece at a time.
 */
typedef void team_task(void *context, int piece, int member);

/*
 * A team of up to `members` (1..TEAM_MOST_MEMBERS), the caller among them; it has fewer when the
 * system gives no more threads, and one where there are no threads at all.
 * Success: *out is the caller's, free with team_free. Failure: *out is NULL; MIEN_INVALID_ARGUMENT,
 * MIEN_OUT_OF_MEMORY.
 */
mien_status team_create(int members, team **out, mien_error *error);

/* Ends the threads. NULL is fine. */
void team_free(team *t);

/* Members; 1 for NULL, which stands for the caller alone. */
int team_size(const team *t);

/*
 * Calls task(context, piece, member) once for each piece 0..pieces-1, as many at the same time as
 * there are members; returns when all are done. For one caller at a time, and not from a task of
 * the same team. t NULL: the caller does it all.
 */
void team_run(team *t, int pieces, team_task *task, void *context);

#endif
