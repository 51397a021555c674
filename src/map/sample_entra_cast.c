/* A tenant made by hand: members and guests, the three answers about MFA, roles that are active, scoped and
 * eligible, and what people write into names. */
#include "map/sample.h"

#define GLOBAL_ADMINISTRATOR "62e90394-69f5-4237-9190-012177145e10"
#define HELPDESK             "729827e3-9c14-49f7-bb1b-9608f156bbb8"
#define UNIT_SCOPE           "/administrativeUnits/00000bb8-0000-4000-8000-000000000bb8"

struct text_of {
    enum attr id;
    const char *text;
};
struct time_of {
    enum attr id;
    const char *rfc3339;
};
#define TEXTS(a, list) put_texts(a, list, n_elements(list))
#define TIMES(a, list) put_times(a, list, n_elements(list))

static void put_texts(struct sample *a, const struct text_of *list, size_t n)
{
    for (size_t i = 0; i < n; i++) sample_text(a, list[i].id, list[i].text);
}
static void put_times(struct sample *a, const struct time_of *list, size_t n)
{
    for (size_t i = 0; i < n; i++) sample_time(a, list[i].id, list[i].rfc3339);
}

int64_t sample_group_type(bool unified, bool security, bool mail)
{
    struct sample *a = sample_entra_new(KIND_group, 1);
    if (unified) sample_text(a, ATTR_GROUP_TYPES, "Unified");
    sample_bool(a, ATTR_SECURITY_ENABLED, security);
    sample_bool(a, ATTR_MAIL_ENABLED, mail);
    sample_subject(a, 0);
    int64_t type = derive_tenant_group_type(&a->index);
    sample_free(a);
    return type;
}

