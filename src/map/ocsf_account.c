/* Users, service accounts (5003 User Inventory Info) and computers (5001 Device Inventory Info). */
#include "map/dialect.h"
#include "map/ocsf.h"
#include "map/words.h"

/* --- what kind of account ------------------------------------------------------------------------ */
enum account_type { TYPE_USER = 1, TYPE_ADMIN = 2, TYPE_SYSTEM = 3, TYPE_SERVICE = 4 };

/* The schema's own example of System is the computer account; krbtgt (RID 502) and trust accounts are no
 * people. */
static bool is_system(const struct view *v)
{
    int64_t uac = 0;
    if (v->r->record->kind == KIND_computer) return true;
    view_int(v, ATTR_USER_ACCOUNT_CONTROL, &uac);
    if (uac & (UAC_INTERDOMAIN_TRUST_ACCOUNT | UAC_WORKSTATION_TRUST_ACCOUNT | UAC_SERVER_TRUST_ACCOUNT))
        return true;
    return v->domain && sid_is_in_domain(v->r->record->sid, v->domain->sid) &&
           sid_rid(v->r->record->sid) == 502;
}

static enum account_type account_type(const struct view *v)
{
    if (v->r->record->kind == KIND_service_account) return TYPE_SERVICE;
    if (is_system(v)) return TYPE_SYSTEM;
    return v->s->derived.privileges & PRIV_PROTECTED ? TYPE_ADMIN : TYPE_USER;
}

/* 4 is Service since 1.6.0; before, 99 with the word. */
bool get_user_type_id(struct view *v, const struct row *row, struct cell *out)
{
    enum account_type t = account_type(v);
    return cell_number(out, CELL_INT, t == TYPE_SERVICE && view_version(v) < V1_6 ? 99 : (int)t);
}
bool get_user_type(struct view *v, const struct row *row, struct cell *out)
{
    static const char *const names[] = {
        [TYPE_USER] = "User", [TYPE_ADMIN] = "Admin", [TYPE_SYSTEM] = "System", [TYPE_SERVICE] = "Service"};
    const char *name = names[account_type(v)];
    return cell_plain(out, name, strlen(name));
}

/* employeeID, else employeeNumber. */
static bool get_employee_uid(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return view_words(v, ATTR_EMPLOYEE_ID, &out->text) || view_words(v, ATTR_EMPLOYEE_NUMBER, &out->text);
}

/* A manager that was not resolved is still known by name. */
static bool get_unresolved_manager(struct view *v, const struct row *row, struct cell *out)
{
    return !v->s->manager && get_text(v, row, out);
}

/* Facts of an account that have no typed place, for every kind of account; P is where they go. */
/* clang-format off */
#define ACCOUNT_FACTS(P)                                                                                     \
    {P ".connector", fixed_connector},                                                                       \
    {P ".kind", get_kind},                                                                                   \
    {P ".user_account_control", get_int, ATTR_USER_ACCOUNT_CONTROL},                                         \
    {P ".user_account_control_flags", get_uac_names},                                                        \
    {P ".pwd_last_set", get_time, ATTR_PWD_LAST_SET},                                                        \
    {P ".must_change_password", get_must_change_password},                                                   \
    {P ".password_expires", get_password_expires},                                                           \
    {P ".password_never_expires", get_password_never_expires},                                               \
    {P ".account_expires", get_time, ATTR_ACCOUNT_EXPIRES},                                                  \
    {P ".lockout_time", get_time, ATTR_LOCKOUT_TIME},                                                        \
    {P ".bad_pwd_count", get_int, ATTR_BAD_PWD_COUNT},                                                       \
    {P ".bad_password_time", get_time, ATTR_BAD_PASSWORD_TIME},                                              \
    {P ".logon_count", get_int, ATTR_LOGON_COUNT},                                                           \
    {P ".last_logon_source", get_last_logon_source},                                                         \
    {P ".last_logon", get_time, ATTR_LAST_LOGON},                                                            \
    {P ".last_logon_timestamp", get_time, ATTR_LAST_LOGON_TIMESTAMP},                                        \
    {P ".admin_count", get_int, ATTR_ADMIN_COUNT},                                                           \
    {P ".is_domain_admin", get_privilege, PRIV_DOMAIN_ADMIN},                                                \
    {P ".is_full_admin", get_privilege, PRIV_FULL_ADMIN},                                                    \
    {P ".is_privileged", get_privilege, PRIV_PROTECTED},                                                     \
    {P ".primary_group_id", get_int, ATTR_PRIMARY_GROUP_ID},                                                 \
    {P ".sid_history", get_sids, ATTR_SID_HISTORY},                                                          \
    {P ".service_principal_names", get_texts, ATTR_SERVICE_PRINCIPAL_NAME},                                  \
    {P ".allowed_to_delegate_to", get_texts, ATTR_ALLOWED_TO_DELEGATE_TO},                                   \
    {P ".allowed_to_act", get_trustees, ATTR_ALLOWED_TO_ACT},                                                \
    {P ".encryption_types", get_flags, ATTR_ENC_TYPES, .words = words_encryption_type},                      \
    {P ".description", get_words, ATTR_DESCRIPTION},                                                         \
    {P ".first_seen", get_first_seen},                                                                       \
    {P ".last_changed", get_last_changed},                                                                   \
    {P ".custom_properties", get_custom}
