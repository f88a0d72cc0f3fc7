/* SPDX-License-Identifier: Apache-2.0 */

/* Integral images: what image_integral makes. */

#include "image/image.h"

static void fill_tables(const cascade_layout *layout, const mien_image *gray, int32_t *sums,
                        uint32_t *squares)
{
    image_tables tables = {.sum = sums,
                           .squares = squares,
                           .tilted = layout->has_tilted ? sums + layout->table_size : NULL,
                           .stride = layout->stride,
                           .odd_columns = layout->odd_columns};
    (void)image_integral(gray, &tables, NULL);
}
