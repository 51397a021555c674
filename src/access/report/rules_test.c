#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/report/report_int.h"
#include "access/testing.h"
#include "base/when.h"

#define NOW        ((int64_t)1767225600000) /* 2026-01-01 */
#define AGO(days)  (NOW - (days)*WHEN_DAY_MS)
#define NORMAL     0x200

/* An attribute: text where text is set, else a number. Ascending. */
struct given {
    enum attr id;
    int64_t number;
    const char *text, *second;
};
#define UAC(v)   {ATTR_USER_ACCOUNT_CONTROL, v, NULL, NULL}
#define N(a, v)  {ATTR_##a, v, NULL, NULL}
#define T(a, v)  {ATTR_##a, 0, v, NULL}
#define AD       false
#define ENTRA    true
#define NONE     NULL /* no finding */

static const struct {
    rule_test *test;
    bool is_tenant;
    unsigned privileges;
    enum kind kind; /* 0: user */
    struct given given[6];
    const char *want;
} cases[] = {
    /* unused */
    {rule_unused, AD, 0, 0, {UAC(NORMAL), N(LAST_LOGON, AGO(91))}, "last used 2025-10-02"},
    {rule_unused, AD, 0, 0, {UAC(NORMAL), N(LAST_LOGON, AGO(90))}, NONE},
    {rule_unused, AD, 0, 0, {UAC(NORMAL), N(LAST_LOGON, AGO(200)), N(LAST_LOGON_TIMESTAMP, AGO(10))}, NONE},
    {rule_unused, AD, 0, 0, {N(WHEN_CREATED, AGO(3)), UAC(NORMAL)}, "never used, made 2025-12-29"},
    {rule_unused, AD, 0, 0, {UAC(NORMAL | UAC_ACCOUNTDISABLE)}, NONE},
    {rule_unused, AD, 0, 0, {N(LAST_LOGON, AGO(91))}, NONE}, /* its flags were not readable: perhaps its logons were not either */
    {rule_unused, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 1), N(LAST_SIGN_IN, AGO(91))}, "last used 2025-10-02"},
    {rule_unused, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 1), N(LAST_SIGN_IN, AGO(91)), N(LAST_NON_INTERACTIVE, AGO(1))}, NONE},
    {rule_unused, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 0), N(LAST_SIGN_IN, AGO(91))}, NONE},
    {rule_never_used, AD, 0, 0, {N(WHEN_CREATED, AGO(3)), UAC(NORMAL)}, "made 2025-12-29"},
    {rule_never_used, AD, 0, 0, {UAC(NORMAL), N(LAST_LOGON, AGO(900))}, NONE},
    {rule_never_used, AD, 0, 0, {UAC(NORMAL), N(LOGON_COUNT, 1)}, NONE},
    /* passwords */
    {rule_never_expires, AD, 0, 0, {UAC(NORMAL | UAC_DONT_EXPIRE_PASSWORD), N(PWD_LAST_SET, AGO(1))}, "password of 2025-12-31"},
    {rule_never_expires, AD, 0, 0, {UAC(NORMAL)}, NONE},
    {rule_never_expires, AD, 0, 0, {UAC(NORMAL | UAC_DONT_EXPIRE_PASSWORD | UAC_ACCOUNTDISABLE)}, NONE},
    {rule_never_expires, AD, 0, 0, {UAC(NORMAL | UAC_DONT_EXPIRE_PASSWORD), T(SERVICE_PRINCIPAL_NAME, "a/b")}, NONE},
    {rule_never_expires, AD, 0, 0, {UAC(NORMAL | UAC_DONT_EXPIRE_PASSWORD), T(EMPLOYEE_TYPE, "Service account")}, NONE},
    {rule_technical_never_expires, AD, 0, 0, {UAC(NORMAL | UAC_DONT_EXPIRE_PASSWORD), T(SERVICE_PRINCIPAL_NAME, "a/b")}, ""},
    {rule_technical_never_expires, AD, 0, 0, {UAC(NORMAL | UAC_DONT_EXPIRE_PASSWORD)}, NONE},
    {rule_never_expires, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 1), T(PASSWORD_POLICIES, "DisableStrongPassword, DisablePasswordExpiration")}, ""},
    {rule_never_expires, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 1), T(PASSWORD_POLICIES, "DisableStrongPassword")}, NONE},
    {rule_old_password, AD, 0, 0, {UAC(NORMAL), N(PWD_LAST_SET, AGO(91))}, "password of 2025-10-02"},
    {rule_old_password, AD, 0, 0, {UAC(NORMAL), N(PWD_LAST_SET, AGO(90))}, NONE},
    {rule_old_password, AD, 0, 0, {UAC(NORMAL)}, NONE}, /* must be set at the next logon */
    {rule_old_password, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 1), T(USER_TYPE, "Guest"), N(LAST_PASSWORD_CHANGE, AGO(400))}, NONE}, /* not kept here */
    {rule_bad_attempts, AD, 0, 0, {N(BAD_PWD_COUNT, 20)}, NONE},
    {rule_bad_attempts, AD, 0, 0, {N(BAD_PWD_COUNT, 21)}, "21 attempts"},
    {rule_bad_attempts, AD, 0, 0, {N(BAD_PWD_COUNT, 22), N(BAD_PASSWORD_TIME, AGO(1))}, "22 attempts, last 2025-12-31"},
    {rule_no_password, AD, 0, 0, {UAC(NORMAL | UAC_PASSWD_NOTREQD)}, "no password was ever set"},
    {rule_no_password, AD, 0, 0, {UAC(NORMAL | UAC_PASSWD_NOTREQD), N(PWD_LAST_SET, AGO(1))}, "a password was set"},
    {rule_no_password, AD, 0, 0, {UAC(NORMAL | UAC_PASSWD_NOTREQD | UAC_ACCOUNTDISABLE)}, NONE},
    {rule_reversible, AD, 0, 0, {UAC(NORMAL | 0x80)}, ""},
    {rule_reversible, AD, 0, 0, {UAC(NORMAL)}, NONE},
    {rule_locked, AD, 0, 0, {UAC(NORMAL), N(LOCKOUT_TIME, NOW - 60000)}, "since 2025-12-31"},
    {rule_locked, AD, 0, 0, {UAC(NORMAL), N(LOCKOUT_TIME, AGO(2))}, NONE}, /* it was over after a day */
    {rule_locked, AD, 0, 0, {UAC(NORMAL)}, NONE},
    /* names, dates */
    {rule_no_name, AD, 0, 0, {UAC(NORMAL)}, ""},
    {rule_no_name, AD, 0, 0, {T(DISPLAY_NAME, "A"), UAC(NORMAL)}, NONE},
    {rule_no_name, AD, 0, 0, {UAC(NORMAL), T(GIVEN_NAME, "A")}, ""},
    {rule_no_name, AD, 0, 0, {UAC(NORMAL), T(GIVEN_NAME, "A"), T(SN, "B")}, NONE},
    {rule_no_name, ENTRA, 0, 0, {T(GIVEN_NAME, "A"), N(ACCOUNT_ENABLED, 1), T(SURNAME, "B")}, NONE},
    {rule_created_late, ENTRA, 0, 0, {N(CREATED, AGO(0)), N(HIRE_DATE, AGO(8))}, "made 2026-01-01, first day 2025-12-24"},
    {rule_created_late, ENTRA, 0, 0, {N(CREATED, AGO(0)), N(HIRE_DATE, AGO(7))}, NONE},
    {rule_created_late, ENTRA, 0, 0, {N(CREATED, AGO(0))}, NONE},
    /* privileged */
    {rule_privileged_disabled, AD, PRIV_PROTECTED, 0, {UAC(NORMAL | UAC_ACCOUNTDISABLE)}, ""},
    {rule_privileged_disabled, AD, PRIV_PROTECTED, 0, {UAC(NORMAL)}, NONE},
    {rule_privileged_disabled, AD, 0, 0, {UAC(NORMAL | UAC_ACCOUNTDISABLE)}, NONE},
    {rule_privileged_disabled, AD, 0, 0, {UAC(NORMAL | UAC_ACCOUNTDISABLE), N(HIDDEN_PRIVILEGES, PRIV_PROTECTED)}, ""},
    {rule_privileged_unused, AD, PRIV_PROTECTED, 0, {UAC(NORMAL), N(LAST_LOGON, AGO(91))}, "last used 2025-10-02"},
    {rule_privileged_unused, AD, 0, 0, {UAC(NORMAL), N(LAST_LOGON, AGO(91))}, NONE},
    {rule_privileged_never_expires, AD, PRIV_PROTECTED, 0, {UAC(NORMAL), N(PWD_LAST_SET, AGO(91))}, "password of 2025-10-02"},
    {rule_privileged_spn, AD, PRIV_PROTECTED, 0, {UAC(NORMAL), T(SERVICE_PRINCIPAL_NAME, "a/b")}, "a/b"},
    {rule_privileged_spn, AD, 0, 0, {UAC(NORMAL), T(SERVICE_PRINCIPAL_NAME, "a/b")}, NONE},
    {rule_privileged_delegable, AD, PRIV_PROTECTED, 0, {UAC(NORMAL)}, ""},
    {rule_privileged_delegable, AD, PRIV_PROTECTED, 0, {UAC(NORMAL | UAC_NOT_DELEGATED)}, NONE},
    {rule_left_behind, AD, 0, 0, {N(ADMIN_COUNT, 1)}, "adminCount is 1"},
    {rule_left_behind, AD, 0, 0, {N(ADMIN_COUNT, 0)}, NONE},
    {rule_left_behind, AD, PRIV_PROTECTED, 0, {N(ADMIN_COUNT, 1)}, NONE},
    /* Kerberos */
    {rule_kerberoastable, AD, 0, 0, {UAC(NORMAL), {ATTR_SERVICE_PRINCIPAL_NAME, 0, "a/b", "c/d"}}, "a/b, c/d"},
    {rule_kerberoastable, AD, 0, 0, {UAC(NORMAL | UAC_ACCOUNTDISABLE), T(SERVICE_PRINCIPAL_NAME, "kadmin/changepw")}, NONE}, /* krbtgt */
    {rule_asrep, AD, 0, 0, {UAC(NORMAL | UAC_DONT_REQ_PREAUTH)}, ""},
    {rule_asrep, AD, 0, 0, {UAC(NORMAL)}, NONE},
    {rule_unconstrained, AD, 0, KIND_computer, {UAC(UAC_WORKSTATION_TRUST_ACCOUNT | UAC_TRUSTED_FOR_DELEGATION)}, ""},
    {rule_unconstrained, AD, 0, KIND_computer, {UAC(UAC_SERVER_TRUST_ACCOUNT | UAC_TRUSTED_FOR_DELEGATION)}, NONE}, /* a controller */
    {rule_protocol_transition, AD, 0, 0, {UAC(NORMAL | UAC_TRUSTED_TO_AUTH_FOR_DELEGATION), T(ALLOWED_TO_DELEGATE_TO, "cifs/x")}, "cifs/x"},
    {rule_protocol_transition, AD, 0, 0, {UAC(NORMAL | UAC_TRUSTED_TO_AUTH_FOR_DELEGATION)}, NONE},
    {rule_protocol_transition, AD, 0, 0, {UAC(NORMAL), T(ALLOWED_TO_DELEGATE_TO, "cifs/x")}, NONE},
    {rule_resource_based, AD, 0, 0, {UAC(NORMAL), T(ALLOWED_TO_ACT, "no descriptor")}, "its descriptor is malformed"},
    {rule_resource_based, AD, 0, 0, {UAC(NORMAL)}, NONE},
    {rule_des, AD, 0, 0, {UAC(NORMAL | 0x200000)}, ""},
    /* a tenant */
    {rule_admin_without_mfa, ENTRA, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN, 0, {N(ACCOUNT_ENABLED, 1), N(IS_MFA_REGISTERED, 0)}, "Global Administrator"},
    {rule_admin_without_mfa, ENTRA, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED, 0, {N(ACCOUNT_ENABLED, 1), N(IS_MFA_REGISTERED, 0)}, "a privileged role"},
    {rule_admin_without_mfa, ENTRA, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED, 0, {N(ACCOUNT_ENABLED, 1), N(IS_MFA_REGISTERED, 1)}, NONE},
    {rule_admin_without_mfa, ENTRA, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED, 0, {N(ACCOUNT_ENABLED, 1)}, NONE}, /* not known */
    {rule_user_without_mfa, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 1), T(USER_TYPE, "Guest"), N(IS_MFA_REGISTERED, 0)}, "guest"},
    {rule_user_without_mfa, ENTRA, 0, 0, {N(ACCOUNT_ENABLED, 0), N(IS_MFA_REGISTERED, 0)}, NONE},
    {rule_guest_admin, ENTRA, PRIV_DIRECTORY_ROLE, 0, {N(ACCOUNT_ENABLED, 1), T(USER_TYPE, "Guest")}, "a directory role"},
    {rule_guest_admin, ENTRA, PRIV_DIRECTORY_ROLE, 0, {N(ACCOUNT_ENABLED, 1), T(USER_TYPE, "Member")}, NONE},
    {rule_disabled_admin, ENTRA, PRIV_DIRECTORY_ROLE, 0, {N(ACCOUNT_ENABLED, 0)}, "a directory role"},
    {rule_unused_admin, ENTRA, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED, 0, {N(ACCOUNT_ENABLED, 1)}, "never used; a privileged role"},
    {rule_app_admin, ENTRA, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED, KIND_service_principal, {N(ACCOUNT_ENABLED, 1)}, "a privileged role"},
    {rule_app_admin, ENTRA, PRIV_DIRECTORY_ROLE, KIND_service_principal, {N(ACCOUNT_ENABLED, 1)}, NONE},
    {rule_synced_admin, ENTRA, PRIV_PROTECTED, 0, {N(SYNC_ENABLED, 1)}, "a privileged role"},
    {rule_synced_admin, ENTRA, PRIV_PROTECTED, 0, {N(SYNC_ENABLED, 0)}, NONE},
    {rule_pending_guest, ENTRA, 0, 0, {N(CREATED, AGO(31)), T(EXTERNAL_USER_STATE, "PendingAcceptance")}, "invited 2025-12-01"},
    {rule_pending_guest, ENTRA, 0, 0, {N(CREATED, AGO(29)), T(EXTERNAL_USER_STATE, "PendingAcceptance")}, NONE},
    {rule_pending_guest, ENTRA, 0, 0, {N(CREATED, AGO(31)), T(EXTERNAL_USER_STATE, "Accepted")}, NONE},
    {rule_role_group_owned, ENTRA, 0, KIND_group, {N(IS_ASSIGNABLE_TO_ROLE, 1), {ATTR_OWNERS, 0, "a", "b"}}, "2 owners: "},
    {rule_role_group_owned, ENTRA, 0, KIND_group, {N(IS_ASSIGNABLE_TO_ROLE, 1)}, NONE},
    {rule_role_group_owned, ENTRA, 0, KIND_group, {N(IS_ASSIGNABLE_TO_ROLE, 0), T(OWNERS, "a")}, NONE},
    {rule_secret_expires, ENTRA, 0, KIND_service_principal, {T(PASSWORD_CREDENTIALS, "id 2026-01-15T00:00:00Z ci secret")}, "secret 'ci secret' expires 2026-01-15"},
    {rule_secret_expires, ENTRA, 0, KIND_service_principal, {T(PASSWORD_CREDENTIALS, "id 2025-01-15T00:00:00Z x"), T(KEY_CREDENTIALS, "id 2026-01-02T00:00:00Z")},
     "secret 'x' expired 2025-01-15, certificate 'id' expires 2026-01-02"},
    {rule_secret_expires, ENTRA, 0, KIND_service_principal, {T(PASSWORD_CREDENTIALS, "id 2026-03-15T00:00:00Z later")}, NONE},
    {rule_secret_expires, ENTRA, 0, KIND_service_principal, {T(PASSWORD_CREDENTIALS, "id - never")}, NONE},
    {rule_secret_expires, ENTRA, 0, KIND_service_principal, {T(PASSWORD_CREDENTIALS, "id")}, NONE},
};

