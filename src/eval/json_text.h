/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVAL_JSON_TEXT_H
#define EVAL_JSON_TEXT_H

/*
 * JSON that is whole or an error. jansson's functions pass a failure on: a NULL value makes the
 * next *_set_new or *_append_new fail, and both always take over the value. So each builder needs
 * one look at a flag at its end.
 */

#include <jansson.h>
#include <stdbool.h>

/* The value when everything was stored; else NULL, and the value is freed. */
json_t *json_text_finish(json_t *value, bool complete);

/* A string. JSON must be UTF-8 and file names need not be: then bytes over 127 become '?'. */
json_t *json_text_name(const char *name);

/*
 * The value as text, freed with free(). The value is freed. NULL when it is NULL or memory is out:
 * json_dumps would pass over an object's key that it has no memory for.
 */
char *json_text_dump(json_t *value, size_t flags);

#endif
