/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

bool number_read(const char *text, const char **end, double *value)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return false;
    char *behind;
    *value = strtod_l(text, &behind, c_locale);
    freelocale(c_locale);
    *end = behind;
    return behind != text && isfinite(*value);
}
