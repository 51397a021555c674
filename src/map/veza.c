/* One JSON object per entity, keys the Veza document's attribute names in snake case. The forty rows of its
 * user table are here in its order; the other kinds follow its manner. `entity_type` tells kinds apart,
 * custom properties are together. */
#include "map/dialect.h"
#include "map/get.h"
#include "map/words.h"

/* The most specific of the account classes; values of objectClass are a set here, without the schema's order.
 */
static bool get_account_type(struct view *v, const struct row *row, struct cell *out)
{
    static const char *const classes[] = {"msDS-DelegatedManagedServiceAccount",
                                          "msDS-GroupManagedServiceAccount",
                                          "msDS-ManagedServiceAccount",
                                          "computer",
                                          "inetOrgPerson",
                                          "user",
                                          "group"};
    for (size_t i = 0; i < n_elements(classes); i++) {
        struct bytes b;
        if (!get_texts(v, row, out)) return false;
        while (list_bytes(&v->list, &b))
            if (str_equal_nocase(str_of(b), str_from(classes[i])))
                return cell_text(out, str_from(classes[i]));
    }
    return false;
}

/* clang-format off */
#define CUSTOM                                                                                               \
    {"custom_properties", get_custom}
/* clang-format on */

static const struct row veza_user[] = {
    {"entity_type", fixed_text, .text = "Active Directory User"},
    {"account_name", get_text, ATTR_SAM_ACCOUNT_NAME},
    {"account_type", get_account_type, ATTR_OBJECT_CLASS},
    {"active_directory_domain", get_upn_domain},
    {"city", get_text, ATTR_L},
    {"common_name", get_text, ATTR_CN},
    {"company", get_text, ATTR_COMPANY},
    {"country_code", get_text, ATTR_C},
    {"country_or_region", get_int, ATTR_COUNTRY_CODE},
    {"created_at", get_time, ATTR_WHEN_CREATED},
    {"department", get_text, ATTR_DEPARTMENT},
    {"description", get_text, ATTR_DESCRIPTION},
    {"display_name", get_text, ATTR_DISPLAY_NAME},
    {"distinguished_name", get_dn},
    {"domain_admin", get_privilege, PRIV_DOMAIN_ADMIN},
    {"email", get_text, ATTR_MAIL},
    {"first_name", get_text, ATTR_GIVEN_NAME},
    {"given_name", get_text, ATTR_GIVEN_NAME},
    {"idp_unique_id", get_text, ATTR_USER_PRINCIPAL_NAME},
    {"is_active", get_is_active},
    {"is_locked", get_is_locked},
    {"job_title", get_text, ATTR_TITLE},
    {"last_name", get_text, ATTR_SN},
    {"last_logon", get_last_logon},
    {"lower_email", get_lower, ATTR_MAIL},
    {"manager", get_text, ATTR_MANAGER},
    {"manager_principal_name", get_ref_principal, REF_MANAGER},
    {"office", get_text, ATTR_OFFICE},
    {"password_last_set", get_time, ATTR_PWD_LAST_SET},
    {"physical_delivery_office_name", get_text, ATTR_OFFICE},
    {"postal_code", get_text, ATTR_POSTAL_CODE},
    {"primary_group_id", get_int, ATTR_PRIMARY_GROUP_ID},
    {"sid", get_sid},
    {"state_or_province_name", get_text, ATTR_ST},
    {"street_address", get_text, ATTR_STREET_ADDRESS},
    {"sur_name", get_text, ATTR_SN},
    {"title", get_text, ATTR_TITLE},
    {"user_principal_name", get_text, ATTR_USER_PRINCIPAL_NAME},
    {"user_password_expiration", get_password_expires},
    {"full_admin", get_privilege, PRIV_FULL_ADMIN},
    {"user_account_control", get_uac_names},
    CUSTOM,
    {NULL},
};

/* Rows that every other kind starts with. */
/* clang-format off */
#define COMMON(type)                                                                                         \
    {"entity_type", fixed_text, .text = type},                                                               \
    {"active_directory_domain", get_domain},                                                                 \
    {"distinguished_name", get_dn},                                                                          \
    {"guid", get_guid},                                                                                      \
    {"sid", get_sid},                                                                                        \
    {"common_name", get_text, ATTR_CN},                                                                      \
    {"description", get_text, ATTR_DESCRIPTION},                                                             \
    {"display_name", get_text, ATTR_DISPLAY_NAME},                                                           \
    {"created_at", get_time, ATTR_WHEN_CREATED}
