/* One JSON object per entity of a tenant. The names are those of the Active Directory tables where the
 * meaning is the same (email, first_name, is_active, manager_principal_name...), else Microsoft Graph's in
 * snake case. */
#include "map/dialect.h"
#include "map/get.h"

/* clang-format off */
#define COMMON(type)                                                                                         \
    {"entity_type", fixed_text, .text = type},                                                               \
    {"id", get_guid},                                                                                        \
    {"azure_tenant_id", get_tenant_id},                                                                      \
    {"azure_domain", get_domain},                                                                            \
    {"display_name", get_text, ATTR_DISPLAY_NAME},                                                           \
    {"description", get_text, ATTR_DESCRIPTION},                                                             \
    {"created_at", get_moment, ATTR_CREATED}
#define ON_PREMISES                                                                                          \
    {"on_premises_sync_enabled", get_bool, ATTR_SYNC_ENABLED},                                               \
    {"on_premises_last_sync_date_time", get_moment, ATTR_LAST_SYNC},                                         \
    {"on_premises_security_identifier", get_sid_value, ATTR_ON_PREMISES_SID},                                \
    {"on_premises_domain_name", get_text, ATTR_ON_PREMISES_DOMAIN},                                          \
    {"on_premises_sam_account_name", get_text, ATTR_ON_PREMISES_SAM}
#define PRIVILEGES                                                                                           \
    {"has_directory_role", get_privilege, PRIV_DIRECTORY_ROLE},                                              \
    {"is_privileged", get_privilege, PRIV_PROTECTED},                                                        \
    {"full_admin", get_privilege, PRIV_FULL_ADMIN}
#define CUSTOM                                                                                               \
    {"custom_properties", get_custom}
/* clang-format on */

