/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

/* The tables of a store, and their version. */

#include "store/driver.h"

/*
 * Makes sure that the tables are there and of this version; create: makes them where they are not.
 * MIEN_NOT_FOUND (not there, and create is false), MIEN_UNSUPPORTED (tables of others, or of
 * another version), and the driver's failures.
 */
mien_status schema_ensure(const store_driver *driver, void *connection, bool create,
                          mien_error *error);

/* For statements that answer with one integer, into *(int64_t *)context. */
mien_status schema_take_integer(void *context, const store_value *row, size_t count,
                                mien_error *error);

#endif
