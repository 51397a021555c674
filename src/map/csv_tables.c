/* The csv dialect: a file of each kind and one of memberships. `is_key` marks the columns that others join
 * on. */
#include "map/dialect.h"
#include "map/get.h"
#include "map/words.h"

/* clang-format off */
#define KEYS                                                                                                 \
    {"connector", fixed_connector, .is_key = true},                                                          \
    {"domain", get_domain, .is_key = true},                                                                  \
    {"guid", get_guid, .is_key = true},                                                                      \
    {"sid", get_sid, .is_key = true},                                                                        \
    {"dn", get_dn, .is_key = true}
#define ACCOUNT_KEYS                                                                                         \
    KEYS,                                                                                                    \
    {"sam_account_name", get_text, ATTR_SAM_ACCOUNT_NAME, .is_key = true},                                   \
    {"user_principal_name", get_text, ATTR_USER_PRINCIPAL_NAME, .is_key = true}
#define STAMPS                                                                                               \
    {"description", get_text, ATTR_DESCRIPTION},                                                             \
    {"created", get_time, ATTR_WHEN_CREATED},                                                                \
    {"modified", get_time, ATTR_WHEN_CHANGED},                                                               \
    {"first_seen", get_first_seen},                                                                          \
    {"last_changed", get_last_changed},                                                                      \
    {"deleted", get_deleted},                                                                                \
    {"custom_properties", get_custom_list}
#define MANAGED_BY                                                                                           \
    {"managed_by_guid", get_ref_guid, REF_MANAGED_BY, .is_key = true},                                       \
    {"managed_by_name", get_ref_name, REF_MANAGED_BY},                                                       \
    {"managed_by_dn", get_text, ATTR_MANAGED_BY, .is_key = true}
#define ACCOUNT                                                                                              \
    {"enabled", get_is_active},                                                                              \
    {"locked", get_is_locked},                                                                               \
    {"privileged", get_privilege, PRIV_PROTECTED},                                                           \
    {"domain_admin", get_privilege, PRIV_DOMAIN_ADMIN},                                                      \
    {"full_admin", get_privilege, PRIV_FULL_ADMIN},                                                          \
    {"last_logon", get_last_logon},                                                                          \
    {"last_logon_source", get_last_logon_source},                                                            \
    {"logon_count", get_int, ATTR_LOGON_COUNT},                                                              \
    {"bad_password_count", get_int, ATTR_BAD_PWD_COUNT},                                                     \
    {"password_last_set", get_time, ATTR_PWD_LAST_SET},                                                      \
    {"password_expires", get_password_expires},                                                              \
    {"password_never_expires", get_password_never_expires},                                                  \
    {"must_change_password", get_must_change_password},                                                      \
    {"account_expires", get_time, ATTR_ACCOUNT_EXPIRES},                                                     \
    {"lockout_time", get_time, ATTR_LOCKOUT_TIME},                                                           \
    {"user_account_control", get_int, ATTR_USER_ACCOUNT_CONTROL},                                            \
    {"user_account_control_flags", get_uac_names},                                                           \
    {"primary_group_id", get_int, ATTR_PRIMARY_GROUP_ID},                                                    \
    {"admin_count", get_int, ATTR_ADMIN_COUNT},                                                              \
    {"sid_history", get_sids, ATTR_SID_HISTORY},                                                             \
    {"service_principal_names", get_texts, ATTR_SERVICE_PRINCIPAL_NAME},                                     \
    {"allowed_to_delegate_to", get_texts, ATTR_ALLOWED_TO_DELEGATE_TO},                                      \
    {"allowed_to_act", get_trustees, ATTR_ALLOWED_TO_ACT},                                                   \
    {"encryption_types", get_flags, ATTR_ENC_TYPES, .words = words_encryption_type}
#define PERSON                                                                                               \
    {"display_name", get_text, ATTR_DISPLAY_NAME},                                                           \
    {"given_name", get_text, ATTR_GIVEN_NAME},                                                               \
    {"surname", get_text, ATTR_SN},                                                                          \
    {"initials", get_text, ATTR_INITIALS},                                                                   \
    {"mail", get_text, ATTR_MAIL},                                                                           \
    {"mail_nickname", get_text, ATTR_MAIL_NICKNAME},                                                         \
    {"proxy_addresses", get_texts, ATTR_PROXY_ADDRESSES},                                                    \
    {"other_mailbox", get_texts, ATTR_OTHER_MAILBOX},                                                        \
    {"phone", get_text, ATTR_TELEPHONE_NUMBER},                                                              \
    {"mobile", get_text, ATTR_MOBILE},                                                                       \
    {"title", get_text, ATTR_TITLE},                                                                         \
    {"department", get_text, ATTR_DEPARTMENT},                                                               \
    {"company", get_text, ATTR_COMPANY},                                                                     \
    {"office", get_text, ATTR_OFFICE},                                                                       \
    {"street_address", get_text, ATTR_STREET_ADDRESS},                                                       \
    {"city", get_text, ATTR_L},                                                                              \
    {"state", get_text, ATTR_ST},                                                                            \
    {"postal_code", get_text, ATTR_POSTAL_CODE},                                                             \
    {"country", get_text, ATTR_C},                                                                           \
    {"country_name", get_text, ATTR_CO},                                                                     \
    {"country_code", get_int, ATTR_COUNTRY_CODE},                                                            \
    {"employee_id", get_text, ATTR_EMPLOYEE_ID},                                                             \
    {"employee_number", get_text, ATTR_EMPLOYEE_NUMBER},                                                     \
    {"employee_type", get_text, ATTR_EMPLOYEE_TYPE},                                                         \
    {"manager_guid", get_ref_guid, REF_MANAGER, .is_key = true},                                             \
    {"manager_name", get_ref_name, REF_MANAGER},                                                             \
    {"manager_dn", get_text, ATTR_MANAGER, .is_key = true}
