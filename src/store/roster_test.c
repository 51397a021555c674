#include "store/roster.h"

#include "store/idlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct hash_key key = {{1, 2, 3}};

static struct dn_list list_of(struct buf *block, const char *text) /* "a b c" */
{
    struct dn_list l = {0};
    struct str rest = str_from(text);
    buf_clear(block);
    while (rest.len) {
        size_t n = str_index(rest, ' ');
        buf_add_lstr(block, (struct bytes){(const uint8_t *)rest.ptr, n});
        l.n++;
        n += n < rest.len;
        rest.ptr += n;
        rest.len -= n;
    }
    l.block = buf_bytes(block);
    return l;
}

static struct hash128 put(struct roster *r, uint32_t seq, struct hash128 old, const char *const *parts,
                          bool *changed)
{
    struct buf block = buf_new(1 << 20);
    struct roster_list out = {.is_changed = false};
    struct err e;
    roster_group(r, seq, old);
    for (; *parts; parts++)
        assert_int_equal(roster_part(r, list_of(&block, *parts), parts[1] != NULL, &out, &e), 0);
    if (changed) *changed = out.is_changed;
    buf_free(&block);
    return out.fingerprint;
}
#define PUT(r, seq, old, changed, ...) put(r, seq, old, (const char *const[]){__VA_ARGS__, NULL}, changed)

static void seen(struct roster *r, struct str dn, uint32_t pair)
{
    roster_seen(r, hash128_of(&key, bytes_of(dn)), pair);
}

static const struct hash128 none = {0, 0};

static void test_fingerprints(void **state)
{
    (void)state;
    struct roster r = roster_new(&key);
    bool changed;
    struct hash128 abc = PUT(&r, 1, none, &changed, "a b c");
    assert_true(changed);
    static const struct {
        const char *parts[4];
        bool changed;
    } cases[] = {
        {{"a b c"}, false},    {{"c a b"}, false}, {{"a", "b", "c"}, false}, {{"", "a b", "c"}, false},
        {{"c b", "a"}, false}, {{"a b"}, true},    {{"a b c d"}, true},      {{"a b C"}, true},
        {{"a b c c"}, true},   {{""}, true},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        put(&r, 2, abc, cases[i].parts, &changed);
        assert_int_equal(changed, cases[i].changed);
    }
    PUT(&r, 3, none, &changed, "");
    assert_false(changed); /* no members before, none now */
    roster_free(&r);
}

static int look_up(void *ctx, struct str dn, uint32_t *pair, struct err *e)
{
    (void)e;
    ++*(unsigned *)ctx;
    *pair = str_equal(dn, STR("late")) ? pair_of(9, 1) : 0;
    return 0;
}

static int each(void *ctx, const struct roster_group *g, struct err *e)
{
    struct buf *out = ctx;
    (void)e;
    buf_printf(out, "%u:", g->seq);
    for (size_t i = 0; i < g->n_pairs; i++) buf_printf(out, " %u", pair_seq((uint32_t)g->pairs[i]));
    struct cursor c = cursor_new(g->missing);
    while (c.in.len) {
        struct bytes b = cursor_lstr(&c);
        buf_printf(out, " ?%.*s", (int)b.len, (const char *)b.ptr);
    }
    buf_printf(out, " (%u)\n", g->n_missing);
    return 0;
}

static void test_resolving(void **state)
{
    (void)state;
    struct roster r = roster_new(&key);
    struct buf out = buf_new(1 << 20);
    struct err e;
    unsigned n = 0;
    struct hash128 known = PUT(&r, 1, none, NULL, "same");
    roster_free(&r);
    r = roster_new(&key);
    PUT(&r, 10, none, NULL, "c a b");
    PUT(&r, 11, none, NULL, "nobody", "a late", "nobody a");
    PUT(&r, 12, known, NULL, "same");
    PUT(&r, 13, none, NULL, "a");
    seen(&r, STR("a"), pair_of(1, 1));
    seen(&r, STR("b"), pair_of(2, 1));
    seen(&r, STR("same"), pair_of(4, 1));
    seen(&r, STR("c"), pair_of(3, 3));
    seen(&r, STR("stranger"), pair_of(5, 1));
    assert_int_equal(roster_unknown(&r, look_up, &n, &e), 0);
    assert_int_equal(n, 2); /* nobody and late, once each */
    assert_int_equal(roster_lists(&r, each, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), "10: 1 2 3 (0)\n11: 1 9 ?nobody ?nobody (2)\n13: 1 (0)\n");
    buf_free(&out);
    roster_free(&r);
}

