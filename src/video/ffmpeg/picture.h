/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_FFMPEG_PICTURE_H
#define VIDEO_FFMPEG_PICTURE_H

/* FFmpeg's frames as mien's pictures: RGB8, upright. Inside this folder only. */

#include <libavutil/frame.h>
#include <libswscale/swscale.h>
#include <mien/image.h>
#include <stdbool.h>

/* How a stored frame is turned into the upright one: first the axes, then the directions. */
typedef struct picture_turn {
    bool swap_axes;
    bool flip_x, flip_y; /* of the upright picture */
} picture_turn;

/* The turn nearest to a display matrix (libavutil/display.h), row-major 3x3; NULL for none. */
picture_turn picture_turn_of(const int32_t *matrix);

/* What the colour conversion was made for. */
typedef struct picture_kind {
    int width, height, format;
    int colour_space;
    bool full_range;
} picture_kind;

/* Keeps its memory from frame to frame. Starts zeroed but for turn, max_pixels and into. */
typedef struct picture_maker {
    picture_turn turn;
    int64_t max_pixels; /* at least 1 */
    picture_kind kind;
    struct SwsContext *scaler;
    mien_image stored; /* as decoded, where it is to be turned */
    mien_image *into;  /* where pictures are put: zeroed or made here, somebody else's */
} picture_maker;

/*
 * Success: *image is maker->into, whose memory was used again or replaced. Failure: *image is NULL;
 * MIEN_LIMIT, MIEN_UNSUPPORTED (pixel format), MIEN_OUT_OF_MEMORY.
 */
mien_status picture_make(picture_maker *maker, const AVFrame *frame, const mien_image **image,
                         mien_error *error);

/* MIEN_LIMIT when a frame of this size is too large, MIEN_MALFORMED when it has no pixels. */
mien_status picture_check_size(int width, int height, int64_t max_pixels, mien_error *error);

void picture_maker_free(picture_maker *maker);

#endif
