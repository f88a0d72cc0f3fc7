/* SPDX-License-Identifier: Apache-2.0 */
#include "video/smoother.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static mien_status check(const smoother *s, double time_s, double time_constant_s,
                         const float *probabilities, int count, mien_error *error)
{
    if (count < 1 || count > MIEN_MAX_CLASSES || (s->started && count != s->count))
        return error_set(error, MIEN_INVALID_ARGUMENT, "%d probabilities cannot be smoothed",
                         count);
    if (!isfinite(time_s) || !isfinite(time_constant_s) || time_constant_s < 0)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "cannot smooth at %g s with a time constant of %g s", time_s,
                         time_constant_s);
    for (int c = 0; c < count; c++)
        if (!isfinite(probabilities[c]))
            return error_set(error, MIEN_INVALID_ARGUMENT, "probability %d is not a finite number",
                             c);
    return MIEN_OK;
}

/* The weight of a new sample, 0..1. */
static double weight_of(const smoother *s, double time_s, double time_constant_s)
{
    if (!s->started || time_constant_s <= 0)
        return 1;
    return -expm1(-fmax(0, time_s - s->time_s) / time_constant_s);
}

mien_status smoother_update(smoother *s, double time_s, double time_constant_s,
                            float *probabilities, int count, mien_error *error)
{
    mien_status status = check(s, time_s, time_constant_s, probabilities, count, error);
    if (status != MIEN_OK)
        return status;
    double weight = weight_of(s, time_s, time_constant_s);
    for (int c = 0; c < count; c++)
        s->values[c] = (float)(s->values[c] + weight * ((double)probabilities[c] - s->values[c]));
    memcpy(probabilities, s->values, (size_t)count * sizeof *probabilities);
    s->count = count;
    s->time_s = time_s;
    s->started = true;
    return MIEN_OK;
}
