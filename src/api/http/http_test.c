/* The HTTP server itself, over real sockets, with routes of its own and a pretended state: what is refused before a handler, what a handler sees, how it answers. */
#include "api/http/http_int.h"
#include "base/when.h"
#include "server/state/audit.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the pretended state ------------------------------------------------------------------------------------- */

const char *role_name(enum role r)
{
    static const char *const names[] = {"none", "viewer", "analyst", "operator", "admin"};
    return names[r];
}

int accounts_session(struct state *s, const char *session, const char *from, struct actor *out, struct err *e)
{
    if (strcmp(session, "viewer") != 0 && strcmp(session, "operator") != 0) return err_set(e, ERR_AUTH, "the session has ended");
    *out = (struct actor){.role = strcmp(session, "viewer") == 0 ? ROLE_VIEWER : ROLE_OPERATOR, .csrf = "c-s-r-f"};
    snprintf(out->name, sizeof out->name, "%s", session);
    return 0;
}

int accounts_token(struct state *s, const char *token, const char *from, struct actor *out, struct err *e)
{
    if (strcmp(token, "rc_good") != 0) return err_set(e, ERR_AUTH, "the token is not known");
    *out = (struct actor){.name = "token:ci", .role = ROLE_OPERATOR, .is_token = true};
    return 0;
}

int audit_add(struct state *s, const struct actor *who, const char *action, const char *object, const json_t *before, const json_t *after, const char *result,
              struct err *e)
{
    return 0;
}

static void (*wake_events)(void *ctx, int64_t job, const json_t *ended);
static void *wake_ctx;
static atomic_ulong n_events;
static atomic_bool events_over;

void jobs_watch(struct jobs *j, void (*called)(void *ctx, int64_t job, const json_t *ended), void *ctx)
{
    wake_events = called;
    wake_ctx = ctx;
}

void jobs_unwatch(struct jobs *j, const void *ctx)
{
}

int jobs_events(struct jobs *j, int64_t id, uint64_t after, struct buf *out, uint64_t *last, bool *over, struct err *e)
{
    uint64_t n = atomic_load(&n_events);
    for (*last = after; *last < n && out->len < 4000; ++*last) buf_printf(out, "{\"id\":%llu,\"event\":\"log\",\"data\":{\"n\":%llu}}\n", (unsigned long long)*last + 1, (unsigned long long)*last + 1);
    *over = atomic_load(&events_over) && *last == n;
    return 0;
}

/* --- routes to ask ---------------------------------------------------------------------------------------------- */

static int tell_name(struct request *q, struct err *e)
{
    return reply_json(q, 200, json_pack("{s:s, s:s, s:s?}", "who", q->actor.name, "x", q->captured[0], "q", request_query(q, "q")));
}

static int tell_body(struct request *q, struct err *e)
{
    const char *name;
    try(request_text(q, "name", &name, e));
    return reply_json(q, 201, json_pack("{s:s}", "name", name));
}

static int tell_error(struct request *q, struct err *e)
{
    e->retry_at_ms = 0;
    err_set(e, ERR_CONFLICT, "somebody \"else\" changed it\x1b");
    reply_fields(q, json_pack("[{s:s}]", "key", "host"));
    return err_hint(e, "load it again");
}

static int tell_much(struct request *q, struct err *e)
{
    static char text[100000];
    memset(text, 'a', sizeof text);
    return reply_bytes(q, 200, "text/plain", (struct bytes){(const uint8_t *)text, sizeof text});
}

static atomic_uint n_waiting; /* that ever came so far */

static int wait_long(struct request *q, struct err *e)
{
    atomic_fetch_add(&n_waiting, 1);
    usleep(300000);
    return reply_none(q, 204);
}

static int next_piece(void *ctx, struct buf *out, struct err *e)
{
    int *left = ctx;
    if (*left < 0) return err_set(e, ERR_BUG, "cut");
    for (int i = 0; i < 1000; i++) buf_add_str(out, STR("0123456789\n"));
    return --*left > 0;
}

static int tell_stream(struct request *q, struct err *e)
{
    int *left = x_alloc(sizeof *left);
    *left = request_query(q, "cut") ? -1 : 30;
    return reply_stream(q, "text/csv", "a \"b\"\r\n.csv", next_piece, free, left);
}

