#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "net/url.h"

static const char *shapes_txt = "src/net/url_shapes.txt";

/* --- one URL -------------------------------------------------------------------------------------------- */

static void test_parts(void **state)
{
    static const struct {
        const char *url;
        bool is_https;
        const char *host;
        unsigned port;
        const char *path, *query;
    } cases[] = {
        {"https://graph.microsoft.com", true, "graph.microsoft.com", 443, "", ""},
        {"https://graph.microsoft.com/", true, "graph.microsoft.com", 443, "/", ""},
        {"https://graph.microsoft.com/v1.0/users?$top=5&a=b?c/d", true, "graph.microsoft.com", 443,
         "/v1.0/users", "$top=5&a=b?c/d"},
        {"https://graph.microsoft.com?a", true, "graph.microsoft.com", 443, "", "a"},
        {"https://graph.microsoft.com/a?", true, "graph.microsoft.com", 443, "/a", ""},
        {"HTTPS://Graph.Microsoft.COM:443/V1.0", true, "graph.microsoft.com", 443, "/V1.0", ""},
        {"http://169.254.169.254/metadata", false, "169.254.169.254", 80, "/metadata", ""},
        {"http://localhost:8080/x", false, "localhost", 8080, "/x", ""},
        {"https://[::1]:8443/x", true, "::1", 8443, "/x", ""},
        {"https://[0:0:0:0:0:0:0:1]/x", true, "::1", 443, "/x", ""},
        {"https://[2001:DB8::A]", true, "2001:db8::a", 443, "", ""},
        {"https://[::ffff:127.0.0.1]", true, "::ffff:127.0.0.1", 443, "", ""},
        {"https://a_b.c-d.example:65535/", true, "a_b.c-d.example", 65535, "/", ""},
        {"https://xn--grph-loa.example/", true, "xn--grph-loa.example", 443, "/", ""},
        {"https://h:1//a/../%2e%2F", true, "h", 1, "//a/../%2e%2F", ""}, /* a link may not, a URL may */
        {"https://h/a@b:c;d=e,f!g~h'i(j)*k+$", true, "h", 443, "/a@b:c;d=e,f!g~h'i(j)*k+$", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct url u;
        struct err e = {0};
        if (url_parse(&u, str_from(cases[i].url), &e) < 0) fail_msg("%s: %s", cases[i].url, e.message);
        assert_int_equal(u.is_https, cases[i].is_https);
        assert_string_equal(u.host, cases[i].host);
        assert_int_equal(u.port, cases[i].port);
        if (!str_equal(u.path, str_from(cases[i].path)) || !str_equal(u.query, str_from(cases[i].query)))
            fail_msg("%s: path %.*s, query %.*s", cases[i].url, STR_FMT(u.path), STR_FMT(u.query));
    }
}

/* An embedded NUL, and every byte that is no printable ASCII, anywhere. */
static void test_bytes(void **state)
{
    static const char whole[] = "https://host.example:8443/path?query";
    struct url u;
    struct err e;
    for (size_t at = 0; at < sizeof whole - 1; at++)
        for (unsigned c = 0; c < 256; c++) {
            char text[sizeof whole];
            if (c > 0x20 && c < 0x7f && c != '\\' && c != '#' && c != '%') continue;
            memcpy(text, whole, sizeof whole);
            text[at] = (char)c;
            if (c == '%' && at > 25) continue;
            assert_int_equal(url_parse(&u, (struct str){text, sizeof whole - 1}, &e), ERR_INPUT);
            assert_int_equal(u.host[0], 0);
        }
}

static void test_lengths(void **state)
{
    struct buf b = buf_new(2 * URL_MAX);
    struct url u;
    struct err e;
    buf_add_str(&b, STR("https://host/?"));
    while (b.len < URL_MAX) buf_add_byte(&b, 'a');
    assert_int_equal(url_parse(&u, buf_str(&b), &e), 0);
    buf_add_byte(&b, 'a');
    assert_int_equal(url_parse(&u, buf_str(&b), &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "longer than 64 KiB: https://host/"));
    buf_free(&b);
    /* a name of 253 characters is one, of 254 is none; labels of 63 and 64 */
    for (unsigned n = 252; n <= 255; n++) {
        char text[512], name[300] = "";
        for (unsigned i = 0; i < n; i++) name[i] = i % 2 ? '.' : 'a';
        if (n % 2 == 0) name[n - 1] = 'b';
        snprintf(text, sizeof text, "https://%s/", name);
        assert_int_equal(url_parse(&u, str_from(text), &e), n <= 253 ? 0 : ERR_INPUT);
    }
    assert_int_equal(url_parse(&u, STR(""), &e), ERR_INPUT);
    assert_int_equal(url_parse(&u, (struct str){NULL, 0}, &e), ERR_INPUT);
}

/* What an error shows: no password, no query, no fragment, no control characters, not much. */
static void test_shown(void **state)
{
    static const struct {
        const char *url, *message;
    } cases[] = {
        {"https://ann:S3CRET@host/x", "url: a user or password: ...@host/x"},
        {"ann:S3CRET@host", "url: not https://host/path: ...@host"},
        {"ftp://host/x?key=S3CRET", "url: neither https nor http: ftp://host/x"},
        {"https://host\\x?key=S3CRET", "url: a backslash: https://host\\x"},
        {"https://host/x#S3CRET", "url: a '#' part: https://host/x"},
        {"https://host/\x1b[31m\r\n\xff",
         "url: a space, control or non-ASCII character: https://host/\\x1b[31m\\x0d\\x0a\\xff"},
    };
    struct url u;
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(url_parse(&u, str_from(cases[i].url), &e), ERR_INPUT);
        assert_string_equal(e.message, cases[i].message);
    }
    char text[600] = "gopher://";
    memset(text + 9, 'x', 500);
    assert_int_equal(url_parse(&u, str_from(text), &e), ERR_INPUT);
    assert_int_equal(strlen(e.message), strlen("url: neither https nor http: ...") + 120);
}

