#include "net/http_test.h"

#include <poll.h>
#include <pthread.h>

/* --- answers -------------------------------------------------------------------------------------------- */

static void test_small(void **state)
{
    struct http *h = open_client();
    for (int turn = 0; turn < 6; turn++) {
        struct http_answer a;
        struct err e;
        assert_int_equal(get(h, turn % 2 ? h1 : h2, "/small", &a, &e), 0);
        assert_int_equal(a.status, 200);
        assert_true(str_equal(str_of(a.body), STR("{\"ok\":true}")));
        assert_true(str_equal(http_header(&a, "Retry-After"), STR("2.128")));
        assert_true(str_equal(http_header(&a, "retry-AFTER"), STR("2.128")));
        assert_true(str_starts(http_header(&a, "X-Two"), STR("first")));
        assert_int_equal(http_header(&a, "X-Absent").len, 0);
        assert_true(a.wire_bytes > 11 && a.wire_bytes < 1000);
        assert_true(a.took_ms >= 0 && a.took_ms < 5000);
        assert_null(a.why);
    }
    assert_int_equal(http_pending(h), 0);
    http_close(h);
}

static void test_forms(void **state)
{
    static const struct {
        bool is_h2;
        const char *path;
        bool is_packed;
    } cases[] = {{false, "/page", false},    {false, "/gzip", true},         {false, "/deflate", true},
                 {false, "/chunked", false}, {false, "/gzip-chunked", true}, {true, "/page", false},
                 {true, "/gzip", true}};
    struct http *h = open_client();
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct http_answer a;
        struct err e;
        if (get(h, cases[i].is_h2 ? h2 : h1, cases[i].path, &a, &e) < 0)
            fail_msg("%s: %s", cases[i].path, e.message);
        if (!is_page(a.body)) fail_msg("%s: another body", cases[i].path);
        assert_int_equal(a.wire_bytes < a.body.len, cases[i].is_packed);
    }
    http_close(h);
}

/* Any status is an answer. */
static void test_statuses(void **state)
{
    static const int list[] = {200, 201, 400, 401, 403, 404, 410, 429, 500, 503, 504, 599};
    struct http *h = open_client();
    struct http_answer a;
    struct err e;
    for (size_t i = 0; i < n_elements(list); i++) {
        char path[32];
        snprintf(path, sizeof path, "/status/%d", list[i]);
        assert_int_equal(get(h, h1, path, &a, &e), 0);
        assert_int_equal(a.status, list[i]);
        assert_true(str_equal(str_of(a.body), STR("status")));
    }
    assert_int_equal(get(h, h1, "/empty", &a, &e), 0);
    assert_int_equal(a.status, 204);
    assert_int_equal(a.body.len, 0);
    assert_int_equal(get(h, h1, "/until-close-json", &a, &e), 0);
    assert_true(is_page(a.body));
    assert_int_equal(get(h, h1, "/until-close-error", &a, &e), 0);
    assert_int_equal(a.status, 429);
    assert_true(str_equal(http_header(&a, "Retry-After"), STR("7")));
    assert_int_equal(get(h, h1, "/unauthorized", &a, &e), 0); /* and nobody negotiates */
    assert_int_equal(a.status, 401);
    http_close(h);
}

static const char *sent(const json_t *echo, const char *name)
{
    const char *v = json_string_value(json_object_get(json_object_get(echo, "headers"), name));
    return v ? v : "";
}

static json_t *echo_of(struct http *h, const struct http_request *r)
{
    struct http_answer a;
    struct err e = {0};
    if (http_fetch(h, r, &a, &e) < 0) fail_msg("%s: %s", r->url, e.message);
    json_t *o = json_loadb((const char *)a.body.ptr, a.body.len, 0, NULL);
    assert_non_null(o);
    return o;
}