static void add_given(struct buf *body, const struct given *g)
{
    struct buf values = buf_new(4096);
    const struct attr_info *info = attr_get(g->id);
    if (g->text)
        body_value_bytes(&values, bytes_of(str_from(g->text)));
    else if (info->type == ATTR_BOOL)
        body_value_bool(&values, g->number != 0);
    else
        body_value_int(&values, g->number);
    if (g->second) body_value_bytes(&values, bytes_of(str_from(g->second)));
    body_add(body, g->id, g->second ? 2 : 1, buf_bytes(&values));
    buf_free(&values);
}

/* The finding, or NULL. */
static const char *asked(size_t i, struct buf *detail)
{
    struct buf state = buf_new(4096), stats = buf_new(4096);
    struct report_place_of place = {.has_sign_ins = true, .domain = {.has_policy = true, .lockout_duration_ms = WHEN_DAY_MS}};
    struct entity entity = {.record = {.kind = cases[i].kind ? cases[i].kind : KIND_user}, .name = STR("alice"), .privileges = cases[i].privileges};
    struct record_index index;
    struct derived derived;
    struct report_entity x;
    struct err e;
    place.told.is_tenant = cases[i].is_tenant;
    place.told.as_of_ms = NOW;
    for (size_t k = 0; k < n_elements(cases[i].given) && cases[i].given[k].id; k++)
        add_given(attr_get(cases[i].given[k].id)->is_stat ? &stats : &state, &cases[i].given[k]);
    entity.record.state = buf_bytes(&state);
    entity.record.stats = buf_bytes(&stats);
    assert_int_equal(record_index(&index, &entity.record, &e), 0);
    report_entity_fill(&x, &place, &entity, &index, &derived);
    bool is_hit = cases[i].test(&x, detail);
    buf_free(&state);
    buf_free(&stats);
    return is_hit ? buf_cstr(detail) : NULL;
}

