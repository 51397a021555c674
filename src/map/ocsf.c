#include "map/ocsf.h"

#include "map/dialect.h"

/* Deterministic, so that a receiver can drop doubles: connector, entity, and the run or change that it tells
 * of. */
bool get_event_uid(struct view *v, const struct row *row, struct cell *out)
{
    const struct event_context *c = &v->d->options.context;
    if (v->change)
        event_uid_format(v->scratch, &v->d->uid_change, v->change->guid,
                         v->change->id ? v->change->id : v->change->run);
    else
        event_uid_format(v->scratch, v->is_second ? &v->d->uid_second : &v->d->uid_state, v->r->record->guid,
                         v->s->version ? v->s->version : c->run ? c->run : c->time_ms);
    return cell_plain(out, v->scratch, 32);
}

bool get_sequence(struct view *v, const struct row *row, struct cell *out)
{
    return cell_number(out, CELL_INT, (int64_t)v->d->sequence);
}

bool get_is_truncated(struct view *v, const struct row *row, struct cell *out)
{
    return v->is_cut && cell_number(out, CELL_BOOL, true);
}

#define STRUCTURE                                                                                            \
    (KIND_BIT(KIND_group) | KIND_BIT(KIND_ou) | KIND_BIT(KIND_container) | KIND_BIT(KIND_domain) |           \
     KIND_BIT(KIND_trust) | KIND_BIT(KIND_group_policy))
#define INVENTORY (KIND_BIT(KIND_user) | KIND_BIT(KIND_service_account) | KIND_BIT(KIND_computer))

static const struct table tables[] = {
    {TABLE_ENTITY, KIND_BIT(KIND_user) | KIND_BIT(KIND_service_account), ocsf_user},
    {TABLE_ENTITY, KIND_BIT(KIND_computer), ocsf_computer},
    {TABLE_SECOND, KIND_BIT(KIND_computer), ocsf_user},
    {TABLE_ENTITY, KIND_BIT(KIND_group), ocsf_group},
    {TABLE_ENTITY, KIND_BIT(KIND_ou) | KIND_BIT(KIND_container), ocsf_place},
    {TABLE_ENTITY, KIND_BIT(KIND_domain), ocsf_domain},
    {TABLE_ENTITY, KIND_BIT(KIND_trust), ocsf_trust},
    {TABLE_ENTITY, KIND_BIT(KIND_group_policy), ocsf_policy},
    {TABLE_GROUP_REF, 0, ocsf_group_ref},
    {TABLE_MEMBER_REF, 0, ocsf_member_ref},
    {TABLE_ACCOUNT_CHANGE, 0, ocsf_account_change},
    {TABLE_GROUP_CHANGE, 0, ocsf_group_change},
    {TABLE_OTHER_CHANGE, 0, ocsf_other_change},
};

/* One file a stream, as metadata.log_name tells them apart. */
static const struct file_kind files[] = {
    {"inventory.jsonl", TABLE_ENTITY, INVENTORY},
    {"structure.jsonl", TABLE_ENTITY, STRUCTURE},
};

const struct dialect_type dialect_ocsf = {
    .name = "ocsf",
    .shape = SHAPE_JSON_LINES,
    .times = TIME_MS,
    .has_versions = true,
    .tables = tables,
    .n_tables = n_elements(tables),
    .structure = STRUCTURE,
    .files = files,
    .n_files = n_elements(files),
    .tells_changes = true,
};