struct sample *sample_typical_entra_user(void)
{
    struct sample *a = sample_entra_new(KIND_user, 2001);
    static const struct text_of texts[] = {
        {ATTR_DISPLAY_NAME, "Alice Liddell"},
        {ATTR_USER_PRINCIPAL_NAME, "alice.liddell@contoso.example"},
        {ATTR_GIVEN_NAME, "Alice"},
        {ATTR_SURNAME, "Liddell"},
        {ATTR_MAIL, "Alice.Liddell@contoso.example"},
        {ATTR_MAIL_NICKNAME, "aliddell"},
        {ATTR_PROXY_ADDRESSES, "SMTP:Alice.Liddell@contoso.example"},
        {ATTR_PROXY_ADDRESSES, "smtp:alice@contoso.example"},
        {ATTR_OTHER_MAILS, "alice@home.example"},
        {ATTR_USER_TYPE, "Member"},
        {ATTR_JOB_TITLE, "Payroll Officer"},
        {ATTR_DEPARTMENT, "Finance"},
        {ATTR_COMPANY_NAME, "Wonderland Ltd"},
        {ATTR_OFFICE_LOCATION, "Oxford 2.14"},
        {ATTR_GRAPH_EMPLOYEE_ID, "100427"},
        {ATTR_EMPLOYEE_TYPE, "employee"},
        {ATTR_COST_CENTER, "CC-7"},
        {ATTR_BUSINESS_PHONES, "+44 1865 276150"},
        {ATTR_MOBILE_PHONE, "+44 7700 900123"},
        {ATTR_CITY, "Oxford"},
        {ATTR_STATE, "Oxfordshire"},
        {ATTR_POSTAL_CODE, "OX1 1DP"},
        {ATTR_STREET_ADDRESS, "St Aldate's"},
        {ATTR_COUNTRY, "United Kingdom"},
        {ATTR_USAGE_LOCATION, "GB"},
        {ATTR_PASSWORD_POLICIES, "DisablePasswordExpiration"},
        {ATTR_ASSIGNED_LICENSES, "6fd2c87f-b296-42f0-b197-1e91e994b900"},
        {ATTR_IDENTITIES, "emailAddress contoso.example alice@home.example"},
        {ATTR_METHODS_REGISTERED, "fido2"},
        {ATTR_METHODS_REGISTERED, "microsoftAuthenticatorPush"},
        {ATTR_PREFERRED_METHOD, "push"},
        {ATTR_MFA_SOURCE, "report"},
        {ATTR_IMMUTABLE_ID, "MDEyMzQ1Njc4OWFiY2RlZg=="},
        {ATTR_ON_PREMISES_DN, "CN=Alice Liddell,OU=Staff,DC=corp,DC=example"},
        {ATTR_ON_PREMISES_DOMAIN, "corp.example"},
        {ATTR_ON_PREMISES_SAM, "aliddell"},
        {ATTR_ON_PREMISES_UPN, "alice.liddell@corp.example"},
        {ATTR_MANAGER, "000007d2-0000-4000-8000-0000000007d2"},
    };
    static const struct time_of times[] = {
        {ATTR_CREATED, "2019-03-04T05:06:07Z"},
        {ATTR_HIRE_DATE, "2019-03-01T00:00:00Z"},
        {ATTR_LAST_PASSWORD_CHANGE, "2025-12-01T08:00:00Z"},
        {ATTR_LAST_SYNC, "2025-12-31T22:00:00Z"},
        {ATTR_MFA_LAST_UPDATED, "2025-12-30T00:00:00Z"},
        {ATTR_LAST_SIGN_IN, "2025-12-31T16:45:12Z"},
        {ATTR_LAST_NON_INTERACTIVE, "2025-12-31T17:00:00Z"},
        {ATTR_LAST_SUCCESSFUL_SIGN_IN, "2025-12-31T16:40:00Z"},
    };
    TEXTS(a, texts);
    TIMES(a, times);
    sample_bool(a, ATTR_ACCOUNT_ENABLED, true);
    sample_bool(a, ATTR_IS_RESTRICTED, false);
    sample_bool(a, ATTR_SYNC_ENABLED, true);
    sample_bool(a, ATTR_IS_MFA_REGISTERED, true);
    sample_bool(a, ATTR_IS_MFA_CAPABLE, true);
    sample_bool(a, ATTR_IS_PASSWORDLESS_CAPABLE, true);
    sample_bool(a, ATTR_IS_SSPR_REGISTERED, false);
    sample_sid(a, ATTR_ON_PREMISES_SID, "S-1-5-21-1144201745-947349077-482060953-1104");
    sample_sid(a, ATTR_ENTRA_SID, "S-1-12-1-1-2-3-4");
    sample_in_tenant_group(a, KIND_group, 2101, "Payroll", sample_group_type(false, true, false));
    sample_in_tenant_group(a, KIND_group, 2102, "Oxford", sample_group_type(true, false, true));
    sample_in_tenant_group(a, KIND_administrative_unit, 3000, "United Kingdom", 0);
    sample_manager(a, KIND_user, 2002, NULL, "Charles Dodgson", "");
    a->one[0].principal = STR("charles@contoso.example");
    return a;
}

/* --- users --------------------------------------------------------------------------------------- */
static struct sample *admin(void)
{
    struct sample *a = sample_typical_entra_user();
    sample_role(a, 2201, "Global Administrator", GLOBAL_ADMINISTRATOR, "/", "active");
    sample_role(a, 2202, "Helpdesk Administrator (scope United Kingdom)", HELPDESK, UNIT_SCOPE, "active");
    sample_role(a, 2203, "Helpdesk Administrator (eligible)", HELPDESK, "/", "eligible");
    sample_custom(a, "badgeNumber", "B-0042");
    sample_subject(a, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN);
    return a;
}

/* Created before 2018, no mail, never signed in, not in the report: nothing is known of MFA. */
static struct sample *bare_user(void)
{
    struct sample *a = sample_entra_new(KIND_user, 2003);
    sample_text(a, ATTR_DISPLAY_NAME, "bare");
    sample_text(a, ATTR_USER_PRINCIPAL_NAME, "bare@contoso.example");
    sample_text(a, ATTR_MAIL_NICKNAME, "bare");
    sample_text(a, ATTR_OFFICE_LOCATION, "Shed 3");
    sample_bool(a, ATTR_ACCOUNT_ENABLED, false);
    a->s.first_seen_ms = a->s.last_changed_ms = 0;
    sample_subject(a, 0);
    return a;
}

