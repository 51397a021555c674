/* What OCSF is told of a tenant, attribute by attribute and version by version. */
#include "map/event.h"
#include "map/ocsf_check.h"
#include "map/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const versions[] = {"1.1.0", "1.6.0", "1.8.0"};

static struct dialect *open_ocsf(const char *version, struct dialect_options o)
{
    struct err e;
    struct dialect *d;
    o.is_tenant = true;
    o.ocsf_version = str_from(version);
    o.context = (struct event_context){STR("cloud"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"};
    if (dialect_open(&d, STR("ocsf"), &o, &e) < 0) fail_msg("%s", e.message);
    return d;
}

/* One event, checked and read. NULL if there is none. */
static json_t *event_of(struct sample *a, const char *version)
{
    struct err e;
    struct dialect *d = open_ocsf(version, (struct dialect_options){0});
    struct buf out = buf_new((size_t)32 << 20);
    if (dialect_entity(d, &a->s, &out, &e) < 0) fail_msg("%s", e.message);
    json_t *event = NULL;
    if (out.len) {
        assert_int_equal(ocsf_check_lines(buf_str(&out), version, "event"), 1);
        event = json_loadb((const char *)out.ptr, out.len, 0, NULL);
    }
    buf_free(&out);
    dialect_close(d);
    return event;
}

static struct sample *new_entity(enum kind k)
{
    struct sample *a = sample_entra_new(k, 9);
    sample_text(a, ATTR_DISPLAY_NAME, "Ann");
    return a;
}

/* --- one attribute, one place: by version -------------------------------------------------------- */
struct place {
    enum kind kind;
    enum attr id;
    const char *text; /* or */
    int64_t number;
    const char *path, *in_1_1, *in_1_6, *in_1_8; /* JSON; "" absent */
};

#define SAME(x)       x, x, x
#define SAME_TWICE(x) x, x
#define U             KIND_user
#define FACTS         "enrichments[0].data." /* where nothing else is known */
static const struct place places[] = {
    {U, ATTR_USER_PRINCIPAL_NAME, "ann@x.example", 0, "user.name", SAME("\"ann@x.example\"")},
    {U, ATTR_USER_PRINCIPAL_NAME, "ann@x.example", 0, "user.account.name", SAME("\"ann@x.example\"")},
    {U, ATTR_USER_PRINCIPAL_NAME, "a@b@x.example", 0, "user.domain", SAME("\"x.example\"")},
    {U, ATTR_USER_PRINCIPAL_NAME, "ann", 0, "user.domain", SAME("")},
    {U, ATTR_USER_PRINCIPAL_NAME, "ann@", 0, "user.domain", SAME("")},
    {U, ATTR_JOB_TITLE, "Boss", 0, "user.name", SAME("\"Ann\"")}, /* no UPN */
    {U, ATTR_MAIL, "a@b.example", 0, "user.email_addr", SAME("\"a@b.example\"")},
    {U, ATTR_MAIL, "o'a@b.example", 0, "user.email_addr", "", "\"o'a@b.example\"", "\"o'a@b.example\""},
    {U, ATTR_MAIL, "o'a@b.example", 0, FACTS "mail", "\"o'a@b.example\"", "", ""},
    {U, ATTR_MAIL_NICKNAME, "ann", 0, "user.email_addr", SAME("")},
    {U, ATTR_MAIL_NICKNAME, "ann", 0, FACTS "mail_nickname", SAME("\"ann\"")},
    {U, ATTR_PROXY_ADDRESSES, "SMTP:p@q.example", 0, "user.ldap_person.email_addrs",
     SAME("[\"p@q.example\"]")},
    {U, ATTR_OTHER_MAILS, "p@q.example", 0, "user.ldap_person.email_addrs", SAME("[\"p@q.example\"]")},
    {U, ATTR_BUSINESS_PHONES, "+1 2", 0, "user.phone_number", "", "\"+1 2\"", "\"+1 2\""},
    {U, ATTR_BUSINESS_PHONES, "+1 2", 0, FACTS "phone_number", "\"+1 2\"", "", ""},
    {U, ATTR_SURNAME, "Other", 0, "user.ldap_person.surname", SAME("\"Other\"")},
    {U, ATTR_SURNAME, "Other", 0, "user.full_name", SAME("\"Ann\"")},
    {U, ATTR_JOB_TITLE, "Boss", 0, "user.ldap_person.job_title", SAME("\"Boss\"")},
    {U, ATTR_JOB_TITLE, "Boss", 0, "enrichments[0]",
     SAME("{\"data\":{\"job_title\":\"Boss\"},\"name\":\"employment\",\"value\":\"Boss\"}")},
    {U, ATTR_JOB_TITLE, "n/a", 0, "enrichments[0].name", SAME("\"user.uid\"")},
    {U, ATTR_DEPARTMENT, "R&D", 0, "user.ldap_person.department", "", "", "\"R&D\""},
    {U, ATTR_DEPARTMENT, "R&D", 0, "enrichments[1].data.department", "\"R&D\"", "\"R&D\"", ""},
    {U, ATTR_GRAPH_EMPLOYEE_ID, "7", 0, "user.ldap_person.employee_uid", SAME("\"7\"")},
    {U, ATTR_GRAPH_EMPLOYEE_ID, "7", 0, "enrichments[0]",
     SAME("{\"data\":{\"employee_id\":\"7\"},\"name\":\"employment\",\"value\":\"info\"}")},
    {U, ATTR_EMPLOYEE_TYPE, "temp", 0, "user.ldap_person.labels", SAME("[\"temp\"]")},
    {U, ATTR_USER_TYPE, "Guest", 0, "user.ldap_person.labels", SAME("[\"Guest\"]")},
    {U, ATTR_USER_TYPE, "Guest", 0, "user.account.labels", "", "[\"guest\",\"cloud_only\"]",
     "[\"guest\",\"cloud_only\"]"},
    {U, ATTR_USER_TYPE, "Guest", 0, FACTS "labels", "[\"guest\",\"cloud_only\"]", "", ""},
    {U, ATTR_USER_TYPE, "Member", 0, "user.account.labels", "", "[\"cloud_only\"]", "[\"cloud_only\"]"},
    {U, ATTR_COST_CENTER, "7", 0, "user.ldap_person.cost_center", SAME("\"7\"")},
    {U, ATTR_OFFICE_LOCATION, "A1", 0, "user.ldap_person.office_location", SAME("\"A1\"")},
    {U, ATTR_OFFICE_LOCATION, "A1", 0, "user.org",
     SAME("{\"name\":\"Contoso \\\"Ltd\\\"\"}")}, /* an office is no unit */
    {U, ATTR_COMPANY_NAME, "Acme", 0, "user.org.name", SAME("\"Acme\"")},
    {U, ATTR_COMPANY_NAME, "-", 0, "user.org.name", SAME("\"Contoso \\\"Ltd\\\"\"")},
    {U, ATTR_USAGE_LOCATION, "FR", 0, "user.ldap_person.location", SAME("{\"country\":\"FR\"}")},
    {U, ATTR_COUNTRY, "fr", 0, "user.ldap_person.location", SAME("{\"country\":\"FR\"}")},
    {U, ATTR_COUNTRY, "France", 0, "user.ldap_person.location", SAME("")},
    {U, ATTR_STATE, "Kent", 0, "user.ldap_person.location", SAME("{\"region\":\"Kent\"}")},
    {U, ATTR_ACCOUNT_ENABLED, NULL, 0, "user.account.is_disabled", "", "", "true"},
    {U, ATTR_ACCOUNT_ENABLED, NULL, 1, "user.account.is_disabled", "", "", "false"},
    {U, ATTR_ACCOUNT_ENABLED, NULL, 0, "enrichments[0]",
     SAME("{\"data\":{\"is_enabled\":false},\"name\":\"account\",\"value\":\"status\"}")},
    {U, ATTR_ACCOUNT_ENABLED, NULL, 0, "enrichments[1].data.is_disabled", "true", "true", ""},
    {U, ATTR_SYNC_ENABLED, NULL, 1, "user.account.is_on_premises_sync_enabled", "", "", "true"},
    {U, ATTR_SYNC_ENABLED, NULL, 0, "user.account.is_on_premises_sync_enabled", "", "", "false"},
    {U, ATTR_SYNC_ENABLED, NULL, 0, "user.account.labels", "", "[\"formerly_synced\"]",
     "[\"formerly_synced\"]"},
    {U, ATTR_SYNC_ENABLED, NULL, 1, FACTS "on_premises.sync_enabled", SAME("true")},
    {U, ATTR_IS_RESTRICTED, NULL, 1, "enrichments[0].data.is_restricted", SAME("true")},
    {U, ATTR_PASSWORD_POLICIES, "DisableStrongPassword, DisablePasswordExpiration", 0, "user.account.labels",
     "", "[\"cloud_only\",\"password_never_expires\",\"weak_password_allowed\"]",
     "[\"cloud_only\",\"password_never_expires\",\"weak_password_allowed\"]"},
    {U, ATTR_CREATED, NULL, SAMPLE_NOW, "user.ldap_person.created_time", SAME("1767225600000")},
    {U, ATTR_CREATED, NULL, SAMPLE_NOW, "time", SAME("1767225600000")},
    {U, ATTR_HIRE_DATE, NULL, SAMPLE_NOW, "user.ldap_person.hire_time", SAME("1767225600000")},
    {U, ATTR_LAST_SIGN_IN, NULL, SAMPLE_NOW, "user.ldap_person.last_login_time", SAME("1767225600000")},
    {U, ATTR_LAST_SIGN_IN, NULL, SAMPLE_NOW, "enrichments[0].data.last_logon", SAME("1767225600000")},
    {U, ATTR_LAST_SUCCESSFUL_SIGN_IN, NULL, SAMPLE_NOW, "user.ldap_person.last_login_time",
     SAME("1767225600000")},
    {U, ATTR_LAST_SUCCESSFUL_SIGN_IN, NULL, SAMPLE_NOW, "enrichments[0].data.sign_in",
     SAME("{\"last_successful\":1767225600000}")},
    {U, ATTR_LAST_NON_INTERACTIVE, NULL, SAMPLE_NOW, "user.ldap_person.last_login_time", SAME("")},
    {U, ATTR_ON_PREMISES_DN, "CN=x", 0, "user.ldap_person.ldap_dn", SAME("\"CN=x\"")},
    {U, ATTR_MANAGER, "00000007-0000-4000-8000-000000000007", 0, "user.ldap_person.manager",
     SAME("{\"uid\":\"00000007-0000-4000-8000-000000000007\"}")}, /* not resolved */
    {U, ATTR_MANAGER, "CN=boss", 0, "user.ldap_person", "", SAME_TWICE("{\"display_name\":\"Ann\"}")},
    {U, ATTR_METHODS_REGISTERED, "fido2", 0, FACTS "mfa", SAME("{\"methods\":[\"fido2\"]}")},
    {KIND_service_principal, ATTR_APP_ID, "app", 0, "user.uid_alt", SAME("\"app\"")},
    {KIND_service_principal, ATTR_SERVICE_PRINCIPAL_TYPE, "ManagedIdentity", 0, "user.account.labels", "",
     "[\"managed_identity\"]", "[\"managed_identity\"]"},
    {KIND_service_principal, ATTR_APP_OWNER_ORGANIZATION, "0000C017-0000-4000-8000-00000000C017", 0,
     "user.account.labels", SAME("")}, /* our own */
    {KIND_service_principal, ATTR_PASSWORD_CREDENTIALS,
     "0000aaaa-0000-4000-8000-00000000aaaa 2026-01-01T00:00:00Z a b", 0, "user.programmatic_credentials", "",
     SAME_TWICE("[{\"type\":\"Client Secret\",\"uid\":\"0000aaaa-0000-4000-8000-00000000aaaa\"}]")},
    {KIND_service_principal, ATTR_KEY_CREDENTIALS, "0000aaaa-0000-4000-8000-00000000aaaa -", 0,
     "user.programmatic_credentials", "",
     SAME_TWICE("[{\"type\":\"Certificate\",\"uid\":\"0000aaaa-0000-4000-8000-00000000aaaa\"}]")},
    {KIND_service_principal, ATTR_KEY_CREDENTIALS, "0000aaaa", 0, "user.programmatic_credentials", SAME("")},
    {KIND_service_principal, ATTR_OWNERS, "00000007-0000-4000-8000-000000000007", 0, FACTS "owner_uids",
     SAME("[\"00000007-0000-4000-8000-000000000007\"]")},
    {KIND_device, ATTR_DEVICE_ID, "dev", 0, "device.uid_alt", SAME("\"dev\"")},
    {KIND_device, ATTR_IS_COMPLIANT, NULL, 0, "device.is_compliant", SAME("false")},
    {KIND_device, ATTR_IS_MANAGED, NULL, 1, "device.is_managed", SAME("true")},
    {KIND_device, ATTR_DEVICE_OWNERSHIP, "Personal", 0, "device.is_personal", SAME("true")},
    {KIND_device, ATTR_DEVICE_OWNERSHIP, "company", 0, "device.is_personal", SAME("false")},
    {KIND_device, ATTR_DEVICE_OWNERSHIP, "unknown", 0, "device.is_personal", SAME("")},
    {KIND_device, ATTR_MODEL, "X1", 0, "device.model", "", SAME_TWICE("\"X1\"")},
    {KIND_device, ATTR_MODEL, "X1", 0, FACTS "model", "\"X1\"", "", ""},
    {KIND_device, ATTR_MANUFACTURER, "Dell", 0, "device.vendor_name", "", SAME_TWICE("\"Dell\"")},
    {KIND_device, ATTR_REGISTRATION, NULL, SAMPLE_NOW, "device.created_time", SAME("1767225600000")},
    {KIND_device, ATTR_APPROXIMATE_LAST_SIGN_IN, NULL, SAMPLE_NOW, "device.last_seen_time",
     SAME("1767225600000")},
    {KIND_group, ATTR_SECURITY_ENABLED, NULL, 1, "entity.group.type", "", SAME_TWICE("\"Security\"")},
    {KIND_group, ATTR_SECURITY_ENABLED, NULL, 1, "entity.data.group_type", SAME("\"Security\"")},
    {KIND_group, ATTR_SECURITY_ENABLED, NULL, 0, "entity.data.group_type", SAME("")},
    {KIND_group, ATTR_MAIL_ENABLED, NULL, 1, "entity.data.group_type", SAME("\"Distribution\"")},
    {KIND_group, ATTR_GROUP_TYPES, "Unified", 0, "entity.data.group_type", SAME("\"Microsoft 365\"")},
    {KIND_group, ATTR_GROUP_TYPES, "DynamicMembership", 0, "entity.data.group_types",
     SAME("[\"DynamicMembership\"]")},
    {KIND_role, ATTR_ROLE_TEMPLATE_ID, "template", 0, "entity.group.uid", "", SAME_TWICE("\"template\"")},
    {KIND_role, ATTR_ROLE_TEMPLATE_ID, "template", 0, "entity.uid",
     SAME("\"00000009-0000-4000-8000-000000000009\"")},
    {KIND_role, ATTR_ROLE_TEMPLATE_ID, "00000009-0000-4000-8000-000000000009", 0, "entity.group.uid_alt",
     SAME("")},
    {KIND_role, ATTR_ASSIGNMENT_TYPE, "eligible", 0, "entity.data.assignment_type", SAME("\"eligible\"")},
    {KIND_role, ATTR_ASSIGNMENT_TYPE, "eligible", 0, "entity.data.is_privileged", SAME("")},
    {KIND_role, ATTR_ASSIGNMENT_TYPE, "active", 0, "entity.data.is_privileged", SAME("false")},
    {KIND_administrative_unit, ATTR_VISIBILITY, "Public", 0, "entity.data.visibility", SAME("\"Public\"")},
};

static void put_value(struct sample *a, const struct place *p)
{
    if (p->text)
        sample_text(a, p->id, p->text);
    else if (attr_get(p->id)->type == ATTR_BOOL)
        sample_bool(a, p->id, p->number);
    else
        sample_int(a, p->id, p->number);
}

static void check_place(const struct place *p)
{
    const char *const want[] = {p->in_1_1, p->in_1_6, p->in_1_8};
    for (size_t i = 0; i < n_elements(versions); i++) {
        struct sample *a = new_entity(p->kind);
        put_value(a, p);
        sample_subject(a, 0);
        json_t *event = event_of(a, versions[i]);
        event_expect(event, p->path, want[i], versions[i]);
        json_decref(event);
        sample_free(a);
    }
}

static void every_attribute_has_its_place(void **state)
{
    for (size_t i = 0; i < n_elements(places); i++) check_place(&places[i]);
}

/* --- the rest, case by case ---------------------------------------------------------------------- */

/* 0: told "no"; 1: told "yes"; -1: not told. */
static void three_answers_about_mfa(void **state)
{
    static const struct {
        int registered, capable, passwordless;
        const char *want;
    } cases[] = {
        {-1, -1, -1, ""},   {0, -1, -1, "false"}, {1, -1, -1, "true"}, {-1, 0, -1, "false"},
        {0, 0, 0, "false"}, {0, 0, 1, "true"},    {0, 1, 0, "true"},   {1, 0, 0, "true"},
        {-1, -1, 0, ""},    {-1, -1, 1, "true"},
    };
    static const enum attr attrs[] = {ATTR_IS_MFA_REGISTERED, ATTR_IS_MFA_CAPABLE,
                                      ATTR_IS_PASSWORDLESS_CAPABLE};
    for (size_t i = 0; i < n_elements(cases); i++) {
        const int told[] = {cases[i].registered, cases[i].capable, cases[i].passwordless};
        for (size_t j = 0; j < n_elements(versions); j++) {
            struct sample *a = new_entity(KIND_user);
            sample_bool(a, ATTR_ACCOUNT_ENABLED, true);
            for (size_t k = 0; k < n_elements(attrs); k++)
                if (told[k] >= 0) sample_bool(a, attrs[k], told[k]);
            sample_subject(a, 0);
            json_t *event = event_of(a, versions[j]);
            event_expect(event, "user.has_mfa", j ? cases[i].want : "", versions[j]);
            event_expect(event, "enrichments[0].data.is_mfa", cases[i].want, versions[j]);
            event_expect(event, "enrichments[1].data.has_mfa", j ? "" : cases[i].want, versions[j]);
            json_decref(event);
            sample_free(a);
        }
    }
}

static void types_of_accounts(void **state)
{
    static const struct {
        enum kind kind;
        unsigned privileges;
        enum tri known;
        const char *id_1_1, *id_1_6, *type;
    } cases[] = {
        {KIND_user, 0, TRI_YES, "1", "1", "\"User\""},
        {KIND_user, PRIV_DIRECTORY_ROLE, TRI_YES, "1", "1",
         "\"User\""}, /* of a role that is not privileged */
        {KIND_user, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED, TRI_YES, "2", "2", "\"Admin\""},
        {KIND_user, PRIV_PROTECTED, TRI_NO, "2", "2", "\"Admin\""},
        {KIND_user, 0, TRI_NO, "0", "0", "\"Unknown\""},
        {KIND_service_principal, PRIV_PROTECTED, TRI_YES, "99", "4", "\"Service\""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        for (size_t j = 0; j < n_elements(versions); j++) {
            struct sample *a = new_entity(cases[i].kind);
            sample_subject(a, cases[i].privileges);
            a->s.derived.privileges_known = cases[i].known;
            json_t *event = event_of(a, versions[j]);
            event_expect(event, "user.type_id", j ? cases[i].id_1_6 : cases[i].id_1_1, versions[j]);
            event_expect(event, "user.type", cases[i].type, versions[j]);
            event_expect(event, "user.account.type_id", "6", versions[j]);
            event_expect(event, "user.account.type", "\"Azure AD Account\"", versions[j]);
            json_decref(event);
            sample_free(a);
        }
    }
}

static void envelope(void **state)
{
    for (size_t i = 0; i < n_elements(versions); i++) {
        struct sample *a = new_entity(KIND_user);
        sample_subject(a, 0);
        json_t *event = event_of(a, versions[i]);
        event_expect(event, "metadata.profiles", "[\"cloud\"]", versions[i]);
        event_expect(event, "metadata.tenant_uid", "\"0000c017-0000-4000-8000-00000000c017\"", versions[i]);
        event_expect(event, "metadata.product",
                     "{\"name\":\"Microsoft Entra ID\",\"vendor_name\":\"Microsoft\"}", versions[i]);
        event_expect(
            event, "cloud",
            i ? "{\"account\":{\"name\":\"Contoso \\\"Ltd\\\"\",\"type\":\"M365 Tenant\",\"type_id\":17,"
                "\"uid\":\"0000c017-0000-4000-8000-00000000c017\"},\"provider\":\"Azure\"}"
              : "{\"account\":{\"name\":\"Contoso "
                "\\\"Ltd\\\"\",\"uid\":\"0000c017-0000-4000-8000-00000000c017\"},"
                "\"provider\":\"Azure\"}",
            versions[i]);
        event_expect(event, "user.uid", "\"00000009-0000-4000-8000-000000000009\"", versions[i]);
        json_decref(event);
        sample_free(a);
    }
}

/* Active roles and units are groups too; what one is only eligible for is told among the roles alone. */
static void groups_roles_and_units(void **state)
{
    struct sample *a = new_entity(KIND_user);
    sample_in_tenant_group(a, KIND_group, 11, "Team", sample_group_type(true, true, true));
    sample_in_tenant_group(a, KIND_group, 12, "List", sample_group_type(false, false, true));
    sample_in_tenant_group(a, KIND_group, 13, "Both", sample_group_type(false, true, true));
    sample_in_tenant_group(a, KIND_group, 14, "Neither", sample_group_type(false, false, false));
    sample_role(a, 15, "Reader", "tpl", "/", "active");
    sample_role(a, 16, "Writer", "tpl2", "/administrativeUnits/7", "Eligible");
    sample_in_tenant_group(a, KIND_administrative_unit, 17, "Unit", 0);
    sample_subject(a, 0);
    static const struct {
        const char *path, *want;
    } wanted[] = {
        {"user.groups[0].type", "\"Microsoft 365\""},
        {"user.groups[1].type", "\"Distribution\""},
        {"user.groups[2].type", "\"Mail-enabled Security\""},
        {"user.groups[3].type", ""},
        {"user.groups[4]",
         "{\"domain\":\"contoso.example\",\"name\":\"Reader\",\"type\":\"Directory Role\",\"uid\":\"tpl\","
         "\"uid_alt\":\"0000000f-0000-4000-8000-00000000000f\"}"},
        {"user.groups[5]",
         "{\"domain\":\"contoso.example\",\"name\":\"Unit\",\"type\":\"Administrative Unit\","
         "\"uid\":\"00000011-0000-4000-8000-000000000011\"}"},
        {"user.groups[6]", ""},
        {"user.org",
         "{\"name\":\"Contoso "
         "\\\"Ltd\\\"\",\"ou_name\":\"Unit\",\"ou_uid\":\"00000011-0000-4000-8000-000000000011\"}"},
        {"enrichments[0].data.roles[0].assignment", "\"active\""},
        {"enrichments[0].data.roles[1]", "{\"assignment\":\"Eligible\",\"name\":\"Writer\",\"scope\":\"/"
                                         "administrativeUnits/7\",\"template_id\":\"tpl2\","
                                         "\"uid\":\"00000010-0000-4000-8000-000000000010\"}"},
        {"enrichments[0].data.roles[2]", ""},
    };
    json_t *event = event_of(a, "1.8.0");
    for (size_t i = 0; i < n_elements(wanted); i++)
        event_expect(event, wanted[i].path, wanted[i].want, "1.8.0");
    json_decref(event);
    sample_in_tenant_group(a, KIND_administrative_unit, 18, "Another", 0);
    event = event_of(a, "1.8.0");
    event_expect(event, "user.org", "{\"name\":\"Contoso \\\"Ltd\\\"\"}", "two units"); /* which one? */
    json_decref(event);
    sample_free(a);
}

static void systems(void **state)
{
    static const struct {
        const char *os, *model, *type_id, *type, *os_type_id, *os_type;
    } cases[] = {
        {"Windows", "", "99", "\"Workstation\"", "100", "\"Windows\""},
        {"Windows", "Virtual Machine", "6", "\"Virtual\"", "100", "\"Windows\""},
        {"Windows Server 2025", "", "1", "\"Server\"", "100", "\"Windows\""},
        {"WindowsPhone", "", "5", "\"Mobile\"", "101", "\"Windows Mobile\""},
        {"MacMDM", "", "99", "\"Workstation\"", "300", "\"macOS\""},
        {"Linux", "", "99", "\"Workstation\"", "200", "\"Linux\""},
        {"IPad", "", "4", "\"Tablet\"", "302", "\"iPadOS\""},
        {"IPhone", "", "5", "\"Mobile\"", "301", "\"iOS\""},
        {"iOS", "", "5", "\"Mobile\"", "301", "\"iOS\""},
        {"AndroidForWork", "", "5", "\"Mobile\"", "201", "\"Android\""},
        {"ChromeOS", "", "99", "\"Workstation\"", "99", "\"ChromeOS\""},
        {"Unknown", "", "0", "", "", ""},
        {"", "", "0", "", "", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        for (size_t j = 0; j < n_elements(versions); j++) {
            struct sample *a = new_entity(KIND_device);
            if (cases[i].os[0]) sample_text(a, ATTR_OPERATING_SYSTEM, cases[i].os);
            if (cases[i].model[0]) sample_text(a, ATTR_MODEL, cases[i].model);
            sample_text(a, ATTR_OPERATING_SYSTEM_VERSION, "1.2");
            sample_subject(a, 0);
            json_t *event = event_of(a, versions[j]);
            event_expect(event, "device.type_id", cases[i].type_id, cases[i].os);
            event_expect(event, "device.type", cases[i].type, cases[i].os);
            event_expect(event, "device.os.type_id", cases[i].os_type_id, cases[i].os);
            event_expect(event, "device.os.type", cases[i].os_type, cases[i].os);
            event_expect(event, "device.os.version", cases[i].os_type_id[0] ? "\"1.2\"" : "", cases[i].os);
            json_decref(event);
            sample_free(a);
        }
    }
}

static void the_tenant_has_a_class_since_1_4(void **state)
{
    struct sample *a = sample_entra_cast(16);
    for (size_t i = 0; i < n_elements(versions); i++) {
        json_t *event = event_of(a, versions[i]);
        event_expect(event, "class_uid", i ? "5023" : "3004", versions[i]);
        event_expect(event, "idp",
                     i ? "{\"domain\":\"contoso.example\",\"name\":\"Contoso \\\"Ltd\\\"\","
                         "\"tenant_uid\":\"0000c017-0000-4000-8000-00000000c017\","
                         "\"uid\":\"0000c017-0000-4000-8000-00000000c017\"}"
                       : "",
                     versions[i]);
        event_expect(event, i ? "enrichments[0].data.verified_domains" : "entity.data.verified_domains",
                     "[\"contoso.example\",\"contoso.onmicrosoft.example\"]", versions[i]);
        json_decref(event);
    }
    sample_free(a);
}

static void kinds_and_streams(void **state)
{
    kind_set inventory = KIND_BIT(KIND_user) | KIND_BIT(KIND_service_principal) | KIND_BIT(KIND_device);
    kind_set structure = KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit) |
                         KIND_BIT(KIND_tenant);
    for (size_t i = 0; i < n_elements(versions); i++) {
        struct dialect *all = open_ocsf(versions[i], (struct dialect_options){0});
        struct dialect *some = open_ocsf(versions[i], (struct dialect_options){.no_groups_events = true});
        assert_int_equal(dialect_kinds(all), inventory | structure);
        assert_int_equal(dialect_kinds(some), inventory);
        dialect_close(all);
        dialect_close(some);
    }
    struct sample *contact = new_entity(KIND_contact), *computer = new_entity(KIND_computer);
    sample_subject(contact, 0);
    sample_subject(computer, 0);
    assert_null(event_of(contact, "1.8.0"));
    assert_null(event_of(computer, "1.8.0"));
    sample_free(contact);
    sample_free(computer);
}

/* Splunk takes the first "time": of the raw event. */
static void time_comes_first_and_alone(void **state)
{
    struct err e;
    struct dialect *d = open_ocsf("1.8.0", (struct dialect_options){0});
    struct sample *a;
    for (size_t i = 0; (a = sample_entra_cast(i)); i++) {
        struct buf out = buf_new((size_t)1 << 20);
        assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
        size_t n = 0;
        for (const char *p = buf_cstr(&out); (p = strstr(p, "\"time\":")); p++) n++;
        assert_int_equal(n, out.len > 0);
        if (n) assert_memory_equal(out.ptr, "{\"time\":", 8);
        buf_free(&out);
        sample_free(a);
    }
    dialect_close(d);
}

static void large_groups_are_cut(void **state)
{
    struct sample *a = sample_entra_cast(9);
    a->repeat = 20000; /* of 7 members */
    json_t *event = event_of(a, "1.8.0");
    event_expect(event, "metadata.is_truncated", "true", "1.8.0");
    event_expect(event, "entity.data.member_count", "140000", "1.8.0");
    assert_true(json_array_size(event_at(event, "entity.data.members")) > 50000);
    json_decref(event);
    sample_free(a);
}

static void huge_values_are_cut(void **state)
{
    static const enum kind kinds[] = {KIND_user,  KIND_service_principal, KIND_device, KIND_group, KIND_role,
                                      KIND_tenant};
    static char text[100000];
    memset(text, 1, sizeof text); /* six bytes each, escaped */
    for (size_t i = 0; i < n_elements(kinds); i++) {
        struct sample *a = new_entity(kinds[i]);
        for (size_t j = 0; j < n_attr_table; j++)
            if (attr_table[j].type == ATTR_STRING)
                for (unsigned k = 0; k < (attr_table[j].is_multi ? 10u : 1u); k++)
                    sample_str(a, attr_table[j].id, (struct str){text, sizeof text});
        sample_subject(a, 0);
        json_t *event =
            event_of(a, versions[i % n_elements(versions)]); /* below 8 MiB, or the checked reader fails */
        json_decref(event);
        sample_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attribute_has_its_place),
        cmocka_unit_test(three_answers_about_mfa),
        cmocka_unit_test(types_of_accounts),
        cmocka_unit_test(envelope),
        cmocka_unit_test(groups_roles_and_units),
        cmocka_unit_test(systems),
        cmocka_unit_test(the_tenant_has_a_class_since_1_4),
        cmocka_unit_test(kinds_and_streams),
        cmocka_unit_test(time_comes_first_and_alone),
        cmocka_unit_test(large_groups_are_cut),
        cmocka_unit_test(huge_values_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
