#include "map/dialect.h"
#include "map/get.h"
#include "model/derive.h"

static const struct ref *ref_of(const struct view *v, const struct row *row)
{
    switch (row->arg) {
    case REF_MANAGER:
        return v->s->manager;
    case REF_MANAGED_BY:
        return v->s->managed_by;
    case REF_PARENT:
        return v->s->parent;
    default:
        return v->other;
    }
}

bool get_ref_sid(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    if (!r || !r->sid.len) return false;
    return cell_plain(out, v->scratch, view_sid(v, v->scratch, r->sid));
}
bool get_ref_guid(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && ref_has_guid(r) && cell_plain(out, guid_format(v->scratch, r->guid), GUID_TEXT - 1);
}
bool get_ref_uid(struct view *v, const struct row *row, struct cell *out)
{
    return get_ref_sid(v, row, out) || get_ref_guid(v, row, out);
}

bool get_ref_name(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && cell_text(out, r->name);
}
bool get_ref_principal(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && cell_text(out, r->principal.len ? r->principal : r->name);
}
bool get_ref_dn(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && cell_text(out, r->dn);
}
bool get_unresolved_dn(struct view *v, const struct row *row, struct cell *out)
{
    return !get_ref_uid(v, row, out) && get_ref_dn(v, row, out);
}
bool get_ref_description(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && !text_is_placeholder(r->description) && cell_text(out, r->description);
}

bool get_ref_kind(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && r->kind != KIND_NONE && cell_text(out, str_from(kind_name(r->kind)));
}
bool get_ref_graph_type(struct view *v, const struct row *row, struct cell *out)
{
    static const char *const types[KIND_COUNT] = {
        [KIND_user] = "user",
        [KIND_group] = "group",
        [KIND_computer] = "device",
        [KIND_device] = "device",
        [KIND_service_account] = "servicePrincipal",
        [KIND_service_principal] = "servicePrincipal",
        [KIND_contact] = "contact",
        [KIND_foreign_principal] = "foreignSecurityPrincipal",
    };
    const struct ref *r = ref_of(v, row);
    return r && (unsigned)r->kind < KIND_COUNT && cell_text(out, str_from(types[r->kind]));
}
bool get_ref_group_type(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && r->group_type && cell_text(out, str_from(group_type_name(r->group_type)));
}
bool get_ref_via(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *r = ref_of(v, row);
    return r && cell_text(out, str_from(r->via));
}

/* device.owner is a user object; a group that manages a computer has no place in it. */
static bool is_account(const struct ref *r)
{
    return r && kind_is_account(r->kind);
}
bool get_owner_uid(struct view *v, const struct row *row, struct cell *out)
{
    return is_account(ref_of(v, row)) && get_ref_uid(v, row, out);
}
bool get_owner_name(struct view *v, const struct row *row, struct cell *out)
{
    return is_account(ref_of(v, row)) && get_ref_name(v, row, out);
}

/* --- the groups an entity is in, the members a group has ----------------------------------------- */
/* groups[] tells what is so now, not what may be asked for. */
static bool is_group_ref(const struct view *v, const struct ref *g)
{
    kind_set takes = v->d->type->group_refs;
    return !takes || ((takes & KIND_BIT(g->kind)) && !ref_is_eligible(g));
}
static bool group_item(struct view *v, struct buf *out)
{
    struct list *l = &v->list;
    while (l->position < v->s->n_groups) {
        const struct ref *g = &v->s->groups[l->position++];
        if (!is_group_ref(v, g)) continue;
        if (g->prepared.len) {
            buf_add_str(out, g->prepared);
            return true;
        }
        v->other = g;
        if (program_json(v->d->other[TABLE_GROUP_REF], v, out)) return true;
    }
    return false;
}

bool get_groups(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){0};
    out->type = CELL_ARRAY;
    out->item = group_item;
    return v->s->n_groups > 0;
}

static bool next_group_guid(struct view *v, struct str *out)
{
    while (v->list.position < v->s->n_groups) {
        const struct ref *g = &v->s->groups[v->list.position++];
        if (!ref_has_guid(g)) continue;
        *out = (struct str){guid_format(v->scratch, g->guid), GUID_TEXT - 1};
        return true;
    }
    return false;
}

bool get_group_guids(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){.next = next_group_guid, .is_plain = true};
    out->type = CELL_LIST;
    return v->s->n_groups > 0;
}

static bool member_item(struct view *v, struct buf *out)
{
    struct ref member;
    while (v->s->members->next(v->s->members->ctx, &member)) {
        v->other = &member;
        bool written = program_json(v->d->other[TABLE_MEMBER_REF], v, out);
        v->other = NULL;
        if (written) return true;
    }
    return false;
}

bool get_members(struct view *v, const struct row *row, struct cell *out)
{
    if (!v->s->members) return false;
    v->s->members->rewind(v->s->members->ctx);
    out->type = CELL_ARRAY;
    out->item = member_item;
    return true;
}

/* Known where the members were; an empty group has 0. */
bool get_member_count(struct view *v, const struct row *row, struct cell *out)
{
    struct member_source *m = v->s->members;
    if (!m) return false;
    uint64_t n = m->n;
    if (!n) {
        struct ref ignored;
        m->rewind(m->ctx);
        while (m->next(m->ctx, &ignored)) n++;
    }
    return cell_number(out, CELL_INT, (int64_t)n);
}
