/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_OOM_WRAPPED_H
#define TESTS_OOM_WRAPPED_H

/*
 * Fails each allocation in turn and keeps account of what is not freed. For one test program that
 * is linked with --wrap for malloc, calloc, realloc, aligned_alloc, strdup and free: so the
 * allocations of mien's own code come here, those inside other libraries stay as they are.
 */

#include "support.h"

/* ---- The allocator that fails on demand and keeps account ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);

#define MAX_LIVE 65536

static void *live[MAX_LIVE]; /* what was allocated and not freed, in no order */
static size_t live_count;
static long countdown; /* allocations until the one that fails; 0: none fails */
static bool failed;

static bool fails_now(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    failed = true;
    return true;
}

static void *remember(void *memory)
{
    if (memory != NULL) {
        assert_true(live_count < MAX_LIVE);
        live[live_count++] = memory;
    }
    return memory;
}

/* The last allocated is mostly the first freed. Memory of other libraries is not in the list. */
static void forget(const void *memory)
{
    for (size_t i = live_count; i > 0; i--)
        if (live[i - 1] == memory) {
            live[i - 1] = live[--live_count];
            return;
        }
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : remember(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : remember(__real_calloc(count, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : remember(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails_now())
        return NULL;
    forget(memory);
    return remember(__real_realloc(memory, size));
}

char *__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

/* ---- What is put to the test ---- */

/* A file in memory; its own memory stays out of the account. */
typedef struct file_bytes {
    uint8_t *bytes;
    size_t size;
} file_bytes;

static inline file_bytes read_bytes(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    file_bytes result = {.size = (size_t)ftell(file)};
    rewind(file);
    result.bytes = __real_malloc(result.size);
    assert_non_null(result.bytes);
    assert_int_equal(fread(result.bytes, 1, result.size, file), result.size);
    fclose(file);
    return result;
}

static inline file_bytes read_source(const char *name)
{
    char path[4096];
    return read_bytes(test_source_path(name, path, sizeof path));
}

typedef mien_status (*operation)(const void *context, mien_error *error);

/*
 * Fails the first allocation, then the second, until the operation gets by without a failure.
 * spare: allocations that it may do without, so that it succeeds all the same.
 */
static void fail_each(const char *name, operation run, const void *context, int spare)
{
    size_t before = live_count;
    for (long k = 1;; k++) {
        mien_error error = {.message = ""};
        countdown = k;
        failed = false;
        mien_status status = run(context, &error);
        countdown = 0;
        if (live_count != before)
            fail_msg("%s: %zu allocations leak when allocation %ld fails", name,
                     live_count - before, k);
        if (!failed) {
            assert_ok(status, &error);
            print_message("%s: %ld allocations\n", name, k - 1);
            assert_true(k > 1);
            return;
        }
        if (status == MIEN_OK && spare-- > 0)
            continue;
        if (status != MIEN_OUT_OF_MEMORY)
            fail_msg("%s: status '%s' (%s) when allocation %ld fails", name,
                     mien_status_name(status), error.message, k);
        assert_non_null(strstr(error.message, "out of memory"));
    }
}

#endif