static struct sample *guest(void)
{
    struct sample *a = sample_entra_new(KIND_user, 2004);
    static const struct text_of texts[] = {
        {ATTR_DISPLAY_NAME, "=cmd|'/c calc'!A1"},
        {ATTR_USER_PRINCIPAL_NAME, "o'brien_fabrikam.example#EXT#@contoso.onmicrosoft.example"},
        {ATTR_GIVEN_NAME, "Miles \\ \xf0\x9f\x91\xbe \"the\" \xe2\x80\xa9"},
        {ATTR_MAIL, "o'brien@fabrikam.example"},
        {ATTR_USER_TYPE, "Guest"},
        {ATTR_EXTERNAL_USER_STATE, "PendingAcceptance"},
        {ATTR_CREATION_TYPE, "Invitation"},
        {ATTR_IDENTITIES, "federated ExternalAzureAD -"},
        {ATTR_DEPARTMENT, "+Research; Development\\"},
        {ATTR_JOB_TITLE, "n/a"},
        {ATTR_COMPANY_NAME, "-"},
        {ATTR_COUNTRY, "fr"},
        {ATTR_BUSINESS_PHONES, "@SUM(1+1)"},
        {ATTR_MOBILE_PHONE, "\t555"},
        {ATTR_GRAPH_EMPLOYEE_ID, "-1"},
    };
    TEXTS(a, texts);
    sample_bool(a, ATTR_ACCOUNT_ENABLED, true);
    sample_bool(a, ATTR_IS_RESTRICTED, true);
    sample_bool(a, ATTR_IS_MFA_REGISTERED, false);
    sample_bool(a, ATTR_IS_MFA_CAPABLE, false);
    sample_time(a, ATTR_CREATED, "2025-11-01T00:00:00Z");
    sample_in_tenant_group(a, KIND_group, 2103, "\"quoted\", group", sample_group_type(false, false, true));
    sample_in_tenant_group(a, KIND_group, 2104, "both", sample_group_type(false, true, true));
    sample_custom(a, "note", "; = \\ \"");
    sample_subject(a, 0);
    return a;
}

/* A passkey and nothing else; only eligible for a role; once synchronised; deleted. */
static struct sample *passkey_user(void)
{
    struct sample *a = sample_entra_new(KIND_user, 2005);
    sample_text(a, ATTR_DISPLAY_NAME, "Dinah");
    sample_text(a, ATTR_USER_PRINCIPAL_NAME, "dinah@contoso.example");
    sample_text(a, ATTR_MAIL, "dinah");
    sample_text(a, ATTR_EMPLOYEE_TYPE, "contractor");
    sample_text(a, ATTR_METHODS_REGISTERED, "fido2");
    sample_bool(a, ATTR_IS_MFA_REGISTERED, false);
    sample_bool(a, ATTR_IS_PASSWORDLESS_CAPABLE, true);
    sample_bool(a, ATTR_SYNC_ENABLED, false);
    sample_role(a, 2203, "Helpdesk Administrator (eligible)", HELPDESK, "/", "eligible");
    sample_in_tenant_group(a, KIND_administrative_unit, 3000, "United Kingdom", 0);
    sample_in_tenant_group(a, KIND_administrative_unit, 3001, "France", 0);
    a->s.deleted_ms = SAMPLE_NOW - 1000;
    sample_subject(a, 0);
    return a;
}

