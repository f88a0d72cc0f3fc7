/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CASCADE_READER_H
#define DETECT_CASCADE_READER_H

/* What the files that read a cascade share: its state, elements and numbers. Failures fill the
 * scanner's error. */

#include "detect/cascade_model.h"
#include "detect/cascade_xml.h"

#include <locale.h>

typedef struct cascade_reader {
    xml_scanner scanner;
    cascade *model;
    locale_t locale; /* "C": a decimal point, whatever the program has set */
    bool is_boosted, is_haar;
    int announced_stages; /* -1 when the file does not say */
    int highest_feature;  /* that a node names; -1 when none does */
    size_t highest_feature_position;
} cascade_reader;

mien_status cascade_out_of_memory(cascade_reader *reader);

/* The next child of the element that was opened last; *more is false when it is closed instead. */
mien_status cascade_next_child(cascade_reader *reader, xml_token *token, bool *more);

/* Passes over the rest of the element that was opened last. */
mien_status cascade_skip_element(cascade_reader *reader);

/* The text of the element that was opened last and holds nothing else. */
mien_status cascade_read_text(cascade_reader *reader, xml_token *text);

/* The one finite number, or whole number, that the element that was opened last holds. */
mien_status cascade_read_real(cascade_reader *reader, double *value);
mien_status cascade_read_integer(cascade_reader *reader, int *value);

/* Numbers with white space between them. */
typedef struct number_list {
    const char *at, *end;
    size_t position; /* byte offset of at */
} number_list;

number_list cascade_numbers(const xml_token *text);
bool cascade_more_numbers(number_list *list);
mien_status cascade_no_more_numbers(cascade_reader *reader, number_list *list);

/* A number that is finite as float, and a whole number from -INT_MAX to INT_MAX. */
mien_status cascade_next_number(cascade_reader *reader, number_list *list, double *value);
mien_status cascade_next_integer(cascade_reader *reader, number_list *list, int *value);

/* The stages and trees within <stages>. Whether features exist is left to the end. */
mien_status cascade_read_stages(cascade_reader *reader);

#endif
