#include "model/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void names_go_both_ways(void **state)
{
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        const char *name = kind_name((enum kind)k);
        assert_true(strlen(name) > 1);
        assert_true(strlen(kind_plural((enum kind)k)) > 2);
        assert_int_equal(kind_parse(str_from(name)), k);
        assert_true(KINDS_ALL & KIND_BIT(k));
    }
    assert_string_equal(kind_name(KIND_NONE), "none");
    assert_string_equal(kind_name((enum kind)99), "none");
    assert_string_equal(kind_name((enum kind) - 1), "none");
    assert_string_equal(kind_plural((enum kind)99), "nothing");
    assert_int_equal(kind_parse(STR("none")), KIND_NONE);
    assert_int_equal(kind_parse(STR("User")), KIND_NONE);
    assert_int_equal(kind_parse(STR("")), KIND_NONE);
    assert_false(KINDS_ALL & KIND_BIT(KIND_NONE));
    assert_false(KINDS_ALL & KIND_BIT(KIND_COUNT));
}

/* Stored numbers: a change here makes old stores lie. */
static void numbers_never_change(void **state)
{
    static const char *const in_order[] = {"domain",
                                           "ou",
                                           "container",
                                           "group",
                                           "user",
                                           "computer",
                                           "service_account",
                                           "foreign_principal",
                                           "contact",
                                           "trust",
                                           "group_policy",
                                           "role",
                                           "administrative_unit",
                                           "device",
                                           "service_principal",
                                           "tenant"};
    assert_int_equal(n_elements(in_order), KIND_COUNT - 1);
    for (unsigned k = 1; k < KIND_COUNT; k++) assert_string_equal(kind_name((enum kind)k), in_order[k - 1]);
}

static void lists(void **state)
{
    kind_set set;
    struct str bad;
    assert_true(kind_set_parse(&set, STR("user,group"), &bad));
    assert_int_equal(set, KIND_BIT(KIND_user) | KIND_BIT(KIND_group));
    assert_true(kind_set_parse(&set, STR(" user , user "), &bad));
    assert_int_equal(set, KIND_BIT(KIND_user));
    assert_true(kind_set_parse(&set, STR(""), &bad));
    assert_int_equal(set, 0);
    assert_false(kind_set_parse(&set, STR("user,users"), &bad));
    assert_true(str_equal(bad, STR("users")));
    assert_false(kind_set_parse(&set, STR("user,,group"), &bad));
    assert_int_equal(bad.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_go_both_ways),
                                       cmocka_unit_test(numbers_never_change), cmocka_unit_test(lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
