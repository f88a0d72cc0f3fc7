/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"
#include "data/pack.h"

#include <stdlib.h>
#include <string.h>

/* Bytes as a packed set, whose sum is put behind them so that they are looked into. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool wants(void *context, dataset_split usage)
{
    (void)context;
    return usage != DATASET_PUBLIC_TEST;
}

static mien_status take(void *context, const fer_record *record, const uint8_t *pixels,
                        mien_error *error)
{
    unsigned *sum = context;
    (void)error;
    *sum += (unsigned)record->emotion + pixels[0] + pixels[FER_PIXELS - 1];
    return MIEN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char digest[SHA256_HEX_SIZE];
    uint8_t *summed = malloc(size + SHA256_HEX_SIZE);
    if (summed == NULL)
        return 0;
    unsigned sum = 0;
    const fer_taker taker = {&sum, wants, take};
    mien_error error;
    sha256_hex(bytes, size, digest);
    memcpy(summed, bytes, size);
    memcpy(summed + size, digest, SHA256_HEX_SIZE - 1);
    pack_scan(summed, size + SHA256_HEX_SIZE - 1, "set.mien", false, &taker, &error);
    free(summed);
    return 0;
}
