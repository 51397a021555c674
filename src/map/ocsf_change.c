/* Changes between runs: 3001 Account Change, 3006 Group Management, 3004 Entity Management. The actor is not
 * told: a directory read sees what changed, not who did it. */
#include "map/dialect.h"
#include "map/ocsf_entra.h"
#include "map/value.h"

/* --- which activity ------------------------------------------------------------------------------ */
#define OTHER(name) ((struct activity){99, name})

/* A side of a change to an attribute is one body entry; its first number. */
static bool change_int(struct bytes entry, int64_t *out)
{
    struct cursor c = cursor_new(entry);
    struct values v;
    return body_next(&c, &v) && values_next_int(&v, out);
}

static struct activity uac_activity(const struct change *c)
{
    int64_t before = 0, after = 0;
    if (!change_int(c->old, &before) || !change_int(c->new, &after)) return OTHER("Modify");
    if (!((before ^ after) & UAC_ACCOUNTDISABLE)) return OTHER("Modify");
    return after & UAC_ACCOUNTDISABLE ? (struct activity){5, "Disable"} : (struct activity){2, "Enable"};
}

static struct activity lockout_activity(const struct change *c, unsigned version)
{
    int64_t after = 0;
    if (change_int(c->new, &after) && after) return (struct activity){9, "Lock"};
    return version < V1_6 ? OTHER("Unlock") : (struct activity){12, "Unlock"};
}

static struct activity enabled_activity(const struct change *c)
{
    int64_t after = 0;
    if (!change_int(c->new, &after)) return OTHER("Modify");
    return after ? (struct activity){2, "Enable"} : (struct activity){5, "Disable"};
}

/* Only from a known "no" to "yes" and back: a report that did not name the user says neither. */
static struct activity mfa_activity(const struct change *c)
{
    int64_t before = 0, after = 0;
    if (!change_int(c->old, &before) || !change_int(c->new, &after)) return OTHER("Modify");
    return after ? (struct activity){10, "MFA Factor Enable"} : (struct activity){11, "MFA Factor Disable"};
}

/* What both directories' attributes say. */
static struct activity attribute_activity(const struct change *c, unsigned version)
{
    int64_t after = 0;
    if (str_equal(c->attribute, STR("userAccountControl"))) return uac_activity(c);
    if (str_equal(c->attribute, STR("lockoutTime"))) return lockout_activity(c, version);
    if (str_equal(c->attribute, STR("accountEnabled"))) return enabled_activity(c);
    if (str_equal(c->attribute, STR("isMfaRegistered"))) return mfa_activity(c);
    if ((str_equal(c->attribute, STR("pwdLastSet")) ||
         str_equal(c->attribute, STR("lastPasswordChangeDateTime"))) &&
        change_int(c->new, &after) && after)
        return (struct activity){3, "Password Change"};
    return OTHER("Modify");
}

static struct activity account_activity(const struct change *c, unsigned version)
{
    if (c->type == CHANGE_created) return (struct activity){1, "Create"};
    if (c->type == CHANGE_deleted) return (struct activity){6, "Delete"};
    if (c->type == CHANGE_restored) return OTHER("Restore");
    if (c->type == CHANGE_moved) return OTHER("Move");
    if (c->type == CHANGE_renamed) return OTHER("Rename");
    return attribute_activity(c, version);
}

static struct activity member_activity(const struct change *c, unsigned version)
{
    bool added = c->type == CHANGE_member_added;
    if (c->member_kind != KIND_group)
        return added ? (struct activity){3, "Add User"} : (struct activity){4, "Remove User"};
    if (version < V1_6) return added ? OTHER("Add Subgroup") : OTHER("Remove Subgroup");
    return added ? (struct activity){7, "Add Subgroup"} : (struct activity){8, "Remove Subgroup"};
}

static struct activity entity_activity(const struct change *c)
{
    if (c->type == CHANGE_created) return (struct activity){1, "Create"};
    if (c->type == CHANGE_deleted) return (struct activity){4, "Delete"};
    if (c->type == CHANGE_restored) return OTHER("Restore");
    return (struct activity){3, "Update"};
}

