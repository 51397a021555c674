#include "model/derive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/testing.h"

#define DAY    ((int64_t)86400000)
#define MINUTE ((int64_t)60000)
#define NOW    ((int64_t)1767225600000) /* 2026-01-01 */

/* --- accounts made by hand ---------------------------------------------------------------------------- */

struct fact {
    enum attr id; /* 0 ends */
    int64_t value;
};

static void derive_from(struct derived *out, const struct fact *facts, const struct domain_info *d)
{
    struct buf state = buf_new(4096), values = buf_new(100);
    struct record r = {.kind = KIND_user};
    struct record_index x;
    struct err e;
    for (; facts->id; facts++) {
        buf_clear(&values);
        body_value_int(&values, facts->value);
        body_add(&state, facts->id, 1, buf_bytes(&values));
    }
    r.state = buf_bytes(&state);
    assert_int_equal(record_index(&x, &r, &e), 0);
    memset(out, 0xff, sizeof *out);
    derive_account(out, &x, d, NOW);
    buf_free(&state);
    buf_free(&values);
}

/* A record with texts and Booleans. */
struct said {
    enum attr id; /* 0 ends */
    const char *text; /* NULL: the Boolean */
    bool yes;
};

static void index_said(struct record_index *x, struct record *r, struct buf *state, enum kind kind, const struct said *said)
{
    struct buf values = buf_new(1000);
    struct err e;
    *r = (struct record){.kind = kind};
    for (; said->id; said++) {
        buf_clear(&values);
        if (said->text)
            body_value_bytes(&values, bytes_of(str_from(said->text)));
        else
            body_value_bool(&values, said->yes);
        body_add(state, said->id, 1, buf_bytes(&values));
    }
    buf_free(&values);
    r->state = buf_bytes(state);
    assert_int_equal(record_index(x, r, &e), 0);
}

#define UAC(v)                                                                                               \
    {                                                                                                        \
        ATTR_USER_ACCOUNT_CONTROL, (v)                                                                       \
    }
static const struct domain_info policy = {.has_policy = true,
                                          .max_pwd_age_ms = 42 * DAY,
                                          .lockout_duration_ms = 30 * MINUTE,
                                          .lockout_threshold = 5};
static const struct domain_info forever = {.has_policy = true}; /* never expires; locked until unlocked */
static const struct domain_info shortest = {
    .has_policy = true, .max_pwd_age_ms = 1, .lockout_duration_ms = 1};
static const struct domain_info unreadable = {.max_pwd_age_ms = 42 * DAY, .lockout_duration_ms = 30 * MINUTE};

static void activity(void **state)
{
    static const struct {
        struct fact facts[2];
        enum tri active;
    } cases[] = {
        {{UAC(0x200)}, TRI_YES},  {{UAC(0x202)}, TRI_NO},
        {{UAC(0x10222)}, TRI_NO}, {{UAC(0x800210)}, TRI_YES}, /* LOCKOUT and PASSWORD_EXPIRED do not matter */
        {{{0}}, TRI_UNKNOWN},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct derived d;
        derive_from(&d, cases[i].facts, &policy);
        assert_int_equal(d.is_active, cases[i].active);
        assert_int_equal(d.privileges, 0);
        assert_int_equal(d.privileges_known, TRI_UNKNOWN);
    }
}

