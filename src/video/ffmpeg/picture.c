/* SPDX-License-Identifier: Apache-2.0 */
#include "video/ffmpeg/picture.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

enum { RGB_BYTES = 3 };

picture_turn picture_turn_of(const int32_t *matrix)
{
    if (matrix == NULL)
        return (picture_turn){0};
    int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    if (llabs(b) + llabs(c) > llabs(a) + llabs(d))
        return (picture_turn){.swap_axes = true, .flip_x = c < 0, .flip_y = b < 0};
    return (picture_turn){.flip_x = a < 0, .flip_y = d < 0};
}

mien_status picture_check_size(int width, int height, int64_t max_pixels, mien_error *error)
{
    if (width < 1 || height < 1)
        return error_set(error, MIEN_MALFORMED, "its frames have no pixels (%dx%d)", width, height);
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || (int64_t)width * height > max_pixels)
        return error_set(error, MIEN_LIMIT,
                         "frames of %dx%d pixels are too large (the limit is %lld pixels, and "
                         "%d for a side)",
                         width, height, (long long)max_pixels, IMAGE_MAX_SIDE);
    return MIEN_OK;
}

/* Rows start at multiples of 64 bytes and end with room to spare: libswscale writes whole vectors.
 */
static mien_status make_room(mien_image *image, int width, int height, mien_error *error)
{
    if (image->width == width && image->height == height)
        return MIEN_OK;
    mien_image_free(image);
    size_t stride = ((size_t)width * RGB_BYTES / MEMORY_ALIGNMENT + 2) * MEMORY_ALIGNMENT;
    size_t bytes;
    if (!size_multiply(stride, (size_t)height, &bytes))
        return error_set(error, MIEN_LIMIT, "frames of %dx%d pixels are too large", width, height);
    uint8_t *data = memory_aligned(bytes);
    if (data == NULL)
        return error_no_memory(error, "a frame", bytes);
    memset(data, 0, bytes);
    *image = (mien_image){.data = data,
                          .width = width,
                          .height = height,
                          .stride = stride,
                          .format = MIEN_PIXEL_RGB8};
    return MIEN_OK;
}

static bool same_kind(const picture_kind *a, const picture_kind *b)
{
    return a->width == b->width && a->height == b->height && a->format == b->format &&
           a->colour_space == b->colour_space && a->full_range == b->full_range;
}

static picture_kind kind_of(const AVFrame *frame)
{
    return (picture_kind){.width = frame->width,
                          .height = frame->height,
                          .format = frame->format,
                          .colour_space = frame->colorspace,
                          .full_range = frame->color_range == AVCOL_RANGE_JPEG};
}

static mien_status prepare_scaler(picture_maker *maker, const picture_kind *kind, mien_error *error)
{
    if (maker->scaler != NULL && same_kind(kind, &maker->kind))
        return MIEN_OK;
    sws_freeContext(maker->scaler);
    const char *name = av_get_pix_fmt_name(kind->format);
    if (!sws_isSupportedInput(kind->format)) {
        maker->scaler = NULL;
        return error_set(error, MIEN_UNSUPPORTED, "pixels of the format '%s' cannot be converted",
                         name != NULL ? name : "unknown");
    }
    maker->scaler = sws_getContext(
        kind->width, kind->height, kind->format, kind->width, kind->height, AV_PIX_FMT_RGB24,
        SWS_BILINEAR | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (maker->scaler == NULL)
        return error_no_memory(error, "the conversion of colours", 0);
    maker->kind = *kind;
    /* Fails for formats without luma and chroma, which need none of it. Deprecated formats named
     * "yuvj" say by their name that they have the full range. */
    bool full = kind->full_range || (name != NULL && strncmp(name, "yuvj", 4) == 0);
    const int unchanged = 0, one = 1 << 16;
    sws_setColorspaceDetails(maker->scaler, sws_getCoefficients(kind->colour_space), full,
                             sws_getCoefficients(SWS_CS_DEFAULT), 1, unchanged, one, one);
    return MIEN_OK;
}

static void copy_turned(const mien_image *stored, picture_turn how, mien_image *upright)
{
    ptrdiff_t step_x = how.swap_axes ? (ptrdiff_t)stored->stride : RGB_BYTES;
    ptrdiff_t step_y = how.swap_axes ? RGB_BYTES : (ptrdiff_t)stored->stride;
    const uint8_t *origin = stored->data;
    if (how.flip_x) {
        origin += step_x * (upright->width - 1);
        step_x = -step_x;
    }
    if (how.flip_y) {
        origin += step_y * (upright->height - 1);
        step_y = -step_y;
    }
    for (int y = 0; y < upright->height; y++) {
        uint8_t *to = image_row(upright, y);
        for (int x = 0; x < upright->width; x++)
            memcpy(to + (size_t)x * RGB_BYTES, origin + y * step_y + x * step_x, RGB_BYTES);
    }
}

static bool is_turned(picture_turn how)
{
    return how.swap_axes || how.flip_x || how.flip_y;
}

static mien_status turn(const picture_maker *maker, mien_error *error)
{
    const mien_image *stored = &maker->stored;
    bool swap = maker->turn.swap_axes;
    mien_status status = make_room(maker->into, swap ? stored->height : stored->width,
                                   swap ? stored->width : stored->height, error);
    if (status == MIEN_OK)
        copy_turned(stored, maker->turn, maker->into);
    return status;
}

mien_status picture_make(picture_maker *maker, const AVFrame *frame, const mien_image **image,
                         mien_error *error)
{
    picture_kind kind = kind_of(frame);
    bool turned = is_turned(maker->turn);
    mien_image *plain = turned ? &maker->stored : maker->into;
    *image = NULL;
    mien_status status = picture_check_size(kind.width, kind.height, maker->max_pixels, error);
    if (status == MIEN_OK)
        status = make_room(plain, kind.width, kind.height, error);
    if (status == MIEN_OK)
        status = prepare_scaler(maker, &kind, error);
    if (status != MIEN_OK)
        return status;
    uint8_t *planes[] = {plain->data, NULL, NULL, NULL};
    int strides[] = {(int)plain->stride, 0, 0, 0};
    if (sws_scale(maker->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0,
                  kind.height, planes, strides) < 0)
        return error_no_memory(error, "the conversion of colours", 0);
    if (turned)
        status = turn(maker, error);
    *image = status == MIEN_OK ? maker->into : NULL;
    return status;
}

void picture_maker_free(picture_maker *maker)
{
    sws_freeContext(maker->scaler);
    mien_image_free(&maker->stored);
    *maker = (picture_maker){0};
}