/* --- what is not a person ------------------------------------------------------------------------ */
static struct sample *service_principal(void)
{
    struct sample *a = sample_entra_new(KIND_service_principal, 2301);
    static const struct text_of texts[] = {
        {ATTR_DISPLAY_NAME, "Payroll export"},
        {ATTR_APP_ID, "0000a991-0000-4000-8000-00000000a991"},
        {ATTR_APP_DISPLAY_NAME, "Payroll export"},
        {ATTR_APP_OWNER_ORGANIZATION, "0000c018-0000-4000-8000-00000000c018"},
        {ATTR_SERVICE_PRINCIPAL_TYPE, "Application"},
        {ATTR_SERVICE_PRINCIPAL_NAMES, "https://payroll.example"},
        {ATTR_SIGN_IN_AUDIENCE, "AzureADMyOrg"},
        {ATTR_TAGS, "WindowsAzureActiveDirectoryIntegratedApp"},
        {ATTR_PASSWORD_CREDENTIALS, "0000aaaa-0000-4000-8000-00000000aaaa 2026-01-01T00:00:00Z ci secret"},
        {ATTR_PASSWORD_CREDENTIALS, "no id in this one"},
        {ATTR_KEY_CREDENTIALS, "0000bbbb-0000-4000-8000-00000000bbbb -"},
    };
    TEXTS(a, texts);
    sample_bool(a, ATTR_ACCOUNT_ENABLED, true);
    sample_time(a, ATTR_CREATED, "2022-02-02T02:02:02Z");
    sample_role(a, 2201, "Global Administrator", GLOBAL_ADMINISTRATOR, "/", "active");
    sample_owner(a, KIND_user, 2001, "Alice Liddell", "alice.liddell@contoso.example");
    sample_subject(a, PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN);
    return a;
}

static struct sample *managed_identity(void)
{
    struct sample *a = sample_entra_new(KIND_service_principal, 2302);
    sample_text(a, ATTR_DISPLAY_NAME, "vm-7");
    sample_text(a, ATTR_SERVICE_PRINCIPAL_TYPE, "ManagedIdentity");
    sample_text(a, ATTR_ALTERNATIVE_NAMES, "isExplicit=False");
    sample_text(a, ATTR_OWNERS, "000007d1-0000-4000-8000-0000000007d1"); /* not resolved */
    sample_subject(a, 0);
    return a;
}

static struct sample *laptop(void)
{
    struct sample *a = sample_entra_new(KIND_device, 2401);
    static const struct text_of texts[] = {
        {ATTR_DISPLAY_NAME, "PC-7"},
        {ATTR_DEVICE_ID, "0000dddd-0000-4000-8000-00000000dddd"},
        {ATTR_OPERATING_SYSTEM, "Windows"},
        {ATTR_OPERATING_SYSTEM_VERSION, "10.0.22631.4460"},
        {ATTR_DEVICE_TRUST_TYPE, "AzureAd"},
        {ATTR_PROFILE_TYPE, "RegisteredDevice"},
        {ATTR_DEVICE_OWNERSHIP, "Company"},
        {ATTR_MANUFACTURER, "Dell Inc."},
        {ATTR_MODEL, "Latitude 7450"},
        {ATTR_MANAGEMENT_TYPE, "MDM"},
        {ATTR_ALTERNATIVE_NAMES, "pc-7.corp.example"},
    };
    TEXTS(a, texts);
    sample_bool(a, ATTR_ACCOUNT_ENABLED, true);
    sample_bool(a, ATTR_IS_COMPLIANT, true);
    sample_bool(a, ATTR_IS_MANAGED, true);
    sample_time(a, ATTR_REGISTRATION, "2024-05-06T07:08:09Z");
    sample_time(a, ATTR_APPROXIMATE_LAST_SIGN_IN, "2025-12-30T07:00:00Z");
    sample_owner(a, KIND_group, 2101, "Payroll", "");
    sample_owner(a, KIND_user, 2001, "Alice Liddell", "alice.liddell@contoso.example");
    sample_in_tenant_group(a, KIND_group, 2101, "Payroll", sample_group_type(false, true, false));
    sample_in_tenant_group(a, KIND_administrative_unit, 3000, "United Kingdom", 0);
    sample_subject(a, 0);
    return a;
}

static struct sample *phone(void)
{
    struct sample *a = sample_entra_new(KIND_device, 2402);
    sample_text(a, ATTR_DISPLAY_NAME, "=phone");
    sample_text(a, ATTR_OPERATING_SYSTEM, "IPhone");
    sample_text(a, ATTR_DEVICE_OWNERSHIP, "Personal");
    sample_bool(a, ATTR_ACCOUNT_ENABLED, false);
    sample_bool(a, ATTR_IS_MANAGED, false);
    sample_subject(a, 0);
    return a;
}

static struct sample *strange_device(void)
{
    struct sample *a = sample_entra_new(KIND_device, 2403);
    sample_text(a, ATTR_DISPLAY_NAME, "board");
    sample_text(a, ATTR_OPERATING_SYSTEM_VERSION, "1");
    sample_subject(a, 0);
    return a;
}

