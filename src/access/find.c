#include "access/find.h"

#include "model/sid.h"

struct taking {
    struct party *out;
    struct arena *a;
    const struct world *w;
    bool found;
};

static void fill_sid(struct party *p, struct bytes sid)
{
    p->sid[0] = 0;
    if (sid.len) sid_format_bytes(p->sid, sid);
}

static void take(void *ctx, const struct entity *e)
{
    struct taking *t = ctx;
    struct party *p = t->out;
    *p = (struct party){.principal = world_principal_of_entity(t->w, e->id),
                        .object = world_object_of_entity(t->w, e->id),
                        .entity = e->id,
                        .kind = e->record.kind,
                        .name = arena_str(t->a, e->name),
                        .dn = arena_str(t->a, e->record.dn),
                        .connector = arena_str(t->a, e->connector)};
    guid_format(p->uid, e->record.guid);
    fill_sid(p, e->record.sid);
    t->found = true;
}

static bool take_one(void *ctx, const struct entity *e)
{
    take(ctx, e);
    return false;
}

/* Somebody without an entity: well-known, or a stranger. */
static void take_bare(struct party *out, struct arena *a, const struct world *w, uint32_t principal)
{
    struct bytes sid = w->principals[principal].sid;
    const char *name = sid_well_known_name(sid);
    *out = (struct party){.principal = principal, .object = NOBODY, .kind = w->principals[principal].kind};
    fill_sid(out, sid);
    out->name = arena_str(a, str_from(name ? name : out->sid));
}

static int by_entity(struct party *out, struct arena *a, const struct world *w, struct store *s, int64_t id, struct err *e)
{
    struct taking t = {out, a, w, false};
    struct entity_query q = {.after_id = id - 1, .limit = 1};
    try(store_entities(s, &q, take_one, &t, e));
    return t.found && out->entity == id ? 0 : err_set(e, ERR_NOTFOUND, "the store has changed since it was read");
}

int party_of_principal(struct party *out, struct arena *a, const struct world *w, struct store *s, uint32_t principal, struct err *e)
{
    if (w->principals[principal].entity) return by_entity(out, a, w, s, w->principals[principal].entity, e);
    take_bare(out, a, w, principal);
    return 0;
}

int party_of_object(struct party *out, struct arena *a, const struct world *w, struct store *s, uint32_t object, struct err *e)
{
    return by_entity(out, a, w, s, w->objects[object].entity, e);
}

/* --- by key --------------------------------------------------------------------------------------------------------- */

/* "Everyone", "BUILTIN\Administrators" where no connector has it, or a SID that only an ACL or a foreign principal names. */
static bool find_bare(struct party *out, struct arena *a, const struct world *w, struct str key)
{
    struct sid sid;
    uint8_t raw[SID_MAX];
    struct err ignored;
    if (sid_parse(&sid, key, &ignored) == 0) {
        uint32_t p = world_principal_by_sid(w, (struct bytes){raw, sid_encode(raw, &sid)});
        if (p == NOBODY) return false;
        take_bare(out, a, w, p);
        return true;
    }
    for (size_t i = 0; i < w->n_implicit; i++) {
        const char *name = sid_well_known_name(w->principals[w->implicit[i]].sid);
        struct str whole = str_from(name ? name : ""), tail = whole;
        const char *slash = memchr(whole.ptr, '\\', whole.len);
        if (slash) tail = (struct str){slash + 1, whole.len - (size_t)(slash + 1 - whole.ptr)};
        if (!str_equal_nocase(key, whole) && !str_equal_nocase(key, tail)) continue;
        take_bare(out, a, w, w->implicit[i]);
        return true;
    }
    return false;
}

static int note_another(struct err *e, const struct party *first, const struct party *other, struct str key)
{
    err_set(e, ERR_CONFLICT, "'%.*s' is %.*s (%.*s) and %.*s (%.*s)", STR_FMT(key), STR_FMT(first->dn), STR_FMT(first->connector), STR_FMT(other->dn),
            STR_FMT(other->connector));
    return err_hint(e, "say which one by DN, SID or GUID, or with --connector");
}

int party_find(struct party *out, struct arena *a, const struct world *w, struct store *s, struct str connector, struct str key, struct err *e)
{
    struct party found = {0};
    bool is_found = false;
    for (size_t i = 0; i < w->n_connectors; i++) {
        struct party mine;
        struct taking t = {&mine, a, w, false};
        if (connector.len && !str_equal(connector, w->connectors[i].name)) continue;
        int rc = store_entity_find(s, w->connectors[i].name, key, false, take, &t, e);
        if (rc == ERR_NOTFOUND) continue;
        if (rc < 0) return rc;
        if (mine.kind == KIND_foreign_principal && mine.principal != NOBODY && w->principals[mine.principal].entity != mine.entity) continue;
        if (is_found) return note_another(e, &found, &mine, key);
        found = mine;
        is_found = true;
    }
    if (!is_found && !find_bare(&found, a, w, key)) {
        err_set(e, ERR_NOTFOUND, "there is no '%.*s'", STR_FMT(key));
        return err_hint(e, "a DN, SID, GUID, sAMAccountName, DOMAIN\\name or UPN of the last sync is wanted");
    }
    *out = found;
    return 0;
}
