/* The checks on names, addresses and users: text alone, no place, no key. */
#include "conf/value.h"

#include "conf/conf.h"
#include "model/dn.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool only_has(struct str s, const char *others, bool letters)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i]) && !(letters && ascii_is_alnum(s.ptr[i])) &&
            !memchr(others, s.ptr[i], strlen(others)))
            return false;
    return true;
}

static bool has(struct str s, char c)
{
    return str_index(s, c) < s.len;
}

/* RFC 1123 labels, and the underscore that Windows host names may have. */
static bool is_dns_name(struct str s)
{
    if (!s.len || s.len > 253) return false;
    while (s.len) {
        size_t n = str_index(s, '.');
        if (!n || n > 63 || s.ptr[0] == '-' || s.ptr[n - 1] == '-') return false;
        if (!only_has((struct str){s.ptr, n}, "-_", true)) return false;
        if (n + 1 == s.len) return false; /* ends with a dot */
        n += n < s.len;
        s = (struct str){s.ptr + n, s.len - n};
    }
    return true;
}

static bool is_address(struct str s)
{
    char text[64];
    struct in6_addr scratch;
    if (s.len > 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']') s = (struct str){s.ptr + 1, s.len - 2};
    size_t zone = has(s, ':') ? str_index(s, '%') : s.len; /* fe80::1%eth0 */
    if (zone >= sizeof text) return false;
    snprintf(text, sizeof text, "%.*s", (int)zone, s.ptr);
    return inet_pton(AF_INET, text, &scratch) == 1 || inet_pton(AF_INET6, text, &scratch) == 1;
}

static int refuse_name(struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    node_show(shown, s);
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] >= 0x80)
            return err_set(e, ERR_INPUT, "%s holds letters beyond ASCII: write the xn-- form", shown);
    if (s.ptr[s.len - 1] == '.') return err_set(e, ERR_INPUT, "%s ends with a dot: write it without", shown);
    return err_set(e, ERR_INPUT, "%s is not a DNS name", shown);
}

bool host_is_address(struct str s)
{
    return is_address(s);
}

int host_check(struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    if (is_address(s)) return 0;
    node_show(shown, s);
    if (has(s, '/'))
        return err_set(e, ERR_INPUT, "%s looks like an address of the web: write the host's name only",
                       shown);
    if (has(s, ':'))
        return err_set(e, ERR_INPUT, "%s: write the host's name only, and the number under port", shown);
    if (only_has(s, ".", false)) return err_set(e, ERR_INPUT, "%s is not an IP address", shown);
    return is_dns_name(s) ? 0 : refuse_name(s, e);
}

bool conf_split_port(struct str *host, uint16_t *port, struct str s)
{
    size_t colon = str_index(s, ':');
    bool is_bracketed = has(s, '[') && has(s, ']');
    if (is_bracketed) colon = str_index(s, ']') + 1;
    struct str digits = {s.ptr + colon + 1, s.len > colon ? s.len - colon - 1 : 0};
    uint32_t n = 0;
    *port = 0;
    *host = is_bracketed ? (struct str){s.ptr + 1, colon - 2} : (struct str){s.ptr, colon};
    if (colon == s.len) return true;
    if (!is_bracketed && has(digits, ':')) { /* an IPv6 address as it is */
        *host = s;
        return true;
    }
    if (s.ptr[colon] != ':' || !digits.len || digits.len > 5 || !only_has(digits, "", false)) return false;
    for (size_t i = 0; i < digits.len; i++) n = n * 10 + (uint32_t)(digits.ptr[i] - '0');
    *port = (uint16_t)n;
    return n >= 1 && n <= 65535;
}

static int split_port(struct str *host, struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    uint16_t port;
    if (has(s, '/') || conf_split_port(host, &port, s)) return 0;
    return err_set(e, ERR_INPUT, "%s: what stands after the colon is no port", node_show(shown, s));
}

int host_port_check(struct str s, struct err *e)
{
    struct str host = s;
    try(split_port(&host, s, e));
    return host_check(host, e);
}

int server_check(struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    struct str host = s;
    try(split_port(&host, s, e));
    if (is_address(host) && !has(host, '%')) return 0;
    return err_set(e, ERR_INPUT, "%s is not an IP address", node_show(shown, s));
}

