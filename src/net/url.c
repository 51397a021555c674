#include "net/url.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { SHOWN = 120, LABEL_MAX = 63, HOST_NAME_MAX_LEN = 253 };

/* --- a small scanner ------------------------------------------------------------------------------------ */

static struct str rest_of(struct str s, size_t n)
{
    return n < s.len ? (struct str){s.ptr + n, s.len - n} : (struct str){s.ptr + s.len, 0};
}

static struct str first_of(struct str s, size_t n)
{
    return (struct str){s.ptr, n < s.len ? n : s.len};
}

/* What comes before the first of the characters; s goes on with that character. */
static struct str eat_until(struct str *s, const char *stops)
{
    size_t n = 0;
    while (n < s->len && !strchr(stops, s->ptr[n])) n++;
    struct str out = first_of(*s, n);
    *s = rest_of(*s, n);
    return out;
}

static bool eat(struct str *s, struct str literal)
{
    if (!str_starts(*s, literal)) return false;
    *s = rest_of(*s, literal.len);
    return true;
}

static bool holds(struct str s, char c)
{
    return str_index(s, c) < s.len;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* --- what an error may show ----------------------------------------------------------------------------- */

/* Up to its query or fragment, which may hold a key, and without what may be a password before an '@'. */
static void add_shown(struct buf *out, struct str text)
{
    struct str all = text, s = eat_until(&all, "?#");
    size_t at = s.len;
    while (at && s.ptr[at - 1] != '@') at--;
    if (at) {
        buf_add_str(out, STR("..."));
        s = rest_of(s, at - 1);
    }
    for (size_t i = 0; i < s.len && i < SHOWN; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        if (c >= 0x20 && c < 0x7f)
            buf_add_byte(out, c);
        else
            buf_printf(out, "\\x%02x", c);
    }
    if (s.len > SHOWN) buf_add_str(out, STR("..."));
}

static int fail_text(struct err *e, struct str text, const char *why)
{
    struct buf shown = buf_new(SHOWN * 4 + 16);
    add_shown(&shown, text);
    err_set(e, ERR_INPUT, "url: %s: %s", why, buf_cstr(&shown));
    buf_free(&shown);
    return e->class;
}

/* --- characters: RFC 3986 2 ----------------------------------------------------------------------------- */

/* Browsers read a backslash as a slash, and drop tabs and line ends. */
static const char *check_characters(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c <= 0x20 || c >= 0x7f) return "a space, control or non-ASCII character";
        if (c == '\\') return "a backslash";
        if (c == '#') return "a '#' part";
        if (c == '%' && (i + 2 >= s.len || hex_value(s.ptr[i + 1]) < 0 || hex_value(s.ptr[i + 2]) < 0))
            return "a '%' without two hexadecimal digits";
    }
    return NULL;
}

/* pchar of RFC 3986 3.3. A query is nobody's address, so there only check_characters holds. */
static const char *check_path(struct str path)
{
    for (size_t i = 0; i < path.len; i++)
        if (!ascii_is_alnum(path.ptr[i]) && !strchr("/-._~!$&'()*+,;=:@%", path.ptr[i]))
            return "a character that no path holds";
    return NULL;
}

/* --- host and port: RFC 3986 3.2 ------------------------------------------------------------------------ */

/* All spellings of an address become one. */
static const char *take_v6(struct url *out, struct str inside)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr a;
    if (inside.len >= sizeof text) return "no IPv6 address between the brackets";
    snprintf(text, sizeof text, "%.*s", STR_FMT(inside));
    if (inet_pton(AF_INET6, text, &a) != 1) return "no IPv6 address between the brackets";
    inet_ntop(AF_INET6, &a, out->host, sizeof out->host);
    return NULL;
}

static bool is_label(struct str l)
{
    if (!l.len || l.len > LABEL_MAX || l.ptr[0] == '-' || l.ptr[l.len - 1] == '-') return false;
    for (size_t i = 0; i < l.len; i++)
        if (!ascii_is_alnum(l.ptr[i]) && l.ptr[i] != '-' && l.ptr[i] != '_') return false;
    return true;
}

/* 0x7f.1, 2130706433 and 0177.0.0.1 are 127.0.0.1 to some and names to others; no top-level domain begins
 * with a digit (RFC 3696 2). */
static const char *check_numeric(struct str host, struct str last_label)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr a;
    if (!is_digit(last_label.ptr[0])) return NULL;
    if (host.len >= sizeof text) return "a host that ends like an IP address and is none";
    snprintf(text, sizeof text, "%.*s", STR_FMT(host));
    return inet_pton(AF_INET, text, &a) == 1 ? NULL : "a host that ends like an IP address and is none";
}

static const char *take_name(struct url *out, struct str host)
{
    struct str left = host, label;
    if (!host.len) return "no host";
    if (host.len > HOST_NAME_MAX_LEN) return "a host of more than 253 characters";
    if (holds(host, '%')) return "a percent-encoded host";
    if (host.ptr[host.len - 1] == '.') return "a host that ends in a dot";
    do {
        label = eat_until(&left, ".");
        if (!is_label(label)) return "no host name";
    } while (eat(&left, STR(".")));
    for (size_t i = 0; i < host.len; i++) out->host[i] = ascii_lower(host.ptr[i]);
    return check_numeric(host, label);
}

