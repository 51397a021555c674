#include "cmd/access_walk.h"
#include "cmd/access_keep.h"

#include "base/when.h"
#include "model/sid.h"

static int get_sets(struct sets **out, const struct access_cli *a, struct err *e)
{
    defer_free char *file = cli_beside_store(a->cli, "access");
    return sets_get(out, a->world, str_from(file), e);
}

int access_cli_sets(struct sets **out, const struct access_cli *a, struct err *e)
{
    struct access_keep *k = access_kept();
    if (!k) return get_sets(out, a, e);
    if (!k->sets) try(get_sets(&k->sets, a, e));
    *out = k->sets;
    return 0;
}

void access_cli_sets_done(struct sets *s)
{
    if (!access_kept()) sets_free(s);
}

/* --- which ------------------------------------------------------------------------------------------------------------ */

static int read_kinds(const struct cli *c, const char *option, kind_set *out, struct err *e)
{
    struct str bad;
    const char *v = cli_value(c, option);
    if (!v || kind_set_parse(out, str_from(v), &bad)) return 0;
    err_set(e, ERR_INPUT, "--%s: unknown kind '%.*s'", option, STR_FMT(bad));
    return err_hint(e, "user, group, computer, ou, ...: see rollcall(1)");
}

int access_choice_read(struct access_choice *out, const struct cli *c, const char *kinds, const char *filter, struct err *e)
{
    *out = (struct access_choice){0};
    const char *text = filter ? cli_value(c, filter) : NULL;
    if (kinds) try(read_kinds(c, kinds, &out->kinds, e));
    if (text && filter_parse(&out->filter, str_from(text), when_now_ms(), e) < 0) return err_wrap(e, "--%s", filter);
    return 0;
}

void access_choice_free(struct access_choice *x)
{
    filter_free(x->filter);
    x->filter = NULL;
}

/* --- one pass ----------------------------------------------------------------------------------------------------------- */

struct walk {
    struct access_cli *a;
    const struct access_choice *x;
    access_each *each;
    void *ctx;
    struct err *e;
    int rc;
    int64_t now_ms;
};

static const struct domain_info *domain_of(const struct world *w, struct str connector)
{
    static const struct domain_info none;
    uint32_t at = world_connector_named(w, connector);
    return at == NOBODY ? &none : &w->connectors[at].domain;
}

static int fits(const struct walk *k, const struct entity *entity, bool *out)
{
    struct record_index index;
    struct filter_subject s = {.record = &index, .name = entity->name};
    *out = !k->x->kinds || k->x->kinds & KIND_BIT(entity->record.kind);
    if (!*out || !k->x->filter) return 0;
    const struct domain_info *d = domain_of(k->a->world, entity->connector);
    try(record_index(&index, &entity->record, k->e));
    derive_account(&s.derived, &index, d, k->now_ms);
    s.derived.privileges = entity->privileges;
    s.domain = d->dns_name;
    *out = filter_matches(k->x->filter, &s);
    return 0;
}

static bool take(void *ctx, const struct entity *entity)
{
    struct walk *k = ctx;
    struct access_subject s = {entity, world_principal_of_entity(k->a->world, entity->id), world_object_of_entity(k->a->world, entity->id)};
    bool is_wanted = false;
    if (s.principal != NOBODY && k->a->world->principals[s.principal].entity != entity->id) s.principal = NOBODY; /* a foreign principal of somebody */
    if (s.principal == NOBODY && s.object == NOBODY) return true;
    k->rc = fits(k, entity, &is_wanted);
    if (k->rc == 0 && is_wanted) k->rc = k->each(k->ctx, &s, k->e);
    return k->rc == 0;
}

int access_walk(struct access_cli *a, const struct access_choice *x, access_each *each, void *ctx, struct err *e)
{
    struct walk k = {a, x, each, ctx, e, 0, when_now_ms()};
    struct entity_query q = {.connector = x->connector, .kinds = x->kinds};
    try(store_entities(a->store, &q, take, &k, e));
    return k.rc < 0 ? k.rc : 0;
}

int access_walk_some(struct access_cli *a, const struct access_choice *x, const int64_t *ids, size_t n, access_each *each, void *ctx, struct err *e)
{
    struct walk k = {a, x, each, ctx, e, 0, when_now_ms()};
    for (size_t i = 0; i < n && k.rc == 0; i++) {
        struct entity_query q = {.after_id = ids[i] - 1, .limit = 1};
        try(store_entities(a->store, &q, take, &k, e));
    }
    return k.rc < 0 ? k.rc : 0;
}

/* --- as JSON --------------------------------------------------------------------------------------------------------------- */

json_t *access_entity_json(const struct world *w, const struct access_subject *s)
{
    char uid[GUID_TEXT], sid[SID_TEXT];
    const struct record *r = &s->entity->record;
    json_t *j = json_object();
    jsonv_put(j, "uid", json_string(guid_format(uid, r->guid)));
    if (r->sid.len) jsonv_put(j, "sid", json_string(sid_format_bytes(sid, r->sid)));
    jsonv_put(j, "dn", jsonv_str(r->dn));
    jsonv_put(j, "name", jsonv_str(s->entity->name));
    jsonv_put(j, "kind", json_string(kind_name(r->kind)));
    if (s->principal != NOBODY && w->principals[s->principal].is_account) jsonv_put(j, "enabled", json_boolean(w->principals[s->principal].is_enabled));
    return j;
}

json_t *access_bare_json(const struct world *w, uint32_t principal)
{
    char sid[SID_TEXT];
    const struct principal *p = &w->principals[principal];
    const char *name = sid_well_known_name(p->sid);
    json_t *j = json_object();
    sid_format_bytes(sid, p->sid);
    jsonv_put(j, "sid", json_string(sid));
    jsonv_put(j, "name", json_string(name ? name : sid));
    jsonv_put(j, "kind", json_string(kind_name(p->kind)));
    return j;
}
