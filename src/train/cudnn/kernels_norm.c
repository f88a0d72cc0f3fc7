/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cudnn/kernel.h"
#include "train/rules.h"

/* ---- Forwards ---- */

KERNEL(kernel_moments)
{
    uint32_t part = i / work->channels, channel = i % work->channels;
    uint32_t first = part * work->each;
    uint32_t end = work->rows - first < work->each ? work->rows : first + work->each;
    float origin = work->x[channel], sum = 0, squares = 0;
    for (uint32_t row = first; row < end; row++) {
        float apart = work->x[row * work->channels + channel] - origin;
        sum += apart;
        squares += apart * apart;
    }
    work->sums[(2 * part) * work->channels + channel] = sum;
    work->sums[(2 * part + 1) * work->channels + channel] = squares;
}

KERNEL(kernel_statistics)
{
    double shifted = (double)work->sums[i] / work->rows;
    double variance = (double)work->sums[work->channels + i] / work->rows - shifted * shifted;
    work->mean[i] = (float)(work->x[i] + shifted);
    work->inverse[i] = (float)(1 / sqrt((variance > 0 ? variance : 0) + (double)work->epsilon));
}

DEVICE float normalised(const kernel_normal *n, uint32_t i)
{
    uint32_t c = i % n->channels;
    float factor = n->inverse[c] * n->scale[c];
    return rule_activated(n->activation, (n->x[i] - n->mean[c]) * factor + n->shift[c]);
}

KERNEL(kernel_normalise)
{
    float y = normalised(&work->normal, i);
    work->y[i] = y;
    if (work->rounded != NULL)
        work->rounded[i] = rule_bf16(y);
}

KERNEL(kernel_normalise_running)
{
    const kernel_normal *n = &work->normal;
    uint32_t c = i % n->channels;
    float factor = n->scale[c] / sqrtf(n->inverse[c] + work->epsilon);
    float y = rule_activated(n->activation, (n->x[i] - n->mean[c]) * factor + n->shift[c]);
    work->y[i] = y;
    if (work->rounded != NULL)
        work->rounded[i] = rule_bf16(y);
}

KERNEL(kernel_move_statistics)
{
    double inverse = work->inverse[i];
    double biased = 1 / (inverse * inverse) - (double)work->epsilon;
    work->running_mean[i] += work->momentum * (work->mean[i] - work->running_mean[i]);
    work->running_variance[i] +=
        work->momentum * ((float)(biased * work->unbiased) - work->running_variance[i]);
}

/* ---- Backwards ---- */

/* What comes to the normalised number behind the joined activation. */
DEVICE float coming_back(const kernel_normal *n, const float *dy, uint32_t i)
{
    if (n->activation.kind == NN_ACTIVATION_NONE)
        return dy[i];
    return dy[i] * rule_slope(n->activation, 0, normalised(n, i));
}

KERNEL(kernel_back_sums)
{
    const kernel_normal *n = &work->normal;
    uint32_t part = i / n->channels, channel = i % n->channels;
    uint32_t first = part * work->each;
    uint32_t end = work->rows - first < work->each ? work->rows : first + work->each;
    float sum = 0, dot = 0;
    for (uint32_t row = first; row < end; row++) {
        uint32_t at = row * n->channels + channel;
        float back = coming_back(n, work->dy, at);
        sum += back;
        dot += back * (n->x[at] - n->mean[channel]);
    }
    work->sums[(2 * part) * n->channels + channel] = sum;
    work->sums[(2 * part + 1) * n->channels + channel] = dot;
}

KERNEL(kernel_slopes)
{
    double inverse = work->inverse[i], sum = work->sums[i];
    double normal_dot = work->sums[work->channels + i] * inverse; /* of dy and normalised x */
    double factor = work->scale[i] * inverse;
    double per_x = -factor * normal_dot * inverse / work->rows;
    work->d_scale[i] = (float)normal_dot;
    work->d_shift[i] = (float)sum;
    work->slopes[i] = (float)factor;
    work->slopes[work->channels + i] = (float)per_x;
    work->slopes[2 * work->channels + i] =
        (float)(-factor * sum / work->rows - per_x * work->mean[i]);
}

KERNEL(kernel_normalise_backward)
{
    const kernel_normal *n = &work->normal;
    uint32_t c = i % n->channels;
    const float *slopes = work->slopes;
    float dx = slopes[c] * coming_back(n, work->dy, i) + slopes[n->channels + c] * n->x[i] +
               slopes[2 * n->channels + c];
    if (work->rounded != NULL)
        work->rounded[i] = rule_bf16(dx);
    else
        work->dx[i] = dx;
}