static void check_sent_get(struct http *h, int port)
{
    const char *const headers[] = {"ConsistencyLevel: eventual", "Prefer: odata.maxpagesize=999", NULL};
    json_t *o = echo_of(h, &(struct http_request){.method = "GET",
                                                  .url = url_of(port, "/echo?$top=1&a=%27b%27&c=/../d"),
                                                  .headers = headers,
                                                  .bearer = &token});
    assert_string_equal(json_string_value(json_object_get(o, "method")), "GET");
    assert_string_equal(json_string_value(json_object_get(o, "url")), "/echo?$top=1&a=%27b%27&c=/../d");
    assert_string_equal(sent(o, "authorization"), "Bearer " TOKEN);
    assert_string_equal(sent(o, "consistencylevel"), "eventual");
    assert_string_equal(sent(o, "prefer"), "odata.maxpagesize=999");
    assert_string_equal(sent(o, "accept-encoding"), "gzip, deflate");
    assert_true(str_starts(str_from(sent(o, "user-agent")), STR("rollcall/")));
    assert_string_equal(sent(o, "cookie"), "");
    assert_string_equal(sent(o, "content-type"), "");
    json_decref(o);
}

static void check_sent_post(struct http *h, int port)
{
    json_t *o = echo_of(h, &(struct http_request){.method = "POST",
                                                  .url = url_of(port, "/echo"),
                                                  .content_type = "application/x-www-form-urlencoded",
                                                  .body = bytes_of(STR("client_secret=x%26y"))});
    assert_string_equal(json_string_value(json_object_get(o, "method")), "POST");
    assert_string_equal(json_string_value(json_object_get(o, "body")), "client_secret=x%26y");
    assert_string_equal(sent(o, "content-type"), "application/x-www-form-urlencoded");
    assert_string_equal(sent(o, "authorization"), ""); /* not that of the request before */
    assert_string_equal(sent(o, "expect"), "");
    json_decref(o);
    o = echo_of(h, &(struct http_request){
                       .method = "POST", .url = url_of(port, "/echo"), .content_type = "text/plain"});
    assert_string_equal(json_string_value(json_object_get(o, "body")), "");
    assert_string_equal(sent(o, "content-length"), "0");
    json_decref(o);
}

/* One handle for all, so that what one request left behind would be seen in the next. */
static void test_sent(void **state)
{
    struct http_options o = options();
    o.parallel = 1;
    struct http *h = open_with(&o);
    for (int i = 0; i < 6; i++) {
        check_sent_get(h, i % 2 ? h1 : h2);
        check_sent_post(h, i % 2 ? h1 : h2);
    }
    http_close(h);
}

static void test_path_as_is(void **state)
{
    struct http *h = open_client();
    struct http_answer a;
    struct err e;
    assert_int_equal(get(h, h1, "/a/../small", &a, &e), 0);
    assert_int_equal(a.status, 404);
    assert_int_equal(get(h, h1, "/./small", &a, &e), 0);
    assert_int_equal(a.status, 404);
    http_close(h);
}

static void test_no_redirects_no_cookies(void **state)
{
    int ports[] = {h1, h2};
    struct http *h = open_client();
    for (size_t i = 0; i < 2; i++) {
        struct http_answer a;
        struct err e = {0};
        struct http_request r = {.method = "GET", .url = url_of(ports[i], "/redirect"), .bearer = &token};
        assert_int_equal(http_fetch(h, &r, &a, &e), 0);
        assert_int_equal(a.status, 302);
        assert_true(str_starts(http_header(&a, "Location"), STR("https://127.0.0.1:")));
        assert_int_equal(count_of(ports[i], "/followed"), 0);
        assert_int_equal(count_of(ports[i], "/redirect"), 1);
    }
    struct http_answer a;
    struct err e;
    assert_int_equal(get(h, h1, "/cookie", &a, &e), 0);
    json_t *o = get_json(h, h1, "/echo");
    assert_string_equal(sent(o, "cookie"), "");
    json_decref(o);
    http_close(h);
}

/* --- what is no answer ---------------------------------------------------------------------------------- */

struct bad {
    const int *port;
    const char *path;
    int class;
    const char *says; /* some of the message */
};

static void check_bad(struct http *h, const struct bad *b)
{
    struct http_answer a;
    struct err e;
    char peer[32];
    int64_t began = when_monotonic_ms();
    int rc = get(h, *b->port, b->path, &a, &e);
    snprintf(peer, sizeof peer, "127.0.0.1:%d: ", *b->port);
    if (rc != b->class || !strstr(e.message, b->says) || !str_starts(str_from(e.message), str_from(peer)))
        fail_msg("%s %s: expected %s ...%s..., is %s %s (status %ld, %zu bytes)", peer, b->path,
                 err_class_name(b->class), b->says, err_class_name(rc), e.message, a.status, a.body.len);
    assert_int_equal(a.body.len, 0); /* never half of it */
    assert_non_null(a.why);
    assert_int_equal(a.why->class, rc);
    if (when_monotonic_ms() - began > 20000) /* the limits are told by the message; this only says that it did not hang */
        fail_msg("%s: took %lld ms", b->path, (long long)(when_monotonic_ms() - began));
    if (getenv("HTTP_TEST_SHOW")) print_message("%s %s\n", err_class_name(rc), e.message);
    /* and the next one is not harmed */
    if (b->port == &h1 || b->port == &h2) assert_int_equal(get(h, *b->port, "/small", &a, &e), 0);
}