static const char *take_port(struct url *out, struct str digits)
{
    unsigned port = 0;
    if (!digits.len || digits.len > 5 || digits.ptr[0] == '0') return "no port behind the ':'";
    for (size_t i = 0; i < digits.len; i++) {
        if (!is_digit(digits.ptr[i])) return "no port behind the ':'";
        port = port * 10 + (unsigned)(digits.ptr[i] - '0');
    }
    if (port > UINT16_MAX) return "a port above 65535";
    out->port = (uint16_t)port;
    return NULL;
}

static const char *take_authority(struct url *out, struct str s)
{
    const char *why;
    out->port = out->is_https ? 443 : 80;
    if (holds(s, '@')) return "a user or password";
    if (eat(&s, STR("["))) {
        struct str inside = eat_until(&s, "]");
        if (!eat(&s, STR("]"))) return "a '[' without ']'";
        why = take_v6(out, inside);
    } else {
        why = take_name(out, eat_until(&s, ":"));
    }
    if (why || !s.len) return why;
    return eat(&s, STR(":")) ? take_port(out, s) : "something behind the ']'";
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static const char *take_parts(struct url *out, struct str s)
{
    struct str scheme = eat_until(&s, ":/?");
    out->is_https = str_equal_nocase(scheme, STR("https"));
    if (!eat(&s, STR("://"))) return "not https://host/path";
    if (!out->is_https && !str_equal_nocase(scheme, STR("http"))) return "neither https nor http";
    const char *why = take_authority(out, eat_until(&s, "/?"));
    if (why) return why;
    out->path = eat_until(&s, "?");
    out->query = eat(&s, STR("?")) ? s : first_of(s, 0);
    return check_path(out->path);
}

int url_parse(struct url *out, struct str url, struct err *e)
{
    *out = (struct url){0};
    if (!url.len) return err_set(e, ERR_INPUT, "url: empty");
    if (url.len > URL_MAX) return fail_text(e, url, "longer than 64 KiB");
    const char *why = check_characters(url);
    if (!why) why = take_parts(out, url);
    if (!why) return 0;
    *out = (struct url){0};
    return fail_text(e, url, why);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->is_https == b->is_https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* --- links ---------------------------------------------------------------------------------------------- */

static void add_origin(struct buf *out, const struct url *u)
{
    bool is_v6 = strchr(u->host, ':'), is_usual = u->port == (u->is_https ? 443 : 80);
    buf_printf(out, "http%s://%s%s%s", u->is_https ? "s" : "", is_v6 ? "[" : "", u->host, is_v6 ? "]" : "");
    if (!is_usual) buf_printf(out, ":%u", u->port);
}

/* Once by us, and once more by whoever decodes twice: %2e is a dot, %252e may become one. */
static const char *check_encoded(struct str path)
{
    for (size_t i = 0; i + 2 < path.len; i++) {
        if (path.ptr[i] != '%') continue;
        int c = hex_value(path.ptr[i + 1]) << 4 | hex_value(path.ptr[i + 2]);
        if (c == '/' || c == '\\') return "an encoded slash";
        if (c == '.') return "an encoded dot";
        if (c == '%') return "an encoded percent sign";
        if (c < 0x20 || c == 0x7f) return "an encoded control character";
    }
    return NULL;
}

/* RFC 3986 5.2.4 would remove them; servers differ. Some cut a segment at the ';' first: "..;x" is "..". */
static const char *check_segment(struct str segment)
{
    struct str name = eat_until(&segment, ";");
    if (!name.len) return "an empty segment";
    return str_equal(name, STR(".")) || str_equal(name, STR("..")) ? "a dot segment" : NULL;
}

static const char *check_segments(struct str path)
{
    const char *why = check_encoded(path);
    while (!why && eat(&path, STR("/"))) why = check_segment(eat_until(&path, "/"));
    return why;
}

/* Segment by segment: /v1.0evil is not below /v1.0. */
static bool is_below(struct str path, struct str base)
{
    if (base.len && base.ptr[base.len - 1] == '/') base.len--;
    return eat(&path, base) && (!path.len || path.ptr[0] == '/');
}

static int fail_link(const struct url *base, const struct url *link, const char *what, struct err *e)
{
    struct buf to = buf_new(1024), home = buf_new(1024);
    add_origin(&to, link);
    add_shown(&to, link->path);
    add_origin(&home, base);
    add_shown(&home, base->path);
    err_set(e, ERR_PROTO, "a link that leaves %s, by %s: %s", buf_cstr(&home), what, buf_cstr(&to));
    buf_free(&to);
    buf_free(&home);
    return err_hint(e, "nothing was sent there; is there a proxy in between that rewrites answers?");
}

int url_check_link(const struct url *base, struct str text, struct err *e)
{
    struct url link;
    if (url_parse(&link, text, e) < 0) {
        e->class = ERR_PROTO;
        err_wrap(e, "a link that is not followed");
        return err_hint(e, "nothing was sent there; is there a proxy in between that rewrites answers?");
    }
    if (link.is_https != base->is_https) return fail_link(base, &link, "its scheme", e);
    if (strcmp(link.host, base->host) != 0) return fail_link(base, &link, "its host", e);
    if (link.port != base->port) return fail_link(base, &link, "its port", e);
    const char *why = check_segments(link.path);
    if (why) return fail_link(base, &link, why, e);
    return is_below(link.path, base->path) ? 0 : fail_link(base, &link, "its path", e);
}

/* --- writing ----------------------------------------------------------------------------------------------------------- */

void url_add_encoded(struct buf *out, struct str text, const char *kept)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (ascii_is_alnum(c) || (c && strchr(kept, c)))
            buf_add_byte(out, (uint8_t)c);
        else
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)c);
    }
}
