/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_SESSION_PARTS_H
#define EVAL_SESSION_PARTS_H

/* The sections of the page about a session, and what they are written with. Write errors stay in
 * the stream. */

#include "eval/session_page.h"

/* What the sections are made of. */
typedef struct session_findings {
    const session_story *story;
    const session_settings *settings;
    roles roles;
    int colours[MIEN_MAX_CLASSES]; /* of the classes, for charts: neutral is grey */
    person_time *people;
    size_t people_count;
    session_ratios ratios;
    group_course group;
    expression_event *events;
    size_t event_count;
} session_findings;

/* ---- Words and cells ---- */

#define SESSION_NAME_SIZE 128

/* "Ann (2)" or "person 2". Returns name. */
const char *session_name_of(const session_findings *f, int64_t person,
                            char name[SESSION_NAME_SIZE]);

const char *session_words_of(stress_decision decision);

/* A share as per cent; NaN as a dash. */
void session_put_share(FILE *out, double share);

/* A table; columns: their names with '|' between them. A row begins with its name. */
void session_begin_table(FILE *out, const char *columns);
void session_end_table(FILE *out);
void session_begin_row(FILE *out, const char *name);
void session_cell_share(FILE *out, double share);
void session_cell_time(FILE *out, double seconds);
void session_cell_text(FILE *out, const char *text);

/* ---- Sections ---- */

mien_status session_people_section(FILE *out, const session_findings *f, mien_error *error);
mien_status session_pictures_section(FILE *out, const session_findings *f, mien_error *error);
mien_status session_group_section(FILE *out, const session_findings *f, mien_error *error);
mien_status session_event_section(FILE *out, const session_findings *f, mien_error *error);
void session_notes_section(FILE *out, const session_findings *f);
void session_formulas_section(FILE *out, const session_findings *f);

#endif
