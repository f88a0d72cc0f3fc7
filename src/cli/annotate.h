/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ANNOTATE_H
#define CLI_ANNOTATE_H

/* Pictures with boxes, names and bars drawn over them (Cairo). */

#include <mien/mien.h>

/*
 * A copy of an RGB8 picture with its faces marked. model NULL: boxes only.
 * Success: *out is the caller's, RGB8, free with mien_image_free. Failure: *out is zeroed;
 * MIEN_OUT_OF_MEMORY, MIEN_LIMIT (a side over 32767 pixels, Cairo's most).
 */
mien_status annotate_picture(const mien_image *image, const mien_model *model,
                             const mien_face *faces, size_t count, mien_image *out,
                             mien_error *error);

#endif
