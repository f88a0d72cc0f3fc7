/* SPDX-License-Identifier: Apache-2.0 */

/* Videos made here, by FFmpeg's muxer: raw RGB or PNG pictures in QuickTime files, without loss. */

#include "support.h"

#include "image/codec/codec.h"
#include "image/image.h"
#include "video/source.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH = 24, HEIGHT = 16, FRAMES = 5 };

/* Milliseconds; no two frames are equally far apart. */
static const int64_t stamps_ms[FRAMES] = {0, 40, 140, 150, 900};

static char folder[] = "/tmp/mien-video-XXXXXX";

static const char *path_of(const char *name, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s/%s", folder, name);
    return buffer;
}

static uint8_t pixel(int frame, int x, int y, int channel)
{
    return (uint8_t)(frame * 37 + x * 9 + y * 5 + channel * 70);
}

static void fill(mien_image *image, int frame)
{
    mien_error error;
    assert_ok(mien_image_alloc(WIDTH, HEIGHT, MIEN_PIXEL_RGB8, image, &error), &error);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++)
                image_row(image, y)[3 * x + c] = pixel(frame, x, y, c);
}

static AVStream *add_stream(AVFormatContext *container, const int32_t *matrix)
{
    AVStream *stream = avformat_new_stream(container, NULL);
    assert_non_null(stream);
    stream->time_base = (AVRational){1, 1000};
    stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    stream->codecpar->codec_id = AV_CODEC_ID_PNG;
    stream->codecpar->format = AV_PIX_FMT_RGB24;
    stream->codecpar->width = WIDTH;
    stream->codecpar->height = HEIGHT;
    if (matrix != NULL) {
        uint8_t *data = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 36);
        assert_non_null(data);
        memcpy(data, matrix, 36);
    }
    return stream;
}

/* broken: a frame whose bytes are nonsense, or -1. */
static void write_frame(AVFormatContext *container, const AVStream *stream, int frame, int broken)
{
    mien_image image;
    uint8_t *bytes;
    size_t size;
    fill(&image, frame);
    assert_ok(image_encode_png(&image, &bytes, &size, NULL), NULL);
    if (frame == broken)
        memset(bytes, 0x5a, size);
    AVPacket *packet = av_packet_alloc();
    assert_non_null(packet);
    assert_int_equal(av_new_packet(packet, (int)size), 0);
    memcpy(packet->data, bytes, size);
    packet->flags = AV_PKT_FLAG_KEY;
    packet->duration = av_rescale_q(50, (AVRational){1, 1000}, stream->time_base);
    packet->pts = packet->dts =
        av_rescale_q(stamps_ms[frame], (AVRational){1, 1000}, stream->time_base);
    assert_int_equal(av_interleaved_write_frame(container, packet), 0);
    av_packet_free(&packet);
    mien_image_free(&image);
    free(bytes);
}

