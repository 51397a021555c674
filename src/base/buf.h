/* buf.h - growing bytes with a mandatory maximum and a sticky failure.
 *
 * Append twenty times, check once: when the maximum would be passed the buffer keeps what it had,
 * `failed` is set and every later append does nothing. Memory is the process's to abort on, the
 * maximum is the peer's.
 *     struct buf b = buf_new(64 * 1024);
 *     buf_add_str(&b, name); buf_add_u32le(&b, 7);
 *     if (b.failed) return err_set(e, ERR_LIMIT, "...");
 *     buf_free(&b);
 * One thread at a time.
 */
#ifndef ROLLCALL_BUF_H
#define ROLLCALL_BUF_H

#include "base/base.h"

struct buf {
    uint8_t *ptr;
    size_t len, cap, max;
    bool failed;
};

struct buf buf_new(size_t max);
void buf_free(struct buf *b); /* legal on a zeroed one */
void buf_clear(struct buf *b); /* keeps memory; clears failed */
/* Room for n more bytes, or NULL with failed set. The caller fills it and calls buf_advance. */
uint8_t *buf_reserve_slow(struct buf *b, size_t n);
static inline uint8_t *buf_reserve(struct buf *b, size_t n)
{
    /* cap is at most max + 1, so room left below cap is room left below max */
    if (!b->failed && n < b->cap - b->len) return b->ptr + b->len;
    return buf_reserve_slow(b, n);
}
static inline void buf_advance(struct buf *b, size_t n)
{
    b->len += n;
}
static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    uint8_t *to = buf_reserve(b, n);
    if (!to || !n) return;
    memcpy(to, p, n);
    b->len += n;
}
static inline void buf_add_byte(struct buf *b, uint8_t v)
{
    uint8_t *to = buf_reserve(b, 1);
    if (!to) return;
    *to = v;
    b->len++;
}
static inline void buf_add_bytes(struct buf *b, struct bytes v)
{
    buf_add(b, v.ptr, v.len);
}
static inline void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.ptr, s.len);
}
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
void buf_add_u16le(struct buf *b, uint16_t v);
void buf_add_u32le(struct buf *b, uint32_t v);
void buf_add_u64le(struct buf *b, uint64_t v);
/* LEB128; signed ones zigzag first. At most 10 bytes. */
void buf_add_varint_slow(struct buf *b, uint64_t v);
static inline void buf_add_varint(struct buf *b, uint64_t v)
{
    if (v < 0x80)
        buf_add_byte(b, (uint8_t)v);
    else
        buf_add_varint_slow(b, v);
}
static inline void buf_add_svarint(struct buf *b, int64_t v)
{
    buf_add_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}
/* varint length, then the bytes. */
static inline void buf_add_lstr(struct buf *b, struct bytes v)
{
    buf_add_varint(b, v.len);
    buf_add(b, v.ptr, v.len);
}
/* NUL-terminated view; the terminator is not counted in len. "" for an empty or failed one. */
const char *buf_cstr(struct buf *b);
static inline struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){b->ptr, b->len};
}
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){(const char *)b->ptr, b->len};
}

#endif
