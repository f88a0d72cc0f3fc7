/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_HTML_H
#define EVAL_HTML_H

/*
 * One self-contained HTML page: style, charts and pictures are in it; it fetches nothing and runs
 * no script. The markup is well-formed XML too. Write errors stay in the stream (ferror).
 */

#include <mien/image.h>
#include <stdio.h>

#define HTML_PERCENT "\302\240%%" /* in a format: a space that does not break, and the sign */

void html_begin(FILE *out, const char *title);
void html_end(FILE *out);

/*
 * A text in element or attribute. What has a meaning in HTML is escaped; control characters, and
 * bytes that are not UTF-8, become '?'.
 */
void html_text(FILE *out, const char *text);

/* <h2> and the line of explanation under it, which may be NULL. */
void html_heading(FILE *out, const char *title, const char *note);

/* <img> with the picture as PNG in a data: URI. alt: text for those who do not see it. Errors of
 * image_encode_png. */
mien_status html_picture(FILE *out, const mien_image *image, const char *alt, mien_error *error);

#endif