static const struct row user[] = {
    COMMON("Azure AD User"),
    {"account_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"city", get_text, ATTR_CITY},
    {"company", get_text, ATTR_COMPANY_NAME},
    {"cost_center", get_text, ATTR_COST_CENTER},
    {"country_or_region", get_text, ATTR_COUNTRY},
    {"creation_type", get_text, ATTR_CREATION_TYPE},
    {"department", get_text, ATTR_DEPARTMENT},
    {"email", get_text, ATTR_MAIL},
    {"employee_hire_date", get_moment, ATTR_HIRE_DATE},
    {"employee_id", get_text, ATTR_GRAPH_EMPLOYEE_ID},
    {"employee_type", get_text, ATTR_EMPLOYEE_TYPE},
    {"external_user_state", get_text, ATTR_EXTERNAL_USER_STATE},
    {"first_name", get_text, ATTR_GIVEN_NAME},
    {"given_name", get_text, ATTR_GIVEN_NAME},
    {"idp_unique_id", get_text, ATTR_USER_PRINCIPAL_NAME},
    {"is_active", get_bool, ATTR_ACCOUNT_ENABLED},
    {"is_management_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"is_mfa_registered", get_bool, ATTR_IS_MFA_REGISTERED},
    {"is_mfa_capable", get_bool, ATTR_IS_MFA_CAPABLE},
    {"is_passwordless_capable", get_bool, ATTR_IS_PASSWORDLESS_CAPABLE},
    {"is_sspr_registered", get_bool, ATTR_IS_SSPR_REGISTERED},
    {"mfa_active", get_has_mfa},
    {"mfa_methods", get_texts, ATTR_METHODS_REGISTERED},
    {"job_title", get_text, ATTR_JOB_TITLE},
    {"last_name", get_text, ATTR_SURNAME},
    {"last_logon", get_last_sign_in},
    {"last_sign_in_date_time", get_moment, ATTR_LAST_SIGN_IN},
    {"last_successful_sign_in_date_time", get_moment, ATTR_LAST_SUCCESSFUL_SIGN_IN},
    {"last_non_interactive_sign_in_date_time", get_moment, ATTR_LAST_NON_INTERACTIVE},
    {"lower_email", get_lower, ATTR_MAIL},
    {"mail_nickname", get_text, ATTR_MAIL_NICKNAME},
    {"manager", get_manager_id},
    {"manager_principal_name", get_ref_principal, REF_MANAGER},
    {"mobile_phone", get_text, ATTR_MOBILE_PHONE},
    {"business_phones", get_texts, ATTR_BUSINESS_PHONES},
    {"office", get_text, ATTR_OFFICE_LOCATION},
    {"other_mails", get_texts, ATTR_OTHER_MAILS},
    {"proxy_addresses", get_texts, ATTR_PROXY_ADDRESSES},
    {"identities", get_texts, ATTR_IDENTITIES},
    {"certificate_user_ids", get_texts, ATTR_CERTIFICATE_USER_IDS},
    {"assigned_licenses", get_texts, ATTR_ASSIGNED_LICENSES},
    {"password_last_set", get_moment, ATTR_LAST_PASSWORD_CHANGE},
    {"password_policies", get_text, ATTR_PASSWORD_POLICIES},
    {"postal_code", get_text, ATTR_POSTAL_CODE},
    {"security_identifier", get_sid_value, ATTR_ENTRA_SID},
    {"state_or_province_name", get_text, ATTR_STATE},
    {"street_address", get_text, ATTR_STREET_ADDRESS},
    {"sur_name", get_text, ATTR_SURNAME},
    {"usage_location", get_text, ATTR_USAGE_LOCATION},
    {"user_principal_name", get_text, ATTR_USER_PRINCIPAL_NAME},
    {"user_type", get_text, ATTR_USER_TYPE},
    PRIVILEGES,
    ON_PREMISES,
    {"on_premises_distinguished_name", get_text, ATTR_ON_PREMISES_DN},
    {"on_premises_immutable_id", get_text, ATTR_IMMUTABLE_ID},
    {"on_premises_user_principal_name", get_text, ATTR_ON_PREMISES_UPN},
    CUSTOM,
    {NULL},
};

static const struct row group[] = {
    COMMON("Azure AD Group"),
    {"email", get_text, ATTR_MAIL},
    {"mail_nickname", get_text, ATTR_MAIL_NICKNAME},
    {"proxy_addresses", get_texts, ATTR_PROXY_ADDRESSES},
    {"group_type", get_tenant_group_type},
    {"group_types", get_texts, ATTR_GROUP_TYPES},
    {"is_security_group", get_bool, ATTR_SECURITY_ENABLED},
    {"mail_enabled", get_bool, ATTR_MAIL_ENABLED},
    {"visibility", get_text, ATTR_VISIBILITY},
    {"is_assignable_to_role", get_bool, ATTR_IS_ASSIGNABLE_TO_ROLE},
    {"is_management_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"membership_rule", get_text, ATTR_MEMBERSHIP_RULE},
    {"unique_name", get_text, ATTR_UNIQUE_NAME},
    {"resource_provisioning_options", get_texts, ATTR_PROVISIONING_OPTIONS},
    {"renewed_date_time", get_moment, ATTR_RENEWED},
    {"expiration_date_time", get_moment, ATTR_EXPIRATION},
    {"security_identifier", get_sid_value, ATTR_ENTRA_SID},
    {"assigned_licenses", get_texts, ATTR_ASSIGNED_LICENSES},
    {"owners", get_texts, ATTR_OWNERS},
    {"member_count", get_member_count},
    ON_PREMISES,
    {"on_premises_net_bios_name", get_text, ATTR_ON_PREMISES_NETBIOS},
    CUSTOM,
    {NULL},
};

static const struct row role[] = {
    COMMON("Azure AD Role"),
    {"role_template_id", get_text, ATTR_ROLE_TEMPLATE_ID},
    {"assignment_type", get_text, ATTR_ASSIGNMENT_TYPE},
    {"directory_scope_id", get_text, ATTR_DIRECTORY_SCOPE_ID},
    {"is_built_in", get_bool, ATTR_IS_BUILT_IN},
    {"is_enabled", get_bool, ATTR_IS_ENABLED},
    {"member_count", get_member_count},
    {NULL},
};

static const struct row administrative_unit[] = {
    COMMON("Azure AD Administrative Unit"),
    {"visibility", get_text, ATTR_VISIBILITY},
    {"is_member_management_restricted", get_bool, ATTR_IS_MEMBER_RESTRICTED},
    {"membership_type", get_text, ATTR_MEMBERSHIP_TYPE},
    {"membership_rule", get_text, ATTR_MEMBERSHIP_RULE},
    {"member_count", get_member_count},
    {NULL},
};

static const struct row service_principal[] = {
    COMMON("Azure AD Service Principal"),
    {"account_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"is_active", get_bool, ATTR_ACCOUNT_ENABLED},
    {"app_id", get_text, ATTR_APP_ID},
    {"app_display_name", get_text, ATTR_APP_DISPLAY_NAME},
    {"app_owner_organization_id", get_text, ATTR_APP_OWNER_ORGANIZATION},
    {"service_principal_type", get_text, ATTR_SERVICE_PRINCIPAL_TYPE},
    {"service_principal_names", get_texts, ATTR_SERVICE_PRINCIPAL_NAMES},
    {"sign_in_audience", get_text, ATTR_SIGN_IN_AUDIENCE},
    {"tags", get_texts, ATTR_TAGS},
    {"alternative_names", get_texts, ATTR_ALTERNATIVE_NAMES},
    {"password_credentials", get_texts, ATTR_PASSWORD_CREDENTIALS},
    {"key_credentials", get_texts, ATTR_KEY_CREDENTIALS},
    {"disabled_by_microsoft_status", get_text, ATTR_DISABLED_BY_MICROSOFT},
    {"owners", get_texts, ATTR_OWNERS},
    PRIVILEGES,
    CUSTOM,
    {NULL},
};

static const struct row device[] = {
    COMMON("Azure AD Device"),
    {"account_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"is_active", get_bool, ATTR_ACCOUNT_ENABLED},
    {"device_id", get_text, ATTR_DEVICE_ID},
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
    {"owners", get_texts, ATTR_OWNERS},
    ON_PREMISES,
    CUSTOM,
    {NULL},
};

static const struct row contact[] = {
    COMMON("Azure AD Contact"),
    {"company", get_text, ATTR_COMPANY_NAME},
    {"department", get_text, ATTR_DEPARTMENT},
    {"email", get_text, ATTR_MAIL},
    {"first_name", get_text, ATTR_GIVEN_NAME},
    {"job_title", get_text, ATTR_JOB_TITLE},
    {"last_name", get_text, ATTR_SURNAME},
    {"mail_nickname", get_text, ATTR_MAIL_NICKNAME},
    {"proxy_addresses", get_texts, ATTR_PROXY_ADDRESSES},
    {"manager", get_manager_id},
    {"manager_principal_name", get_ref_principal, REF_MANAGER},
    {"business_phones", get_texts, ATTR_BUSINESS_PHONES},
    {"mobile_phone", get_text, ATTR_MOBILE_PHONE},
    {"office", get_text, ATTR_OFFICE_LOCATION},
    {"street_address", get_text, ATTR_STREET_ADDRESS},
    {"city", get_text, ATTR_CITY},
    {"state_or_province_name", get_text, ATTR_STATE},
    {"postal_code", get_text, ATTR_POSTAL_CODE},
    {"country_or_region", get_text, ATTR_COUNTRY},
    ON_PREMISES,
    {NULL},
};

static const struct row tenant[] = {
    COMMON("Azure AD Tenant"),
    {"default_domain", get_text, ATTR_DEFAULT_DOMAIN},
    {"verified_domains", get_texts, ATTR_VERIFIED_DOMAINS},
    {"federated_domains", get_texts, ATTR_FEDERATED_DOMAINS},
    {"tenant_type", get_text, ATTR_TENANT_TYPE},
    {"assigned_plans", get_texts, ATTR_ASSIGNED_PLANS},
    {"city", get_text, ATTR_CITY},
    {"state_or_province_name", get_text, ATTR_STATE},
    {"postal_code", get_text, ATTR_POSTAL_CODE},
    {"country_or_region", get_text, ATTR_COUNTRY},
    {"country_code", get_text, ATTR_COUNTRY_LETTER_CODE},
    {"on_premises_sync_enabled", get_bool, ATTR_SYNC_ENABLED},
    {"on_premises_last_sync_date_time", get_moment, ATTR_LAST_SYNC},
    {NULL},
};

static const struct table tables[] = {
    {TABLE_ENTITY, KIND_BIT(KIND_user), user},
    {TABLE_ENTITY, KIND_BIT(KIND_group), group},
    {TABLE_ENTITY, KIND_BIT(KIND_role), role},
    {TABLE_ENTITY, KIND_BIT(KIND_administrative_unit), administrative_unit},
    {TABLE_ENTITY, KIND_BIT(KIND_service_principal), service_principal},
    {TABLE_ENTITY, KIND_BIT(KIND_device), device},
    {TABLE_ENTITY, KIND_BIT(KIND_contact), contact},
    {TABLE_ENTITY, KIND_BIT(KIND_tenant), tenant},
};
#define ENTITIES                                                                                             \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit) | \
     KIND_BIT(KIND_service_principal) | KIND_BIT(KIND_device) | KIND_BIT(KIND_contact) |                     \
     KIND_BIT(KIND_tenant))
static const struct file_kind files[] = {{"entities.jsonl", TABLE_ENTITY, ENTITIES}};

const struct dialect_type dialect_veza_entra = {
    .name = "veza",
    .shape = SHAPE_JSON_LINES,
    .times = TIME_RFC3339,
    .tables = tables,
    .n_tables = n_elements(tables),
    .files = files,
    .n_files = n_elements(files),
};
