#include "model/filter.h"

#define MAX_DEPTH 64

/* --- building ----------------------------------------------------------------------------------------- */

void filter_escape(struct buf *out, struct bytes value)
{
    static const char hex[] = "0123456789abcdef";
    bool text = str_is_utf8(str_of(value));
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        bool plain =
            c >= 0x80 ? text : c >= 0x20 && c != 0x7f && c != '*' && c != '(' && c != ')' && c != '\\';
        if (plain) {
            buf_add_byte(out, c);
        } else {
            uint8_t escape[3] = {'\\', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 15]};
            buf_add(out, escape, 3);
        }
    }
}

void filter_equal(struct buf *out, struct str attribute, struct bytes value)
{
    buf_add_byte(out, '(');
    buf_add_str(out, attribute);
    buf_add_byte(out, '=');
    filter_escape(out, value);
    buf_add_byte(out, ')');
}

/* --- checking: RFC 4515 3, with a stack instead of recursion ------------------------------------------ */

struct check {
    struct str in;
    size_t at;
    unsigned depth;
    struct {
        char op;            /* & | ! */
        unsigned n_filters; /* seen in it */
    } level[MAX_DEPTH];
};

static char peek(const struct check *c)
{
    return c->at < c->in.len ? c->in.ptr[c->at] : 0;
}

static bool take(struct check *c, char expected)
{
    if (c->at >= c->in.len || c->in.ptr[c->at] != expected) return false;
    c->at++;
    return true;
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A name or OID, with options if allowed ("userCertificate;binary", "member;range=0-1499" is none of those).
 */
static bool take_name(struct check *c, bool options)
{
    size_t start = c->at;
    if (!is_letter(peek(c)) && !is_digit(peek(c))) return false;
    while (is_letter(peek(c)) || is_digit(peek(c)) || peek(c) == '-' || peek(c) == '.' ||
           (options && peek(c) == ';'))
        c->at++;
    return c->in.ptr[c->at - 1] != ';' && c->at > start;
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* Up to the closing parenthesis. stars: a substring or presence filter may hold them, never two in a row. */
static const char *check_value(struct check *c, bool stars)
{
    for (; c->at < c->in.len && c->in.ptr[c->at] != ')'; c->at++) {
        struct str left = {c->in.ptr + c->at, c->in.len - c->at};
        switch (left.ptr[0]) {
        case '\\':
            if (left.len < 3 || !is_hex(left.ptr[1]) || !is_hex(left.ptr[2]))
                return "two hex digits are expected after \\";
            c->at += 2;
            break;
        case '*':
            if (!stars) return "'*' must be written \\2a here";
            if (left.len > 1 && left.ptr[1] == '*') return "two '*' in a row";
            break;
        case '(':
            return "'(' must be written \\28 in a value";
        case 0:
            return "a NUL byte must be written \\00";
        default:
            break;
        }
    }
    return NULL;
}

/* attr[:dn][:rule]:= or [:dn]:rule:=, from the first colon on. */
static const char *check_extensible(struct check *c, bool has_name)
{
    bool has_rule = false;
    for (unsigned parts = 0;; parts++) {
        if (!take(c, ':')) return "':=' is expected";
        if (take(c, '=')) break;
        struct str left = {c->in.ptr + c->at, c->in.len - c->at};
        bool is_dn = parts == 0 && left.len > 2 && left.ptr[2] == ':' &&
                     str_equal_nocase((struct str){left.ptr, 2}, STR("dn"));
        if (has_rule || !take_name(c, false)) return "a matching rule is expected";
        has_rule = !is_dn;
    }
    if (!has_name && !has_rule) return "an attribute name or a matching rule is expected";
    return check_value(c, false);
}

static const char *check_item(struct check *c)
{
    if (peek(c) == ':') return check_extensible(c, false);
    if (!take_name(c, true)) return "an attribute name is expected";
    if (peek(c) == ':') return check_extensible(c, true);
    if (take(c, '=')) return check_value(c, true);
    if (!take(c, '~') && !take(c, '<') && !take(c, '>')) return "one of = ~= <= >= := is expected";
    if (!take(c, '=')) return "'=' is expected";
    return check_value(c, false);
}

/* After "(": a level is opened, or an item read up to its ")". */
static const char *check_open(struct check *c)
{
    char op = peek(c);
    if (op != '&' && op != '|' && op != '!') {
        const char *why = check_item(c);
        if (why) return why;
        return take(c, ')') ? NULL : "')' is missing";
    }
    if (c->depth == MAX_DEPTH) return "more than 64 levels";
    c->at++;
    c->level[c->depth].op = op;
    c->level[c->depth++].n_filters = 0;
    return NULL;
}

/* One step inside a level: another filter or its end. */
static const char *check_inside(struct check *c)
{
    char op = c->level[c->depth - 1].op;
    unsigned n = c->level[c->depth - 1].n_filters;
    if (n && take(c, ')')) {
        c->depth--;
        return NULL;
    }
    if (op == '!' && n) return "')' is missing: '!' takes one filter";
    if (!take(c, '(')) return n ? "'(' or ')' is expected" : "'(' is expected";
    c->level[c->depth - 1].n_filters++;
    return check_open(c);
}

int filter_check(struct str filter, struct err *e)
{
    struct check c = {.in = filter};
    const char *why = NULL;
    if (!str_is_utf8(filter)) return err_set(e, ERR_INPUT, "the filter is not UTF-8");
    why = take(&c, '(') ? check_open(&c) : "'(' is expected";
    while (!why && c.depth) why = check_inside(&c);
    if (!why && c.at < filter.len) why = "the filter has ended before this";
    if (!why) return 0;
    err_set(e, ERR_INPUT, "character %zu: %s", c.at + 1, why);
    return err_hint(e, "filters are written like (&(objectClass=user)(cn=A*)), see RFC 4515");
}
