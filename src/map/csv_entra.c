/* The csv dialect of a tenant: a file of each kind and one of memberships. Columns are Microsoft Graph's
 * properties in snake case; `is_key` marks those that others join on. */
#include "map/dialect.h"
#include "map/get.h"

/* clang-format off */
#define KEYS                                                                                                 \
    {"connector", fixed_connector, .is_key = true},                                                          \
    {"tenant_id", get_tenant_id, .is_key = true},                                                            \
    {"id", get_guid, .is_key = true}
#define NAMES                                                                                                \
    {"display_name", get_text, ATTR_DISPLAY_NAME},                                                           \
    {"description", get_text, ATTR_DESCRIPTION}
#define MAIL                                                                                                 \
    {"mail", get_text, ATTR_MAIL},                                                                           \
    {"mail_nickname", get_text, ATTR_MAIL_NICKNAME},                                                         \
    {"proxy_addresses", get_texts, ATTR_PROXY_ADDRESSES}
#define ADDRESS                                                                                              \
    {"business_phones", get_texts, ATTR_BUSINESS_PHONES},                                                    \
    {"street_address", get_text, ATTR_STREET_ADDRESS},                                                       \
    {"city", get_text, ATTR_CITY},                                                                           \
    {"state", get_text, ATTR_STATE},                                                                         \
    {"postal_code", get_text, ATTR_POSTAL_CODE},                                                             \
    {"country", get_text, ATTR_COUNTRY}
#define ON_PREMISES                                                                                          \
    {"on_premises_sync_enabled", get_bool, ATTR_SYNC_ENABLED},                                               \
    {"on_premises_last_sync_date_time", get_moment, ATTR_LAST_SYNC},                                         \
    {"on_premises_security_identifier", get_sid_value, ATTR_ON_PREMISES_SID},                                \
    {"on_premises_domain_name", get_text, ATTR_ON_PREMISES_DOMAIN, .is_key = true},                          \
    {"on_premises_sam_account_name", get_text, ATTR_ON_PREMISES_SAM, .is_key = true},                        \
    {"on_premises_net_bios_name", get_text, ATTR_ON_PREMISES_NETBIOS, .is_key = true}
#define PRIVILEGES                                                                                           \
    {"has_directory_role", get_privilege, PRIV_DIRECTORY_ROLE},                                              \
    {"is_privileged", get_privilege, PRIV_PROTECTED},                                                        \
    {"is_global_administrator", get_privilege, PRIV_FULL_ADMIN}
#define RULE                                                                                                 \
    {"visibility", get_text, ATTR_VISIBILITY},                                                               \
    {"membership_rule", get_text, ATTR_MEMBERSHIP_RULE}
#define STAMPS                                                                                               \
    {"created_date_time", get_moment, ATTR_CREATED},                                                         \
    {"first_seen", get_first_seen},                                                                          \
    {"last_changed", get_last_changed},                                                                      \
    {"deleted", get_deleted},                                                                                \
    {"custom_properties", get_custom_list}
/* clang-format on */