/* clang-format on */

static const struct row users[] = {ACCOUNT_KEYS, PERSON, ACCOUNT, STAMPS, {NULL}};

static const struct row service_accounts[] = {
    ACCOUNT_KEYS,
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"dns_host_name", get_text, ATTR_DNS_HOST_NAME, .is_key = true},
    {"host_computers", get_texts, ATTR_HOST_SERVICE_ACCOUNT_BL, .is_key = true},
    {"password_readers", get_trustees, ATTR_GMSA_MEMBERSHIP},
    {"password_interval_days", get_int, ATTR_PASSWORD_INTERVAL},
    ACCOUNT,
    STAMPS,
    {NULL},
};

static const struct row computers[] = {
    ACCOUNT_KEYS,
    {"dns_host_name", get_text, ATTR_DNS_HOST_NAME, .is_key = true},
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"operating_system", get_text, ATTR_OPERATING_SYSTEM},
    {"operating_system_version", get_text, ATTR_OPERATING_SYSTEM_VERSION},
    {"operating_system_service_pack", get_text, ATTR_OPERATING_SYSTEM_SP},
    {"location", get_text, ATTR_LOCATION},
    {"netboot_guid", get_guid_value, ATTR_NETBOOT_GUID},
    MANAGED_BY,
    ACCOUNT,
    STAMPS,
    {NULL},
};

static const struct row groups[] = {
    KEYS,
    {"sam_account_name", get_text, ATTR_SAM_ACCOUNT_NAME, .is_key = true},
    {"name", get_text, ATTR_NAME},
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"mail", get_text, ATTR_MAIL},
    {"group_type", get_group_type},
    {"is_security", get_group_is_security},
    {"admin_count", get_int, ATTR_ADMIN_COUNT},
    {"sid_history", get_sids, ATTR_SID_HISTORY},
    {"info", get_text, ATTR_INFO},
    {"member_count", get_member_count},
    MANAGED_BY,
    STAMPS,
    {NULL},
};

/* clang-format off */
#define PLACE                                                                                                \
    KEYS,                                                                                                    \
    {"name", get_text, ATTR_NAME},                                                                           \
    {"display_name", get_text, ATTR_DISPLAY_NAME},                                                           \
    {"parent_guid", get_ref_guid, REF_PARENT, .is_key = true},                                               \
    {"parent_dn", get_parent_dn, .is_key = true}
/* clang-format on */

static const struct row ous[] = {
    PLACE,
    MANAGED_BY,
    {"city", get_text, ATTR_L},
    {"state", get_text, ATTR_ST},
    {"postal_code", get_text, ATTR_POSTAL_CODE},
    {"country", get_text, ATTR_C},
    {"linked_policies", get_linked_policy_list, .is_key = true},
    {"blocks_policy_inheritance", get_blocks_inheritance},
    STAMPS,
    {NULL},
};

static const struct row containers[] = {PLACE, STAMPS, {NULL}};

static const struct row domains[] = {
    KEYS,
    {"netbios_name", get_netbios_domain, .is_key = true},
    {"domain_functional_level", get_named, ATTR_BEHAVIOR_VERSION, .words = words_functional_level},
    {"forest_functional_level", get_named, ATTR_FOREST_FUNCTIONALITY, .words = words_functional_level},
    {"machine_account_quota", get_int, ATTR_MACHINE_ACCOUNT_QUOTA},
    {"max_password_age_days", get_days, ATTR_MAX_PWD_AGE},
    {"min_password_age_days", get_days, ATTR_MIN_PWD_AGE},
    {"min_password_length", get_int, ATTR_MIN_PWD_LENGTH},
    {"password_history_length", get_int, ATTR_PWD_HISTORY_LENGTH},
    {"password_properties", get_flags, ATTR_PWD_PROPERTIES, .words = words_password_property},
    {"lockout_threshold", get_int, ATTR_LOCKOUT_THRESHOLD},
    {"lockout_duration_seconds", get_seconds, ATTR_LOCKOUT_DURATION},
    {"lockout_window_seconds", get_seconds, ATTR_LOCKOUT_WINDOW},
    {"linked_policies", get_linked_policy_list, .is_key = true},
    STAMPS,
    {NULL},
};

