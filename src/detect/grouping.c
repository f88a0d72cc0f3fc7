/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/grouping.h"

#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define SIMILARITY 0.2 /* share of the mean side by which edges of similar windows may differ */

typedef struct window_group {
    int64_t x, y, width, height; /* sums, later the mean */
    int count;
} window_group;

bool raw_windows_add(raw_windows *list, const raw_window *window)
{
    void *windows = list->windows;
    if (!memory_grow(&windows, list->count, &list->capacity, sizeof *list->windows))
        return false;
    list->windows = windows;
    list->windows[list->count++] = *window;
    return true;
}

void raw_windows_free(raw_windows *list)
{
    free(list->windows);
    *list = (raw_windows){0};
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static double allowed_difference(const raw_window *a, const raw_window *b)
{
    return SIMILARITY * (smaller(a->width, b->width) + smaller(a->height, b->height)) * 0.5;
}

static bool are_similar(const raw_window *a, const raw_window *b)
{
    double allowed = allowed_difference(a, b);
    return abs(a->x - b->x) <= allowed && abs(a->y - b->y) <= allowed &&
           abs(a->x + a->width - b->x - b->width) <= allowed &&
           abs(a->y + a->height - b->y - b->height) <= allowed;
}

/* The representative of i's set; halves the path on the way. */
static size_t find_root(size_t *parent, size_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static void join(size_t *parent, size_t i, size_t j)
{
    size_t a = find_root(parent, i), b = find_root(parent, j);
    parent[a > b ? a : b] = a < b ? a : b;
}

static bool continues_run(const raw_window *last, const raw_window *next)
{
    return next->width == last->width && next->height == last->height && next->y >= last->y;
}

/* The end of the run of windows of one size, by rising y, that begins at first. */
static size_t run_end(const raw_windows *raw, size_t first)
{
    size_t end = first + 1;
    while (end < raw->count && continues_run(&raw->windows[end - 1], &raw->windows[end]))
        end++;
    return end;
}

/* The first of the windows begin .. end-1 of a run that is at y or below it; else end. */
static size_t first_at(const raw_windows *raw, size_t begin, size_t end, double y)
{
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (raw->windows[middle].y < y)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* Joins window i with the similar ones among begin .. end-1, a run or a part of it. */
static void join_within_run(const raw_windows *raw, size_t *parent, size_t i, size_t begin,
                            size_t end)
{
    const raw_window *window = &raw->windows[i];
    double reach = SIMILARITY * (window->width + window->height) * 0.5; /* no pair allows more */
    for (size_t j = first_at(raw, begin, end, window->y - reach);
         j < end && raw->windows[j].y <= window->y + reach; j++)
        if (are_similar(window, &raw->windows[j]))
            join(parent, i, j);
}

/* Joins the windows first .. end-1, a run, with similar ones among them and behind them. */
static void join_run(const raw_windows *raw, size_t *parent, size_t first, size_t end)
{
    const raw_window *any = &raw->windows[first];
    double widest = any->width + SIMILARITY * (any->width + any->height);
    for (size_t i = first; i < end; i++)
        join_within_run(raw, parent, i, i + 1, end);
    for (size_t begin = end; begin < raw->count && raw->windows[begin].width <= widest;) {
        size_t next = run_end(raw, begin);
        for (size_t i = first; i < end; i++)
            join_within_run(raw, parent, i, begin, next);
        begin = next;
    }
}

/* Joins similar windows; the root of a set is its first window. */
static void join_similar(const raw_windows *raw, size_t *parent)
{
    for (size_t i = 0; i < raw->count; i++)
        parent[i] = i;
    for (size_t first = 0; first < raw->count;) {
        size_t end = run_end(raw, first);
        join_run(raw, parent, first, end);
        first = end;
    }
}

/* Rounds to the nearest, ties to even, and in float, as OpenCV does. */
static int mean_of(int64_t sum, int count)
{
    return (int)lrintf((float)sum * (1.0f / (float)count));
}

/* Sums up the windows of each set in the order of their first windows; returns how many sets.
 * parent becomes the number of the group of each window. */
static size_t collect_groups(const raw_windows *raw, size_t *parent, window_group *groups)
{
    size_t count = 0;
    for (size_t i = 0; i < raw->count; i++) {
        const raw_window *window = &raw->windows[i];
        if (parent[i] == i) {
            parent[i] = count++;
            groups[parent[i]] = (window_group){0};
        } else {
            parent[i] = parent[parent[i]];
        }
        window_group *group = &groups[parent[i]];
        group->x += window->x;
        group->y += window->y;
        group->width += window->width;
        group->height += window->height;
        group->count++;
    }
    for (size_t i = 0; i < count; i++) {
        window_group *group = &groups[i];
        group->x = mean_of(group->x, group->count);
        group->y = mean_of(group->y, group->count);
        group->width = mean_of(group->width, group->count);
        group->height = mean_of(group->height, group->count);
    }
    return count;
}

static bool lies_within(const window_group *inner, const window_group *outer)
{
    int64_t dx = lrint((double)outer->width * SIMILARITY);
    int64_t dy = lrint((double)outer->height * SIMILARITY);
    return inner->x >= outer->x - dx && inner->y >= outer->y - dy &&
           inner->x + inner->width <= outer->x + outer->width + dx &&
           inner->y + inner->height <= outer->y + outer->height + dy;
}

static bool is_kept(const window_group *groups, size_t count, size_t index, int min_neighbours)
{
    const window_group *group = &groups[index];
    if (group->count <= min_neighbours)
        return false;
    for (size_t i = 0; i < count; i++) {
        const window_group *other = &groups[i];
        if (i == index || other->count <= min_neighbours || !lies_within(group, other))
            continue;
        if (other->count > larger(3, group->count) || group->count < 3)
            return false;
    }
    return true;
}

/* Adds the part of the box that is within the picture, if any. */
static bool add_clipped(face_list *list, const raw_window *box, int score, int width, int height)
{
    int left = larger(box->x, 0), top = larger(box->y, 0);
    int right = smaller(box->x + box->width, width);
    int bottom = smaller(box->y + box->height, height);
    if (right <= left || bottom <= top)
        return true;
    face_box face = {.x = (float)left,
                     .y = (float)top,
                     .width = (float)(right - left),
                     .height = (float)(bottom - top),
                     .score = (float)score};
    return face_list_add(list, &face);
}

static bool add_kept_groups(const window_group *groups, size_t count, int min_neighbours, int width,
                            int height, face_list *list)
{
    for (size_t i = 0; i < count; i++) {
        const window_group *group = &groups[i];
        raw_window box = {(int)group->x, (int)group->y, (int)group->width, (int)group->height};
        if (is_kept(groups, count, i, min_neighbours) &&
            !add_clipped(list, &box, group->count, width, height))
            return false;
    }
    return true;
}

static bool add_raw(const raw_windows *raw, int width, int height, face_list *list)
{
    for (size_t i = 0; i < raw->count; i++)
        if (!add_clipped(list, &raw->windows[i], 1, width, height))
            return false;
    return true;
}

static bool reserve(window_grouping *memory, size_t count)
{
    if (count <= memory->capacity)
        return true;
    window_grouping_free(memory);
    memory->parents = memory_zeroed(count, sizeof *memory->parents);
    memory->groups = memory_zeroed(count, sizeof *memory->groups);
    if (memory->parents == NULL || memory->groups == NULL) {
        window_grouping_free(memory);
        return false;
    }
    memory->capacity = count;
    return true;
}

void window_grouping_free(window_grouping *memory)
{
    free(memory->parents);
    free(memory->groups);
    *memory = (window_grouping){0};
}

static bool add_groups(const raw_windows *raw, int min_neighbours, int width, int height,
                       window_grouping *memory, face_list *list)
{
    if (!reserve(memory, raw->count))
        return false;
    join_similar(raw, memory->parents);
    size_t count = collect_groups(raw, memory->parents, memory->groups);
    return add_kept_groups(memory->groups, count, min_neighbours, width, height, list);
}

bool group_windows(const raw_windows *raw, int min_neighbours, int width, int height,
                   window_grouping *memory, face_list *list)
{
    size_t before = list->count;
    bool done = min_neighbours <= 0 ? add_raw(raw, width, height, list)
                                    : add_groups(raw, min_neighbours, width, height, memory, list);
    if (!done)
        list->count = before;
    return done;
}
