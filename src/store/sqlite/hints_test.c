#include "store/sqlite/hints.h"

#include "store/fixture.h"
#include "store/sqlite/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Against a plain set: names 0..NAMES-1 with one of many, or of very few, hashes each. */
enum { NAMES = 6000, ROUNDS = 12 };

struct model {
    bool has[NAMES];
    uint64_t hint[NAMES];
};

static uint64_t mixed(uint64_t v)
{
    v = (v ^ v >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return v ^ v >> 32;
}

static int note_seq(void *ctx, uint32_t seq, struct err *e)
{
    (void)e;
    ((uint8_t *)ctx)[seq]++;
    return 0;
}

static void check_find(struct sqlite_run *r, const struct model *m, uint32_t i)
{
    static uint8_t found[NAMES + 1];
    struct err e;
    uint64_t low = m->hint[i] & ~(uint64_t)SEQ_MAX;
    memset(found, 0, sizeof found);
    assert_int_equal(hints_find(r->s, r->connector, low, note_seq, found, &e), 0);
    for (uint32_t k = 0; k < NAMES; k++) {
        bool expected = m->has[k] && (m->hint[k] & ~(uint64_t)SEQ_MAX) == low;
        assert_int_equal(found[k + 1], expected);
    }
}

static void check_rows(struct sqlite_run *r, const struct model *m)
{
    sqlite3_stmt *s;
    uint64_t last = 0, n = 0;
    assert_int_equal(
        sqlite3_prepare_v2(r->s->q.db, "SELECT first, hints FROM lookup ORDER BY first", -1, &s, NULL),
        SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct bytes b = sq_col_blob(s, 1);
        assert_true(b.len > 0 && b.len <= 480 * 8);
        for (size_t at = 0; at < b.len; at += 8, n++) {
            uint64_t v;
            memcpy(&v, b.ptr + at, 8);
            if (!at) assert_true(v == (uint64_t)sq_col_int(s, 0));
            assert_true(!n || v > last);
            last = v;
        }
    }
    sqlite3_finalize(s);
    for (size_t i = 0; i < NAMES; i++) n -= m->has[i];
    assert_int_equal(n, 0);
}

static void change_some(struct sqlite_run *r, struct model *m, unsigned round)
{
    struct err e;
    for (uint32_t i = 0; i < NAMES; i++) {
        uint64_t dice = mixed((uint64_t)round << 32 | i) % 100;
        bool add = round == 0 ? dice < 80 : dice < 5,
             drop = round == ROUNDS - 1 || (dice >= 95 && round % 3 == 1);
        if (add && drop && round != ROUNDS - 1) continue;
        if (add)
            assert_int_equal(sorter_add(&r->hints, hint_added(m->hint[i]), &e), 0); /* also if it is there */
        if (drop && !add) assert_int_equal(sorter_add(&r->hints, hint_dropped(m->hint[i]), &e), 0);
        m->has[i] = add || (m->has[i] && !drop);
    }
    assert_int_equal(hints_write(r, &e), 0);
    assert_int_equal(batch_commit(r, &e), 0);
}

static void test_against_a_set(void **state)
{
    (void)state;
    static const uint64_t n_hashes[] = {1, 7, 100000};
    for (size_t how = 0; how < n_elements(n_hashes); how++) {
        struct fixture f;
        static struct model m;
        fixture_open(&f);
        struct sqlite_run *r = run_of(run_start(f.store, "corp", 1));
        for (uint32_t i = 0; i < NAMES; i++) {
            m.has[i] = false;
            m.hint[i] = (mixed(i % n_hashes[how]) >> 31) << SEQ_BITS | (i + 1);
        }
        for (unsigned round = 0; round < ROUNDS; round++) {
            change_some(r, &m, round);
            check_rows(r, &m);
            for (uint32_t i = 0; i < NAMES; i += 997) check_find(r, &m, i);
        }
        store_run_abort(&r->base, &(struct err){.class = ERR_CANCEL}, 2);
        fixture_close(&f);
    }
}

/* An addition wins over a drop of the same, whatever came first. */
static void test_both(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    uint8_t found[8] = {0};
    uint64_t hint = (uint64_t)5 << SEQ_BITS | 3;
    fixture_open(&f);
    struct sqlite_run *r = run_of(run_start(f.store, "corp", 1));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(sorter_add(&r->hints, hint_added(hint), &e), 0);
        assert_int_equal(sorter_add(&r->hints, hint_dropped(hint), &e), 0);
        assert_int_equal(hints_write(r, &e), 0);
        assert_int_equal(batch_commit(r, &e), 0);
    }
    assert_int_equal(hints_find(r->s, r->connector, (uint64_t)5 << SEQ_BITS, note_seq, found, &e), 0);
    assert_int_equal(found[3], 1);
    store_run_abort(&r->base, &(struct err){.class = ERR_CANCEL}, 2);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_a_set), cmocka_unit_test(test_both)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
