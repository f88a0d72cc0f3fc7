#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden values that the picture tests compare with, as C headers beside this file.

opencv_goldens.h  results of OpenCV (made with 4.6.0): whole results for area, hashes for the rest
png_samples.h     PNG files of every colour type and depth, written here without a PNG library

The pixels are random numbers from the generator of tests/support.h, so that only seeds are kept.
"""
import pathlib
import struct
import zlib

import cv2
import numpy as np

FOLDER = pathlib.Path(__file__).parent
NOTE = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Written by make_goldens.py; do not edit. */\n"


class Random:
    """xorshift64*, as in tests/support.h."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state ^= self.state >> 12
        self.state ^= (self.state << 25) & mask
        self.state ^= self.state >> 27
        return (self.state * 2685821657736338717) & mask

    def between(self, low, high):
        return low + (self.next() >> 33) % (high - low + 1)

    def picture(self, width, height, channels):
        values = [self.next() >> 56 for _ in range(width * height * channels)]
        return np.array(values, np.uint8).reshape(height, width, channels)


def fnv1a(data):
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def rows(values, per_line=12):
    texts = [str(v) for v in values]
    lines = [", ".join(texts[i:i + per_line]) for i in range(0, len(texts), per_line)]
    return ",\n    ".join(lines)


def bilinear_cases():
    random = Random(11)
    cases = []
    for index in range(60):
        channels = (1, 3, 4)[index % 3]
        limit = 6 if index % 4 == 0 else 70
        sides = [random.between(1, limit) for _ in range(2)]
        limit = 6 if index % 5 == 0 else 90
        sides += [random.between(1, limit) for _ in range(2)]
        picture = Random(index + 1).picture(sides[0], sides[1], channels)
        result = cv2.resize(picture, (sides[2], sides[3]), interpolation=cv2.INTER_LINEAR_EXACT)
        cases.append("{%d, %d, %d, %d, %d, 0x%08xu}" % (channels, *sides, fnv1a(result.tobytes())))
    return cases


def area_cases():
    text = ""
    names = []
    for index, (channels, w, h, new_w, new_h) in enumerate(
            [(1, 9, 7, 4, 3), (3, 8, 6, 4, 3), (4, 11, 5, 3, 2), (1, 31, 17, 5, 5), (3, 5, 5, 1, 1)]):
        picture = Random(100 + index).picture(w, h, channels)
        result = cv2.resize(picture, (new_w, new_h), interpolation=cv2.INTER_AREA)
        text += "static const uint8_t area_%d[] = {\n    %s};\n" % (index, rows(result.ravel(), 20))
        names.append("{%d, %d, %d, %d, %d, area_%d}" % (channels, w, h, new_w, new_h, index))
    return text, names


def integral_cases():
    cases = []
    for index, (w, h) in enumerate([(1, 1), (1, 9), (9, 1), (2, 2), (13, 8), (40, 61), (300, 280)]):
        picture = Random(200 + index).picture(w, h, 1)[..., 0]
        total, squares, tilted = cv2.integral3(picture)
        squares = (squares.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)
        tables = [fnv1a(table.tobytes()) for table in (total.astype(np.int32), squares,
                                                       tilted.astype(np.int32))]
        cases.append("{%d, %d, 0x%08xu, 0x%08xu, 0x%08xu}" % (w, h, *tables))
    return cases


def gray_hashes():
    picture = Random(300).picture(97, 101, 4)
    codes = (cv2.COLOR_RGB2GRAY, cv2.COLOR_BGR2GRAY)
    three = Random(300).picture(97, 101, 3)
    hashes = [fnv1a(cv2.cvtColor(three, code).tobytes()) for code in codes]
    codes = (cv2.COLOR_RGBA2GRAY, cv2.COLOR_BGRA2GRAY)
    return hashes + [fnv1a(cv2.cvtColor(picture, code).tobytes()) for code in codes]