static void locking(void **state)
{
    static const struct {
        struct fact facts[3];
        const struct domain_info *domain;
        enum tri locked;
    } cases[] = {
        {{UAC(0x200)}, &policy, TRI_NO},
        {{UAC(0x210)}, &policy, TRI_NO}, /* userAccountControl never shows it */
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW - MINUTE}}, &policy, TRI_YES},
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW - 30 * MINUTE}},
         &policy,
         TRI_YES}, /* MS-ADTS: up to and with the last moment */
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW - 30 * MINUTE - 1}}, &policy, TRI_NO},
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW - 1000 * DAY}}, &forever, TRI_YES},
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW + DAY}}, &policy, TRI_YES}, /* the DC's clock is ahead */
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, INT64_MAX}}, &policy, TRI_YES},
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW - MINUTE}}, &unreadable, TRI_UNKNOWN},
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW - MINUTE}}, NULL, TRI_UNKNOWN},
        {{UAC(0x200), {ATTR_LOCKOUT_TIME, NOW - MINUTE}}, &shortest, TRI_NO},
        {{UAC(0x200)}, NULL, TRI_NO},
        {{UAC(0x1000), {ATTR_LOCKOUT_TIME, NOW - MINUTE}},
         &policy,
         TRI_NO}, /* trust accounts are never locked out */
        {{UAC(0x2000), {ATTR_LOCKOUT_TIME, NOW - MINUTE}}, &policy, TRI_NO},
        {{UAC(0x800), {ATTR_LOCKOUT_TIME, NOW - MINUTE}}, &policy, TRI_NO},
        {{{ATTR_LOCKOUT_TIME, NOW - MINUTE}}, &policy, TRI_YES},
        {{{ATTR_LOCKOUT_TIME, 0}}, &policy, TRI_UNKNOWN},
        {{{0}}, &policy, TRI_UNKNOWN}, /* nothing is readable */
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct derived d;
        derive_from(&d, cases[i].facts, cases[i].domain);
        assert_int_equal(d.is_locked, cases[i].locked);
    }
}