static int tell_events(struct request *q, struct err *e)
{
    return reply_job_events(q, 1);
}

#define NAMED "{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":20}}}"
static const struct route rows[] = {
    {"GET", "/t/open", RIGHT_OPEN, tell_name, "x", "q", NULL, 0, 0},
    {"GET", "/t/view/{x}", RIGHT_VIEW, tell_name, "x", "q page", NULL, 0, 0},
    {"GET", "/t/view/fail", RIGHT_VIEW, tell_error, "x", NULL, NULL, 0, 0},
    {"POST", "/t/change", RIGHT_OPERATE, tell_body, "Change", NULL, NAMED, 200, 0},
    {"GET", "/t/much", RIGHT_OPEN, tell_much, "x", NULL, NULL, 0, 0},
    {"GET", "/t/wait", RIGHT_OPEN, wait_long, "x", NULL, NULL, 0, LANE_ASK},
    {"GET", "/t/stream", RIGHT_OPEN, tell_stream, "x", "cut", NULL, 0, 0},
    {"GET", "/t/events", RIGHT_OPEN, tell_events, "x", NULL, NULL, 0, 0},
    {0},
};
const struct route *const route_tables[] = {rows, NULL};

/* --- a client ------------------------------------------------------------------------------------------------------ */

static struct app app = {.store_url = "sqlite:/nonexistent/store.db", .public_url = "http://rollcall.example:8080", .jobs = (struct jobs *)&app};
static struct http_server *server;

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(http_server_port(server)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static char answer[600000];

static unsigned read_all(int fd)
{
    size_t n = 0;
    ssize_t got;
    while (n + 1 < sizeof answer && (got = read(fd, answer + n, sizeof answer - 1 - n)) > 0) n += (size_t)got;
    answer[n] = 0;
    close(fd);
    return n > 12 ? (unsigned)strtoul(answer + 9, NULL, 10) : 0;
}

/* lines: "GET /path", then further headers, "\r\n" between; an empty line and a body may follow. Answer in `answer`, its status returned. */
static unsigned ask(const char *first, const char *headers, const char *body)
{
    char request[4096];
    int n = snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n%s", first, headers, body);
    int fd = dial();
    assert_int_equal(write(fd, request, (size_t)n), n);
    return read_all(fd);
}

#define VIEWER   "Cookie: a=b; __Host-rollcall=viewer\r\n"
#define OPERATOR "Cookie: __Host-rollcall=operator\r\n"
#define CSRF     "X-Rollcall-CSRF: c-s-r-f\r\n"
#define OURS     "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n"
#define JSON     "Content-Type: application/json; charset=utf-8\r\n"
#define LEN(n)   "Content-Length: " #n "\r\n"

static void who_is_let_in(void **state)
{
    assert_int_equal(ask("GET /t/open", "", ""), 200);
    assert_non_null(strstr(answer, "Content-Security-Policy: default-src 'self'"));
    assert_non_null(strstr(answer, "Cache-Control: no-store"));
    assert_int_equal(ask("GET /t/view/a", "", ""), 401);
    assert_non_null(strstr(answer, "{\"error\":{\"class\":\"AUTH\""));
    assert_int_equal(ask("GET /t/view/a", "Cookie: __Host-rollcall=old\r\n", ""), 401);
    assert_int_equal(ask("GET /t/view/a", "Cookie: __Host-rollcall=viewer; __Host-rollcall=operator\r\n", ""), 401);
    assert_int_equal(ask("GET /t/view/a", VIEWER, ""), 200);
    assert_int_equal(ask("GET /t/view/a", "Authorization: Bearer rc_good\r\n", ""), 200);
    assert_int_equal(ask("GET /t/view/a", "Authorization: Bearer rc_bad\r\n" VIEWER, ""), 401);
    assert_int_equal(ask("GET /t/view/a", "Authorization: Basic eA==\r\n" VIEWER, ""), 401);
    assert_int_equal(ask("POST /t/change", VIEWER CSRF OURS JSON LEN(12), "{\"name\":\"x\"}"), 403);
    assert_non_null(strstr(answer, "needs the role operator"));
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS JSON LEN(12), "{\"name\":\"x\"}"), 201);
    assert_int_equal(ask("POST /t/change", "Authorization: Bearer rc_good\r\n" JSON LEN(12), "{\"name\":\"x\"}"), 201);
}