struct change_event ocsf_change_event(const struct change *c, unsigned version)
{
    if (c->type == CHANGE_member_added || c->type == CHANGE_member_removed)
        return (struct change_event){member_activity(c, version), TABLE_GROUP_CHANGE};
    if (kind_is_account(c->kind) || c->kind == KIND_service_principal)
        return (struct change_event){account_activity(c, version), TABLE_ACCOUNT_CHANGE};
    /* Until 1.3.0 the class wants a user or privileges, which a group's creation does not have. */
    if (kind_has_members(c->kind) && version >= V1_4 && c->type == CHANGE_created)
        return (struct change_event){{6, "Create"}, TABLE_GROUP_CHANGE};
    if (kind_has_members(c->kind) && version >= V1_4 && c->type == CHANGE_deleted)
        return (struct change_event){{5, "Delete"}, TABLE_GROUP_CHANGE};
    return (struct change_event){entity_activity(c), TABLE_OTHER_CHANGE};
}

/* --- getters ------------------------------------------------------------------------------------- */
bool get_change_time(struct view *v, const struct row *row, struct cell *out)
{
    return cell_moment(out, v->change->time_ms) || fixed_read_time(v, row, out);
}
bool get_activity_id(struct view *v, const struct row *row, struct cell *out)
{
    return cell_number(out, CELL_INT, v->activity.id);
}
bool get_activity_name(struct view *v, const struct row *row, struct cell *out)
{
    return cell_text(out, str_from(v->activity.name));
}
bool get_type_uid(struct view *v, const struct row *row, struct cell *out)
{
    return cell_number(out, CELL_INT, (int64_t)row->arg * 100 + v->activity.id);
}
bool get_type_name(struct view *v, const struct row *row, struct cell *out)
{
    v->parts[0] = str_from(row->text);
    v->parts[1] = STR(": ");
    v->parts[2] = v->activity.id == 99 ? STR("Other") : str_from(v->activity.name);
    v->n_parts = 3;
    out->type = CELL_PARTS;
    return true;
}

/* DN of the member: the side that is not empty. */
static struct str member_dn(const struct view *v)
{
    return str_of(v->change->new.len ? v->change->new : v->change->old);
}
static struct str member_name(const struct view *v)
{
    return v->change->member_name.len ? v->change->member_name : member_dn(v);
}
static bool is_membership(const struct view *v)
{
    return v->change->type == CHANGE_member_added || v->change->type == CHANGE_member_removed;
}
static bool is_subgroup(const struct view *v)
{
    return is_membership(v) && v->change->member_kind == KIND_group;
}
/* The class has a place for subgroups since 1.6.0; before, one stands where a user would. */
static bool is_member_user(const struct view *v)
{
    return is_membership(v) && (!is_subgroup(v) || view_version(v) < V1_6);
}

static bool member_guid(struct view *v, struct cell *out)
{
    static const uint8_t zero[GUID_SIZE];
    if (!memcmp(v->change->member_guid, zero, GUID_SIZE)) return false;
    return cell_plain(out, guid_format(v->scratch, v->change->member_guid), GUID_TEXT - 1);
}
static bool get_user_guid(struct view *v, const struct row *row, struct cell *out)
{
    return is_member_user(v) && member_guid(v, out);
}
static bool get_user_name(struct view *v, const struct row *row, struct cell *out)
{
    return is_member_user(v) && cell_text(out, member_name(v));
}
static bool get_user_dn(struct view *v, const struct row *row, struct cell *out)
{
    return is_member_user(v) && cell_text(out, member_dn(v));
}
static bool is_service(enum kind k)
{
    return k == KIND_service_account || k == KIND_service_principal;
}
static bool get_member_type_id(struct view *v, const struct row *row, struct cell *out)
{
    if (!is_member_user(v)) return false;
    if (v->change->member_kind == KIND_computer) return cell_number(out, CELL_INT, 3);
    if (is_service(v->change->member_kind) && view_version(v) >= V1_6) return cell_number(out, CELL_INT, 4);
    if (v->change->member_kind == KIND_user || v->change->member_kind == KIND_NONE)
        return false; /* User or Admin: unknown here */
    return cell_number(out, CELL_INT, 99);
}
static bool get_member_type(struct view *v, const struct row *row, struct cell *out)
{
    struct cell id;
    if (!get_member_type_id(v, row, &id)) return false;
    if (id.number == 3) return cell_text(out, STR("System"));
    if (is_service(v->change->member_kind)) return cell_text(out, STR("Service"));
    return cell_text(out, str_from(kind_name(v->change->member_kind)));
}
static bool get_subgroup_guid(struct view *v, const struct row *row, struct cell *out)
{
    return is_subgroup(v) && member_guid(v, out);
}
static bool get_subgroup_name(struct view *v, const struct row *row, struct cell *out)
{
    return is_subgroup(v) && cell_text(out, member_name(v));
}

