/* The four files of a ledger import: users, groups, members, owners; columns named as Microsoft Graph names
 * its properties. Rows marked is_extra are not in the shipped files, a site may ask for them. The memberType
 * of an Active Directory object is the Graph type it would be synchronised as. */
#include "map/dialect.h"
#include "map/get.h"

static bool get_is_synced(struct view *v, const struct row *row, struct cell *out)
{
    return false; /* known on the Entra ID side only */
}
static bool get_user_type(struct view *v, const struct row *row, struct cell *out)
{
    return v->r->record->kind == KIND_service_account ? cell_plain(out, "Service", 7)
                                                      : cell_plain(out, "Member", 6);
}

static const struct row users[] = {
    {"id", get_guid, .is_key = true},
    {"userPrincipalName", get_text, ATTR_USER_PRINCIPAL_NAME, .is_key = true},
    {"displayName", get_title},
    {"givenName", get_text, ATTR_GIVEN_NAME},
    {"surname", get_text, ATTR_SN},
    {"mail", get_text, ATTR_MAIL},
    {"accountEnabled", get_is_active},
    {"userType", get_user_type},
    {"jobTitle", get_text, ATTR_TITLE},
    {"department", get_text, ATTR_DEPARTMENT},
    {"companyName", get_text, ATTR_COMPANY},
    {"officeLocation", get_text, ATTR_OFFICE},
    {"employeeId", get_text, ATTR_EMPLOYEE_ID},
    {"employeeType", get_text, ATTR_EMPLOYEE_TYPE},
    {"managerId", get_ref_guid, REF_MANAGER, .is_key = true},
    {"createdDateTime", get_time, ATTR_WHEN_CREATED},
    {"lastSignInDateTime", get_last_logon},
    {"lastPasswordChangeDateTime", get_time, ATTR_PWD_LAST_SET},
    {"onPremisesSyncEnabled", get_is_synced},
    {"onPremisesSecurityIdentifier", get_sid, .is_key = true},
    {"onPremisesSamAccountName", get_text, ATTR_SAM_ACCOUNT_NAME, .is_key = true},
    {"onPremisesDistinguishedName", get_dn, .is_key = true},
    {"onPremisesDomainName", get_domain, .is_key = true, .is_extra = true},
    {"onPremisesImmutableId", get_base64, ATTR_CONSISTENCY_GUID, .is_key = true, .is_extra = true},
    {"mailNickname", get_text, ATTR_MAIL_NICKNAME, .is_extra = true},
    {"proxyAddresses", get_texts, ATTR_PROXY_ADDRESSES, .is_extra = true},
    {"businessPhones", get_text, ATTR_TELEPHONE_NUMBER, .is_extra = true},
    {"mobilePhone", get_text, ATTR_MOBILE, .is_extra = true},
    {"streetAddress", get_text, ATTR_STREET_ADDRESS, .is_extra = true},
    {"city", get_text, ATTR_L, .is_extra = true},
    {"state", get_text, ATTR_ST, .is_extra = true},
    {"postalCode", get_text, ATTR_POSTAL_CODE, .is_extra = true},
    {"country", get_text, ATTR_C, .is_extra = true},
    {"description", get_text, ATTR_DESCRIPTION, .is_extra = true},
    {"employeeNumber", get_text, ATTR_EMPLOYEE_NUMBER, .is_extra = true},
    {"accountExpires", get_time, ATTR_ACCOUNT_EXPIRES, .is_extra = true},
    {"isLocked", get_is_locked, .is_extra = true},
    {"passwordNeverExpires", get_password_never_expires, .is_extra = true},
    {"passwordExpires", get_password_expires, .is_extra = true},
    {"userAccountControl", get_uac_names, .is_extra = true},
    {"badPasswordCount", get_int, ATTR_BAD_PWD_COUNT, .is_extra = true},
    {"logonCount", get_int, ATTR_LOGON_COUNT, .is_extra = true},
    {"isPrivileged", get_privilege, PRIV_PROTECTED, .is_extra = true},
    {"customProperties", get_custom_list, .is_extra = true},
    {NULL},
};