static void other_sites_are_refused(void **state)
{
    static const char *const foreign[] = {
        OPERATOR OURS JSON, OPERATOR "X-Rollcall-CSRF: other\r\n" OURS JSON, OPERATOR CSRF JSON, OPERATOR CSRF JSON "Origin: null\r\n",
        OPERATOR CSRF JSON "Origin: https://evil.example\r\n", OPERATOR CSRF JSON "Origin: http://localhost:81\r\n", OPERATOR CSRF JSON "Origin: https://localhost\r\n",
        OPERATOR CSRF JSON "Sec-Fetch-Site: cross-site\r\n", OPERATOR CSRF JSON "Sec-Fetch-Site: same-site\r\n", OPERATOR CSRF OURS JSON "Origin: http://localhost\r\n",
    };
    for (size_t i = 0; i < n_elements(foreign); i++) {
        char headers[500];
        snprintf(headers, sizeof headers, "%s" LEN(12), foreign[i]);
        unsigned status = ask("POST /t/change", headers, "{\"name\":\"x\"}");
        if (status != 403 && status != 400) fail_msg("%zu: %s", i, answer);
    }
    assert_int_equal(ask("GET /t/view/a", VIEWER "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", ""), 403);
    assert_int_equal(ask("GET /t/view/a", VIEWER "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", ""), 200);
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS "Content-Type: text/plain\r\n" LEN(12), "{\"name\":\"x\"}"), 415);
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS LEN(12), "{\"name\":\"x\"}"), 415);
}

static unsigned ask_host(const char *host)
{
    char request[300];
    int n = snprintf(request, sizeof request, "GET /t/open HTTP/1.1\r\n%sConnection: close\r\n\r\n", host);
    int fd = dial();
    assert_int_equal(write(fd, request, (size_t)n), n);
    return read_all(fd);
}

static void only_our_name(void **state)
{
    assert_int_equal(ask_host("Host: rollcall.example:8080\r\n"), 200);
    assert_int_equal(ask_host("Host: ROLLCALL.example\r\n"), 200);
    assert_int_equal(ask_host("Host: 127.0.0.1:1\r\n"), 200);
    assert_int_equal(ask_host("Host: [::1]:8080\r\n"), 200);
    assert_int_equal(ask_host("Host: evil.example\r\n"), 421);
    assert_int_equal(ask_host("Host: localhost.evil.example\r\n"), 421);
    assert_int_equal(ask_host("Host: 127.0.0.1.nip.io\r\n"), 421);
    assert_int_equal(ask_host("Host: localhost\r\nHost: evil.example\r\n"), 400);
    assert_int_equal(ask_host(""), 400);
}

static void paths_and_queries(void **state)
{
    assert_int_equal(ask("GET /t/view/a%2Fb%20%C3%A9?q=1+2%263", VIEWER, ""), 200);
    assert_non_null(strstr(answer, "\"x\":\"a/b é\",\"q\":\"1 2&3\""));
    static const char *const bad[] = {"GET /t/view/a%00", "GET /t/view/%ff", "GET /t/view/%4", "GET /t/view/%zz", "GET /t/view/%0a", "GET /t/open?nope=1", "GET /t/open?q=1&q=2",
                                      "GET /t/open?q=%ff", "GET /t/open?%00=1", "GET /t/open?q=%0d%0aSet-Cookie:x"};
    for (size_t i = 0; i < n_elements(bad); i++)
        if (ask(bad[i], VIEWER, "") != 400) fail_msg("%s: %s", bad[i], answer);
    assert_int_equal(ask("GET /t/view/fail", VIEWER, ""), 409); /* the literal before the capture */
    assert_non_null(strstr(answer, "\"fields\":[{\"key\":\"host\"}]"));
    assert_int_equal(ask("GET /api", "", ""), 404);
    assert_int_equal(ask("GET /api/nothing", VIEWER, ""), 404);
    assert_int_equal(ask("PUT /t/open", "", ""), 405);
    assert_non_null(strstr(answer, "Allow: GET"));
    assert_int_equal(ask("BREW /", "", ""), 405);
    assert_int_equal(ask("HEAD /t/open", "", ""), 200);
    assert_null(strstr(answer, "\"who\""));
    assert_int_equal(ask("GET /", "", ""), 200);
    assert_int_equal(ask("GET /../../etc/passwd", "", ""), 404);
    assert_int_equal(ask("GET /%2e%2e/passwd.txt", "", ""), 404);
}

