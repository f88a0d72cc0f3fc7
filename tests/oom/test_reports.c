/* SPDX-License-Identifier: Apache-2.0 */

/* The same for what explains a network and draws the curves of a run. */

#include "wrapped.h"

#include "eval/curves.h"
#include "eval/heat.h"
#include "eval/history.h"
#include "train/saliency.h"

static mien_status explain(const void *context, mien_error *error)
{
    saliency *s;
    float map[48 * 48];
    mien_status status = saliency_create(context, 0, 48, 48, &s, error);
    if (status != MIEN_OK)
        return status;
    size_t before = live_count; /* nothing is allocated from here on */
    memset(saliency_input(s), 0, sizeof map);
    saliency_forward(s);
    saliency_grad_cam(s, 3, map);
    saliency_gradient(s, 3, true, map);
    assert_int_equal(live_count, before);
    mien_image picture;
    status = heat_signed(map, 1, 48, 48, &picture, error);
    if (status == MIEN_OK)
        mien_image_free(&picture);
    saliency_free(s);
    return status;
}

static void explaining(void **state)
{
    (void)state;
    mien_error error;
    nn_model *model;
    file_bytes onnx = read_source("tests/fixtures/tiny-classifier.onnx");
    assert_ok(nn_model_read(onnx.bytes, onnx.size, &model, &error), &error);
    fail_each("an explanation", explain, model, 0);
    nn_model_free(model);
    __real_free(onnx.bytes);
}

static mien_status draw_history(const void *context, mien_error *error)
{
    static const char log[] = "{\"stage\":\"a\",\"loss\":1}\n{\"stage\":\"b\",\"loss\":2}\n";
    history h;
    mien_status status = history_read(log, sizeof log - 1, "log", &h, error);
    if (status != MIEN_OK)
        return status;
    status = history_section((FILE *)(uintptr_t)context, &h, error);
    history_free(&h);
    return status;
}

static void drawing_a_run(void **state)
{
    (void)state;
    FILE *nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    fail_each("a run", draw_history, nowhere, 0);
    fclose(nowhere);
}

static mien_status draw_roc(const void *context, mien_error *error)
{
    const int labels[] = {0, 1, 1};
    eval_roc_point points[EVAL_ROC_POINTS];
    size_t count;
    return eval_roc_curve(labels, context, 3, 2, 1, points, &count, error);
}

static void drawing_a_curve(void **state)
{
    (void)state;
    const float probabilities[] = {0.5f, 0.5f, 0.2f, 0.8f, 0.6f, 0.4f};
    fail_each("a ROC curve", draw_roc, probabilities, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explaining),
        cmocka_unit_test(drawing_a_run),
        cmocka_unit_test(drawing_a_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