static void tests_find_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf detail = buf_new(4096);
        const char *got = asked(i, &detail);
        if (!got != !cases[i].want || (got && strcmp(got, cases[i].want) != 0))
            fail_msg("case %zu: wanted %s, got %s", i, cases[i].want ? cases[i].want : "nothing", got ? got : "nothing");
        buf_free(&detail);
    }
}

static void nobody_is_unused_where_no_sign_in_was_read(void **state)
{
    (void)state;
    struct report_place_of place = {.told = {.is_tenant = true, .as_of_ms = NOW}};
    struct buf b = buf_new(4096);
    struct given enabled = N(ACCOUNT_ENABLED, 1);
    add_given(&b, &enabled);
    struct entity entity = {.record = {.kind = KIND_user, .state = buf_bytes(&b)}};
    struct record_index index;
    struct derived derived;
    struct report_entity x;
    struct err e;
    struct buf detail = buf_new(4096);
    assert_int_equal(record_index(&index, &entity.record, &e), 0);
    report_entity_fill(&x, &place, &entity, &index, &derived);
    assert_false(rule_unused(&x, &detail) || rule_never_used(&x, &detail));
    place.has_sign_ins = true;
    assert_true(rule_unused(&x, &detail) && rule_never_used(&x, &detail));
    buf_free(&b);
    buf_free(&detail);
}

/* The table says of each rule all that a reader needs, and the passes are what they can be. */
static void rules_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < report_n; i++) {
        const struct report_rule *r = &report_rules[i];
        assert_int_equal(report_find(str_from(r->id)), i);
        assert_true(strlen(r->title) > 10 && strlen(r->why) > 5 && strlen(r->fix) > 5 && r->kinds && r->place);
        assert_int_equal(r->pass == PASS_ENTITIES, r->test != NULL);
        assert_int_equal(r->pass == PASS_NEVER, r->needs != NULL);
    }
    assert_int_equal(report_find(STR("acc_01")), RULE_ACC_01);
    assert_true(report_find(STR("ACC_99")) == SIZE_MAX && report_find(STR("")) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tests_find_what_they_say), cmocka_unit_test(nobody_is_unused_where_no_sign_in_was_read),
                                       cmocka_unit_test(rules_are_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