def write_opencv_goldens():
    area_text, area_names = area_cases()
    text = NOTE + """#ifndef TESTS_OPENCV_GOLDENS_H
#define TESTS_OPENCV_GOLDENS_H

#include <stdint.h>

/* cv2.resize with INTER_LINEAR_EXACT; the source of case i has seed i + 1. */
static const struct bilinear_case {
    int channels, width, height, new_width, new_height;
    uint32_t hash;
} bilinear_cases[] = {
    %s};

/* cv2.resize with INTER_AREA; the source of case i has seed 100 + i. */
%sstatic const struct area_case {
    int channels, width, height, new_width, new_height;
    const uint8_t *pixels;
} area_cases[] = {
    %s};

/* cv2.integral3; case i has seed 200 + i; squares modulo 2^32. */
static const struct integral_case {
    int width, height;
    uint32_t sum_hash, squares_hash, tilted_hash;
} integral_cases[] = {
    %s};

/* cv2.cvtColor of 97 x 101 pixels of seed 300 as RGB, BGR, RGBA, BGRA to grey. */
static const uint32_t gray_hashes[] = {%s};

#endif
""" % (rows(bilinear_cases(), 1), area_text, rows(area_names, 1), rows(integral_cases(), 1),
       ", ".join("0x%08xu" % value for value in gray_hashes()))
    (FOLDER / "opencv_goldens.h").write_text(text)


PNG_WIDTH, PNG_HEIGHT = 5, 4
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


def png_sample(x, y, channel, depth):
    """The same formula is in test_png.c."""
    return ((14099 * x + 9973 * y + 7777 * channel) % 65536) >> (16 - depth)


def png_pass(color_type, depth, xs, ys):
    if not xs:
        return b""
    data = b""
    for y in ys:
        bits = "".join(format(png_sample(x, y, c, depth), "0%db" % depth)
                       for x in xs for c in range(CHANNELS[color_type]))
        bits += "0" * (-len(bits) % 8)
        data += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return data


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_transparency(color_type, depth):
    if color_type == 3:
        return bytes((255 - 40 * i) & 255 for i in range(min(6, 1 << depth)))
    return b"".join(struct.pack(">H", png_sample(1, 1, c, depth))
                    for c in range(CHANNELS[color_type]))


def png_file(color_type, depth, interlaced, transparent):
    header = struct.pack(">IIBBBBB", PNG_WIDTH, PNG_HEIGHT, depth, color_type, 0, 0, interlaced)
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    data = b"".join(png_pass(color_type, depth, list(range(x, PNG_WIDTH, dx)),
                             list(range(y, PNG_HEIGHT, dy))) for x, y, dx, dy in passes)
    palette = b"".join(bytes(((37 * i) & 255, (255 - 11 * i) & 255, (i * i) & 255))
                       for i in range(1 << min(depth, 8)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + (chunk(b"PLTE", palette) if color_type == 3 else b"")
            + (chunk(b"tRNS", png_transparency(color_type, depth)) if transparent else b"")
            + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def write_png_samples():
    kinds = [(0, d, i, 0) for d in (1, 2, 4, 8, 16) for i in (0, 1)]
    kinds += [(2, d, i, 0) for d in (8, 16) for i in (0, 1)]
    kinds += [(3, d, i, 0) for d in (1, 2, 4) for i in (0, 1)]
    kinds += [(t, d, i, 0) for t in (4, 6) for d in (8, 16) for i in (0, 1)]
    kinds += [(0, 1, 0, 1), (0, 8, 1, 1), (0, 16, 0, 1), (2, 8, 0, 1), (2, 16, 1, 1), (3, 2, 0, 1),
              (3, 4, 1, 1), (3, 8, 0, 1)]
    arrays, names = "", []
    for color_type, depth, interlaced, transparent in kinds:
        name = "png_%d_%d%s%s" % (color_type, depth, "_interlaced" if interlaced else "",
                                  "_transparent" if transparent else "")
        data = png_file(color_type, depth, interlaced, transparent)
        arrays += "static const uint8_t %s[] = {\n    %s};\n" % (name, rows(data, 24))
        names.append('{"%s", %s, sizeof %s, %d, %d, %s}' % (
            name, name, name, color_type, depth, "true" if transparent else "false"))
    text = NOTE + """#ifndef TESTS_PNG_SAMPLES_H
#define TESTS_PNG_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* %d x %d pixels each; png_<colour type>_<bit depth>. */
%s
static const struct png_case {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    int color_type, depth;
    bool transparent; /* has a tRNS chunk */
} png_cases[] = {
    %s};

#endif
""" % (PNG_WIDTH, PNG_HEIGHT, arrays, rows(names, 1))
    (FOLDER / "png_samples.h").write_text(text)


if __name__ == "__main__":
    write_opencv_goldens()
    write_png_samples()
