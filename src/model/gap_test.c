#include "model/gap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void round_trip(void **state)
{
    static const struct gap cases[] = {
        {KIND_group, GAP_LOSS, {"3 members do not resolve", 24}, {"CN=g,DC=x", 9}, {"ask again", 9}},
        {KIND_NONE, GAP_INFO, {"continuation reference", 22}, {NULL, 0}, {NULL, 0}},
        {KIND_tenant, GAP_LOSS, {NULL, 0}, {NULL, 0}, {NULL, 0}},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(1000);
        struct gap g;
        struct err e;
        gap_encode(&b, &cases[i]);
        assert_int_equal(gap_decode(&g, buf_bytes(&b), &e), 0);
        assert_int_equal(g.kind, cases[i].kind);
        assert_int_equal(g.severity, cases[i].severity);
        assert_true(str_equal(g.what, cases[i].what));
        assert_true(str_equal(g.where, cases[i].where));
        assert_true(str_equal(g.fix, cases[i].fix));
        for (size_t n = 0; n < b.len; n++) /* no prefix is a gap */
            assert_int_equal(gap_decode(&g, (struct bytes){b.ptr, n}, &e), ERR_PROTO);
        buf_add_byte(&b, 0);
        assert_int_equal(gap_decode(&g, buf_bytes(&b), &e), ERR_PROTO);
        buf_free(&b);
    }
}

static void refuses_odd_numbers(void **state)
{
    struct gap g;
    struct err e;
    assert_int_equal(gap_decode(&g, (struct bytes){(const uint8_t *)"\x11\0\0\0\0", 5}, &e),
                     ERR_PROTO); /* kind 17 */
    assert_int_equal(gap_decode(&g, (struct bytes){(const uint8_t *)"\x01\x02\0\0\0", 5}, &e),
                     ERR_PROTO); /* severity 2 */
    assert_int_equal(gap_decode(&g, (struct bytes){(const uint8_t *)"\x01\x01\0\0\0", 5}, &e), 0);
    assert_string_equal(gap_severity_name(GAP_LOSS), "loss");
    assert_string_equal(gap_severity_name(GAP_INFO), "info");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(refuses_odd_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
