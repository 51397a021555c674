#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(16) uint8_t data[];
};

#define BLOCK_SIZE ((size_t)64 * 1024)

struct arena arena_new(size_t max)
{
    return (struct arena){.max = max};
}

void arena_free(struct arena *a)
{
    for (struct arena_block *b = a->first, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena){.max = a->max};
}

void arena_clear(struct arena *a)
{
    for (struct arena_block *b = a->first; b; b = b->next) b->used = 0;
    a->now = a->first;
    a->used = 0;
}

static struct arena_block *block_for(struct arena *a, size_t n)
{
    for (struct arena_block *b = a->now; b; b = b->next)
        if (b->size - b->used >= n) return a->now = b;
    size_t size = n > BLOCK_SIZE ? n : BLOCK_SIZE;
    struct arena_block *b = x_alloc(sizeof *b + size);
    *b = (struct arena_block){.size = size};
    if (a->now) {
        b->next = a->now->next;
        a->now->next = b;
    } else {
        b->next = a->first;
        a->first = b;
    }
    return a->now = b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > a->max || a->used > a->max - n || n > SIZE_MAX / 2) return NULL;
    n = (n + 15) & ~(size_t)15;
    struct arena_block *b = block_for(a, n);
    void *p = b->data + b->used;
    b->used += n;
    a->used += n;
    return p;
}

struct bytes arena_bytes(struct arena *a, struct bytes b)
{
    uint8_t *p = b.len < SIZE_MAX ? arena_alloc(a, b.len + 1) : NULL;
    if (!p) return (struct bytes){NULL, 0};
    if (b.len) memcpy(p, b.ptr, b.len);
    p[b.len] = 0;
    return (struct bytes){p, b.len};
}

struct str arena_str(struct arena *a, struct str s)
{
    return str_of(arena_bytes(a, bytes_of(s)));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p) vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
