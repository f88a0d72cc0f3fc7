/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIVE_WHEN_H
#define LIVE_WHEN_H

/* Moments as text, for records. */

#include <time.h>

#define WHEN_SIZE 32

/* "2026-05-01T08:17:36Z"; "?" outside of the years 1970 to 9999. Returns text. */
const char *when_utc(time_t seconds, char text[WHEN_SIZE]);

#endif