static const char *write_video(const char *name, const int32_t *matrix, int broken)
{
    static char path[256];
    AVFormatContext *container;
    path_of(name, path, sizeof path);
    av_log_set_level(AV_LOG_QUIET);
    assert_true(avformat_alloc_output_context2(&container, NULL, "mov", path) >= 0);
    AVStream *stream = add_stream(container, matrix);
    assert_true(avio_open(&container->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(container, NULL) >= 0);
    for (int i = 0; i < FRAMES; i++)
        write_frame(container, stream, i, broken);
    assert_int_equal(av_write_trailer(container), 0);
    avio_closep(&container->pb);
    avformat_free_context(container);
    return path;
}

static const char *write_bytes(const char *name, const void *bytes, size_t size)
{
    static char path[256];
    FILE *file = fopen(path_of(name, path, sizeof path), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return path;
}

static video_source *open_source(const char *path)
{
    video_source *source;
    mien_error error;
    assert_ok(video_source_open(path, NULL, &source, &error), &error);
    return source;
}

static video_frame next(video_source *source)
{
    video_frame frame;
    mien_error error;
    assert_ok(video_source_next(source, &frame, &error), &error);
    return frame;
}

static void expect_pixels(const mien_image *image, int frame)
{
    assert_int_equal(image->format, MIEN_PIXEL_RGB8);
    assert_int_equal(image->width, WIDTH);
    assert_int_equal(image->height, HEIGHT);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(image_row(image, y)[3 * x + c], pixel(frame, x, y, c));
}

static void test_frames_with_their_times(void **state)
{
    (void)state;
    video_source *source = open_source(write_video("plain.mov", NULL, -1));
    for (int i = 0; i < FRAMES; i++) {
        video_frame frame = next(source);
        assert_non_null(frame.image);
        expect_pixels(frame.image, i);
        assert_true(fabs(frame.time_s - (double)stamps_ms[i] / 1000) < 1e-9);
    }
    for (int i = 0; i < 3; i++)
        assert_null(next(source).image);
    assert_int_equal(video_source_skipped(source), 0);
    video_source_close(source);
}

/* Where the upper left pixel of the stored frame is seen, and the one right of it. */
static void expect_turned(const int32_t *matrix, int width, int height, int x0, int y0, int x1,
                          int y1)
{
    video_source *source = open_source(write_video("turned.mov", matrix, -1));
    video_frame frame = next(source);
    assert_int_equal(frame.image->width, width);
    assert_int_equal(frame.image->height, height);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(image_row(frame.image, y0)[3 * x0 + c], pixel(0, 0, 0, c));
        assert_int_equal(image_row(frame.image, y1)[3 * x1 + c], pixel(0, 1, 0, c));
    }
    video_source_close(source);
}

static void test_rotation(void **state)
{
    (void)state;
    const int32_t one = 1 << 16, w = 1 << 30;
    const int32_t clockwise[9] = {0, one, 0, -one, 0, 0, 0, 0, w};
    const int32_t half[9] = {-one, 0, 0, 0, -one, 0, 0, 0, w};
    const int32_t counterclockwise[9] = {0, -one, 0, one, 0, 0, 0, 0, w};
    const int32_t mirrored[9] = {-one, 0, 0, 0, one, 0, 0, 0, w};
    expect_turned(clockwise, HEIGHT, WIDTH, HEIGHT - 1, 0, HEIGHT - 1, 1);
    expect_turned(half, WIDTH, HEIGHT, WIDTH - 1, HEIGHT - 1, WIDTH - 2, HEIGHT - 1);
    expect_turned(counterclockwise, HEIGHT, WIDTH, 0, WIDTH - 1, 0, WIDTH - 2);
    expect_turned(mirrored, WIDTH, HEIGHT, WIDTH - 1, 0, WIDTH - 2, 0);
}

static void test_corrupt_packets_are_passed_over(void **state)
{
    (void)state;
    video_source *source = open_source(write_video("corrupt.mov", NULL, 2));
    int frames = 0;
    for (video_frame frame = next(source); frame.image != NULL; frame = next(source), frames++)
        expect_pixels(frame.image, frames < 2 ? frames : frames + 1);
    assert_int_equal(frames, FRAMES - 1);
    assert_int_equal(video_source_skipped(source), 1);
    video_source_close(source);
}

static void test_numbered_pictures(void **state)
{
    (void)state;
    char path[256];
    for (int i = 0; i < 3; i++) {
        char name[32];
        mien_image image;
        fill(&image, i);
        snprintf(name, sizeof name, "f%03d.ppm", i + 1);
        assert_ok(mien_image_save(&image, path_of(name, path, sizeof path), NULL), NULL);
        mien_image_free(&image);
    }
    video_source *source = open_source(path_of("f%03d.ppm", path, sizeof path));
    for (int i = 0; i < 3; i++) {
        video_frame frame = next(source);
        expect_pixels(frame.image, i);
        assert_true(fabs(frame.time_s - i / 25.0) < 1e-9);
    }
    assert_null(next(source).image);
    video_source_close(source);
}

static void expect_refused(mien_status status, const char *path, const char *message)
{
    video_source *source;
    mien_error error;
    assert_fails(status, video_source_open(path, NULL, &source, &error), &error, message);
    assert_null(source);
    assert_non_null(strstr(error.message, path));
}

static void test_no_videos(void **state)
{
    (void)state;
    static const char words[] = "Dear reader,\nthis is a letter and nothing else.\n";
    static const char tag[] = "RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0"
                              "\x08\0data\x08\0\0\0";
    static const char tune[sizeof tag + 7] =
        "RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\x08\0\0\0";
    char path[256];
    expect_refused(MIEN_NOT_FOUND, path_of("missing.mp4", path, sizeof path), "no file");
    expect_refused(MIEN_INVALID_ARGUMENT, folder, "is a folder");
    expect_refused(MIEN_UNSUPPORTED, write_bytes("letter.txt", words, sizeof words - 1),
                   "no video");
    expect_refused(MIEN_UNSUPPORTED, write_bytes("letter.mp4", words, sizeof words - 1),
                   "no video");
    expect_refused(MIEN_UNSUPPORTED, write_bytes("tune.wav", tune, sizeof tune),
                   "no moving picture");
    expect_refused(MIEN_UNSUPPORTED, write_bytes("empty.mp4", "", 0), "no video");
}

static void test_limit_of_pixels(void **state)
{
    (void)state;
    video_source *source;
    mien_error error;
    const char *path = write_video("plain.mov", NULL, -1);
    video_source_options options = {.max_pixels = WIDTH * HEIGHT - 1};
    assert_fails(MIEN_LIMIT, video_source_open(path, &options, &source, &error), &error,
                 "plain.mov: frames of 24x16");
    options.max_pixels++;
    assert_ok(video_source_open(path, &options, &source, &error), &error);
    video_source_close(source);
}

static bool always(void *context)
{
    return *(bool *)context;
}

static void test_stopping(void **state)
{
    (void)state;
    video_source *source;
    bool stop = false;
    video_source_options options = {.stopped = always, .context = &stop};
    const char *path = write_video("plain.mov", NULL, -1);
    assert_ok(video_source_open(path, &options, &source, NULL), NULL);
    assert_non_null(next(source).image);
    stop = true;
    assert_null(next(source).image);
    video_source_close(source);
}

/* ---- Raw frames ---- */

static void test_what_raw_frames_are(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        video_raw raw;
    } good[] = {
        {"640x480", {640, 480, "rgb24", 25}},
        {"1x65535:gray", {1, 65535, "gray", 25}},
        {"640x480@29.97", {640, 480, "rgb24", 29.97}},
        {"8x6:yuv420p@0.5", {8, 6, "yuv420p", 0.5}},
    };
    static const char *const bad[] = {"",
                                      "640",
                                      "640x",
                                      "x480",
                                      "0x480",
                                      "640x-1",
                                      "1e3x10",
                                      "640x65536",
                                      "640x480x3",
                                      "640x480 ",
                                      "640x480:",
                                      "640x480:nothing",
                                      "640x480@",
                                      "640x480@0",
                                      "640x480@1e9",
                                      "640x480@nan",
                                      "640x480@25@30",
                                      "640x480:rgb24@ 1 "};
    video_raw raw;
    mien_error error;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(video_raw_parse(good[i].text, &raw, &error), &error);
        assert_int_equal(raw.width, good[i].raw.width);
        assert_int_equal(raw.height, good[i].raw.height);
        assert_string_equal(raw.format, good[i].raw.format);
        assert_true(raw.rate == good[i].raw.rate);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(video_raw_parse(bad[i], &raw, &error), MIEN_INVALID_ARGUMENT);
}