static void check_all_bad(const struct bad *list, size_t n, int answer_timeout_ms)
{
    struct http_options o = options();
    o.answer_timeout_ms = answer_timeout_ms;
    for (size_t i = 0; i < n; i++) { /* a pool of its own, and then all in one */
        struct http *h = open_with(&o);
        check_bad(h, &list[i]);
        http_close(h);
    }
    struct http *h = open_with(&o);
    for (size_t i = 0; i < n; i++) check_bad(h, &list[i]);
    http_close(h);
}

static void test_cut(void **state)
{
    static const struct bad list[] = {
        {&h1, "/cut-length", ERR_NET, "cut off"},
        {&h1, "/cut-length-hard", ERR_NET, ""},
        {&h1, "/cut-chunk", ERR_NET, ""},
        {&h1, "/cut-last-chunk", ERR_NET, ""},
        {&h1, "/cut-head", ERR_NET, "cut off in its header"},
        {&h1, "/until-cut", ERR_NET, "does not tell its length"},
        {&h1, "/until-close", ERR_NET, "does not tell its length"},
        {&h1, "/nothing", ERR_NET, "without an answer"},
        {&h1, "/reset", ERR_NET, "broke"},
        {&h1, "/reset-in-body", ERR_NET, "broke"},
        {&h2, "/cut", ERR_NET, "broken off"},
        {&h2, "/cut-length", ERR_NET, "broken off"},
        {&h1, "/until-cut-json", ERR_NET, "its JSON does not end"},
        {&h1, "/cut-gzip", ERR_NET, "its JSON does not end"},
        {&h2, "/cut-softly", ERR_NET, "its JSON does not end"},
        {&h2, "/cut-softly-length", ERR_NET, ""},
        {&h2, "/short", ERR_NET, ""},
        {&h2, "/gone", ERR_NET, ""},
        {&h2, "/gone-length", ERR_NET, ""},
        {&h2, "/refused", ERR_NET, ""},
        {&h2, "/calm", ERR_NET, "broken off"},
        {&h2, "/goaway", ERR_NET, ""},
    };
    check_all_bad(list, n_elements(list), 2000);
}

static void test_limits(void **state)
{
    static const struct bad list[] = {
        {&h1, "/big", ERR_LIMIT, "large"},
        {&h1, "/big-chunked", ERR_LIMIT, "more than 1048576 bytes"},
        {&h1, "/bomb", ERR_LIMIT, "more than 1048576 bytes"},
        {&h1, "/bomb-twice", ERR_LIMIT, "more than 1048576 bytes"},
        {&h1, "/limit-1", ERR_LIMIT, "more than 1048576 bytes"},
        {&h1, "/huge-header", ERR_LIMIT, "more than 64 KiB of header"},
        {&h1, "/huge-line", ERR_LIMIT, "header"},
        {&h1, "/endless-header", ERR_LIMIT, "header"},
        {&h1, "/endless-interim", ERR_LIMIT, "header"},
        {&h2, "/big", ERR_LIMIT, "more than 1048576 bytes"},
        {&h2, "/bomb", ERR_LIMIT, "more than 1048576 bytes"},
    };
    struct http *h = open_client();
    struct http_answer a;
    struct err e;
    assert_int_equal(get(h, h1, "/limit", &a, &e), 0);
    assert_int_equal(a.body.len, BODY_MAX);
    assert_int_equal(get(h, h1, "/limit-gzip", &a, &e), 0);
    assert_int_equal(a.body.len, BODY_MAX);
    http_close(h);
    check_all_bad(list, n_elements(list), 5000);
}

