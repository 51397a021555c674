#include "access/sets/sets_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <roaring/roaring.h>

#include "access/sets/sets_test.h"

/* --- the truth: access_check with world_token, one by one
 * ---------------------------------------------------------- */

static bool truth(const struct world *w, struct world_token *t, uint32_t object, const struct right *r,
                  enum access_rule rule)
{
    const struct object *o = &w->objects[object];
    struct access_object what = {.schema = w->connectors[o->connector].schema, .class = o->class};
    struct access_token token;
    struct access_verdict v;
    if (o->descriptor != NOBODY && !w->descriptors[o->descriptor].is_malformed)
        what.sd = &w->descriptors[o->descriptor].sd;
    if (o->principal != NOBODY) what.sid = w->principals[o->principal].sid;
    world_token_open(&token, t, w);
    access_check(&v, &what, &token, r, rule);
    return v.is_allowed;
}

static void token_of(struct world_token *t, const struct world *w, uint32_t principal, uint32_t object)
{
    struct err e;
    assert_int_equal(world_token(t, w, principal, w->objects[object].connector, &e), 0);
}

/* Everybody on one object by one right, against every way to ask. Returns how many pairs. */
static unsigned compare_who(struct sets *s, uint32_t object, const struct right *r, enum access_rule rule)
{
    const struct world *w = s->world;
    struct world_token t = {0};
    struct sets_who who;
    uint32_t next = NOBODY, *groups, at = 0;
    uint64_t n = 0;
    size_t n_groups = sets_groups(s, object, r, rule, &groups);
    sets_who_can(&who, s, object, r, rule);
    bool more = sets_next(&who, &next);
    for (uint32_t p = 0; p < w->n_principals; p++) {
        token_of(&t, w, p, object);
        bool is = truth(w, &t, object, r, rule), is_account = w->principals[p].is_account;
        assert_int_equal(sets_can(s, p, object, r, rule), is);
        bool told = is_account ? more && next == p : at < n_groups && groups[at] == p;
        assert_int_equal(told, is);
        n += is && is_account;
        at += !is_account && told;
        if (is_account && told) more = sets_next(&who, &next);
    }
    assert_int_equal(at, n_groups);
    assert_false(more);
    assert_int_equal(who.count, n);
    assert_int_equal(sets_count(s, object, r, rule), n);
    sets_close(&who);
    free(groups);
    world_token_free(&t);
    return w->n_principals;
}

static void test_agrees_with_the_check(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    unsigned n = 0, n_worlds = getenv("ROLLCALL_SOAK") ? 400 : 24;
    for (uint64_t seed = 1; seed <= n_worlds; seed++) {
        uint64_t dice = seed * 7919;
        struct fixture f = world_random(schema, &dice, 10 + test_below(&dice, 60), 80);
        struct sets *s;
        struct err e;
        uint64_t most = sets_kept_max;
        if (seed % 4 == 0) sets_kept_max = 1000;
        assert_int_equal(sets_build(&s, f.w, &e), 0);
        sets_kept_max = most;
        for (uint32_t o = 0; o < f.w->n_objects; o++)
            for (unsigned i = 0; i < 6; i++) {
                struct right r = world_right(&dice);
                n += compare_who(s, o, &r, ACCESS_WINDOWS);
                n += compare_who(s, o, &r, ACCESS_DENY_WINS);
            }
        sets_free(s);
        fixture_free(&f);
    }
    print_message("# %u (principal, object, right) compared, in %u worlds\n", n, n_worlds);
    assert_true(n >= 200000);
    schema_free(schema);
}

/* --- what can
 * ----------------------------------------------------------------------------------------------------------
 */

struct told {
    uint8_t *seen;
    struct sets *s;
    uint32_t principal;
    enum access_rule rule;
    struct world_token token;
    uint64_t n_objects, n_rights, n_beyond;
};

static bool has_typed(const struct sets_granted *g, const struct right *r)
{
    for (size_t i = 0; i < g->n_typed; i++)
        if (g->typed[i].bit == r->bit && memcmp(g->typed[i].guid, r->guid, 16) == 0) return true;
    return false;
}

static void compare_granted(struct told *t, uint32_t object, const struct sets_granted *g)
{
    const struct sets *s = t->s;
    const struct variant *v = &s->variants[s->variant_of[object]];
    token_of(&t->token, s->world, t->principal, object);
    for (uint32_t i = 0; i < v->n_cells; i++) {
        const struct right *r = &s->rights[s->cells[v->first_cell + i].right];
        bool is = truth(s->world, &t->token, object, r, t->rule), told = g->bits & r->bit;
        if (!told && r->is_typed) told = has_typed(g, r);
        if (r->is_typed && g->bits & r->bit)
            continue; /* told by its bit; a typed deny spoils that, so it is not held then */
        assert_int_equal(told, is);
    }
}

static bool on_granted(void *ctx, uint32_t object, const struct sets_granted *g)
{
    struct told *t = ctx;
    assert_false(t->seen[object]);
    t->seen[object] = 1;
    compare_granted(t, object, g);
    t->n_objects++;
    t->n_rights += (uint64_t)__builtin_popcount(g->bits) + g->n_typed;
    return true;
}

