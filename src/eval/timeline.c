/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/timeline.h"

#include <math.h>

enum { LEFT_EYE, RIGHT_EYE, NOSE };

float timeline_facing(const float (*landmarks)[2])
{
    if (landmarks == NULL)
        return -1;
    float left = landmarks[LEFT_EYE][0], right = landmarks[RIGHT_EYE][0];
    float from_middle = fabsf(2 * (landmarks[NOSE][0] - left) / (right - left) - 1);
    return isfinite(from_middle) ? 1 - fminf(1, from_middle) : -1;
}
