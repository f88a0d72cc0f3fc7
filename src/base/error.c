/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *mien_status_name(mien_status status)
{
    switch (status) {
#define STATUS_CASE(name, text)                                                                    \
    case name:                                                                                     \
        return text;
        MIEN_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}

__attribute__((format(printf, 4, 0))) static void
fill(mien_error *error, mien_status status, int64_t position, const char *format, va_list args)
{
    if (error == NULL)
        return;
    error->status = status;
    error->position = position;
    vsnprintf(error->message, sizeof error->message, format, args);
}

mien_status error_set(mien_error *error, mien_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(error, status, -1, format, args);
    va_end(args);
    return status;
}

mien_status error_set_at(mien_error *error, mien_status status, int64_t position,
                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(error, status, position, format, args);
    va_end(args);
    return status;
}

mien_status error_prefix(mien_error *error, mien_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    char message[MIEN_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (length < 0)
        return status;
    size_t used = (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
    snprintf(message + used, sizeof message - used, ": %s", error->message);
    memcpy(error->message, message, sizeof message);
    return status;
}

mien_status error_no_memory(mien_error *error, const char *what, uint64_t bytes)
{
    return error_set(error, MIEN_OUT_OF_MEMORY, "out of memory for %s (%" PRIu64 " bytes)", what,
                     bytes);
}
