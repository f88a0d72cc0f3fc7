/* SPDX-License-Identifier: Apache-2.0 */
#include "image/codec/formats.h"

#include <string.h>

enum {
    MARKER_START_OF_IMAGE = 0xD8,
    MARKER_END_OF_IMAGE = 0xD9,
    MARKER_START_OF_SCAN = 0xDA,
    MARKER_APP1 = 0xE1,
    MARKER_APP14 = 0xEE,
};

static uint32_t read_16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

/* SOF0 to SOF15; three codes in that range mean other things (DHT, JPG, DAC). */
static bool is_start_of_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static void read_segment(uint8_t marker, const uint8_t *payload, size_t size, jpeg_header *header)
{
    if (is_start_of_frame(marker) && size >= 5 && !header->has_size) {
        header->height = (int)read_16(payload + 1);
        header->width = (int)read_16(payload + 3);
        header->has_size = true;
    } else if (marker == MARKER_APP1 && size >= 6 && memcmp(payload, "Exif\0\0", 6) == 0 &&
               header->orientation == 0) {
        header->orientation = exif_orientation(payload + 6, size - 6);
    } else if (marker == MARKER_APP14 && size >= 5 && memcmp(payload, "Adobe", 5) == 0) {
        header->is_adobe = true;
    }
}

jpeg_header jpeg_read_header(const uint8_t *bytes, size_t size)
{
    jpeg_header header = {.orientation = 0}; /* until an EXIF segment tells */
    size_t position = 0;
    while (size - position >= 2) {
        if (bytes[position] != 0xFF || bytes[position + 1] == 0xFF) {
            position++; /* garbage or fill bytes between segments, which decoders skip */
            continue;
        }
        uint8_t marker = bytes[position + 1];
        position += 2;
        if (marker == MARKER_START_OF_SCAN || marker == MARKER_END_OF_IMAGE)
            break;
        if (marker == MARKER_START_OF_IMAGE || marker == 0)
            continue;
        if (size - position < 2)
            break;
        size_t length = read_16(bytes + position); /* counts its own two bytes */
        if (length < 2 || length > size - position)
            break;
        read_segment(marker, bytes + position + 2, length - 2, &header);
        position += length;
    }
    if (header.orientation == 0)
        header.orientation = 1;
    return header;
}
