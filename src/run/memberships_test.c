#include "run/memberships.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void add(struct memberships *m, uint32_t group, unsigned first, unsigned step, unsigned n)
{
    struct buf block = buf_new((size_t)1 << 26);
    struct err e;
    char id[64];
    for (unsigned i = 0; i < n; i++) {
        snprintf(id, sizeof id, "00000000-0000-4000-8000-%012u", first + i * step);
        buf_add_lstr(&block, bytes_of(str_from(id)));
    }
    assert_int_equal(memberships_add(m, group, (struct dn_list){n, buf_bytes(&block)}, &e), 0);
    buf_free(&block);
}

static void check(struct memberships *m, unsigned who, size_t n, const uint32_t *expected)
{
    const uint32_t *groups;
    size_t found;
    struct err e;
    char id[64];
    snprintf(id, sizeof id, "00000000-0000-4000-8000-%012u", who);
    assert_int_equal(memberships_of(m, str_from(id), &groups, &found, &e), 0);
    assert_int_equal(found, n);
    if (n) assert_memory_equal(groups, expected, n * sizeof *groups);
}

static void test_few(void **state)
{
    struct memberships m = memberships_new();
    struct err e;
    add(&m, 0, 1, 1, 3);   /* 1 2 3 */
    add(&m, 7, 3, 1, 1);   /* 3 */
    add(&m, 7, 3, 1, 2);   /* 3 again, 4: another part of the list */
    add(&m, 300, 3, 0, 2); /* 3, twice */
    add(&m, 301, 1, 1, 0);
    assert_int_equal(memberships_complete(&m, &e), 0);
    check(&m, 1, 1, (const uint32_t[]){0});
    check(&m, 3, 3, (const uint32_t[]){0, 7, 300});
    check(&m, 4, 1, (const uint32_t[]){7});
    check(&m, 5, 0, NULL);
    memberships_free(&m);
}

static void test_none(void **state)
{
    struct memberships m = memberships_new();
    struct err e;
    assert_int_equal(memberships_complete(&m, &e), 0);
    check(&m, 1, 0, NULL);
    memberships_free(&m);
    memberships_free(&m); /* legal */
}

static void test_too_late(void **state)
{
    struct memberships m = memberships_new();
    struct err e;
    assert_int_equal(memberships_complete(&m, &e), 0);
    assert_int_equal(memberships_add(&m, 1, (struct dn_list){0}, &e), 0);
    assert_int_equal(memberships_add(&m, 1, (struct dn_list){1, bytes_of(STR("\1a"))}, &e), ERR_PROTO);
    memberships_free(&m);
}

/* More pairs than a piece of the sorter and more lists than the tape's memory hold; asked in another order. */
static void test_many(void **state)
{
    enum { PEOPLE = 120000, GROUPS = 700 };
    struct memberships m = memberships_new();
    struct err e;
    /* whoever is divisible by g + 1 is in group g; people are first met in no order of theirs */
    for (unsigned g = GROUPS; g-- > 0;) add(&m, g, 0, g + 1, (PEOPLE + g) / (g + 1));
    assert_int_equal(memberships_complete(&m, &e), 0);
    for (unsigned k = 0; k < 6000; k++) {
        unsigned who = k % 3 ? k * 7919u % PEOPLE : PEOPLE - 1 - k;
        uint32_t expected[GROUPS];
        size_t n = 0;
        for (uint32_t g = 0; g < GROUPS; g++)
            if (who % (g + 1) == 0) expected[n++] = g;
        check(&m, who, n, expected);
    }
    check(&m, PEOPLE, 0, NULL);
    memberships_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_few), cmocka_unit_test(test_none), cmocka_unit_test(test_too_late),
                                       cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
