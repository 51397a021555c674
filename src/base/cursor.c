#include "base/cursor.h"

uint16_t cursor_u16le(struct cursor *c)
{
    struct bytes b = cursor_bytes(c, 2);
    if (!b.ptr) return 0;
    unsigned v = (unsigned)b.ptr[0] | (unsigned)b.ptr[1] << 8;
    return (uint16_t)v;
}

uint32_t cursor_u32le(struct cursor *c)
{
    struct bytes b = cursor_bytes(c, 4);
    if (!b.ptr) return 0;
    return (uint32_t)b.ptr[0] | (uint32_t)b.ptr[1] << 8 | (uint32_t)b.ptr[2] << 16 | (uint32_t)b.ptr[3] << 24;
}

uint64_t cursor_u64le(struct cursor *c)
{
    uint64_t low = cursor_u32le(c), high = cursor_u32le(c);
    return low | high << 32;
}

uint64_t cursor_u48be(struct cursor *c)
{
    struct bytes b = cursor_bytes(c, 6);
    uint64_t v = 0;
    for (size_t i = 0; i < b.len; i++) v = v << 8 | b.ptr[i];
    return v;
}

uint64_t cursor_varint_slow(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t b = cursor_u8(c);
        if (c->failed || (shift == 63 && b > 1)) break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return v;
    }
    c->failed = true;
    return 0;
}
