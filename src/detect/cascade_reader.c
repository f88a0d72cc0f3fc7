/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_reader.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBER_LENGTH 63
#define WHITE_SPACE       " \t\r\n"

mien_status cascade_out_of_memory(cascade_reader *reader)
{
    return error_no_memory(reader->scanner.error, reader->scanner.name, reader->scanner.size);
}

/* The next child of the element that was opened last; *more is false when it is closed instead. */
mien_status cascade_next_child(cascade_reader *reader, xml_token *token, bool *more)
{
    *more = false;
    mien_status status = xml_next(&reader->scanner, token);
    if (status != MIEN_OK)
        return status;
    if (token->kind == XML_TEXT)
        return xml_malformed(&reader->scanner, token->position,
                             "'%.*s' where an element is expected", xml_shown_length(token->text),
                             token->text.start);
    *more = token->kind == XML_OPEN;
    return MIEN_OK;
}

/* Passes over the rest of the element that was opened last. */
mien_status cascade_skip_element(cascade_reader *reader)
{
    size_t outside = reader->scanner.depth - 1;
    xml_token token;
    mien_status status = MIEN_OK;
    while (status == MIEN_OK && reader->scanner.depth > outside)
        status = xml_next(&reader->scanner, &token);
    return status;
}

/* The text of the element that was opened last and holds nothing else. */
mien_status cascade_read_text(cascade_reader *reader, xml_token *text)
{
    xml_token close;
    mien_status status = xml_next(&reader->scanner, text);
    if (status != MIEN_OK)
        return status;
    if (text->kind != XML_TEXT)
        return xml_malformed(&reader->scanner, text->position, "a value is missing");
    status = xml_next(&reader->scanner, &close);
    if (status == MIEN_OK && close.kind != XML_CLOSE)
        return xml_malformed(&reader->scanner, close.position, "a single value is expected");
    return status;
}

number_list cascade_numbers(const xml_token *text)
{
    return (number_list){text->text.start, text->text.start + text->text.length, text->position};
}

static void skip(number_list *list, size_t length)
{
    list->at += length;
    list->position += length;
}

bool cascade_more_numbers(number_list *list)
{
    while (list->at < list->end && strchr(WHITE_SPACE, *list->at) != NULL)
        skip(list, 1);
    return list->at < list->end;
}

mien_status cascade_next_number(cascade_reader *reader, number_list *list, double *value)
{
    if (!cascade_more_numbers(list))
        return xml_malformed(&reader->scanner, list->position, "a number is missing");
    xml_slice word = {list->at, 0};
    while (list->at + word.length < list->end && strchr(WHITE_SPACE, list->at[word.length]) == NULL)
        word.length++;
    char copy[MAX_NUMBER_LENGTH + 1] = {0};
    char *end = copy;
    if (word.length <= MAX_NUMBER_LENGTH) {
        memcpy(copy, word.start, word.length);
        if (strspn(copy, "0123456789+-.eE") == word.length)
            *value = strtod_l(copy, &end, reader->locale);
    }
    if (end == copy || *end != '\0' || !isfinite((float)*value))
        return xml_malformed(&reader->scanner, list->position, "'%.*s' is not a finite number",
                             xml_shown_length(word), word.start);
    skip(list, word.length);
    return MIEN_OK;
}

mien_status cascade_next_integer(cascade_reader *reader, number_list *list, int *value)
{
    cascade_more_numbers(list);
    size_t position = list->position;
    double number;
    mien_status status = cascade_next_number(reader, list, &number);
    if (status != MIEN_OK)
        return status;
    if (number != floor(number) || fabs(number) > INT_MAX)
        return xml_malformed(&reader->scanner, position, "%g is not a whole number in range",
                             number);
    *value = (int)number;
    return MIEN_OK;
}

mien_status cascade_no_more_numbers(cascade_reader *reader, number_list *list)
{
    if (cascade_more_numbers(list))
        return xml_malformed(&reader->scanner, list->position, "more numbers than expected");
    return MIEN_OK;
}

mien_status cascade_read_real(cascade_reader *reader, double *value)
{
    xml_token text;
    mien_status status = cascade_read_text(reader, &text);
    if (status != MIEN_OK)
        return status;
    number_list list = cascade_numbers(&text);
    status = cascade_next_number(reader, &list, value);
    return status == MIEN_OK ? cascade_no_more_numbers(reader, &list) : status;
}

mien_status cascade_read_integer(cascade_reader *reader, int *value)
{
    xml_token text;
    mien_status status = cascade_read_text(reader, &text);
    if (status != MIEN_OK)
        return status;
    number_list list = cascade_numbers(&text);
    status = cascade_next_integer(reader, &list, value);
    return status == MIEN_OK ? cascade_no_more_numbers(reader, &list) : status;
}
