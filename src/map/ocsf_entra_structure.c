/* Groups, directory roles, administrative units: 3004 Entity Management, activity Read. The tenant: 5023
 * Cloud Resources Inventory Info with its identity provider; the class came with 1.4.0, before it is a 3004
 * like the others. */
#include "map/dialect.h"
#include "map/ocsf_entra.h"

/* What who has the role may do; of one that is only eligible that is not asked. */
static bool get_is_privileged(struct view *v, const struct row *row, struct cell *out)
{
    unsigned bits = derive_role(v->r);
    return bits && cell_number(out, CELL_BOOL, (bits & PRIV_PROTECTED) != 0);
}

/* clang-format off */
#define ENTITY_READ(what)                                                                                    \
    OCSF_STATE(3004, "Entity Management", 3, "Identity & Access Management", 2, "Read"),                     \
    ENTRA_METADATA(LOG_STRUCTURE),                                                                           \
    {"actor.app_name", fixed_text, .since = V1_4, .text = "rollcall"},                                       \
    {"message", get_message, .text = what},                                                                  \
    {"entity.uid", get_guid},                                                                                \
    {"entity.name", get_title}
#define ENTITY_GROUP(join, alt, alt_attr)                                                                    \
    {"entity.type_id", fixed_number, 3, .since = V1_3},                                                      \
    {"entity.type", fixed_text, .text = "Group"},                                                            \
    {"entity.group.uid", join, .since = V1_3},                                                               \
    {"entity.group.uid_alt", alt, alt_attr, .since = V1_8},                                                  \
    {"entity.group.name", get_title, .since = V1_3},                                                         \
    {"entity.group.domain", get_domain, .since = V1_3},                                                      \
    {"entity.group.type", get_tenant_group_type, .since = V1_3},                                             \
    {"entity.group.desc", get_words, ATTR_DESCRIPTION, .since = V1_3},                                       \
    ENTRA_FACTS("entity.data"),                                                                              \
    {"entity.data.deleted", get_deleted},                                                                    \
    {"entity.data.created", get_moment, ATTR_CREATED},                                                       \
    {"entity.data.group_type", get_tenant_group_type}
#define ENTITY_MEMBERS                                                                                       \
    {"entity.data.member_of", get_groups},                                                                   \
    {"entity.data.roles", get_roles},                                                                        \
    {"entity.data.member_count", get_member_count},                                                          \
    {"entity.data.members", get_members}
/* clang-format on */

