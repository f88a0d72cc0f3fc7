/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DETECT_CASCADES_H
#define TESTS_DETECT_CASCADES_H

/* Cascades and pictures that the tests of the cascade detector share. Include support.h first. */

#include "base/file.h"
#include "detect/cascade.h"

/* A stump and a tree, upright and tilted features, in a window of 8 x 6. */
static const char small_cascade[] =
    "<?xml version=\"1.0\"?>\n<!-- a comment -->\n<opencv_storage>\n"
    "<cascade type_id=\"opencv-cascade-classifier\"><stageType>BOOST</stageType>\n"
    "<featureType>HAAR</featureType><height>6</height><width>8</width>\n"
    "<stageParams><maxWeakCount>2</maxWeakCount></stageParams>\n"
    "<featureParams><maxCatCount>0</maxCatCount></featureParams>\n<stageNum>1</stageNum>\n"
    "<stages><_><maxWeakCount>2</maxWeakCount><stageThreshold>-1.5e+00</stageThreshold>\n"
    "<weakClassifiers>"
    "<_><internalNodes>0 -1 0 1.1e-03</internalNodes><leafValues>-.83 .73</leafValues></_>\n"
    "<_><internalNodes>1 0 1 -1e-02 -1 -2 0 0.</internalNodes><leafValues>6.2 -7.2 1.</leafValues>"
    "</_></weakClassifiers></_></stages>\n"
    "<features><_><rects><_>1 0 4 3 -1.</_><_>1 1 4 1 3.</_></rects><tilted>0</tilted></_>\n"
    "<_><rects><_>3 0 2 2 -1.</_><_>3 1 1 1 2.</_></rects><tilted>1</tilted></_></features>"
    "</cascade></opencv_storage>\n";

/* Reads haarcascade_<name>.xml of Debian's opencv-data from $MIEN_CASCADES or its usual place. */
static inline mien_status read_opencv_cascade(const char *name, cascade **model, mien_error *error)
{
    const char *folder = getenv("MIEN_CASCADES");
    char path[512];
    snprintf(path, sizeof path, "%s/haarcascade_%s.xml",
             folder != NULL ? folder : "/usr/share/opencv4/haarcascades", name);
    uint8_t *bytes;
    size_t size;
    assert_ok(file_read(path, (size_t)1 << 24, &bytes, &size, error), error);
    mien_status status = cascade_read(bytes, size, path, model, error);
    free(bytes);
    return status;
}

/* tests/fixtures/astronaut-gray.pgm; the caller frees its data. */
static inline mien_image read_astronaut(void)
{
    enum { SIDE = 256, HEADER = 15 };
    char path[512];
    uint8_t *bytes;
    size_t size;
    mien_error error;
    test_source_path("tests/fixtures/astronaut-gray.pgm", path, sizeof path);
    assert_ok(file_read(path, 1 << 20, &bytes, &size, &error), &error);
    assert_int_equal(size, HEADER + SIDE * SIDE);
    memmove(bytes, bytes + HEADER, SIDE * SIDE);
    return (mien_image){bytes, SIDE, SIDE, SIDE, MIEN_PIXEL_GRAY8};
}

#endif
