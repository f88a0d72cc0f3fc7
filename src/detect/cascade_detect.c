/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade.h"

cascade_options cascade_default_options(void)
{
    return (cascade_options){.scale_factor = 1.1, .min_neighbours = 5};
}

mien_status cascade_detect(const cascade *model, const mien_image *gray,
                           const cascade_options *options, face_list *list, mien_error *error)
{
    cascade_searcher *searcher;
    mien_status status =
        cascade_searcher_create(model, cascade_kernels_find(NULL), NULL, &searcher, error);
    if (status == MIEN_OK)
        status = cascade_search(searcher, gray, options, list, error);
    cascade_searcher_free(searcher);
    return status;
}
