#include "base/jsonw.h"

struct jsonw jsonw_new(struct buf *out)
{
    return (struct jsonw){.out = out, .first = true};
}

static void before_value(struct jsonw *j)
{
    bool in_array = j->depth && (j->is_array >> (j->depth - 1) & 1);
    if (in_array && !j->first) buf_add_byte(j->out, ',');
    j->first = false;
}

static void open_level(struct jsonw *j, char c, bool array)
{
    before_value(j);
    buf_add_byte(j->out, (uint8_t)c);
    if (j->depth >= 64) {
        j->out->failed = true;
        return;
    }
    uint64_t bit = (uint64_t)1 << j->depth;
    j->is_array = array ? j->is_array | bit : j->is_array & ~bit;
    j->depth++;
    j->first = true;
}

void jsonw_object(struct jsonw *j)
{
    open_level(j, '{', false);
}

void jsonw_array(struct jsonw *j)
{
    open_level(j, '[', true);
}

void jsonw_end(struct jsonw *j)
{
    if (!j->depth) return;
    j->depth--;
    buf_add_byte(j->out, j->is_array >> j->depth & 1 ? ']' : '}');
    j->first = false;
}

void jsonw_raw_key(struct jsonw *j, struct str quoted)
{
    size_t n = !j->first;
    uint8_t *to = buf_reserve(j->out, quoted.len + n);
    if (!to) return;
    if (n) to[0] = ',';
    memcpy(to + n, quoted.ptr, quoted.len);
    buf_advance(j->out, n + quoted.len);
    j->first = true; /* the value that follows puts no comma */
}

void jsonw_key(struct jsonw *j, struct str key)
{
    if (!j->first) buf_add_byte(j->out, ',');
    buf_add_byte(j->out, '"');
    jsonw_escape(j->out, key);
    buf_add(j->out, "\":", 2);
    j->first = true;
}

/* 0: copied as is; 1: escaped; 2: may start U+0080..U+009F, which a terminal obeys like ESC (C2 80..9F), or
 * U+2028 and U+2029 (E2 80 A8/A9). */
static const uint8_t special[256] = {
    [0 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1, [0x7f] = 1, [0xc2] = 2, [0xe2] = 2,
};

static size_t escape_one(uint8_t *to, struct str s, size_t at)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t c = (uint8_t)s.ptr[at];
    const char *names = "\"\\\b\f\n\r\t", *letters = "\"\\bfnrt";
    const char *known = c ? strchr(names, c) : NULL;
    to[0] = '\\';
    if (known) {
        to[1] = (uint8_t)letters[known - names];
        return 2;
    }
    memcpy(to + 1, "u00", 3);
    to[4] = (uint8_t)hex[c >> 4];
    to[5] = (uint8_t)hex[c & 15];
    return 6;
}

static bool is_line_separator(struct str s, size_t at)
{
    return s.len - at >= 3 && (uint8_t)s.ptr[at] == 0xe2 && (uint8_t)s.ptr[at + 1] == 0x80 &&
           ((uint8_t)s.ptr[at + 2] & 0xfe) == 0xa8;
}

static bool is_c1_control(struct str s, size_t at)
{
    return s.len - at >= 2 && (uint8_t)s.ptr[at] == 0xc2 && ((uint8_t)s.ptr[at + 1] & 0xe0) == 0x80;
}

/* Writes what stands at *at, a special byte, and steps over it; at most 6 bytes. */
static size_t escape_at(uint8_t *to, struct str s, size_t *at)
{
    size_t i = *at;
    if (is_line_separator(s, i)) {
        *at += 3;
        memcpy(to, (s.ptr[i + 2] & 1) ? "\\u2029" : "\\u2028", 6);
        return 6;
    }
    if (is_c1_control(s, i)) {
        *at += 2;
        return escape_one(to, s, i + 1);
    }
    *at += 1;
    if (special[(uint8_t)s.ptr[i]] == 1) return escape_one(to, s, i);
    to[0] = (uint8_t)s.ptr[i];
    return 1;
}

void jsonw_escape(struct buf *out, struct str s)
{
    size_t i = 0;
    while (i < s.len) {
        size_t run = i;
        while (run < s.len && !special[(uint8_t)s.ptr[run]]) run++;
        uint8_t *to = buf_reserve(out, run - i + (run < s.len ? 6 : 0));
        if (!to) return;
        size_t n = run - i;
        memcpy(to, s.ptr + i, n);
        i = run;
        if (i < s.len) n += escape_at(to + n, s, &i);
        buf_advance(out, n);
    }
}

void jsonw_str(struct jsonw *j, struct str s)
{
    before_value(j);
    buf_add_byte(j->out, '"');
    jsonw_escape(j->out, s);
    buf_add_byte(j->out, '"');
}

void buf_add_decimal(struct buf *out, int64_t v)
{
    uint8_t digits[20];
    size_t n = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do digits[n++] = (uint8_t)('0' + u % 10);
    while (u /= 10);
    size_t at = v < 0;
    uint8_t *to = buf_reserve(out, n + at);
    if (!to) return;
    if (at) to[0] = '-';
    while (n) to[at++] = digits[--n];
    buf_advance(out, at);
}

void jsonw_int(struct jsonw *j, int64_t v)
{
    before_value(j);
    buf_add_decimal(j->out, v);
}

void jsonw_uint(struct jsonw *j, uint64_t v)
{
    before_value(j);
    if (v <= INT64_MAX)
        buf_add_decimal(j->out, (int64_t)v);
    else
        buf_printf(j->out, "%llu", (unsigned long long)v);
}

void jsonw_bool(struct jsonw *j, bool v)
{
    jsonw_raw(j, v ? STR("true") : STR("false"));
}

void jsonw_null(struct jsonw *j)
{
    jsonw_raw(j, STR("null"));
}

void jsonw_raw(struct jsonw *j, struct str value)
{
    before_value(j);
    buf_add_str(j->out, value);
}

void buf_add_base64(struct buf *out, struct bytes b)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (b.len > SIZE_MAX / 2 || !buf_reserve(out, (b.len + 2) / 3 * 4)) out->failed = true;
    for (size_t i = 0; i < b.len && !out->failed; i += 3) {
        size_t n = b.len - i < 3 ? b.len - i : 3;
        uint32_t v = (uint32_t)b.ptr[i] << 16;
        if (n > 1) v |= (uint32_t)b.ptr[i + 1] << 8;
        if (n > 2) v |= b.ptr[i + 2];
        uint8_t q[4] = {(uint8_t)set[v >> 18], (uint8_t)set[v >> 12 & 63], '=', '='};
        if (n > 1) q[2] = (uint8_t)set[v >> 6 & 63];
        if (n > 2) q[3] = (uint8_t)set[v & 63];
        buf_add(out, q, 4);
    }
}

void jsonw_base64(struct jsonw *j, struct bytes b)
{
    before_value(j);
    buf_add_byte(j->out, '"');
    buf_add_base64(j->out, b);
    buf_add_byte(j->out, '"');
}

void jsonw_kstr(struct jsonw *j, const char *key, struct str s)
{
    jsonw_key(j, str_from(key));
    jsonw_str(j, s);
}
void jsonw_kcstr(struct jsonw *j, const char *key, const char *s)
{
    if (s) jsonw_kstr(j, key, str_from(s));
}
void jsonw_kint(struct jsonw *j, const char *key, int64_t v)
{
    jsonw_key(j, str_from(key));
    jsonw_int(j, v);
}
void jsonw_kbool(struct jsonw *j, const char *key, bool v)
{
    jsonw_key(j, str_from(key));
    jsonw_bool(j, v);
}
