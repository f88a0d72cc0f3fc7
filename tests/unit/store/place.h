/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_STORE_PLACE_H
#define TESTS_STORE_PLACE_H

/*
 * Where a test puts its stores: a new folder, or a new schema in the PostgreSQL database that
 * MIEN_TEST_POSTGRES names. And a session with everything in it.
 */

#include "support.h"

#include "store/store.h"

typedef struct place {
    bool is_server;
    char folder[256]; /* "" on a server */
    char schema[64];  /* "" in a folder */
    char where[512];  /* for store_open */
} place;

/* How the program was called: "postgres" as its only argument asks for the server. */
void place_choose(int argc, char **argv);

place place_make(void);
void place_remove(const place *p);

/* Statements past the store, straight into the database of the place. */
void place_tamper(const place *p, const char *sql);

/* The store of a place, made where it is not there. */
store *place_open(const place *p);

/* ---- A session ---- */

#define STANDARD_CLASSES 3

extern const store_session standard_session;

/* Sample number i of a session with two people, 10 a second; its probabilities. */
timeline_sample standard_sample(int i);
void standard_probabilities(int i, float *probabilities);

/* Hands over samples first..last-1. */
void write_samples(store_writer *writer, int first, int last);

/* Writes a session with samples 0..count-1. Returns its id. */
int64_t write_session(store *s, const store_session *session, int count);

/* Reads a session, which must be there. */
store_record *read_session(store *s, int64_t id);

/* Sample i is the standard one, and so are its probabilities. */
void check_sample(const timeline *line, size_t i, int number);

#endif
