#include "net/http_test.h"

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

/* At most so many under way: 8 of 300 ms take two turns of 4, and one after the other 2400 ms. */
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
        if (took < 600 || took >= 2400) fail_msg("took %lld ms", (long long)took);
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
        o.answer_timeout_ms = 4000;
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
    assert_true(took >= 190 && took < 5000);
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
    o.answer_timeout_ms = 2000;
    struct http *h = open_with(&o);
    json_int_t before = count_of(h2, "connections");
    assert_int_equal(get(h, h2, "/small", &a, &e), 0);
    assert_int_equal(get(h, h2, "/mute", &a, &e), ERR_TIMEOUT);
    assert_int_equal(get(h, h2, "/small", &a, &e), 0);
    assert_int_equal(get(h, h2, "/small", &a, &e), 0);
    assert_int_equal(count_of(h2, "connections") - before, 2);
    http_close(h);
}

/* --- how much work: HTTP_TEST_COST=20000 in the environment
 * -----------------------------------------------------
 */

static void test_cost(void **state)
{
    const char *n = getenv("HTTP_TEST_COST");
    if (!n) return; /* asked for by hand */
    const int ports[] = {h2, h1};
    for (size_t i = 0; i < 4; i++) {
        struct http *h = open_client();
        struct tally t = {.h = h,
                          .port = ports[i % 2],
                          .path = i < 2 ? "/small" : "/gzip",
                          .to_come = (int)strtol(n, NULL, 10)};
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
