/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The smallest useful program with libmien: the apparent expression of every face in a picture.
 *
 *   cc analyze_picture.c -o analyze_picture $(pkg-config --cflags --libs mien)
 *   ./analyze_picture model.onnx picture.jpg
 *
 * Without shared libraries: $(pkg-config --cflags --libs --static mien) and -static.
 */

#include <mien/mien.h>

#include <stdio.h>

static void print_faces(const mien_model *model, const mien_face *faces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s %.0f %% at %.0f,%.0f\n", mien_model_class_name(model, faces[i].top),
               100 * (double)faces[i].confidence, (double)faces[i].x, (double)faces[i].y);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL PICTURE\n", argv[0]);
        return 2;
    }

    /* Everything starts as NULL or zero, so that all of it can be freed wherever we stop. */
    mien_model *model = NULL;
    mien_detector *detector = NULL;
    mien_analyzer *analyzer = NULL;
    mien_image picture = {0};
    const mien_face *faces; /* belong to the analyzer */
    size_t count;
    mien_error error;

    /* Each step fills in `error` when it fails. NULL asks for the defaults; for the detector that
     * is OpenCV's cascade for frontal faces. */
    mien_status status = mien_model_open(argv[1], NULL, &model, &error);
    if (status == MIEN_OK)
        status = mien_detector_open(NULL, NULL, &detector, &error);
    if (status == MIEN_OK)
        status = mien_image_load(argv[2], MIEN_PIXEL_RGB8, 0, &picture, &error);

    /* The analyzer keeps its memory: make one, then run it on as many pictures as you like. */
    if (status == MIEN_OK)
        status = mien_analyzer_create(model, detector, &analyzer, &error);
    if (status == MIEN_OK)
        status = mien_analyzer_run(analyzer, &picture, &faces, &count, &error);

    if (status == MIEN_OK)
        print_faces(model, faces, count);
    else
        fprintf(stderr, "%s\n", error.message);

    /* The analyzer goes before what it works with. */
    mien_analyzer_free(analyzer);
    mien_image_free(&picture);
    mien_detector_free(detector);
    mien_model_free(model);
    return status == MIEN_OK ? 0 : 1;
}