static void test_no_sense(void **state)
{
    static const struct bad list[] = {
        {&h1, "/no-http", ERR_PROTO, "no HTTP"},
        {&h1, "/bad-gzip", ERR_PROTO, "does not unpack"},
        {&h1, "/bad-crc", ERR_PROTO, "does not unpack"},
        {&h1, "/bad-length", ERR_PROTO, ""},
        {&h1, "/nul-header", ERR_PROTO, ""},
    };
    check_all_bad(list, n_elements(list), 2000);
}

static void test_time_limits(void **state)
{
    static const struct bad list[] = {
        {&h1, "/mute", ERR_TIMEOUT, "no answer within "},
        {&h1, "/stall", ERR_TIMEOUT, "not complete after "},
        {&h1, "/drip", ERR_TIMEOUT, "not complete after "},
        {&h2, "/mute", ERR_TIMEOUT, "no answer within "},
        {&h2, "/stall", ERR_TIMEOUT, "not complete after "},
        {&mute, "/", ERR_TIMEOUT, "handshake was not done within "},
    };
    check_all_bad(list, n_elements(list), 1500); /* long enough for the good one that follows each, on a busy machine, too */
}

static void test_connect_timeout(void **state)
{
    struct http_options o = options();
    o.connect_timeout_ms = 200;
    struct http *h = open_with(&o);
    check_bad(h, &(struct bad){&mute, "/", ERR_TIMEOUT, "handshake was not done within "});
    http_close(h);
}

static void test_unreachable(void **state)
{
    static const int none = 1;
    static const struct bad list[] = {
        {&none, "/", ERR_NET, "Connection refused"},
        {&reset, "/", ERR_NET, "reset by peer"},
        {&noise, "/", ERR_TLS, ""},
    };
    struct http_options o = options();
    for (size_t i = 0; i < n_elements(list); i++) {
        struct http *h = open_with(&o);
        struct http_answer a;
        struct err e = {0};
        char url[64];
        snprintf(url, sizeof url, "https://127.0.0.1:%d/", *list[i].port);
        int rc = http_fetch(h, &(struct http_request){.method = "GET", .url = url}, &a, &e);
        if (rc != list[i].class || !strstr(e.message, list[i].says))
            fail_msg("%s: %s %s", url, err_class_name(rc), e.message);
        if (getenv("HTTP_TEST_SHOW")) print_message("%s %s\n", err_class_name(rc), e.message);
        http_close(h);
    }
    struct http *h = open_client();
    struct http_answer a;
    struct err e = {0};
    struct http_request r = {.method = "GET", .url = "https://no-such-host.invalid/"};
    int rc = http_fetch(h, &r, &a, &e);
    if (rc != ERR_TIMEOUT) { /* the machine's name servers are silent */
        assert_int_equal(rc, ERR_NET);
        assert_string_equal(e.message, "no-such-host.invalid:443: its name does not resolve");
    }
    http_close(h);
}

/* --- trust ---------------------------------------------------------------------------------------------- */

static void check_trust(const char *ca_path, int port, int class, const char *says)
{
    struct http_options o = options();
    o.ca_path = ca_path;
    struct http *h = open_with(&o);
    for (int turn = 0; turn < 3; turn++) { /* the doctor comes once; what it said is said again */
        struct http_answer a;
        struct err e;
        int rc = get(h, port, "/small", &a, &e);
        if (rc != class || !strstr(e.message, says))
            fail_msg("expected %s %s, is %s %s", err_class_name(class), says, err_class_name(rc), e.message);
        if (rc < 0) assert_true(e.hint[0]);
        if (getenv("HTTP_TEST_SHOW")) print_message("%s %s; %s\n", err_class_name(rc), e.message, e.hint);
    }
    http_close(h);
}

static void test_trust(void **state)
{
    json_int_t before = count_of(other, "/small");
    check_trust(ca, h1, 0, "");
    check_trust(ca, h2, 0, "");
    check_trust(pinned, h1, 0, "");
    check_trust(ca, other, ERR_TLS, "other.example");
    check_trust(stranger_ca, h1, ERR_TLS, "Test Root CA");
    check_trust(stranger_ca, h2, ERR_TLS, "Test Root CA");
    check_trust(NULL, h1, ERR_TLS, "Test Root CA"); /* the system's do not know it */
    assert_int_equal(count_of(other, "/small"), before);
}

