/* Users, service principals (5003 User Inventory Info) and devices (5001 Device Inventory Info) of a tenant.
 */
#include "map/ocsf_entra.h"

#include "map/dialect.h"

/* --- what kind of account ------------------------------------------------------------------------ */
enum account_type { TYPE_UNKNOWN = 0, TYPE_USER = 1, TYPE_ADMIN = 2, TYPE_SERVICE = 4 };

/* Admin: an active role that Microsoft documents as privileged, also through a group. */
static enum account_type account_type(const struct view *v)
{
    if (v->r->record->kind == KIND_service_principal) return TYPE_SERVICE;
    if (v->s->derived.privileges & PRIV_PROTECTED) return TYPE_ADMIN;
    return v->s->derived.privileges_known == TRI_NO ? TYPE_UNKNOWN : TYPE_USER;
}

/* 4 is Service since 1.6.0; before, 99 with the word. */
bool get_entra_type_id(struct view *v, const struct row *row, struct cell *out)
{
    enum account_type t = account_type(v);
    return cell_number(out, CELL_INT, t == TYPE_SERVICE && view_version(v) < V1_6 ? 99 : (int)t);
}
bool get_entra_type(struct view *v, const struct row *row, struct cell *out)
{
    static const char *const names[] = {
        [TYPE_UNKNOWN] = "Unknown", [TYPE_USER] = "User", [TYPE_ADMIN] = "Admin", [TYPE_SERVICE] = "Service"};
    const char *name = names[account_type(v)];
    return cell_plain(out, name, strlen(name));
}

/* --- 5003 ---------------------------------------------------------------------------------------- */
/* clang-format off */
#define ENTRA_5003(what)                                                                                     \
    OCSF_STATE(5003, "User Inventory Info", 5, "Discovery", 2, "Collect"),                                   \
    ENTRA_METADATA(LOG_INVENTORY),                                                                           \
    {"actor.app_name", fixed_text, .since = V1_2, .text = "rollcall"},                                       \
    {"actor.invoked_by", fixed_text, .before = V1_2, .text = "rollcall"},                                    \
    {"message", get_message, .text = what},                                                                  \
    {"user.uid", get_guid}
#define ENTRA_ACCOUNT                                                                                        \
    {"user.type_id", get_entra_type_id},                                                                     \
    {"user.type", get_entra_type},                                                                           \
    {"user.account.name", get_upn_or_title},                                                                 \
    {"user.account.uid", get_guid},                                                                          \
    {"user.account.type_id", fixed_number, 6},                                                               \
    {"user.account.type", fixed_text, .text = "Azure AD Account"},                                           \
    {"user.account.is_disabled", get_not, ATTR_ACCOUNT_ENABLED, .since = V1_8},                              \
    {"user.account.is_on_premises_sync_enabled", get_bool, ATTR_SYNC_ENABLED, .since = V1_8},                \
    {"user.account.labels", get_cloud_labels, .since = V1_2}
/* What this version has no typed place for. */
#define ENTRA_ACCOUNT_FACTS(P)                                                                               \
    {P ".display_name", get_text, ATTR_DISPLAY_NAME, .before = V1_5},                                        \
    {P ".is_disabled", get_not, ATTR_ACCOUNT_ENABLED, .before = V1_8},                                       \
    {P ".labels", get_cloud_labels, .before = V1_2},                                                         \
    {P ".has_directory_role", get_privilege, PRIV_DIRECTORY_ROLE},                                           \
    {P ".is_privileged", get_privilege, PRIV_PROTECTED},                                                     \
    {P ".is_global_administrator", get_privilege, PRIV_FULL_ADMIN},                                          \
    {P ".roles", get_roles}
/* clang-format on */

