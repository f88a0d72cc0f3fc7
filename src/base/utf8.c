/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

static int claimed_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first < 0xE0)
        return 2;
    if (first >= 0xE0 && first < 0xF0)
        return 3;
    return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/* Forms that are too long, surrogates, beyond U+10FFFF, the two noncharacters. */
static bool is_forbidden(const unsigned char *c)
{
    return (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] >= 0xA0) ||
           (c[0] == 0xF0 && c[1] < 0x90) || (c[0] == 0xF4 && c[1] >= 0x90) ||
           (c[0] == 0xEF && c[1] == 0xBF && c[2] >= 0xBE);
}

int utf8_length(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    int length = claimed_length(c[0]);
    for (int i = 1; i < length; i++) /* the zero byte at the end is no continuation */
        if ((c[i] & 0xC0) != 0x80)
            return 0;
    return length > 1 && is_forbidden(c) ? 0 : length;
}

const char *utf8_clean(const char *text, char *buffer, size_t size)
{
    size_t used = 0;
    while (*text != '\0') {
        int length = utf8_length(text);
        size_t bytes = length > 0 ? (size_t)length : 1;
        if (used + bytes >= size)
            break;
        if (length > 0)
            memcpy(buffer + used, text, bytes);
        else
            buffer[used] = '?';
        used += bytes;
        text += bytes;
    }
    buffer[used] = '\0';
    return buffer;
}
