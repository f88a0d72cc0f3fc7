/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_CUT_OUT_H
#define LIVE_CUT_OUT_H

/* A face cut out of a frame, to be kept as a picture. */

#include <mien/analyzer.h>

/*
 * The box of a face in whole pixels, with a margin on each side (a share of its width and height),
 * as much of it as lies in the picture. true: *view is a view of the picture's pixels, which stay
 * its owner's. false: nothing of it lies there.
 */
bool cut_out(const mien_image *image, const mien_face *face, double margin, mien_image *view);

#endif