static const struct row trusts[] = {
    KEYS,
    {"partner", get_text, ATTR_TRUST_PARTNER, .is_key = true},
    {"flat_name", get_text, ATTR_FLAT_NAME, .is_key = true},
    {"partner_sid", get_sid_value, ATTR_TRUST_SID},
    {"direction", get_named, ATTR_TRUST_DIRECTION, .words = words_trust_direction},
    {"trust_type", get_named, ATTR_TRUST_TYPE, .words = words_trust_type},
    {"trust_attributes", get_flags, ATTR_TRUST_ATTRIBUTES, .words = words_trust_attribute},
    STAMPS,
    {NULL},
};

static const struct row policies[] = {
    KEYS,
    {"policy_id", get_text, ATTR_CN, .is_key = true},
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"path", get_text, ATTR_GPC_FILE_SYS_PATH},
    {"version", get_int, ATTR_VERSION_NUMBER},
    {"disabled_parts", get_flags, ATTR_FLAGS, .words = words_policy_disabled},
    STAMPS,
    {NULL},
};

static const struct row contacts[] = {KEYS, {"name", get_text, ATTR_NAME}, PERSON, STAMPS, {NULL}};

static const struct row foreign_principals[] = {KEYS, {"name", get_text, ATTR_NAME}, STAMPS, {NULL}};

static const struct row memberships[] = {
    {"group_uid", get_guid, .is_key = true},
    {"group_sid", get_sid, .is_key = true},
    {"group_name", get_name},
    {"member_uid", get_ref_guid, REF_OTHER, .is_key = true},
    {"member_sid", get_ref_sid, REF_OTHER, .is_key = true},
    {"member_kind", get_ref_kind, REF_OTHER, .is_key = true},
    {"member_name", get_ref_name, REF_OTHER},
    {"member_dn", get_ref_dn, REF_OTHER, .is_key = true},
    {"via", get_ref_via, REF_OTHER, .is_key = true},
    {NULL},
};

static const struct table tables[] = {
    {TABLE_ENTITY, KIND_BIT(KIND_user), users},
    {TABLE_ENTITY, KIND_BIT(KIND_service_account), service_accounts},
    {TABLE_ENTITY, KIND_BIT(KIND_computer), computers},
    {TABLE_ENTITY, KIND_BIT(KIND_group), groups},
    {TABLE_ENTITY, KIND_BIT(KIND_ou), ous},
    {TABLE_ENTITY, KIND_BIT(KIND_container), containers},
    {TABLE_ENTITY, KIND_BIT(KIND_domain), domains},
    {TABLE_ENTITY, KIND_BIT(KIND_trust), trusts},
    {TABLE_ENTITY, KIND_BIT(KIND_group_policy), policies},
    {TABLE_ENTITY, KIND_BIT(KIND_contact), contacts},
    {TABLE_ENTITY, KIND_BIT(KIND_foreign_principal), foreign_principals},
    {TABLE_MEMBER_REF, KIND_BIT(KIND_group), memberships},
};

static const struct file_kind files[] = {
    {"users.csv", TABLE_ENTITY, KIND_BIT(KIND_user)},
    {"service_accounts.csv", TABLE_ENTITY, KIND_BIT(KIND_service_account)},
    {"computers.csv", TABLE_ENTITY, KIND_BIT(KIND_computer)},
    {"groups.csv", TABLE_ENTITY, KIND_BIT(KIND_group)},
    {"memberships.csv", TABLE_MEMBER_REF, KIND_BIT(KIND_group)},
    {"ous.csv", TABLE_ENTITY, KIND_BIT(KIND_ou)},
    {"containers.csv", TABLE_ENTITY, KIND_BIT(KIND_container)},
    {"domains.csv", TABLE_ENTITY, KIND_BIT(KIND_domain)},
    {"trusts.csv", TABLE_ENTITY, KIND_BIT(KIND_trust)},
    {"group_policies.csv", TABLE_ENTITY, KIND_BIT(KIND_group_policy)},
    {"contacts.csv", TABLE_ENTITY, KIND_BIT(KIND_contact)},
    {"foreign_principals.csv", TABLE_ENTITY, KIND_BIT(KIND_foreign_principal)},
};

const struct dialect_type dialect_csv = {
    .name = "csv",
    .shape = SHAPE_CSV,
    .times = TIME_RFC3339,
    .tables = tables,
    .n_tables = n_elements(tables),
    .files = files,
    .n_files = n_elements(files),
};