static void test_same_origin(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"https://h/a", "https://H:443/b?c", true},
        {"http://h", "http://h:80/", true},
        {"https://[::1]", "https://[0:0::1]:443/", true},
        {"https://h", "http://h:443", false},
        {"https://h", "https://h:444", false},
        {"https://h", "https://h.h", false},
        {"https://127.0.0.1", "https://[::ffff:127.0.0.1]", false},
        {"https://localhost", "https://127.0.0.1", false},
    };
    struct url a, b;
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(url_parse(&a, str_from(cases[i].a), &e) | url_parse(&b, str_from(cases[i].b), &e),
                         0);
        assert_int_equal(url_same_origin(&a, &b), cases[i].same);
        assert_int_equal(url_same_origin(&b, &a), cases[i].same);
    }
}

/* --- links: url_shapes.txt ------------------------------------------------------------------------------ */

struct place {
    const char *host;
    unsigned port, other;
};

/* {name} or {x*N}; the length of what was read, 0: it is no placeholder. */
static size_t add_placeholder(struct buf *out, const char *p, const struct place *at)
{
    char unit[8];
    unsigned times;
    int n = 0;
    if (strncmp(p, "{origin}", 8) == 0) return buf_printf(out, "https://%s:%u", at->host, at->port), 8;
    if (strncmp(p, "{host}", 6) == 0) return buf_printf(out, "%s", at->host), 6;
    if (strncmp(p, "{port}", 6) == 0) return buf_printf(out, "%u", at->port), 6;
    if (strncmp(p, "{other}", 7) == 0) return buf_printf(out, "%u", at->other), 7;
    if (strncmp(p, "{HOST}", 6) == 0) {
        for (const char *h = at->host; *h; h++)
            buf_add_byte(out, (uint8_t)(*h >= 'a' && *h <= 'z' ? *h - 32 : *h));
        return 6;
    }
    if (sscanf(p, "{%7[^*]*%u}%n", unit, &times, &n) != 2 || !n) return 0;
    while (times--) buf_add_str(out, str_from(unit));
    return (size_t)n;
}

static size_t add_escape(struct buf *out, const char *p)
{
    static const char from[] = "tnr\\", to[] = "\t\n\r\\";
    const char *known = strchr(from, p[1]);
    unsigned byte;
    if (known && p[1]) return buf_add_byte(out, (uint8_t)to[known - from]), 2;
    if (sscanf(p, "\\x%2x", &byte) != 1) fail_msg("escape %s", p);
    return buf_add_byte(out, (uint8_t)byte), 4;
}