/* --- structure ----------------------------------------------------------------------------------- */
static struct sample *group(void)
{
    struct sample *a = sample_entra_new(KIND_group, 2101);
    sample_text(a, ATTR_DISPLAY_NAME, "Payroll");
    sample_text(a, ATTR_DESCRIPTION, "People who run the payroll");
    sample_bool(a, ATTR_SECURITY_ENABLED, true);
    sample_bool(a, ATTR_MAIL_ENABLED, false);
    sample_bool(a, ATTR_IS_ASSIGNABLE_TO_ROLE, true);
    sample_bool(a, ATTR_SYNC_ENABLED, true);
    sample_sid(a, ATTR_ON_PREMISES_SID, "S-1-5-21-1144201745-947349077-482060953-1201");
    sample_text(a, ATTR_ON_PREMISES_SAM, "Payroll");
    sample_text(a, ATTR_ON_PREMISES_DOMAIN, "corp.example");
    sample_time(a, ATTR_CREATED, "2018-07-01T00:00:00Z");
    sample_owner(a, KIND_user, 2001, "Alice Liddell", "alice.liddell@contoso.example");
    sample_owner(a, KIND_service_principal, 2301, "@Payroll export", "");
    sample_role(a, 2202, "Helpdesk Administrator (scope United Kingdom)", HELPDESK, UNIT_SCOPE, "active");
    sample_in_tenant_group(a, KIND_group, 2102, "Oxford", sample_group_type(true, false, true));
    sample_tenant_member(a, KIND_user, 2001, "Alice Liddell", "alice.liddell@contoso.example");
    sample_tenant_member(a, KIND_user, 2004, "=cmd|'/c calc'!A1",
                         "o'brien_fabrikam.example#EXT#@contoso.onmicrosoft.example");
    sample_tenant_member(a, KIND_group, 2105, "Temps", "");
    sample_tenant_member(a, KIND_device, 2401, "PC-7", "");
    sample_tenant_member(a, KIND_service_principal, 2301, "Payroll export", "");
    sample_tenant_member(a, KIND_contact, 2501, "Dinah, \"the cat\"", "");
    sample_tenant_member(a, KIND_NONE, 0, "", ""); /* not readable: id only */
    a->members[6].dn = STR("00000bb7-0000-4000-8000-000000000bb7");
    sample_subject(a, 0);
    return a;
}

static struct sample *team(void)
{
    struct sample *a = sample_entra_new(KIND_group, 2102);
    static const struct text_of texts[] = {
        {ATTR_DISPLAY_NAME, "Oxford"},           {ATTR_MAIL, "oxford@contoso.example"},
        {ATTR_MAIL_NICKNAME, "oxford"},          {ATTR_PROXY_ADDRESSES, "SMTP:oxford@contoso.example"},
        {ATTR_GROUP_TYPES, "DynamicMembership"}, {ATTR_GROUP_TYPES, "Unified"},
        {ATTR_VISIBILITY, "HiddenMembership"},   {ATTR_MEMBERSHIP_RULE, "user.city -eq \"Oxford\""},
        {ATTR_PROVISIONING_OPTIONS, "Team"},     {ATTR_UNIQUE_NAME, "oxford"},
    };
    TEXTS(a, texts);
    sample_bool(a, ATTR_SECURITY_ENABLED, false);
    sample_bool(a, ATTR_MAIL_ENABLED, true);
    sample_time(a, ATTR_RENEWED, "2025-01-01T00:00:00Z");
    sample_time(a, ATTR_EXPIRATION, "2027-01-01T00:00:00Z");
    a->s.members = NULL; /* not readable: no count either */
    sample_subject(a, 0);
    return a;
}

