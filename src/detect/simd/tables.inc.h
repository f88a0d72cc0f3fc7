/* SPDX-License-Identifier: Apache-2.0 */

/* Integral images as image_integral makes them, a vector of pixels at a time. */

INLINE void store_words(uint32_t *at, words values)
{
    *(words_unaligned *)at = values;
}

INLINE uint32_t value_of(uint8_t pixel, bool squared)
{
    return squared ? (uint32_t)pixel * pixel : pixel;
}

INLINE words values_of(const uint8_t *pixels, bool squared)
{
    uint32_t lanes[LANES];
    for (int i = 0; i < LANES; i++)
        lanes[i] = pixels[i];
    words values = load_words(lanes);
    return squared ? values * values : values;
}

/* Lane i becomes the sum of lanes 0 .. i. */
INLINE words prefix_sums(words v)
{
    const words zero = {0};
    v += __builtin_shufflevector(zero, v, LANE_SEQUENCE(LANES - 1, 1));
    v += __builtin_shufflevector(zero, v, LANE_SEQUENCE(LANES - 2, 1));
    v += __builtin_shufflevector(zero, v, LANE_SEQUENCE(LANES - 4, 1));
    return v;
}

INLINE words last_in_all_lanes(words v)
{
    return __builtin_shufflevector(v, v, LANE_SEQUENCE(LANES - 1, 0));
}

/* A row of a table with all columns in order from the row above it. */
INLINE void fill_row(const uint8_t *pixels, int width, bool squared, const uint32_t *above,
                     uint32_t *row)
{
    words carry = {0};
    int x = 0;
    row[0] = 0;
    for (; x + LANES <= width; x += LANES) {
        words sums = prefix_sums(values_of(pixels + x, squared)) + carry;
        store_words(row + x + 1, load_words(above + x + 1) + sums);
        carry = last_in_all_lanes(sums);
    }
    for (uint32_t sum = carry[0]; x < width; x++) {
        sum += value_of(pixels[x], squared);
        row[x + 1] = above[x + 1] + sum;
    }
}

/* The same with the odd columns behind the even ones. */
INLINE void fill_split_row(const uint8_t *pixels, int width, bool squared, const uint32_t *above,
                           uint32_t *row, size_t odd_columns)
{
    const uint32_t *odd_above = above + odd_columns;
    uint32_t *odd = row + odd_columns;
    words carry = {0};
    int x = 0;
    row[0] = 0;
    for (; x + 2 * LANES <= width; x += 2 * LANES) {
        int i = x / 2;
        words low = prefix_sums(values_of(pixels + x, squared)) + carry;
        words high = prefix_sums(values_of(pixels + x + LANES, squared)) + last_in_all_lanes(low);
        carry = last_in_all_lanes(high);
        store_words(odd + i, load_words(odd_above + i) +
                                 __builtin_shufflevector(low, high, LANE_SEQUENCE(0, 2)));
        store_words(row + i + 1, load_words(above + i + 1) +
                                     __builtin_shufflevector(low, high, LANE_SEQUENCE(1, 2)));
    }
    for (uint32_t sum = carry[0]; x < width; x++) {
        size_t column = (size_t)(x + 1) / 2 + (x % 2 == 0 ? odd_columns : 0);
        sum += value_of(pixels[x], squared);
        row[column] = above[column] + sum;
    }
}

INLINE void fill_table(const cascade_layout *layout, const mien_image *gray, bool squared,
                       uint32_t *table)
{
    memset(table, 0, layout->stride * sizeof *table);
    for (int y = 0; y < gray->height; y++) {
        const uint32_t *above = table + (size_t)y * layout->stride;
        uint32_t *row = table + (size_t)(y + 1) * layout->stride;
        if (layout->step == 2)
            fill_split_row(image_row(gray, y), gray->width, squared, above, row,
                           layout->odd_columns);
        else
            fill_row(image_row(gray, y), gray->width, squared, above, row);
    }
}

static void fill_tables(const cascade_layout *layout, const mien_image *gray, int32_t *sums,
                        uint32_t *squares)
{
    fill_table(layout, gray, false, (uint32_t *)sums);
    fill_table(layout, gray, true, squares);
    if (layout->has_tilted) {
        image_tables tables = {.tilted = sums + layout->table_size,
                               .stride = layout->stride,
                               .odd_columns = layout->odd_columns};
        (void)image_integral(gray, &tables, NULL); /* the layout has checked the size */
    }
}
