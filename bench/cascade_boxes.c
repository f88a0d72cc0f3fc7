/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The boxes that a cascade finds in grey pictures, and how long that takes; bench/
 * cascade_vs_opencv.py compares them with OpenCV's.
 *
 *     cascade_boxes CASCADE SCALE_FACTOR MIN_NEIGHBOURS MIN_SIDE MAX_SIDE REPEATS THREADS KERNELS
 *                   PICTURE.pgm...
 *
 * KERNELS is "best" or a name that cascade_kernels_find knows.
 *
 * For each picture prints "picture <boxes> <median milliseconds>", then a line "x y width height
 * score" for each box.
 */

#include "base/file.h"
#include "detect/cascade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_REPEATS    99
#define MAX_FILE_BYTES ((size_t)1 << 30)

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Binary PGM of 8 bits without comments, as OpenCV writes it; the pixels stay in bytes. */
static bool view_pgm(uint8_t *bytes, size_t size, mien_image *view)
{
    int width, height, start = 0;
    if (sscanf((const char *)bytes, "P5 %d %d 255%n", &width, &height, &start) != 2 || start == 0 ||
        width < 1 || height < 1)
        return false;
    size_t pixels = (size_t)width * (size_t)height;
    if (size - (size_t)start < pixels + 1)
        return false;
    *view = (mien_image){bytes + start + 1, width, height, (size_t)width, MIEN_PIXEL_GRAY8};
    return true;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Fills faces with the result of the last run. */
static mien_status detect_repeatedly(cascade_searcher *searcher, const mien_image *picture,
                                     const cascade_options *options, int repeats, face_list *faces,
                                     double *median_ms, mien_error *error)
{
    double times[MAX_REPEATS];
    for (int i = 0; i < repeats; i++) {
        faces->count = 0;
        double start = now_ms();
        mien_status status = cascade_search(searcher, picture, options, faces, error);
        if (status != MIEN_OK)
            return status;
        times[i] = now_ms() - start;
    }
    qsort(times, (size_t)repeats, sizeof *times, by_value);
    *median_ms = times[repeats / 2];
    return MIEN_OK;
}

static void print_boxes(const face_list *faces, double median_ms)
{
    printf("picture %zu %.4f\n", faces->count, median_ms);
    for (size_t i = 0; i < faces->count; i++) {
        const face_box *face = &faces->faces[i];
        printf("%g %g %g %g %g\n", (double)face->x, (double)face->y, (double)face->width,
               (double)face->height, (double)face->score);
    }
}

static mien_status run_picture(cascade_searcher *searcher, const char *path,
                               const cascade_options *options, int repeats, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    mien_status status = file_read(path, MAX_FILE_BYTES, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    mien_image picture;
    face_list faces = {0};
    double median_ms = 0.0;
    if (view_pgm(bytes, size, &picture)) {
        status = detect_repeatedly(searcher, &picture, options, repeats, &faces, &median_ms, error);
    } else {
        status = MIEN_MALFORMED;
        snprintf(error->message, sizeof error->message, "'%s' is not a binary PGM of 8 bits", path);
    }
    if (status == MIEN_OK)
        print_boxes(&faces, median_ms);
    face_list_free(&faces);
    free(bytes);
    return status;
}

static mien_status load_cascade(const char *path, cascade **model, mien_error *error)
{
    uint8_t *bytes;
    size_t size;
    *model = NULL;
    mien_status status = file_read(path, MAX_FILE_BYTES, &bytes, &size, error);
    if (status != MIEN_OK)
        return status;
    status = cascade_read(bytes, size, path, model, error);
    free(bytes);
    return status;
}

int main(int count, char **arguments)
{
    if (count < 10) {
        fprintf(stderr, "usage: cascade_boxes CASCADE SCALE_FACTOR MIN_NEIGHBOURS MIN_SIDE "
                        "MAX_SIDE REPEATS THREADS KERNELS PICTURE.pgm...\n");
        return 2;
    }
    cascade_options options = {.scale_factor = atof(arguments[2]),
                               .min_neighbours = atoi(arguments[3]),
                               .min_width = atoi(arguments[4]),
                               .min_height = atoi(arguments[4]),
                               .max_width = atoi(arguments[5]),
                               .max_height = atoi(arguments[5])};
    int repeats = atoi(arguments[6]);
    repeats = repeats < 1 ? 1 : repeats > MAX_REPEATS ? MAX_REPEATS : repeats;
    const cascade_kernels *kernels =
        cascade_kernels_find(strcmp(arguments[8], "best") == 0 ? NULL : arguments[8]);
    if (kernels == NULL) {
        fprintf(stderr, "cascade_boxes: there are no kernels '%s' here\n", arguments[8]);
        return 2;
    }
    mien_error error = {0};
    cascade *model;
    team *workers = NULL;
    cascade_searcher *searcher = NULL;
    mien_status status = load_cascade(arguments[1], &model, &error);
    if (status == MIEN_OK)
        status = team_create(atoi(arguments[7]), &workers, &error);
    if (status == MIEN_OK)
        status = cascade_searcher_create(model, kernels, workers, &searcher, &error);
    for (int i = 9; status == MIEN_OK && i < count; i++)
        status = run_picture(searcher, arguments[i], &options, repeats, &error);
    cascade_searcher_free(searcher);
    team_free(workers);
    cascade_free(model);
    if (status != MIEN_OK)
        fprintf(stderr, "cascade_boxes: %s\n", error.message);
    return status == MIEN_OK ? 0 : 1;
}
