/* Groups, OUs, containers, domains, trusts, group policies: 3004 Entity Management, activity Read. The typed
 * places in managed_entity came with 1.3.0; before, everything is in entity.data. */
#include "map/dialect.h"
#include "map/ocsf.h"
#include "map/words.h"

/* clang-format off */
#define ENTITY_READ(what)                                                                                    \
    OCSF_STATE(3004, "Entity Management", 3, "Identity & Access Management", 2, "Read"),                     \
    OCSF_METADATA(LOG_STRUCTURE),                                                                            \
    {"actor.app_name", fixed_text, .since = V1_4, .text = "rollcall"},                                       \
    {"message", get_message, .text = what},                                                                  \
    {"entity.uid", get_uid}
#define ENTITY_TYPE(id, name)                                                                                \
    {"entity.type_id", fixed_number, id, .since = V1_3},                                                     \
    {"entity.type", fixed_text, .text = name}
/* clang-format on */

/* Facts of every such entity. */
/* clang-format off */
#define ENTITY_FACTS                                                                                         \
    {"entity.data.connector", fixed_connector},                                                              \
    {"entity.data.kind", get_kind},                                                                          \
    {"entity.data.guid", get_guid},                                                                          \
    {"entity.data.sid", get_sid},                                                                            \
    {"entity.data.distinguished_name", get_dn},                                                              \
    {"entity.data.domain", get_domain},                                                                      \
    {"entity.data.description", get_words, ATTR_DESCRIPTION},                                                \
    {"entity.data.created", get_time, ATTR_WHEN_CREATED},                                                    \
    {"entity.data.modified", get_time, ATTR_WHEN_CHANGED},                                                   \
    {"entity.data.first_seen", get_first_seen},                                                              \
    {"entity.data.last_changed", get_last_changed},                                                          \
    {"entity.data.deleted", get_deleted},                                                                    \
    {"entity.data.owner", get_sd_owner},                                                                     \
    {"entity.data.custom_properties", get_custom}
#define LINK_FACTS                                                                                           \
    {"entity.data.linked_policies", get_linked_policies},                                                    \
    {"entity.data.blocks_policy_inheritance", get_blocks_inheritance}
/* clang-format on */

/* An OU's or container's path; the domain's name and SID, which org must have one of. */
/* clang-format off */
#define ENTITY_ORG                                                                                           \
    {"entity.org.name", get_domain, .since = V1_3},                                                          \
    {"entity.org.uid", get_domain_sid, .since = V1_3},                                                       \
    {"entity.org.ou_name", get_dn, .since = V1_3},                                                           \
    {"entity.org.ou_uid", get_guid, .since = V1_3}
/* clang-format on */

const struct row ocsf_group[] = {
    ENTITY_READ("Group"),
    {"entity.name", get_title},
    ENTITY_TYPE(3, "Group"),
    {"entity.group.uid", get_uid, .since = V1_3},
    {"entity.group.uid_alt", get_guid, .since = V1_8},
    {"entity.group.name", get_name, .since = V1_3},
    {"entity.group.domain", get_domain, .since = V1_3},
    {"entity.group.type", get_group_type, .since = V1_3},
    {"entity.group.desc", get_words, ATTR_DESCRIPTION, .since = V1_3},
    ENTITY_FACTS,
    {"entity.data.sam_account_name", get_text, ATTR_SAM_ACCOUNT_NAME},
    {"entity.data.display_name", get_text, ATTR_DISPLAY_NAME},
    {"entity.data.mail", get_text, ATTR_MAIL},
    {"entity.data.mail_nickname", get_text, ATTR_MAIL_NICKNAME},
    {"entity.data.info", get_words, ATTR_INFO},
    {"entity.data.group_type", get_group_type},
    {"entity.data.is_security", get_group_is_security},
    {"entity.data.admin_count", get_int, ATTR_ADMIN_COUNT},
    {"entity.data.sid_history", get_sids, ATTR_SID_HISTORY},
    {"entity.data.managed_by.uid", get_ref_uid, REF_MANAGED_BY},
    {"entity.data.managed_by.name", get_ref_name, REF_MANAGED_BY},
    {"entity.data.managed_by.dn", get_text, ATTR_MANAGED_BY},
    {"entity.data.member_of", get_groups},
    {"entity.data.member_count", get_member_count},
    {"entity.data.members", get_members},
    {NULL},
};

const struct row ocsf_member_ref[] = {
    {"uid", get_ref_uid, REF_OTHER},
    {"kind", get_ref_kind, REF_OTHER},
    {"dn", get_unresolved_dn, REF_OTHER},
    {NULL},
};

