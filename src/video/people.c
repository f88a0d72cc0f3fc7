/* SPDX-License-Identifier: Apache-2.0 */
#include "video/people.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

static bool grow(void **items, size_t *room, size_t count, size_t item_size)
{
    if (count <= *room)
        return true;
    free(*items);
    *items = memory_zeroed(count, item_size);
    *room = *items != NULL ? count : 0;
    return *items != NULL;
}

mien_status people_list_reserve(people_list *list, size_t count, size_t living_count,
                                mien_error *error)
{
    void *people = list->people, *living = list->living;
    list->count = list->living_count = 0;
    bool done = grow(&people, &list->room, count, sizeof *list->people) &&
                grow(&living, &list->living_room, living_count, sizeof *list->living);
    list->people = people;
    list->living = living;
    return done ? MIEN_OK
                : error_no_memory(error, "the people of a frame", count * sizeof *list->people);
}

void people_list_free(people_list *list)
{
    free(list->people);
    free(list->living);
    *list = (people_list){0};
}
