/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VIDEO_LOOKS_H
#define VIDEO_LOOKS_H

/*
 * What somebody looks like at the moment: nine mean colours, of hair, face and the clothes below,
 * so that two people who cross are told apart, and one who was away for seconds is known again.
 *
 * This is no biometric identity and cannot serve as one: it is clothes, hair and light of the
 * moment. People dressed alike have the same looks, one person in another shirt has others. Looks
 * lie in memory for as long as a track does and are never written anywhere.
 *
 * The areas, in sides of the face (s, the root of its box's area), from the middle of the box and
 * down from its top edge:
 *     0      hair              x -0.5..0.5   y -0.35..0.1
 *     1, 2   face, upper half  x -0.4..0.4   y  0.1..0.6, 0.6..1.1
 *     3 - 8  clothes, 3 by 2   x -0.7..0.7   y  1.4..2.6
 *
 * Distance, 0..1, over the areas known of both: the colours of each are divided by g, the mean of
 * its red, green and blue over these areas (at least 8 of 255), so that brighter light changes
 * nothing; with l = (r + g + b) / 3, p = r - g, q = (r + g) / 2 - b it is the mean of
 *     min(1, sqrt((l - l')^2 + (2 (p - p'))^2 + (2 (q - q'))^2))
 * A change of the light's colour does change it. docs/rooms/video.md has what was measured.
 *
 * Plain data; pure functions.
 */

#include "image/image.h"

enum { LOOKS_AREAS = 9, LOOKS_FIRST_OF_CLOTHES = 3 };

/* Starts zeroed: nothing is known. */
typedef struct looks {
    float colours[LOOKS_AREAS][3]; /* mean red, green, blue, 0..255; of the areas that are known */
    unsigned known;                /* bit i: area i is known */
} looks;

/* The looks around a face (with an area) in an RGB8 picture. An area is known when at least half of
 * it lies in the picture. Pictures of other formats: nothing is known. */
looks looks_of(const mien_image *image, const image_rect *face);

/* false: they cannot be compared, because no area of the clothes is known of both; *distance is 1
 * then. */
bool looks_compare(const looks *a, const looks *b, double *distance);

/* Moves kept towards what was seen now, by share (0..1); what was not known of it becomes known. */
void looks_blend(looks *kept, const looks *now, float share);

#endif