static bool get_member_guid(struct view *v, const struct row *row, struct cell *out)
{
    return is_membership(v) && member_guid(v, out);
}
static bool get_member_kind(struct view *v, const struct row *row, struct cell *out)
{
    return is_membership(v) && v->change->member_kind != KIND_NONE &&
           cell_text(out, str_from(kind_name(v->change->member_kind)));
}

static const struct {
    unsigned id;
    const char *name;
} entity_types[KIND_COUNT] = {
    [KIND_device] = {1, "Device"},
    [KIND_group] = {3, "Group"},
    [KIND_role] = {3, "Group"},
    [KIND_administrative_unit] = {3, "Group"},
    [KIND_tenant] = {4, "Organization"},
    [KIND_ou] = {4, "Organization"},
    [KIND_container] = {4, "Organization"},
    [KIND_domain] = {4, "Organization"},
    [KIND_group_policy] = {5, "Policy"},
};
static bool get_entity_type_id(struct view *v, const struct row *row, struct cell *out)
{
    unsigned id = entity_types[v->change->kind].id;
    return cell_number(out, CELL_INT, id ? id : 99);
}
static bool get_entity_type(struct view *v, const struct row *row, struct cell *out)
{
    const char *name = entity_types[v->change->kind].name;
    return cell_text(out, str_from(name ? name : kind_name(v->change->kind)));
}

static bool get_change_message(struct view *v, const struct row *row, struct cell *out)
{
    struct cell name;
    if (!get_name(v, row, &name)) name.text = v->change->name;
    v->parts[0] = name.text;
    v->parts[1] = STR(": ");
    v->parts[2] = str_from(change_type_name(v->change->type));
    v->parts[3] = STR(" ");
    v->parts[4] = is_membership(v) ? member_name(v) : v->change->attribute;
    v->n_parts = v->parts[4].len ? 5 : 3;
    out->type = CELL_PARTS;
    return true;
}

static bool get_change_type(struct view *v, const struct row *row, struct cell *out)
{
    return cell_text(out, str_from(change_type_name(v->change->type)));
}
static bool get_change_attribute(struct view *v, const struct row *row, struct cell *out)
{
    return cell_text(out, v->change->attribute);
}
static bool get_change_evidence(struct view *v, const struct row *row, struct cell *out)
{
    return cell_text(out, str_from(evidence_name(v->change->evidence)));
}
static bool get_change_id(struct view *v, const struct row *row, struct cell *out)
{
    return v->change->id && cell_number(out, CELL_INT, v->change->id);
}
static bool get_change_run(struct view *v, const struct row *row, struct cell *out)
{
    return v->change->run && cell_number(out, CELL_INT, v->change->run);
}
static bool get_change_guid(struct view *v, const struct row *row, struct cell *out)
{
    return cell_plain(out, guid_format(v->scratch, v->change->guid), GUID_TEXT - 1);
}
static bool get_change_kind(struct view *v, const struct row *row, struct cell *out)
{
    return cell_text(out, str_from(kind_name(v->change->kind)));
}

