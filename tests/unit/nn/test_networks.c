/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The eight networks of the shared material against ONNX Runtime: samples of each output, its sum
 * and its range, in tests/golden/networks.txt (made by run_ort.js there). Skips what is not here.
 */

#include "support.h"

#include "golden.h"

#include <math.h>

#define TOLERANCE            1e-4 /* of the output's range, or absolute where it is one number */
#define REFERENCE_MOST_MADDS 30000000 /* the reference is slow: the small networks only */

typedef struct golden_network {
    char file[64];
    nn_shape shape;
    float scale;
} golden_network;

typedef struct golden_output {
    char name[64];
    long count;
    double low, high, sum;
    int sample_count;
    double samples[64];
} golden_output;

static bool read_output(FILE *file, golden_output *o)
{
    if (fscanf(file, " output %63s %ld %lf %lf %lf %d", o->name, &o->count, &o->low, &o->high,
               &o->sum, &o->sample_count) != 6)
        return false;
    assert_in_range(o->sample_count, 1, 64);
    for (int i = 0; i < o->sample_count; i++)
        assert_int_equal(fscanf(file, "%lf", &o->samples[i]), 1);
    return true;
}

static void compare(const golden_run *run, const golden_output *o, const char *file,
                    const char *set)
{
    int index = nn_plan_find_output(run->plan, o->name);
    assert_true(index >= 0);
    const float *actual = nn_session_output(run->session, (size_t)index);
    assert_int_equal(golden_elements(nn_plan_output_shape(run->plan, (size_t)index)), o->count);
    double allowed = TOLERANCE * (o->count > 1 ? o->high - o->low : 1);
    double sum = 0;
    for (long i = 0; i < o->count; i++)
        sum += (double)actual[i];
    for (int i = 0; i < o->sample_count; i++) {
        long at = (long)i * o->count / o->sample_count;
        if (!(fabs((double)actual[at] - o->samples[i]) <= allowed))
            fail_msg("%s, %s, %s: number %ld is %.8g, not %.8g", file, set, o->name, at,
                     (double)actual[at], o->samples[i]);
    }
    if (!(fabs(sum - o->sum) <= allowed * (double)o->count))
        fail_msg("%s, %s, %s: the sum is %.8g, not %.8g", file, set, o->name, sum, o->sum);
}

#define MOST_OUTPUTS 16

static void check_network(const golden_network *network, const golden_output *outputs, size_t count)
{
    char path[600], shared[80];
    snprintf(shared, sizeof shared, "weights/%s", network->file);
    if (test_shared_path(shared, path, sizeof path) == NULL)
        return;
    uint8_t *bytes;
    size_t size;
    mien_error error;
    nn_model *model;
    assert_ok(file_read(path, 1 << 26, &bytes, &size, &error), &error);
    assert_ok(nn_model_read(bytes, size, &model, &error), &error);
    free(bytes);
    assert_int_equal(nn_model_graph(model)->output_count, count);
    const char *set;
    bool done = false;
    for (size_t k = 0; !done; k++) {
        const nn_kernels *kernels = golden_kernels(k, &set, &done);
        nn_plan *plan = NULL;
        nn_plan_options options = {.input_shapes = &network->shape};
        if (done)
            break;
        if (kernels == NULL) {
            assert_ok(nn_plan_create(model, &options, &plan, &error), &error);
            bool slow = nn_plan_multiply_adds(plan) > REFERENCE_MOST_MADDS;
            nn_plan_free(plan);
            if (slow)
                continue;
        }
        golden_run run;
        assert_ok(golden_start(model, &network->shape, kernels, network->scale, &run, &error),
                  &error);
        for (size_t o = 0; o < count; o++)
            compare(&run, &outputs[o], network->file, set);
        golden_stop(&run);
    }
    nn_model_free(model);
}

static void the_networks_agree_with_onnx_runtime(void **state)
{
    (void)state;
    char path[600], line[200];
    FILE *file = fopen(test_source_path("tests/golden/networks.txt", path, sizeof path), "r");
    assert_non_null(file);
    for (int i = 0; i < 3; i++) /* comments */
        assert_non_null(fgets(line, sizeof line, file));
    golden_network network;
    int networks = 0;
    network.shape.rank = 4;
    int64_t *dims = network.shape.dims;
    while (fscanf(file, " network %63s %ld %ld %ld %ld %f", network.file, &dims[0], &dims[1],
                  &dims[2], &dims[3], &network.scale) == 6) {
        golden_output outputs[MOST_OUTPUTS];
        size_t count = 0;
        while (count < MOST_OUTPUTS && read_output(file, &outputs[count]))
            count++;
        check_network(&network, outputs, count);
        networks++;
    }
    fclose(file);
    assert_int_equal(networks, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_networks_agree_with_onnx_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
