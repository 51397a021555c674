#include "run/subject.h"

#include "base/when.h"
#include "model/dn.h"

#include <stdlib.h>

#define OWNERS_MAX 1000 /* a service allows 100 */

int subject_maker_init(struct subject_maker *m, struct store *s, struct str connector, struct err *e)
{
    *m = (struct subject_maker){.store = s, .text = arena_new((size_t)2 << 30)};
    return store_connector(s, connector, &m->connector, e);
}

void subject_maker_fini(struct subject_maker *m)
{
    arena_free(&m->text);
    free(m->groups);
    free(m->owners);
    free(m->member_list);
}

static struct ref ref_of(struct arena *a, const struct link *l)
{
    struct ref r = {.kind = l->kind, .group_type = l->group_type, .via = link_via_name(l->via)};
    memcpy(r.guid, l->guid, GUID_SIZE);
    r.sid = arena_bytes(a, l->sid);
    r.name = arena_str(a, l->name);
    r.principal = r.name;
    r.dn = arena_str(a, l->dn);
    r.description = arena_str(a, l->description);
    r.template_id = arena_str(a, l->template_id);
    r.scope = arena_str(a, l->scope);
    r.assignment = arena_str(a, l->assignment);
    return r;
}

static void append(struct ref **list, size_t *n, size_t *cap, const struct ref *r)
{
    GROW(*list, *n, *cap, 64);
    (*list)[(*n)++] = *r;
}

static bool add_group(void *ctx, const struct link *l)
{
    struct subject_maker *m = ctx;
    struct ref r = ref_of(&m->text, l);
    append(&m->groups, &m->subject.n_groups, &m->groups_cap, &r);
    return true;
}

static bool add_member(void *ctx, const struct link *l)
{
    struct subject_maker *m = ctx;
    struct ref r = ref_of(&m->text, l);
    append(&m->member_list, &m->n_members, &m->members_cap, &r);
    return true;
}

static bool next_member(void *ctx, struct ref *out)
{
    struct subject_maker *m = ctx;
    if (m->member_at == m->n_members) return false;
    *out = m->member_list[m->member_at++];
    return true;
}

static void rewind_members(void *ctx)
{
    ((struct subject_maker *)ctx)->member_at = 0;
}

static const struct ref *resolve(struct subject_maker *m, struct str dn, struct ref *space)
{
    struct link l;
    if (!dn.len || !store_resolve_dn(m->store, m->connector.name, dn, &l)) return NULL;
    *space = ref_of(&m->text, &l);
    if (l.principal.len) space->principal = arena_str(&m->text, l.principal);
    return space;
}

static const struct ref *referred(struct subject_maker *m, enum attr a, struct ref *space)
{
    struct str dn;
    return record_str(&m->index, a, &dn) ? resolve(m, dn, space) : NULL;
}

/* In the order in which they are named. */
static void make_owners(struct subject_maker *m)
{
    struct values v = record_values(&m->index, ATTR_OWNERS);
    struct ref found;
    struct bytes id;
    while (m->subject.n_owners < OWNERS_MAX && values_next_bytes(&v, &id)) {
        const struct ref *r = resolve(m, str_of(id), &found);
        struct ref unknown = {.dn = str_of(id)};
        append(&m->owners, &m->subject.n_owners, &m->owners_cap, r ? r : &unknown);
    }
    m->subject.owners = m->owners;
}

static int make_members(struct subject_maker *m, int64_t id, struct err *e)
{
    m->n_members = m->member_at = 0;
    try(store_links(m->store, id, LINK_MEMBERS_OF, add_member, m, e));
    m->members = (struct member_source){next_member, rewind_members, m, m->n_members};
    m->subject.members = &m->members;
    return 0;
}

int subject_make(struct subject_maker *m, const struct entity *entity, bool with_members, const struct subject **out,
                 struct err *e)
{
    arena_clear(&m->text);
    m->record = entity->record;
    try(record_index(&m->index, &m->record, e));
    m->subject = (struct subject){.record = &m->index,
                                  .name = entity->name,
                                  .domain = &m->connector.domain,
                                  .sd_bytes = entity->sd,
                                  .first_seen_ms = entity->first_seen_ms,
                                  .last_changed_ms = entity->last_changed_ms,
                                  .deleted_ms = entity->deleted_ms,
                                  .version = m->by_content ? entity->last_changed_ms : 0};
    derive_account(&m->subject.derived, &m->index, &m->connector.domain, when_now_ms());
    int64_t through_hidden = 0;
    record_int(&m->index, ATTR_HIDDEN_PRIVILEGES, &through_hidden);
    m->subject.derived.privileges = entity->privileges | (unsigned)through_hidden;
    m->subject.derived.privileges_known = TRI_YES;
    try(store_links(m->store, entity->id, LINK_GROUPS_OF, add_group, m, e));
    m->subject.groups = m->groups;
    m->subject.parent = resolve(m, dn_parent(entity->record.dn), &m->parent);
    m->subject.manager = referred(m, ATTR_MANAGER, &m->manager);
    m->subject.managed_by = referred(m, ATTR_MANAGED_BY, &m->managed_by);
    make_owners(m);
    if (with_members && kind_has_members(entity->record.kind)) try(make_members(m, entity->id, e));
    *out = &m->subject;
    return 0;
}
