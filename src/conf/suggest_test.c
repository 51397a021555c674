#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

static void test_suggestions(void **state)
{
    static const char *const names[] = {
        "host", "port", "username", "password", "extract_disabled_users", "ca", "last_logon", NULL};
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"hosst", "host"},
        {"hsot", "host"},
        {"HOST", "host"},
        {"hots", "host"},
        {"pasword", "password"},
        {"passwrod", "password"},
        {"user_name", "username"},
        {"usrnme", "username"},
        {"extract_disabled_user", "extract_disabled_users"},
        {"exract_dsabled_usrs", "extract_disabled_users"},
        {"lastlogon", "last_logon"},
        {"cb", "ca"},
        {"", NULL},
        {"x", NULL},
        {"xy", NULL},
        {"color", NULL},
        {"token", NULL},
        {"domain", NULL},
        {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        const char *got = did_you_mean(str_from(cases[i].word), names);
        if (!cases[i].meant)
            assert_null(got);
        else if (!got)
            fail_msg("%s: nothing, expected %s", cases[i].word, cases[i].meant);
        else
            assert_string_equal(got, cases[i].meant);
    }
    static const char *const none[] = {NULL};
    assert_null(did_you_mean(STR("host"), none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_suggestions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
