/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whether cuDNN can compute the convolutions of the zoo's networks on an H200. No GPU is needed: it
 * makes plans for a described one.
 */

#include "support.h"

#include "nn/onnx_write.h"
#include "train/cudnn/plan.h"
#include "train/tape.h"
#include "zoo/zoo.h"

/* What cuDNN wants to know of a GPU, as CUDA's manuals have it for compute capability 9.0. */
static const char described[] =
    "{\"maxGridSize\": [2147483647, 65535, 65535], \"maxBlockSize\": [1024, 1024, 64], "
    "\"regsPerBlock\": 65536, \"multiProcessorCount\": 132, \"warpSize\": 32, "
    "\"maxSharedMemoryPerBlock\": 49152, \"maxSharedMemoryPerBlockOptin\": 232448, "
    "\"reservedSharedMemoryPerBlock\": 1024, \"maxRegistersPerSM\": 65536, \"maxCtasPerSM\": 32, "
    "\"maxThreadsPerBlock\": 1024, \"maxThreadsPerSM\": 2048, \"pciDeviceId\": 0, "
    "\"isTccDriver\": 0, \"supportCoopLaunch\": 1, \"totalGlobalMem\": 150000000000, "
    "\"smClockRateKHz\": 1980000, \"memClockRateKHz\": 3201000, \"l2CacheSize\": 62914560, "
    "\"cudaDeviceId\": 0, \"deviceVer\": 900, \"driverVer\": 13000, "
    "\"deviceName\": \"NVIDIA H200\"}";

static cudnnBackendDescriptor_t properties;

static int describe(void **state)
{
    (void)state;
    return cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &properties) !=
               CUDNN_STATUS_SUCCESS ||
           cudnnBackendSetAttribute(properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                                    CUDNN_TYPE_CHAR, sizeof described - 1,
                                    described) != CUDNN_STATUS_SUCCESS ||
           cudnnBackendFinalize(properties) != CUDNN_STATUS_SUCCESS;
}

static int forget(void **state)
{
    (void)state;
    return cudnnBackendDestroyDescriptor(properties) != CUDNN_STATUS_SUCCESS;
}

/* A network of the zoo for one batch, as the trainer sees it. */
typedef struct zoo_tape {
    nn_model *model;
    train_tape tape;
} zoo_tape;

static zoo_tape open_tape(const char *architecture, int channels, int side, int batch)
{
    static const char *const outputs[] = {"logits"};
    zoo_options options = {
        .classes = 7, .channels = channels, .height = side, .width = side, .seed = 2};
    zoo_tape opened;
    nn_graph graph;
    mien_error error;
    uint8_t *bytes;
    size_t size;
    assert_ok(zoo_build(architecture, &options, &graph, &error), &error);
    assert_ok(onnx_write(&graph, ONNX_WEIGHTS_FLOAT32, &bytes, &size, &error), &error);
    assert_ok(nn_model_read(bytes, size, &opened.model, &error), &error);
    assert_ok(train_tape_create(opened.model, batch, outputs, 1, &opened.tape, &error), &error);
    free(bytes);
    nn_graph_free(&graph);
    return opened;
}

static nn_extent extent_of(const train_tape *tape, int value)
{
    nn_shape shape = train_tape_shape(tape, value);
    return (nn_extent){shape.dims[0], shape.dims[2], shape.dims[3], shape.dims[1]};
}

static void make_plans(const nn_conv *conv, bool bf16)
{
    for (int way = PLAN_FORWARD; way <= PLAN_WEIGHT_GRADIENT; way++) {
        conv_plan plan;
        mien_error error;
        assert_ok(plan_create(properties, conv, (plan_way)way, bf16, &plan, &error), &error);
        plan_free(&plan);
    }
}

/* The convolution that a layer is to cuDNN; a product is one of a pixel. */
static nn_conv conv_of(const train_tape *tape, const train_layer *layer)
{
    if (layer->kind == TRAIN_CONV)
        return (nn_conv){.in = extent_of(tape, layer->inputs[0]),
                         .out = extent_of(tape, layer->output),
                         .window = layer->params.conv.window,
                         .group = layer->params.conv.group};
    nn_shape in = train_tape_shape(tape, layer->inputs[0]);
    nn_shape out = train_tape_shape(tape, layer->output);
    return (nn_conv){.in = {in.dims[0], 1, 1, in.dims[1]},
                     .out = {out.dims[0], 1, 1, out.dims[1]},
                     .window = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}},
                     .group = 1};
}

static void check_network(const char *architecture, int channels, int side, int batch)
{
    zoo_tape opened = open_tape(architecture, channels, side, batch);
    const train_tape *tape = &opened.tape;
    for (size_t l = 0; l < tape->layer_count; l++) {
        const train_layer *layer = &tape->layers[l];
        if (layer->kind != TRAIN_CONV && layer->kind != TRAIN_DENSE)
            continue;
        nn_conv conv = conv_of(tape, layer);
        if (conv.group == conv.in.channels) /* a kernel of our own */
            continue;
        make_plans(&conv, false);
        make_plans(&conv, true);
    }
    train_tape_free(&opened.tape);
    nn_model_free(opened.model);
}

static void test_networks_have_plans(void **state)
{
    (void)state;
    static const char *const architectures[] = {
        "dcnn32",       "fcn",          "mien",     "mien_small",     "mini_xception",
        "mobilenet_v1", "mobilenet_v2", "resnet18", "sequential_cnn", "vgg"};
    for (size_t a = 0; a < sizeof architectures / sizeof *architectures; a++)
        check_network(architectures[a], 1, 48, 256);
    check_network("mobilenet_v2", 3, 224, 7);
}

/* Channels that no tensor core likes, uneven padding, groups. */
static void test_odd_shapes_have_plans(void **state)
{
    (void)state;
    static const nn_window windows[] = {{{3, 3}, {2, 2}, {1, 1}, {0, 0}, {1, 1}},
                                        {{3, 2}, {2, 1}, {1, 1}, {2, 0}, {0, 1}},
                                        {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}},
                                        {{5, 5}, {2, 2}, {1, 1}, {1, 2}, {2, 1}},
                                        {{1, 1}, {2, 2}, {1, 1}, {0, 0}, {0, 0}}};
    static const int channels[][3] = {{3, 5, 1}, {17, 33, 1}, {12, 6, 2}};
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
            nn_conv s = {.in = {3, 9, 8, channels[c][0]},
                         .out = {3, 0, 0, channels[c][1]},
                         .window = windows[w],
                         .group = channels[c][2]};
            int64_t *sizes[2] = {&s.out.height, &s.out.width};
            for (int i = 0; i < 2; i++) {
                const nn_window *v = &windows[w];
                int64_t in = i == 0 ? s.in.height : s.in.width;
                *sizes[i] = (in + v->pad_before[i] + v->pad_after[i] -
                             (v->kernel[i] - 1) * v->dilation[i] - 1) /
                                v->stride[i] +
                            1;
            }
            make_plans(&s, false);
            make_plans(&s, true);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_networks_have_plans),
                                       cmocka_unit_test(test_odd_shapes_have_plans)};
    return cmocka_run_group_tests(tests, describe, forget);
}
