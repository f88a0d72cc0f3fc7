/* SPDX-License-Identifier: Apache-2.0 */
#include "data/nearest.h"

double nearest_square_distance(const float *a, const float *b, size_t dims)
{
    enum { LANES = 8 }; /* side by side: the order is fixed, and the compiler may use vectors */
    double lanes[LANES] = {0};
    size_t whole = dims - dims % LANES;
    for (size_t d = 0; d < whole; d += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            double difference = (double)a[d + lane] - (double)b[d + lane];
            lanes[lane] += difference * difference;
        }
    for (size_t d = whole; d < dims; d++) {
        double difference = (double)a[d] - (double)b[d];
        lanes[d - whole] += difference * difference;
    }
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

void nearest_offer(nearest_list *list, size_t index, double distance)
{
    if (list->count == list->most && !(distance < list->distance[list->count - 1]))
        return;
    if (list->count < list->most)
        list->count++;
    size_t place = list->count - 1;
    for (; place > 0 && distance < list->distance[place - 1]; place--) {
        list->index[place] = list->index[place - 1];
        list->distance[place] = list->distance[place - 1];
    }
    list->index[place] = index;
    list->distance[place] = distance;
}
