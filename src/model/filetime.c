#include "model/filetime.h"

#include "base/when.h"

#define FILETIME_OF_1970 116444736000000000 /* 100 ns from 1601-01-01 to 1970-01-01 */
#define PER_MS           10000
#define LAST_MS          253402300799999 /* 9999-12-31T23:59:59.999Z: RFC 3339 ends here */

/* Eight ASCII digits at once. The first character must be in the lowest byte. */
static bool eight_digits(const char *p, uint64_t *out)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    w -= 0x3030303030303030u;
    if ((w | (w + 0x7676767676767676u)) & 0x8080808080808080u)
        return false;                                                     /* a byte below '0' or above '9' */
    w = w * 10 + (w >> 8);                                                /* pairs */
    uint64_t even = (w & 0x000000ff000000ffu) * 0x000f424000000064u;      /* times 1000000 and 100 */
    uint64_t odd = (w >> 16 & 0x000000ff000000ffu) * 0x0000271000000001u; /* times 10000 and 1 */
    *out = (even + odd) >> 32;
    return true;
}

/* All of s must be digits, at most 19 of them. */
static bool digits_value(struct str s, uint64_t *out)
{
    uint64_t v = 0, part;
    size_t at = 0;
    if (!s.len || s.len > 19) return false;
    for (; s.len - at >= 8; at += 8) {
        if (!eight_digits(s.ptr + at, &part)) return false;
        v = v * 100000000 + part;
    }
    for (; at < s.len; at++) {
        unsigned d = (unsigned)(unsigned char)s.ptr[at] - '0';
        if (d > 9) return false;
        v = v * 10 + d;
    }
    *out = v;
    return true;
}

bool decimal_parse(int64_t *out, struct str s)
{
    bool minus = s.len && s.ptr[0] == '-';
    size_t at = minus;
    while (s.len - at > 19 && s.ptr[at] == '0') at++;
    uint64_t v;
    if (!digits_value((struct str){s.len ? s.ptr + at : NULL, s.len - at}, &v)) return false;
    if (v > (uint64_t)INT64_MAX + minus) return false;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool filetime_parse(int64_t *out_ms, struct str s)
{
    int64_t v;
    if (!decimal_parse(&v, s) || v < 0) return false;
    int64_t ms = (v - FILETIME_OF_1970) / PER_MS;
    *out_ms = v == INT64_MAX || ms < 0 || ms > LAST_MS ? 0 : ms;
    return true;
}

bool filetime_parse_span(int64_t *out_ms, struct str s)
{
    int64_t v;
    if (!decimal_parse(&v, s) || v > 0) return false;
    uint64_t ticks = 0 - (uint64_t)v;
    uint64_t ms = (ticks + PER_MS - 1) / PER_MS; /* rounded up: 0 would mean never */
    *out_ms = v == INT64_MIN ? 0 : (int64_t)ms;
    return true;
}

static bool two(struct str s, size_t at, unsigned *out)
{
    unsigned high = (unsigned)(unsigned char)s.ptr[at] - '0',
             low = (unsigned)(unsigned char)s.ptr[at + 1] - '0';
    *out = high * 10 + low;
    return high <= 9 && low <= 9;
}

/* ".123" from *at on, if there is a point: ms, further digits cut off. */
static bool read_fraction(struct str s, size_t *at, int64_t *ms)
{
    *ms = 0;
    if (*at >= s.len || (s.ptr[*at] != '.' && s.ptr[*at] != ',')) return true;
    size_t first = ++*at;
    for (int64_t scale = 100; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at, scale /= 10)
        *ms += scale * (s.ptr[*at] - '0');
    return *at > first;
}

/* "Z", "+hhmm" or "-hhmm" from at to the end: what must be added to get UTC. */
static bool read_zone(struct str s, size_t at, int64_t *ms)
{
    unsigned h, m;
    *ms = 0;
    if (s.len - at == 1) return s.ptr[at] == 'Z';
    if (s.len - at != 5 || (s.ptr[at] != '+' && s.ptr[at] != '-')) return false;
    if (!two(s, at + 1, &h) || !two(s, at + 3, &m) || h > 23 || m > 59) return false;
    *ms = (s.ptr[at] == '-' ? 1 : -1) * (int64_t)(h * 60 + m) * 60000;
    return true;
}

/* YYYYMMDDHHMMSS, the first 14 characters of s. Second 60 is a leap second (RFC 4517 3.3.13). */
static bool read_civil(struct str s, int64_t *ms)
{
    unsigned century, year, month, day, h, m, sec;
    if (!two(s, 0, &century) || !two(s, 2, &year) || !two(s, 4, &month) || !two(s, 6, &day) ||
        !two(s, 8, &h) || !two(s, 10, &m) || !two(s, 12, &sec))
        return false;
    year += century * 100;
    if (year < 1601 || month < 1 || month > 12 || h > 23 || m > 59 || sec > 60) return false;
    if (day < 1 || day > when_month_days(year, month)) return false;
    *ms = when_from_civil(year, month, day, h, m, sec);
    return true;
}

bool generalized_time_parse(int64_t *out_ms, struct str s)
{
    int64_t ms, fraction, zone;
    size_t at = 14;
    if (s.len < 15 || !read_civil(s, &ms) || !read_fraction(s, &at, &fraction) || !read_zone(s, at, &zone))
        return false;
    ms += fraction + zone;
    if (ms > LAST_MS) return false;
    *out_ms = ms < 0 ? 0 : ms;
    return true;
}

bool ad_time_parse(int64_t *out_ms, struct str s)
{
    bool is_generalized = s.len > 14 && (s.ptr[14] < '0' || s.ptr[14] > '9');
    return is_generalized ? generalized_time_parse(out_ms, s) : filetime_parse(out_ms, s);
}
