/* testing.h - what the tests of this room share: hex literals, a seeded generator, descriptors made by hand.
 */
#ifndef ROLLCALL_MODEL_TESTING_H
#define ROLLCALL_MODEL_TESTING_H

#include "base/buf.h"
#include "model/sid.h"

#include <stdlib.h>

/* xorshift64*: the same numbers on every machine, so a failure can be repeated. */
static inline uint32_t test_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1du) >> 32);
}
static inline uint32_t test_below(uint64_t *seed, size_t n)
{
    return n ? test_random(seed) % (uint32_t)n : 0;
}

/* Appends what the hex digits say; spaces are skipped. */
static inline void test_add_hex(struct buf *out, const char *hex)
{
    for (; *hex; hex++) {
        if (*hex == ' ') continue;
        char pair[3] = {hex[0], hex[1], 0};
        buf_add_byte(out, (uint8_t)strtoul(pair, NULL, 16));
        hex++;
    }
}

/* Appends the binary form of a SID written as text; aborts if the text is wrong. */
static inline void test_add_sid(struct buf *out, const char *text)
{
    struct sid s;
    struct err e;
    uint8_t bytes[SID_MAX];
    if (sid_parse(&s, str_from(text), &e) < 0) abort();
    buf_add(out, bytes, sid_encode(bytes, &s));
}

/* Small changes to `in`: bits, bytes, interesting numbers, cuts, copies, additions. At most in.len + 64
 * bytes. */
static inline void test_mutate(struct buf *out, struct bytes in, uint64_t *seed)
{
    static const uint8_t odd[] = {0, 1, 2, 4, 7, 8, 15, 16, 20, 0x7f, 0x80, 0xfe, 0xff};
    buf_clear(out);
    buf_add_bytes(out, in);
    for (unsigned n = 1 + test_below(seed, 4); n; n--) {
        size_t at = test_below(seed, out->len);
        switch (out->len ? test_below(seed, 7) : 5) {
        case 0:
            out->ptr[at] ^= (uint8_t)(1u << test_below(seed, 8));
            break;
        case 1:
            out->ptr[at] = odd[test_below(seed, sizeof odd)];
            break;
        case 2:
            out->ptr[at] = (uint8_t)test_random(seed);
            break;
        case 3:
            out->len = at;
            break;
        case 4:
            out->ptr[at] = out->ptr[test_below(seed, out->len)];
            break;
        case 5:
            for (unsigned k = test_below(seed, 16); k; k--) buf_add_byte(out, (uint8_t)test_random(seed));
            break;
        default: /* two bytes at once: sizes and counts */
            if (at + 1 < out->len)
                out->ptr[at] = out->ptr[at + 1] = (uint8_t)(test_below(seed, 2) ? 0xff : 0);
        }
    }
}

#endif
