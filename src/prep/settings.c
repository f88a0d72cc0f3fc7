/* SPDX-License-Identifier: Apache-2.0 */
#include "prep/prep.h"

#include "base/error.h"

#define MAX_SIDE 4096

static mien_status read_input(const setting_list *s, int channels, prep_settings *out,
                              mien_error *error)
{
    static const char *const formats[] = {"gray", "rgb", "bgr", NULL};
    int format = channels == 1 ? PREP_GRAY : PREP_RGB;
    mien_status status = settings_choice(s, "mien.input.format", formats, &format, error);
    if (status == MIEN_OK)
        status = settings_int(s, "mien.input.width", 1, MAX_SIDE, &out->width, error);
    if (status == MIEN_OK)
        status = settings_int(s, "mien.input.height", 1, MAX_SIDE, &out->height, error);
    if (status == MIEN_OK)
        status = settings_floats(s, "mien.input.mean", -1e6, 1e6, out->mean, 3, error);
    if (status == MIEN_OK)
        status = settings_floats(s, "mien.input.scale", -1e6, 1e6, out->scale, 3, error);
    out->format = (prep_format)format;
    return status;
}

static mien_status read_crop(const setting_list *s, prep_settings *out, mien_error *error)
{
    static const char *const alignments[] = {"none", "eyes", NULL};
    int alignment = PREP_ALIGN_NONE;
    mien_status status = settings_float(s, "mien.crop.margin", -0.4, 2, &out->margin, error);
    if (status == MIEN_OK)
        status = settings_bool(s, "mien.crop.square", &out->square, error);
    if (status == MIEN_OK)
        status = settings_choice(s, "mien.crop.align", alignments, &alignment, error);
    out->alignment = (prep_alignment)alignment;
    return status;
}

mien_status prep_read_settings(const setting_list *s, int channels, int height, int width,
                               prep_settings *out, mien_error *error)
{
    *out = (prep_settings){.width = width,
                           .height = height,
                           .mean = {127.5f, 127.5f, 127.5f},
                           .scale = {1 / 127.5f, 1 / 127.5f, 1 / 127.5f},
                           .square = true};
    mien_status status = read_input(s, channels, out, error);
    if (status == MIEN_OK)
        status = read_crop(s, out, error);
    if (status != MIEN_OK)
        return status;
    int wanted = out->format == PREP_GRAY ? 1 : 3;
    if (channels != wanted)
        return error_set(error, MIEN_SHAPE,
                         "the network takes %d channels, mien.input.format needs %d", channels,
                         wanted);
    if ((height != 0 && height != out->height) || (width != 0 && width != out->width))
        return error_set(error, MIEN_SHAPE,
                         "the network takes %dx%d pixels, the settings say %dx%d", width, height,
                         out->width, out->height);
    if (out->width == 0 || out->height == 0)
        return error_set(error, MIEN_SHAPE,
                         "the network takes any size: mien.input.width and mien.input.height must "
                         "say which (0x0 is none)");
    return MIEN_OK;
}
