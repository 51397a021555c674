#include "access/sets/sets_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "access/sets/sets_test.h"
#include "base/file.h"

static char file[64];

static struct sets *build(const struct world *w)
{
    struct sets *s;
    struct err e;
    assert_int_equal(sets_build(&s, w, &e), 0);
    return s;
}

static void write_file(struct sets *s)
{
    struct err e;
    if (sets_write(s, file, &e) < 0) fail_msg("%s", e.message);
}

static void same_image(const struct image *x, const struct image *y)
{
    assert_int_equal(x->count, y->count);
    assert_int_equal(x->n_bytes, y->n_bytes);
    assert_true(!x->n_bytes || memcmp(x->bytes, y->bytes, x->n_bytes) == 0);
}

static void same_sets(struct sets *a, struct sets *b)
{
    assert_int_equal(a->n_sets, b->n_sets);
    assert_int_equal(a->n_trustees, b->n_trustees);
    for (uint32_t i = 0; i < a->n_trustees; i++) same_image(trustee_image(a, i), trustee_image(b, i));
    for (uint32_t i = 0; i < a->n_sets; i++)
        if (a->sets[i].is_kept) same_image(set_image(a, &a->sets[i]), set_image(b, &b->sets[i]));
}

/* And every way to ask, on what was opened. */
static void same_answers(struct sets *a, struct sets *b, uint64_t seed)
{
    struct err e;
    for (uint32_t o = 0; o < a->world->n_objects; o++)
        for (unsigned i = 0; i < 8; i++) {
            struct right r = world_right(&seed);
            enum access_rule rule = i % 2 ? ACCESS_DENY_WINS : ACCESS_WINDOWS;
            assert_int_equal(sets_count(a, o, &r, rule), sets_count(b, o, &r, rule));
        }
    for (uint32_t p = 0; p < a->world->n_principals; p += 3) {
        struct sets_what *x, *y;
        struct sets_what_count m, n;
        assert_int_equal(sets_what_can(&x, a, p, ACCESS_WINDOWS, &e), 0);
        assert_int_equal(sets_what_can(&y, b, p, ACCESS_WINDOWS, &e), 0);
        sets_what_count(&m, x);
        sets_what_count(&n, y);
        assert_memory_equal(&m, &n, sizeof m);
        sets_what_free(x);
        sets_what_free(y);
    }
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    struct err e;
    struct stat st;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        uint64_t dice = seed * 3571;
        struct fixture f = world_random(schema, &dice, 50, 30);
        struct sets *s = build(f.w), *again;
        write_file(s);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        if (sets_open(&again, f.w, file, &e) < 0) fail_msg("%s", e.message);
        same_sets(s, again);
        same_answers(s, again, seed);
        write_file(again);
        sets_free(again);
        if (sets_open(&again, f.w, file, &e) < 0) fail_msg("%s", e.message);
        same_sets(s, again);
        sets_free(again);
        sets_free(s);
        fixture_free(&f);
    }
    schema_free(schema);
}

static void expect(const struct world *w, int class)
{
    struct sets *s;
    struct err e;
    assert_int_equal(sets_open(&s, w, file, &e), class);
    if (!class) sets_free(s);
}

static void test_another_world(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    uint64_t dice = 5;
    struct fixture f = world_random(schema, &dice, 50, 30);
    struct sets *s = build(f.w);
    unlink(file);
    expect(f.w, ERR_NOTFOUND);
    write_file(s);
    f.w->principals[10].is_security = !f.w->principals[10].is_security;
    expect(f.w, ERR_CONFLICT);
    f.w->principals[10].is_security = !f.w->principals[10].is_security;
    f.w->objects[3].class ^= 1;
    expect(f.w, ERR_CONFLICT);
    f.w->objects[3].class ^= 1;
    f.w->connectors[0].schema = schema_builtin();
    expect(f.w, ERR_CONFLICT);
    f.w->connectors[0].schema = schema;
    f.w->connectors[0].run = 77; /* a run that changed nothing */
    expect(f.w, 0);
    fixture_member(&f, 20, 4);
    fixture_member(&f, 21, 4);
    struct world *later = fixture_later(&f);
    expect(later, ERR_CONFLICT);
    fixture_drop(later);
    sets_free(s);
    fixture_free(&f);
    schema_free(schema);
}

