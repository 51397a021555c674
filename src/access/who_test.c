#include "access/who.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "access/check.h"
#include "access/sets/sets_test.h"

static bool token_has(struct world_token *t, uint32_t p)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (t->list[i] == p) return true;
    return false;
}

/* A way of steps, each of which is one: ends at the group and has no circle. */
static void walk_way(const struct who_members *m, const struct world *w, uint32_t p, uint32_t group)
{
    for (uint32_t steps = 0; p != group; p = m->next[p], steps++) {
        assert_true(steps < w->n_principals);
        assert_int_not_equal(m->next[p], NOBODY);
        bool is_edge = m->via[p] == WHO_HISTORY || m->via[p] == WHO_IMPLICIT;
        for (uint32_t k = w->first_group[p]; k < w->first_group[p + 1]; k++) is_edge |= w->groups_of[k] == m->next[p];
        assert_true(is_edge);
    }
}

/* A group, or a foreign principal, that has an account's SID in its history, which is in Everyone: there is no such thing. */
static bool passes_everybody(const struct who_members *m, uint32_t p, uint32_t group)
{
    for (; p != group; p = m->next[p])
        if (m->via[p] == WHO_IMPLICIT) return true;
    return false;
}

static void test_agrees_with_tokens(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    unsigned n_in = 0, n_out = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t dice = seed * 104729;
        struct fixture f = world_random(schema, &dice, 10 + test_below(&dice, 60), 1);
        struct world_token t = {0};
        for (uint32_t g = 0; g < f.w->n_principals; g++) {
            struct who_members m;
            struct err e;
            uint32_t n = 0;
            if (f.w->principals[g].kind != KIND_group || !f.w->principals[g].is_security) continue;
            who_members_make(&m, f.w, g);
            for (uint32_t p = 0; p < f.w->n_principals; p++) {
                assert_int_equal(world_token(&t, f.w, p, NOBODY, &e), 0);
                if (m.next[p] == NOBODY || f.w->principals[p].is_account || !passes_everybody(&m, p, g))
                    assert_int_equal(m.next[p] != NOBODY, token_has(&t, g));
                if (m.next[p] == NOBODY) {
                    n_out++;
                    continue;
                }
                n += p != g;
                walk_way(&m, f.w, p, g);
            }
            n_in += n;
            assert_int_equal(m.n, n);
            who_members_free(&m);
        }
        world_token_free(&t);
        fixture_free(&f);
    }
    assert_true(n_in > 5000 && n_out > 5000);
    schema_free(schema);
}

static void test_distribution_group_is_followed_when_asked(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    struct fixture f = fixture_new(1, schema);
    uint32_t user = fixture_principal(&f, 0, KIND_user), list = fixture_principal(&f, 0, KIND_group), inner = fixture_principal(&f, 0, KIND_group),
             group = fixture_principal(&f, 0, KIND_group);
    struct who_members m;
    f.w->principals[list].is_security = f.w->principals[inner].is_security = false;
    fixture_member(&f, user, inner);
    fixture_member(&f, inner, list);
    fixture_member(&f, list, group);
    fixture_finish(&f);
    who_members_make(&m, f.w, list);
    assert_int_equal(m.n, 2);
    assert_int_equal(m.next[user], inner);
    who_members_free(&m);
    who_members_make(&m, f.w, group); /* a security group: the list is in it, and nobody through it */
    assert_int_equal(m.n, 1);
    assert_int_equal(m.next[user], NOBODY);
    who_members_free(&m);
    fixture_free(&f);
    schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_tokens),
        cmocka_unit_test(test_distribution_group_is_followed_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
