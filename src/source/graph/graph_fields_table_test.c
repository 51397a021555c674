/* The table of fields itself: its order, what is asked for ($select), and the names of Graph that it is found by. */
#include "source/graph/graph_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- names --------------------------------------------------------------------------------------------- */

static void types_of_members(void **state)
{
    static const struct {
        const char *type;
        enum kind kind;
    } cases[] = {
        {"#microsoft.graph.user", KIND_user},
        {"#microsoft.graph.group", KIND_group},
        {"#microsoft.graph.device", KIND_device},
        {"#microsoft.graph.servicePrincipal", KIND_service_principal},
        {"#microsoft.graph.orgContact", KIND_contact},
        {"#microsoft.graph.directoryRole", KIND_role},
        {"#microsoft.graph.administrativeUnit", KIND_administrative_unit},
        {"#microsoft.graph.organization", KIND_tenant},
        {"#microsoft.graph.application", KIND_NONE},
        {"#microsoft.graph.users", KIND_NONE},
        {"#microsoft.graph.", KIND_NONE},
        {"microsoft.graph.user", KIND_NONE},
        {"user", KIND_NONE},
        {"", KIND_NONE},
        {NULL, KIND_NONE},
    };
    for (size_t i = 0; i < n_elements(cases); i++) assert_int_equal(graph_type_kind(cases[i].type), cases[i].kind);
}

static void names_of_methods(void **state)
{
    static const struct {
        const char *name, *kept;
        bool is_second;
    } cases[] = {
        {"#microsoft.graph.fido2AuthenticationMethod", "fido2", true},
        {"#microsoft.graph.microsoftAuthenticatorAuthenticationMethod", "microsoftAuthenticator", true},
        {"#microsoft.graph.phoneAuthenticationMethod", "phone", true},
        {"#microsoft.graph.softwareOathAuthenticationMethod", "softwareOath", true},
        {"#microsoft.graph.hardwareOathAuthenticationMethod", "hardwareOath", true},
        {"#microsoft.graph.windowsHelloForBusinessAuthenticationMethod", "windowsHelloForBusiness", true},
        {"#microsoft.graph.platformCredentialAuthenticationMethod", "platformCredential", true},
        {"#microsoft.graph.externalAuthenticationMethod", "external", true},
        {"#microsoft.graph.temporaryAccessPassAuthenticationMethod", "temporaryAccessPass", false},
        {"#microsoft.graph.qrCodePinAuthenticationMethod", "qrCodePin", false},
        {"#microsoft.graph.passwordAuthenticationMethod", "password", false},
        {"#microsoft.graph.emailAuthenticationMethod", "email", false},
        {"microsoftAuthenticatorPush", "microsoftAuthenticator", true},
        {"softwareOneTimePasscode", "softwareOath", true},
        {"hardwareOneTimePasscode", "hardwareOath", true},
        {"passKeyDeviceBound", "fido2", true},
        {"passKeySynced", "fido2", true},
        {"fido2SecurityKey", "fido2", true},
        {"macOsSecureEnclaveKey", "platformCredential", true},
        {"alternateMobilePhone", "phone", true},
        {"email", "email", false},
        {"securityQuestion", "securityQuestion", false},
        {"none", NULL, false},
        {"unknownFutureValue", NULL, false},
        {"#microsoft.graph.AuthenticationMethod", NULL, false},
        {"", NULL, false},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        bool is_second = !cases[i].is_second;
        const char *kept = graph_method(cases[i].name, &is_second);
        if (cases[i].kept)
            assert_string_equal(kept, cases[i].kept);
        else
            assert_null(kept);
        assert_int_equal(is_second, cases[i].is_second);
    }
}

/* --- the table ----------------------------------------------------------------------------------------- */

static const enum kind entra_kinds[] = {KIND_user,   KIND_group,             KIND_role,   KIND_administrative_unit,
                                        KIND_device, KIND_service_principal, KIND_tenant, KIND_contact};

static void the_table_is_in_order(void **state)
{
    char name[80];
    enum attr attr;
    for (size_t k = 0; k < n_elements(entra_kinds); k++) {
        enum attr last = ATTR_NONE;
        size_t i = 0;
        for (; graph_field(name, entra_kinds[k], i, &attr); i++) {
            assert_non_null(attr_get(attr));
            assert_true(attr > last);
            last = attr;
        }
        assert_true(i > 5);
    }
    assert_null(graph_field(name, KIND_ou, 0, &attr));
    assert_string_equal(graph_field(name, KIND_device, 0, &attr), "displayName");
    assert_int_equal(attr, ATTR_DISPLAY_NAME);
}

