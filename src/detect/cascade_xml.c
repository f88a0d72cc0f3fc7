/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cascade_xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_LENGTH 40

xml_scanner xml_scan(const void *text, size_t size, const char *name, mien_error *error)
{
    return (xml_scanner){.text = text, .size = size, .name = name, .error = error};
}

bool xml_slice_is(xml_slice slice, const char *text)
{
    return slice.length == strlen(text) && memcmp(slice.start, text, slice.length) == 0;
}

int xml_shown_length(xml_slice slice)
{
    return slice.length < SHOWN_LENGTH ? (int)slice.length : SHOWN_LENGTH;
}

__attribute__((format(printf, 4, 0))) static mien_status fail(const xml_scanner *scanner,
                                                              mien_status status, size_t position,
                                                              const char *format, va_list args)
{
    char message[MIEN_ERROR_MESSAGE_SIZE];
    vsnprintf(message, sizeof message, format, args);
    return error_set_at(scanner->error, status, (int64_t)position, "'%s', byte %zu: %s",
                        scanner->name, position, message);
}

mien_status xml_fail(const xml_scanner *scanner, mien_status status, size_t position,
                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(scanner, status, position, format, args);
    va_end(args);
    return status;
}

mien_status xml_malformed(const xml_scanner *scanner, size_t position, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(scanner, MIEN_MALFORMED, position, format, args);
    va_end(args);
    return MIEN_MALFORMED;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

static bool at_end(const xml_scanner *scanner)
{
    return scanner->position >= scanner->size;
}

/* The character at the position, 0 at the end. */
static char peek(const xml_scanner *scanner)
{
    return at_end(scanner) ? '\0' : scanner->text[scanner->position];
}

static bool starts_with(const xml_scanner *scanner, const char *prefix)
{
    size_t length = strlen(prefix);
    return scanner->size - scanner->position >= length &&
           memcmp(scanner->text + scanner->position, prefix, length) == 0;
}

static void skip_space(xml_scanner *scanner)
{
    while (!at_end(scanner) && is_space(peek(scanner)))
        scanner->position++;
}

/* Moves behind the next occurrence of mark; false when there is none. */
static bool skip_behind(xml_scanner *scanner, const char *mark)
{
    for (; !at_end(scanner); scanner->position++)
        if (starts_with(scanner, mark)) {
            scanner->position += strlen(mark);
            return true;
        }
    return false;
}

/* Passes over white space, comments and declarations. */
static mien_status skip_ignored(xml_scanner *scanner)
{
    for (;;) {
        skip_space(scanner);
        size_t start = scanner->position;
        if (starts_with(scanner, "<!--")) {
            scanner->position += 4;
            if (!skip_behind(scanner, "-->"))
                return xml_malformed(scanner, start, "the comment is never closed");
        } else if (starts_with(scanner, "<?")) {
            if (!skip_behind(scanner, "?>"))
                return xml_malformed(scanner, start, "the declaration is never closed");
        } else if (starts_with(scanner, "<!")) {
            return xml_fail(scanner, MIEN_UNSUPPORTED, start,
                            "document types and CDATA are not read; remove them");
        } else {
            return MIEN_OK;
        }
    }
}

static mien_status read_name(xml_scanner *scanner, xml_slice *name)
{
    size_t start = scanner->position;
    while (!at_end(scanner) && is_name_character(peek(scanner)))
        scanner->position++;
    *name = (xml_slice){scanner->text + start, scanner->position - start};
    return name->length != 0 ? MIEN_OK : xml_malformed(scanner, start, "a name is expected here");
}

/* name="value" or name='value' */
static mien_status read_attribute(xml_scanner *scanner, xml_token *token)
{
    xml_slice name;
    mien_status status = read_name(scanner, &name);
    if (status != MIEN_OK)
        return status;
    skip_space(scanner);
    if (peek(scanner) != '=')
        return xml_malformed(scanner, scanner->position,
                             "'=' is expected after an attribute's name");
    scanner->position++;
    skip_space(scanner);
    char quote = peek(scanner);
    if (quote != '"' && quote != '\'')
        return xml_malformed(scanner, scanner->position, "an attribute's value must be in quotes");
    size_t start = ++scanner->position;
    while (!at_end(scanner) && peek(scanner) != quote && peek(scanner) != '<')
        scanner->position++;
    if (peek(scanner) != quote)
        return xml_malformed(scanner, start, "the attribute's value is never closed");
    if (xml_slice_is(name, "type_id"))
        token->type_id = (xml_slice){scanner->text + start, scanner->position - start};
    scanner->position++;
    return MIEN_OK;
}

static mien_status push(xml_scanner *scanner, const xml_token *token)
{
    if (scanner->depth == XML_MAX_DEPTH)
        return xml_fail(scanner, MIEN_LIMIT, token->position,
                        "elements are nested deeper than %d levels", XML_MAX_DEPTH);
    scanner->open[scanner->depth++] = token->text;
    return MIEN_OK;
}

/* The position is behind "<". */
static mien_status read_open_tag(xml_scanner *scanner, xml_token *token)
{
    token->kind = XML_OPEN;
    mien_status status = read_name(scanner, &token->text);
    if (status == MIEN_OK)
        status = push(scanner, token);
    while (status == MIEN_OK) {
        skip_space(scanner);
        if (peek(scanner) == '>') {
            scanner->position++;
            return MIEN_OK;
        }
        if (starts_with(scanner, "/>")) {
            scanner->position += 2;
            scanner->empty_element = true;
            return MIEN_OK;
        }
        if (at_end(scanner))
            return xml_malformed(scanner, token->position, "the text ends within a tag");
        status = read_attribute(scanner, token);
    }
    return status;
}

/* The position is behind "</". */
static mien_status read_close_tag(xml_scanner *scanner, xml_token *token)
{
    token->kind = XML_CLOSE;
    mien_status status = read_name(scanner, &token->text);
    if (status != MIEN_OK)
        return status;
    skip_space(scanner);
    if (peek(scanner) != '>')
        return xml_malformed(scanner, scanner->position, "'>' is expected at the end of a tag");
    scanner->position++;
    if (scanner->depth == 0)
        return xml_malformed(scanner, token->position, "</%.*s> closes nothing",
                             xml_shown_length(token->text), token->text.start);
    xml_slice open = scanner->open[--scanner->depth];
    if (open.length != token->text.length || memcmp(open.start, token->text.start, open.length))
        return xml_malformed(scanner, token->position, "</%.*s> where <%.*s> should be closed",
                             xml_shown_length(token->text), token->text.start,
                             xml_shown_length(open), open.start);
    return MIEN_OK;
}

static mien_status read_text(xml_scanner *scanner, xml_token *token)
{
    token->kind = XML_TEXT;
    if (scanner->depth == 0)
        return xml_malformed(scanner, token->position,
                             "text outside of all elements; is this XML?");
    for (; peek(scanner) != '<'; scanner->position++) {
        if (at_end(scanner))
            return xml_malformed(scanner, scanner->position, "the text ends within an element");
        if (peek(scanner) == '&' || peek(scanner) == '\0')
            return xml_malformed(scanner, scanner->position, "a character that no cascade holds");
    }
    size_t end = scanner->position;
    while (is_space(scanner->text[end - 1]))
        end--;
    token->text = (xml_slice){scanner->text + token->position, end - token->position};
    return MIEN_OK;
}

mien_status xml_next(xml_scanner *scanner, xml_token *token)
{
    *token = (xml_token){.kind = XML_CLOSE, .position = scanner->position};
    if (scanner->empty_element) {
        scanner->empty_element = false;
        token->text = scanner->open[--scanner->depth];
        return MIEN_OK;
    }
    mien_status status = skip_ignored(scanner);
    if (status != MIEN_OK)
        return status;
    token->position = scanner->position;
    if (at_end(scanner)) {
        token->kind = XML_END;
        if (scanner->depth == 0)
            return MIEN_OK;
        xml_slice open = scanner->open[scanner->depth - 1];
        return xml_malformed(scanner, scanner->position,
                             "the text ends before </%.*s>; is it cut short?",
                             xml_shown_length(open), open.start);
    }
    if (peek(scanner) != '<')
        return read_text(scanner, token);
    bool closing = starts_with(scanner, "</");
    scanner->position += closing ? 2 : 1;
    return closing ? read_close_tag(scanner, token) : read_open_tag(scanner, token);
}