/* clang-format on */

/* --- 5003 ---------------------------------------------------------------------------------------- */
const struct row ocsf_user[] = {
    OCSF_STATE(5003, "User Inventory Info", 5, "Discovery", 2, "Collect"),
    OCSF_METADATA(LOG_INVENTORY),
    {"actor.app_name", fixed_text, .since = V1_2, .text = "rollcall"},
    {"actor.invoked_by", fixed_text, .before = V1_2, .text = "rollcall"},
    {"message", get_message, .text = "Account"},
    {"user.uid", get_uid},
    {"user.uid_alt", get_guid},
    {"user.name", get_name},
    {"user.display_name", get_text, ATTR_DISPLAY_NAME, .since = V1_5},
    {"user.full_name", get_full_name},
    {"user.domain", get_domain},
    {"user.email_addr", get_email, ATTR_MAIL},
    {"user.forward_addr", get_forward_address, .since = V1_4},
    {"user.phone_number", get_words, ATTR_TELEPHONE_NUMBER, .since = V1_4},
    {"user.type_id", get_user_type_id},
    {"user.type", get_user_type},
    {"user.account.name", get_principal},
    {"user.account.uid", get_uid},
    {"user.account.type_id", fixed_number, 19, .since = V1_8},
    {"user.account.type", fixed_text, .since = V1_8, .text = "ActiveDirectory Account"},
    {"user.account.type_id", fixed_number, 2, .before = V1_8},
    {"user.account.type", fixed_text, .before = V1_8, .text = "Windows Account"},
    {"user.account.is_disabled", get_is_disabled, .since = V1_8},
    {"user.account.is_locked", get_is_locked, .since = V1_8},
    {"user.account.labels", get_account_labels, .since = V1_2},
    {"user.org.name", get_organization},
    {"user.org.ou_name", get_parent_dn},
    {"user.org.ou_uid", get_ref_guid, REF_PARENT},
    {"user.ldap_person.ldap_dn", get_dn},
    {"user.ldap_person.ldap_cn", get_text, ATTR_CN},
    {"user.ldap_person.display_name", get_text, ATTR_DISPLAY_NAME, .since = V1_5},
    {"user.ldap_person.given_name", get_text, ATTR_GIVEN_NAME},
    {"user.ldap_person.surname", get_text, ATTR_SN},
    {"user.ldap_person.email_addrs", get_emails, ATTR_OTHER_MAILBOX},
    {"user.ldap_person.employee_uid", get_employee_uid},
    {"user.ldap_person.job_title", get_words, ATTR_TITLE},
    {"user.ldap_person.department", get_words, ATTR_DEPARTMENT, .since = V1_8},
    {"user.ldap_person.office_location", get_words, ATTR_OFFICE},
    {"user.ldap_person.labels", get_words_list, ATTR_EMPLOYEE_TYPE},
    {"user.ldap_person.location.city", get_words, ATTR_L},
    {"user.ldap_person.location.region", get_words, ATTR_ST},
    {"user.ldap_person.location.postal_code", get_words, ATTR_POSTAL_CODE},
    {"user.ldap_person.location.country", get_country, ATTR_C},
    {"user.ldap_person.manager.uid", get_ref_uid, REF_MANAGER},
    {"user.ldap_person.manager.name", get_ref_name, REF_MANAGER},
    {"user.ldap_person.created_time", get_moment, ATTR_WHEN_CREATED},
    {"user.ldap_person.modified_time", get_moment, ATTR_WHEN_CHANGED},
    {"user.ldap_person.last_login_time", get_last_logon},
    {"user.ldap_person.deleted_time", get_deleted},
    {"user.programmatic_credentials", get_key_credentials, .since = V1_6},
    {"user.groups", get_groups},
    /* What consumers of the document's own events look for. */
    {"enrichments[0].name", lead_text, .text = "account"},
    {"enrichments[0].value", lead_text, .text = "status"},
    {"enrichments[0].data.is_enabled", get_is_active},
    {"enrichments[0].data.is_locked", get_is_locked},
    {"enrichments[0].data.last_logon", get_last_logon},
    {"enrichments[1].name", lead_text, .text = "employment"},
    {"enrichments[1].value", get_employment, ATTR_TITLE},
    {"enrichments[1].data.department", get_words, ATTR_DEPARTMENT},
    {"enrichments[1].data.job_title", get_words, ATTR_TITLE},
    {"enrichments[1].data.employee_id", get_words, ATTR_EMPLOYEE_ID},
    {"enrichments[1].data.employee_type", get_words, ATTR_EMPLOYEE_TYPE},
    /* The rest of what is known, and what this version has no typed place for. */
    {"enrichments[2].name", lead_text, .text = "user.uid"},
    {"enrichments[2].type", lead_text, .text = "directory_account"},
    {"enrichments[2].value", get_uid},
    ACCOUNT_FACTS("enrichments[2].data"),
    {"enrichments[2].data.display_name", get_text, ATTR_DISPLAY_NAME, .before = V1_5},
    {"enrichments[2].data.is_disabled", get_is_disabled, .before = V1_8},
    {"enrichments[2].data.is_locked", get_is_locked, .before = V1_8},
    {"enrichments[2].data.labels", get_account_labels, .before = V1_2},
    {"enrichments[2].data.department", get_words, ATTR_DEPARTMENT, .before = V1_8},
    {"enrichments[2].data.forward_addr", get_forward_address, .before = V1_4},
    {"enrichments[2].data.phone_number", get_words, ATTR_TELEPHONE_NUMBER, .before = V1_4},
    {"enrichments[2].data.programmatic_credentials", get_key_credentials, .before = V1_6},
    {"enrichments[2].data.group_uids_alt", get_group_guids, .before = V1_8},
    {"enrichments[2].data.mail", get_not_email, ATTR_MAIL},
    {"enrichments[2].data.mail_nickname", get_text, ATTR_MAIL_NICKNAME},
    {"enrichments[2].data.mobile", get_words, ATTR_MOBILE},
    {"enrichments[2].data.initials", get_words, ATTR_INITIALS},
    {"enrichments[2].data.street_address", get_words, ATTR_STREET_ADDRESS},
    {"enrichments[2].data.country_name", get_words, ATTR_CO},
    {"enrichments[2].data.country_code", get_int, ATTR_COUNTRY_CODE},
    {"enrichments[2].data.employee_number", get_words, ATTR_EMPLOYEE_NUMBER},
    {"enrichments[2].data.manager_dn", get_unresolved_manager, ATTR_MANAGER},
    {"enrichments[2].data.user_workstations", get_text, ATTR_USER_WORKSTATIONS},
    {"enrichments[2].data.consistency_guid", get_base64, ATTR_CONSISTENCY_GUID},
    {"enrichments[2].data.dns_host_name", get_text, ATTR_DNS_HOST_NAME},
    {"enrichments[2].data.host_computers", get_texts, ATTR_HOST_SERVICE_ACCOUNT_BL},
    {"enrichments[2].data.password_readers", get_trustees, ATTR_GMSA_MEMBERSHIP},
    {"enrichments[2].data.password_interval_days", get_int, ATTR_PASSWORD_INTERVAL},
    {NULL},
};

