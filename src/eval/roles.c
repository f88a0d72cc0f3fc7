/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/roles.h"

#include <strings.h>

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcasecmp(name, *names) == 0)
            return true;
    return false;
}

roles roles_of(const char *const *class_names, int class_count)
{
    static const char *const neutral[] = {"neutral", "neutrality", NULL};
    static const char *const happy[] = {"happy", "happiness", NULL};
    static const char *const negative[] = {"angry", "anger",   "contempt", "disgust", "disgusted",
                                           "fear",  "fearful", "sad",      "sadness", NULL};
    roles r = {.class_count = class_count, .neutral = -1, .happy = -1};
    for (int c = 0; c < class_count; c++) {
        if (is_one_of(class_names[c], neutral))
            r.neutral = c;
        else if (is_one_of(class_names[c], happy))
            r.happy = c;
        r.negative[c] = is_one_of(class_names[c], negative);
    }
    return r;
}

/* The largest but for one class, which may be -1. */
static int largest_without(const float *probabilities, int count, int without)
{
    int top = without == 0 ? 1 : 0;
    for (int c = top + 1; c < count; c++)
        if (c != without && probabilities[c] > probabilities[top])
            top = c;
    return top;
}

int roles_top(const roles *r, const float *probabilities)
{
    return largest_without(probabilities, r->class_count, -1);
}

int roles_gate(const roles *r, const float *probabilities, double threshold)
{
    if (r->neutral < 0 || r->class_count == 1)
        return roles_top(r, probabilities);
    if ((double)probabilities[r->neutral] >= threshold)
        return r->neutral;
    return largest_without(probabilities, r->class_count, r->neutral);
}

double roles_negative(const roles *r, const float *probabilities)
{
    double sum = 0;
    for (int c = 0; c < r->class_count; c++)
        sum += r->negative[c] ? (double)probabilities[c] : 0;
    return sum;
}

double roles_valence(const roles *r, const float *probabilities)
{
    double happy = r->happy >= 0 ? (double)probabilities[r->happy] : 0;
    return happy - roles_negative(r, probabilities);
}
