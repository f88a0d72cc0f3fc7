/* SPDX-License-Identifier: Apache-2.0 */
#include "image/codec/formats.h"

#include <string.h>

enum { TIFF_HEADER_SIZE = 8, ENTRY_SIZE = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3 };

typedef struct tiff_block {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
} tiff_block;

/* Callers have checked that the bytes are there. */
static uint32_t read_16(const tiff_block *block, size_t offset)
{
    const uint8_t *b = block->bytes + offset;
    return block->big_endian ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[1] << 8 | b[0];
}

static uint32_t read_32(const tiff_block *block, size_t offset)
{
    uint32_t first = read_16(block, offset);
    uint32_t second = read_16(block, offset + 2);
    return block->big_endian ? first << 16 | second : second << 16 | first;
}

static bool open_block(const uint8_t *tiff, size_t size, tiff_block *block)
{
    if (size < TIFF_HEADER_SIZE)
        return false;
    bool big_endian = memcmp(tiff, "MM\0*", 4) == 0;
    if (!big_endian && memcmp(tiff, "II*\0", 4) != 0)
        return false;
    *block = (tiff_block){tiff, size, big_endian};
    return true;
}

int exif_orientation(const uint8_t *tiff, size_t size)
{
    tiff_block block;
    if (!open_block(tiff, size, &block))
        return 1;
    size_t directory = read_32(&block, 4);
    if (directory > size - 2)
        return 1;
    size_t entry_count = read_16(&block, directory);
    size_t entries_that_fit = (size - directory - 2) / ENTRY_SIZE;
    if (entry_count > entries_that_fit)
        entry_count = entries_that_fit;
    for (size_t i = 0; i < entry_count; i++) {
        size_t entry = directory + 2 + i * ENTRY_SIZE;
        if (read_16(&block, entry) != TAG_ORIENTATION || read_16(&block, entry + 2) != TYPE_SHORT)
            continue;
        uint32_t orientation = read_16(&block, entry + 8);
        return orientation >= 1 && orientation <= 8 ? (int)orientation : 1;
    }
    return 1;
}
