/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_PEOPLE_H
#define VIDEO_PEOPLE_H

/*
 * The people of a frame. people_finder.h finds out where and who they are, people_reader.h what
 * they look like; each has its own memory of the frames before, so that each may have its own
 * thread. All state belongs to a person's track: nobody's past reaches another face.
 */

#include <mien/analyzer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct people_settings {
    int every;       /* faces are looked for in one frame of so many, at least 1 (of live sources in
                        fewer where search_pace.h says so); between them people are read where their
                        tracks predict them */
    double smooth_s; /* time constant of smoother.h; 0 for none */
    double baseline_s; /* how long each person's own neutral face is recorded, from their first
                          frame on, to be taken out afterwards (baseline.h); 0 for not at all */
    double remember_s; /* who left so long ago at most is known again by looks (recognition.h);
                          0 for nobody */
} people_settings;

/* A face of a frame and whose it is. */
typedef struct person {
    int64_t id;     /* from 1, of one person alone; 0 while it is not sure that this is a person */
    bool predicted; /* nobody looked: the face was read where it was expected, without landmarks */
    mien_face face; /* probabilities smoothed for those with an id */
} person;

/* Keeps its memory from frame to frame. Starts zeroed. */
typedef struct people_list {
    person *people; /* from left to right */
    size_t count, room;
    int64_t *living; /* ids of all tracks that live, seen in this frame or not, and of those who
                        left and may be known again */
    size_t living_count, living_room;
} people_list;

/* Room for so many; what was in the list is gone. MIEN_OUT_OF_MEMORY: the list is empty. */
mien_status people_list_reserve(people_list *list, size_t count, size_t living_count,
                                mien_error *error);

void people_list_free(people_list *list);

#endif