static void expand(struct buf *out, const char *shape, const struct place *at)
{
    buf_clear(out);
    for (const char *p = shape; *p;) {
        size_t n = *p == '{' ? add_placeholder(out, p, at) : *p == '\\' ? add_escape(out, p) : 0;
        if (!n) buf_add_byte(out, (uint8_t)*p);
        p += n ? n : 1;
    }
}

/* What a message says of each part. */
static const char *verdict_of(int rc, const struct err *e)
{
    static const char *const words[][2] = {
        {"text", "a link that is not followed: url: "},
        {"scheme", ", by its scheme: "},
        {"host", ", by its host: "},
        {"port", ", by its port: "},
        {"path", ", by its path: "},
        {"dot", ", by a dot segment: "},
        {"empty", ", by an empty segment: "},
        {"encoded", ", by an encoded "},
    };
    if (rc == 0) return "go";
    for (size_t i = 0; i < n_elements(words); i++)
        if (strstr(e->message, words[i][1])) return words[i][0];
    return "(nothing)";
}

/* "host|text": one of them. */
static bool is_expected(struct str expected, const char *verdict)
{
    size_t bar = str_index(expected, '|');
    struct str first = {expected.ptr, bar};
    if (str_equal(first, str_from(verdict))) return true;
    return bar < expected.len && strcmp(expected.ptr + bar + 1, verdict) == 0;
}

/* Every message may stand in a log. */
static void check_message(const struct err *e, const char *shape)
{
    assert_int_equal(e->class, ERR_PROTO);
    assert_true(e->hint[0]);
    assert_true(strlen(e->message) < 400);
    for (const char *p = e->message; *p; p++)
        if (*p < 0x20 || *p > 0x7e) fail_msg("%s: byte %02x in the message", shape, (uint8_t)*p);
    if (strstr(e->message, "skiptoken") || strstr(e->message, "AAAA")) fail_msg("%s: %s", shape, e->message);
}

static void check_line(char *line, const struct place *at, struct buf *link)
{
    char base_text[300];
    struct url base;
    struct err e = {0};
    char *tab = strchr(line, '\t');
    line[strcspn(line, "\n")] = 0;
    assert_non_null(tab);
    *tab = 0;
    snprintf(base_text, sizeof base_text, "https://%s:%u/v1.0", at->host, at->port);
    assert_int_equal(url_parse(&base, str_from(base_text), &e), 0);
    expand(link, tab + 1, at);
    assert_false(link->failed);
    int rc = url_check_link(&base, buf_str(link), &e);
    if (!is_expected(str_from(line), verdict_of(rc, &e)))
        fail_msg("%s\n  expected %s\n  is       %s: %s", tab + 1, line, verdict_of(rc, &e),
                 rc ? e.message : "");
    if (rc < 0) check_message(&e, tab + 1);
}

static size_t check_list(const struct place *at, size_t *n_go)
{
    static char line[4096];
    struct buf link = buf_new(256 << 10);
    size_t n = 0;
    FILE *in = fopen(shapes_txt, "r");
    if (!in) fail_msg("%s: not found", shapes_txt);
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#') continue;
        *n_go += strncmp(line, "go\t", 3) == 0;
        check_line(line, at, &link);
        n++;
    }
    fclose(in);
    buf_free(&link);
    return n;
}

static void test_links(void **state)
{
    static const struct place places[] = {
        {"graph.example", 8443, 8444}, {"127.0.0.1", 40001, 40002}, {"localhost", 8443, 444}};
    for (size_t i = 0; i < n_elements(places); i++) {
        size_t n_go = 0, n = check_list(&places[i], &n_go);
        assert_true(n >= 300);
        assert_true(n_go >= 25);
    }
}