static void test_doctor_comes_once(void **state)
{
    struct http *h = open_client();
    json_int_t before = count_of(other, "connections");
    struct http_answer a;
    struct err e;
    for (int i = 0; i < 5; i++) assert_int_equal(get(h, other, "/small", &a, &e), ERR_TLS);
    json_int_t n = count_of(other, "connections") - before;
    assert_int_equal(n, 6);
    http_close(h);
}

/* --- what is refused before anything is sent ------------------------------------------------------------ */

static void ignore_answer(void *ctx, const struct http_answer *a)
{
    (*(int *)ctx)++;
}

static void test_refused_input(void **state)
{
    static const char *const bad_urls[] = {"",
                                           "small",
                                           "ftp://127.0.0.1/",
                                           "https://a:b@127.0.0.1/",
                                           "https://127.0.0.1/#x",
                                           "https://127.0.0.1/a b",
                                           "https://127.0.0.1/\r\nX: y",
                                           "https://2130706433/",
                                           "http://127.0.0.1/",
                                           "http://localhost/",
                                           "http://169.254.169.254/"};
    static const char *const bad_headers[] = {"",
                                              "X",
                                              "X:",
                                              "X: ",
                                              ": y",
                                              "X y: z",
                                              "X: a\r\nY: b",
                                              "X: a\nb",
                                              "X: \x1b",
                                              "X: \xc3\xa9",
                                              "X\t: a",
                                              "X;",
                                              "Authorization: Bearer x",
                                              "host: evil.test",
                                              "Content-Length: 5",
                                              "Transfer-Encoding: chunked",
                                              "Cookie: a=b"};
    struct http *h = open_client();
    struct err e;
    int n = 0;
    struct http_request r = {.method = "GET", .done = ignore_answer, .ctx = &n};
    for (size_t i = 0; i < n_elements(bad_urls); i++) {
        r.url = bad_urls[i];
        assert_int_equal(http_submit(h, &r, &e), ERR_INPUT);
    }
    r.url = url_of(h1, "/small");
    for (size_t i = 0; i < n_elements(bad_headers); i++) {
        const char *const headers[] = {"Fine: yes", bad_headers[i], NULL};
        r.headers = headers;
        if (http_submit(h, &r, &e) == 0) fail_msg("header %s", bad_headers[i]);
    }
    r.headers = NULL;
    r.method = "TRACE";
    assert_int_equal(http_submit(h, &r, &e), ERR_BUG);
    r.method = "POST"; /* without content_type */
    assert_int_equal(http_submit(h, &r, &e), ERR_INPUT);
    r.content_type = "text/plain\r\nX: y";
    assert_int_equal(http_submit(h, &r, &e), ERR_INPUT);
    assert_int_equal(http_pending(h), 0);
    assert_int_equal(n, 0);
    http_close(h);
}

static void test_bad_bearers(void **state)
{
    static const char *const list[] = {"a b", "a\nb", "a\r\nX: y", "\xc3\xa9", "a\tb", "\x7f"};
    struct http *h = open_client();
    struct err e;
    for (size_t i = 0; i < n_elements(list); i++) {
        struct secret s;
        assert_int_equal(secret_take(&s, bytes_of(str_from(list[i])), &e), 0);
        struct http_request r = {.method = "GET", .url = url_of(h1, "/small"), .bearer = &s};
        assert_int_equal(http_submit(h, &r, &e), ERR_INPUT);
        secret_drop(&s);
    }
    struct secret empty = {0};
    assert_int_equal(
        http_submit(h, &(struct http_request){.method = "GET", .url = url_of(h1, "/small"), .bearer = &empty},
                    &e),
        ERR_INPUT);
    http_close(h);
}

static void test_clear(void **state)
{
    static const char *const outside[] = {"http://192.0.2.1/",         "http://example.org/",
                                          "http://127.0.0.1.example/", "http://[::2]/",
                                          "http://169.254.169.253/",   "http://0.0.0.0/"};
    struct http_options o = options();
    struct http_answer a;
    struct err e;
    o.clear_to_loopback = true;
    struct http *h = open_with(&o);
    json_int_t before = count_of(clear, "/echo");
    assert_int_equal(get(h, clear, "/small", &a, &e), 0);
    for (size_t i = 0; i < n_elements(outside); i++)
        assert_int_equal(http_fetch(h, &(struct http_request){.method = "GET", .url = outside[i]}, &a, &e),
                         ERR_INPUT);
    assert_int_equal(
        http_fetch(h,
                   &(struct http_request){.method = "GET", .url = url_of(clear, "/echo"), .bearer = &token},
                   &a, &e),
        ERR_INPUT);
    assert_int_equal(count_of(clear, "/echo"), before);
    assert_int_equal(get(h, h1, "/small", &a, &e), 0); /* https as ever */
    http_close(h);
}

