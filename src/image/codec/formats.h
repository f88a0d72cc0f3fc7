/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAGE_CODEC_FORMATS_H
#define IMAGE_CODEC_FORMATS_H

/* The parts of the codec, inside this folder only: one decoder per format and what they share. */

#include <mien/image.h>
#include <stdbool.h>

/* What a decoder works on. The bytes are hostile. */
typedef struct codec_input {
    const uint8_t *bytes;
    size_t size;
    mien_pixel_format wanted; /* a hint: a decoder may deliver any format that it finds handier */
    int64_t max_pixels;       /* of the whole picture, at least 1 */
    int factor;               /* JPEG: 1, 2, 4 or 8, by which the sides shrink */
} codec_input;

/* Whether the bytes begin like a file of the format. */
bool jpeg_matches(const uint8_t *bytes, size_t size);
bool png_matches(const uint8_t *bytes, size_t size);
bool pnm_matches(const uint8_t *bytes, size_t size);

/*
 * Decoders. Success: *out is the caller's to free with mien_image_free.
 * Failure: *out is as it was; statuses as mien_image_decode's.
 */
mien_status jpeg_decode(const codec_input *input, mien_image *out, mien_error *error);
mien_status png_decode(const codec_input *input, mien_image *out, mien_error *error);
mien_status pnm_decode(const codec_input *input, mien_image *out, mien_error *error);

/*
 * Checks the size that a header claims, before anything is allocated for the picture.
 * MIEN_MALFORMED for no pixels, MIEN_LIMIT for too many; format is "JPEG" and so on.
 */
mien_status codec_check_size(const char *format, int64_t width, int64_t height, int64_t max_pixels,
                             mien_error *error);

/* What mien wants to know from the markers before a JPEG's first scan; 0 where they say nothing. */
typedef struct jpeg_header {
    int width, height; /* as stored, before orientation */
    bool has_size;
    bool is_adobe;   /* an Adobe marker: CMYK is stored inverted */
    int orientation; /* of the first EXIF segment, 1..8; 1 when absent or invalid */
} jpeg_header;

jpeg_header jpeg_read_header(const uint8_t *bytes, size_t size);

/* The largest factor that leaves the longer side least_side pixels, at least 1; and the size of the
 * whole picture, upright. A factor of 1 where the header does not tell. */
mien_image_reduction jpeg_reduction(const uint8_t *bytes, size_t size, int least_side);

/*
 * The orientation, 1..8, from the TIFF block of an EXIF segment (after "Exif\0\0"); 1 when there is
 * none or the block is broken. EXIF 2.32, tag 0x0112 of the first image file directory.
 */
int exif_orientation(const uint8_t *tiff, size_t size);

/*
 * Turns a picture so that up is up. Success: *image is a new picture, the old one is freed.
 * Failure: *image is as it was. MIEN_OUT_OF_MEMORY.
 */
mien_status codec_orient(mien_image *image, int orientation, mien_error *error);

#endif
