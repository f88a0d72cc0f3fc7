/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_XML_H
#define DETECT_CASCADE_XML_H

/*
 * A small strict scanner for the XML that OpenCV writes: elements, the attribute type_id, text,
 * comments and declarations. Tags must be closed in order. Document types, CDATA and entities are
 * refused, as is nesting deeper than XML_MAX_DEPTH. Nothing is copied or allocated.
 */

#include "base/error.h"
#include <stddef.h>

#define XML_MAX_DEPTH 32

/* A piece of the scanned text; lives as long as that. */
typedef struct xml_slice {
    const char *start;
    size_t length;
} xml_slice;

typedef enum xml_kind { XML_OPEN, XML_CLOSE, XML_TEXT, XML_END } xml_kind;

typedef struct xml_token {
    xml_kind kind;
    xml_slice text;    /* the name of the element, or the text without outer white space */
    xml_slice type_id; /* XML_OPEN: value of that attribute, length 0 when absent */
    size_t position;   /* byte offset of its first character */
} xml_token;

typedef struct xml_scanner {
    const char *text;
    size_t size;
    size_t position;
    const char *name; /* what messages call the text */
    mien_error *error;
    xml_slice open[XML_MAX_DEPTH]; /* names of the elements around the position */
    size_t depth;
    bool empty_element; /* the last tag was <name/>: its close token is still due */
} xml_scanner;

/* text, name and error (may be NULL) must outlive the scanner. */
xml_scanner xml_scan(const void *text, size_t size, const char *name, mien_error *error);

/* The next token; text that is only white space is passed over. MIEN_MALFORMED, MIEN_UNSUPPORTED,
 * MIEN_LIMIT (nesting), with the byte position. */
mien_status xml_next(xml_scanner *scanner, xml_token *token);

bool xml_slice_is(xml_slice slice, const char *text);

/* Length of a slice for "%.*s" in messages, cut to a readable size. */
int xml_shown_length(xml_slice slice);

/* Fills the scanner's error: "'<name>', byte <position>: <message>". Returns status. */
mien_status xml_fail(const xml_scanner *scanner, mien_status status, size_t position,
                     const char *format, ...) BASE_PRINTF_LIKE(4, 5);

/* The same with MIEN_MALFORMED. */
mien_status xml_malformed(const xml_scanner *scanner, size_t position, const char *format, ...)
    BASE_PRINTF_LIKE(3, 4);

#endif
