/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

/*
 * A text without the user and password of the first address in it ("rtsp://user:secret@camera" ->
 * "rtsp://camera"), for people, records and logs. Freed with free(); NULL when out of memory.
 * Thread-safe.
 */
char *address_without_password(const char *text);

#endif
