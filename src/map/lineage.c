#include "map/lineage.h"

#include "map/dialect.h"
#include "map/get.h"

/* Getters whose row names something else than an attribute, or nothing: what they read. */
#define READS_MAX 6
static const struct {
    get_fn *get;
    int reads[READS_MAX];
} derived[] = {
    {get_uid, {LINEAGE_OF_SID, LINEAGE_OF_GUID}},
    {get_sid, {LINEAGE_OF_SID}},
    {get_guid, {LINEAGE_OF_GUID}},
    {get_dn, {LINEAGE_OF_DN}},
    {get_parent_dn, {LINEAGE_OF_DN}},
    {get_groups, {LINEAGE_OF_MEMBERSHIPS}},
    {get_group_guids, {LINEAGE_OF_MEMBERSHIPS}},
    {get_roles, {LINEAGE_OF_MEMBERSHIPS}},
    {get_members, {LINEAGE_OF_MEMBERSHIPS}},
    {get_privilege, {LINEAGE_OF_MEMBERSHIPS}},
    {get_name, {ATTR_SAM_ACCOUNT_NAME, ATTR_NAME}},
    {get_title, {ATTR_DISPLAY_NAME, ATTR_NAME}},
    {get_host_name, {ATTR_SAM_ACCOUNT_NAME}},
    {get_principal, {ATTR_USER_PRINCIPAL_NAME, ATTR_SAM_ACCOUNT_NAME}},
    {get_upn_domain, {ATTR_USER_PRINCIPAL_NAME}},
    {get_upn_suffix, {ATTR_USER_PRINCIPAL_NAME}},
    {get_upn_or_title, {ATTR_USER_PRINCIPAL_NAME, ATTR_DISPLAY_NAME}},
    {get_full_name, {ATTR_GIVEN_NAME, ATTR_SN, ATTR_SURNAME, ATTR_DISPLAY_NAME}},
    {get_display_or_full_name, {ATTR_DISPLAY_NAME, ATTR_GIVEN_NAME, ATTR_SN, ATTR_SAM_ACCOUNT_NAME}},
    {get_organization, {ATTR_COMPANY}},
    {get_company, {ATTR_COMPANY_NAME}},
    {get_emails, {ATTR_PROXY_ADDRESSES}},
    {get_forward_address, {ATTR_TARGET_ADDRESS, ATTR_FORWARDING_ADDRESS}},
    {get_country_or_usage, {ATTR_COUNTRY, ATTR_USAGE_LOCATION}},
    {get_employment, {ATTR_DEPARTMENT}},
    {get_is_active, {ATTR_USER_ACCOUNT_CONTROL, ATTR_ACCOUNT_ENABLED}},
    {get_is_disabled, {ATTR_USER_ACCOUNT_CONTROL, ATTR_ACCOUNT_ENABLED}},
    {get_is_locked, {ATTR_LOCKOUT_TIME, ATTR_UAC_COMPUTED}},
    {get_last_logon, {ATTR_LAST_LOGON, ATTR_LAST_LOGON_TIMESTAMP, ATTR_LAST_SUCCESSFUL_SIGN_IN, ATTR_LAST_SIGN_IN}},
    {get_last_sign_in, {ATTR_LAST_SUCCESSFUL_SIGN_IN, ATTR_LAST_SIGN_IN}},
    {get_password_expires, {ATTR_PASSWORD_EXPIRY, ATTR_PWD_LAST_SET}},
    {get_password_never_expires, {ATTR_USER_ACCOUNT_CONTROL, ATTR_PASSWORD_POLICIES}},
    {get_must_change_password, {ATTR_PWD_LAST_SET}},
    {get_uac_names, {ATTR_USER_ACCOUNT_CONTROL}},
    {get_account_labels, {ATTR_USER_ACCOUNT_CONTROL}},
    {get_group_type, {ATTR_GROUP_TYPE}},
    {get_group_is_security, {ATTR_GROUP_TYPE}},
    {get_group_is_mail_enabled, {ATTR_MAIL}},
    {get_linked_policies, {ATTR_GP_LINK}},
    {get_linked_policy_list, {ATTR_GP_LINK}},
    {get_blocks_inheritance, {ATTR_GP_OPTIONS}},
    {get_key_credentials, {ATTR_KEY_CREDENTIAL_LINK}},
    {get_has_mfa, {ATTR_IS_MFA_REGISTERED, ATTR_IS_MFA_CAPABLE, ATTR_IS_PASSWORDLESS_CAPABLE}},
    {get_registered, {ATTR_CREATED, ATTR_REGISTRATION}},
    {get_cloud_labels, {ATTR_USER_TYPE, ATTR_SYNC_ENABLED, ATTR_EXTERNAL_USER_STATE, ATTR_IS_RESTRICTED, ATTR_PASSWORD_POLICIES, ATTR_SERVICE_PRINCIPAL_TYPE}},
    {get_person_labels, {ATTR_USER_TYPE, ATTR_EMPLOYEE_TYPE}},
    {get_tenant_group_type, {ATTR_GROUP_TYPES, ATTR_SECURITY_ENABLED, ATTR_MAIL_ENABLED}},
    {get_role_uid, {ATTR_ROLE_TEMPLATE_ID}},
    {get_credentials, {ATTR_PASSWORD_CREDENTIALS, ATTR_KEY_CREDENTIALS}},
    {get_owners, {ATTR_OWNERS}},
    {get_unresolved_owners, {ATTR_OWNERS}},
    {get_device_owner_uid, {ATTR_OWNERS}},
    {get_device_owner_name, {ATTR_OWNERS}},
    {get_owner_uid, {ATTR_MANAGED_BY}},
    {get_owner_name, {ATTR_MANAGED_BY}},
    {get_manager_id, {ATTR_MANAGER}},
    {get_custom, {ATTR_CUSTOM}},
    {get_custom_list, {ATTR_CUSTOM}},
};