static struct sample *role(uint32_t number, const char *name, const char *template_id, const char *scope,
                           const char *assignment)
{
    struct sample *a = sample_entra_new(KIND_role, number);
    sample_text(a, ATTR_DISPLAY_NAME, name);
    sample_text(a, ATTR_DESCRIPTION, "May do a lot");
    sample_text(a, ATTR_ROLE_TEMPLATE_ID, template_id);
    sample_text(a, ATTR_DIRECTORY_SCOPE_ID, scope);
    sample_text(a, ATTR_ASSIGNMENT_TYPE, assignment);
    sample_bool(a, ATTR_IS_BUILT_IN, true);
    sample_bool(a, ATTR_IS_ENABLED, true);
    sample_tenant_member(a, KIND_user, 2001, "Alice Liddell", "alice.liddell@contoso.example");
    sample_subject(a, 0);
    return a;
}
static struct sample *active_role(void)
{
    return role(2201, "Global Administrator", GLOBAL_ADMINISTRATOR, "/", "active");
}
static struct sample *scoped_role(void)
{
    struct sample *a =
        role(2202, "Helpdesk Administrator (scope United Kingdom)", HELPDESK, UNIT_SCOPE, "active");
    sample_tenant_member(a, KIND_group, 2101, "Payroll", "");
    return a;
}
static struct sample *eligible_role(void)
{
    return role(2203, "Helpdesk Administrator (eligible)", HELPDESK, "/", "eligible");
}

static struct sample *administrative_unit(void)
{
    struct sample *a = sample_entra_new(KIND_administrative_unit, 3000);
    sample_text(a, ATTR_DISPLAY_NAME, "United Kingdom");
    sample_text(a, ATTR_DESCRIPTION, "unknown");
    sample_text(a, ATTR_VISIBILITY, "Public");
    sample_text(a, ATTR_MEMBERSHIP_TYPE, "Dynamic");
    sample_text(a, ATTR_MEMBERSHIP_RULE, "(user.country -eq \"United Kingdom\")");
    sample_bool(a, ATTR_IS_MEMBER_RESTRICTED, true);
    sample_tenant_member(a, KIND_user, 2001, "Alice Liddell", "alice.liddell@contoso.example");
    sample_tenant_member(a, KIND_device, 2401, "PC-7", "");
    sample_subject(a, 0);
    return a;
}

static struct sample *contact(void)
{
    struct sample *a = sample_entra_new(KIND_contact, 2501);
    sample_text(a, ATTR_DISPLAY_NAME, "Dinah, \"the cat\"");
    sample_text(a, ATTR_MAIL, "dinah@elsewhere.example");
    sample_text(a, ATTR_COMPANY_NAME, "Looking-Glass");
    sample_text(a, ATTR_MOBILE_PHONE, "+44 7700 900124");
    sample_text(a, ATTR_COUNTRY, "United Kingdom");
    sample_subject(a, 0);
    return a;
}

static struct sample *tenant(void)
{
    struct sample *a = sample_entra_new(KIND_tenant, 0xc017);
    sample_text(a, ATTR_DISPLAY_NAME, "Contoso \"Ltd\"");
    sample_text(a, ATTR_DEFAULT_DOMAIN, "contoso.example");
    sample_text(a, ATTR_VERIFIED_DOMAINS, "contoso.example");
    sample_text(a, ATTR_VERIFIED_DOMAINS, "contoso.onmicrosoft.example");
    sample_text(a, ATTR_FEDERATED_DOMAINS, "corp.example");
    sample_text(a, ATTR_TENANT_TYPE, "AAD");
    sample_text(a, ATTR_CITY, "Oxford");
    sample_text(a, ATTR_COUNTRY_LETTER_CODE, "GB");
    sample_text(a, ATTR_ASSIGNED_PLANS, "AADPremiumService");
    sample_bool(a, ATTR_SYNC_ENABLED, true);
    sample_time(a, ATTR_LAST_SYNC, "2025-12-31T22:00:00Z");
    sample_time(a, ATTR_CREATED, "2015-01-01T00:00:00Z");
    sample_subject(a, 0);
    return a;
}

struct sample *sample_entra_cast(size_t i)
{
    static struct sample *(*const makers[])(void) = {
        admin,
        bare_user,
        guest,
        passkey_user,
        service_principal,
        managed_identity,
        laptop,
        phone,
        strange_device,
        group,
        team,
        active_role,
        scoped_role,
        eligible_role,
        administrative_unit,
        contact,
        tenant,
    };
    return i < n_elements(makers) ? makers[i]() : NULL;
}