static int refuse_dn_as_domain(struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    struct buf dns = buf_new(256);
    dn_to_dns(&dns, s);
    err_set(e, ERR_INPUT, "%s is a distinguished name; a DNS name is expected", node_show(shown, s));
    if (dns.len && !dns.failed)
        err_set(e, ERR_INPUT, "%s is a distinguished name; did you mean '%s'?", shown, buf_cstr(&dns));
    buf_free(&dns);
    return ERR_INPUT;
}

int domain_check(struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    if (has(s, '=')) return refuse_dn_as_domain(s, e);
    if (is_address(s))
        return err_set(e, ERR_INPUT, "%s is an address; the domain's DNS name is expected",
                       node_show(shown, s));
    return is_dns_name(s) ? 0 : refuse_name(s, e);
}

/* Only what cannot be right; whether the name exists is for the directory to say. */
int user_check(struct str s, struct err *e)
{
    struct str trimmed = str_trim(s);
    if (!trimmed.len) return err_set(e, ERR_INPUT, "is empty: an empty name would sign in as anonymous");
    if (trimmed.len != s.len) return err_set(e, ERR_INPUT, "has a space at its beginning or end");
    bool is_dn = has(s, '=') && !has(s, '@') && !has(s, '\\');
    return is_dn ? dn_check(s, e) : 0;
}

/* The host of scheme://HOST[:PORT][/...]; false if there is none or the address holds a user name. */
static bool url_host(struct str *host, struct str rest)
{
    size_t end = 0;
    while (end < rest.len && !memchr("/?#", rest.ptr[end], 3)) end++;
    struct str authority = {rest.ptr, end};
    if (has(authority, '@')) return false;
    size_t n =
        authority.len && authority.ptr[0] == '[' ? str_index(authority, ']') + 1 : str_index(authority, ':');
    if (!n || n > authority.len) return false;
    *host = (struct str){authority.ptr, n};
    struct str port = {authority.ptr + n, authority.len - n};
    return !port.len || (port.len > 1 && port.len <= 6 && port.ptr[0] == ':' &&
                         only_has((struct str){port.ptr + 1, port.len - 1}, "", false));
}

static bool is_loopback(struct str host)
{
    if (str_equal_nocase(host, STR("localhost")) || str_equal(host, STR("[::1]"))) return true;
    return str_starts(host, STR("127.")) && is_address(host);
}

int url_check(struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    struct str host, rest;
    bool is_https = str_starts(s, STR("https://"));
    size_t scheme = is_https ? 8 : 7;
    if (!is_https && !str_starts(s, STR("http://")))
        return err_set(e, ERR_INPUT, "%s does not begin with https://", node_show(shown, s));
    rest = (struct str){s.ptr + scheme, s.len - scheme};
    if (has(rest, '@') && str_index(rest, '@') < str_index(rest, '/'))
        return err_set(e, ERR_INPUT, "holds a user name or password: use token for that");
    if (has(s, ' ')) return err_set(e, ERR_INPUT, "%s holds a space: write %%20", node_show(shown, s));
    if (!url_host(&host, rest) || host_check(host, e) < 0)
        return err_set(e, ERR_INPUT, "%s names no host that can be", node_show(shown, s));
    if (!is_https && !is_loopback(host))
        return err_set(e, ERR_INPUT,
                       "%s: http:// is accepted for this machine only (127.0.0.1, localhost); use https://",
                       node_show(shown, s));
    return 0;
}

int local_url_check(struct str s, struct err *e)
{
    char shown[NODE_SHOWN];
    struct str host, rest = {s.ptr + 7, s.len > 7 ? s.len - 7 : 0};
    node_show(shown, s);
    if (!str_starts(s, STR("http://"))) return err_set(e, ERR_INPUT, "%s does not begin with http://", shown);
    if (has(s, ' ')) return err_set(e, ERR_INPUT, "%s holds a space: write %%20", shown);
    if (!url_host(&host, rest) || host_check(host, e) < 0) return err_set(e, ERR_INPUT, "%s names no host that can be", shown);
    if (is_loopback(host) || str_equal(host, STR("169.254.169.254"))) return 0;
    return err_set(e, ERR_INPUT, "%s: a machine gets its identity from itself: 127.0.0.1, localhost or 169.254.169.254", shown);
}

bool is_guid(struct str s)
{
    if (s.len != 36) return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = s.ptr[i];
        if (dash ? c != '-' : !(is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

bool is_name(struct str s)
{
    return s.len > 0 && s.len <= 64 && only_has(s, "-_", true);
}
