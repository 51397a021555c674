/* cursor.h - the only way to read binary input.
 *
 * Every read checks what is left; a short read sets `failed`, yields zero or empty, and makes every
 * later read fail too: read the whole structure, then check once. Never allocates, never goes past
 * the end, never recurses.
 *     struct cursor c = cursor_new(in);
 *     uint8_t rev = cursor_u8(&c); uint32_t n = cursor_u32le(&c);
 *     if (c.failed || c.in.len) return err_set(e, ERR_PROTO, "...");
 */
#ifndef ROLLCALL_CURSOR_H
#define ROLLCALL_CURSOR_H

#include "base/base.h"

struct cursor {
    struct bytes in; /* what is left */
    bool failed;
};

static inline struct cursor cursor_new(struct bytes in)
{
    return (struct cursor){in, false};
}
/* The next n bytes, borrowed from the input. */
static inline struct bytes cursor_bytes(struct cursor *c, size_t n)
{
    if (c->failed || n > c->in.len) {
        c->failed = true;
        return (struct bytes){NULL, 0};
    }
    struct bytes out = {c->in.ptr, n};
    if (n) c->in.ptr += n; /* nothing may be added to NULL, not even 0 */
    c->in.len -= n;
    return out;
}
static inline uint8_t cursor_u8(struct cursor *c)
{
    struct bytes b = cursor_bytes(c, 1);
    return b.ptr ? b.ptr[0] : 0;
}
uint16_t cursor_u16le(struct cursor *c);
uint32_t cursor_u32le(struct cursor *c);
uint64_t cursor_u64le(struct cursor *c);
uint64_t cursor_u48be(struct cursor *c); /* a SID's authority */
/* LEB128 as buf_add_varint writes it; more than 10 bytes or 64 bits fails. */
uint64_t cursor_varint_slow(struct cursor *c);
static inline uint64_t cursor_varint(struct cursor *c)
{
    if (!c->failed && c->in.len && c->in.ptr[0] < 0x80) {
        uint64_t v = c->in.ptr[0];
        c->in.ptr++;
        c->in.len--;
        return v;
    }
    return cursor_varint_slow(c);
}
static inline int64_t cursor_svarint(struct cursor *c)
{
    uint64_t v = cursor_varint(c);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
/* varint length, then so many bytes. */
static inline struct bytes cursor_lstr(struct cursor *c)
{
    uint64_t n = cursor_varint(c);
    if (n > c->in.len) {
        c->failed = true;
        return (struct bytes){NULL, 0};
    }
    return cursor_bytes(c, (size_t)n);
}

#endif
