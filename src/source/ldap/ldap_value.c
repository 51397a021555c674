#include "source/ldap/ldap_value.h"

#include "model/filetime.h"
#include "model/sid.h"
#include "net/ldap_ber.h"

#include <stdlib.h>

#define VALUES_MAX 200000 /* of one attribute that has to be sorted */

struct value_scratch value_scratch_new(void)
{
    return (struct value_scratch){.encoded = buf_new(FRAME_MAX)};
}

void value_scratch_free(struct value_scratch *v)
{
    buf_free(&v->encoded);
    free(v->list);
    v->list = NULL;
    v->cap = 0;
}

void example_set(char out[EXAMPLE_SIZE], struct str s)
{
    size_t n = s.len < EXAMPLE_SIZE ? s.len : EXAMPLE_SIZE - 1;
    while (n && n < s.len && ((uint8_t)s.ptr[n] & 0xc0) == 0x80) n--;
    if (!str_is_utf8((struct str){s.ptr, n}) || (n && memchr(s.ptr, 0, n))) n = 0;
    if (n) memcpy(out, s.ptr, n);
    out[n] = 0;
}

void slot_note_bad(struct slot *s, struct str dn, uint64_t n)
{
    if (!s->n_bad && n) example_set(s->example, dn);
    s->n_bad += n;
}

bool value_single(struct bytes set, struct bytes *out)
{
    struct cursor c = cursor_new(set);
    return ber_next_value(&c, out) && !c.in.len;
}

enum outcome { VALUE_ADDED, VALUE_ABSENT, VALUE_BAD };

static enum outcome add_number(struct buf *to, bool (*parse)(int64_t *, struct str), struct bytes raw,
                               bool zero_is_absent)
{
    int64_t n;
    if (!parse(&n, str_of(raw))) return VALUE_BAD;
    if (!n && zero_is_absent) return VALUE_ABSENT;
    body_value_int(to, n);
    return VALUE_ADDED;
}

static enum outcome add_bytes(struct buf *to, bool is_good, struct bytes raw)
{
    if (!is_good) return VALUE_BAD;
    body_value_bytes(to, raw);
    return VALUE_ADDED;
}

#define HIGH_BITS 0x8080808080808080u
#define LOW_BITS  0x0101010101010101u

/* true if one of eight bytes is NUL or not ASCII; may also be true for others. */
static bool is_odd(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return ((w - LOW_BITS) | w) & HIGH_BITS;
}

static bool is_odd_text(struct bytes raw)
{
    return str_is_utf8(str_of(raw)) && !memchr(raw.ptr, 0, raw.len);
}

/* UTF-8 without NUL: no directory text holds one, and C programs and PostgreSQL choke on it. Nearly all is
 * ASCII. */
static bool is_text(struct bytes raw)
{
    size_t i = 0;
    for (; i + 8 <= raw.len; i += 8)
        if (is_odd(raw.ptr + i)) return is_odd_text(raw);
    if (raw.len >= 8) return !is_odd(raw.ptr + raw.len - 8) || is_odd_text(raw);
    for (; i < raw.len; i++)
        if (raw.ptr[i] < 1 || raw.ptr[i] >= 0x80) return is_odd_text(raw);
    return true;
}

static enum outcome add_bool(struct buf *to, struct str raw)
{
    bool yes = str_equal_nocase(raw, STR("TRUE"));
    if (!yes && !str_equal_nocase(raw, STR("FALSE"))) return VALUE_BAD;
    body_value_bool(to, yes);
    return VALUE_ADDED;
}

