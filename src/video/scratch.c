/* SPDX-License-Identifier: Apache-2.0 */
#include "video/scratch.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void *scratch_zeroed(scratch *s, size_t count, size_t size)
{
    size_t bytes;
    if (!size_multiply(count, size, &bytes))
        return NULL;
    if (s->memory != NULL && bytes <= s->bytes)
        return memset(s->memory, 0, bytes);
    scratch_free(s);
    s->memory = memory_zeroed(1, bytes > 0 ? bytes : 1);
    s->bytes = s->memory != NULL ? bytes : 0;
    return s->memory;
}

void scratch_free(scratch *s)
{
    free(s->memory);
    *s = (scratch){0};
}
