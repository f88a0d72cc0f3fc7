/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include "base/memory.h"

#include <string.h>

char *address_without_password(const char *text)
{
    char *copy = memory_copy_string(text);
    char *host = copy != NULL ? strstr(copy, "://") : NULL;
    if (host == NULL)
        return copy;
    host += 3;
    char *at = memrchr(host, '@', strcspn(host, "/?# "));
    if (at != NULL)
        memmove(host, at + 1, strlen(at + 1) + 1);
    return copy;
}