/* clang-format on */
/* And those of an account that is no person's. */
/* clang-format off */
#define MACHINE                                                                                              \
    {"account_name", get_text, ATTR_SAM_ACCOUNT_NAME},                                                       \
    {"account_type", get_account_type, ATTR_OBJECT_CLASS},                                                   \
    {"dns_host_name", get_text, ATTR_DNS_HOST_NAME},                                                         \
    {"domain_admin", get_privilege, PRIV_DOMAIN_ADMIN},                                                      \
    {"full_admin", get_privilege, PRIV_FULL_ADMIN},                                                          \
    {"is_active", get_is_active},                                                                            \
    {"is_locked", get_is_locked},                                                                            \
    {"last_logon", get_last_logon},                                                                          \
    {"password_last_set", get_time, ATTR_PWD_LAST_SET},                                                      \
    {"primary_group_id", get_int, ATTR_PRIMARY_GROUP_ID},                                                    \
    {"service_principal_names", get_texts, ATTR_SERVICE_PRINCIPAL_NAME},                                     \
    {"user_account_control", get_uac_names},                                                                 \
    {"user_principal_name", get_text, ATTR_USER_PRINCIPAL_NAME}
/* clang-format on */

static const struct row veza_service_account[] = {
    COMMON("Active Directory Managed Service Account"),
    MACHINE,
    {"host_computers", get_texts, ATTR_HOST_SERVICE_ACCOUNT_BL},
    {"password_readers", get_trustees, ATTR_GMSA_MEMBERSHIP},
    {"password_interval_days", get_int, ATTR_PASSWORD_INTERVAL},
    CUSTOM,
    {NULL},
};

static const struct row veza_computer[] = {
    COMMON("Active Directory Computer"),
    MACHINE,
    {"operating_system", get_text, ATTR_OPERATING_SYSTEM},
    {"operating_system_version", get_text, ATTR_OPERATING_SYSTEM_VERSION},
    {"operating_system_service_pack", get_text, ATTR_OPERATING_SYSTEM_SP},
    {"location", get_text, ATTR_LOCATION},
    {"managed_by", get_text, ATTR_MANAGED_BY},
    CUSTOM,
    {NULL},
};

static const struct row veza_group[] = {
    COMMON("Active Directory Group"),
    {"account_name", get_text, ATTR_SAM_ACCOUNT_NAME},
    {"account_type", get_account_type, ATTR_OBJECT_CLASS},
    {"email", get_text, ATTR_MAIL},
    {"group_type", get_group_type},
    {"is_security_group", get_group_is_security},
    {"managed_by", get_text, ATTR_MANAGED_BY},
    {"manager_principal_name", get_ref_principal, REF_MANAGED_BY},
    {"member_count", get_member_count},
    CUSTOM,
    {NULL},
};

static const struct row veza_ou[] = {
    COMMON("Active Directory Organizational Unit"),
    {"name", get_title},
    {"parent", get_parent_dn},
    {"city", get_text, ATTR_L},
    {"state_or_province_name", get_text, ATTR_ST},
    {"postal_code", get_text, ATTR_POSTAL_CODE},
    {"country_code", get_text, ATTR_C},
    {"managed_by", get_text, ATTR_MANAGED_BY},
    {"linked_group_policies", get_linked_policy_list},
    {"blocks_policy_inheritance", get_blocks_inheritance},
    CUSTOM,
    {NULL},
};

static const struct row veza_domain[] = {
    COMMON("Active Directory Domain"),
    {"name", get_domain},
    {"netbios_name", get_netbios_domain},
    {"functional_level", get_named, ATTR_BEHAVIOR_VERSION, .words = words_functional_level},
    {"max_password_age_days", get_days, ATTR_MAX_PWD_AGE},
    {"min_password_age_days", get_days, ATTR_MIN_PWD_AGE},
    {"min_password_length", get_int, ATTR_MIN_PWD_LENGTH},
    {"password_history_length", get_int, ATTR_PWD_HISTORY_LENGTH},
    {"lockout_threshold", get_int, ATTR_LOCKOUT_THRESHOLD},
    {"lockout_duration_seconds", get_seconds, ATTR_LOCKOUT_DURATION},
    {"linked_group_policies", get_linked_policy_list},
    CUSTOM,
    {NULL},
};

static const struct table tables[] = {
    {TABLE_ENTITY, KIND_BIT(KIND_user), veza_user},
    {TABLE_ENTITY, KIND_BIT(KIND_service_account), veza_service_account},
    {TABLE_ENTITY, KIND_BIT(KIND_computer), veza_computer},
    {TABLE_ENTITY, KIND_BIT(KIND_group), veza_group},
    {TABLE_ENTITY, KIND_BIT(KIND_ou), veza_ou},
    {TABLE_ENTITY, KIND_BIT(KIND_domain), veza_domain},
};
#define ENTITIES                                                                                             \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_service_account) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_group) | \
     KIND_BIT(KIND_ou) | KIND_BIT(KIND_domain))
static const struct file_kind files[] = {{"entities.jsonl", TABLE_ENTITY, ENTITIES}};

const struct dialect_type dialect_veza = {
    .name = "veza",
    .shape = SHAPE_JSON_LINES,
    .times = TIME_RFC3339,
    .tables = tables,
    .n_tables = n_elements(tables),
    .files = files,
    .n_files = n_elements(files),
};
