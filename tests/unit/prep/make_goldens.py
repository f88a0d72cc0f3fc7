#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes golden.h: what prep_fill gives, computed with NumPy by another road: whole matrices of
weights for columns and rows (rows . picture . columns), in double."""

import numpy as np


def picture(width, height):
    """picture_value of test_prep.c."""
    y, x = np.mgrid[0:height, 0:width]
    return ((x * 37 + y * 91 + x * y * 5) % 256).astype(float)


def bilinear(size, start, extent, length):
    """(length, size): half-pixel centres, the edge repeated."""
    weights = np.zeros((length, size))
    for i in range(length):
        position = start + (i + 0.5) * extent / length - 0.5
        first = int(np.floor(position))
        share = position - first
        weights[i, np.clip(first, 0, size - 1)] += 1 - share
        weights[i, np.clip(first + 1, 0, size - 1)] += share
    return weights


def area(size, start, extent, length):
    """(length, size): means of the covered parts, the edge repeated."""
    weights = np.zeros((length, size))
    step = extent / length
    for i in range(length):
        low, high = start + i * step, start + (i + 1) * step
        for p in range(int(np.floor(low)), int(np.ceil(high))):
            part = min(high, p + 1) - max(low, p)
            weights[i, np.clip(p, 0, size - 1)] += part / step
    return weights


def resample(image, x, y, width, height, columns, rows):
    across = (bilinear if width <= columns else area)(image.shape[1], x, width, columns)
    down = (bilinear if height <= rows else area)(image.shape[0], y, height, rows)
    return down @ image @ across.T


# name, picture, crop (x, y, width, height), size of the input
CASES = [
    ("enlarged_48_to_64", (48, 48), (0, 0, 48, 48), (64, 64)),
    ("shrunk_50_to_16", (50, 50), (0, 0, 50, 50), (16, 16)),
    ("fractional_box", (40, 30), (3.25, 5.5, 20.5, 12.25), (24, 24)),
    ("wide_box", (60, 20), (1.5, 2.0, 57.0, 10.0), (16, 16)),
    ("over_the_edge", (20, 20), (-7.5, 12.0, 18.0, 15.0), (20, 20)),
    ("shrunk_over_the_edge", (20, 20), (-11.0, -9.0, 45.0, 45.0), (12, 12)),
]


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by make_goldens.py: samples of prepared inputs, pixels 0..255. */")
    print("#define GOLDEN_SAMPLES 24\n")
    print("static const struct {\n    const char *name;\n    int image_width, image_height;")
    print("    image_rect box;\n    int width, height;\n    float samples[GOLDEN_SAMPLES]; /* number "
          "i * width * height / GOLDEN_SAMPLES */\n} goldens[] = {")
    for name, (w, h), (x, y, bw, bh), (columns, rows) in CASES:
        flat = resample(picture(w, h), x, y, bw, bh, columns, rows).ravel()
        samples = [flat[i * flat.size // 24] for i in range(24)]
        print('    {"%s", %d, %d, {%sf, %sf, %sf, %sf}, %d, %d,' % (
            name, w, h, float(x), float(y), float(bw), float(bh), columns, rows))
        print("     {" + ", ".join("%.5ff" % s for s in samples) + "}},")
    print("};")


if __name__ == "__main__":
    main()
