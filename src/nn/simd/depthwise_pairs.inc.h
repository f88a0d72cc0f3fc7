/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What depthwise_slide.inc.h asks for, for 32 channels in pairs: a product of pairs whose other
 * weight is 0 takes one channel of each pair, so that numbers are multiplied as they lie in memory.
 */

#define PAIRED_CHANNELS (2 * WIDE_FLOATS)

typedef __m512i paired_slide_input;

/* Of the even channels, then of the odd ones. */
typedef struct paired_slide_sum {
    wide even, odd;
} paired_slide_sum;

typedef paired_slide_sum paired_slide_weights;

INLINE paired_slide_input paired_slide_load(const number *from)
{
    return _mm512_loadu_si512(from);
}

INLINE paired_slide_sum paired_slide_bias_at(const float *packed)
{
    return (paired_slide_sum){wide_load(packed), wide_load(packed + WIDE_FLOATS)};
}

INLINE paired_slide_weights paired_slide_weights_at(const float *packed)
{
    return paired_slide_bias_at(packed);
}

INLINE paired_slide_sum paired_slide_add(paired_slide_sum sum, paired_slide_weights weights,
                                         paired_slide_input input)
{
    sum.even = (wide)_mm512_dpbf16_ps((__m512)sum.even, (__m512bh)input, (__m512bh)weights.even);
    sum.odd = (wide)_mm512_dpbf16_ps((__m512)sum.odd, (__m512bh)input, (__m512bh)weights.odd);
    return sum;
}

INLINE void paired_store_numbers(number *to, paired_slide_sum x)
{
    const __m512i side_by_side =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i apart = (__m512i)_mm512_cvtne2ps_pbh((__m512)x.odd, (__m512)x.even);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(side_by_side, apart));
}

INLINE void paired_store_floats(float *to, paired_slide_sum x)
{
    const __m512i first = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
    __m512 even = (__m512)x.even, odd = (__m512)x.odd;
    _mm512_storeu_ps(to, _mm512_permutex2var_ps(even, first, odd));
    _mm512_storeu_ps(to + WIDE_FLOATS, _mm512_permutex2var_ps(even, second, odd));
}

INLINE void paired_slide_write(const slide_row *row, int64_t offset, paired_slide_sum sum)
{
    if (row->residual != NULL) {
        __m512i pairs = _mm512_loadu_si512(row->residual + offset);
        sum.even += (wide)_mm512_slli_epi32(pairs, 16);
        sum.odd += (wide)_mm512_and_si512(pairs, _mm512_set1_epi32(-65536));
    }
    sum.even = wide_activate(row->activation, sum.even);
    sum.odd = wide_activate(row->activation, sum.odd);
    if (row->writes_floats)
        paired_store_floats((float *)row->y + offset, sum);
    else
        paired_store_numbers((number *)row->y + offset, sum);
}

/* A line of the packed numbers, of biases or of the weights of a tap, as the above reads it. */
static void pair_line(float *line, int64_t channels, bool weights)
{
    for (; channels >= PAIRED_CHANNELS; channels -= PAIRED_CHANNELS, line += PAIRED_CHANNELS) {
        float plain[PAIRED_CHANNELS];
        memcpy(plain, line, sizeof plain);
        for (int i = 0; i < WIDE_FLOATS; i++) {
            const float even[UNIT] = {plain[2 * i], 0}, odd[UNIT] = {0, plain[2 * i + 1]};
            line[i] = weights ? packed_unit(even, 1) : even[0];
            line[WIDE_FLOATS + i] = weights ? packed_unit(odd, 1) : odd[1];
        }
    }
}
