/* Against tests/fake/receiver.py, which this test starts itself (argument 1: its path) and ends by its pid.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "base/log.h"
#include "base/when.h"
#include "sink/http_fixture.h"

/* --- what is sent -------------------------------------------------------------------------------------- */

static void test_sends(void **state)
{
    struct err e;
    struct sink_http_config c = config("ok");
    size_t before = n_taken("event-1");
    if (post(&c, &e) < 0) fail_msg("%s", e.message);
    json_t *all = lines_where("requests", "url", path), *r = json_array_get(all, 0);
    struct sha256 sum;
    char expected[65];
    sha256_init(&sum);
    sha256_add(&sum, bytes_of(STR(BODY)));
    sha256_hex(&sum, expected);
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(json_string_value(json_object_get(r, "method")), "POST");
    assert_string_equal(json_string_value(json_object_get(r, "sha256")), expected);
    assert_string_equal(sent_header(r, "authorization"), "Bearer " TOKEN);
    assert_string_equal(sent_header(r, "content-type"), "application/json");
    assert_string_equal(sent_header(r, "user-agent"), "rollcall/" ROLLCALL_VERSION);
    assert_null(sent_header(r, "expect"));
    assert_null(sent_header(r, "accept-encoding"));
    assert_null(sent_header(r, "cookie"));
    assert_int_equal(n_taken("event-1"), before + 1);
    json_decref(all);
}

static void test_sends_without_token(void **state)
{
    struct err e;
    struct sink_http_config c = config("ok:202");
    struct secret none = {0};
    c.token = &none;
    c.content_type = STR("application/x-ndjson");
    assert_int_equal(post(&c, &e), 0);
    c.token = NULL;
    assert_int_equal(post(&c, &e), 0);
    json_t *all = lines_where("requests", "url", path);
    assert_int_equal(json_array_size(all), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_null(sent_header(json_array_get(all, i), "authorization"));
        assert_string_equal(sent_header(json_array_get(all, i), "content-type"), "application/x-ndjson");
    }
    json_decref(all);
}

/* One connection carries many posts, large ones too, and empty ones. */
static void test_many_posts(void **state)
{
    struct err e;
    struct sink_http *h;
    struct sink_http_config c = config("ok");
    assert_int_equal(sink_http_open(&h, &c, &e), 0);
    struct buf big = buf_new(8 << 20);
    buf_add_str(&big, STR("{\"items\":["));
    for (int i = 0; i < 40000; i++)
        buf_printf(&big, "%s{\"id\":\"big-%d\",\"x\":\"%0100d\"}", i ? "," : "", i, i);
    buf_add_str(&big, STR("]}"));
    for (int i = 0; i < 30; i++) assert_int_equal(sink_http_post(h, bytes_of(STR(BODY)), &e), 0);
    assert_int_equal(sink_http_post(h, buf_bytes(&big), &e), 0);
    assert_int_equal(sink_http_post(h, (struct bytes){NULL, 0}, &e), 0);
    sink_http_close(h);
    assert_int_equal(n_requests(), 32);
    assert_int_equal(n_taken("big-39999"), 1);
    buf_free(&big);
}

/* --- what is answered ---------------------------------------------------------------------------------- */

static const struct {
    const char *steps;
    int class;
    size_t requests;
    const char *message; /* part of it */
} answers[] = {
    {"ok:201", 0, 1, NULL},
    {"ok:204", 0, 1, NULL},
    /* again and again */
    {"503,500,502,ok", 0, 4, NULL},
    {"408,425,429,ok", 0, 4, NULL},
    {"504,501,599,ok:202", 0, 4, NULL},
    {"drop,drop,ok", 0, 3, NULL},
    {"cut,ok", 0, 2, NULL},
    {"cut:503,ok", 0, 2, NULL},
    {"die,ok", 0, 2, NULL},
    {"refuse,ok", 0, 2, NULL},
    {"429:retry-after=0,ok", 0, 2, NULL},
    {"429:retry-after=soon,ok", 0, 2, NULL},
    {"503:retry-date=-100,ok", 0, 2, NULL},
    /* final */
    {"400", ERR_INPUT, 1, "HTTP 400: {\"error\": \"step 400\"}"},
    {"401", ERR_DENIED, 1, "HTTP 401"},
    {"403", ERR_DENIED, 1, "HTTP 403"},
    {"404", ERR_INPUT, 1, "/intake: HTTP 404"},
    {"410", ERR_INPUT, 1, "HTTP 410"},
    {"413", ERR_INPUT, 1, "HTTP 413"},
    {"503,401", ERR_DENIED, 2, "HTTP 401"},
    {"cut:400", ERR_INPUT, 1, "HTTP 400: {\"status\""},
    {"400:body=bad_request_here", ERR_INPUT, 1, "HTTP 400: bad request here"},
    /* the other end is not what it should be */
    {"garbage", ERR_PROTO, 1, ""},
    {"header:200000", ERR_PROTO, 1, "more than 64 KiB of header"},
    {"big:20000000", 0, 1, NULL},
    {"400:body=", ERR_INPUT, 1, "HTTP 400"},
};

