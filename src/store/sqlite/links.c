#include "store/sqlite/link_cache.h"
#include "store/sqlite/hints.h"
#include "store/sqlite/read.h"

/* --- one end ---------------------------------------------------------------------------------- */

static void fill_role(struct link *out, const struct record_index *x)
{
    struct str text;
    if (record_str(x, ATTR_ROLE_TEMPLATE_ID, &text)) out->template_id = text;
    if (record_str(x, ATTR_DIRECTORY_SCOPE_ID, &text)) out->scope = text;
    if (record_str(x, ATTR_ASSIGNMENT_TYPE, &text)) out->assignment = text;
}

static int fill(struct link *out, struct sqlite_store *s, const struct known_connector *c,
                const struct version *v, struct body *body, struct err *e)
{
    struct record_index x;
    struct str text;
    try(body_open(body, s, entity_id_of(c->id, v->seq), v->body_run, e));
    *out = (struct link){.entity_id = entity_id_of(c->id, v->seq),
                         .kind = v->kind,
                         .sid = body->record.sid,
                         .name = body->name,
                         .dn = body->record.dn};
    memcpy(out->guid, v->guid, GUID_SIZE);
    try(record_index(&x, &body->record, e));
    if (v->kind == KIND_group && !record_int(&x, ATTR_GROUP_TYPE, &out->group_type))
        out->group_type = derive_tenant_group_type(&x);
    if (v->kind == KIND_role) fill_role(out, &x);
    if (record_str(&x, ATTR_USER_PRINCIPAL_NAME, &text)) out->principal = text;
    if (record_str(&x, ATTR_DESCRIPTION, &text)) out->description = text;
    return 0;
}

struct walking {
    struct sqlite_store *s;
    const struct known_connector *c;
    struct body body;
    bool (*each)(void *, const struct link *);
    void *ctx;
    int64_t after_id; /* entities from behind this one; 0: from the first */
    bool is_stopped;
};

static int read_link(struct walking *w, uint32_t seq, struct link *out, bool *found, struct err *e)
{
    struct version v;
    const struct link *known = link_cache_find(w->s->links, entity_id_of(w->c->id, seq));
    *found = true;
    if (known) {
        *out = *known;
        return 0;
    }
    try(version_get(w->s, entity_id_of(w->c->id, seq), w->c->visible_run, &v, found, NULL, e));
    if (!*found) return 0;
    body_close(&w->body, w->s);
    try(fill(out, w->s, w->c, &v, &w->body, e));
    if (kind_has_members(v.kind)) link_cache_add(w->s->links, out);
    return 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

static int walk_list(struct walking *w, struct bytes list, struct err *e)
{
    struct idlist l = idlist_read(list);
    struct link link;
    uint32_t pair;
    bool found;
    while (!w->is_stopped && idlist_next(&l, &pair)) {
        if (entity_id_of(w->c->id, pair_seq(pair)) <= w->after_id) continue;
        try(read_link(w, pair_seq(pair), &link, &found, e));
        if (!found) continue;
        link.via = (enum link_via)pair_via(pair);
        w->is_stopped = !w->each(w->ctx, &link);
    }
    return l.left.failed ? err_set(e, ERR_BUG, "store %s: malformed membership list", w->s->q.path) : 0;
}

/* What a group names and nobody has. Of an account these are its primary group's SID. */
static void walk_missing(struct walking *w, struct bytes list, enum link_side side)
{
    struct cursor c = cursor_new(list);
    while (!w->is_stopped && !c.failed && c.in.len) {
        struct str text = str_of(cursor_lstr(&c));
        bool is_sid = str_starts(text, STR("S-1-"));
        if (is_sid != (side == LINK_GROUPS_OF)) continue;
        struct link link = {.via = is_sid ? VIA_PRIMARY_GROUP : VIA_MEMBER,
                            .dn = is_sid ? STR("") : text,
                            .name = is_sid ? text : STR("")};
        w->is_stopped = !w->each(w->ctx, &link);
    }
}

static int walk(struct walking *w, int64_t entity_id, enum link_side side, struct buf *list, struct err *e)
{
    enum links_side stored = side == LINK_GROUPS_OF ? SIDE_GROUPS : SIDE_MEMBERS;
    try(links_read(list, w->s, stored, entity_id, w->c->visible_run, e));
    try(walk_list(w, buf_bytes(list), e));
    buf_clear(list);
    try(links_read(list, w->s, SIDE_MISSING, entity_id, w->c->visible_run, e));
    walk_missing(w, buf_bytes(list), side);
    return 0;
}

int read_links(struct store *store, int64_t entity_id, enum link_side side,
               bool (*each)(void *, const struct link *), void *ctx, struct err *e)
{
    return read_links_after(store, entity_id, side, 0, each, ctx, e);
}

int read_links_after(struct store *store, int64_t entity_id, enum link_side side, int64_t after_id,
                     bool (*each)(void *, const struct link *), void *ctx, struct err *e)
{
    struct walking w = {.s = sqlite_of(store), .each = each, .ctx = ctx, .after_id = after_id};
    struct reading reading;
    try(reading_begin(&reading, w.s, e));
    w.c = handle_connector(w.s, connector_of(entity_id));
    struct buf list = buf_new(SIZE_MAX / 2);
    int rc = w.c ? walk(&w, entity_id, side, &list, e) : 0;
    body_close(&w.body, w.s);
    buf_free(&list);
    reading_end(&reading);
    return rc;
}

/* --- by DN ------------------------------------------------------------------------------------ */

struct resolving {
    struct walking w;
    struct str dn;
    struct link *out;
    bool found;
};

static int try_one(void *ctx, uint32_t seq, struct err *e)
{
    struct resolving *x = ctx;
    struct version v;
    struct body b;
    bool found;
    try(version_get(x->w.s, entity_id_of(x->w.c->id, seq), x->w.c->visible_run, &v, &found, NULL, e));
    if (!found || v.deleted_run) return 0;
    struct link link = {0};
    int rc = fill(&link, x->w.s, x->w.c, &v, &b, e);
    if (rc == 0 && dn_equal(link.dn, x->dn)) {
        struct arena *strings = &x->w.s->resolved;
        arena_clear(strings);
        *x->out = link;
        x->out->sid = arena_bytes(strings, link.sid);
        x->out->name = arena_str(strings, link.name);
        x->out->dn = arena_str(strings, link.dn);
        x->out->description = arena_str(strings, link.description);
        x->out->principal = arena_str(strings, link.principal);
        x->out->template_id = arena_str(strings, link.template_id);
        x->out->scope = arena_str(strings, link.scope);
        x->out->assignment = arena_str(strings, link.assignment);
        x->found = true;
        rc = 1;
    }
    body_close(&b, x->w.s);
    return rc;
}

bool read_resolve_dn(struct store *store, struct str connector, struct str dn, struct link *out)
{
    struct resolving x = {.w.s = sqlite_of(store), .dn = dn, .out = out};
    struct reading reading;
    struct err ignored;
    struct known_connector *c;
    if (!dn.len || reading_begin(&reading, x.w.s, &ignored) < 0) return false;
    if (handle_connector_get(x.w.s, connector, &c, &ignored) == 0) {
        x.w.c = c;
        if (hints_find(x.w.s, c->id, lookup_dn(&x.w.s->lookup, dn), try_one, &x, &ignored) < 0)
            x.found = false;
    }
    reading_end(&reading);
    return x.found;
}
