/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/json_text.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

json_t *json_text_finish(json_t *value, bool complete)
{
    if (complete)
        return value;
    json_decref(value);
    return NULL;
}

json_t *json_text_name(const char *name)
{
    json_t *text = json_string(name);
    if (text != NULL)
        return text;
    char *ascii = memory_copy_string(name);
    if (ascii == NULL)
        return NULL;
    for (char *c = ascii; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    text = json_string(ascii);
    free(ascii);
    return text;
}

typedef struct text_buffer {
    char *bytes;
    size_t used, capacity;
    bool failed; /* remembered here, because jansson may overlook it */
} text_buffer;

static int append(const char *bytes, size_t size, void *context)
{
    text_buffer *text = context;
    if (text->failed)
        return -1;
    if (size >= text->capacity - text->used) {
        size_t capacity = 2 * text->capacity + size + 1;
        char *grown = realloc(text->bytes, capacity);
        text->failed = grown == NULL;
        if (text->failed)
            return -1;
        text->bytes = grown;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->used, bytes, size);
    text->used += size;
    text->bytes[text->used] = '\0';
    return 0;
}

char *json_text_dump(json_t *value, size_t flags)
{
    text_buffer text = {0};
    bool whole = value != NULL && json_dump_callback(value, append, &text, flags) == 0;
    json_decref(value);
    if (whole && !text.failed)
        return text.bytes;
    free(text.bytes);
    return NULL;
}
