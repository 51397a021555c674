#include "net/pki_test.h"

#include "base/when.h"
#include "net/http.h"

#include <jansson.h>
#include <signal.h>
#include <poll.h>
#include <sys/wait.h>

#define TOKEN    "s3cr3t-t0ken-0123456789"
#define BODY_MAX ((size_t)1 << 20)

/* --- the server, and certificates for it ---------------------------------------------------------------- */

static const char *server_js = "tests/fake/https_server.js";
static char dir[] = "/tmp/rollcall-http-XXXXXX", ca[64], stranger_ca[64], pinned[64];
static pid_t server;
static int to_server = -1;
static int h1, h2, other, clear, mute, reset, noise;
static struct secret token;

static void write_cert(const char *name, X509 *cert)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    fclose(f);
}

static void write_key(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key_ec, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

static void make_certificates(void)
{
    make_keys();
    struct identity root = issue_ca("Test Root CA", NULL, key_ec2),
                    stranger = issue_ca("Strange CA", NULL, key_ec2);
    struct identity leaf =
        issue(&(struct wish){.cn = "leaf", .san = "DNS:localhost,IP:127.0.0.1", .by = &root, SERVER_LEAF});
    struct identity bad =
        issue(&(struct wish){.cn = "other", .san = "DNS:other.example", .by = &root, SERVER_LEAF});
    write_cert("ca.pem", root.cert);
    write_cert("stranger.pem", stranger.cert);
    write_cert("leaf.pem", leaf.cert);
    write_cert("other.pem", bad.cert);
    write_key("leaf.key");
    write_key("other.key");
    X509 *all[] = {root.cert, stranger.cert, leaf.cert, bad.cert};
    for (size_t i = 0; i < n_elements(all); i++) X509_free(all[i]);
    drop_keys();
}

/* Ends with its standard input, so that nothing is left over if the test is killed. */
static void start_server(void)
{
    int in[2], out[2];
    char line[128] = "";
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    server = fork();
    if (server == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl("/usr/bin/node", "node", server_js, dir, NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_server = in[1];
    for (size_t n = 0; n < sizeof line - 1 && !strchr(line, '\n'); n++)
        if (read(out[0], line + n, 1) != 1) break;
    close(out[0]);
    if (sscanf(line, "listening %d %d %d %d %d %d %d", &h1, &h2, &other, &clear, &mute, &reset, &noise) != 7)
        fail_msg("/usr/bin/node %s does not start", server_js);
}

static int group_set_up(void **state)
{
    struct err e;
    if (!mkdtemp(dir) || secret_take(&token, bytes_of(STR(TOKEN)), &e) < 0) return -1;
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(stranger_ca, sizeof stranger_ca, "%s/stranger.pem", dir);
    snprintf(pinned, sizeof pinned, "%s/leaf.pem", dir);
    make_certificates();
    start_server();
    return 0;
}

static int group_tear_down(void **state)
{
    static const char *const names[] = {"ca.pem",    "stranger.pem", "leaf.pem",
                                        "other.pem", "leaf.key",     "other.key"};
    int status;
    close(to_server);
    waitpid(server, &status, 0);
    secret_drop(&token);
    for (size_t i = 0; i < n_elements(names); i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir) || status != 0 ? -1 : 0;
}

/* --- clients -------------------------------------------------------------------------------------------- */

static struct http_options options(void)
{
    return (struct http_options){.ca_path = ca,
                                 .parallel = 16,
                                 .connect_timeout_ms = 3000,
                                 .answer_timeout_ms = 5000,
                                 .body_max = BODY_MAX};
}

static struct http *open_with(const struct http_options *o)
{
    struct http *h;
    struct err e = {0};
    if (http_open(&h, o, &e) < 0) fail_msg("http_open: %s", e.message);
    return h;
}

static struct http *open_client(void)
{
    struct http_options o = options();
    return open_with(&o);
}

static const char *url_of(int port, const char *path)
{
    static char urls[8][256];
    static unsigned turn;
    char *u = urls[turn++ % 8];
    snprintf(u, sizeof urls[0], "%s://127.0.0.1:%d%s", port == clear ? "http" : "https", port, path);
    return u;
}

static int get(struct http *h, int port, const char *path, struct http_answer *a, struct err *e)
{
    *e = (struct err){0};
    int rc = http_fetch(h, &(struct http_request){.method = "GET", .url = url_of(port, path)}, a, e);
    assert_int_equal(rc, a->rc);
    assert_null(strstr(e->message, TOKEN));
    return rc;
}

static json_t *get_json(struct http *h, int port, const char *path)
{
    struct http_answer a;
    struct err e;
    if (get(h, port, path, &a, &e) < 0) fail_msg("%s: %s", path, e.message);
    json_t *o = json_loadb((const char *)a.body.ptr, a.body.len, 0, NULL);
    assert_non_null(o);
    return o;
}

/* How often the server saw `what` on a port: a path, or "connections". Asked by HTTP without TLS. */
static json_int_t count_of(int port, const char *what)
{
    struct http_options o = options();
    char key[16];
    o.clear_to_loopback = true;
    struct http *h = open_with(&o);
    json_t *all = get_json(h, clear, "/counts");
    snprintf(key, sizeof key, "%d", port);
    json_int_t n = json_integer_value(json_object_get(json_object_get(all, key), what));
    json_decref(all);
    http_close(h);
    return n;
}

static bool is_page(struct bytes body)
{
    json_t *o = json_loadb((const char *)body.ptr, body.len, 0, NULL);
    bool ok = json_array_size(json_object_get(o, "value")) == 300;
    json_decref(o);
    return ok;
}

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
    if (when_monotonic_ms() - began > 2500)
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
        {&h1, "/mute", ERR_TIMEOUT, "no answer within 0."},
        {&h1, "/stall", ERR_TIMEOUT, "not complete after 0."},
        {&h1, "/drip", ERR_TIMEOUT, "not complete after 0."},
        {&h2, "/mute", ERR_TIMEOUT, "no answer within 0."},
        {&h2, "/stall", ERR_TIMEOUT, "not complete after 0."},
        {&mute, "/", ERR_TIMEOUT, "handshake was not done within 0."},
    };
    check_all_bad(list, n_elements(list), 400);
}

static void test_connect_timeout(void **state)
{
    struct http_options o = options();
    o.connect_timeout_ms = 200;
    struct http *h = open_with(&o);
    check_bad(h, &(struct bad){&mute, "/", ERR_TIMEOUT, "handshake was not done within 0.2"});
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
    assert_int_equal(http_fetch(h, &r, &a, &e), ERR_NET);
    assert_string_equal(e.message, "no-such-host.invalid:443: its name does not resolve");
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
    r.method = "DELETE";
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

/* --- many at once --------------------------------------------------------------------------------------- */

struct tally {
    struct http *h;
    int port, n_ok, n_bad, n_short, n_done, to_come;
    const char *path;
};

static void tally_answer(void *ctx, const struct http_answer *a)
{
    struct tally *t = ctx;
    t->n_done++;
    if (a->rc == 0 && a->status == 200 && (is_page(a->body) || a->body.len < 20))
        t->n_ok++;
    else
        t->n_bad++;
    if (a->rc == 0 && a->body.len > 20 && !is_page(a->body)) t->n_short++;
    if (a->rc < 0) assert_true(err_class_retryable(a->rc) || a->rc == ERR_PROTO);
}

static void submit_get(struct http *h, int port, const char *path,
                       void (*done)(void *, const struct http_answer *), void *ctx)
{
    struct err e;
    struct http_request r = {
        .method = "GET", .url = url_of(port, path), .bearer = &token, .done = done, .ctx = ctx};
    if (http_submit(h, &r, &e) < 0) fail_msg("%s", e.message);
}

static void run_all(struct http *h)
{
    struct err e;
    int64_t deadline = when_monotonic_ms() + 20000;
    while (http_pending(h)) {
        if (http_run(h, deadline, &e) < 0) fail_msg("%s", e.message);
        assert_true(when_monotonic_ms() < deadline);
    }
}

static void test_hundred(void **state)
{
    const int ports[] = {h2, h1};
    for (size_t i = 0; i < 2; i++) {
        struct http *h = open_client();
        struct tally t = {0};
        json_int_t before = count_of(ports[i], "connections");
        for (int k = 0; k < 200; k++) submit_get(h, ports[i], k % 2 ? "/gzip" : "/page", tally_answer, &t);
        assert_int_equal(http_pending(h), 200);
        run_all(h);
        assert_int_equal(t.n_ok, 200);
        json_int_t n = count_of(ports[i], "connections") - before;
        assert_true(ports[i] == h2 ? n == 1 : n <= 16);
        http_close(h);
    }
}

/* At most so many under way: 8 of 300 ms take two turns of 4. */
static void test_parallel(void **state)
{
    const int ports[] = {h2, h1};
    for (size_t i = 0; i < 2; i++) {
        struct http_options o = options();
        struct tally t = {0};
        o.parallel = 4;
        struct http *h = open_with(&o);
        int64_t began = when_monotonic_ms();
        for (int k = 0; k < 8; k++) submit_get(h, ports[i], "/slow", tally_answer, &t);
        run_all(h);
        int64_t took = when_monotonic_ms() - began;
        assert_int_equal(t.n_ok, 8);
        if (took < 600 || took > 1500) fail_msg("took %lld ms", (long long)took);
        http_close(h);
    }
}

/* The bad ones among the good ones, on the same connection where it is HTTP/2. */
static void test_bad_among_good(void **state)
{
    static const char *const bad_h1[] = {"/reset",   "/cut-length", "/bomb",  "/huge-header",
                                         "/no-http", "/bad-gzip",   "/stall", "/mute"};
    static const char *const bad_h2[] = {"/cut", "/bomb", "/big", "/refused", "/calm", "/stall", "/short"};
    for (int is_h2 = 0; is_h2 < 2; is_h2++) {
        struct http_options o = options();
        struct tally good = {0}, bad = {0};
        size_t n = is_h2 ? n_elements(bad_h2) : n_elements(bad_h1);
        o.answer_timeout_ms = 1500;
        struct http *h = open_with(&o);
        for (size_t k = 0; k < 4 * n; k++) {
            submit_get(h, is_h2 ? h2 : h1, k % 2 ? "/slow" : "/page", tally_answer, &good);
            if (k < n) submit_get(h, is_h2 ? h2 : h1, is_h2 ? bad_h2[k] : bad_h1[k], tally_answer, &bad);
        }
        run_all(h);
        if (good.n_ok != (int)(4 * n)) fail_msg("HTTP/%d: %d of %zu good ones", 1 + is_h2, good.n_ok, 4 * n);
        assert_int_equal(bad.n_bad, n);
        http_close(h);
    }
}

/* The one connection of all dies in the midst: whole answers or none, and the pool goes on. */
static void test_connection_lost(void **state)
{
    static const char *const killers[] = {"/gone", "/goaway", "/last"};
    for (size_t i = 0; i < n_elements(killers); i++) {
        struct http_options o = options();
        struct tally t = {0}, killer = {0}, after = {0};
        o.answer_timeout_ms = 3000;
        struct http *h = open_with(&o);
        for (int k = 0; k < 60; k++) {
            submit_get(h, h2, k % 3 ? "/slow-page" : "/page", tally_answer, &t);
            if (k == 20) submit_get(h, h2, killers[i], tally_answer, &killer);
        }
        run_all(h);
        assert_int_equal(t.n_ok + t.n_bad, 60);
        assert_int_equal(t.n_short, 0);
        assert_int_equal(killer.n_done, 1);
        for (int k = 0; k < 30; k++) submit_get(h, h2, "/page", tally_answer, &after);
        run_all(h);
        assert_int_equal(after.n_ok, 30);
        http_close(h);
    }
}

static void chain_answer(void *ctx, const struct http_answer *a)
{
    struct tally *t = ctx;
    tally_answer(ctx, a);
    if (t->to_come-- > 0) submit_get(t->h, t->port, t->path, chain_answer, t);
    assert_int_equal(a->status, 200); /* the answer is still there */
    assert_true(a->body.len > 0 && http_header(a, "Content-Length").len > 0);
}

static void test_submit_from_callback(void **state)
{
    const int ports[] = {h2, h1};
    for (size_t i = 0; i < 2; i++) {
        struct http_options o = options();
        o.parallel = 2;
        struct http *h = open_with(&o);
        struct tally t = {.h = h, .port = ports[i], .path = "/page", .to_come = 100};
        for (int k = 0; k < 4; k++) submit_get(h, ports[i], "/page", chain_answer, &t);
        run_all(h);
        assert_int_equal(t.n_ok, 104);
        http_close(h);
    }
}

static void run_again(void *ctx, const struct http_answer *a)
{
    struct tally *t = ctx;
    struct http_answer other_answer;
    struct err e;
    t->n_done++;
    assert_int_equal(http_run(t->h, 0, &e), ERR_BUG);
    assert_int_equal(http_fetch(t->h, &(struct http_request){.method = "GET", .url = url_of(h1, "/small")},
                                &other_answer, &e),
                     ERR_BUG);
}

static void test_no_run_in_run(void **state)
{
    struct tally t = {.h = open_client()};
    submit_get(t.h, h1, "/small", run_again, &t);
    run_all(t.h);
    assert_int_equal(t.n_done, 1);
    http_close(t.h);
}

/* A fetch among submitted ones moves those too, and its answer stays until the next call. */
static void test_fetch_among_others(void **state)
{
    struct http_options o = options();
    struct tally t = {0};
    struct http_answer a;
    struct err e;
    o.parallel = 1;
    struct http *h = open_with(&o);
    for (int k = 0; k < 3; k++) submit_get(h, h2, "/page", tally_answer, &t);
    assert_int_equal(get(h, h2, "/gzip", &a, &e), 0);
    assert_int_equal(t.n_ok, 3);
    assert_true(is_page(a.body));
    assert_true(str_equal(http_header(&a, "Content-Encoding"), STR("gzip")));
    submit_get(h, h2, "/page", tally_answer, &t);
    run_all(h);
    assert_int_equal(t.n_ok, 4);
    http_close(h);
}

static void test_run_ends_in_time(void **state)
{
    struct tally t = {0};
    struct err e;
    struct http *h = open_client();
    int64_t began = when_monotonic_ms();
    assert_int_equal(http_run(h, began + 5000, &e), 0); /* nothing pending */
    assert_true(when_monotonic_ms() - began < 1000);
    submit_get(h, h1, "/mute", tally_answer, &t);
    began = when_monotonic_ms();
    assert_int_equal(http_run(h, began + 200, &e), 0);
    int64_t took = when_monotonic_ms() - began;
    assert_true(took >= 190 && took < 1000);
    assert_int_equal(t.n_done, 0);
    assert_int_equal(http_pending(h), 1);
    http_close(h); /* with one pending: no call */
    assert_int_equal(t.n_done, 0);
}

static void test_close_with_many_pending(void **state)
{
    static const char *const paths[] = {"/mute", "/drip", "/stall", "/page", "/big"};
    for (int rounds = 0; rounds < 4; rounds++) {
        struct tally t = {0};
        struct err e;
        struct http *h = open_client();
        for (int k = 0; k < 60; k++) submit_get(h, k % 3 ? h2 : h1, paths[k % 5], tally_answer, &t);
        assert_int_equal(http_run(h, when_monotonic_ms() + rounds * 10, &e), 0);
        int done = t.n_done;
        assert_int_equal(http_pending(h), 60 - done);
        http_close(h);
        assert_int_equal(t.n_done, done);
    }
}

/* A peer that closes idle connections: the next request takes another, and nobody notices. */
static void test_idle_connection_closed(void **state)
{
    struct http *h = open_client();
    struct http_answer a;
    struct err e;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(get(h, h1, "/idle-close", &a, &e), 0);
        poll(NULL, 0, i % 2 ? 60 : 15);
    }
    for (int i = 0; i < 4; i++) assert_int_equal(get(h, h2, "/last", &a, &e), 0); /* GOAWAY after each */
    http_close(h);
}

/* A connection that swallows requests is not asked again. */
static void test_silent_connection_is_left(void **state)
{
    struct http_options o = options();
    struct http_answer a;
    struct err e;
    o.answer_timeout_ms = 300;
    struct http *h = open_with(&o);
    json_int_t before = count_of(h2, "connections");
    assert_int_equal(get(h, h2, "/small", &a, &e), 0);
    assert_int_equal(get(h, h2, "/mute", &a, &e), ERR_TIMEOUT);
    assert_int_equal(get(h, h2, "/small", &a, &e), 0);
    assert_int_equal(get(h, h2, "/small", &a, &e), 0);
    assert_int_equal(count_of(h2, "connections") - before, 2);
    http_close(h);
}

/* --- how much work: NAME REQUESTS of the environment -----------------------------------------------------
 */

static void test_cost(void **state)
{
    const char *n = getenv("HTTP_TEST_COST");
    if (!n) skip();
    const int ports[] = {h2, h1};
    for (size_t i = 0; i < 4; i++) {
        struct http *h = open_client();
        struct tally t = {
            .h = h, .port = ports[i % 2], .path = i < 2 ? "/small" : "/gzip", .to_come = atoi(n)};
        struct timespec before, after;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        int64_t began = when_monotonic_ms();
        for (int k = 0; k < 16; k++) submit_get(h, t.port, t.path, chain_answer, &t);
        int64_t until = when_monotonic_ms() + 100000;
        struct err e;
        while (http_pending(h)) assert_int_equal(http_run(h, until, &e), 0);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        double us =
            (double)(after.tv_sec - before.tv_sec) * 1e6 + (double)(after.tv_nsec - before.tv_nsec) / 1e3;
        print_message("HTTP/%d %s: %d requests, %.1f us CPU and %.1f us wall each\n", i % 2 ? 1 : 2, t.path,
                      t.n_done, us / t.n_done, (double)(when_monotonic_ms() - began) * 1e3 / t.n_done);
        assert_int_equal(t.n_ok, t.n_done);
        http_close(h);
    }
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
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_hundred),
        cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_bad_among_good),
        cmocka_unit_test(test_connection_lost),
        cmocka_unit_test(test_submit_from_callback),
        cmocka_unit_test(test_no_run_in_run),
        cmocka_unit_test(test_fetch_among_others),
        cmocka_unit_test(test_run_ends_in_time),
        cmocka_unit_test(test_close_with_many_pending),
        cmocka_unit_test(test_idle_connection_closed),
        cmocka_unit_test(test_silent_connection_is_left),
        cmocka_unit_test(test_cost),
    };
    if (argc > 1) server_js = argv[1];
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
