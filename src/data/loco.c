/* SPDX-License-Identifier: Apache-2.0 */
#include "data/loco.h"

#include "base/error.h"

#include <stdlib.h>

/* Names and values of T.87: gradients are quantised by T1, T2 and T3, sums are halved at RESET. */
enum { T1 = 3, T2 = 7, T3 = 21, RESET = 64, CONTEXTS = 365, LIMIT = 32, QBPP = 8 };

/* What is known of a context: n residuals, a the sum of their sizes, b of them, c the correction.
 */
typedef struct context {
    int n, a, b, c;
} context;

typedef struct model {
    context contexts[CONTEXTS];
    int8_t levels[2 * UINT8_MAX + 1]; /* -4..4, of the gradients from -255 on */
} model;

static int quantise(int gradient)
{
    int size = abs(gradient);
    int level = size == 0 ? 0 : size < T1 ? 1 : size < T2 ? 2 : size < T3 ? 3 : 4;
    return gradient < 0 ? -level : level;
}

static void model_begin(model *m)
{
    for (int i = 0; i < CONTEXTS; i++)
        m->contexts[i] = (context){.n = 1, .a = 4};
    for (int gradient = -UINT8_MAX; gradient <= UINT8_MAX; gradient++)
        m->levels[UINT8_MAX + gradient] = (int8_t)quantise(gradient);
}

static int clamp(int value)
{
    return value < 0 ? 0 : value > UINT8_MAX ? UINT8_MAX : value;
}

/* The median edge detector. */
static int predict(int left, int above, int corner)
{
    int smaller = left < above ? left : above, larger = left < above ? above : left;
    return corner >= larger ? smaller : corner <= smaller ? larger : left + above - corner;
}

/* What a pixel is expected to be from those before it. */
typedef struct expectation {
    context *context;
    int sign, value;
} expectation;

/* Of the pixel at x of a row. before: the row above, NULL for none, which counts as zeros. */
static expectation expect(model *m, const uint8_t *row, const uint8_t *before, int width, int x)
{
    int above = before != NULL ? before[x] : 0;
    int left = x > 0 ? row[x - 1] : above;
    int corner = before != NULL && x > 0 ? before[x - 1] : above;
    int right = before != NULL && x + 1 < width ? before[x + 1] : above;
    const int8_t *level = m->levels + UINT8_MAX;
    int index = 81 * level[right - above] + 9 * level[above - corner] + level[corner - left];
    int sign = index < 0 ? -1 : 1;
    context *c = &m->contexts[sign * index];
    return (expectation){c, sign, clamp(predict(left, above, corner) + sign * c->c)};
}

/* Bits of the remainder in the Golomb code: the least k with n 2^k >= a. */
static int golomb_bits(const context *c)
{
    int k = 0;
    while (c->n << k < c->a)
        k++;
    return k;
}

static void learn(context *c, int residual)
{
    c->b += residual;
    c->a += abs(residual);
    if (c->n == RESET) {
        c->a >>= 1;
        c->b = c->b >= 0 ? c->b >> 1 : -((1 - c->b) >> 1);
        c->n >>= 1;
    }
    c->n++;
    if (c->b <= -c->n) {
        c->b = c->b + c->n > -c->n ? c->b + c->n : 1 - c->n;
        c->c -= c->c > INT8_MIN;
    } else if (c->b > 0) {
        c->b = c->b - c->n < 0 ? c->b - c->n : 0;
        c->c += c->c < INT8_MAX;
    }
}

/* ---- Writing ---- */

typedef struct bit_writer {
    uint8_t *at;
    uint64_t bits; /* the lowest count are not written yet */
    int count;
} bit_writer;

/* count: 0..32. */
static void put(bit_writer *w, uint32_t value, int count)
{
    w->bits = w->bits << count | value;
    for (w->count += count; w->count >= 8; w->count -= 8)
        *w->at++ = (uint8_t)(w->bits >> (w->count - 8));
}

/* A whole number as a Golomb code of at most LIMIT bits. */
static void put_golomb(bit_writer *w, unsigned number, int k)
{
    unsigned high = number >> k;
    if (high < LIMIT - QBPP - 1) {
        put(w, 1, (int)high + 1);
        put(w, number & ((1U << k) - 1), k);
    } else {
        put(w, 1, LIMIT - QBPP);
        put(w, number - 1, QBPP);
    }
}

size_t loco_bound(int width, int height)
{
    return (size_t)width * (size_t)height * (LIMIT / 8) + 1;
}

size_t loco_encode(const uint8_t *pixels, int width, int height, uint8_t *bytes)
{
    model m;
    bit_writer w = {.at = bytes};
    model_begin(&m);
    const uint8_t *before = NULL, *row = pixels;
    for (int y = 0; y < height; y++, before = row, row += width)
        for (int x = 0; x < width; x++) {
            expectation e = expect(&m, row, before, width, x);
            int residual = (int8_t)(e.sign * (row[x] - e.value));
            put_golomb(&w, (unsigned)(residual < 0 ? -2 * residual - 1 : 2 * residual),
                       golomb_bits(e.context));
            learn(e.context, residual);
        }
    put(&w, 0, 7); /* what is left of the last byte */
    return (size_t)(w.at - bytes);
}

/* ---- Reading ---- */

typedef struct bit_reader {
    const uint8_t *at, *end;
    uint64_t bits; /* the highest count are not read yet, the others are zeros */
    int count;
    size_t missing; /* zeros that stand for bytes behind the end */
} bit_reader;

/* So that there are 57 bits at least. */
static void fill(bit_reader *r)
{
    for (; r->count <= 56; r->count += 8) {
        if (r->at < r->end)
            r->bits |= (uint64_t)*r->at++ << (56 - r->count);
        else
            r->missing++;
    }
}

/* count: 0..32. */
static uint32_t get(bit_reader *r, int count)
{
    uint32_t value = (uint32_t)(r->bits >> 32 >> (32 - count));
    r->bits <<= count;
    r->count -= count;
    return value;
}

static unsigned get_golomb(bit_reader *r, int k)
{
    fill(r);
    int high = r->bits != 0 ? __builtin_clzll(r->bits) : LIMIT;
    if (high < LIMIT - QBPP - 1) {
        get(r, high + 1);
        return (unsigned)high << k | get(r, k);
    }
    get(r, LIMIT - QBPP);
    return get(r, QBPP) + 1;
}

/* Bytes of which some bit was read. */
static size_t bytes_read(const bit_reader *r, const uint8_t *bytes)
{
    return (size_t)(r->at - bytes) + r->missing - (size_t)(r->count / 8);
}

mien_status loco_decode(const uint8_t *bytes, size_t size, int width, int height, uint8_t *pixels,
                        mien_error *error)
{
    model m;
    bit_reader r = {.at = bytes, .end = bytes + size};
    model_begin(&m);
    uint8_t *row = pixels;
    const uint8_t *before = NULL;
    for (int y = 0; y < height; y++, before = row, row += width)
        for (int x = 0; x < width; x++) {
            expectation e = expect(&m, row, before, width, x);
            unsigned number = get_golomb(&r, golomb_bits(e.context));
            int residual = number % 2 != 0 ? -(int)(number / 2) - 1 : (int)(number / 2);
            residual = (int8_t)residual;
            row[x] = (uint8_t)(e.value + e.sign * residual);
            learn(e.context, residual);
        }
    if (bytes_read(&r, bytes) != size)
        return error_set(error, MIEN_MALFORMED, "a picture of %zu bytes, where %zu are needed",
                         size, bytes_read(&r, bytes));
    return MIEN_OK;
}