static void raw_bytes(uint8_t *bytes)
{
    for (int i = 0; i < FRAMES; i++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                for (int c = 0; c < 3; c++)
                    *bytes++ = pixel(i, x, y, c);
}

static void expect_raw_frames(const char *path)
{
    video_source_options options = {0};
    video_source *source;
    mien_error error;
    assert_ok(video_raw_parse("24x16:rgb24@10", &options.raw, &error), &error);
    assert_ok(video_source_open(path, &options, &source, &error), &error);
    assert_false(video_source_is_live(source));
    for (int i = 0; i < FRAMES; i++) {
        video_frame frame = next(source);
        expect_pixels(frame.image, i);
        assert_true(fabs(frame.time_s - i / 10.0) < 1e-9);
    }
    assert_null(next(source).image);
    video_source_close(source);
}

static void *fill_pipe(void *argument)
{
    static uint8_t bytes[FRAMES * WIDTH * HEIGHT * 3];
    raw_bytes(bytes);
    FILE *file = fopen(argument, "wb"); /* waits for the reader */
    if (file != NULL) {
        fwrite(bytes, 1, sizeof bytes, file);
        fclose(file);
    }
    return NULL;
}

static void test_raw_frames(void **state)
{
    (void)state;
    static uint8_t bytes[FRAMES * WIDTH * HEIGHT * 3];
    char path[256];
    pthread_t writer;
    raw_bytes(bytes);
    expect_raw_frames(write_bytes("frames.raw", bytes, sizeof bytes));
    assert_int_equal(mkfifo(path_of("pipe", path, sizeof path), 0600), 0);
    assert_int_equal(pthread_create(&writer, NULL, fill_pipe, path), 0);
    expect_raw_frames(path);
    pthread_join(writer, NULL);
}

/* A pipe that nobody writes to: waiting for it can be ended, before it is opened and after. */
static void test_an_empty_pipe(void **state)
{
    (void)state;
    video_source *source;
    mien_error error;
    bool stop = true;
    char path[256];
    video_source_options options = {.stopped = always, .context = &stop};
    path_of("pipe", path, sizeof path);
    assert_fails(MIEN_IO, video_source_open(path, &options, &source, &error), &error, "stopped");
    assert_null(source);
}

/* ---- Where names lead ---- */

static void test_devices_that_are_not_here(void **state)
{
    (void)state;
    expect_refused(MIEN_NOT_FOUND, "/dev/video999", "no camera");
    expect_refused(MIEN_IO, "screen::4321", "the screen cannot be read");
    video_source *source;
    mien_error error;
    video_source_options options = {.raw = {8, 8, "rgb24", 25}};
    assert_fails(MIEN_INVALID_ARGUMENT,
                 video_source_open("screen::4321", &options, &source, &error), &error,
                 "no file of raw frames");
}

/* The caller's memory: used again where it fits, else replaced. */
static void test_drawing_into(void **state)
{
    (void)state;
    mien_image image = {0};
    video_source *source = open_source(write_video("plain.mov", NULL, -1));
    video_source_draw_into(source, &image);
    assert_ptr_equal(next(source).image, &image);
    expect_pixels(&image, 0);
    const uint8_t *data = image.data;
    assert_ptr_equal(next(source).image, &image);
    assert_ptr_equal(image.data, data);
    video_source_draw_into(source, NULL);
    assert_ptr_not_equal(next(source).image, &image);
    expect_pixels(&image, 1);
    video_source_close(source);
    expect_pixels(&image, 1);
    mien_image_free(&image);
}

/* Cut off or changed anywhere: an error or fewer frames, never a crash. */
static void test_damaged_files(void **state)
{
    (void)state;
    uint8_t bytes[16384], damaged[16384];
    FILE *file = fopen(write_video("plain.mov", NULL, -1), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_in_range(size, 1000, sizeof bytes - 1);
    test_random random = {.state = 3};
    for (int i = 0; i < 150; i++) {
        memcpy(damaged, bytes, size);
        size_t length = i % 2 == 0 ? (size_t)test_random_int(&random, 0, (int)size) : size;
        for (int k = 0; i % 2 == 1 && k < 20; k++)
            damaged[test_random_int(&random, 0, (int)size - 1)] ^=
                (uint8_t)test_random_int(&random, 1, 255);
        video_source *source;
        video_frame frame = {0};
        int frames = 0;
        if (video_source_open(write_bytes("damaged.mov", damaged, length), NULL, &source, NULL) !=
            MIEN_OK)
            continue;
        while (video_source_next(source, &frame, NULL) == MIEN_OK && frame.image != NULL)
            frames++;
        assert_true(frames <= FRAMES);
        video_source_close(source);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"plain.mov",  "turned.mov", "corrupt.mov", "damaged.mov",
                                        "f001.ppm",   "f002.ppm",   "f003.ppm",    "letter.txt",
                                        "letter.mp4", "tune.wav",   "empty.mp4",   "frames.raw",
                                        "pipe"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i], path, sizeof path));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_with_their_times),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_corrupt_packets_are_passed_over),
        cmocka_unit_test(test_numbered_pictures),
        cmocka_unit_test(test_no_videos),
        cmocka_unit_test(test_limit_of_pixels),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_what_raw_frames_are),
        cmocka_unit_test(test_raw_frames),
        cmocka_unit_test(test_an_empty_pipe),
        cmocka_unit_test(test_devices_that_are_not_here),
        cmocka_unit_test(test_drawing_into),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
