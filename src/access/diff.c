#include "access/diff.h"

#include "access/world_int.h"

#include <stdlib.h>

struct override { /* of a membership, by the oldest change: is there before it */
    uint32_t group, member;
    uint8_t via;
    bool is_there;
};
struct wanted { /* a descriptor by its text */
    struct hash128 text;
    uint32_t descriptor; /* NOBODY: not found */
};
struct past_state {
    const struct world *now;
    struct store *store;
    uint32_t connector;
    struct override *overrides;
    size_t n_overrides, cap_overrides;
    struct hmap at;       /* membership -> place in overrides */
    struct hmap texts;    /* of SDDL -> place in wanted */
    struct wanted *wanted;
    size_t n_wanted, cap_wanted;
    struct { uint32_t object, wanted; } *sds; /* in the order of the log, newest first */
    size_t n_sds, cap_sds;
    uint32_t cap_descriptors;
    struct arena memory;
    struct buf sddl;
    int rc;
    struct err *e;
};

/* --- the change log ---------------------------------------------------------------------------------------- */

static void note(struct past *p, const struct past_change *c)
{
    GROW(p->changes, p->n_changes, p->cap_changes, 256);
    p->changes[p->n_changes++] = *c;
}

static void take_id(void *ctx, const struct entity *x)
{
    *(int64_t *)ctx = x->id;
}

/* Of a change's member only the GUID is told. */
static uint32_t member_of(const struct past_state *s, const struct change *c)
{
    char guid[GUID_TEXT];
    int64_t id = 0;
    struct err ignored;
    guid_format(guid, c->member_guid);
    if (store_entity_find(s->store, c->connector, str_from(guid), false, take_id, &id, &ignored) < 0) return NOBODY;
    return world_principal_of_entity(s->now, id);
}

static void undo_membership(struct past *p, const struct change *c)
{
    struct past_state *s = p->state;
    bool is_new, is_added = c->type == CHANGE_member_added;
    uint32_t group = world_principal_of_entity(s->now, c->entity_id), member = member_of(s, c);
    if (group == NOBODY || member == NOBODY) {
        p->n_lost++;
        return;
    }
    uint8_t via = str_equal(c->attribute, STR("primaryGroupID")) ? VIA_PRIMARY_GROUP : VIA_MEMBER;
    uint32_t key[3] = {group, member, via};
    uint32_t *at = hmap_put(&s->at, hash128_fast(BYTES_OF(key)), &is_new);
    if (is_new) {
        *at = (uint32_t)s->n_overrides;
        GROW(s->overrides, s->n_overrides, s->cap_overrides, 256);
        s->overrides[s->n_overrides++] = (struct override){group, member, via, false};
    }
    s->overrides[*at].is_there = !is_added; /* the oldest one comes last */
    note(p, &(struct past_change){c->run, c->time_ms, c->type, group, member, NOBODY});
}

static void undo_descriptor(struct past *p, const struct change *c)
{
    struct past_state *s = p->state;
    bool is_new;
    uint32_t object = world_object_of_entity(s->now, c->entity_id);
    if (object == NOBODY) return;
    struct hash128 text = hash128_fast(c->old);
    uint32_t *at = hmap_put(&s->texts, text, &is_new);
    if (is_new) {
        *at = (uint32_t)s->n_wanted;
        GROW(s->wanted, s->n_wanted, s->cap_wanted, 64);
        s->wanted[s->n_wanted++] = (struct wanted){text, NOBODY};
    }
    GROW(s->sds, s->n_sds, s->cap_sds, 64);
    s->sds[s->n_sds].object = object;
    s->sds[s->n_sds++].wanted = *at;
    note(p, &(struct past_change){c->run, c->time_ms, c->type, NOBODY, NOBODY, object});
}

static bool take_change(void *ctx, const struct change *c)
{
    struct past *p = ctx;
    if (c->type == CHANGE_member_added || c->type == CHANGE_member_removed)
        undo_membership(p, c);
    else if (c->type == CHANGE_modified && str_equal(c->attribute, STR("nTSecurityDescriptor")))
        undo_descriptor(p, c);
    return true;
}

/* --- memberships ---------------------------------------------------------------------------------------------- */

static const struct override *override_of(const struct past_state *s, uint32_t group, uint32_t member, uint8_t via)
{
    uint32_t key[3] = {group, member, via == VIA_PRIMARY_GROUP ? VIA_PRIMARY_GROUP : VIA_MEMBER};
    const uint32_t *at = hmap_find(&s->at, hash128_fast(BYTES_OF(key)));
    return at ? &s->overrides[*at] : NULL;
}

struct edges {
    struct world_edge *list;
    size_t n, cap;
};

static void add_edge(struct edges *out, uint32_t group, uint32_t member, uint8_t via)
{
    GROW(out->list, out->n, out->cap, 4096);
    out->list[out->n++] = (struct world_edge){group, member, via};
}