/* One side: text for DNs and descriptors, a SID for objectSid, else a body entry (change.h). */
static bool append_side(struct view *v, struct bytes side, struct buf *out)
{
    static const struct str texts[] = {
        {"member", 6}, {"distinguishedName", 17}, {"nTSecurityDescriptor", 20}};
    char sid[SID_TEXT];
    for (size_t i = 0; i < n_elements(texts); i++) {
        if (!str_equal(v->change->attribute, texts[i])) continue;
        text_json(out, text_cut(str_of(side), TEXT_MAX));
        return true;
    }
    if (str_equal(v->change->attribute, STR("objectSid"))) {
        text_json(out, str_from(sid_format_bytes(sid, side)));
        return true;
    }
    struct cursor c = cursor_new(side);
    struct values values;
    if (!body_next(&c, &values)) return false;
    value_json(out, values, v->d->type->times);
    return true;
}
static bool old_side(struct view *v, struct buf *out)
{
    return append_side(v, v->change->old, out);
}
static bool new_side(struct view *v, struct buf *out)
{
    return append_side(v, v->change->new, out);
}
static bool get_old(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_VALUE;
    out->item = old_side;
    return v->change->old.len > 0;
}
static bool get_new(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_VALUE;
    out->item = new_side;
    return v->change->new.len > 0;
}

/* --- tables -------------------------------------------------------------------------------------- */
/* clang-format off */
#define CHANGE_FACTS(P)                                                                                      \
    CHANGE_WHAT(P),                                                                                          \
    {P ".distinguished_name", get_dn},                                                                       \
    CHANGE_WHEN(P)
#define CHANGE_WHAT(P)                                                                                       \
    {P ".change", get_change_type},                                                                          \
    {P ".attribute", get_change_attribute},                                                                  \
    {P ".old", get_old},                                                                                     \
    {P ".new", get_new},                                                                                     \
    {P ".evidence", get_change_evidence},                                                                    \
    {P ".connector", fixed_connector},                                                                       \
    {P ".kind", get_change_kind},                                                                            \
    {P ".guid", get_change_guid}
#define CHANGE_WHEN(P)                                                                                       \
    {P ".run", get_change_run},                                                                              \
    {P ".change_id", get_change_id}
/* clang-format on */

const struct row ocsf_account_change[] = {
    OCSF_CHANGE(3001, "Account Change"),
    OCSF_METADATA(LOG_CHANGES),
    {"message", get_change_message},
    {"user.uid", get_uid},
    {"user.uid_alt", get_change_guid},
    {"user.name", get_name},
    {"user.display_name", get_text, ATTR_DISPLAY_NAME, .since = V1_5},
    {"user.full_name", get_full_name},
    {"user.domain", get_domain},
    {"user.email_addr", get_email, ATTR_MAIL},
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
    {"enrichments[0].name", lead_text, .text = "user.uid"},
    {"enrichments[0].type", lead_text, .text = "directory_change"},
    {"enrichments[0].value", get_uid},
    CHANGE_FACTS("enrichments[0].data"),
    {NULL},
};

const struct row ocsf_group_change[] = {
    OCSF_CHANGE(3006, "Group Management"),
    OCSF_METADATA(LOG_CHANGES),
    {"message", get_change_message},
    {"group.uid", get_uid},
    {"group.uid_alt", get_change_guid, .since = V1_8},
    {"group.name", get_name},
    {"group.domain", get_domain},
    {"group.type", get_group_type},
    {"group.desc", get_words, ATTR_DESCRIPTION},
    {"user.name", get_user_name},
    {"user.uid_alt", get_user_guid},
    {"user.type_id", get_member_type_id},
    {"user.type", get_member_type},
    {"user.ldap_person.ldap_dn", get_user_dn},
    {"subgroup.name", get_subgroup_name, .since = V1_6},
    {"subgroup.uid_alt", get_subgroup_guid, .since = V1_8},
    {"enrichments[0].name", lead_text, .text = "group.uid"},
    {"enrichments[0].type", lead_text, .text = "directory_change"},
    {"enrichments[0].value", get_uid},
    CHANGE_FACTS("enrichments[0].data"),
    {"enrichments[0].data.member_guid", get_member_guid},
    {"enrichments[0].data.member_kind", get_member_kind},
    {NULL},
};

