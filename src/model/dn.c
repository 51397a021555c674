#include "model/dn.h"

#include <utf8proc.h>

/* What a byte may be in a DN (RFC 4514 3). */
enum {
    IN_TYPE = 1,   /* letter, digit, '-', '.': an attribute type or OID */
    SPECIAL = 2,   /* must be escaped in a value: " + , ; < > \ NUL */
    NOT_PLAIN = 4, /* dn_normalize's fast way stops here: special, control, DEL, not ASCII */
    UPPER = 8,
};
static const uint8_t class_of[256] = {
    [0] = SPECIAL | NOT_PLAIN,
    [1 ... 0x1f] = NOT_PLAIN,
    ['"'] = SPECIAL | NOT_PLAIN,
    ['+'] = SPECIAL | NOT_PLAIN,
    [','] = SPECIAL | NOT_PLAIN,
    [';'] = SPECIAL | NOT_PLAIN,
    ['<'] = SPECIAL | NOT_PLAIN,
    ['>'] = SPECIAL | NOT_PLAIN,
    ['\\'] = SPECIAL | NOT_PLAIN,
    ['-'] = IN_TYPE,
    ['.'] = IN_TYPE,
    ['0' ... '9'] = IN_TYPE,
    ['A' ... 'Z'] = IN_TYPE | UPPER,
    ['a' ... 'z'] = IN_TYPE,
    [0x7f ... 0xff] = NOT_PLAIN,
};