const struct row ocsf_group_ref[] = {
    {"uid", get_ref_uid, REF_OTHER},
    {"uid_alt", get_ref_guid, REF_OTHER, .since = V1_8},
    {"name", get_ref_name, REF_OTHER},
    {"domain", get_domain},
    {"type", get_ref_group_type, REF_OTHER},
    {"desc", get_ref_description, REF_OTHER},
    {NULL},
};

/* --- 5001 ---------------------------------------------------------------------------------------- */
static bool contains(struct str s, const char *part)
{
    return s.len && memmem(s.ptr, s.len, part, strlen(part));
}

enum { PARTIAL_SECRETS_ACCOUNT = 0x4000000 }; /* a read-only DC, MS-ADTS 2.2.16 */

/* os.name is required, so nothing of os goes without it. */
static bool has_os(const struct view *v, struct str *os)
{
    return view_words(v, ATTR_OPERATING_SYSTEM, os);
}

/* 1 Server: a domain controller, or an operating system that says so; 99: a form factor nobody knows; 0: not
 * even that. */
static int device_type(const struct view *v)
{
    int64_t uac = 0;
    struct str os = {0};
    bool known = has_os(v, &os);
    view_int(v, ATTR_USER_ACCOUNT_CONTROL, &uac);
    if (uac & (UAC_SERVER_TRUST_ACCOUNT | PARTIAL_SECRETS_ACCOUNT) || (known && contains(os, "Server")))
        return 1;
    return known ? 99 : 0;
}
static bool get_device_type_id(struct view *v, const struct row *row, struct cell *out)
{
    return cell_number(out, CELL_INT, device_type(v));
}
static bool get_device_type(struct view *v, const struct row *row, struct cell *out)
{
    int t = device_type(v);
    return t == 1 ? cell_plain(out, "Server", 6) : t == 99 && cell_plain(out, "Workstation", 11);
}

