/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DETECTOR_H
#define ENGINE_DETECTOR_H

/* What a mien_detector is, and running it with the memory of one thread. Private to the engine. */

#include "base/team.h"
#include "detect/cascade.h"
#include "detect/faces.h"
#include "engine/network.h"

#include <mien/detector.h>

typedef enum detector_kind { DETECTOR_CASCADE, DETECTOR_YUNET, DETECTOR_TINY_YOLO } detector_kind;

#define YUNET_LEVELS 3

struct mien_detector {
    detector_kind kind;
    cascade *cascade;
    cascade_options cascade_options;
    const cascade_kernels *cascade_kernels;
    int threads; /* that share a picture, 1.. */
    engine_network network;
    float min_score;                    /* 0..1 */
    float overlap;                      /* IoU over which the weaker box goes, 0..1 */
    int min_size, max_size;             /* pixels of the picture; 0 for no limit */
    int yunet_outputs[YUNET_LEVELS][4]; /* cls, obj, bbox, kps for strides 8, 16, 32 */
    float anchors[5][2];
};

/* The memory that one thread keeps. Starts zeroed. */
typedef struct detector_memory {
    mien_image gray;
    cascade_searcher *searcher;
    nn_session *session;
    prep_scratch prep;
    face_list found; /* what a network finds, in pixels of its input */
} detector_memory;

/* workers: share each picture, or NULL; it must outlive the memory. */
mien_status detector_memory_create(const mien_detector *detector, team *workers,
                                   detector_memory *memory, mien_error *error);
void detector_memory_free(detector_memory *memory);

/* Adds the faces of a picture to the list, in pixels of the picture. */
mien_status detector_run(const mien_detector *detector, detector_memory *memory,
                         const mien_image *image, face_list *list, mien_error *error);

#endif