const struct row ocsf_other_change[] = {
    OCSF_CHANGE(3004, "Entity Management"),
    OCSF_METADATA(LOG_CHANGES),
    {"message", get_change_message},
    {"entity.uid", get_uid},
    {"entity.name", get_name},
    {"entity.type_id", get_entity_type_id, .since = V1_3},
    {"entity.type", get_entity_type},
    CHANGE_FACTS("entity.data"),
    {NULL},
};

/* --- of a tenant: ids are GUIDs, there are no DNs ------------------------------------------------ */
const struct row ocsf_entra_account_change[] = {
    OCSF_CHANGE(3001, "Account Change"),
    ENTRA_METADATA(LOG_CHANGES),
    {"message", get_change_message},
    {"user.uid", get_change_guid},
    {"user.name", get_upn_or_title},
    {"user.display_name", get_text, ATTR_DISPLAY_NAME, .since = V1_5},
    {"user.full_name", get_text, ATTR_DISPLAY_NAME},
    {"user.domain", get_upn_suffix},
    {"user.email_addr", get_email, ATTR_MAIL},
    {"user.has_mfa", get_has_mfa, .since = V1_4},
    {"user.type_id", get_entra_type_id},
    {"user.type", get_entra_type},
    {"user.account.name", get_upn_or_title},
    {"user.account.uid", get_change_guid},
    {"user.account.type_id", fixed_number, 6},
    {"user.account.type", fixed_text, .text = "Azure AD Account"},
    {"user.account.is_disabled", get_not, ATTR_ACCOUNT_ENABLED, .since = V1_8},
    {"user.account.is_on_premises_sync_enabled", get_bool, ATTR_SYNC_ENABLED, .since = V1_8},
    {"enrichments[0].name", lead_text, .text = "user.uid"},
    {"enrichments[0].type", lead_text, .text = "directory_change"},
    {"enrichments[0].value", get_change_guid},
    CHANGE_WHAT("enrichments[0].data"),
    CHANGE_WHEN("enrichments[0].data"),
    {NULL},
};

const struct row ocsf_entra_group_change[] = {
    OCSF_CHANGE(3006, "Group Management"),
    ENTRA_METADATA(LOG_CHANGES),
    {"message", get_change_message},
    {"group.uid", get_role_uid},
    {"group.uid_alt", get_role_alt, .since = V1_8},
    {"group.name", get_title},
    {"group.domain", get_domain},
    {"group.type", get_tenant_group_type},
    {"group.desc", get_words, ATTR_DESCRIPTION},
    {"user.uid", get_user_guid},
    {"user.name", get_user_name},
    {"user.type_id", get_member_type_id},
    {"user.type", get_member_type},
    {"subgroup.uid", get_subgroup_guid, .since = V1_6},
    {"subgroup.name", get_subgroup_name, .since = V1_6},
    {"enrichments[0].name", lead_text, .text = "group.uid"},
    {"enrichments[0].type", lead_text, .text = "directory_change"},
    {"enrichments[0].value", get_role_uid},
    CHANGE_WHAT("enrichments[0].data"),
    CHANGE_WHEN("enrichments[0].data"),
    {"enrichments[0].data.member_guid", get_member_guid},
    {"enrichments[0].data.member_kind", get_member_kind},
    {"enrichments[0].data.directory_scope_id", get_text, ATTR_DIRECTORY_SCOPE_ID},
    {"enrichments[0].data.assignment_type", get_text, ATTR_ASSIGNMENT_TYPE},
    {NULL},
};

const struct row ocsf_entra_other_change[] = {
    OCSF_CHANGE(3004, "Entity Management"),
    ENTRA_METADATA(LOG_CHANGES),
    {"message", get_change_message},
    {"entity.uid", get_change_guid},
    {"entity.name", get_title},
    {"entity.type_id", get_entity_type_id, .since = V1_3},
    {"entity.type", get_entity_type},
    CHANGE_WHAT("entity.data"),
    CHANGE_WHEN("entity.data"),
    {NULL},
};