static void test_answers(void **state)
{
    for (size_t i = 0; i < n_elements(answers); i++) {
        struct err e;
        struct sink_http_config c = config(answers[i].steps);
        int64_t began = now_ms();
        int rc = post(&c, &e);
        if (rc != answers[i].class || n_requests() != answers[i].requests)
            fail_msg("%s: %s in %zu requests: %s", answers[i].steps, err_class_name(rc), n_requests(),
                     e.message);
        if (answers[i].message && !strstr(e.message, answers[i].message))
            fail_msg("%s: %s", answers[i].steps, e.message);
        if (rc < 0)
            assert_int_equal(e.domain, strncmp(e.message, "POST http", 9) == 0 && strstr(e.message, "HTTP ")
                                           ? DOM_HTTP
                                           : DOM_NONE);
        assert_true(now_ms() - began < 15000); /* of 20 s: none was tried until the end */
    }
}

static void test_hints(void **state)
{
    struct err e;
    struct sink_http_config c = config("413");
    assert_int_equal(post(&c, &e), ERR_INPUT);
    assert_int_equal(e.code, 413);
    assert_non_null(strstr(e.hint, "batch"));
    c = config("401");
    assert_int_equal(post(&c, &e), ERR_DENIED);
    assert_non_null(strstr(e.hint, "token"));
}

static void test_redirects_are_not_followed(void **state)
{
    static const char *const statuses[] = {"301", "302", "303", "307", "308"};
    for (size_t i = 0; i < n_elements(statuses); i++) {
        struct err e;
        char steps[64];
        snprintf(steps, sizeof steps, "%s:location=@/elsewhere-%zu", statuses[i], i);
        struct sink_http_config c = config(steps);
        assert_int_equal(post(&c, &e), ERR_INPUT);
        assert_int_equal(n_requests(), 1);
        assert_non_null(strstr(e.message, "/elsewhere-"));
        assert_non_null(strstr(e.hint, "redirects"));
        json_t *followed = lines_where("requests", "url", strstr(strstr(steps, "@"), "/"));
        assert_int_equal(json_array_size(followed), 0);
        json_decref(followed);
    }
}

