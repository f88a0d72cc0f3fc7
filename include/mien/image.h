/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIEN_IMAGE_H
#define MIEN_IMAGE_H

/*
 * Pictures: 8 bits a channel, interleaved, top row first.
 */

#include <mien/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mien_pixel_format {
    MIEN_PIXEL_GRAY8 = 1, /* 1 byte: luma                */
    MIEN_PIXEL_RGB8,      /* 3 bytes: red, green, blue   */
    MIEN_PIXEL_BGR8,      /* 3 bytes: blue, green, red   */
    MIEN_PIXEL_RGBA8,     /* 4 bytes, alpha not premultiplied and ignored */
    MIEN_PIXEL_BGRA8      /* 4 bytes, the same, blue first */
} mien_pixel_format;

/*
 * A picture, or a view of somebody's pixels. Filling in the fields by hand
 * makes a view: then the pixels stay their owner's and mien_image_free must not
 * be called. A picture that mien made (mien_image_alloc, mien_image_decode and
 * its like, mien_image_load) is the caller's to free with mien_image_free.
 */
typedef struct mien_image {
    uint8_t *data; /* first byte of the top row */
    int width;     /* pixels, at least 1 */
    int height;    /* pixels, at least 1 */
    size_t stride; /* bytes from one row to the next, at least width * bytes per pixel */
    mien_pixel_format format;
} mien_image;

/* Largest picture that mien opens unless told otherwise: 100 million pixels. */
#define MIEN_DEFAULT_MAX_PIXELS ((int64_t)100000000)

/* Bytes per pixel of a format, or 0 when the format is unknown. */
MIEN_API int mien_pixel_size(mien_pixel_format format);

/*
 * Makes a picture of width x height with all bytes zero.
 * Success: *out is the caller's, free with mien_image_free.
 * Failure: *out is zeroed. MIEN_INVALID_ARGUMENT, MIEN_LIMIT (a side over
 * 65535 pixels), MIEN_OUT_OF_MEMORY.
 */
MIEN_API mien_status mien_image_alloc(int width, int height, mien_pixel_format format,
                                      mien_image *out, mien_error *error);

/* Frees the pixels and zeroes the structure. NULL and zeroed pictures are fine. */
MIEN_API void mien_image_free(mien_image *image);

/*
 * Reads a JPEG, PNG, PGM (P5, P2) or PPM (P6, P3) picture from memory and
 * converts it to the wanted format. JPEG's EXIF orientation is applied, so up
 * is up. Grey, palette, 16-bit, alpha and CMYK pictures are accepted; 16-bit
 * values are reduced to their high byte; alpha is dropped unless the wanted
 * format has it.
 * max_pixels: pictures with more are refused before any memory is taken for
 * them; 0 stands for MIEN_DEFAULT_MAX_PIXELS.
 * Success: *out is the caller's, free with mien_image_free.
 * Failure: *out is zeroed. MIEN_UNSUPPORTED (not one of these formats),
 * MIEN_MALFORMED (broken, truncated, or no pixels), MIEN_LIMIT, MIEN_OUT_OF_MEMORY.
 */
MIEN_API mien_status mien_image_decode(const void *bytes, size_t size, mien_pixel_format format,
                                       int64_t max_pixels, mien_image *out, mien_error *error);

/*
 * The same from a file. Further errors: MIEN_NOT_FOUND, MIEN_IO.
 */
MIEN_API mien_status mien_image_load(const char *path, mien_pixel_format format, int64_t max_pixels,
                                     mien_image *out, mien_error *error);

/* How much of a picture was decoded: a point of the whole one lies at factor times its place. */
typedef struct mien_image_reduction {
    int factor;                  /* 1, 2, 4 or 8 */
    int full_width, full_height; /* pixels of the whole picture, upright */
} mien_image_reduction;

/*
 * mien_image_decode for who needs no more than least_side pixels (at least 1) along the longer
 * side: a JPEG picture is decoded at half, a quarter or an eighth of its size, the smallest that
 * has them, in a fraction of the time; pictures of other formats whole. max_pixels: of the whole
 * one.
 * Success: *out is the caller's, free with mien_image_free; *reduction tells what was done.
 * Failure: both are zeroed. Errors as of mien_image_decode, and MIEN_INVALID_ARGUMENT (least_side
 * under 1, no place for the reduction).
 */
MIEN_API mien_status mien_image_decode_reduced(const void *bytes, size_t size,
                                               mien_pixel_format format, int64_t max_pixels,
                                               int least_side, mien_image *out,
                                               mien_image_reduction *reduction, mien_error *error);

/*
 * Writes a picture to a file, atomically: a reader sees the old file or the
 * whole new one. The ending of the name chooses the format: .jpg or .jpeg
 * (quality 92), .png, .pgm (grey, BT.601) or .ppm.
 * Errors: MIEN_UNSUPPORTED (unknown ending), MIEN_IO (no space, no right to
 * write), MIEN_OUT_OF_MEMORY. On failure no file is left behind.
 */
MIEN_API mien_status mien_image_save(const mien_image *image, const char *path, mien_error *error);

#ifdef __cplusplus
}
#endif

#endif
