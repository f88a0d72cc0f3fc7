/* SPDX-License-Identifier: Apache-2.0 */
#include "video/ffmpeg/pipe.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536, WAIT_MS = 50 };

/* A named pipe that nobody writes to yet is waited for, too. 0: there are bytes, or its end. */
static int wait_for_bytes(const pipe_reader *reader)
{
    struct pollfd wanted = {.fd = reader->descriptor, .events = POLLIN};
    while (!reader->stopped(reader->context)) {
        int ready = poll(&wanted, 1, WAIT_MS);
        if (ready < 0 && errno != EINTR)
            return AVERROR(errno);
        if (ready > 0)
            return 0;
    }
    return AVERROR_EXIT;
}

static int read_bytes(void *opaque, uint8_t *bytes, int size)
{
    const pipe_reader *reader = opaque;
    for (;;) {
        int code = wait_for_bytes(reader);
        if (code < 0)
            return code;
        ssize_t got = read(reader->descriptor, bytes, (size_t)size);
        if (got > 0)
            return (int)got;
        if (got == 0)
            return AVERROR_EOF;
        if (errno != EINTR && errno != EAGAIN)
            return AVERROR(errno);
    }
}

mien_status pipe_open(pipe_reader *reader, const char *path, mien_error *error)
{
    reader->descriptor =
        strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (reader->descriptor < 0)
        return error_set(error, MIEN_IO, "cannot open '%s': %s", path, strerror(errno));
    uint8_t *buffer = av_malloc(BUFFER_BYTES);
    if (buffer != NULL)
        reader->io = avio_alloc_context(buffer, BUFFER_BYTES, 0, reader, read_bytes, NULL, NULL);
    if (reader->io == NULL) {
        av_free(buffer);
        if (reader->descriptor != STDIN_FILENO)
            close(reader->descriptor);
        return error_no_memory(error, "a pipe", BUFFER_BYTES);
    }
    return MIEN_OK;
}

void pipe_close(pipe_reader *reader)
{
    if (reader->io == NULL)
        return;
    av_freep(&reader->io->buffer);
    avio_context_free(&reader->io);
    if (reader->descriptor != STDIN_FILENO)
        close(reader->descriptor);
}
