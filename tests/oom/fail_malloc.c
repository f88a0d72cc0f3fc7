/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A library to preload (LD_PRELOAD) that lets allocations of the whole process fail, whoever makes
 * them. From the environment:
 *   FAIL_MALLOC_AT=N      the N-th allocation after the start fails, counted from 1; 0 for none
 *   FAIL_MALLOC_ON=1      and so does every later one
 *   FAIL_MALLOC_OWN=1     only allocations that the program's own code makes are counted
 *   FAIL_MALLOC_COUNT=F   the file that gets the number of allocations at the end
 * For the GNU C library, whose own functions it calls under their inner names.
 */

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_long made;
static long fail_at;
static bool fail_on;
static uintptr_t own_first, own_end; /* addresses of the program's code; 0 for every caller */
static bool started;

static bool fails_now(const void *caller)
{
    if (!started)
        return false;
    if (own_end != 0 && ((uintptr_t)caller < own_first || (uintptr_t)caller >= own_end))
        return false;
    long number = atomic_fetch_add(&made, 1) + 1;
    bool fails = fail_at != 0 && (number == fail_at || (fail_on && number > fail_at));
    if (fails)
        errno = ENOMEM;
    return fails;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size)
{
    return fails_now(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

EXPORTED void *calloc(size_t count, size_t size)
{
    return fails_now(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

EXPORTED void *realloc(void *memory, size_t size)
{
    return fails_now(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    return fails_now(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

EXPORTED int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = fails_now(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}

/* The first object of the list is the program itself. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        own_first = info->dlpi_addr + segment->p_vaddr;
        own_end = own_first + segment->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAIL_MALLOC_AT");
    const char *on = getenv("FAIL_MALLOC_ON");
    fail_at = at != NULL ? strtol(at, NULL, 10) : 0;
    fail_on = on != NULL && strcmp(on, "1") == 0;
    const char *own = getenv("FAIL_MALLOC_OWN");
    if (own != NULL && strcmp(own, "1") == 0)
        dl_iterate_phdr(find_program, NULL);
    started = true;
}

__attribute__((destructor)) static void end(void)
{
    started = false;
    const char *path = getenv("FAIL_MALLOC_COUNT");
    FILE *file = path != NULL ? fopen(path, "we") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "%ld\n", atomic_load(&made));
    fclose(file);
}