const struct row ocsf_entra_group[] = {
    ENTITY_READ("Group"),
    ENTITY_GROUP(get_guid, get_sid_value, ATTR_ON_PREMISES_SID),
    {"entity.data.group_types", get_texts, ATTR_GROUP_TYPES},
    {"entity.data.security_enabled", get_bool, ATTR_SECURITY_ENABLED},
    {"entity.data.mail_enabled", get_bool, ATTR_MAIL_ENABLED},
    {"entity.data.mail", get_text, ATTR_MAIL},
    {"entity.data.mail_nickname", get_text, ATTR_MAIL_NICKNAME},
    {"entity.data.proxy_addresses", get_texts, ATTR_PROXY_ADDRESSES},
    {"entity.data.visibility", get_words, ATTR_VISIBILITY},
    {"entity.data.is_assignable_to_role", get_bool, ATTR_IS_ASSIGNABLE_TO_ROLE},
    {"entity.data.is_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"entity.data.membership_rule", get_text, ATTR_MEMBERSHIP_RULE},
    {"entity.data.unique_name", get_text, ATTR_UNIQUE_NAME},
    {"entity.data.resource_provisioning_options", get_texts, ATTR_PROVISIONING_OPTIONS},
    {"entity.data.renewed", get_moment, ATTR_RENEWED},
    {"entity.data.expiration", get_moment, ATTR_EXPIRATION},
    {"entity.data.security_identifier", get_sid_value, ATTR_ENTRA_SID},
    ENTRA_ON_PREMISES("entity.data"),
    {"entity.data.assigned_licenses", get_texts, ATTR_ASSIGNED_LICENSES},
    {"entity.data.owners", get_owners},
    {"entity.data.owner_uids", get_unresolved_owners},
    ENTITY_MEMBERS,
    {NULL},
};

const struct row ocsf_entra_role[] = {
    ENTITY_READ("Directory role"),
    ENTITY_GROUP(get_role_uid, get_role_alt, 0),
    {"entity.data.role_template_id", get_text, ATTR_ROLE_TEMPLATE_ID},
    {"entity.data.assignment_type", get_text, ATTR_ASSIGNMENT_TYPE},
    {"entity.data.directory_scope_id", get_text, ATTR_DIRECTORY_SCOPE_ID},
    {"entity.data.is_built_in", get_bool, ATTR_IS_BUILT_IN},
    {"entity.data.is_enabled", get_bool, ATTR_IS_ENABLED},
    {"entity.data.is_privileged", get_is_privileged},
    ENTITY_MEMBERS,
    {NULL},
};

const struct row ocsf_entra_unit[] = {
    ENTITY_READ("Administrative unit"),
    ENTITY_GROUP(get_guid, get_sid_value, ATTR_ON_PREMISES_SID),
    {"entity.data.visibility", get_words, ATTR_VISIBILITY},
    {"entity.data.is_member_management_restricted", get_bool, ATTR_IS_MEMBER_RESTRICTED},
    {"entity.data.membership_type", get_words, ATTR_MEMBERSHIP_TYPE},
    {"entity.data.membership_rule", get_text, ATTR_MEMBERSHIP_RULE},
    ENTITY_MEMBERS,
    {NULL},
};

const struct row ocsf_entra_member_ref[] = {
    {"uid", get_ref_id},
    {"kind", get_ref_kind, REF_OTHER},
    {NULL},
};

const struct row ocsf_entra_owner_ref[] = {
    {"uid", get_ref_id},
    {"kind", get_ref_kind, REF_OTHER},
    {"name", get_ref_principal, REF_OTHER},
    {NULL},
};

/* --- the tenant ---------------------------------------------------------------------------------- */
/* clang-format off */
#define TENANT_FACTS(P)                                                                                      \
    ENTRA_FACTS(P),                                                                                          \
    {P ".created", get_moment, ATTR_CREATED},                                                                \
    {P ".default_domain", get_text, ATTR_DEFAULT_DOMAIN},                                                    \
    {P ".verified_domains", get_texts, ATTR_VERIFIED_DOMAINS},                                               \
    {P ".federated_domains", get_texts, ATTR_FEDERATED_DOMAINS},                                             \
    {P ".tenant_type", get_words, ATTR_TENANT_TYPE},                                                         \
    {P ".location.city", get_words, ATTR_CITY},                                                              \
    {P ".location.region", get_words, ATTR_STATE},                                                           \
    {P ".location.postal_code", get_words, ATTR_POSTAL_CODE},                                                \
    {P ".location.country", get_country, ATTR_COUNTRY_LETTER_CODE},                                          \
    {P ".assigned_plans", get_texts, ATTR_ASSIGNED_PLANS},                                                   \
    {P ".on_premises.sync_enabled", get_bool, ATTR_SYNC_ENABLED},                                            \
    {P ".on_premises.last_sync", get_time, ATTR_LAST_SYNC}
/* clang-format on */

const struct row ocsf_entra_tenant[] = {
    OCSF_STATE(5023, "Cloud Resources Inventory Info", 5, "Discovery", 2, "Collect"),
    ENTRA_METADATA(LOG_STRUCTURE),
    {"message", get_message, .text = "Tenant"},
    {"idp.uid", get_guid},
    {"idp.name", get_title},
    {"idp.tenant_uid", get_tenant_id},
    {"idp.domain", get_domain},
    {"enrichments[0].name", lead_text, .text = "idp.uid"},
    {"enrichments[0].type", lead_text, .text = "directory_tenant"},
    {"enrichments[0].value", get_guid},
    TENANT_FACTS("enrichments[0].data"),
    {NULL},
};

const struct row ocsf_entra_tenant_before_1_4[] = {
    ENTITY_READ("Tenant"),
    {"entity.type_id", fixed_number, 4, .since = V1_3},
    {"entity.type", fixed_text, .text = "Organization"},
    {"entity.org.name", get_title, .since = V1_3},
    {"entity.org.uid", get_guid, .since = V1_3},
    {"entity.data.domain", get_domain},
    TENANT_FACTS("entity.data"),
    {NULL},
};
