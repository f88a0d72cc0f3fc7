/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The whole frame through the public API: the bytes of a picture decoded, its faces found and their
 * expressions read, again and again on one thread; bench/frame_vs_python.py runs it.
 *
 *     frame MODEL.onnx PRECISION DETECTOR SCALE_FACTOR INPUT_SIDE FRAMES PICTURE
 *
 * PRECISION, "f32" or "bf16", is the model's; DETECTOR is a file or "default"; SCALE_FACTOR is that
 * of a cascade, INPUT_SIDE that of a network (0: its own). Prints the number of faces,
 * the median microseconds of processor time of a frame and of its decoding, and the resident memory
 * in KiB after a tenth of the frames and at the end.
 */

#include <mien/mien.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILE_BYTES 100000000

typedef struct frame_times {
    double *whole_us, *decode_us; /* (frames) */
    long memory_early_kib, memory_late_kib;
    size_t faces;
} frame_times;

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = file != NULL ? malloc(MAX_FILE_BYTES) : NULL;
    *size = bytes != NULL ? fread(bytes, 1, MAX_FILE_BYTES, file) : 0;
    if (file != NULL)
        fclose(file);
    return bytes;
}

static mien_status run_frame(mien_analyzer *analyzer, const unsigned char *bytes, size_t size,
                             double *decode_us, size_t *faces, mien_error *error)
{
    mien_image picture;
    const mien_face *found;
    double start = now_us();
    mien_status status = mien_image_decode(bytes, size, MIEN_PIXEL_RGB8, 0, &picture, error);
    *decode_us = now_us() - start;
    if (status != MIEN_OK)
        return status;
    status = mien_analyzer_run(analyzer, &picture, &found, faces, error);
    mien_image_free(&picture);
    return status;
}

static mien_status run_frames(mien_analyzer *analyzer, const unsigned char *bytes, size_t size,
                              size_t frames, frame_times *times, mien_error *error)
{
    for (size_t i = 0; i < frames; i++) {
        double start = now_us();
        mien_status status =
            run_frame(analyzer, bytes, size, &times->decode_us[i], &times->faces, error);
        times->whole_us[i] = now_us() - start;
        if (status != MIEN_OK)
            return status;
        if (i == frames / 10)
            times->memory_early_kib = resident_kib();
    }
    times->memory_late_kib = resident_kib();
    return MIEN_OK;
}

/* Written once, so that its pages do not count as memory that frames take. */
static double *create_times(size_t frames)
{
    double *times = malloc(frames * sizeof *times);
    for (size_t i = 0; times != NULL && i < frames; i++)
        times[i] = -1;
    return times;
}

int main(int count, char **arguments)
{
    if (count != 8) {
        fprintf(stderr, "usage: frame MODEL.onnx PRECISION DETECTOR SCALE_FACTOR INPUT_SIDE FRAMES "
                        "PICTURE\n");
        return 2;
    }
    size_t size, frames = strtoul(arguments[6], NULL, 10);
    mien_error error = {.message = "no picture, no memory or no frames"};
    mien_model *model = NULL;
    mien_detector *detector = NULL;
    mien_analyzer *analyzer = NULL;
    const mien_model_options model_options = {.precision = arguments[2]};
    const mien_detector_options options = {.scale_factor = atof(arguments[4]),
                                           .input_width = atoi(arguments[5]),
                                           .input_height = atoi(arguments[5])};
    const char *path = strcmp(arguments[3], "default") == 0 ? NULL : arguments[3];
    unsigned char *bytes = read_file(arguments[7], &size);
    frame_times times = {create_times(frames), create_times(frames)};
    bool done = bytes != NULL && times.whole_us != NULL && times.decode_us != NULL && frames > 0 &&
                mien_model_open(arguments[1], &model_options, &model, &error) == MIEN_OK &&
                mien_detector_open(path, &options, &detector, &error) == MIEN_OK &&
                mien_analyzer_create(model, detector, &analyzer, &error) == MIEN_OK &&
                run_frames(analyzer, bytes, size, frames, &times, &error) == MIEN_OK;
    if (done)
        printf("%zu %.2f %.2f %ld %ld\n", times.faces, median(times.whole_us, frames),
               median(times.decode_us, frames), times.memory_early_kib, times.memory_late_kib);
    else
        fprintf(stderr, "frame: %s\n", error.message);
    mien_analyzer_free(analyzer);
    mien_detector_free(detector);
    mien_model_free(model);
    free(times.whole_us);
    free(times.decode_us);
    free(bytes);
    return done ? 0 : 1;
}