/* A receiver that gives the token back, or tries to write on the operator's terminal. */
static void test_what_is_shown_of_an_answer(void **state)
{
    struct err e;
    struct sink_http_config c = config("401:echo");
    assert_int_equal(post(&c, &e), ERR_DENIED);
    assert_non_null(strstr(e.message, "you sent Bearer [token]"));
    c = config("400:control");
    assert_int_equal(post(&c, &e), ERR_INPUT);
    for (const char *p = e.message; *p; p++)
        assert_true((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
    assert_non_null(strstr(e.message, "bad\\x1b[31m request\\x00 fake: line"));
    char steps[400];
    snprintf(steps, sizeof steps, "400:body=%0300d", 1);
    c = config(steps);
    assert_int_equal(post(&c, &e), ERR_INPUT);
    assert_true(strlen(e.message) < 300);
    assert_non_null(strstr(e.message, "000..."));
}

/* --- waiting ------------------------------------------------------------------------------------------- */

static const struct {
    const char *steps;
    int64_t least_ms;
} waits[] = {
    {"429:retry-after=1,ok", 1000},
    {"503:retry-after=0.3,ok", 300},
    {"429:retry-after=_1_,ok", 1000},
    {"429:retry-date=2,ok", 900}, /* a date has whole seconds */
    {"429:retry-date=2:form=rfc850,ok", 900},
    {"429:retry-date=2:form=asctime,ok", 900},
    {"429,ok", 8},
    {"429:retry-after=-5,ok", 8},
    {"429:retry-after=1e9,ok", 8},
};

static void test_retry_after_is_obeyed(void **state)
{
    for (size_t i = 0; i < n_elements(waits); i++) {
        struct err e;
        struct sink_http_config c = config(waits[i].steps);
        int64_t began = now_ms();
        assert_int_equal(post(&c, &e), 0);
        int64_t took = now_ms() - began;
        if (took < waits[i].least_ms || n_requests() != 2)
            fail_msg("%s took %lld ms", waits[i].steps, (long long)took);
    }
}

static void test_asked_to_wait_too_long(void **state)
{
    static const char *const steps[] = {"429:retry-after=3600", "503:retry-date=3600",
                                        "503:retry-after=3600"};
    for (size_t i = 0; i < n_elements(steps); i++) {
        struct err e;
        struct sink_http_config c = config(steps[i]);
        int64_t began = now_ms();
        assert_int_equal(post(&c, &e), ERR_LIMIT);
        assert_true(now_ms() - began < 10000);
        assert_int_equal(n_requests(), 1);
        int64_t ahead = e.retry_at_ms - when_now_ms();
        assert_true(ahead > 3590 * 1000 && ahead < 3620 * 1000);
        assert_non_null(strstr(e.message, "HTTP "));
    }
}

/* It doubles, and it ends on time. */
static void test_gives_up(void **state)
{
    struct err e;
    struct sink_http_config c = config("503");
    c.give_up_after_ms = 1500;
    c.first_wait_ms = 40;
    int64_t began = now_ms();
    assert_int_equal(post(&c, &e), ERR_NET);
    int64_t took = now_ms() - began;
    assert_true(took < 8000);
    size_t n = n_requests(); /* 40 80 160 320 640 ...: at least half of each is waited */
    assert_true(n >= 3 && n <= 8);
    assert_non_null(strstr(e.message, "gave up after"));
    assert_non_null(strstr(e.message, "HTTP 503"));
    assert_int_equal(e.code, 503);
    assert_true(e.retry_at_ms > 0);
}

static void test_zero_is_no_licence_to_hammer(void **state)
{
    struct err e;
    struct sink_http_config c = config("429:retry-after=0");
    c.give_up_after_ms = 1000;
    c.first_wait_ms = 100;
    assert_int_equal(post(&c, &e), ERR_LIMIT);
    assert_true(n_requests() <= 1000 / 50 + 1);
}

static void test_silence(void **state)
{
    struct err e;
    struct sink_http_config c = config("hang");
    c.timeout_ms = 400;
    c.give_up_after_ms = 2000;
    int64_t began = now_ms();
    assert_int_equal(post(&c, &e), ERR_TIMEOUT);
    assert_true(now_ms() - began < 8000);
    assert_true(n_requests() >= 2);
    c = config("hang"); /* one request never outlives the whole */
    c.timeout_ms = 60000;
    c.give_up_after_ms = 300;
    began = now_ms();
    assert_int_equal(post(&c, &e), ERR_TIMEOUT);
    assert_true(now_ms() - began < 8000);
    c = config("hang,ok");
    c.timeout_ms = 300;
    assert_int_equal(post(&c, &e), 0);
    c = config("drip:30"); /* a byte now and then does not keep it alive */
    c.timeout_ms = 300;
    c.give_up_after_ms = 500;
    began = now_ms();
    assert_int_equal(post(&c, &e), ERR_TIMEOUT);
    assert_true(now_ms() - began < 8000);
    c = config("slow:0.5");
    assert_int_equal(post(&c, &e), 0);
}

/* The last try is cut short by the end of the time: what is reported is the reason, not that. */
static void test_the_reason_survives_the_last_try(void **state)
{
    struct err e;
    struct sink_http_config c = config("503,hang");
    c.timeout_ms = 60000;
    c.give_up_after_ms = 1000;
    assert_int_equal(post(&c, &e), ERR_NET);
    assert_int_equal(n_requests(), 2);
    assert_non_null(strstr(e.message, "gave up after 2 tries"));
    assert_non_null(strstr(e.message, "HTTP 503"));
}

/* A port where nobody listens, and nobody else will before *fd is closed. */
static int bound_port(int *fd)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.sin_port);
}

static void test_nobody_there(void **state)
{
    struct err e;
    struct sink_http_config c = config("ok");
    int fd, port = bound_port(&fd);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    c.url = str_from(url);
    c.give_up_after_ms = 300;
    assert_int_equal(post(&c, &e), ERR_NET);
    assert_non_null(strstr(e.message, "gave up after"));
    close(fd);
    c.url = STR("https://no-such-host.invalid/");
    int rc = post(&c, &e);
    assert_true(rc == ERR_NET || rc == ERR_TIMEOUT); /* the latter where the machine's name servers are silent */
}

