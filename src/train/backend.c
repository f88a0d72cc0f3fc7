/* SPDX-License-Identifier: Apache-2.0 */
#include "train/backend.h"

#include "base/error.h"
#include "train/module.h"

#include <dlfcn.h>
#include <mien/mien.h>
#include <string.h>

mien_status train_backend_with(const train_backend *backend, train_precision precision,
                               const train_backend **out, mien_error *error)
{
    *out = precision == TRAIN_F32 ? backend : NULL;
    if (precision == TRAIN_F32)
        return MIEN_OK;
    if (backend->bf16 == NULL)
        return error_set(error, MIEN_UNSUPPORTED,
                         "precision = bf16 needs the backend onednn or cudnn, not %s",
                         backend->name);
    if (!backend->bf16->rounding->available())
        return error_set(error, MIEN_UNSUPPORTED,
                         "precision = bf16: this processor does not multiply BF16 (avx512_bf16); "
                         "use precision = f32");
    *out = backend->bf16;
    return MIEN_OK;
}

const train_backend *train_backend_find(const char *name)
{
    static const train_backend *const backends[] = {&train_backend_ref, &train_backend_onednn};
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

static mien_status check_module(const char *path, const train_module *module, mien_error *error)
{
    if (module == NULL)
        return error_set(error, MIEN_UNSUPPORTED, "'%s' is no module of mien", path);
    if (strcmp(module->version, MIEN_VERSION) != 0 || module->table_size != sizeof(train_backend))
        return error_set(error, MIEN_UNSUPPORTED,
                         "'%s' is of mien %s, this is mien %s: install both anew", path,
                         module->version, MIEN_VERSION);
    return MIEN_OK;
}

mien_status train_backend_load(const char *path, const train_backend **out, mien_error *error)
{
    *out = NULL;
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (file == NULL)
        return error_set(error, MIEN_UNSUPPORTED, "cannot load the backend: %s", dlerror());
    const train_module *module = dlsym(file, TRAIN_MODULE_SYMBOL);
    mien_status status = check_module(path, module, error);
    if (status == MIEN_OK)
        *out = module->backend;
    else
        dlclose(file);
    return status;
}