static const struct {
    const char *part, *type;
    int id;
} systems[] = {
    {"Windows", "Windows", 100}, {"Hyper-V Server", "Windows", 100},
    {"Mac OS", "macOS", 300},    {"macOS", "macOS", 300},
    {"Linux", "Linux", 200},     {"linux", "Linux", 200},
    {"Ubuntu", "Linux", 200},    {"Debian", "Linux", 200},
    {"Red Hat", "Linux", 200},   {"CentOS", "Linux", 200},
    {"SUSE", "Linux", 200},      {"Samba", "Linux", 200},
};

/* -1: unknown, to be named by its own words. */
static int find_system(struct str os)
{
    for (size_t i = 0; i < n_elements(systems); i++)
        if (contains(os, systems[i].part)) return (int)i;
    return -1;
}
static bool get_os_type_id(struct view *v, const struct row *row, struct cell *out)
{
    struct str os;
    if (!has_os(v, &os)) return false;
    int i = find_system(os);
    return cell_number(out, CELL_INT, i < 0 ? 99 : systems[i].id);
}
static bool get_os_type(struct view *v, const struct row *row, struct cell *out)
{
    struct str os;
    if (!has_os(v, &os)) return false;
    int i = find_system(os);
    return cell_text(out, i < 0 ? os : str_from(systems[i].type));
}

/* operatingSystemVersion is "10.0 (17763)": a version and a build. */
static bool get_os_version(struct view *v, const struct row *row, struct cell *out)
{
    struct str os, s;
    if (!has_os(v, &os) || !view_words(v, ATTR_OPERATING_SYSTEM_VERSION, &s)) return false;
    s = str_trim((struct str){s.ptr, str_index(s, '(')});
    return !text_is_placeholder(s) && cell_text(out, s);
}
static bool get_os_build(struct view *v, const struct row *row, struct cell *out)
{
    struct str os, s;
    if (!has_os(v, &os) || !view_words(v, ATTR_OPERATING_SYSTEM_VERSION, &s)) return false;
    size_t open = str_index(s, '('), close = str_index(s, ')');
    if (open >= close || close == s.len) return false;
    s = (struct str){s.ptr + open + 1, close - open - 1};
    return !text_is_placeholder(s) && cell_text(out, s);
}
static bool get_os_sp(struct view *v, const struct row *row, struct cell *out)
{
    struct str os;
    return has_os(v, &os) && get_words(v, row, out);
}

