/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run.h"

#include <stdarg.h>
#include <stdio.h>

void run_path(const run *r, const char *name, char path[RUN_PATH_SIZE])
{
    snprintf(path, RUN_PATH_SIZE, "%s/%s", r->options->folder, name);
}

void run_note(const run *r, const char *format, ...)
{
    char text[512];
    va_list arguments;
    if (r->options->note == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    r->options->note(r->options->context, text);
}
