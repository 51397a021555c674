/* sorter.h, tape.h, idset.h and idlist.h: what the store puts aside and finds again. */
#include "store/idlist.h"
#include "store/idset.h"
#include "store/sorter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t mixed(uint64_t v)
{
    v = (v ^ v >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return v ^ v >> 32;
}

/* --- sorter ----------------------------------------------------------------------------------- */

static void test_sorter(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 1000, 524288, 524289, 1300000};
    struct err e;
    for (size_t i = 0; i < n_elements(sizes); i++) {
        struct sorter s = sorter_new();
        uint64_t sum = 0, v, last = 0, n = 0;
        for (size_t k = 0; k < sizes[i]; k++) {
            v = mixed(k) >> (k % 3 ? 1 : 40);
            sum += v;
            assert_int_equal(sorter_add(&s, v, &e), 0);
        }
        assert_int_equal(sorter_sort(&s, &e), 0);
        while (sorter_next(&s, &v, &e) == 1) {
            assert_true(!n || v > last);
            last = v;
            sum -= v;
            n++;
        }
        assert_true(n <= sizes[i]);
        if (sizes[i] < 1000) assert_int_equal(sum, 0); /* no doubles in these */
        sorter_free(&s);
    }
}

static void test_sorter_gives_doubles_once(void **state)
{
    (void)state;
    static const uint64_t in[] = {5, 0, 5, UINT64_MAX, 0, 5}, out[] = {0, 5, UINT64_MAX};
    struct sorter s = sorter_new();
    struct err e;
    uint64_t v;
    for (size_t i = 0; i < n_elements(in); i++) assert_int_equal(sorter_add(&s, in[i], &e), 0);
    assert_int_equal(sorter_sort(&s, &e), 0);
    for (size_t i = 0; i < n_elements(out); i++) {
        assert_int_equal(sorter_next(&s, &v, &e), 1);
        assert_true(v == out[i]);
    }
    assert_int_equal(sorter_next(&s, &v, &e), 0);
    sorter_free(&s);
}

/* --- tape ------------------------------------------------------------------------------------- */

static void fill(struct tape *t, uint64_t from, uint64_t n)
{
    struct err e;
    for (uint64_t i = from; i < from + n; i++)
        assert_int_equal(tape_add(t, (struct bytes){(const uint8_t *)&i, sizeof i}, &e), 0);
}

static void check(const struct tape *t, uint64_t n)
{
    struct err e;
    struct bytes b;
    struct tape_reader r = tape_reader_new(t, 0, tape_length(t));
    for (uint64_t i = 0; i < n; i++) {
        assert_int_equal(tape_next(&r, sizeof i, &b, &e), 0);
        assert_memory_equal(b.ptr, &i, sizeof i);
    }
    assert_true(tape_reader_done(&r));
    assert_int_equal(tape_next(&r, 1, &b, &e), ERR_BUG);
    tape_reader_free(&r);
}

static void test_tape(void **state)
{
    (void)state;
    struct err e;
    uint64_t v;
    struct tape t = tape_new();
    check(&t, 0);
    fill(&t, 0, 1000); /* in memory */
    check(&t, 1000);
    fill(&t, 1000, 200000); /* mostly in the file */
    check(&t, 201000);
    assert_int_equal(tape_read(&t, 150000 * 8, &v, sizeof v, &e), 0);
    assert_int_equal(v, 150000);
    assert_int_equal(tape_read(&t, t.out - 4, &v, sizeof v, &e), 0); /* half here, half there */
    assert_int_equal(tape_read(&t, tape_length(&t) - 4, &v, sizeof v, &e), ERR_BUG);
    assert_int_equal(tape_read(&t, UINT64_MAX, &v, sizeof v, &e), ERR_BUG);
    assert_int_equal(tape_cut(&t, 200500 * 8, &e), 0);
    check(&t, 200500);
    assert_int_equal(tape_cut(&t, 100 * 8, &e), 0);
    check(&t, 100);
    fill(&t, 100, 100000);
    check(&t, 100100);
    tape_free(&t);
    struct tape zeroed = {0};
    tape_free(&zeroed);
}

static void test_tape_of_large_pieces(void **state)
{
    (void)state;
    enum { N = 3 << 20 };
    struct err e;
    struct bytes b;
    struct tape t = tape_new();
    uint8_t *piece = malloc(N);
    memset(piece, 7, N);
    for (int i = 0; i < 3; i++) assert_int_equal(tape_add(&t, (struct bytes){piece, N - (size_t)i}, &e), 0);
    struct tape_reader r = tape_reader_new(&t, 0, tape_length(&t));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tape_next(&r, N - i, &b, &e), 0);
        assert_memory_equal(b.ptr, piece, N - i);
    }
    tape_reader_free(&r);
    tape_free(&t);
    free(piece);
}

/* --- sets and lists --------------------------------------------------------------------------- */

static void test_idset(void **state)
{
    (void)state;
    static const uint32_t in[] = {0, 1, 63, 64, 65, 1000000, SIZE_MAX > UINT32_MAX ? 5000000 : 70};
    struct idset s = {0};
    uint32_t at = 0;
    assert_false(idset_has(&s, 0));
    assert_false(idset_next(&s, &at));
    for (size_t i = 0; i < n_elements(in); i++) {
        assert_true(idset_add(&s, in[i]));
        assert_false(idset_add(&s, in[i]));
    }
    for (size_t i = 0; i < n_elements(in); i++, at++) {
        assert_true(idset_next(&s, &at));
        assert_int_equal(at, in[i]);
        assert_true(idset_has(&s, in[i]));
    }
    assert_false(idset_next(&s, &at));
    assert_false(idset_has(&s, 2));
    assert_false(idset_has(&s, UINT32_MAX));
    idset_free(&s);
}

static void test_idlist(void **state)
{
    (void)state;
    static const uint32_t pairs[] = {5, 6, 7, 4000, 4001, 1u << 30, UINT32_MAX};
    struct buf b = buf_new(1000);
    struct idlist_writer w = {&b, 0};
    uint32_t pair;
    for (size_t i = 0; i < n_elements(pairs); i++) idlist_add(&w, pairs[i]);
    struct idlist l = idlist_read(buf_bytes(&b));
    for (size_t i = 0; i < n_elements(pairs); i++) {
        assert_true(idlist_next(&l, &pair));
        assert_int_equal(pair, pairs[i]);
    }
    assert_false(idlist_next(&l, &pair));
    assert_false(l.left.failed);
    assert_int_equal(pair_seq(pair_of(12345, 3)), 12345);
    assert_int_equal(pair_via(pair_of(12345, 3)), 3);
    buf_free(&b);
}

static void test_malformed_idlist(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        size_t n;
    } cases[] = {
        {{0}, 1}, /* no step: a double */
        {{5, 0}, 2},
        {{0x80}, 1},                            /* cut off */
        {{0xff, 0xff, 0xff, 0xff, 0x0f, 1}, 6}, /* beyond 2^32 */
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 7},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct idlist l = idlist_read((struct bytes){cases[i].bytes, cases[i].n});
        uint32_t pair;
        while (idlist_next(&l, &pair)) continue;
        assert_true(l.left.failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorter),
        cmocka_unit_test(test_sorter_gives_doubles_once),
        cmocka_unit_test(test_tape),
        cmocka_unit_test(test_tape_of_large_pieces),
        cmocka_unit_test(test_idset),
        cmocka_unit_test(test_idlist),
        cmocka_unit_test(test_malformed_idlist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