static void last_logon(void **state)
{
    static const struct {
        struct fact facts[3];
        int64_t ms;
        const char *source;
    } cases[] = {
        {{{0}}, 0, NULL},
        {{{ATTR_LAST_LOGON, NOW}}, NOW, "lastLogon"},
        {{{ATTR_LAST_LOGON_TIMESTAMP, NOW}}, NOW, "lastLogonTimestamp"},
        {{{ATTR_LAST_LOGON, NOW}, {ATTR_LAST_LOGON_TIMESTAMP, NOW - 1}}, NOW, "lastLogon"},
        {{{ATTR_LAST_LOGON, NOW - 1}, {ATTR_LAST_LOGON_TIMESTAMP, NOW}}, NOW, "lastLogonTimestamp"},
        {{{ATTR_LAST_LOGON, NOW}, {ATTR_LAST_LOGON_TIMESTAMP, NOW}}, NOW, "lastLogon"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct derived d;
        derive_from(&d, cases[i].facts, &policy);
        assert_true(d.last_logon_ms == cases[i].ms);
        if (cases[i].source)
            assert_string_equal(d.last_logon_source, cases[i].source);
        else
            assert_null(d.last_logon_source);
    }
}

static void passwords(void **state)
{
    static const struct {
        struct fact facts[4];
        const struct domain_info *domain;
        enum tri expires;
        int64_t at;
        bool must_change;
    } cases[] = {
        {{UAC(0x200), {ATTR_PWD_LAST_SET, NOW}, {ATTR_PASSWORD_EXPIRY, NOW + DAY}},
         &policy,
         TRI_YES,
         NOW + DAY,
         false}, /* the DC knows best */
        {{UAC(0x200), {ATTR_PWD_LAST_SET, NOW}}, &policy, TRI_YES, NOW + 42 * DAY, false},
        {{UAC(0x200), {ATTR_PWD_LAST_SET, NOW}}, &shortest, TRI_YES, NOW + 1, false},
        {{UAC(0x200), {ATTR_PWD_LAST_SET, NOW}}, &forever, TRI_NO, 0, false},
        {{UAC(0x200), {ATTR_PWD_LAST_SET, NOW}}, &unreadable, TRI_UNKNOWN, 0, false},
        {{UAC(0x200), {ATTR_PWD_LAST_SET, NOW}}, NULL, TRI_UNKNOWN, 0, false},
        {{UAC(0x200), {ATTR_PASSWORD_EXPIRY, NOW + DAY}, {ATTR_PWD_LAST_SET, NOW}},
         NULL,
         TRI_YES,
         NOW + DAY,
         false},
        {{UAC(0x200)}, &policy, TRI_UNKNOWN, 0, true},
        {{UAC(0x200), {ATTR_PWD_LAST_SET, 0}}, &policy, TRI_UNKNOWN, 0, true},
        {{UAC(0x200)}, &forever, TRI_NO, 0, true},
        {{UAC(0x10200), {ATTR_PWD_LAST_SET, NOW}, {ATTR_PASSWORD_EXPIRY, NOW}}, &policy, TRI_NO, 0, false},
        {{UAC(0x10200)}, &policy, TRI_NO, 0, false}, /* DONT_EXPIRE: nothing has to be changed */
        {{UAC(0x40200), {ATTR_PWD_LAST_SET, NOW}}, &policy, TRI_NO, 0, false},
        {{UAC(0x1000), {ATTR_PWD_LAST_SET, NOW}}, &policy, TRI_NO, 0, false},
        {{UAC(0x2000), {ATTR_PWD_LAST_SET, NOW}}, &policy, TRI_NO, 0, false},
        {{{ATTR_PWD_LAST_SET, NOW}}, &policy, TRI_UNKNOWN, 0, false}, /* flags unknown: it may never expire */
        {{{ATTR_PASSWORD_EXPIRY, NOW}}, &policy, TRI_YES, NOW, false},
        {{{0}}, &policy, TRI_UNKNOWN, 0, false},
        {{UAC(0x200), {ATTR_PWD_LAST_SET, INT64_MAX - 5}}, &policy, TRI_YES, INT64_MAX, false},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct derived d;
        derive_from(&d, cases[i].facts, cases[i].domain);
        assert_int_equal(d.password_expires, cases[i].expires);
        assert_true(d.password_expires_ms == cases[i].at);
        assert_int_equal(d.must_change_password, cases[i].must_change);
    }
}

/* --- Entra ID ----------------------------------------------------------------------------------------- */

static void entra_accounts(void **state)
{
    static const struct {
        struct said said[3];
        enum tri active, expires;
    } cases[] = {
        {{{ATTR_ACCOUNT_ENABLED, NULL, true}}, TRI_YES, TRI_UNKNOWN},
        {{{ATTR_ACCOUNT_ENABLED, NULL, false}}, TRI_NO, TRI_UNKNOWN},
        {{{0}}, TRI_UNKNOWN, TRI_UNKNOWN},
        {{{ATTR_PASSWORD_POLICIES, "DisablePasswordExpiration", 0}}, TRI_UNKNOWN, TRI_NO},
        {{{ATTR_PASSWORD_POLICIES, "DisableStrongPassword, DisablePasswordExpiration", 0}}, TRI_UNKNOWN, TRI_NO},
        {{{ATTR_PASSWORD_POLICIES, "DisablePasswordExpiration,DisableStrongPassword", 0}}, TRI_UNKNOWN, TRI_NO},
        {{{ATTR_PASSWORD_POLICIES, "DisableStrongPassword", 0}}, TRI_UNKNOWN, TRI_UNKNOWN},
        {{{ATTR_PASSWORD_POLICIES, "None", 0}}, TRI_UNKNOWN, TRI_UNKNOWN},
        {{{ATTR_PASSWORD_POLICIES, "DisablePasswordExpirationNot", 0}}, TRI_UNKNOWN, TRI_UNKNOWN},
        {{{ATTR_PASSWORD_POLICIES, "", 0}}, TRI_UNKNOWN, TRI_UNKNOWN},
        {{{ATTR_PASSWORD_POLICIES, ",,", 0}}, TRI_UNKNOWN, TRI_UNKNOWN},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf body = buf_new(4096);
        struct record r;
        struct record_index x;
        struct derived d;
        index_said(&x, &r, &body, KIND_user, cases[i].said);
        derive_account(&d, &x, NULL, NOW);
        assert_int_equal(d.is_active, cases[i].active);
        assert_int_equal(d.password_expires, cases[i].expires);
        assert_true(d.password_expires_ms == 0 && !d.must_change_password);
        assert_int_equal(d.is_locked, TRI_UNKNOWN);
        buf_free(&body);
    }
}

static void last_sign_in(void **state)
{
    static const struct {
        struct fact facts[4];
        int64_t ms;
        const char *source;
    } cases[] = {
        {{{ATTR_LAST_SIGN_IN, NOW}}, NOW, "lastSignInDateTime"},
        {{{ATTR_LAST_SUCCESSFUL_SIGN_IN, NOW - DAY}}, NOW - DAY, "lastSuccessfulSignInDateTime"},
        /* the other counts failures, so the later of the two is not it */
        {{{ATTR_LAST_SIGN_IN, NOW}, {ATTR_LAST_SUCCESSFUL_SIGN_IN, NOW - DAY}}, NOW - DAY, "lastSuccessfulSignInDateTime"},
        {{{ATTR_LAST_NON_INTERACTIVE, NOW}}, 0, NULL},
        {{{ATTR_LAST_LOGON, NOW - DAY}, {ATTR_LAST_SIGN_IN, NOW}}, NOW - DAY, "lastLogon"}, /* never both */
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct derived d;
        derive_from(&d, cases[i].facts, NULL);
        assert_true(d.last_logon_ms == cases[i].ms);
        if (cases[i].source)
            assert_string_equal(d.last_logon_source, cases[i].source);
        else
            assert_null(d.last_logon_source);
    }
}

#define GLOBAL_ADMINISTRATOR "62e90394-69f5-4237-9190-012177145e10"
#define USER_ADMINISTRATOR   "fe930be7-5e62-47db-91af-98c3a49a38b1"

static void roles(void **state)
{
    static const struct {
        enum kind kind;
        struct said said[4];
        unsigned bits;
    } cases[] = {
        {KIND_role, {{ATTR_ROLE_TEMPLATE_ID, GLOBAL_ADMINISTRATOR, 0}}, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN},
        {KIND_role,
         {{ATTR_ROLE_TEMPLATE_ID, "62E90394-69F5-4237-9190-012177145E10", 0}},
         PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN},
        {KIND_role, {{ATTR_ROLE_TEMPLATE_ID, USER_ADMINISTRATOR, 0}}, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED},
        {KIND_role, {{ATTR_ROLE_TEMPLATE_ID, "e8611ab8-c189-46e8-94e1-60213ab1f814", 0}}, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED},
        {KIND_role, {{ATTR_ROLE_TEMPLATE_ID, "f2ef992c-3afb-46b9-b7cf-a126ee74c451", 0}}, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED},
        {KIND_role, {{ATTR_ROLE_TEMPLATE_ID, "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", 0}}, PRIV_DIRECTORY_ROLE}, /* Directory Readers */
        {KIND_role, {{0}}, PRIV_DIRECTORY_ROLE},
        {KIND_role,
         {{ATTR_ROLE_TEMPLATE_ID, USER_ADMINISTRATOR, 0},
          {ATTR_DIRECTORY_SCOPE_ID, "/administrativeUnits/1", 0},
          {ATTR_ASSIGNMENT_TYPE, "active", 0}},
         PRIV_DIRECTORY_ROLE | PRIV_PROTECTED},
        {KIND_role,
         {{ATTR_ROLE_TEMPLATE_ID, GLOBAL_ADMINISTRATOR, 0}, {ATTR_DIRECTORY_SCOPE_ID, "/", 0}, {ATTR_ASSIGNMENT_TYPE, "active", 0}},
         PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN},
        {KIND_role,
         {{ATTR_ROLE_TEMPLATE_ID, GLOBAL_ADMINISTRATOR, 0}, {ATTR_DIRECTORY_SCOPE_ID, "/x", 0}},
         PRIV_DIRECTORY_ROLE | PRIV_PROTECTED},
        {KIND_role, {{ATTR_ROLE_TEMPLATE_ID, GLOBAL_ADMINISTRATOR, 0}, {ATTR_ASSIGNMENT_TYPE, "eligible", 0}}, 0},
        {KIND_role, {{ATTR_IS_ENABLED, NULL, false}}, 0},
        {KIND_group, {{ATTR_ROLE_TEMPLATE_ID, GLOBAL_ADMINISTRATOR, 0}}, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf body = buf_new(4096);
        struct record r;
        struct record_index x;
        index_said(&x, &r, &body, cases[i].kind, cases[i].said);
        assert_int_equal(derive_role(&x), cases[i].bits);
        buf_free(&body);
    }
}

static void tenant_groups(void **state)
{
    static const struct {
        struct said said[4];
        int64_t type;
        bool is_security;
    } cases[] = {
        {{{0}}, 0, false},
        {{{ATTR_SECURITY_ENABLED, NULL, true}}, TENANT_GROUP_SECURITY, true},
        {{{ATTR_SECURITY_ENABLED, NULL, false}, {ATTR_MAIL_ENABLED, NULL, true}}, TENANT_GROUP_MAIL, false},
        {{{ATTR_GROUP_TYPES, "unified", 0}, {ATTR_SECURITY_ENABLED, NULL, true}, {ATTR_MAIL_ENABLED, NULL, true}},
         TENANT_GROUP_UNIFIED | TENANT_GROUP_MAIL | TENANT_GROUP_SECURITY,
         true},
        {{{ATTR_GROUP_TYPES, "DynamicMembership", 0}, {ATTR_SECURITY_ENABLED, NULL, true}}, TENANT_GROUP_SECURITY, true},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf body = buf_new(4096);
        struct record r;
        struct record_index x;
        index_said(&x, &r, &body, KIND_group, cases[i].said);
        assert_int_equal(derive_tenant_group_type(&x), cases[i].type);
        assert_int_equal(group_type_is_security(cases[i].type), cases[i].is_security);
        buf_free(&body);
    }
}

/* --- groups and flags --------------------------------------------------------------------------------- */

static void privileged_groups(void **state)
{
    static const struct {
        const char *sid;
        unsigned bits;
    } cases[] = {
        {"S-1-5-21-1-2-3-512", PRIV_DOMAIN_ADMIN | PRIV_FULL_ADMIN | PRIV_PROTECTED},
        {"S-1-5-32-544", PRIV_FULL_ADMIN | PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-498", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-516", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-518", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-519", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-520", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-521", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-526", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-527", PRIV_PROTECTED},
        {"S-1-5-32-548", PRIV_PROTECTED},
        {"S-1-5-32-549", PRIV_PROTECTED},
        {"S-1-5-32-550", PRIV_PROTECTED},
        {"S-1-5-32-551", PRIV_PROTECTED},
        {"S-1-5-32-552", PRIV_PROTECTED},
        {"S-1-5-21-1-2-3-513", 0}, /* Domain Users */
        {"S-1-5-21-1-2-3-515", 0}, /* Domain Computers */
        {"S-1-5-21-1-2-3-544", 0}, /* an ordinary group: 544 counts in Builtin only */
        {"S-1-5-21-1-2-3-1104", 0},
        {"S-1-5-21-1-2-4-512", 0}, /* of another domain */
        {"S-1-5-32-512", 0},
        {"S-1-5-32-545", 0},
        {"S-1-5-21-1-2-3", 0},
        {"S-1-5-18", 0},
    };
    struct buf domain = buf_new(100);
    test_add_sid(&domain, "S-1-5-21-1-2-3");
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        test_add_sid(&b, cases[i].sid);
        assert_int_equal(derive_privileged_group(buf_bytes(&b), buf_bytes(&domain)), cases[i].bits);
        buf_free(&b);
    }
    struct buf admins = buf_new(100);
    test_add_sid(&admins, "S-1-5-32-544");
    assert_int_equal(derive_privileged_group(buf_bytes(&admins), (struct bytes){NULL, 0}),
                     PRIV_FULL_ADMIN | PRIV_PROTECTED);
    assert_int_equal(derive_privileged_group((struct bytes){NULL, 0}, buf_bytes(&domain)), 0);
    assert_int_equal(derive_privileged_group((struct bytes){NULL, 0}, (struct bytes){NULL, 0}), 0);
    buf_free(&admins);
    buf_free(&domain);
}

static void join_name(void *ctx, const char *name)
{
    struct buf *b = ctx;
    buf_printf(b, "%s%s", b->len ? " " : "", name);
}

static void flag_names(void **state)
{
    static const struct {
        int64_t uac;
        const char *names;
    } cases[] = {
        {0, ""},
        {0x200, "NORMAL_ACCOUNT"},
        {0x202, "ACCOUNTDISABLE NORMAL_ACCOUNT"},
        {66048, "NORMAL_ACCOUNT DONT_EXPIRE_PASSWORD"},
        {532480, "SERVER_TRUST_ACCOUNT TRUSTED_FOR_DELEGATION"},
        {4194304, "DONT_REQ_PREAUTH"},
        {0x4, ""}, /* no flag */
        {83890176, "WORKSTATION_TRUST_ACCOUNT TRUSTED_TO_AUTH_FOR_DELEGATION PARTIAL_SECRETS_ACCOUNT"},
        {0xfffffff, "SCRIPT ACCOUNTDISABLE HOMEDIR_REQUIRED LOCKOUT PASSWD_NOTREQD PASSWD_CANT_CHANGE "
                    "ENCRYPTED_TEXT_PWD_ALLOWED "
                    "TEMP_DUPLICATE_ACCOUNT NORMAL_ACCOUNT INTERDOMAIN_TRUST_ACCOUNT "
                    "WORKSTATION_TRUST_ACCOUNT SERVER_TRUST_ACCOUNT "
                    "DONT_EXPIRE_PASSWORD MNS_LOGON_ACCOUNT SMARTCARD_REQUIRED TRUSTED_FOR_DELEGATION "
                    "NOT_DELEGATED USE_DES_KEY_ONLY "
                    "DONT_REQ_PREAUTH PASSWORD_EXPIRED TRUSTED_TO_AUTH_FOR_DELEGATION NO_AUTH_DATA_REQUIRED "
                    "PARTIAL_SECRETS_ACCOUNT "
                    "USE_AES_KEYS"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(4096);
        uac_flag_names(cases[i].uac, join_name, &b);
        assert_string_equal(buf_cstr(&b), cases[i].names);
        buf_free(&b);
    }
}

static void group_types(void **state)
{
    static const struct {
        int64_t type;
        const char *name;
        bool security;
    } cases[] = {
        {-2147483646, "Global Security", true},
        {-2147483644, "Domain Local Security", true},
        {-2147483640, "Universal Security", true},
        {-2147483643, "Builtin Local Security", true},
        {2, "Global Distribution", false},
        {4, "Domain Local Distribution", false},
        {8, "Universal Distribution", false},
        {0x80000002, "Global Security", true}, /* as an unsigned reader would give it */
        {0x10, "Application Basic", false},
        {0x20, "Application Query", false},
        {0, "", false},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_string_equal(group_type_name(cases[i].type), cases[i].name);
        assert_int_equal(group_type_is_security(cases[i].type), cases[i].security);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activity),    cmocka_unit_test(locking),           cmocka_unit_test(last_logon),
        cmocka_unit_test(passwords),   cmocka_unit_test(privileged_groups), cmocka_unit_test(flag_names),
        cmocka_unit_test(group_types), cmocka_unit_test(entra_accounts),    cmocka_unit_test(last_sign_in),
        cmocka_unit_test(roles), cmocka_unit_test(tenant_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