/* What the list, with its one kind of base, cannot say. */
static void test_other_bases(void **state)
{
    static const struct {
        const char *base, *link, *verdict;
    } cases[] = {
        {"https://graph.microsoft.com/v1.0", "https://graph.microsoft.com:443/v1.0/users?$skiptoken=x", "go"},
        {"https://graph.microsoft.com:443/v1.0", "https://graph.microsoft.com/v1.0/users", "go"},
        {"https://graph.microsoft.com/v1.0", "https://graph.microsoft.com:444/v1.0/users", "port"},
        {"https://graph.microsoft.com/v1.0", "https://graph.microsoft.com.evil.test/v1.0/users", "host"},
        {"https://graph.microsoft.com/v1.0", "https://graph.microsoft.us/v1.0/users", "host"},
        {"https://graph.microsoft.com/v1.0", "https://dod-graph.microsoft.com/v1.0/users", "host"},
        {"https://graph.microsoft.com/v1.0/", "https://graph.microsoft.com/v1.0/users", "go"},
        {"https://graph.microsoft.com/v1.0/", "https://graph.microsoft.com/v1.0users", "path"},
        {"https://graph.microsoft.com/v1.0/", "https://graph.microsoft.com/v1.0", "go"},
        {"https://h", "https://h", "go"},
        {"https://h", "https://h/", "empty"},
        {"https://h", "https://h/anything", "go"},
        {"https://h", "https://h//anything", "empty"},
        {"https://h/", "https://h/anything", "go"},
        {"https://h/", "https://h?x", "go"},
        {"https://h/a/b", "https://h/a", "path"},
        {"https://h/a/b", "https://h/a/c/b", "path"},
        {"https://h/a/b", "https://h/a/b/c", "go"},
        {"https://h/a/../b", "https://h/a/../b/c", "dot"},
        {"http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x/y", "go"},
        {"http://127.0.0.1:8080/x", "https://127.0.0.1:8080/x/y", "scheme"},
        {"https://[::1]:8443/x", "https://[0:0:0:0:0:0:0:1]:8443/x/y", "go"},
        {"https://[::1]:8443/x", "https://[::0001]:8443/x/y", "go"},
        {"https://[::1]:8443/x", "https://[::2]:8443/x/y", "host"},
        {"https://[::1]:8443/x", "https://127.0.0.1:8443/x/y", "host"},
        {"https://[2001:db8::a]/x", "https://[2001:DB8::A]:443/x/y", "go"},
    };
    struct url base;
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(url_parse(&base, str_from(cases[i].base), &e), 0);
        int rc = url_check_link(&base, str_from(cases[i].link), &e);
        if (strcmp(verdict_of(rc, &e), cases[i].verdict) != 0)
            fail_msg("%s from %s: %s", cases[i].link, cases[i].base, verdict_of(rc, &e));
    }
}

static void test_link_messages(void **state)
{
    struct url base;
    struct err e;
    assert_int_equal(url_parse(&base, STR("https://graph.microsoft.com/v1.0"), &e), 0);
    assert_int_equal(url_check_link(&base, STR("https://Evil.test:8443/v1.0/users?$skiptoken=x"), &e),
                     ERR_PROTO);
    assert_string_equal(e.message, "a link that leaves https://graph.microsoft.com/v1.0, by its host: "
                                   "https://evil.test:8443/v1.0/users");
    assert_int_equal(url_check_link(&base, STR("http://[::1]/v1.0/users"), &e), ERR_PROTO);
    assert_string_equal(e.message, "a link that leaves https://graph.microsoft.com/v1.0, by its scheme: "
                                   "http://[::1]/v1.0/users");
    assert_int_equal(url_check_link(&base, STR("/v1.0/users?$skiptoken=x"), &e), ERR_PROTO);
    assert_string_equal(e.message, "a link that is not followed: url: not https://host/path: /v1.0/users");
}

static void test_encoded(void **state)
{
    struct buf b = buf_new(256);
    url_add_encoded(&b, STR("aZ09-._~/ %+\xc3\xa9\0&"), URL_UNRESERVED "/");
    assert_string_equal(buf_cstr(&b), "aZ09-._~/%20%25%2B%C3%A9%00%26");
    buf_clear(&b);
    url_add_encoded(&b, STR("a~/"), "-._");
    assert_string_equal(buf_cstr(&b), "a%7E%2F");
    buf_free(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),       cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_lengths),     cmocka_unit_test(test_shown),
        cmocka_unit_test(test_same_origin), cmocka_unit_test(test_links),
        cmocka_unit_test(test_other_bases), cmocka_unit_test(test_link_messages),
        cmocka_unit_test(test_encoded),
    };
    if (argc > 1) shapes_txt = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