static bool is(char c, unsigned class)
{
    return class_of[(uint8_t)c] & class;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool is_hex_pair(struct str s, size_t at)
{
    return s.len - at >= 2 && nibble(s.ptr[at]) >= 0 && nibble(s.ptr[at + 1]) >= 0;
}

static struct str part(struct str s, size_t from, size_t to)
{
    return (struct str){s.ptr + from, to - from};
}

static void skip_spaces(struct str s, size_t *at)
{
    while (*at < s.len && s.ptr[*at] == ' ') ++*at;
}

/* --- one attribute=value ------------------------------------------------------------------------------ */

struct pair {
    struct str attribute, value;
    char end; /* ',' '+' or 0 at the end of the DN */
};

/* Each scan_ function moves *at over what it knows; NULL, or what is wrong at *at. */

static const char *scan_escape(struct str s, size_t *at)
{
    if (is_hex_pair(s, *at + 1)) {
        *at += 3;
        return NULL;
    }
    if (*at + 1 >= s.len) return "nothing after the backslash";
    char c = s.ptr[*at + 1];
    if (!c || (!is(c, SPECIAL) && c != ' ' && c != '#' && c != '='))
        return "a backslash needs a special character or two hex digits";
    *at += 2;
    return NULL;
}

static const char *scan_text(struct str s, size_t *at, size_t *end)
{
    *end = *at;
    while (*at < s.len && s.ptr[*at] != ',' && s.ptr[*at] != '+') {
        const char *why = NULL;
        if (s.ptr[*at] == ' ') { /* a trailing one does not count */
            ++*at;
            continue;
        }
        if (s.ptr[*at] == '\\')
            why = scan_escape(s, at);
        else if (is(s.ptr[*at], SPECIAL))
            why = "this character must be escaped with a backslash";
        else
            ++*at;
        if (why) return why;
        *end = *at;
    }
    return NULL;
}

static const char *scan_quoted(struct str s, size_t *at, size_t *end)
{
    for (++*at; *at < s.len && s.ptr[*at] != '"';) {
        const char *why = NULL;
        if (s.ptr[*at] == '\\')
            why = scan_escape(s, at);
        else if (!s.ptr[*at])
            why = "a NUL byte must be written \\00";
        else
            ++*at;
        if (why) return why;
    }
    if (*at >= s.len) return "the closing quote is missing";
    *end = ++*at;
    return NULL;
}

static const char *scan_hex(struct str s, size_t *at, size_t *end)
{
    for (++*at; is_hex_pair(s, *at); *at += 2) continue;
    *end = *at;
    return s.ptr[*at - 1] == '#' ? "two hex digits are expected after #" : NULL;
}

static const char *scan_value(struct str s, size_t *at, struct str *value)
{
    skip_spaces(s, at);
    size_t start = *at, end = start;
    const char *why;
    char first = *at < s.len ? s.ptr[*at] : 0;
    if (first == '"')
        why = scan_quoted(s, at, &end);
    else if (first == '#')
        why = scan_hex(s, at, &end);
    else
        why = scan_text(s, at, &end);
    if (why) return why;
    *value = part(s, start, end);
    skip_spaces(s, at);
    return NULL;
}

static const char *scan_pair(struct str s, size_t *at, struct pair *out)
{
    skip_spaces(s, at);
    size_t start = *at;
    while (*at < s.len && is(s.ptr[*at], IN_TYPE)) ++*at;
    if (*at == start) return "an attribute name is expected";
    out->attribute = part(s, start, *at);
    skip_spaces(s, at);
    if (*at >= s.len || s.ptr[*at] != '=') return "'=' is expected";
    ++*at;
    const char *why = scan_value(s, at, &out->value);
    if (why) return why;
    out->end = *at < s.len ? s.ptr[*at] : 0;
    if (*at >= s.len) return NULL;
    if (out->end != ',' && out->end != '+') return "',' or '+' is expected";
    ++*at;
    size_t next = *at;
    skip_spaces(s, &next);
    return next < s.len ? NULL : "the DN ends after a separator";
}

/* --- looking into a DN -------------------------------------------------------------------------------- */

bool dn_split(struct str dn, struct str *attribute, struct str *value, struct str *rest)
{
    size_t at = 0;
    struct pair first, more;
    *rest = (struct str){"", 0};
    if (!dn.len || scan_pair(dn, &at, &first)) return false;
    for (more = first; more.end == '+';)
        if (scan_pair(dn, &at, &more)) return false;
    *attribute = first.attribute;
    *value = first.value;
    if (!more.end) return true;
    skip_spaces(dn, &at);
    *rest = part(dn, at, dn.len);
    return true;
}

struct str dn_parent(struct str dn)
{
    struct str attribute, value, rest;
    dn_split(dn, &attribute, &value, &rest);
    return rest;
}

static size_t character_number(struct str s, size_t at)
{
    size_t n = 1;
    for (size_t i = 0; i < at && i < s.len; i++) n += ((uint8_t)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

int dn_check(struct str dn, struct err *e)
{
    if (!dn.len) return err_set(e, ERR_INPUT, "the DN is empty");
    if (!str_is_utf8(dn)) return err_set(e, ERR_INPUT, "the DN is not UTF-8");
    size_t at = 0;
    struct pair p = {.end = ','};
    while (p.end) {
        const char *why = scan_pair(dn, &at, &p);
        if (!why) continue;
        err_set(e, ERR_INPUT, "character %zu: %s", character_number(dn, at), why);
        return err_hint(e, "write it like OU=Users,DC=corp,DC=example; a comma inside a name is written \\,");
    }
    return 0;
}

/* --- values ------------------------------------------------------------------------------------------- */

/* Escapes undone, byte by byte; the result may not be UTF-8. What has not been scanned is taken as it comes.
 */
static void undo_escapes(struct buf *out, struct str raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        bool escape = raw.ptr[i] == '\\' && i + 1 < raw.len;
        if (escape && is_hex_pair(raw, i + 1)) {
            buf_add_byte(out, (uint8_t)(nibble(raw.ptr[i + 1]) << 4 | nibble(raw.ptr[i + 2])));
            i += 2;
        } else {
            i += escape;
            buf_add_byte(out, (uint8_t)raw.ptr[i]);
        }
    }
}

static struct str without_quotes(struct str raw)
{
    bool quoted = raw.len >= 2 && raw.ptr[0] == '"' && raw.ptr[raw.len - 1] == '"';
    return quoted ? part(raw, 1, raw.len - 1) : raw;
}

void dn_unescape(struct buf *out, struct str raw)
{
    struct str inner = without_quotes(raw);
    if (!inner.len || !memchr(inner.ptr, '\\', inner.len)) {
        buf_add_str(out, inner);
        return;
    }
    size_t start = out->len;
    undo_escapes(out, inner);
    if (out->failed || str_is_utf8((struct str){(const char *)out->ptr + start, out->len - start})) return;
    out->len = start; /* hex pairs that make no text: better the escapes than broken UTF-8 */
    buf_add_str(out, inner);
}

static void add_hex_pair(struct buf *out, uint8_t c)
{
    static const char hex[] = "0123456789ABCDEF"; /* as AD writes \0A */
    uint8_t pair[3] = {'\\', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15]};
    buf_add(out, pair, 3);
}

/* high_as_hex: bytes from 0x80 on are no text. */
static void add_escaped(struct buf *out, struct str v, bool high_as_hex)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = (uint8_t)v.ptr[i];
        bool at_edge = (c == ' ' && (i == 0 || i + 1 == v.len)) || (c == '#' && i == 0);
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && high_as_hex)) {
            add_hex_pair(out, c);
            continue;
        }
        if (at_edge || is(v.ptr[i], SPECIAL)) buf_add_byte(out, '\\');
        buf_add_byte(out, c);
    }
}

void dn_escape(struct buf *out, struct str value)
{
    add_escaped(out, value, false);
}

/* --- comparison form ---------------------------------------------------------------------------------- */

static uint8_t lower(char c)
{
    return (uint8_t)((uint8_t)c | (class_of[(uint8_t)c] & UPPER) << 2);
}

static void add_lower(struct buf *out, struct str s)
{
    uint8_t *to = buf_reserve(out, s.len);
    if (!to) return;
    for (size_t i = 0; i < s.len; i++) to[i] = lower(s.ptr[i]);
    buf_advance(out, s.len);
}

/* One "type=value" without escapes, non-ASCII, or spaces at its ends, up to its comma or the end of the DN:
 * appended lower-cased. Nearly every RDN there is. false: not that simple, nothing appended. */