const struct row ocsf_place[] = {
    ENTITY_READ("Organizational unit"),
    {"entity.name", get_title},
    ENTITY_TYPE(4, "Organization"),
    ENTITY_ORG,
    ENTITY_FACTS,
    LINK_FACTS,
    {"entity.data.parent.guid", get_ref_guid, REF_PARENT},
    {"entity.data.parent.dn", get_parent_dn},
    {"entity.data.managed_by.uid", get_ref_uid, REF_MANAGED_BY},
    {"entity.data.managed_by.name", get_ref_name, REF_MANAGED_BY},
    {"entity.data.managed_by.dn", get_text, ATTR_MANAGED_BY},
    {"entity.data.location.city", get_words, ATTR_L},
    {"entity.data.location.region", get_words, ATTR_ST},
    {"entity.data.location.postal_code", get_words, ATTR_POSTAL_CODE},
    {"entity.data.location.country", get_words, ATTR_C},
    {NULL},
};

const struct row ocsf_domain[] = {
    ENTITY_READ("Domain"),
    {"entity.name", get_domain},
    ENTITY_TYPE(4, "Organization"),
    {"entity.org.name", get_domain, .since = V1_3},
    {"entity.org.uid", get_uid, .since = V1_3},
    ENTITY_FACTS,
    LINK_FACTS,
    {"entity.data.netbios_name", get_netbios_domain},
    {"entity.data.domain_functional_level", get_named, ATTR_BEHAVIOR_VERSION,
     .words = words_functional_level},
    {"entity.data.forest_functional_level", get_named, ATTR_FOREST_FUNCTIONALITY,
     .words = words_functional_level},
    {"entity.data.machine_account_quota", get_int, ATTR_MACHINE_ACCOUNT_QUOTA},
    {"entity.data.logon_sync_interval_days", get_int, ATTR_LOGON_SYNC_INTERVAL},
    {"entity.data.password_policy.max_age_days", get_days, ATTR_MAX_PWD_AGE},
    {"entity.data.password_policy.min_age_days", get_days, ATTR_MIN_PWD_AGE},
    {"entity.data.password_policy.min_length", get_int, ATTR_MIN_PWD_LENGTH},
    {"entity.data.password_policy.history_length", get_int, ATTR_PWD_HISTORY_LENGTH},
    {"entity.data.password_policy.properties", get_flags, ATTR_PWD_PROPERTIES,
     .words = words_password_property},
    {"entity.data.lockout_policy.threshold", get_int, ATTR_LOCKOUT_THRESHOLD},
    {"entity.data.lockout_policy.duration_seconds", get_seconds, ATTR_LOCKOUT_DURATION},
    {"entity.data.lockout_policy.window_seconds", get_seconds, ATTR_LOCKOUT_WINDOW},
    {NULL},
};

const struct row ocsf_trust[] = {
    ENTITY_READ("Trust"),
    {"entity.name", get_title},
    ENTITY_TYPE(99, "Trust"),
    ENTITY_FACTS,
    {"entity.data.partner", get_text, ATTR_TRUST_PARTNER},
    {"entity.data.flat_name", get_text, ATTR_FLAT_NAME},
    {"entity.data.partner_sid", get_sid_value, ATTR_TRUST_SID},
    {"entity.data.direction", get_named, ATTR_TRUST_DIRECTION, .words = words_trust_direction},
    {"entity.data.trust_type", get_named, ATTR_TRUST_TYPE, .words = words_trust_type},
    {"entity.data.trust_attributes", get_flags, ATTR_TRUST_ATTRIBUTES, .words = words_trust_attribute},
    {NULL},
};

const struct row ocsf_policy[] = {
    ENTITY_READ("Group policy"),
    {"entity.name", get_title},
    ENTITY_TYPE(5, "Policy"),
    {"entity.policy.uid", get_text, ATTR_CN, .since = V1_3},
    {"entity.policy.name", get_title, .since = V1_3},
    {"entity.policy.version", get_number_text, ATTR_VERSION_NUMBER, .since = V1_3},
    ENTITY_FACTS,
    {"entity.data.policy_id", get_text, ATTR_CN},
    {"entity.data.version", get_int, ATTR_VERSION_NUMBER},
    {"entity.data.path", get_text, ATTR_GPC_FILE_SYS_PATH},
    {"entity.data.disabled_parts", get_flags, ATTR_FLAGS, .words = words_policy_disabled},
    {NULL},
};