static void bodies(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
    } table[] = {
        {"{\"name\":\"x\",\"name\":\"y\"}", 400}, {"{\"nmae\":\"x\"}", 400}, {"{\"name\":1}", 400}, {"{\"name\":\"x\",\"more\":1}", 400}, {"[]", 400}, {"{", 400}, {"{\"name\":\"x\"}}", 400},
        {"{\"name\":\"aaaaaaaaaaaaaaaaaaaaa\"}", 400}, {"{\"name\":\"a\\u0000b\"}", 400}, {"{\"name\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}", 400}, {"{\"name\":\"\\ud800\"}", 400}, {"{\"name\":\"ok\"}", 201},
    };
    char headers[300];
    for (size_t i = 0; i < n_elements(table); i++) {
        snprintf(headers, sizeof headers, OPERATOR CSRF OURS JSON "Content-Length: %zu\r\n", strlen(table[i].body));
        unsigned status = ask("POST /t/change", headers, table[i].body);
        if (status != table[i].status) fail_msg("%s: %s", table[i].body, answer);
    }
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS JSON, ""), 411);
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS JSON LEN(201), ""), 413);
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS JSON LEN(12) "Transfer-Encoding: chunked\r\n", "{\"name\":\"x\"}"), 400);
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS JSON LEN(12) LEN(12), "{\"name\":\"x\"}"), 400);
    assert_int_equal(ask("POST /t/change", OPERATOR CSRF OURS JSON "Transfer-Encoding: chunked\r\n", "c\r\n{\"name\":\"x\"}\r\n0\r\n\r\n"), 201);
    assert_int_equal(ask("GET /t/open", LEN(3), "abc"), 400);
}

static void many_bytes(void **state)
{
    assert_int_equal(ask("GET /t/much", "", ""), 200);
    assert_non_null(strstr(answer, "Content-Length: 100000"));
    char *tag = strstr(answer, "ETag: ");
    assert_non_null(tag);
    char headers[200];
    snprintf(headers, sizeof headers, "If-None-Match: \"x\", %.36s\r\n", tag + 6);
    assert_int_equal(ask("GET /t/much", headers, ""), 304);
    assert_int_equal(ask("GET /t/much", "Accept-Encoding: gzip, br\r\n", ""), 200);
    assert_non_null(strstr(answer, "Content-Encoding: gzip"));
    assert_null(strstr(answer, "Content-Length: 100000"));
    assert_int_equal(ask("GET /t/stream", "", ""), 200);
    assert_non_null(strstr(answer, "filename=\"a__b___.csv\""));
    assert_non_null(strstr(answer, "\r\n0\r\n\r\n"));
    assert_true(strlen(answer) > 330000);
    assert_int_equal(ask("GET /t/stream?cut=1", "", ""), 200);
    assert_null(strstr(answer, "\r\n0\r\n\r\n")); /* the chunked body has no end */
}

static void live_events(void **state)
{
    atomic_store(&n_events, 3);
    atomic_store(&events_over, false);
    int fd = dial();
    const char *request = "GET /t/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1\r\nConnection: close\r\n\r\n";
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    usleep(200000);
    atomic_store(&n_events, 500);
    wake_events(wake_ctx, 1, NULL);
    usleep(200000);
    atomic_store(&events_over, true);
    wake_events(wake_ctx, 1, NULL);
    assert_int_equal(read_all(fd), 200);
    assert_null(strstr(answer, "id: 1\n"));
    assert_non_null(strstr(answer, "id: 2\nevent: log\ndata: {\"n\":2}\n\n"));
    assert_non_null(strstr(answer, "id: 500\n"));
    assert_non_null(strstr(answer, "\r\n0\r\n\r\n"));
}