static const struct row groups[] = {
    {"id", get_guid, .is_key = true},
    {"displayName", get_title},
    {"description", get_text, ATTR_DESCRIPTION},
    {"mail", get_text, ATTR_MAIL},
    {"groupTypes", get_group_type},
    {"securityEnabled", get_group_is_security},
    {"mailEnabled", get_group_is_mail_enabled},
    {"createdDateTime", get_time, ATTR_WHEN_CREATED},
    {"onPremisesSyncEnabled", get_is_synced},
    {"onPremisesSecurityIdentifier", get_sid, .is_key = true},
    {"onPremisesSamAccountName", get_text, ATTR_SAM_ACCOUNT_NAME, .is_key = true},
    {"onPremisesDomainName", get_domain, .is_key = true},
    {"onPremisesDistinguishedName", get_dn, .is_key = true, .is_extra = true},
    {"mailNickname", get_text, ATTR_MAIL_NICKNAME, .is_extra = true},
    {"managedById", get_ref_guid, REF_MANAGED_BY, .is_key = true, .is_extra = true},
    {"memberCount", get_member_count, .is_extra = true},
    {"modifiedDateTime", get_time, ATTR_WHEN_CHANGED, .is_extra = true},
    {"customProperties", get_custom_list, .is_extra = true},
    {NULL},
};

static const struct row members[] = {
    {"groupId", get_guid, .is_key = true},
    {"groupDisplayName", get_title},
    {"memberId", get_ref_guid, REF_OTHER, .is_key = true},
    {"memberType", get_ref_graph_type, REF_OTHER, .is_key = true},
    {"memberDisplayName", get_ref_name, REF_OTHER},
    {"memberSecurityIdentifier", get_ref_sid, REF_OTHER, .is_key = true, .is_extra = true},
    {"memberDistinguishedName", get_ref_dn, REF_OTHER, .is_key = true, .is_extra = true},
    {"memberVia", get_ref_via, REF_OTHER, .is_key = true, .is_extra = true},
    {NULL},
};

static const struct row owners[] = {
    {"groupId", get_guid, .is_key = true},
    {"groupDisplayName", get_title},
    {"ownerId", get_ref_guid, REF_OTHER, .is_key = true},
    {"ownerType", get_ref_graph_type, REF_OTHER, .is_key = true},
    {"ownerDisplayName", get_ref_name, REF_OTHER},
    {"ownerSecurityIdentifier", get_ref_sid, REF_OTHER, .is_key = true, .is_extra = true},
    {"ownerDistinguishedName", get_ref_dn, REF_OTHER, .is_key = true, .is_extra = true},
    {NULL},
};

#define ACCOUNTS (KIND_BIT(KIND_user) | KIND_BIT(KIND_service_account))
static const struct table tables[] = {
    {TABLE_ENTITY, ACCOUNTS, users},
    {TABLE_ENTITY, KIND_BIT(KIND_group), groups},
    {TABLE_MEMBER_REF, KIND_BIT(KIND_group), members},
    {TABLE_OWNER_REF, KIND_BIT(KIND_group), owners},
};
static const struct file_kind files[] = {
    {"%_users.csv", TABLE_ENTITY, ACCOUNTS},
    {"%_groups.csv", TABLE_ENTITY, KIND_BIT(KIND_group)},
    {"%_groups_members.csv", TABLE_MEMBER_REF, KIND_BIT(KIND_group)},
    {"%_groups_owners.csv", TABLE_OWNER_REF, KIND_BIT(KIND_group)},
};

const struct dialect_type dialect_csv4 = {
    .name = "csv4",
    .shape = SHAPE_CSV,
    .times = TIME_RFC3339,
    .tables = tables,
    .n_tables = n_elements(tables),
    .files = files,
    .n_files = n_elements(files),
    .takes_columns = true,
};
