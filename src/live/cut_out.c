/* SPDX-License-Identifier: Apache-2.0 */
#include "live/cut_out.h"

#include "image/image.h"

#include <math.h>

bool cut_out(const mien_image *image, const mien_face *face, double margin, mien_image *view)
{
    double margin_x = margin * (double)face->width, margin_y = margin * (double)face->height;
    double left = fmax(floor((double)face->x - margin_x), 0);
    double top = fmax(floor((double)face->y - margin_y), 0);
    double right = fmin(ceil((double)face->x + (double)face->width + margin_x), image->width);
    double bottom = fmin(ceil((double)face->y + (double)face->height + margin_y), image->height);
    return right > left && bottom > top &&
           image_view(image, (int)left, (int)top, (int)(right - left), (int)(bottom - top), view,
                      NULL) == MIEN_OK;
}
