/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

/*
 * Work on pixels, without any dependency: conversion, resize, crop, warp, integral images.
 * Decoding and encoding are in image/codec. Pure functions over the caller's buffers: thread-safe.
 */

#include <mien/image.h>
#include <stdbool.h>

/* Longest side of a picture in pixels: products of two sides fit into 32 bits. */
#define IMAGE_MAX_SIDE 65535

/* A box in pixels; it may be fractional and reach beyond the picture. */
typedef struct image_rect {
    float x, y; /* left and top edge; 0,0 is the outer corner of the first pixel */
    float width, height;
} image_rect;

/* First byte of row y. */
static inline uint8_t *image_row(const mien_image *image, int y)
{
    return image->data + (size_t)y * image->stride;
}

/* The rounded BT.601 luma of a colour, as OpenCV's cvtColor computes it: 0..255. */
static inline uint8_t image_luma(int red, int green, int blue)
{
    return (uint8_t)((9798 * red + 19235 * green + 3735 * blue + 16384) >> 15);
}

/* mien_image_alloc with bytes of any value, for who writes them all. */
mien_status image_alloc_unset(int width, int height, mien_pixel_format format, mien_image *out,
                              mien_error *error);

/* Checks the fields of a picture that came from a caller: format, sides, stride, data. */
mien_status image_check(const mien_image *image, mien_error *error);

/*
 * Converts src into dst, which has the same width and height and any format. Colour to grey is
 * image_luma. Grey to
 * colour repeats the value; alpha is set to 255 where the source has none. dst may not overlap src.
 */
mien_status image_convert(const mien_image *src, mien_image *dst, mien_error *error);

typedef enum image_filter {
    IMAGE_FILTER_BILINEAR, /* half-pixel centres; OpenCV's INTER_LINEAR_EXACT, bit for bit */
    IMAGE_FILTER_AREA      /* mean of the covered area with fractional edges; for shrinking */
} image_filter;

/*
 * Resizes src to the size of dst (same format, at most 4 channels).
 * MIEN_INVALID_ARGUMENT when formats differ; MIEN_OUT_OF_MEMORY (it takes some rows of scratch).
 */
mien_status image_resize(const mien_image *src, mien_image *dst, image_filter filter,
                         mien_error *error);

/* Where a new sample lies along one axis: it is the old sample at first * (256 - weight) + the next
 * one * weight, over 256. weight is 0 at the last old sample. */
typedef struct image_tap {
    int32_t first;
    int32_t weight; /* 0..256 */
} image_tap;

/* The taps of IMAGE_FILTER_BILINEAR from old_count to new_count samples into taps (new_count). */
void image_bilinear_taps(int old_count, int new_count, image_tap *taps);

/*
 * One row of what image_resize makes with IMAGE_FILTER_BILINEAR, into dst (width pixels of src's
 * format). Allocates nothing. row: its tap along y; columns: the taps along x; scratch: for src's
 * width + 1 pixels.
 */
void image_bilinear_row(const mien_image *src, image_tap row, const image_tap *columns, int width,
                        uint16_t *scratch, uint8_t *dst);

/*
 * dst(x, y) = src(M (x, y, 1)): inverse affine warp with bilinear sampling at half-pixel centres;
 * outside the picture the nearest edge pixel is repeated.
 * inverse: row-major 2x3, maps dst pixel coordinates (centre of the first pixel = 0.5, 0.5) to src.
 */
mien_status image_warp_affine(const mien_image *src, const double inverse[6], mien_image *dst,
                              mien_error *error);

/* A crop as a view: no pixels are copied; x, y, width, height must lie inside. */
mien_status image_view(const mien_image *image, int x, int y, int width, int height,
                       mien_image *view, mien_error *error);

/* Mirrors src left to right into dst (same size and format). */
mien_status image_mirror(const mien_image *src, mien_image *dst, mien_error *error);

/*
 * Integral images of a grey picture of W x H: tables of (H+1) rows of (W+1) entries, first row
 * zero, and the first column of sum and squares. sum(y, x) = sum of pixels above and left of (x,
 * y). Any of the tables may be NULL.
 */
typedef struct image_tables {
    int32_t *sum;      /* at most 2^31 / 255 pixels */
    uint32_t *squares; /* sums of squares modulo 2^32: differences of boxes up to 66,051 pixels are
                          exact */
    int32_t *tilted;   /* sums over the triangle rotated by 45 degrees, as in Lienhart and Maydt
                          (2002); its first column holds the parts of the triangles that reach into
                          the picture */
    size_t stride;     /* entries from row to row, at least W + 1; with odd_columns the more */
    /* 0: the columns stand in order. Else column x stands at x / 2, and odd_columns (over W / 2)
     * further when x is odd. */
    size_t odd_columns;
} image_tables;

/* MIEN_INVALID_ARGUMENT (not grey), MIEN_LIMIT (more pixels than the sums can hold). */
mien_status image_integral(const mien_image *gray, const image_tables *tables, mien_error *error);

#endif
