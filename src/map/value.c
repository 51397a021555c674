#include "map/value.h"

#include "base/jsonw.h"

size_t value_base64(char *to, struct bytes b)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    for (size_t i = 0; i < b.len; i += 3) {
        size_t n = b.len - i;
        uint32_t v = (uint32_t)b.ptr[i] << 16;
        if (n > 1) v |= (uint32_t)b.ptr[i + 1] << 8;
        if (n > 2) v |= b.ptr[i + 2];
        to[at++] = set[v >> 18];
        to[at++] = set[v >> 12 & 63];
        to[at++] = n > 1 ? set[v >> 6 & 63] : '=';
        to[at++] = n > 2 ? set[v & 63] : '=';
    }
    return at;
}

static bool is_number(enum attr_type t)
{
    return t == ATTR_INT || t == ATTR_TIME || t == ATTR_SPAN || t == ATTR_BOOL;
}

static void append_time(struct buf *out, int64_t ms, enum time_format times)
{
    char t[WHEN_TEXT];
    if (times == TIME_RFC3339)
        text_json(out, (struct str){t, text_time(t, ms)});
    else
        buf_add_decimal(out, times == TIME_SECONDS ? ms / 1000 : ms);
}

static void append_number(struct buf *out, enum attr_type type, int64_t n, enum time_format times)
{
    if (type == ATTR_BOOL)
        buf_add_str(out, n ? STR("true") : STR("false"));
    else if (type == ATTR_TIME)
        append_time(out, n, times);
    else
        buf_add_decimal(out, n);
}

static void append_bytes(struct buf *out, enum attr_type type, struct bytes b)
{
    char t[SID_TEXT];
    if (type == ATTR_SID) {
        text_json(out, str_from(sid_format_bytes(t, b)));
    } else if (type == ATTR_GUID && b.len == GUID_SIZE) {
        text_json(out, str_from(guid_format(t, b.ptr)));
    } else if (type == ATTR_BINARY || type == ATTR_GUID) {
        buf_add_byte(out, '"');
        buf_add_base64(out, b);
        buf_add_byte(out, '"');
    } else {
        text_json(out, text_cut(str_of(b), TEXT_MAX));
    }
}

static bool append_one(struct buf *out, struct values *v, enum time_format times)
{
    int64_t n;
    struct bytes b;
    if (is_number(v->type)) {
        if (!values_next_int(v, &n)) return false;
        append_number(out, v->type, n, times);
        return true;
    }
    if (!values_next_bytes(v, &b)) return false;
    append_bytes(out, v->type, b);
    return true;
}

void value_json(struct buf *out, struct values v, enum time_format times)
{
    bool many = v.n > 1;
    size_t start = out->len;
    if (many) buf_add_byte(out, '[');
    bool first = true;
    while (v.n && out->len - start < EVENT_LIST_MAX / 4) {
        size_t mark = out->len;
        if (!first) buf_add_byte(out, ',');
        if (!append_one(out, &v, times)) {
            out->len = mark;
            break;
        }
        first = false;
    }
    if (many)
        buf_add_byte(out, ']');
    else if (first)
        buf_add_str(out, STR("null"));
}

static size_t put(char *to, size_t size, struct str s)
{
    s = text_cut(s, size);
    if (s.len) memcpy(to, s.ptr, s.len);
    return s.len;
}

static size_t number_text(char t[WHEN_TEXT], enum attr_type type, int64_t n)
{
    if (type == ATTR_TIME) return text_time(t, n);
    if (type != ATTR_BOOL) return text_decimal((uint8_t *)t, n);
    return put(t, WHEN_TEXT, n ? STR("true") : STR("false"));
}

static size_t bytes_text(char *to, size_t size, enum attr_type type, struct bytes b)
{
    char t[SID_TEXT];
    if (type == ATTR_SID) return put(to, size, str_from(sid_format_bytes(t, b)));
    if (type == ATTR_GUID && b.len == GUID_SIZE) return put(to, size, str_from(guid_format(t, b.ptr)));
    if (type != ATTR_BINARY && type != ATTR_GUID) return put(to, size, str_of(b));
    return b.len > size / 2 ? 0 : value_base64(to, b);
}

size_t value_text(char *to, size_t size, struct values v)
{
    size_t at = 0;
    int64_t n;
    struct bytes b;
    char t[WHEN_TEXT];
    while (v.n && size - at > 2 * WHEN_TEXT) {
        if (at) at += put(to + at, size - at, STR("; "));
        if (is_number(v.type)) {
            if (!values_next_int(&v, &n)) break;
            at += put(to + at, size - at, (struct str){t, number_text(t, v.type, n)});
        } else {
            if (!values_next_bytes(&v, &b)) break;
            at += bytes_text(to + at, size - at, v.type, b);
        }
    }
    return at;
}
