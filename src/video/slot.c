/* SPDX-License-Identifier: Apache-2.0 */
#include "video/slot.h"

void slot_free(slot *s)
{
    mien_image_free(&s->image);
    people_list_free(&s->people);
}
