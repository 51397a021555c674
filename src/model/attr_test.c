#include "model/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <strings.h>

static bool is_of_entra(const struct attr_info *a)
{
    return a->id >= ATTR_ACCOUNT_ENABLED && a->id < ATTR_INDEX_SIZE;
}

static void the_table_is_in_order_and_whole(void **state)
{
    for (size_t i = 0; i < n_attr_table; i++) {
        const struct attr_info *a = &attr_table[i];
        if (i) assert_true(a[-1].id < a->id);
        assert_true(a->id > 0 && a->id < ATTR_INDEX_SIZE);
        if (is_of_entra(a))
            assert_true(a->kinds == 0); /* the column is Active Directory's */
        else
            assert_true((a->kinds || a->id == ATTR_HIDDEN_PRIVILEGES) && !(a->kinds & ~KINDS_ALL)); /* that one is never asked for */
        assert_true(a->type <= ATTR_BINARY);
        assert_true(strlen(a->name) < 64);
        for (size_t k = 0; k < i; k++) /* both directories have an employeeId and a securityIdentifier */
            assert_true(strcasecmp(attr_table[k].name, a->name) != 0 || is_of_entra(&attr_table[k]) != is_of_entra(a));
    }
}

static void look_ups_agree_with_the_table(void **state)
{
    for (int id = -1; id < 1000; id++) {
        const struct attr_info *expected = NULL;
        for (size_t i = 0; i < n_attr_table; i++)
            if ((int)attr_table[i].id == id) expected = &attr_table[i];
        assert_ptr_equal(attr_get((enum attr)id), expected);
    }
    for (size_t i = 0; i < n_attr_table; i++) {
        const struct attr_info *first = &attr_table[i]; /* of that name: Active Directory's */
        for (size_t k = i; k--;)
            if (strcasecmp(attr_table[k].name, attr_table[i].name) == 0) first = &attr_table[k];
        char upper[80], lower[80];
        size_t n = strlen(attr_table[i].name);
        for (size_t k = 0; k <= n; k++) {
            char c = attr_table[i].name[k];
            upper[k] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
            lower[k] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        assert_ptr_equal(attr_find(str_from(attr_table[i].name)), first);
        assert_ptr_equal(attr_find(str_from(upper)), first);
        assert_ptr_equal(attr_find(str_from(lower)), first);
        upper[n] = 'X'; /* one character more, one less */
        assert_null(attr_find((struct str){upper, n + 1}));
        const struct attr_info *shorter = attr_find((struct str){lower, n - 1});
        assert_true(!shorter || strlen(shorter->name) == n - 1);
    }
    assert_null(attr_find(STR("")));
    assert_null(attr_find((struct str){NULL, 0}));
    assert_null(attr_find(STR("member")));
    assert_null(attr_find(STR("nTSecurityDescriptor")));
    assert_null(attr_find(STR("\xff\xfe")));
}

/* A sample of the contract of each block: stored numbers, types and behaviour. */
static void numbers_never_change(void **state)
{
    static const struct {
        int number;
        const char *name;
        enum attr_type type;
        bool multi, stat;
    } cases[] = {
        {1, "objectClass", ATTR_STRING, true, false},
        {8, "uSNChanged", ATTR_INT, false, true},
        {20, "sAMAccountName", ATTR_STRING, false, false},
        {23, "userAccountControl", ATTR_INT, false, false},
        {28, "lastLogon", ATTR_TIME, false, true},
        {34, "sIDHistory", ATTR_SID, true, false},
        {75, "manager", ATTR_DN, false, false},
        {90, "groupType", ATTR_INT, false, false},
        {105, "netbootGUID", ATTR_GUID, false, false},
        {131, "maxPwdAge", ATTR_SPAN, false, false},
        {155, "securityIdentifier", ATTR_SID, false, false},
        {162, "flags", ATTR_INT, false, false},
        {200, "accountEnabled", ATTR_BOOL, false, false},
        {217, "securityIdentifier", ATTR_SID, false, false},
        {220, "onPremisesLastSyncDateTime", ATTR_TIME, false, true},
        {249, "owners", ATTR_DN, true, false},
        {297, "countryLetterCode", ATTR_STRING, false, false},
        {300, "isMfaRegistered", ATTR_BOOL, false, false}, /* 300..309 and 310..319: model/keep.h */
        {307, "lastUpdatedDateTime", ATTR_TIME, false, true},
        {312, "lastSuccessfulSignInDateTime", ATTR_TIME, false, true},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        const struct attr_info *a = attr_get((enum attr)cases[i].number);
        assert_non_null(a);
        assert_string_equal(a->name, cases[i].name);
        assert_int_equal(a->type, cases[i].type);
        assert_int_equal(a->is_multi, cases[i].multi);
        assert_int_equal(a->is_stat, cases[i].stat);
    }
    assert_int_equal(ATTR_CUSTOM, 500);
}

static void custom_types(void **state)
{
    enum attr_type type;
    bool multi;
    assert_true(attr_custom_type_parse(&type, &multi, STR("string_list")));
    assert_true(type == ATTR_STRING && multi);
    assert_true(attr_custom_type_parse(&type, &multi, STR("timestamp")));
    assert_true(type == ATTR_TIME && !multi);
    assert_true(attr_custom_type_parse(&type, &multi, STR("binary")) && type == ATTR_BINARY);
    assert_true(attr_custom_type_parse(&type, &multi, STR("integer")) && type == ATTR_INT);
    assert_true(attr_custom_type_parse(&type, &multi, STR("boolean")) && type == ATTR_BOOL);
    assert_false(attr_custom_type_parse(&type, &multi, STR("String")));
    assert_false(attr_custom_type_parse(&type, &multi, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_order_and_whole),
        cmocka_unit_test(look_ups_agree_with_the_table),
        cmocka_unit_test(numbers_never_change),
        cmocka_unit_test(custom_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