/* Every row from 200 on that no code fills is a promise that nobody keeps. */
static void every_attribute_has_a_kind(void **state)
{
    for (size_t a = 0; a < n_attr_table; a++) {
        bool found = attr_table[a].id < ATTR_ACCOUNT_ENABLED;
        for (size_t k = 0; k < n_elements(entra_kinds); k++) {
            char name[80];
            enum attr attr;
            for (size_t i = 0; graph_field(name, entra_kinds[k], i, &attr); i++) found |= attr == attr_table[a].id;
        }
        if (!found) fail_msg("%s", attr_table[a].name);
    }
}

static struct str select_of(struct buf *b, enum kind k, size_t max, size_t part, const char *without)
{
    buf_clear(b);
    return graph_fields_select(b, k, max, part, without);
}

static void selects(void **state)
{
    struct buf b = buf_new(10000);
    assert_true(str_equal(select_of(&b, KIND_administrative_unit, 500, 0, NULL),
                          STR("id,description,displayName,visibility,membershipRule,isMemberManagementRestricted,membershipType")));
    assert_int_equal(select_of(&b, KIND_administrative_unit, 500, 1, NULL).len, 0);
    assert_true(str_equal(select_of(&b, KIND_role, 500, 0, ""), STR("id,description,displayName,templateId,isBuiltIn,isEnabled")));
    assert_true(str_equal(select_of(&b, KIND_role, 500, 0, "description isEnabled id"), STR("id,displayName,templateId,isBuiltIn")));
    assert_true(str_equal(select_of(&b, KIND_role, 500, 0, "descriptio display  "),
                          STR("id,description,displayName,templateId,isBuiltIn,isEnabled")));
    assert_int_equal(select_of(&b, KIND_ou, 500, 0, NULL).len, 0);
    /* what several attributes come from stands once; manager, report and sign-ins do not stand at all */
    assert_true(str_equal(select_of(&b, KIND_contact, 500, 0, NULL),
                          STR("id,displayName,givenName,mail,mailNickname,proxyAddresses,department,addresses,jobTitle,surname,companyName,"
                              "onPremisesSyncEnabled,onPremisesLastSyncDateTime,phones")));
    buf_add_str(&b, STR("?$select="));
    buf_clear(&b);
    buf_add_str(&b, STR("/users?$select="));
    struct str all = graph_fields_select(&b, KIND_user, 10000, 0, NULL);
    assert_true(str_starts(buf_str(&b), STR("/users?$select=id,displayName,userPrincipalName,")));
    assert_true(all.ptr == (const char *)b.ptr + 15 && all.len == b.len - 15);
    assert_null(strstr(buf_cstr(&b), "manager"));
    assert_null(strstr(buf_cstr(&b), "signInActivity"));
    assert_null(strstr(buf_cstr(&b), "Mfa"));
    assert_non_null(strstr(buf_cstr(&b), ",authorizationInfo,"));
    buf_free(&b);
}

/* However long a part may be: the parts hold the whole list in order, each within the limit and with the id. */
static void long_selects_are_split(void **state)
{
    struct buf whole = buf_new(10000), part = buf_new(10000), joined = buf_new(10000);
    for (size_t max = 40; max < 1200; max += 7) {
        size_t n = 0;
        buf_clear(&whole);
        buf_clear(&joined);
        graph_fields_select(&whole, KIND_user, 10000, 0, "city");
        buf_add_str(&joined, STR("id"));
        for (struct str s; (s = select_of(&part, KIND_user, max, n, "city")).len; n++) {
            assert_true(str_starts(s, STR("id,")) && s.len <= max);
            buf_add_str(&joined, (struct str){s.ptr + 2, s.len - 2});
        }
        assert_int_equal(select_of(&part, KIND_user, max, n + 1, "city").len, 0);
        assert_string_equal(buf_cstr(&joined), buf_cstr(&whole));
        assert_true(n * max >= whole.len);
    }
    assert_true(str_equal(select_of(&part, KIND_role, 1, 1, NULL), STR("id,displayName"))); /* too little: one property a part */
    buf_free(&whole);
    buf_free(&part);
    buf_free(&joined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_members),
        cmocka_unit_test(names_of_methods),
        cmocka_unit_test(the_table_is_in_order),
        cmocka_unit_test(every_attribute_has_a_kind),
        cmocka_unit_test(selects),
        cmocka_unit_test(long_selects_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
