/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>

#define SHA256_HEX_SIZE 65 /* with the zero byte */

/* The SHA-256 (FIPS 180-4) of some bytes as lower-case hexadecimal digits, as sha256sum prints it.
 */
void sha256_hex(const void *bytes, size_t size, char hex[SHA256_HEX_SIZE]);

#endif
