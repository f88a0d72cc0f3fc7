/* SPDX-License-Identifier: Apache-2.0 */

/* One row of a shrunk picture: image_bilinear_row for one channel. */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "two neighbours of 16 bits are taken apart as in little-endian memory"
#endif

INLINE words load_words(const uint32_t *at)
{
    return *(const words_unaligned *)at;
}

INLINE void blend_two_rows(const uint8_t *restrict first, const uint8_t *restrict second,
                           int weight, uint16_t *restrict row, int count)
{
    uint16_t first_weight = (uint16_t)(256 - weight), second_weight = (uint16_t)weight;
    for (int i = 0; i < count; i++)
        row[i] = (uint16_t)(first[i] * first_weight + second[i] * second_weight);
}

/* Pixels that are worked on at once: they are collected first, then blended in vectors. */
enum { RESIZE_CHUNK = 64 };

INLINE void blend_columns(const uint16_t *restrict row, const image_tap *restrict taps, int count,
                          uint8_t *restrict dst)
{
    uint32_t pairs[RESIZE_CHUNK]; /* a value and its right neighbour */
    for (int i = 0; i < count; i++)
        memcpy(&pairs[i], row + taps[i].first, sizeof pairs[i]);
    for (int i = 0; i < count; i++) {
        uint32_t weight = (uint32_t)taps[i].weight;
        dst[i] =
            (uint8_t)(((pairs[i] & 0xffff) * (256 - weight) + (pairs[i] >> 16) * weight + 32768) >>
                      16);
    }
}

static void bilinear_row(const mien_image *gray, image_tap row, const image_tap *columns, int width,
                         uint16_t *scratch, uint8_t *dst)
{
    int second = row.weight != 0 ? row.first + 1 : row.first;
    blend_two_rows(image_row(gray, row.first), image_row(gray, second), row.weight, scratch,
                   gray->width);
    for (int x = 0; x < width; x += RESIZE_CHUNK) {
        int count = width - x < RESIZE_CHUNK ? width - x : RESIZE_CHUNK;
        blend_columns(scratch, columns + x, count, dst + x);
    }
}