/* Every byte counts, or nobody minds: after any damage the answers are those of a new build. */
static void test_damage(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    struct err e;
    uint64_t dice = 42;
    unsigned n_refused = 0;
    struct fixture f = world_random(schema, &dice, 40, 12);
    struct sets *s = build(f.w), *again;
    struct buf good = buf_new((size_t)16 << 20);
    write_file(s);
    assert_int_equal(file_read(&good, file, &e), 0);
    for (unsigned i = 0; i < 400; i++) {
        size_t at = test_below(&dice, good.len), len = i % 10 ? good.len : at;
        good.ptr[at] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(file_write_atomic(file, (struct bytes){good.ptr, len}, 0600, &e), 0);
        good.ptr[at] ^= (uint8_t)(1u << i % 8);
        int rc = sets_open(&again, f.w, file, &e);
        if (rc < 0) {
            assert_int_equal(rc, ERR_CONFLICT);
            n_refused++;
            assert_int_equal(sets_get(&again, f.w, str_from(file), &e), 0);
        }
        same_sets(s, again);
        sets_free(again);
    }
    assert_in_range(n_refused, 40, 400);
    sets_free(s);
    buf_free(&good);
    fixture_free(&f);
    schema_free(schema);
}

/* --- later memberships
 * ---------------------------------------------------------------------------------------------- */

static void change_some(struct fixture *f, uint64_t *dice)
{
    for (unsigned n = 1 + test_below(dice, 4); n && f->n_edges; n--)
        if (test_below(dice, 2))
            world_add_members(f, 1, dice);
        else
            f->edges[test_below(dice, f->n_edges)] = f->edges[f->n_edges - 1], f->n_edges--;
}

/* In memory, one change after the other; sometimes by way of the file. */
static void test_update(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    unsigned n_updated = 0, n_changed = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t dice = seed * 65537;
        struct err e;
        struct fixture f = world_random(schema, &dice, 20 + test_below(&dice, 60), 30);
        struct sets *s = build(f.w);
        struct world *last = NULL;
        for (unsigned step = 0; step < 12; step++) {
            bool is_same, by_file = step % 3 == 2;
            change_some(&f, &dice);
            struct world *later = fixture_later(&f);
            struct sets *anew = build(later);
            if (by_file) {
                write_file(s);
                sets_free(s);
                if (sets_map(&s, later, file, true, &is_same, &e) < 0) fail_msg("%s", e.message);
            }
            int rc = sets_update(s, later, &e);
            if (rc < 0) { /* Everyone has joined something */
                assert_int_equal(rc, ERR_CONFLICT);
                sets_free(s);
                s = build(later);
            } else
                n_updated++;
            n_changed += s->n_changed != 0;
            same_sets(s, anew);
            same_answers(s, anew, seed + step);
            sets_free(anew);
            if (last) fixture_drop(last);
            last = later;
        }
        sets_free(s);
        if (last) fixture_drop(last);
        fixture_free(&f);
    }
    print_message("# %u updates, %u of them changed sets\n", n_updated, n_changed);
    assert_true(n_updated > 150 && n_changed > 50);
    schema_free(schema);
}

static void test_update_refuses(void **state)
{
    (void)state;
    struct schema *schema = test_schema("");
    uint64_t dice = 8;
    struct err e;
    struct fixture f = world_random(schema, &dice, 50, 30);
    struct sets *s = build(f.w);
    struct world *later = fixture_later(&f);
    later->n_objects--;
    assert_int_equal(sets_update(s, later, &e), ERR_CONFLICT);
    later->n_objects++;
    assert_int_equal(sets_update(s, later, &e), 0);
    assert_int_equal(s->n_changed, 0);
    sets_free(s);
    fixture_drop(later);
    fixture_free(&f);
    schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back),
                                       cmocka_unit_test(test_another_world), cmocka_unit_test(test_damage),
                                       cmocka_unit_test(test_update), cmocka_unit_test(test_update_refuses)};
    (void)snprintf(file, sizeof file, "/tmp/rollcall-sets-%ld", (long)getpid());
    int n = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(file);
    return n;
}