/* It comes up while we wait. */
static void test_receiver_restarts(void **state)
{
    struct err e;
    struct sink_http_config c = config("ok");
    int fd, port = bound_port(&fd);
    char text[16];
    close(fd);
    snprintf(text, sizeof text, "%d", port);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t child =
        start((const char *const[]){"/usr/bin/python3", receiver_py, "--quiet", "--port", text, NULL}, null);
    close(null);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    c.url = str_from(url);
    int rc = post(&c, &e);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (rc < 0) fail_msg("%s", e.message);
}

static volatile sig_atomic_t cancelled;

static void *cancel_soon(void *ctx)
{
    poll(NULL, 0, 200);
    cancelled = 1;
    return NULL;
}

static void test_cancel(void **state)
{
    static const char *const steps[] = {"503:retry-after=19", "hang"};
    for (size_t i = 0; i < n_elements(steps); i++) {
        struct err e;
        pthread_t thread;
        struct sink_http_config c = config(steps[i]);
        c.cancel = &cancelled;
        c.timeout_ms = 60000;
        cancelled = 0;
        int64_t began = now_ms();
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
        assert_int_equal(post(&c, &e), ERR_CANCEL);
        pthread_join(thread, NULL);
        assert_true(now_ms() - began < 10000);
    }
}

/* At least once: whatever happens on the way, every event that a post said yes to has been taken. */
static void test_chaos(void **state)
{
    enum { BATCHES = 60 };
    struct err e;
    struct sink_http *h;
    struct sink_http_config c = config("ok");
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d/intake", chaotic.port);
    c.url = str_from(base);
    c.first_wait_ms = 2;
    assert_int_equal(sink_http_open(&h, &c, &e), 0);
    for (int i = 0; i < BATCHES; i++) {
        struct buf b = buf_new(4096);
        buf_printf(&b, "{\"id\":\"c%d-0\"}\n{\"id\":\"c%d-1\"}\n", i, i);
        if (sink_http_post(h, buf_bytes(&b), &e) < 0) fail_msg("batch %d: %s", i, e.message);
        buf_free(&b);
    }
    sink_http_close(h);
    bool seen[BATCHES][2] = {{false}};
    size_t lines = 0;
    FILE *in = fopen(in_top("chaos"), "r");
    assert_non_null(in);
    char line[256];
    for (; fgets(line, sizeof line, in); lines++) {
        int batch = 0, n = 0;
        const char *id = strstr(line, "\"c");
        assert_true(id && sscanf(id, "\"c%d-%d\"", &batch, &n) == 2 && batch < BATCHES && n < 2);
        seen[batch][n] = true;
    }
    fclose(in);
    for (int i = 0; i < BATCHES; i++) assert_true(seen[i][0] && seen[i][1]);
    assert_true(lines > 2 * BATCHES); /* some came twice: the faults were real */
}

/* --- TLS ----------------------------------------------------------------------------------------------- */

static int post_tls(const struct receiver *r, const char *host, const char *ca, struct err *e)
{
    struct sink_http_config c = config("ok");
    snprintf(url, sizeof url, "https://%s:%d%s", host, r->port, path);
    c.url = str_from(url);
    if (ca) c.ca_certificate = str_from(in_top(ca));
    return post(&c, e);
}

static void test_tls(void **state)
{
    struct err e;
    if (post_tls(&tls, "127.0.0.1", "ca.pem", &e) < 0) fail_msg("%s", e.message);
    assert_int_equal(post_tls(&tls, "localhost", "ca.pem", &e), 0);
    assert_int_equal(n_requests(), 1);
    assert_int_equal(post_tls(&tls, "127.0.0.1", "leaf.pem", &e),
                     0); /* the receiver's own certificate, pinned */
}

static const struct {
    const struct receiver *to;
    const char *host, *ca;
} distrusted[] = {
    {&tls, "127.0.0.1", "stranger.pem"},  /* signed by somebody else, with the same name at that */
    {&tls, "127.0.0.1", NULL},            /* the system's do not know it */
    {&other_name, "127.0.0.1", "ca.pem"}, /* for another name */
    {&other_name, "localhost", "ca.pem"},
    {&other_name, "localhost", "leaf.pem"},
};

