/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/cudnn.h"

/* Of device_sums: two places that sums go between on their way, and one for what comes of them. */
#define PLACE_FLOATS (DEVICE_SUMS / 4 + DEVICE_SUMS / 8)

#define FEWEST_ROWS 32 /* of a part: fewer are not worth a thread */
#define JOINED      64 /* parts that a thread adds up */

sums_plan sums_of(train_device *device, int64_t rows, int64_t width, float *result)
{
    int64_t most = PLACE_FLOATS / width, parts = (rows + FEWEST_ROWS - 1) / FEWEST_ROWS;
    parts = parts > most ? most : parts;
    int64_t each = parts > 1 ? (rows + parts - 1) / parts : rows;
    return (sums_plan){.device = device,
                       .rows = (uint32_t)rows,
                       .width = (uint32_t)width,
                       .parts = (uint32_t)((rows + each - 1) / each),
                       .each = (uint32_t)each,
                       .result = result != NULL ? result : device_sums(device) + 2 * PLACE_FLOATS};
}

float *sums_spare(const sums_plan *plan)
{
    return device_sums(plan->device) + 2 * PLACE_FLOATS + DEVICE_SUMS / 8;
}

float *sums_begin(const sums_plan *plan)
{
    return plan->parts > 1 ? device_sums(plan->device) : plan->result;
}

void sums_finish(const sums_plan *plan)
{
    float *from = device_sums(plan->device), *to = from + PLACE_FLOATS;
    for (uint32_t parts = plan->parts; parts > 1;) {
        uint32_t joined = (parts + JOINED - 1) / JOINED;
        kernel_sum_rows_work work = {.x = from,
                                     .y = joined > 1 ? to : plan->result,
                                     .rows = parts,
                                     .width = plan->width,
                                     .each = JOINED};
        kernel_sum_rows(plan->device, &work, (int64_t)joined * plan->width);
        float *free_place = from;
        from = to;
        to = free_place;
        parts = joined;
    }
}

void sums_of_rows(train_device *device, const float *x, const float *mask, int64_t rows,
                  int64_t channels, float *result)
{
    sums_plan plan = sums_of(device, rows, channels, result);
    kernel_sum_rows_work work = {.x = x,
                                 .mask = mask,
                                 .y = sums_begin(&plan),
                                 .rows = plan.rows,
                                 .width = plan.width,
                                 .each = plan.each};
    kernel_sum_rows(device, &work, (int64_t)plan.parts * plan.width);
    sums_finish(&plan);
}
