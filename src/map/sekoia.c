/* The asset object that Sekoia's Active Directory connector sends, with the same envelope as its Entra ID
 * one: users and service accounts, all times in seconds, `time` the creation. Delivery wraps lines in
 * {"version":1,"items":[...]}. */
#include "map/dialect.h"
#include "map/sekoia.h"

static bool is_admin(const struct view *v)
{
    return v->s->derived.privileges & PRIV_PROTECTED;
}
static bool get_type_id(struct view *v, const struct row *row, struct cell *out)
{
    if (is_admin(v)) return cell_number(out, CELL_INT, 2);
    return cell_number(out, CELL_INT, v->r->record->kind == KIND_service_account ? 4 : 1);
}
static bool get_type(struct view *v, const struct row *row, struct cell *out)
{
    if (is_admin(v)) return cell_plain(out, "Admin", 5);
    return v->r->record->kind == KIND_service_account ? cell_plain(out, "Service", 7)
                                                      : cell_plain(out, "User", 4);
}

static const struct row sekoia_user[] = {
    {"time", get_created_or_read_time, ATTR_WHEN_CREATED},
    SEKOIA_ENVELOPE("Microsoft Active Directory"),
    {"user.name", get_display_or_full_name},
    {"user.uid", get_uid},
    {"user.uid_alt", get_guid},
    {"user.type_id", get_type_id},
    {"user.type", get_type},
    {"user.account.name", get_principal},
    {"user.account.type_id", fixed_number, 1},
    {"user.account.type", fixed_text, .text = "LDAP Account"},
    {"user.account.uid", get_uid},
    {"user.full_name", get_full_name},
    {"user.display_name", get_text, ATTR_DISPLAY_NAME},
    {"user.email_addr", get_email, ATTR_MAIL},
    {"user.domain", get_domain},
    {"user.groups", get_groups},
    {"enrichments[0].name", lead_text, .text = "login"},
    {"enrichments[0].value", lead_text, .text = "infos"},
    {"enrichments[0].data.is_enabled", get_is_active},
    {"enrichments[0].data.last_logon", get_last_logon},
    {"enrichments[0].data.bad_password_count", get_int, ATTR_BAD_PWD_COUNT},
    {"enrichments[0].data.number_of_logons", get_int, ATTR_LOGON_COUNT},
    {NULL},
};

static const struct row sekoia_group_ref[] = {
    {"name", get_ref_name, REF_OTHER},
    {"uid", get_ref_uid, REF_OTHER},
    {NULL},
};

#define ASSETS (KIND_BIT(KIND_user) | KIND_BIT(KIND_service_account))
static const struct table tables[] = {
    {TABLE_ENTITY, ASSETS, sekoia_user},
    {TABLE_GROUP_REF, 0, sekoia_group_ref},
};
static const struct file_kind files[] = {{"assets.jsonl", TABLE_ENTITY, ASSETS}};

const struct dialect_type dialect_sekoia = {
    .name = "sekoia",
    .shape = SHAPE_JSON_LINES,
    .times = TIME_SECONDS,
    .tables = tables,
    .n_tables = n_elements(tables),
    .files = files,
    .n_files = n_elements(files),
};