static bool add_plain_pair(struct buf *out, struct str dn, size_t *at)
{
    size_t start = *at, i = start;
    uint8_t *to = buf_reserve(out, dn.len - start);
    if (!to) return false;
    for (; i < dn.len && is(dn.ptr[i], IN_TYPE); i++) to[i - start] = lower(dn.ptr[i]);
    if (i == start || i >= dn.len || dn.ptr[i] != '=') return false;
    to[i - start] = '=';
    i++;
    if (i < dn.len && (dn.ptr[i] == ' ' || dn.ptr[i] == '#')) return false;
    for (; i < dn.len && !is(dn.ptr[i], NOT_PLAIN); i++) to[i - start] = lower(dn.ptr[i]);
    if ((i < dn.len && dn.ptr[i] != ',') || dn.ptr[i - 1] == ' ') return false;
    buf_advance(out, i - start);
    *at = i;
    return true;
}

/* The full case folding of UTF-8 text (Unicode C + F); utf8proc applies it until nothing changes. */
static void add_folded(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len;) {
        if (!((uint8_t)s.ptr[i] & 0x80)) {
            buf_add_byte(out, lower(s.ptr[i++]));
            continue;
        }
        utf8proc_int32_t cp, folded[8];
        utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)s.ptr + i, (utf8proc_ssize_t)(s.len - i), &cp);
        if (n < 1) return; /* the caller has checked */
        i += (size_t)n;
        int last = 0;
        n = utf8proc_decompose_char(cp, folded, n_elements(folded), UTF8PROC_CASEFOLD, &last);
        for (utf8proc_ssize_t k = 0; k < n && k < (utf8proc_ssize_t)n_elements(folded); k++) {
            uint8_t utf8[4];
            buf_add(out, utf8, (size_t)utf8proc_encode_char(folded[k], utf8));
        }
    }
}

struct work {
    struct buf value, folded;
};

static void normalize_value(struct buf *out, struct str raw, struct work *w)
{
    if (raw.len && raw.ptr[0] == '#') { /* BER in hex */
        add_lower(out, raw);
        return;
    }
    buf_clear(&w->value);
    buf_clear(&w->folded);
    undo_escapes(&w->value, without_quotes(raw));
    bool is_text = str_is_utf8(buf_str(&w->value));
    if (is_text)
        add_folded(&w->folded, buf_str(&w->value));
    else
        add_lower(&w->folded, buf_str(&w->value));
    add_escaped(out, buf_str(&w->folded), !is_text);
}

static const char *add_any_pair(struct buf *out, struct str dn, size_t *at, char *end, struct work *w)
{
    struct pair p;
    const char *why = scan_pair(dn, at, &p);
    if (why) return why;
    add_lower(out, p.attribute);
    buf_add_byte(out, '=');
    normalize_value(out, p.value, w);
    *end = p.end;
    return NULL;
}

static bool normalize(struct buf *out, struct str dn)
{
    size_t max = dn.len * 4 + 64; /* folding makes at most three times the bytes */
    struct work w = {buf_new(max), buf_new(max)};
    size_t at = 0;
    const char *why = NULL;
    for (char end = ','; end && !why;) {
        if (add_plain_pair(out, dn, &at))
            end = at < dn.len ? dn.ptr[at++] : 0;
        else
            why = add_any_pair(out, dn, &at, &end, &w);
        if (end) buf_add_byte(out, (uint8_t)end);
    }
    buf_free(&w.value);
    buf_free(&w.folded);
    return !why;
}

void dn_normalize(struct buf *out, struct str dn)
{
    size_t start = out->len;
    if (!dn.len || normalize(out, dn) || out->failed) return;
    out->len = start; /* not a DN: only ASCII case, so that it never meets the form of one */
    add_lower(out, dn);
}

bool dn_is_under(struct str dn, struct str base)
{
    if (!base.len) return true;
    if (dn.len < base.len || !str_equal(part(dn, dn.len - base.len, dn.len), base)) return false;
    if (dn.len == base.len) return true;
    size_t comma = dn.len - base.len - 1, backslashes = 0;
    if (dn.ptr[comma] != ',') return false;
    while (backslashes < comma && dn.ptr[comma - 1 - backslashes] == '\\') backslashes++;
    return backslashes % 2 == 0;
}

/* --- DNS names ---------------------------------------------------------------------------------------- */

void dn_from_dns(struct buf *out, struct str name)
{
    const char *comma = "";
    while (name.len) {
        size_t n = str_index(name, '.');
        if (n) {
            buf_printf(out, "%sDC=", comma);
            dn_escape(out, part(name, 0, n));
            comma = ",";
        }
        n += n < name.len;
        name = part(name, n, name.len);
    }
}

void dn_to_dns(struct buf *out, struct str dn)
{
    size_t start = out->len;
    struct str attribute, value, rest;
    for (; dn_split(dn, &attribute, &value, &rest); dn = rest) {
        if (!str_equal_nocase(attribute, STR("DC"))) {
            if (!out->failed) out->len = start; /* DC=... above an OU is a DNS record, not the domain */
            continue;
        }
        if (out->len > start) buf_add_byte(out, '.');
        dn_unescape(out, value);
    }
}
