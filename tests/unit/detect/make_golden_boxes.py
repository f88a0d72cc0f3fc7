#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden_boxes.txt: the boxes of OpenCV 4.6 (python3-opencv, opencv-data of Debian 12).

    tests/unit/detect/make_golden_boxes.py > tests/unit/detect/golden_boxes.txt

Each case is a line "case <picture> <cascade> <scale factor> <neighbours> <smallest width> <height>
<largest width> <height> <boxes>", then a line "x y width height neighbours" for each box. The
pictures "synthetic" and "enlarged" are made as below, in the test as well.
"""

import pathlib

import cv2
import numpy

ROOT = pathlib.Path(__file__).resolve().parents[3]
CASCADES = "/usr/share/opencv4/haarcascades/haarcascade_{}.xml"
NAMES = ["frontalface_default", "frontalface_alt", "frontalface_alt2", "profileface", "eye",
         "smile"]
OTHERS = ["frontalface_alt_tree", "eye_tree_eyeglasses", "lefteye_2splits", "upperbody",
          "frontalcatface_extended", "russian_plate_number"]
ARGUMENTS = [
    (1.1, 3, 0, 0, 0, 0),
    (1.3, 1, 0, 0, 0, 0),
    (1.05, 4, 30, 30, 90, 90),
    (1.2, 2, 50, 50, 50, 50),  # no scale fits: the nearest is taken
]
RAW = (1.25, 0, 24, 24, 0, 0)  # every window, ungrouped


def synthetic():
    y, x = numpy.mgrid[0:91, 0:133].astype(numpy.int64)
    return ((x * x * 3 + y * y * 5 + x * y * 7) // 64 % 256).astype(numpy.uint8)


def enlarged(picture):
    """The face, each pixel repeated four times along both sides: 288 x 288."""
    return picture[20:92, 76:148].repeat(4, axis=0).repeat(4, axis=1)


def print_case(name, picture, cascade, arguments):
    factor, neighbours, *sizes = arguments
    detector = cv2.CascadeClassifier(CASCADES.format(cascade))
    boxes, weights = detector.detectMultiScale2(
        picture, scaleFactor=factor, minNeighbors=neighbours, minSize=tuple(sizes[:2]),
        maxSize=tuple(sizes[2:]))
    print("case", name, cascade, *arguments, len(boxes))
    for box, weight in zip(boxes, weights):
        print(*box, int(weight))


def main():
    cv2.setNumThreads(1)
    astronaut = cv2.imread(str(ROOT / "tests/fixtures/astronaut-gray.pgm"), cv2.IMREAD_GRAYSCALE)
    for cascade in NAMES:
        for arguments in ARGUMENTS:
            print_case("astronaut", astronaut, cascade, arguments)
        print_case("synthetic", synthetic(), cascade, (1.1, 0, 0, 0, 0, 0))
    for cascade in NAMES[:3]:
        print_case("astronaut", astronaut, cascade, RAW)
    for cascade in OTHERS:
        print_case("enlarged", enlarged(astronaut), cascade, RAW)
        print_case("enlarged", enlarged(astronaut), cascade, (1.1, 1, 0, 0, 0, 0))


if __name__ == "__main__":
    main()