static void test_tls_distrust(void **state)
{
    for (size_t i = 0; i < n_elements(distrusted); i++) {
        struct err e;
        int64_t began = now_ms();
        int rc = post_tls(distrusted[i].to, distrusted[i].host, distrusted[i].ca, &e);
        if (rc != ERR_TLS) fail_msg("case %zu: %s: %s", i, err_class_name(rc), e.message);
        assert_true(now_ms() - began < 8000); /* not retried */
        assert_int_equal(n_requests(), 0);    /* nothing was sent, the token least of all */
        assert_true(e.hint[0]);
    }
}

static void test_no_tls_there(void **state)
{
    struct err e;
    int64_t began = now_ms();
    assert_int_equal(post_tls(&plain, "127.0.0.1", "ca.pem", &e), ERR_TLS);
    assert_true(now_ms() - began < 10000);
    struct sink_http_config c = config("ok"); /* and the other way round */
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", tls.port, path);
    c.url = str_from(url);
    c.give_up_after_ms = 500;
    assert_true(post(&c, &e) < 0);
}

/* --- proxies ------------------------------------------------------------------------------------------- */

static void test_clear_text_takes_no_proxy(void **state)
{
    struct err e;
    struct sink_http_config c = config("ok");
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    int rc = post(&c, &e);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    assert_int_equal(rc, 0);
}

static void test_a_proxy_does_not_see_the_token(void **state)
{
    struct err e;
    char proxy[64], target[64];
    struct sink_http_config c = config("ok");
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", plain.port);
    snprintf(target, sizeof target, "siem.example:%d", tls.port);
    snprintf(url, sizeof url, "https://%s/", target);
    c.url = str_from(url);
    c.give_up_after_ms = 300;
    setenv("https_proxy", proxy, 1);
    int rc = post(&c, &e);
    unsetenv("https_proxy");
    assert_true(rc < 0);
    json_t *all = lines_where("requests", "url", target), *r = json_array_get(all, 0);
    assert_non_null(r);
    assert_string_equal(json_string_value(json_object_get(r, "method")), "CONNECT");
    assert_null(sent_header(r, "authorization"));
    json_decref(all);
}

/* --- settings that are refused ---------------------------------------------------------------------------
 */

static void test_settings(void **state)
{
    static const char *const tokens[] = {"two words", "line\n", "line\r\nX-Injected: 1", "caf\xc3\xa9", "\t"};
    struct err e;
    struct sink_http_config c = config("ok");
    for (size_t i = 0; i < n_elements(tokens); i++) {
        struct secret bad;
        assert_int_equal(secret_take(&bad, bytes_of(str_from(tokens[i])), &e), 0);
        c.token = &bad;
        assert_int_equal(post(&c, &e), ERR_INPUT);
        assert_null(strstr(e.message, tokens[i]));
        secret_drop(&bad);
    }
    c = config("ok");
    c.content_type = STR("text/plain\r\nX-Injected: 1");
    assert_int_equal(post(&c, &e), ERR_INPUT);
    c = config("ok");
    c.url = STR("http://siem.example/");
    assert_int_equal(post(&c, &e), ERR_INPUT);
    c = config("ok");
    c.ca_certificate = str_from(in_top("absent.pem"));
    assert_int_equal(post(&c, &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.message, "absent.pem"));
    c.ca_certificate = str_from(in_top("leaf.key"));
    assert_int_equal(post(&c, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "private key"));
    assert_int_equal(n_requests(), 0);
    sink_http_close(NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sends),
        cmocka_unit_test(test_sends_without_token),
        cmocka_unit_test(test_many_posts),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_redirects_are_not_followed),
        cmocka_unit_test(test_what_is_shown_of_an_answer),
        cmocka_unit_test(test_retry_after_is_obeyed),
        cmocka_unit_test(test_asked_to_wait_too_long),
        cmocka_unit_test(test_gives_up),
        cmocka_unit_test(test_zero_is_no_licence_to_hammer),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_the_reason_survives_the_last_try),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_receiver_restarts),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_chaos),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_tls_distrust),
        cmocka_unit_test(test_no_tls_there),
        cmocka_unit_test(test_clear_text_takes_no_proxy),
        cmocka_unit_test(test_a_proxy_does_not_see_the_token),
        cmocka_unit_test(test_settings),
    };
    if (argc != 2) return 2;
    receiver_py = argv[1];
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < n_elements(proxies); i++) unsetenv(proxies[i]);
    log_setup(LOG_OFF, LOG_AS_TEXT);
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