/* Many that wait for one thing do not keep others from being served. */
static void slow_ones_leave_room(void **state)
{
    int slow[40];
    const char *request = "GET /t/wait HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (size_t i = 0; i < n_elements(slow); i++) {
        slow[i] = dial();
        assert_int_equal(write(slow[i], request, strlen(request)), (ssize_t)strlen(request));
    }
    int64_t began = when_monotonic_ms();
    assert_int_equal(ask("GET /t/open", "", ""), 200);
    assert_true(when_monotonic_ms() - began < 5000); /* the 40 take 6 s in their two lanes */
    for (size_t i = 0; i < n_elements(slow); i++) assert_int_equal(read_all(slow[i]), 204);
}

/* More than may be open at once, all of them silent: a new one is served all the same. */
static void silent_ones_go(void **state)
{
    static int idle[1500];
    for (size_t i = 0; i < n_elements(idle); i++) {
        idle[i] = dial();
        if (write(idle[i], "GET / HTT", 9) < 0) continue;
    }
    int64_t began = when_monotonic_ms();
    for (int i = 0; i < 20; i++) assert_int_equal(ask("GET /t/open", "", ""), 200);
    assert_true(when_monotonic_ms() - began < 15000); /* a silent one is given up after 20 s */
    for (size_t i = 0; i < n_elements(idle); i++) close(idle[i]);
}

static int start(void **state)
{
    struct err e;
    struct http_server_options o = {.app = &app, .address = "127.0.0.1", .threads = 4};
    if (http_server_start(&server, &o, &e) == 0) return 0;
    fprintf(stderr, "%s\n", e.message);
    return -1;
}

static int stop(void **state)
{
    http_server_stop(server);
    return 0;
}

/* Streams are ended and waiting requests answered, in bounded time. */
static void stops_in_the_middle(void **state)
{
    atomic_store(&events_over, false);
    int waiting = dial(), live = dial();
    const char *one = "GET /t/wait HTTP/1.1\r\nHost: localhost\r\n\r\n", *two = "GET /t/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    unsigned before = atomic_load(&n_waiting);
    char c;
    assert_int_equal(write(waiting, one, strlen(one)), (ssize_t)strlen(one));
    assert_int_equal(write(live, two, strlen(two)), (ssize_t)strlen(two));
    for (int i = 0; i < 4000 && atomic_load(&n_waiting) == before; i++) usleep(5000);
    assert_int_equal(recv(live, &c, 1, MSG_PEEK), 1);
    int64_t began = when_monotonic_ms();
    stop(NULL);
    assert_true(when_monotonic_ms() - began < 10000);
    assert_int_equal(read_all(waiting), 204);
    assert_int_equal(read_all(live), 200);
    assert_non_null(strstr(answer, "\r\n0\r\n\r\n"));
    assert_int_equal(start(NULL), 0);
}

static void clear_text_stays_at_home(void **state)
{
    struct err e;
    struct http_server *s;
    struct http_server_options o = {.app = &app, .address = "0.0.0.0"};
    assert_int_equal(http_server_start(&s, &o, &e), ERR_INPUT);
    o = (struct http_server_options){.app = &app, .address = "127.0.0.1", .port = http_server_port(server)};
    assert_int_equal(http_server_start(&s, &o, &e), ERR_CONFLICT);
    o = (struct http_server_options){.app = &app, .address = "example.com"};
    assert_int_equal(http_server_start(&s, &o, &e), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_let_in), cmocka_unit_test(other_sites_are_refused), cmocka_unit_test(only_our_name), cmocka_unit_test(paths_and_queries),
        cmocka_unit_test(bodies), cmocka_unit_test(many_bytes), cmocka_unit_test(live_events), cmocka_unit_test(slow_ones_leave_room),
        cmocka_unit_test(silent_ones_go), cmocka_unit_test(stops_in_the_middle), cmocka_unit_test(clear_text_stays_at_home),
    };
    return cmocka_run_group_tests_name("http", tests, start, stop);
}