static enum outcome add_one(struct buf *to, enum attr_type type, struct bytes raw)
{
    switch (type) {
    case ATTR_STRING:
        return add_bytes(to, is_text(raw), raw);
    case ATTR_DN:
        return add_bytes(to, raw.len && is_text(raw), raw);
    case ATTR_SID:
        return add_bytes(to, sid_is_valid(raw), raw);
    case ATTR_GUID:
        return add_bytes(to, raw.len == GUID_SIZE, raw);
    case ATTR_BINARY:
        return add_bytes(to, true, raw);
    case ATTR_BOOL:
        return add_bool(to, str_of(raw));
    case ATTR_INT:
        return add_number(to, decimal_parse, raw, false);
    case ATTR_TIME:
        return add_number(to, ad_time_parse, raw, true);
    case ATTR_SPAN:
        return add_number(to, filetime_parse_span, raw, false);
    }
    return VALUE_BAD;
}

static void add_to_body(struct buf *body, const struct slot *s, uint32_t n, struct bytes values)
{
    if (!n) return;
    if (s->id == ATTR_CUSTOM)
        body_add_custom(body, s->name, s->type, n, values);
    else
        body_add(body, s->id, n, values);
}

/* --- many values --------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Values in bytewise order, in v->list; false if there are too many or they are malformed. */
static bool sorted_values(struct value_scratch *v, struct bytes set, size_t *n)
{
    struct cursor c = cursor_new(set);
    bool in_order = true;
    for (*n = 0; c.in.len && *n < VALUES_MAX; ++*n) {
        GROW(v->list, *n, v->cap, 64);
        if (!ber_next_value(&c, &v->list[*n])) return false;
        if (*n && in_order) in_order = by_bytes(&v->list[*n - 1], &v->list[*n]) <= 0;
    }
    if (!in_order) qsort(v->list, *n, sizeof *v->list, by_bytes);
    return !c.in.len;
}

static uint64_t add_many(struct buf *body, struct value_scratch *v, const struct slot *s)
{
    size_t n_raw;
    uint32_t n = 0;
    uint64_t n_bad = 0;
    if (!sorted_values(v, s->set, &n_raw)) return 1;
    buf_clear(&v->encoded);
    for (size_t i = 0; i < n_raw; i++) {
        enum outcome o = add_one(&v->encoded, s->type, v->list[i]);
        n += o == VALUE_ADDED;
        n_bad += o == VALUE_BAD;
    }
    if (v->encoded.failed) return n_raw;
    add_to_body(body, s, n, buf_bytes(&v->encoded));
    return n_bad;
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7) n++;
    return n;
}

/* The commonest case by far, without a detour: what add_one and add_to_body would write. */
static bool add_text(struct buf *body, enum attr id, struct bytes raw)
{
    if (!is_text(raw)) return false;
    buf_add_varint(body, id);
    buf_add_varint(body, 1 + varint_size(raw.len) + raw.len);
    buf_add_byte(body, 1);
    buf_add_lstr(body, raw);
    return true;
}

/* Of several values of an attribute that can have one, the first is taken and the others count as malformed.
 */
uint64_t value_add(struct buf *body, struct value_scratch *v, const struct slot *s)
{
    struct cursor c = cursor_new(s->set);
    struct bytes raw;
    if (!ber_next_value(&c, &raw)) return c.failed;
    if (c.in.len && s->is_multi) return add_many(body, v, s);
    if (s->type == ATTR_STRING && s->id != ATTR_CUSTOM)
        return (uint64_t)!add_text(body, s->id, raw) + (c.in.len > 0);
    buf_clear(&v->encoded);
    enum outcome o = add_one(&v->encoded, s->type, raw);
    if (o == VALUE_ADDED) add_to_body(body, s, 1, buf_bytes(&v->encoded));
    return (uint64_t)(o == VALUE_BAD) + (c.in.len > 0);
}

uint64_t value_add_dns(struct buf *block, uint32_t *n, struct bytes set)
{
    struct cursor c = cursor_new(set);
    struct bytes dn;
    uint64_t n_bad = 0;
    *n = 0;
    while (ber_next_value(&c, &dn)) {
        if (!dn.len || !is_text(dn)) {
            n_bad++;
            continue;
        }
        buf_add_lstr(block, dn);
        ++*n;
    }
    return n_bad + c.failed;
}
