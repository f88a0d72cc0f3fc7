/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATA_LOCO_H
#define DATA_LOCO_H

/*
 * Grey pictures of 8 bits without loss: LOCO-I (Weinberger, Seroussi and Sapiro 2000), the regular
 * mode of JPEG-LS (ITU-T T.87) with its default thresholds, without runs, markers and the special
 * mapping at k = 0. What every bit means depends on those before it; a picture costs at most 32
 * bits a pixel, to read too, whatever the bytes are. Thread-safe.
 */

#include <mien/status.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that a picture takes. */
size_t loco_bound(int width, int height);

/* pixels: (height, width). bytes: loco_bound of room. Returns the bytes written. */
size_t loco_encode(const uint8_t *pixels, int width, int height, uint8_t *bytes);

/* The bytes are hostile. MIEN_MALFORMED when they end early or late. */
mien_status loco_decode(const uint8_t *bytes, size_t size, int width, int height, uint8_t *pixels,
                        mien_error *error);

#endif
