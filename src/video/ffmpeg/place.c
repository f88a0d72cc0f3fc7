/* SPDX-License-Identifier: Apache-2.0 */
#include "video/ffmpeg/place.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SCREEN_PREFIX "screen:"
#define CAMERA_PREFIX "/dev/video"

enum { CAMERA_MAJOR = 81 }; /* Linux's number for Video4Linux devices */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static mien_status set_url(place *out, place_kind kind, const char *prefix, const char *name,
                           mien_error *error)
{
    out->kind = kind;
    int length = snprintf(out->url, sizeof out->url, "%s%s", prefix, name);
    if (length < 0 || (size_t)length >= sizeof out->url)
        return error_set(error, MIEN_LIMIT, "the name of the source is too long (%zu bytes)",
                         strlen(name));
    return MIEN_OK;
}

static mien_status find_here(const char *name, mode_t mode, dev_t device, place *out,
                             mien_error *error)
{
    if (S_ISDIR(mode))
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "'%s' is a folder; name a video, or its pictures by a pattern such as "
                         "'%s/%%04d.png'",
                         name, name);
    if (S_ISCHR(mode) && major(device) == CAMERA_MAJOR)
        return set_url(out, PLACE_CAMERA, "", name, error);
    return S_ISREG(mode) ? set_url(out, PLACE_FILE, "file:", name, error)
                         : set_url(out, PLACE_PIPE, "", name, error);
}

static mien_status find_screen(const char *display, place *out, mien_error *error)
{
    if (*display == '\0')
        display = getenv("DISPLAY");
    if (display == NULL || *display == '\0')
        return error_set(error, MIEN_NOT_FOUND,
                         "there is no screen: DISPLAY is not set; name one such as '%s:0'",
                         SCREEN_PREFIX);
    return set_url(out, PLACE_SCREEN, "", display, error);
}

mien_status place_find(const char *name, place *out, mien_error *error)
{
    struct stat info;
    if (strcmp(name, "-") == 0)
        return set_url(out, PLACE_PIPE, "", name, error);
    if (stat(name, &info) == 0)
        return find_here(name, info.st_mode, info.st_rdev, out, error);
    if (strstr(name, "://") != NULL)
        return set_url(out, PLACE_ADDRESS, "", name, error);
    if (starts_with(name, SCREEN_PREFIX))
        return find_screen(name + strlen(SCREEN_PREFIX), out, error);
    if (starts_with(name, CAMERA_PREFIX))
        return error_set(error, MIEN_NOT_FOUND, "there is no camera '%s'", name);
    if (strchr(name, '%') != NULL)
        return set_url(out, PLACE_FILE, "", name, error);
    return error_set(error, MIEN_NOT_FOUND, "there is no file '%s'", name);
}
