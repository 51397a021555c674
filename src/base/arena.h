/* arena.h - memory for one batch or request: allocate freely, free all at once.
 *
 * Aborts when the process has no memory; never grows past `max` (arena_alloc then returns NULL, for
 * sizes a peer chooses). Blocks are kept by arena_clear. One thread at a time.
 */
#ifndef ROLLCALL_ARENA_H
#define ROLLCALL_ARENA_H

#include "base/base.h"

struct arena_block;
struct arena {
    struct arena_block *first, *now;
    size_t used, max; /* bytes */
};

struct arena arena_new(size_t max);
void arena_free(struct arena *a);
void arena_clear(struct arena *a);
/* 16-byte aligned, not zeroed; NULL only past max. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy; {NULL, 0} past max. */
struct str arena_str(struct arena *a, struct str s);
struct bytes arena_bytes(struct arena *a, struct bytes b);
/* NUL-terminated; NULL past max. */
char *arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);

#endif
