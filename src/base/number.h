/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

/* Numbers in text, with a decimal point whatever locale the program has set. Thread-safe. */

#include <stdbool.h>

/*
 * Reads a real number from the front of text, leading white space skipped; *end is behind it.
 * false when there is none, or it is not finite.
 */
bool number_read(const char *text, const char **end, double *value);

#endif