/* hostname_t has a shape in 1.1.0 and none since; a name that does not fit is told in the enrichment. */
static bool is_host_name(const struct view *v, struct str s)
{
    return view_version(v) >= V1_2 || text_is_hostname(s);
}
static bool get_hostname(struct view *v, const struct row *row, struct cell *out)
{
    return get_text(v, row, out) && is_host_name(v, out->text);
}
static bool get_not_hostname(struct view *v, const struct row *row, struct cell *out)
{
    return get_text(v, row, out) && !is_host_name(v, out->text);
}

const struct row ocsf_computer[] = {
    OCSF_STATE(5001, "Device Inventory Info", 5, "Discovery", 2, "Collect"),
    OCSF_METADATA(LOG_INVENTORY),
    {"actor.app_name", fixed_text, .since = V1_2, .text = "rollcall"},
    {"actor.invoked_by", fixed_text, .before = V1_2, .text = "rollcall"},
    {"message", get_message, .text = "Computer"},
    {"device.uid", get_uid},
    {"device.uid_alt", get_guid},
    {"device.hostname", get_hostname, ATTR_DNS_HOST_NAME},
    {"device.name", get_host_name},
    {"device.domain", get_domain},
    {"device.desc", get_words, ATTR_DESCRIPTION},
    {"device.type_id", get_device_type_id},
    {"device.type", get_device_type},
    {"device.os.name", get_words, ATTR_OPERATING_SYSTEM},
    {"device.os.type_id", get_os_type_id},
    {"device.os.type", get_os_type},
    {"device.os.version", get_os_version},
    {"device.os.build", get_os_build},
    {"device.os.sp_name", get_os_sp, ATTR_OPERATING_SYSTEM_SP},
    {"device.created_time", get_moment, ATTR_WHEN_CREATED},
    {"device.modified_time", get_moment, ATTR_WHEN_CHANGED},
    {"device.first_seen_time", get_first_seen},
    {"device.last_seen_time", get_last_logon},
    {"device.org.name", get_domain},
    {"device.org.ou_name", get_parent_dn},
    {"device.org.ou_uid", get_ref_guid, REF_PARENT},
    {"device.owner.uid", get_owner_uid, REF_MANAGED_BY, .since = V1_2},
    {"device.owner.name", get_owner_name, REF_MANAGED_BY, .since = V1_2},
    {"device.hw_info.uuid", get_guid_value, ATTR_NETBOOT_GUID, .since = V1_6},
    {"device.groups", get_groups},
    {"enrichments[0].name", lead_text, .text = "device.uid"},
    {"enrichments[0].type", lead_text, .text = "directory_account"},
    {"enrichments[0].value", get_uid},
    {"enrichments[0].data.distinguished_name", get_dn},
    {"enrichments[0].data.sam_account_name", get_name},
    {"enrichments[0].data.user_principal_name", get_text, ATTR_USER_PRINCIPAL_NAME},
    {"enrichments[0].data.is_enabled", get_is_active},
    {"enrichments[0].data.is_locked", get_is_locked},
    {"enrichments[0].data.labels", get_account_labels},
    ACCOUNT_FACTS("enrichments[0].data"),
    {"enrichments[0].data.dns_host_name", get_not_hostname, ATTR_DNS_HOST_NAME},
    {"enrichments[0].data.location", get_words, ATTR_LOCATION},
    {"enrichments[0].data.managed_by", get_text, ATTR_MANAGED_BY},
    {"enrichments[0].data.netboot_guid", get_guid_value, ATTR_NETBOOT_GUID, .before = V1_6},
    {"enrichments[0].data.key_credentials", get_key_credentials},
    {"enrichments[0].data.group_uids_alt", get_group_guids, .before = V1_8},
    {"enrichments[0].data.deleted", get_deleted},
    {NULL},
};