/* To a server of ours on this machine, and to nobody else. */
static void test_token_to_loopback(void **state)
{
    struct http_options o = options();
    struct http_answer a;
    struct err e;
    o.clear_to_loopback = o.token_to_loopback = true;
    struct http *h = open_with(&o);
    struct http_request r = {.method = "GET", .url = url_of(clear, "/echo"), .bearer = &token};
    assert_int_equal(http_fetch(h, &r, &a, &e), 0);
    r.url = "http://169.254.169.254/";
    assert_int_equal(http_fetch(h, &r, &a, &e), ERR_INPUT);
    r.url = "http://192.0.2.1/";
    assert_int_equal(http_fetch(h, &r, &a, &e), ERR_INPUT);
    http_close(h);
}

/* One handle after the other: what a method sets does not stay for the next. */
static void test_methods(void **state)
{
    static const char *const methods[] = {"PUT", "GET", "PATCH", "POST", "DELETE", "GET", "DELETE", "POST"};
    struct http_options o = options();
    o.parallel = 1;
    struct http *h = open_with(&o);
    for (size_t i = 0; i < n_elements(methods); i++) {
        struct http_answer a;
        struct err e;
        bool has_body = methods[i][0] == 'P';
        struct http_request r = {.method = methods[i], .url = url_of(h1, "/echo"), .content_type = has_body ? "application/json" : NULL};
        if (has_body) r.body = bytes_of(STR("{}"));
        assert_int_equal(http_fetch(h, &r, &a, &e), 0);
        json_t *j = json_loadb((const char *)a.body.ptr, a.body.len, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(j, "method")), methods[i]);
        assert_string_equal(json_string_value(json_object_get(j, "body")), has_body ? "{}" : "");
        json_decref(j);
    }
    struct http_answer a;
    struct err e;
    assert_int_equal(http_fetch(h, &(struct http_request){.method = "TRACE", .url = url_of(h1, "/echo")}, &a, &e), ERR_BUG);
    http_close(h);
}

/* The last of all: nothing is fetched any more afterwards. */
static void *cancel_soon(void *ctx)
{
    (void)ctx;
    poll(NULL, 0, 100);
    http_cancel_all();
    return NULL;
}

static void test_cancel(void **state)
{
    struct http_options o = options();
    struct http *h = open_with(&o);
    struct http_answer a;
    struct err e;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    assert_int_equal(http_fetch(h, &(struct http_request){.method = "GET", .url = url_of(h1, "/stall")}, &a, &e), ERR_CANCEL);
    pthread_join(thread, NULL);
    assert_int_equal(http_fetch(h, &(struct http_request){.method = "GET", .url = url_of(h1, "/small")}, &a, &e), ERR_CANCEL);
    http_close(h);
}

static void test_bad_options(void **state)
{
    struct http *h;
    struct err e;
    struct http_options o = options();
    o.parallel = 0;
    assert_int_equal(http_open(&h, &o, &e), ERR_BUG);
    assert_null(h);
    o.parallel = 65;
    assert_int_equal(http_open(&h, &o, &e), ERR_BUG);
    o = options();
    o.ca_path = "/nonexistent/ca.pem";
    assert_true(http_open(&h, &o, &e) < 0);
    assert_null(h);
    o.ca_path = server_js;
    assert_int_equal(http_open(&h, &o, &e), ERR_INPUT);
    http_close(NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_sent),
        cmocka_unit_test(test_path_as_is),
        cmocka_unit_test(test_no_redirects_no_cookies),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_sense),
        cmocka_unit_test(test_time_limits),
        cmocka_unit_test(test_connect_timeout),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_doctor_comes_once),
        cmocka_unit_test(test_refused_input),
        cmocka_unit_test(test_bad_bearers),
        cmocka_unit_test(test_token_to_loopback),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_cancel),
    };
    if (argc > 1) server_js = argv[1];
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