const struct row ocsf_entra_user[] = {
    ENTRA_5003("Account"),
    {"user.uid_alt", get_sid_value, ATTR_ON_PREMISES_SID},
    {"user.name", get_upn_or_title},
    {"user.display_name", get_text, ATTR_DISPLAY_NAME, .since = V1_5},
    {"user.full_name", get_text, ATTR_DISPLAY_NAME},
    {"user.domain", get_upn_suffix},
    {"user.email_addr", get_email, ATTR_MAIL},
    {"user.phone_number", get_words, ATTR_BUSINESS_PHONES, .since = V1_4},
    {"user.has_mfa", get_has_mfa, .since = V1_4},
    ENTRA_ACCOUNT,
    {"user.org.name", get_company},
    {"user.org.ou_name", get_unit_name},
    {"user.org.ou_uid", get_unit_uid},
    {"user.ldap_person.ldap_dn", get_text, ATTR_ON_PREMISES_DN},
    {"user.ldap_person.display_name", get_text, ATTR_DISPLAY_NAME, .since = V1_5},
    {"user.ldap_person.given_name", get_text, ATTR_GIVEN_NAME},
    {"user.ldap_person.surname", get_text, ATTR_SURNAME},
    {"user.ldap_person.email_addrs", get_emails, ATTR_OTHER_MAILS},
    {"user.ldap_person.employee_uid", get_words, ATTR_GRAPH_EMPLOYEE_ID},
    {"user.ldap_person.job_title", get_words, ATTR_JOB_TITLE},
    {"user.ldap_person.cost_center", get_words, ATTR_COST_CENTER},
    {"user.ldap_person.department", get_words, ATTR_DEPARTMENT, .since = V1_8},
    {"user.ldap_person.office_location", get_words, ATTR_OFFICE_LOCATION},
    {"user.ldap_person.labels", get_person_labels},
    {"user.ldap_person.location.city", get_words, ATTR_CITY},
    {"user.ldap_person.location.region", get_words, ATTR_STATE},
    {"user.ldap_person.location.postal_code", get_words, ATTR_POSTAL_CODE},
    {"user.ldap_person.location.country", get_country_or_usage},
    {"user.ldap_person.manager.uid", get_manager_id},
    {"user.ldap_person.manager.name", get_ref_principal, REF_MANAGER},
    {"user.ldap_person.created_time", get_moment, ATTR_CREATED},
    {"user.ldap_person.hire_time", get_moment, ATTR_HIRE_DATE},
    {"user.ldap_person.last_login_time", get_last_sign_in},
    {"user.ldap_person.deleted_time", get_deleted},
    {"user.groups", get_groups},
    /* What consumers of the document's own events look for. */
    {"enrichments[0].name", lead_text, .text = "account"},
    {"enrichments[0].value", lead_text, .text = "status"},
    {"enrichments[0].data.is_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"enrichments[0].data.is_mfa", get_has_mfa},
    {"enrichments[0].data.is_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"enrichments[0].data.last_logon", get_moment, ATTR_LAST_SIGN_IN},
    {"enrichments[1].name", lead_text, .text = "employment"},
    {"enrichments[1].value", get_employment, ATTR_JOB_TITLE},
    {"enrichments[1].data.department", get_words, ATTR_DEPARTMENT},
    {"enrichments[1].data.job_title", get_words, ATTR_JOB_TITLE},
    {"enrichments[1].data.employee_id", get_words, ATTR_GRAPH_EMPLOYEE_ID},
    {"enrichments[1].data.employee_type", get_words, ATTR_EMPLOYEE_TYPE},
    /* The rest of what is known, and what this version has no typed place for. */
    {"enrichments[2].name", lead_text, .text = "user.uid"},
    {"enrichments[2].type", lead_text, .text = "directory_account"},
    {"enrichments[2].value", get_guid},
    ENTRA_FACTS("enrichments[2].data"),
    ENTRA_ACCOUNT_FACTS("enrichments[2].data"),
    {"enrichments[2].data.has_mfa", get_has_mfa, .before = V1_4},
    {"enrichments[2].data.phone_number", get_words, ATTR_BUSINESS_PHONES, .before = V1_4},
    {"enrichments[2].data.mfa.is_registered", get_bool, ATTR_IS_MFA_REGISTERED},
    {"enrichments[2].data.mfa.is_capable", get_bool, ATTR_IS_MFA_CAPABLE},
    {"enrichments[2].data.mfa.is_passwordless_capable", get_bool, ATTR_IS_PASSWORDLESS_CAPABLE},
    {"enrichments[2].data.mfa.is_sspr_registered", get_bool, ATTR_IS_SSPR_REGISTERED},
    {"enrichments[2].data.mfa.methods", get_texts, ATTR_METHODS_REGISTERED},
    {"enrichments[2].data.mfa.preferred_method", get_text, ATTR_PREFERRED_METHOD},
    {"enrichments[2].data.mfa.source", get_text, ATTR_MFA_SOURCE},
    {"enrichments[2].data.mfa.last_updated", get_moment, ATTR_MFA_LAST_UPDATED},
    {"enrichments[2].data.sign_in.last_successful", get_moment, ATTR_LAST_SUCCESSFUL_SIGN_IN},
    {"enrichments[2].data.sign_in.last_attempt", get_moment, ATTR_LAST_SIGN_IN},
    {"enrichments[2].data.sign_in.last_non_interactive", get_moment, ATTR_LAST_NON_INTERACTIVE},
    {"enrichments[2].data.password_last_change", get_moment, ATTR_LAST_PASSWORD_CHANGE},
    {"enrichments[2].data.password_policies", get_words, ATTR_PASSWORD_POLICIES},
    {"enrichments[2].data.assigned_licenses", get_texts, ATTR_ASSIGNED_LICENSES},
    {"enrichments[2].data.user_type", get_words, ATTR_USER_TYPE},
    {"enrichments[2].data.external_user_state", get_words, ATTR_EXTERNAL_USER_STATE},
    {"enrichments[2].data.creation_type", get_words, ATTR_CREATION_TYPE},
    {"enrichments[2].data.identities", get_texts, ATTR_IDENTITIES},
    {"enrichments[2].data.certificate_user_ids", get_texts, ATTR_CERTIFICATE_USER_IDS},
    {"enrichments[2].data.security_identifier", get_sid_value, ATTR_ENTRA_SID},
    ENTRA_ON_PREMISES("enrichments[2].data"),
    {"enrichments[2].data.department", get_words, ATTR_DEPARTMENT, .before = V1_8},
    {"enrichments[2].data.mail", get_not_email, ATTR_MAIL},
    {"enrichments[2].data.mail_nickname", get_text, ATTR_MAIL_NICKNAME},
    {"enrichments[2].data.mobile", get_words, ATTR_MOBILE_PHONE},
    {"enrichments[2].data.street_address", get_words, ATTR_STREET_ADDRESS},
    {"enrichments[2].data.country", get_words, ATTR_COUNTRY},
    {"enrichments[2].data.usage_location", get_words, ATTR_USAGE_LOCATION},
    {NULL},
};

const struct row ocsf_entra_service_principal[] = {
    ENTRA_5003("Service principal"),
    {"user.uid_alt", get_text, ATTR_APP_ID},
    {"user.name", get_title},
    {"user.display_name", get_text, ATTR_DISPLAY_NAME, .since = V1_5},
    {"user.full_name", get_text, ATTR_DISPLAY_NAME},
    {"user.domain", get_domain},
    ENTRA_ACCOUNT,
    {"user.org.name", get_tenant_name},
    {"user.ldap_person.created_time", get_moment, ATTR_CREATED},
    {"user.ldap_person.last_login_time", get_last_sign_in},
    {"user.ldap_person.deleted_time", get_deleted},
    {"user.programmatic_credentials", get_credentials, .since = V1_6},
    {"user.groups", get_groups},
    {"enrichments[0].name", lead_text, .text = "account"},
    {"enrichments[0].value", lead_text, .text = "status"},
    {"enrichments[0].data.is_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"enrichments[0].data.last_logon", get_moment, ATTR_LAST_SIGN_IN},
    {"enrichments[1].name", lead_text, .text = "user.uid"},
    {"enrichments[1].type", lead_text, .text = "directory_account"},
    {"enrichments[1].value", get_guid},
    ENTRA_FACTS("enrichments[1].data"),
    ENTRA_ACCOUNT_FACTS("enrichments[1].data"),
    {"enrichments[1].data.app_id", get_text, ATTR_APP_ID},
    {"enrichments[1].data.app_display_name", get_text, ATTR_APP_DISPLAY_NAME},
    {"enrichments[1].data.app_owner_organization_id", get_text, ATTR_APP_OWNER_ORGANIZATION},
    {"enrichments[1].data.service_principal_type", get_text, ATTR_SERVICE_PRINCIPAL_TYPE},
    {"enrichments[1].data.service_principal_names", get_texts, ATTR_SERVICE_PRINCIPAL_NAMES},
    {"enrichments[1].data.sign_in_audience", get_text, ATTR_SIGN_IN_AUDIENCE},
    {"enrichments[1].data.tags", get_texts, ATTR_TAGS},
    {"enrichments[1].data.alternative_names", get_texts, ATTR_ALTERNATIVE_NAMES},
    {"enrichments[1].data.disabled_by_microsoft", get_words, ATTR_DISABLED_BY_MICROSOFT},
    {"enrichments[1].data.password_credentials", get_texts, ATTR_PASSWORD_CREDENTIALS},
    {"enrichments[1].data.key_credentials", get_texts, ATTR_KEY_CREDENTIALS},
    {"enrichments[1].data.owners", get_owners},
    {"enrichments[1].data.owner_uids", get_unresolved_owners},
    {NULL},
};

/* A role has its template's id, the same in every tenant; uid_alt is the assignment's own, if it has one. */
const struct row ocsf_entra_group_ref[] = {
    {"uid", get_ref_join_uid},
    {"uid_alt", get_ref_own_guid, .since = V1_8},
    {"name", get_ref_name, REF_OTHER},
    {"domain", get_domain},
    {"type", get_ref_tenant_type},
    {"desc", get_ref_description, REF_OTHER},
    {NULL},
};

/* Of a role that somebody has: active or only eligible, for the whole tenant or a part of it. */
const struct row ocsf_entra_role_ref[] = {
    {"uid", get_ref_id},
    {"template_id", get_ref_template},
    {"name", get_ref_name, REF_OTHER},
    {"assignment", get_ref_assignment},
    {"scope", get_ref_scope},
    {NULL},
};

/* --- 5001 ---------------------------------------------------------------------------------------- */
static const struct {
    const char *part, *type;
    int os, device; /* os.type_id; type_id: 4 tablet, 5 mobile, 99 a form factor nobody knows */
} systems[] = {
    {"iPad", "iPadOS", 302, 4},
    {"IPad", "iPadOS", 302, 4},
    {"iPhone", "iOS", 301, 5},
    {"IPhone", "iOS", 301, 5},
    {"iOS", "iOS", 301, 5},
    {"Android", "Android", 201, 5},
    {"Windows Phone", "Windows Mobile", 101, 5},
    {"WindowsPhone", "Windows Mobile", 101, 5},
    {"Windows Mobile", "Windows Mobile", 101, 5},
    {"Windows", "Windows", 100, 99},
    {"Mac", "macOS", 300, 99},
    {"Linux", "Linux", 200, 99},
    {"Ubuntu", "Linux", 200, 99},
};

static bool contains(struct str s, const char *part)
{
    return s.len && memmem(s.ptr, s.len, part, strlen(part));
}
/* The system's row, -1 for one that has none, -2 if the device does not say. */
static int find_system(const struct view *v, struct str *os)
{
    if (!view_words(v, ATTR_OPERATING_SYSTEM, os)) return -2;
    for (size_t i = 0; i < n_elements(systems); i++)
        if (contains(*os, systems[i].part)) return (int)i;
    return -1;
}

/* 1 Server, 4 Tablet, 5 Mobile, 6 Virtual; 99 a computer; 0 not known. */
static int device_type(const struct view *v)
{
    struct str os, model;
    int i = find_system(v, &os);
    if (view_words(v, ATTR_MODEL, &model) && contains(model, "Virtual")) return 6;
    if (i == -2) return 0;
    if (contains(os, "Server")) return 1;
    return i < 0 ? 99 : systems[i].device;
}
static bool get_device_type_id(struct view *v, const struct row *row, struct cell *out)
{
    return cell_number(out, CELL_INT, device_type(v));
}
static bool get_device_type(struct view *v, const struct row *row, struct cell *out)
{
    static const struct word words[] = {{1, "Server"},  {4, "Tablet"},       {5, "Mobile"},
                                        {6, "Virtual"}, {99, "Workstation"}, {0, NULL}};
    int type = device_type(v);
    for (const struct word *w = words; w->text; w++)
        if (w->value == type) return cell_text(out, str_from(w->text));
    return false;
}

static bool get_os_type_id(struct view *v, const struct row *row, struct cell *out)
{
    struct str os;
    int i = find_system(v, &os);
    return i > -2 && cell_number(out, CELL_INT, i < 0 ? 99 : systems[i].os);
}
static bool get_os_type(struct view *v, const struct row *row, struct cell *out)
{
    struct str os;
    int i = find_system(v, &os);
    return i > -2 && cell_text(out, i < 0 ? os : str_from(systems[i].type));
}
/* os.name is required, so nothing of os goes without it. */
static bool get_os_version(struct view *v, const struct row *row, struct cell *out)
{
    struct str os;
    return view_words(v, ATTR_OPERATING_SYSTEM, &os) && get_words(v, row, out);
}

/* deviceOwnership: company or personal. */
static bool get_is_personal(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    if (!view_str(v, ATTR_DEVICE_OWNERSHIP, &s)) return false;
    bool personal = str_equal_nocase(s, STR("personal")), company = str_equal_nocase(s, STR("company"));
    return (personal || company) && cell_number(out, CELL_BOOL, personal);
}

const struct row ocsf_entra_device[] = {
    OCSF_STATE(5001, "Device Inventory Info", 5, "Discovery", 2, "Collect"),
    ENTRA_METADATA(LOG_INVENTORY),
    {"actor.app_name", fixed_text, .since = V1_2, .text = "rollcall"},
    {"actor.invoked_by", fixed_text, .before = V1_2, .text = "rollcall"},
    {"message", get_message, .text = "Device"},
    {"device.uid", get_guid},
    {"device.uid_alt", get_text, ATTR_DEVICE_ID},
    {"device.name", get_title},
    {"device.domain", get_domain},
    {"device.type_id", get_device_type_id},
    {"device.type", get_device_type},
    {"device.vendor_name", get_words, ATTR_MANUFACTURER, .since = V1_6},
    {"device.model", get_words, ATTR_MODEL, .since = V1_6},
    {"device.os.name", get_words, ATTR_OPERATING_SYSTEM},
    {"device.os.type_id", get_os_type_id},
    {"device.os.type", get_os_type},
    {"device.os.version", get_os_version, ATTR_OPERATING_SYSTEM_VERSION},
    {"device.is_compliant", get_bool, ATTR_IS_COMPLIANT},
    {"device.is_managed", get_bool, ATTR_IS_MANAGED},
    {"device.is_personal", get_is_personal},
    {"device.created_time", get_registered},
    {"device.first_seen_time", get_first_seen},
    {"device.last_seen_time", get_moment, ATTR_APPROXIMATE_LAST_SIGN_IN},
    {"device.org.name", get_tenant_name},
    {"device.org.ou_name", get_unit_name},
    {"device.org.ou_uid", get_unit_uid},
    {"device.owner.uid", get_device_owner_uid, .since = V1_2},
    {"device.owner.name", get_device_owner_name, .since = V1_2},
    {"device.groups", get_groups},
    {"enrichments[0].name", lead_text, .text = "device.uid"},
    {"enrichments[0].type", lead_text, .text = "directory_account"},
    {"enrichments[0].value", get_guid},
    ENTRA_FACTS("enrichments[0].data"),
    {"enrichments[0].data.is_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"enrichments[0].data.device_id", get_text, ATTR_DEVICE_ID},
    {"enrichments[0].data.trust_type", get_words, ATTR_DEVICE_TRUST_TYPE},
    {"enrichments[0].data.profile_type", get_words, ATTR_PROFILE_TYPE},
    {"enrichments[0].data.management_type", get_words, ATTR_MANAGEMENT_TYPE},
    {"enrichments[0].data.device_ownership", get_words, ATTR_DEVICE_OWNERSHIP},
    {"enrichments[0].data.is_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"enrichments[0].data.manufacturer", get_words, ATTR_MANUFACTURER, .before = V1_6},
    {"enrichments[0].data.model", get_words, ATTR_MODEL, .before = V1_6},
    {"enrichments[0].data.security_identifier", get_sid_value, ATTR_ENTRA_SID},
    ENTRA_ON_PREMISES("enrichments[0].data"),
    {"enrichments[0].data.alternative_names", get_texts, ATTR_ALTERNATIVE_NAMES},
    {"enrichments[0].data.owners", get_owners},
    {"enrichments[0].data.owner_uids", get_unresolved_owners},
    {"enrichments[0].data.roles", get_roles},
    {"enrichments[0].data.deleted", get_deleted},
    {NULL},
};

/* --- the dialect --------------------------------------------------------------------------------- */
#define STRUCTURE                                                                                            \
    (KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit) | KIND_BIT(KIND_tenant))
#define INVENTORY (KIND_BIT(KIND_user) | KIND_BIT(KIND_service_principal) | KIND_BIT(KIND_device))

static const struct table tables[] = {
    {TABLE_ENTITY, KIND_BIT(KIND_user), ocsf_entra_user},
    {TABLE_ENTITY, KIND_BIT(KIND_service_principal), ocsf_entra_service_principal},
    {TABLE_ENTITY, KIND_BIT(KIND_device), ocsf_entra_device},
    {TABLE_ENTITY, KIND_BIT(KIND_group), ocsf_entra_group},
    {TABLE_ENTITY, KIND_BIT(KIND_role), ocsf_entra_role},
    {TABLE_ENTITY, KIND_BIT(KIND_administrative_unit), ocsf_entra_unit},
    {TABLE_ENTITY, KIND_BIT(KIND_tenant), ocsf_entra_tenant, .since = V1_4},
    {TABLE_ENTITY, KIND_BIT(KIND_tenant), ocsf_entra_tenant_before_1_4, .before = V1_4},
    {TABLE_GROUP_REF, 0, ocsf_entra_group_ref},
    {TABLE_MEMBER_REF, 0, ocsf_entra_member_ref},
    {TABLE_OWNER_REF, 0, ocsf_entra_owner_ref},
    {TABLE_ROLE_REF, 0, ocsf_entra_role_ref},
    {TABLE_ACCOUNT_CHANGE, 0, ocsf_entra_account_change},
    {TABLE_GROUP_CHANGE, 0, ocsf_entra_group_change},
    {TABLE_OTHER_CHANGE, 0, ocsf_entra_other_change},
};

/* One file a stream, as metadata.log_name tells them apart. */
static const struct file_kind files[] = {
    {"inventory.jsonl", TABLE_ENTITY, INVENTORY},
    {"structure.jsonl", TABLE_ENTITY, STRUCTURE},
};

const struct dialect_type dialect_ocsf_entra = {
    .name = "ocsf",
    .shape = SHAPE_JSON_LINES,
    .times = TIME_MS,
    .has_versions = true,
    .tables = tables,
    .n_tables = n_elements(tables),
    .structure = STRUCTURE,
    .group_refs = KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit),
    .files = files,
    .n_files = n_elements(files),
    .tells_changes = true,
};
