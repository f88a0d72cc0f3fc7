/* SPDX-License-Identifier: Apache-2.0 */
#include "image/codec/formats.h"
#include "image/image.h"

#include <string.h>

/* How EXIF's orientations 1..8 are stored, seen from the upright picture. */
typedef struct turn {
    bool swap_axes; /* rows of the upright picture are columns of the stored one */
    bool flip_x;    /* stored columns run backwards */
    bool flip_y;    /* stored rows run backwards */
} turn;

static turn turn_of(int orientation)
{
    static const turn turns[8] = {
        {false, false, false}, {false, true, false}, {false, true, true}, {false, false, true},
        {true, false, false},  {true, false, true},  {true, true, true},  {true, true, false},
    };
    return turns[orientation - 1];
}

static void copy_turned(const mien_image *stored, turn how, mien_image *upright)
{
    size_t pixel = (size_t)mien_pixel_size(stored->format);
    ptrdiff_t column = how.flip_x ? -(ptrdiff_t)pixel : (ptrdiff_t)pixel;
    ptrdiff_t row = how.flip_y ? -(ptrdiff_t)stored->stride : (ptrdiff_t)stored->stride;
    const uint8_t *origin = image_row(stored, how.flip_y ? stored->height - 1 : 0) +
                            (how.flip_x ? (size_t)(stored->width - 1) * pixel : 0);
    ptrdiff_t step_x = how.swap_axes ? row : column;
    ptrdiff_t step_y = how.swap_axes ? column : row;
    for (int y = 0; y < upright->height; y++) {
        uint8_t *to = image_row(upright, y);
        for (int x = 0; x < upright->width; x++)
            memcpy(to + (size_t)x * pixel, origin + y * step_y + x * step_x, pixel);
    }
}

mien_status codec_orient(mien_image *image, int orientation, mien_error *error)
{
    if (orientation == 1)
        return MIEN_OK;
    turn how = turn_of(orientation);
    mien_image upright;
    mien_status status = image_alloc_unset(how.swap_axes ? image->height : image->width,
                                           how.swap_axes ? image->width : image->height,
                                           image->format, &upright, error);
    if (status != MIEN_OK)
        return status;
    copy_turned(image, how, &upright);
    mien_image_free(image);
    *image = upright;
    return MIEN_OK;
}
