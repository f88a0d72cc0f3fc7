/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TRAIN_SETS_H
#define TESTS_TRAIN_SETS_H

/* Small labelled sets drawn here: each class a pattern of its own, each picture a bit different. */

#include "support.h"

#include "data/dataset.h"

enum { SET_CLASSES = 7, SET_SIDE = 48 };

/* Stripes and rings that differ by their direction and width. */
static inline int set_pixel(int label, int x, int y)
{
    switch (label) {
    case 0:
        return x / 6 % 2;
    case 1:
        return y / 6 % 2;
    case 2:
        return (x + y) / 8 % 2;
    case 3:
        return (x - y + 48) / 8 % 2;
    case 4:
        return (x / 8 + y / 8) % 2;
    case 5:
        return (x - 24) * (x - 24) + (y - 24) * (y - 24) < 200;
    default:
        return y > 24;
    }
}

static inline void set_draw(unsigned char *pixels, int label, test_random *random)
{
    int dark = test_random_int(random, 20, 80), light = test_random_int(random, 150, 220);
    int move = test_random_int(random, 0, 2);
    for (int i = 0; i < SET_SIDE * SET_SIDE; i++) {
        int bright = set_pixel(label, i % SET_SIDE + move, i / SET_SIDE + move);
        pixels[i] = (unsigned char)((bright ? light : dark) + test_random_int(random, -15, 15));
    }
}

/* count pictures, their labels in turn. Freed with set_free. */
static inline dataset set_make(size_t count, uint64_t seed)
{
    test_random random = {seed};
    dataset set = {.class_count = SET_CLASSES, .count = count};
    set.samples = calloc(count, sizeof *set.samples);
    unsigned char *pixels = malloc(count * SET_SIDE * SET_SIDE);
    assert_true(set.samples != NULL && pixels != NULL);
    for (int c = 0; c < SET_CLASSES; c++)
        snprintf(set.class_names[c], sizeof set.class_names[c], "class%d", c);
    for (size_t i = 0; i < count; i++, pixels += SET_SIDE * SET_SIDE) {
        dataset_sample *sample = &set.samples[i];
        sample->label = (int)(i % SET_CLASSES);
        sample->row = i;
        sample->image = (mien_image){.format = MIEN_PIXEL_GRAY8,
                                     .width = SET_SIDE,
                                     .height = SET_SIDE,
                                     .stride = SET_SIDE,
                                     .data = pixels};
        set_draw(pixels, sample->label, &random);
    }
    return set;
}

static inline void set_free(dataset *set)
{
    free(set->samples[0].image.data);
    free(set->samples);
}

#endif
