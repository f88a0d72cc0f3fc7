/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/*
 * Bytes of the UTF-8 character that begins a text, 1..4 (RFC 3629); 0 where none does: a byte that
 * is out of place, an overlong form, a surrogate, U+FFFE, U+FFFF. The text ends with a zero byte,
 * which counts as a character of one byte. Pure.
 */
int utf8_length(const char *text);

/* Copies as much of a text as fits whole, each byte that is not UTF-8 as '?'. Returns buffer. */
const char *utf8_clean(const char *text, char *buffer, size_t size);

#endif