static const struct row users[] = {
    KEYS,
    {"user_principal_name", get_text, ATTR_USER_PRINCIPAL_NAME, .is_key = true},
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"given_name", get_text, ATTR_GIVEN_NAME},
    {"surname", get_text, ATTR_SURNAME},
    MAIL,
    {"other_mails", get_texts, ATTR_OTHER_MAILS},
    {"account_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"user_type", get_text, ATTR_USER_TYPE},
    {"external_user_state", get_text, ATTR_EXTERNAL_USER_STATE},
    {"creation_type", get_text, ATTR_CREATION_TYPE},
    {"identities", get_texts, ATTR_IDENTITIES},
    {"job_title", get_text, ATTR_JOB_TITLE},
    {"department", get_text, ATTR_DEPARTMENT},
    {"company_name", get_text, ATTR_COMPANY_NAME},
    {"office_location", get_text, ATTR_OFFICE_LOCATION},
    {"cost_center", get_text, ATTR_COST_CENTER},
    {"employee_id", get_text, ATTR_GRAPH_EMPLOYEE_ID},
    {"employee_type", get_text, ATTR_EMPLOYEE_TYPE},
    {"employee_hire_date", get_moment, ATTR_HIRE_DATE},
    {"manager_id", get_manager_id, .is_key = true},
    {"manager_name", get_ref_principal, REF_MANAGER},
    {"mobile_phone", get_text, ATTR_MOBILE_PHONE},
    ADDRESS,
    {"usage_location", get_text, ATTR_USAGE_LOCATION},
    {"last_sign_in_date_time", get_moment, ATTR_LAST_SIGN_IN},
    {"last_successful_sign_in_date_time", get_moment, ATTR_LAST_SUCCESSFUL_SIGN_IN},
    {"last_non_interactive_sign_in_date_time", get_moment, ATTR_LAST_NON_INTERACTIVE},
    {"last_password_change_date_time", get_moment, ATTR_LAST_PASSWORD_CHANGE},
    {"password_policies", get_text, ATTR_PASSWORD_POLICIES},
    {"has_mfa", get_has_mfa},
    {"is_mfa_registered", get_bool, ATTR_IS_MFA_REGISTERED},
    {"is_mfa_capable", get_bool, ATTR_IS_MFA_CAPABLE},
    {"is_passwordless_capable", get_bool, ATTR_IS_PASSWORDLESS_CAPABLE},
    {"is_sspr_registered", get_bool, ATTR_IS_SSPR_REGISTERED},
    {"methods_registered", get_texts, ATTR_METHODS_REGISTERED},
    {"preferred_method", get_text, ATTR_PREFERRED_METHOD},
    {"mfa_source", get_text, ATTR_MFA_SOURCE},
    {"mfa_last_updated_date_time", get_moment, ATTR_MFA_LAST_UPDATED},
    {"is_management_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"assigned_licenses", get_texts, ATTR_ASSIGNED_LICENSES},
    {"certificate_user_ids", get_texts, ATTR_CERTIFICATE_USER_IDS},
    {"security_identifier", get_sid_value, ATTR_ENTRA_SID},
    PRIVILEGES,
    ON_PREMISES,
    {"on_premises_distinguished_name", get_text, ATTR_ON_PREMISES_DN, .is_key = true},
    {"on_premises_immutable_id", get_text, ATTR_IMMUTABLE_ID, .is_key = true},
    {"on_premises_user_principal_name", get_text, ATTR_ON_PREMISES_UPN, .is_key = true},
    STAMPS,
    {NULL},
};

static const struct row groups[] = {
    KEYS,
    NAMES,
    MAIL,
    {"group_type", get_tenant_group_type},
    {"group_types", get_texts, ATTR_GROUP_TYPES},
    {"security_enabled", get_bool, ATTR_SECURITY_ENABLED},
    {"mail_enabled", get_bool, ATTR_MAIL_ENABLED},
    RULE,
    {"is_assignable_to_role", get_bool, ATTR_IS_ASSIGNABLE_TO_ROLE},
    {"is_management_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"unique_name", get_text, ATTR_UNIQUE_NAME, .is_key = true},
    {"resource_provisioning_options", get_texts, ATTR_PROVISIONING_OPTIONS},
    {"renewed_date_time", get_moment, ATTR_RENEWED},
    {"expiration_date_time", get_moment, ATTR_EXPIRATION},
    {"assigned_licenses", get_texts, ATTR_ASSIGNED_LICENSES},
    {"security_identifier", get_sid_value, ATTR_ENTRA_SID},
    {"owner_ids", get_texts, ATTR_OWNERS, .is_key = true},
    {"member_count", get_member_count},
    ON_PREMISES,
    STAMPS,
    {NULL},
};

static const struct row roles[] = {
    KEYS,
    NAMES,
    {"role_template_id", get_text, ATTR_ROLE_TEMPLATE_ID, .is_key = true},
    {"assignment_type", get_text, ATTR_ASSIGNMENT_TYPE},
    {"directory_scope_id", get_text, ATTR_DIRECTORY_SCOPE_ID, .is_key = true},
    {"is_built_in", get_bool, ATTR_IS_BUILT_IN},
    {"is_enabled", get_bool, ATTR_IS_ENABLED},
    {"member_count", get_member_count},
    STAMPS,
    {NULL},
};

static const struct row administrative_units[] = {
    KEYS,
    NAMES,
    RULE,
    {"membership_type", get_text, ATTR_MEMBERSHIP_TYPE},
    {"is_member_management_restricted", get_bool, ATTR_IS_MEMBER_RESTRICTED},
    {"member_count", get_member_count},
    STAMPS,
    {NULL},
};

static const struct row service_principals[] = {
    KEYS,
    NAMES,
    {"account_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"app_id", get_text, ATTR_APP_ID, .is_key = true},
    {"app_display_name", get_text, ATTR_APP_DISPLAY_NAME},
    {"app_owner_organization_id", get_text, ATTR_APP_OWNER_ORGANIZATION, .is_key = true},
    {"service_principal_type", get_text, ATTR_SERVICE_PRINCIPAL_TYPE},
    {"service_principal_names", get_texts, ATTR_SERVICE_PRINCIPAL_NAMES},
    {"sign_in_audience", get_text, ATTR_SIGN_IN_AUDIENCE},
    {"tags", get_texts, ATTR_TAGS},
    {"alternative_names", get_texts, ATTR_ALTERNATIVE_NAMES},
    {"password_credentials", get_texts, ATTR_PASSWORD_CREDENTIALS},
    {"key_credentials", get_texts, ATTR_KEY_CREDENTIALS},
    {"disabled_by_microsoft_status", get_text, ATTR_DISABLED_BY_MICROSOFT},
    {"owner_ids", get_texts, ATTR_OWNERS, .is_key = true},
    PRIVILEGES,
    STAMPS,
    {NULL},
};

static const struct row devices[] = {
    KEYS,
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"account_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"device_id", get_text, ATTR_DEVICE_ID, .is_key = true},
    {"device_ownership", get_text, ATTR_DEVICE_OWNERSHIP},
    {"is_compliant", get_bool, ATTR_IS_COMPLIANT},
    {"is_managed", get_bool, ATTR_IS_MANAGED},
    {"is_management_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"manufacturer", get_text, ATTR_MANUFACTURER},
    {"model", get_text, ATTR_MODEL},
    {"operating_system", get_text, ATTR_OPERATING_SYSTEM},
    {"operating_system_version", get_text, ATTR_OPERATING_SYSTEM_VERSION},
    {"profile_type", get_text, ATTR_PROFILE_TYPE},
    {"trust_type", get_text, ATTR_DEVICE_TRUST_TYPE},
    {"management_type", get_text, ATTR_MANAGEMENT_TYPE},
    {"registration_date_time", get_moment, ATTR_REGISTRATION},
    {"approximate_last_sign_in_date_time", get_moment, ATTR_APPROXIMATE_LAST_SIGN_IN},
    {"owner_ids", get_texts, ATTR_OWNERS, .is_key = true},
    ON_PREMISES,
    STAMPS,
    {NULL},
};

static const struct row contacts[] = {
    KEYS,
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"given_name", get_text, ATTR_GIVEN_NAME},
    {"surname", get_text, ATTR_SURNAME},
    MAIL,
    {"job_title", get_text, ATTR_JOB_TITLE},
    {"department", get_text, ATTR_DEPARTMENT},
    {"company_name", get_text, ATTR_COMPANY_NAME},
    {"office_location", get_text, ATTR_OFFICE_LOCATION},
    {"manager_id", get_manager_id, .is_key = true},
    {"manager_name", get_ref_principal, REF_MANAGER},
    {"mobile_phone", get_text, ATTR_MOBILE_PHONE},
    ADDRESS,
    ON_PREMISES,
    STAMPS,
    {NULL},
};

static const struct row tenants[] = {
    KEYS,
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"default_domain", get_text, ATTR_DEFAULT_DOMAIN, .is_key = true},
    {"verified_domains", get_texts, ATTR_VERIFIED_DOMAINS, .is_key = true},
    {"federated_domains", get_texts, ATTR_FEDERATED_DOMAINS, .is_key = true},
    {"tenant_type", get_text, ATTR_TENANT_TYPE},
    {"assigned_plans", get_texts, ATTR_ASSIGNED_PLANS},
    ADDRESS,
    {"country_letter_code", get_text, ATTR_COUNTRY_LETTER_CODE},
    {"on_premises_sync_enabled", get_bool, ATTR_SYNC_ENABLED},
    {"on_premises_last_sync_date_time", get_moment, ATTR_LAST_SYNC},
    STAMPS,
    {NULL},
};

static const struct row memberships[] = {
    {"group_id", get_guid, .is_key = true},
    {"group_kind", get_kind, .is_key = true},
    {"group_name", get_name},
    {"member_id", get_ref_id, .is_key = true},
    {"member_kind", get_ref_kind, REF_OTHER, .is_key = true},
    {"member_name", get_ref_name, REF_OTHER},
    {"member_principal_name", get_ref_principal, REF_OTHER},
    {"via", get_ref_via, REF_OTHER, .is_key = true},
    {NULL},
};

#define HOLDERS (KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit))
static const struct table tables[] = {
    {TABLE_ENTITY, KIND_BIT(KIND_user), users},
    {TABLE_ENTITY, KIND_BIT(KIND_group), groups},
    {TABLE_ENTITY, KIND_BIT(KIND_role), roles},
    {TABLE_ENTITY, KIND_BIT(KIND_administrative_unit), administrative_units},
    {TABLE_ENTITY, KIND_BIT(KIND_service_principal), service_principals},
    {TABLE_ENTITY, KIND_BIT(KIND_device), devices},
    {TABLE_ENTITY, KIND_BIT(KIND_contact), contacts},
    {TABLE_ENTITY, KIND_BIT(KIND_tenant), tenants},
    {TABLE_MEMBER_REF, HOLDERS, memberships},
};

static const struct file_kind files[] = {
    {"users.csv", TABLE_ENTITY, KIND_BIT(KIND_user)},
    {"groups.csv", TABLE_ENTITY, KIND_BIT(KIND_group)},
    {"roles.csv", TABLE_ENTITY, KIND_BIT(KIND_role)},
    {"administrative_units.csv", TABLE_ENTITY, KIND_BIT(KIND_administrative_unit)},
    {"memberships.csv", TABLE_MEMBER_REF, HOLDERS},
    {"service_principals.csv", TABLE_ENTITY, KIND_BIT(KIND_service_principal)},
    {"devices.csv", TABLE_ENTITY, KIND_BIT(KIND_device)},
    {"contacts.csv", TABLE_ENTITY, KIND_BIT(KIND_contact)},
    {"tenants.csv", TABLE_ENTITY, KIND_BIT(KIND_tenant)},
};

const struct dialect_type dialect_csv_entra = {
    .name = "csv",
    .shape = SHAPE_CSV,
    .times = TIME_RFC3339,
    .tables = tables,
    .n_tables = n_elements(tables),
    .files = files,
    .n_files = n_elements(files),
};
