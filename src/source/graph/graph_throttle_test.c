#include "source/graph/graph_throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A script, a letter an event: s started, g good, o over (broken), r refused without advice, R refused with Retry-After 1 s, Z with
 * Retry-After 0; digits pass that many seconds. Jitter is 0, so waits are whole. */
static const struct {
    const char *script;
    unsigned at_most, window, under_way;
    int64_t resumes_in_ms; /* from the end of the script; 0: may start now, as far as time goes */
} cases[] = {
    {"", 16, 16, 0, 0},
    {"sss", 16, 16, 3, 0},
    {"ssgo", 16, 16, 0, 0},
    {"g", 16, 16, 0, 0},                   /* more ends than starts never wrap around */
    {"sR", 16, 8, 0, 1000},
    {"sr", 16, 8, 0, 500},
    {"ssssRRRR", 16, 8, 0, 1000},          /* refused together: one lesson */
    {"sR2sR", 16, 4, 0, 1000},
    {"sR2sR2sR2sR5sR9sR", 16, 1, 0, 16000}, /* from the fourth in a row, Retry-After is not enough: 4, 8, 16 s */
    {"sr1sr1sr", 16, 2, 0, 2000},
    {"sRsg", 16, 8, 0, 1000},              /* what was sent before the pause may still be good */
    {"sr1sgsr", 16, 4, 0, 500},            /* a good answer ends the row */
    {"sZ", 16, 8, 0, 0},
    {"sZ1sZ1sZ1sZ", 16, 1, 0, 4000},       /* a Retry-After of nothing is not believed for ever */
    {"sR", 1, 1, 0, 1000},
    {"sRr", 16, 8, 0, 1000},               /* the longer pause holds */
    {"srR", 16, 8, 0, 1000},
};

static void scripts(void **unused)
{
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct graph_throttle t = graph_throttle_new(cases[i].at_most);
        int64_t now = 1000000;
        for (const char *c = cases[i].script; *c; c++) switch (*c) {
            case 's': graph_throttle_started(&t); break;
            case 'g': graph_throttle_good(&t); break;
            case 'o': graph_throttle_over(&t); break;
            case 'r': graph_throttle_refused(&t, now, -1, 0); break;
            case 'R': graph_throttle_refused(&t, now, 1000, 0); break;
            case 'Z': graph_throttle_refused(&t, now, 0, 0); break;
            default: now += (*c - '0') * 1000;
            }
        int64_t left = t.resume_ms > now ? t.resume_ms - now : 0;
        if (t.window != cases[i].window || t.under_way != cases[i].under_way || left != cases[i].resumes_in_ms)
            fail_msg("case %zu '%s': window %u, under way %u, %lld ms left", i, cases[i].script, t.window, t.under_way, (long long)left);
        bool may = t.under_way < t.window && !left;
        assert_true(graph_throttle_may_start(&t, now) == may);
    }
}

static void the_window_closes_and_grows(void **unused)
{
    struct graph_throttle t = graph_throttle_new(4);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(graph_throttle_may_start(&t, 0));
        graph_throttle_started(&t);
    }
    assert_false(graph_throttle_may_start(&t, 0));
    graph_throttle_refused(&t, 10, 1000, 0);
    graph_throttle_over(&t);
    assert_false(graph_throttle_may_start(&t, 1009)); /* two are under way and two may be */
    assert_int_equal(t.window, 2);
    unsigned answers = 0;
    for (; t.window < 4 && answers < 1000; answers++) graph_throttle_good(&t);
    assert_int_equal(answers, 8 * 2 + 8 * 3); /* eight answers for each request at once */
    for (unsigned i = 0; i < 1000; i++) graph_throttle_good(&t);
    assert_int_equal(t.window, 4); /* never beyond what is allowed */
    assert_int_equal(t.n_throttled, 1);
}

static void rest_is_counted_once(void **unused)
{
    struct graph_throttle t = graph_throttle_new(8);
    graph_throttle_refused(&t, 1000, 2000, 0);
    graph_throttle_refused(&t, 1500, 2000, 0); /* until 3500 instead of 3000 */
    graph_throttle_refused(&t, 2000, 100, 0);
    assert_int_equal(t.rested_ms, 2500);
    assert_int_equal(t.resume_ms, 3500);
    assert_int_equal(t.n_throttled, 3);
}

static void back_off(void **unused)
{
    static const int64_t whole[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (unsigned n = 1; n <= n_elements(whole); n++) {
        assert_int_equal(graph_back_off_ms(n, 0), whole[n - 1]);
        for (unsigned jitter = 0; jitter < 2000; jitter += 7) {
            int64_t ms = graph_back_off_ms(n, jitter);
            assert_true(ms <= whole[n - 1] && ms >= whole[n - 1] * 3 / 4);
        }
    }
    assert_int_equal(graph_back_off_ms(0, 0), 500);
    assert_int_equal(graph_back_off_ms(4000000000u, 0), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scripts), cmocka_unit_test(the_window_closes_and_grows),
                                       cmocka_unit_test(rest_is_counted_once), cmocka_unit_test(back_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
