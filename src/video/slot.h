/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_SLOT_H
#define VIDEO_SLOT_H

/* A frame on its way along a line (line.h), or what stands in its place. At any time it belongs to
 * one thread or to one queue; its memory is used again from frame to frame. */

#include "video/people.h"
#include "video/stream.h"

typedef enum slot_kind { SLOT_FRAME, SLOT_NOTICE, SLOT_END, SLOT_FAILURE } slot_kind;

typedef struct slot {
    slot_kind kind;
    stream_frame frame;
    int64_t number;       /* from 1 */
    mien_image image;     /* the slot's memory */
    people_list people;   /* the slot's memory */
    double find_s;        /* what the stations took so far */
    int64_t skipped;      /* packets that were passed over, up to this frame */
    int64_t people_count; /* ids that were given out, up to this frame */
    mien_error error;     /* of SLOT_FAILURE; the words of SLOT_NOTICE in its message */
} slot;

/* Frees its memory, not the slot itself. */
void slot_free(slot *slot);

#endif