/* Their argument is whom they are about (enum ref_of). */
static get_fn *const of_others[] = {get_ref_uid,  get_ref_sid,         get_ref_guid,       get_ref_name, get_ref_principal,  get_ref_dn,
                                    get_ref_kind, get_ref_description, get_ref_group_type, get_ref_via,  get_ref_graph_type, get_ref_id};
/* Theirs is a number that is told. */
static get_fn *const of_nothing[] = {fixed_text, fixed_number, fixed_json, lead_text, get_unresolved_dn};

static bool is_among(get_fn *const *list, size_t n, get_fn *get)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == get) return true;
    return false;
}

static bool derives(get_fn *get, int of)
{
    for (size_t i = 0; i < n_elements(derived); i++)
        for (size_t k = 0; derived[i].get == get && k < READS_MAX; k++)
            if (derived[i].reads[k] == of) return true;
    return false;
}

static bool reads(const struct row *row, int of)
{
    static const int others[] = {[REF_MANAGER] = ATTR_MANAGER, [REF_MANAGED_BY] = ATTR_MANAGED_BY, [REF_PARENT] = LINEAGE_OF_DN};
    if (is_among(of_nothing, n_elements(of_nothing), row->get)) return false;
    if (is_among(of_others, n_elements(of_others), row->get)) return (size_t)row->arg < n_elements(others) && others[row->arg] == of;
    if (derives(row->get, of)) return true;
    return row->get != get_privilege && row->arg != 0 && row->arg == of;
}

void lineage_paths(bool is_tenant, enum kind k, int of, void (*each)(void *ctx, const char *path), void *ctx)
{
    const struct dialect_type *type = is_tenant ? &dialect_ocsf_entra : &dialect_ocsf;
    for (size_t i = 0; i < type->n_tables; i++) {
        const struct table *t = &type->tables[i];
        if (t->use != TABLE_ENTITY || t->before || !(t->kinds & KIND_BIT(k))) continue;
        for (const struct row *row = t->rows; row->path; row++)
            if (!row->before && reads(row, of)) each(ctx, row->path);
    }
}
