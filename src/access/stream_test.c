#include "access/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "access/answer.h"
#include "access/sets/sets_test.h"

/* Every account of one object and right: told if and only if the check says yes, with the check's own reason and ACE. */
static unsigned compare(struct stream *s, const struct world *w, uint32_t object, const struct right *r, enum access_rule rule)
{
    struct stream_row row;
    struct world_token t = {0};
    struct err e;
    unsigned n = 0;
    struct access_object o;
    world_access_object(&o, w, object);
    bool is_known = stream_begin(s, object, r);
    assert_int_equal(is_known, o.sd != NULL);
    int more = is_known ? stream_next(s, &row, &e) : 0;
    for (uint32_t p = 0; is_known && p < w->n_principals; p++) {
        struct why y;
        if (!w->principals[p].is_account) continue;
        assert_int_equal(world_token(&t, w, p, w->objects[object].connector, &e), 0);
        why_make(&y, w, &t, p, object, r, rule);
        assert_int_equal(more == 1 && row.principal == p, y.verdict.is_allowed);
        if (!y.verdict.is_allowed) continue;
        assert_int_equal(row.reason, y.verdict.reason);
        if (y.trustee != NOBODY) assert_int_equal(row.trustee, y.trustee);
        assert_int_equal(row.is_conditional, y.verdict.is_conditional);
        if (row.reason == ACCESS_BY_ACE) {
            assert_int_equal(row.ace, y.verdict.ace);
            assert_int_equal(row.inherited_from, y.inherited_from);
        }
        n++;
        more = stream_next(s, &row, &e);
    }
    assert_int_equal(more, 0);
    world_token_free(&t);
    return n;
}

/* In short: the rows and everybody are those who hold it, and not the whole of it. Returns for how many everybody stands. */
static unsigned compare_counts(struct stream *s, struct sets *sets, uint32_t object, const struct right *r, enum access_rule rule)
{
    struct stream_row row, first;
    struct right whole = {.bit = r->bit};
    struct err e;
    uint64_t n = 0, want = sets_count(sets, object, r, rule);
    if (!stream_begin(s, object, r)) return 0;
    while (stream_next(s, &row, &e) == 1) {
        assert_true(sets_can(sets, row.principal, object, r, rule));
        assert_false(r->is_typed && sets_can(sets, row.principal, object, &whole, rule));
        n++;
    }
    uint64_t everybody = stream_everybody(s, &first);
    if (!r->is_typed) assert_int_equal(n + everybody, want);
    assert_true(n + everybody <= want);
    return (unsigned)everybody;
}

static void test_each_row_is_what_the_check_says(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    unsigned n = 0, n_short = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t dice = seed * 7907;
        enum access_rule rule = seed % 2 ? ACCESS_WINDOWS : ACCESS_DENY_WINS;
        struct fixture f = world_random(schema, &dice, 10 + test_below(&dice, 60), 60);
        struct sets *sets;
        struct stream *s, *short_one;
        struct err e;
        assert_int_equal(sets_build(&sets, f.w, &e), 0);
        stream_open(&s, f.w, sets, rule, 0);
        stream_open(&short_one, f.w, sets, rule, STREAM_ONE_FOR_ALL | STREAM_WITHOUT_WHOLE);
        for (uint32_t o = 0; o < f.w->n_objects; o++)
            for (unsigned i = 0; i < 6; i++) {
                struct right r = world_right(&dice);
                n += compare(s, f.w, o, &r, rule);
                n_short += compare_counts(short_one, sets, o, &r, rule);
            }
        stream_close(s);
        stream_close(short_one);
        sets_free(sets);
        fixture_free(&f);
    }
    assert_true(n > 10000 && n_short > 1000);
    schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_is_what_the_check_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