static void gather_edges(struct edges *out, const struct past_state *s)
{
    const struct world *w = s->now;
    for (uint32_t p = 0; p < w->n_principals; p++)
        for (uint32_t k = w->first_group[p]; k < w->first_group[p + 1]; k++)
            if (!override_of(s, w->groups_of[k], p, w->via_of[k])) add_edge(out, w->groups_of[k], p, w->via_of[k]);
    for (size_t i = 0; i < s->n_overrides; i++) {
        const struct override *o = &s->overrides[i];
        if (o->is_there) add_edge(out, o->group, o->member, o->via);
    }
}

/* --- descriptors ------------------------------------------------------------------------------------------------- */

static int skip_entity(void *ctx, const struct entity *x, int64_t sd_id, struct err *e)
{
    (void)ctx, (void)x, (void)sd_id, (void)e;
    return 0;
}

static int skip_members(void *ctx, int64_t group, const struct store_member *list, size_t n, struct err *e)
{
    (void)ctx, (void)group, (void)list, (void)n, (void)e;
    return 0;
}

static int skip_missing(void *ctx, int64_t owner, struct str text, struct err *e)
{
    (void)ctx, (void)owner, (void)text, (void)e;
    return 0;
}

static int take_descriptor(void *ctx, int64_t sd_id, struct bytes raw, struct err *e)
{
    struct past *p = ctx;
    struct past_state *s = p->state;
    struct world *w = p->world;
    struct descriptor d = {.raw = raw};
    (void)sd_id, (void)e;
    struct err ignored;
    if (sd_decode(&d.sd, raw, &ignored) < 0) return 0;
    buf_clear(&s->sddl);
    sd_format_sddl(&s->sddl, &d.sd);
    uint32_t *at = hmap_find(&s->texts, hash128_fast(buf_bytes(&s->sddl)));
    if (!at || s->wanted[*at].descriptor != NOBODY) return 0;
    d.raw = arena_bytes(&s->memory, raw);
    if (sd_decode(&d.sd, d.raw, &ignored) < 0) return 0;
    GROW(w->descriptors, w->n_descriptors, s->cap_descriptors, 64);
    s->wanted[*at].descriptor = w->n_descriptors;
    w->descriptors[w->n_descriptors++] = d;
    return 0;
}

static int put_descriptors(struct past *p, struct err *e)
{
    static const struct store_everything to = {skip_entity, skip_members, skip_missing, take_descriptor};
    struct past_state *s = p->state;
    const struct world *now = s->now;
    struct world *w = p->world;
    s->cap_descriptors = now->n_descriptors + 64;
    w->descriptors = x_alloc(s->cap_descriptors * sizeof *w->descriptors);
    if (now->n_descriptors) memcpy(w->descriptors, now->descriptors, now->n_descriptors * sizeof *w->descriptors);
    w->objects = x_alloc((now->n_objects + 1u) * sizeof *w->objects);
    if (now->n_objects) memcpy(w->objects, now->objects, now->n_objects * sizeof *w->objects);
    if (!s->n_sds) return 0;
    try(store_read_everything(s->store, now->connectors[s->connector].name, &to, p, e));
    for (size_t i = 0; i < s->n_sds; i++) { /* the oldest one comes last */
        uint32_t descriptor = s->wanted[s->sds[i].wanted].descriptor;
        p->n_lost += descriptor == NOBODY;
        w->objects[s->sds[i].object].descriptor = descriptor;
    }
    return 0;
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

static int undo(struct past *p, int64_t run, struct err *e)
{
    struct past_state *s = p->state;
    struct edges edges = {0};
    struct change_query q = {.connector = s->now->connectors[s->connector].name, .since_run = run, .newest_first = true};
    try(store_changes(s->store, &q, take_change, p, e));
    gather_edges(&edges, s);
    world_link(p->world, edges.list, edges.n);
    free(edges.list);
    return put_descriptors(p, e);
}

int past_read(struct past **out, struct store *s, const struct world *now, uint32_t connector, int64_t run, struct err *e)
{
    struct past *p = x_zalloc(sizeof *p);
    p->state = x_zalloc(sizeof *p->state);
    *p->state = (struct past_state){.now = now, .store = s, .connector = connector, .memory = arena_new(SIZE_MAX), .sddl = buf_new((size_t)16 << 20)};
    p->world = x_alloc(sizeof *p->world);
    *p->world = *now;
    p->world->first_group = p->world->first_member = p->world->groups_of = p->world->members_of = NULL;
    p->world->via_of = NULL;
    p->world->objects = NULL;
    p->world->descriptors = NULL;
    *out = p;
    return undo(p, run, e);
}

void past_free(struct past *p)
{
    if (!p) return;
    struct world *w = p->world;
    struct past_state *s = p->state;
    free(w->first_group);
    free(w->first_member);
    free(w->groups_of);
    free(w->members_of);
    free(w->via_of);
    free(w->objects);
    free(w->descriptors);
    free(w);
    free(s->overrides);
    free(s->wanted);
    free(s->sds);
    hmap_free(&s->at);
    hmap_free(&s->texts);
    arena_free(&s->memory);
    buf_free(&s->sddl);
    free(s);
    free(p->changes);
    free(p);
}
