/* ocsf_entra.h - what every OCSF table of a tenant has in common. Inside the room only. */
#ifndef ROLLCALL_MAP_OCSF_ENTRA_H
#define ROLLCALL_MAP_OCSF_ENTRA_H

#include "map/ocsf.h"

/* Events of a tenant carry the cloud profile: where it is, and which tenant. 17 is M365 Tenant since 1.4.0.
 */
/* clang-format off */
#define ENTRA_METADATA(log)                                                                                  \
    OCSF_METADATA_OF(log, "Microsoft Entra ID", get_tenant_id),                                              \
    {"metadata.profiles", fixed_json, .text = "[\"cloud\"]"},                                                \
    {"cloud.provider", fixed_text, .text = "Azure"},                                                         \
    {"cloud.account.name", get_tenant_name},                                                                 \
    {"cloud.account.uid", get_tenant_id},                                                                    \
    {"cloud.account.type_id", get_tenant_type_id, .since = V1_4},                                            \
    {"cloud.account.type", get_tenant_type, .since = V1_4}

/* Facts of every entity that have no typed place; P is where they go. */
#define ENTRA_FACTS(P)                                                                                       \
    {P ".connector", fixed_connector},                                                                       \
    {P ".kind", get_kind},                                                                                   \
    {P ".tenant_id", get_tenant_id},                                                                         \
    {P ".description", get_words, ATTR_DESCRIPTION},                                                         \
    {P ".first_seen", get_first_seen},                                                                       \
    {P ".last_changed", get_last_changed},                                                                   \
    {P ".custom_properties", get_custom}

/* What ties an entity to the directory that it came from. */
#define ENTRA_ON_PREMISES(P)                                                                                 \
    {P ".on_premises.sync_enabled", get_bool, ATTR_SYNC_ENABLED},                                            \
    {P ".on_premises.last_sync", get_time, ATTR_LAST_SYNC},                                                  \
    {P ".on_premises.sid", get_sid_value, ATTR_ON_PREMISES_SID},                                             \
    {P ".on_premises.immutable_id", get_text, ATTR_IMMUTABLE_ID},                                            \
    {P ".on_premises.distinguished_name", get_text, ATTR_ON_PREMISES_DN},                                    \
    {P ".on_premises.domain", get_text, ATTR_ON_PREMISES_DOMAIN},                                            \
    {P ".on_premises.netbios_name", get_text, ATTR_ON_PREMISES_NETBIOS},                                     \
    {P ".on_premises.sam_account_name", get_text, ATTR_ON_PREMISES_SAM},                                     \
    {P ".on_premises.user_principal_name", get_text, ATTR_ON_PREMISES_UPN}
/* clang-format on */

get_fn get_entra_type_id, get_entra_type; /* of an account: User, Admin, Service */

/* ocsf_entra.c, ocsf_entra_structure.c, ocsf_change.c */
extern const struct row ocsf_entra_user[], ocsf_entra_service_principal[], ocsf_entra_device[];
extern const struct row ocsf_entra_group[], ocsf_entra_role[], ocsf_entra_unit[], ocsf_entra_tenant[],
    ocsf_entra_tenant_before_1_4[];
extern const struct row ocsf_entra_group_ref[], ocsf_entra_member_ref[], ocsf_entra_owner_ref[],
    ocsf_entra_role_ref[];
extern const struct row ocsf_entra_account_change[], ocsf_entra_group_change[], ocsf_entra_other_change[];

#endif
