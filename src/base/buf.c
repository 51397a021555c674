#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct buf buf_new(size_t max)
{
    return (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

/* Memory is one byte more than the content may ever be: room for a terminating NUL in a full buffer. */
static void grow(struct buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 64;
    while (cap - b->len <= n && cap < SIZE_MAX) cap = cap < SIZE_MAX / 2 ? cap * 2 : SIZE_MAX;
    if (cap - 1 > b->max) cap = b->max + 1;
    b->ptr = x_realloc(b->ptr, cap);
    b->cap = cap;
}

uint8_t *buf_reserve_slow(struct buf *b, size_t n)
{
    if (b->failed || n > b->max || b->len > b->max - n) {
        b->failed = true;
        return NULL;
    }
    if (n >= b->cap - b->len) grow(b, n);
    return b->ptr + b->len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    uint8_t *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
    if (to) {
        vsnprintf((char *)to, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_add_u16le(struct buf *b, uint16_t v)
{
    uint8_t p[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    buf_add(b, p, sizeof p);
}

void buf_add_u32le(struct buf *b, uint32_t v)
{
    uint8_t p[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    buf_add(b, p, sizeof p);
}

void buf_add_u64le(struct buf *b, uint64_t v)
{
    buf_add_u32le(b, (uint32_t)v);
    buf_add_u32le(b, (uint32_t)(v >> 32));
}

void buf_add_varint_slow(struct buf *b, uint64_t v)
{
    if (v < 0x80) {
        buf_add_byte(b, (uint8_t)v);
        return;
    }
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    buf_add(b, bytes, n);
}

const char *buf_cstr(struct buf *b)
{
    if (b->failed) return "";
    if (b->cap == b->len) grow(b, 0); /* only an empty buffer has no room for it */
    b->ptr[b->len] = 0;
    return (const char *)b->ptr;
}
