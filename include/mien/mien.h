/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIEN_MIEN_H
#define MIEN_MIEN_H

/* The whole public interface of mien. */

#include <mien/analyzer.h>
#include <mien/detector.h>
#include <mien/image.h>
#include <mien/model.h>
#include <mien/status.h>

#define MIEN_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, such as "0.1.0". */
MIEN_API const char *mien_version(void);

#ifdef __cplusplus
}
#endif

#endif
