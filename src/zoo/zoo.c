/* SPDX-License-Identifier: Apache-2.0 */
#include "zoo/zoo.h"

#include "base/error.h"
#include "zoo/parts.h"

#include <stdio.h>
#include <string.h>

#define MAX_CLASSES 10000
#define MAX_SIDE    4096 /* pixels */
#define MIN_WIDTH   0.05f
#define MAX_WIDTH   4.0f

typedef struct architecture {
    const char *name;
    int side; /* of its own input, pixels */
    bool takes_width_multiplier;
    zoo_builder build;
} architecture;

static const architecture architectures[] = {
    {"dcnn32", 32, false, zoo_dcnn32},
    {"fcn", 48, false, zoo_fcn},
    {"mien", 48, false, zoo_mien},
    {"mien_small", 48, false, zoo_mien_small},
    {"mini_xception", 48, false, zoo_mini_xception},
    {"mobilenet_v1", 224, true, zoo_mobilenet_v1},
    {"mobilenet_v2", 224, true, zoo_mobilenet_v2},
    {"resnet18", 48, false, zoo_resnet18},
    {"sequential_cnn", 48, false, zoo_sequential_cnn},
    {"vgg", 48, false, zoo_vgg},
};

const char *zoo_name(size_t index)
{
    return index < sizeof architectures / sizeof *architectures ? architectures[index].name : NULL;
}

static mien_status find(const char *name, const architecture **found, mien_error *error)
{
    char names[256] = "";
    for (size_t i = 0; zoo_name(i) != NULL; i++) {
        if (strcmp(zoo_name(i), name) == 0) {
            *found = &architectures[i];
            return MIEN_OK;
        }
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", zoo_name(i));
    }
    return error_set(error, MIEN_NOT_FOUND, "there is no architecture '%.60s', only %s", name,
                     names);
}

/* Checks the options and fills in the defaults. */
static mien_status settle(const architecture *a, const zoo_options *given, zoo_options *o,
                          mien_error *error)
{
    *o = *given;
    if (o->height == 0)
        o->height = a->side;
    if (o->width == 0)
        o->width = a->side;
    if (o->width_multiplier == 0)
        o->width_multiplier = 1;
    if (o->classes < 2 || o->classes > MAX_CLASSES)
        return error_set(error, MIEN_INVALID_ARGUMENT, "%d classes are not 2 to %d", o->classes,
                         MAX_CLASSES);
    if (o->channels != 1 && o->channels != 3)
        return error_set(error, MIEN_INVALID_ARGUMENT, "a picture of %d channels is not 1 or 3",
                         o->channels);
    if (o->height < 1 || o->height > MAX_SIDE || o->width < 1 || o->width > MAX_SIDE)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "an input of %d rows and %d columns is not 1 to %d", o->height, o->width,
                         MAX_SIDE);
    if (!(o->width_multiplier >= MIN_WIDTH && o->width_multiplier <= MAX_WIDTH))
        return error_set(error, MIEN_INVALID_ARGUMENT, "a width multiplier of %g is not %g to %g",
                         (double)o->width_multiplier, (double)MIN_WIDTH, (double)MAX_WIDTH);
    if (o->width_multiplier != 1 && !a->takes_width_multiplier)
        return error_set(error, MIEN_INVALID_ARGUMENT,
                         "%s has no width multiplier; only the MobileNets have", a->name);
    return MIEN_OK;
}

mien_status zoo_build(const char *name, const zoo_options *options, nn_graph *graph,
                      mien_error *error)
{
    const architecture *a = NULL;
    zoo_options settled;
    *graph = (nn_graph){0};
    mien_status status = find(name, &a, error);
    if (status == MIEN_OK)
        status = settle(a, options, &settled, error);
    if (status != MIEN_OK)
        return status;
    nn_builder b;
    nn_build_start(&b, graph, settled.seed);
    int x = nn_build_input(&b, "input", settled.channels, settled.height, settled.width);
    zoo_ends ends = a->build(&b, x, &settled);
    int probabilities = nn_build_softmax(&b, ends.logits);
    nn_build_output(&b, ends.logits, "logits");
    nn_build_output(&b, probabilities, "probabilities");
    nn_build_output(&b, ends.features, "features");
    nn_build_metadata(&b, "mien.architecture", a->name);
    status = nn_build_finish(&b, error);
    return status == MIEN_OK ? MIEN_OK : error_prefix(error, status, "%s", a->name);
}
