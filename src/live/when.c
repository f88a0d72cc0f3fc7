/* SPDX-License-Identifier: Apache-2.0 */
#include "live/when.h"

#include <stdint.h>
#include <stdio.h>

const char *when_utc(time_t seconds, char text[WHEN_SIZE])
{
    const int64_t last = INT64_C(253402300799); /* of the year 9999 */
    struct tm utc;
    if (seconds < 0 || seconds > last || gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(text, WHEN_SIZE, "?");
    return text;
}
