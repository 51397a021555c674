#include "model/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void names_go_both_ways(void **state)
{
    static const char *const in_order[] = {"created", "modified", "moved",        "renamed",
                                           "deleted", "restored", "member_added", "member_removed"};
    for (unsigned t = 1; t <= n_elements(in_order); t++) { /* stored numbers */
        assert_string_equal(change_type_name((enum change_type)t), in_order[t - 1]);
        assert_int_equal(change_type_parse(str_from(in_order[t - 1])), t);
    }
    assert_string_equal(change_type_name((enum change_type)0), "");
    assert_string_equal(change_type_name((enum change_type)9), "");
    assert_int_equal(change_type_parse(STR("")), 0);
    assert_int_equal(change_type_parse(STR("Created")), 0);
}

static void evidence(void **state)
{
    assert_string_equal(evidence_name(EVIDENCE_NONE), "");
    assert_string_equal(evidence_name(EVIDENCE_DELETED), "deleted");
    assert_string_equal(evidence_name(EVIDENCE_VANISHED), "vanished");
    assert_string_equal(evidence_name((enum evidence)3), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_go_both_ways), cmocka_unit_test(evidence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