static void compare_what(struct sets *s, uint32_t principal, enum access_rule rule)
{
    struct told t = {.s = s, .principal = principal, .rule = rule, .seen = x_zalloc(s->world->n_objects)};
    struct sets_what *w;
    struct sets_what_count n;
    struct sets_granted g;
    struct err e;
    assert_int_equal(sets_what_can(&w, s, principal, rule, &e), 0);
    sets_what_count(&n, w);
    sets_what_stream(w, false, on_granted, &t);
    assert_int_equal(n.n_objects, t.n_objects);
    assert_int_equal(n.n_rights, t.n_rights);
    for (uint32_t o = 0; o < s->world->n_objects; o++) {
        sets_what_object(w, o, &g);
        if (!t.seen[o]) assert_true(!g.bits && !g.n_typed);
        if (!t.seen[o] && s->variant_of[o] != NOBODY) compare_granted(&t, o, &g);
        t.n_beyond += !g.is_baseline;
    }
    assert_int_equal(n.n_beyond, t.n_beyond);
    sets_what_free(w);
    free(t.seen);
    world_token_free(&t.token);
}

static void test_what_can(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t dice = seed * 104729;
        struct fixture f = world_random(schema, &dice, 40, 30);
        struct sets *s;
        struct err e;
        assert_int_equal(sets_build(&s, f.w, &e), 0);
        for (uint32_t p = 0; p < f.w->n_principals; p++) {
            compare_what(s, p, ACCESS_WINDOWS);
            compare_what(s, p, ACCESS_DENY_WINS);
        }
        sets_free(s);
        fixture_free(&f);
    }
    schema_free(schema);
}

/* --- members
 * ---------------------------------------------------------------------------------------------------------------
 */

static bool token_has(const struct world_token *t, uint32_t p)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (t->list[i] == p) return true;
    return false;
}

static void compare_members(struct sets *s, uint32_t group, uint32_t connector)
{
    struct sets_who who;
    struct world_token t = {0};
    struct err e;
    uint32_t next = NOBODY;
    sets_members(&who, s, group, connector);
    bool more = sets_next(&who, &next);
    for (uint32_t p = 0; p < s->world->n_principals; p++) {
        if (!s->world->principals[p].is_account) continue;
        assert_int_equal(world_token(&t, s->world, p,
                                     connector == NOBODY ? s->world->principals[group].connector : connector,
                                     &e),
                         0);
        assert_int_equal(token_has(&t, group), more && next == p);
        if (more && next == p) more = sets_next(&who, &next);
    }
    assert_false(more);
    sets_close(&who);
    world_token_free(&t);
}

static void test_members(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint64_t dice = seed * 15485863;
        struct fixture f = world_random(schema, &dice, 60, 10);
        struct sets *s;
        struct err e;
        assert_int_equal(sets_build(&s, f.w, &e), 0);
        for (uint32_t p = 0; p < f.w->n_principals; p++) {
            compare_members(s, p, NOBODY);
            compare_members(s, p, 1);
        }
        sets_free(s);
        fixture_free(&f);
    }
    schema_free(schema);
}

/* --- depth and cycles
 * ----------------------------------------------------------------------------------------------------------
 */

static uint32_t allow_to(struct fixture *f, uint32_t principal)
{
    struct buf acl = buf_new(1 << 10), raw = buf_new(1 << 10);
    test_add_ace(&acl, ACE_ALLOW, 0, RIGHT_WRITE_PROPERTY, NULL, NULL, f->w->principals[principal].sid,
                 (struct bytes){0});
    test_add_sd(&raw, SD_DACL_PRESENT, (struct bytes){0}, &acl, 1);
    uint32_t d = fixture_descriptor(f, buf_bytes(&raw));
    buf_free(&acl);
    buf_free(&raw);
    return fixture_object(f, 0, NOBODY, d, SCHEMA_NONE);
}

static uint64_t count_write(const struct fixture *f, uint32_t object)
{
    struct right r = {.bit = RIGHT_WRITE_PROPERTY};
    struct sets *s;
    struct err e;
    assert_int_equal(sets_build(&s, f->w, &e), 0);
    uint64_t n = sets_count(s, object, &r, ACCESS_WINDOWS);
    sets_free(s);
    return n;
}

/* Every group has an account of its own; the ACE names the top. */
static void test_chain(void **state)
{
    enum { DEPTH = 100000 };
    (void)state;
    struct fixture f = fixture_new(1, schema_builtin());
    uint32_t top = fixture_principal(&f, 0, KIND_group), above = top;
    for (unsigned i = 1; i < DEPTH; i++) {
        uint32_t g = fixture_principal(&f, 0, KIND_group);
        fixture_member(&f, g, above);
        fixture_member(&f, fixture_principal(&f, 0, KIND_user), g);
        above = g;
    }
    uint32_t object = allow_to(&f, top), near_bottom = allow_to(&f, above);
    fixture_finish(&f);
    assert_int_equal(count_write(&f, object), DEPTH - 1);
    assert_int_equal(count_write(&f, near_bottom), 1);
    fixture_free(&f);
}

static void test_dense_cycle(void **state)
{
    enum { GROUPS = 10000, EACH = 40 };
    (void)state;
    uint64_t dice = 4711;
    struct fixture f = fixture_new(1, schema_builtin());
    uint32_t first = f.w->n_principals;
    for (unsigned i = 0; i < GROUPS; i++) fixture_principal(&f, 0, KIND_group);
    for (uint32_t i = 0; i < GROUPS; i++) {
        fixture_member(&f, first + i, first + (i + 1) % GROUPS);
        for (unsigned k = 0; k < EACH; k++) fixture_member(&f, first + i, first + test_below(&dice, GROUPS));
        fixture_member(&f, fixture_principal(&f, 0, KIND_user), first + i);
    }
    uint32_t object = 0;
    for (uint32_t i = 0; i < GROUPS; i += 100) object = allow_to(&f, first + i);
    fixture_finish(&f);
    assert_int_equal(count_write(&f, object), GROUPS);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_the_check),
        cmocka_unit_test(test_what_can),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_dense_cycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
