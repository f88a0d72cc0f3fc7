/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/file.h"
#include "image/codec/codec.h"
#include "image/image.h"

#include <stdlib.h>
#include <strings.h>

enum { JPEG_QUALITY = 92 };

typedef mien_status encoder(const mien_image *image, uint8_t **bytes, size_t *size,
                            mien_error *error);

static mien_status encode_jpeg(const mien_image *image, uint8_t **bytes, size_t *size,
                               mien_error *error)
{
    return image_encode_jpeg(image, JPEG_QUALITY, bytes, size, error);
}

/* As PGM or PPM, whatever the picture's own format. */
static mien_status encode_pnm_as(mien_pixel_format format, const mien_image *image, uint8_t **bytes,
                                 size_t *size, mien_error *error)
{
    mien_status status = image_check(image, error);
    if (status != MIEN_OK)
        return status;
    mien_image converted;
    status = mien_image_alloc(image->width, image->height, format, &converted, error);
    if (status != MIEN_OK)
        return status;
    status = image_convert(image, &converted, error);
    if (status == MIEN_OK)
        status = image_encode_pnm(&converted, bytes, size, error);
    mien_image_free(&converted);
    return status;
}

static mien_status encode_pgm(const mien_image *image, uint8_t **bytes, size_t *size,
                              mien_error *error)
{
    return encode_pnm_as(MIEN_PIXEL_GRAY8, image, bytes, size, error);
}

static mien_status encode_ppm(const mien_image *image, uint8_t **bytes, size_t *size,
                              mien_error *error)
{
    return encode_pnm_as(MIEN_PIXEL_RGB8, image, bytes, size, error);
}

static encoder *find_encoder(const char *extension)
{
    static const struct {
        const char *extension;
        encoder *encode;
    } encoders[] = {
        {"jpg", encode_jpeg}, {"jpeg", encode_jpeg}, {"png", image_encode_png},
        {"pgm", encode_pgm},  {"ppm", encode_ppm},
    };
    for (size_t i = 0; i < sizeof encoders / sizeof *encoders; i++)
        if (strcasecmp(extension, encoders[i].extension) == 0)
            return encoders[i].encode;
    return NULL;
}

mien_status mien_image_save(const mien_image *image, const char *path, mien_error *error)
{
    if (path == NULL)
        return error_set(error, MIEN_INVALID_ARGUMENT, "no path of a picture was given");
    encoder *encode = find_encoder(file_extension(path));
    if (encode == NULL)
        return error_set(error, MIEN_UNSUPPORTED,
                         "cannot tell from '%s' which format to write: the name must end in .jpg, "
                         ".jpeg, .png, .pgm or .ppm",
                         path);
    uint8_t *bytes = NULL;
    size_t size = 0;
    mien_status status = encode(image, &bytes, &size, error);
    if (status != MIEN_OK)
        return error_prefix(error, status, "'%s'", path);
    status = file_write_atomic(path, bytes, size, error);
    free(bytes);
    return status;
}
