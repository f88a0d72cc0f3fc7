/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_H
#define DETECT_CASCADE_H

/*
 * Haar cascade detector (Viola and Jones 2001, Lienhart and Maydt 2002), reading the XML files of
 * OpenCV (traincascade and converted format: stump and tree cascades) and giving the boxes of
 * OpenCV 4.6 detectMultiScale for the same arguments.
 */

#include "base/team.h"
#include "detect/faces.h"

#include <mien/image.h>

/* A loaded cascade. Immutable: any number of threads may detect with it at once. */
typedef struct cascade cascade;

/*
 * Reads a cascade from XML text. name is what messages call it.
 * Success: *out is the caller's, free with cascade_free.
 * Failure: *out is NULL. MIEN_MALFORMED with the position, MIEN_UNSUPPORTED, MIEN_LIMIT,
 * MIEN_OUT_OF_MEMORY.
 */
mien_status cascade_read(const void *xml, size_t size, const char *name, cascade **out,
                         mien_error *error);
void cascade_free(cascade *cascade);

/* The window the cascade was trained for, in pixels. */
void cascade_window(const cascade *cascade, int *width, int *height);

typedef struct cascade_options {
    double scale_factor;       /* over 1; how much the window grows from one scale to the next */
    int min_neighbours;        /* raw windows that must agree; 0 gives all raw windows, ungrouped */
    int min_width, min_height; /* smallest face in pixels, 0 for the window of the cascade */
    int max_width, max_height; /* largest face in pixels, 0 for the picture */
} cascade_options;

/* scale_factor 1.1, min_neighbours 5, no limits of size. */
cascade_options cascade_default_options(void);

/*
 * Finds objects in a grey picture (MIEN_PIXEL_GRAY8). The boxes are added to list in OpenCV's
 * order; score is the number of raw windows in the group, landmarks are absent. As in OpenCV, when
 * no scale lies within the limits of size the one nearest to the smallest face is searched, and the
 * largest face counts only when both of its sides are given.
 * Failure: list is as it was. MIEN_INVALID_ARGUMENT (a scale factor so near to 1 that it gives more
 * than 10,000 scales, too), MIEN_LIMIT (a window of thousands of rows in a very wide picture),
 * MIEN_OUT_OF_MEMORY.
 */
mien_status cascade_detect(const cascade *cascade, const mien_image *gray,
                           const cascade_options *options, face_list *list, mien_error *error);

/*
 * What computes: "avx512", "avx2", "generic" (128-bit vectors) or "reference" (plain C). All give
 * the same boxes. By name, NULL for the best; NULL when there is none of that name that runs here.
 */
typedef struct cascade_kernels cascade_kernels;
const cascade_kernels *cascade_kernels_find(const char *name);

/*
 * cascade_detect for picture after picture: keeps its memory. Pictures of one size after another,
 * searched with the same options, cost no allocation but for longer lists of windows than ever
 * before. For one thread at a time.
 */
typedef struct cascade_searcher cascade_searcher;

/*
 * The members of the team `workers` share each picture; NULL: the caller alone searches it. The
 * boxes and their order do not depend on it. The cascade and the team must outlive the searcher.
 * Success: *out is the caller's, free with cascade_searcher_free. Failure: *out is NULL;
 * MIEN_OUT_OF_MEMORY.
 */
mien_status cascade_searcher_create(const cascade *cascade, const cascade_kernels *kernels,
                                    team *workers, cascade_searcher **out, mien_error *error);
void cascade_searcher_free(cascade_searcher *searcher);

/* Arguments and failures of cascade_detect. */
mien_status cascade_search(cascade_searcher *searcher, const mien_image *gray,
                           const cascade_options *options, face_list *list, mien_error *error);

#endif
