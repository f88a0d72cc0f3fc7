/* SPDX-License-Identifier: Apache-2.0 */

/* A picture is searched in bands, which the members of a team take one after another. */

#include "base/memory.h"
#include "detect/cascade_band.h"

#include <stdlib.h>

/* Where the windows of a band are. */
typedef struct band_windows {
    int member;
    size_t first, end;
} band_windows;

typedef struct search_member {
    band_memory memory;
    bool out_of_memory;
} search_member;

struct cascade_searcher {
    const cascade *model;
    const cascade_kernels *kernels;
    team *team; /* borrowed, or NULL */
    cascade_plan plan;
    search_member *members;
    band_windows *found; /* (plan.band_count) */
    raw_windows windows; /* of all members, in the order of the bands */
    window_grouping grouping;
    const mien_image *gray; /* what is searched just now */
};

/* ---- memory ---- */

static mien_status allocate_members(cascade_searcher *searcher, mien_error *error)
{
    const cascade_plan *plan = &searcher->plan;
    bool done = true;
    for (int i = 0; done && i < team_size(searcher->team); i++)
        done = band_memory_allocate(plan, &searcher->members[i].memory);
    free(searcher->found);
    searcher->found = memory_zeroed(plan->band_count, sizeof *searcher->found);
    if (done && searcher->found != NULL)
        return MIEN_OK;
    return error_no_memory(error, "the tables of a cascade", plan->sum_entries * sizeof(int32_t));
}

/* Plans and allocates for the picture, unless it is like the one before. */
static mien_status prepare(cascade_searcher *searcher, const mien_image *gray,
                           const cascade_options *options, mien_error *error)
{
    bool changed;
    mien_status status = cascade_plan_make(searcher->model, gray->width, gray->height, options,
                                           &searcher->plan, &changed, error);
    if (status != MIEN_OK || !changed)
        return status;
    status = allocate_members(searcher, error);
    if (status != MIEN_OK)
        cascade_plan_free(&searcher->plan);
    return status;
}

/* ---- all bands ---- */

static void search_one(void *context, int band, int number)
{
    cascade_searcher *searcher = context;
    search_member *member = &searcher->members[number];
    raw_windows *windows = &member->memory.found;
    band_windows *found = &searcher->found[band];
    *found = (band_windows){.member = number, .first = windows->count};
    if (!band_search(searcher->model, searcher->kernels, &searcher->plan,
                     &searcher->plan.bands[band], searcher->gray, &member->memory))
        member->out_of_memory = true;
    found->end = windows->count;
}

static void search_bands(cascade_searcher *searcher)
{
    for (int i = 0; i < team_size(searcher->team); i++) {
        searcher->members[i].memory.found.count = 0;
        searcher->members[i].out_of_memory = false;
    }
    team_run(searcher->team, (int)searcher->plan.band_count, search_one, searcher);
}

/* Brings what the members found into the order of the bands. */
static bool gather(cascade_searcher *searcher)
{
    searcher->windows.count = 0;
    for (size_t band = 0; band < searcher->plan.band_count; band++) {
        const band_windows *found = &searcher->found[band];
        const search_member *member = &searcher->members[found->member];
        if (member->out_of_memory)
            return false;
        for (size_t i = found->first; i < found->end; i++)
            if (!raw_windows_add(&searcher->windows, &member->memory.found.windows[i]))
                return false;
    }
    return true;
}

static mien_status check_arguments(const mien_image *gray, const cascade_options *options,
                                   mien_error *error)
{
    mien_status status = image_check(gray, error);
    if (status != MIEN_OK)
        return status;
    if (gray->format != MIEN_PIXEL_GRAY8)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "a cascade needs a grey picture, not pixel format %d", (int)gray->format);
    if (!(options->scale_factor > 1.0))
        return error_set(error, MIEN_INVALID_ARGUMENT, "scale_factor is %g, it must be over 1",
                         options->scale_factor);
    if (options->min_width < 0 || options->min_height < 0 || options->max_width < 0 ||
        options->max_height < 0 || options->min_neighbours < 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "sizes and min_neighbours must not be negative: smallest %d x %d, "
                         "largest %d x %d, neighbours %d",
                         options->min_width, options->min_height, options->max_width,
                         options->max_height, options->min_neighbours);
    return MIEN_OK;
}

mien_status cascade_search(cascade_searcher *searcher, const mien_image *gray,
                           const cascade_options *options, face_list *list, mien_error *error)
{
    mien_status status = check_arguments(gray, options, error);
    if (status == MIEN_OK)
        status = prepare(searcher, gray, options, error);
    if (status != MIEN_OK)
        return status;
    searcher->gray = gray;
    search_bands(searcher);
    if (!gather(searcher) || !group_windows(&searcher->windows, options->min_neighbours,
                                            gray->width, gray->height, &searcher->grouping, list))
        return error_no_memory(error, "the windows of a cascade",
                               searcher->windows.count * sizeof(raw_window));
    return MIEN_OK;
}

/* ---- creation ---- */

mien_status cascade_searcher_create(const cascade *model, const cascade_kernels *kernels,
                                    team *workers, cascade_searcher **out, mien_error *error)
{
    *out = NULL;
    size_t members = (size_t)team_size(workers);
    cascade_searcher *searcher = memory_zeroed(1, sizeof *searcher);
    if (searcher == NULL)
        return error_no_memory(error, "a cascade", sizeof *searcher);
    searcher->model = model;
    searcher->kernels = kernels;
    searcher->team = workers;
    searcher->members = memory_zeroed(members, sizeof *searcher->members);
    if (searcher->members == NULL) {
        cascade_searcher_free(searcher);
        return error_no_memory(error, "a cascade", members * sizeof *searcher->members);
    }
    *out = searcher;
    return MIEN_OK;
}

void cascade_searcher_free(cascade_searcher *searcher)
{
    if (searcher == NULL)
        return;
    for (int i = 0; searcher->members != NULL && i < team_size(searcher->team); i++)
        band_memory_free(&searcher->members[i].memory);
    free(searcher->members);
    free(searcher->found);
    raw_windows_free(&searcher->windows);
    window_grouping_free(&searcher->grouping);
    cascade_plan_free(&searcher->plan);
    free(searcher);
}
