/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#define SKIPPED 77

static _Noreturn void skip_all(const char *reason)
{
    printf("skipped: %s\n", reason);
    exit(SKIPPED);
}

/* The module's table, once it has been seen to find a GPU. */
static const train_backend *load(void)
{
    static const train_backend *table; /* the program's only one */
    char path[4096];
    mien_error error;
    train_device *device;
    if (table != NULL)
        return table;
    const char *folder = getenv("MIEN_BUILD_ROOT");
    snprintf(path, sizeof path, "%s/mien-cudnn.so", folder != NULL ? folder : ".");
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        skip_all("built without CUDA");
    fclose(file);
    if (train_backend_load(path, &table, &error) != MIEN_OK ||
        table->memory->open(&device, &error) != MIEN_OK)
        skip_all(error.message);
    table->memory->close(device);
    return table;
}

const train_backend *tables_f32(void)
{
    return load();
}

const train_backend *tables_bf16(void)
{
    return load()->bf16;
}

/* Whether the vendor's own switch has turned TF32 off. */
static bool is_float32(void)
{
    const char *override = getenv("NVIDIA_TF32_OVERRIDE");
    return override != NULL && strcmp(override, "0") == 0;
}

/* TF32 rounds factors to 2^-11 where float32 has 2^-24; in float32 minimal filtering may be what is
 * chosen, as in test_backends.c. */
double tables_slack(void)
{
    return is_float32() ? 64 : 8192;
}

/* Errors of either sign cancel out as they are summed up. */
double tables_network_slack(void)
{
    return is_float32() ? 4 : 100;
}
