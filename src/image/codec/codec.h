/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAGE_CODEC_CODEC_H
#define IMAGE_CODEC_CODEC_H

/*
 * Pictures to bytes. (Bytes to pictures is mien_image_decode in mien/image.h.)
 *
 * All functions take a picture of any format. Alpha, which mien ignores, is not written.
 * Success: *bytes is the caller's, *size bytes long, freed with free().
 * Failure: *bytes is NULL and *size 0. MIEN_INVALID_ARGUMENT, MIEN_LIMIT (a side that the format
 * cannot hold), MIEN_OUT_OF_MEMORY.
 */

#include <mien/image.h>

/* quality: 1..100. Grey pictures give grey files; colour is not subsampled (4:4:4). */
mien_status image_encode_jpeg(const mien_image *image, int quality, uint8_t **bytes, size_t *size,
                              mien_error *error);

/* 8 bits a channel: grey pictures as grey, all others as RGB. */
mien_status image_encode_png(const mien_image *image, uint8_t **bytes, size_t *size,
                             mien_error *error);

/* The same in a sixth of the time; a photograph takes as many bytes, a drawing more. */
mien_status image_encode_png_fast(const mien_image *image, uint8_t **bytes, size_t *size,
                                  mien_error *error);

/* Grey pictures as binary PGM (P5), all others as binary PPM (P6). */
mien_status image_encode_pnm(const mien_image *image, uint8_t **bytes, size_t *size,
                             mien_error *error);

#endif