static int count(void *ctx, const struct roster_group *g, struct err *e)
{
    (void)e;
    size_t *n = ctx;
    n[0] += g->n_pairs;
    n[1] += g->n_missing;
    return 0;
}

static void test_many(void **state)
{
    (void)state;
    enum { N = 50000 };
    struct roster r = roster_new(&key);
    struct buf block = buf_new((size_t)1 << 26);
    struct err e;
    char dn[64];
    struct roster_list list;
    size_t n[2] = {0};
    unsigned looked_up = 0;
    for (uint32_t g = 1; g <= 4; g++) {
        struct dn_list l = {0};
        buf_clear(&block);
        for (unsigned i = 0; i < N; i++, l.n++) {
            snprintf(dn, sizeof dn, "CN=member number %u,DC=corp,DC=example", i);
            buf_add_lstr(&block, bytes_of(str_from(dn)));
        }
        l.block = buf_bytes(&block);
        roster_group(&r, g, none);
        assert_int_equal(roster_part(&r, l, g % 2, &list, &e), 0);
        if (g % 2) assert_int_equal(roster_part(&r, (struct dn_list){0}, false, &list, &e), 0);
    }
    for (unsigned i = 0; i < N; i += 2) {
        snprintf(dn, sizeof dn, "CN=member number %u,DC=corp,DC=example", i);
        seen(&r, str_from(dn), pair_of(i + 1, 1));
    }
    assert_int_equal(roster_unknown(&r, look_up, &looked_up, &e), 0);
    assert_int_equal(roster_lists(&r, count, n, &e), 0);
    assert_int_equal(looked_up, N / 2);
    assert_int_equal(n[0], 4 * N / 2);
    assert_int_equal(n[1], 4 * N / 2);
    buf_free(&block);
    roster_free(&r);
}

/* One member named a hundred thousand times is one member. */
static void test_doubles(void **state)
{
    (void)state;
    struct roster r = roster_new(&key);
    struct buf block = buf_new((size_t)1 << 26);
    struct err e;
    struct roster_list list;
    struct dn_list l = {0};
    size_t n[2] = {0};
    unsigned looked_up = 0;
    for (; l.n < 100000; l.n++) buf_add_lstr(&block, bytes_of(l.n % 1000 ? STR("same") : STR("other")));
    l.block = buf_bytes(&block);
    roster_group(&r, 1, none);
    assert_int_equal(roster_part(&r, l, false, &list, &e), 0);
    seen(&r, STR("same"), pair_of(1, 1));
    seen(&r, STR("other"), pair_of(2, 1));
    assert_int_equal(roster_unknown(&r, look_up, &looked_up, &e), 0);
    assert_int_equal(roster_lists(&r, count, n, &e), 0);
    assert_int_equal(n[0], 2);
    buf_free(&block);
    roster_free(&r);
}

static void test_malformed(void **state)
{
    (void)state;
    struct roster r = roster_new(&key);
    struct roster_list list;
    struct err e;
    static const uint8_t cut[] = {5, 'a', 'b'};
    roster_group(&r, 1, none);
    assert_int_equal(roster_part(&r, (struct dn_list){1, {cut, sizeof cut}}, false, &list, &e), ERR_PROTO);
    roster_group(&r, 1, none);
    assert_int_equal(roster_part(&r, (struct dn_list){3, {cut, 0}}, true, &list, &e), ERR_PROTO);
    roster_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fingerprints), cmocka_unit_test(test_resolving), cmocka_unit_test(test_many),
        cmocka_unit_test(test_doubles),      cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
