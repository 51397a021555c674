/* asset_detail.c - routes of one asset: what it is, whom it belongs to, what happened to it, how it is told. */
#include "api/catalog_pool.h"

#include "base/hash.h"
#include "base/jsonv.h"
#include "base/when.h"
#include "catalog/lineage.h"
#include "model/sid.h"
#include "run/rows.h"
#include "run/subject.h"
#include "server/state/documents.h"

#include <stdio.h>
#include <stdlib.h>

/* --- the entity ------------------------------------------------------------------------------------------------ */

#define LABELS_MAX 20
#define LABEL_MAX  64

static void label_id(const struct request *q, char out[128])
{
    uint8_t guid[GUID_SIZE];
    char uid[GUID_TEXT] = "";
    if (guid_parse(guid, str_from(q->captured[1]))) guid_format(uid, guid);
    snprintf(out, 128, "%.64s/%s", q->captured[0], uid);
}

static int read_labels(struct request *q, json_t **out, struct err *e)
{
    char id[128];
    json_t *body;
    int64_t version;
    label_id(q, id);
    int rc = document_get(q->app->state, "labels", "", id, &body, &version, e);
    *out = NULL;
    if (rc == ERR_NOTFOUND) *out = json_array();
    if (rc < 0) return rc == ERR_NOTFOUND ? 0 : rc;
    *out = json_incref(json_object_get(body, "labels"));
    json_decref(body);
    if (!*out) *out = json_array();
    return 0;
}

static int put_listed(void *ctx, const struct catalog_row *row, struct err *e)
{
    json_t *entity = ctx, *tags = json_array();
    (void)e;
    uint32_t left = row->tags;
    for (const char *tag; (tag = catalog_next_tag(&left));) json_array_append_new(tags, json_string(tag));
    jsonv_put(entity, "admin", json_boolean(row->is_admin));
    jsonv_put(entity, "mfa", json_string(tri_names[row->mfa]));
    jsonv_put(entity, "last_sign_in", jsonv_or_null(jsonv_time(row->last_sign_in_ms)));
    jsonv_put(entity, "tags", tags);
    jsonv_put(entity, "account", jsonv_str_or_null(row->account));
    jsonv_put(entity, "mail", jsonv_str_or_null(row->mail));
    return 0;
}

/* As the list has it: MFA, tags; and the number of identities. What the catalog does not know is absent. */
static void add_listed(struct request *q, const struct entity *x, json_t *entity)
{
    struct catalog *c;
    struct err ignored;
    int64_t n = 0;
    if (catalog_lend(q, &c, &ignored) < 0) return;
    if (catalog_find(c, x->connector, x->id, put_listed, entity, &n, &ignored) < 0) n = 0;
    catalog_return(c);
    jsonv_put(entity, "identities", json_integer(n));
}

static int make_subject(struct subject_maker *m, struct store *s, const struct entity *x, bool with_members, const struct subject **out, struct err *e)
{
    int rc = subject_maker_init(m, s, x->connector, e);
    return rc < 0 ? rc : subject_make(m, x, with_members, out, e);
}

static int tell_entity(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    struct subject_maker m;
    const struct subject *subject;
    json_t **out = ctx;
    int rc = make_subject(&m, s, x, false, &subject, e);
    *out = rc == 0 ? rows_entity(subject, x) : NULL;
    subject_maker_fini(&m);
    if (rc == 0) add_listed(q, x, *out);
    return rc;
}

static int get(struct request *q, struct err *e)
{
    json_t *out, *labels;
    try(asset_get(q, tell_entity, &out, e));
    int rc = read_labels(q, &labels, e);
    if (rc < 0) {
        json_decref(out);
        return rc;
    }
    jsonv_put(out, "labels", labels);
    return reply_json(q, 200, out);
}

static int is_there(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    (void)q, (void)s, (void)x, (void)ctx, (void)e;
    return 0;
}

static int put_labels(struct request *q, struct err *e)
{
    char id[128];
    json_t *before = NULL, *after = json_object_get(q->body, "labels");
    label_id(q, id);
    try(asset_get(q, is_there, NULL, e));
    try(read_labels(q, &before, e));
    json_t *body = json_pack("{s:O}", "labels", after);
    int rc = json_array_size(after) ? document_put(q->app->state, "labels", "", id, body, 0, e) : document_delete(q->app->state, "labels", "", id, e);
    if (rc == ERR_NOTFOUND) rc = 0;
    if (rc == 0) rc = request_audit(q, "asset.labels", id, before, after, e);
    json_decref(before);
    if (rc == 0) return reply_json(q, 200, body);
    json_decref(body);
    return rc;
}

/* --- groups -------------------------------------------------------------------------------------------------------- */

#define GROUPS_MAX 2000

struct above {
    int64_t id;
    int level;
    char through[256]; /* the direct group that it comes by */
};

struct climbing {
    struct above *list;
    size_t n, cap, at;
    struct hmap seen;
    json_t *items;
    bool has_more;
};

static json_t *link_json(const struct link *l)
{
    char guid[GUID_TEXT], sid[SID_TEXT];
    json_t *j = json_object();
    if (l->entity_id) jsonv_put(j, "uid", json_string(guid_format(guid, l->guid)));
    jsonv_put(j, "name", jsonv_str(l->name.len ? l->name : l->dn));
    jsonv_put(j, "kind", l->entity_id ? json_string(kind_name(l->kind)) : json_null());
    jsonv_put(j, "via", json_string(link_via_name(l->via)));
    if (l->sid.len) jsonv_put(j, "sid", json_string(sid_format_bytes(sid, l->sid)));
    if (l->assignment.len) jsonv_put(j, "assignment", jsonv_str(l->assignment));
    return j;
}

static bool note_group(void *ctx, const struct link *l)
{
    struct climbing *c = ctx;
    const struct above *below = c->n ? &c->list[c->at] : NULL;
    struct hash128 key = {(uint64_t)l->entity_id * UINT64_C(0x9e3779b97f4a7c15), (uint64_t)l->entity_id};
    bool is_new = true, is_direct = !below || below->level == 0;
    if (json_array_size(c->items) >= GROUPS_MAX) return !(c->has_more = true);
    if (l->entity_id) *hmap_put(&c->seen, key, &is_new) = 1;
    if (!is_new) return true;
    json_t *j = link_json(l);
    int level = below ? below->level + 1 : 1;
    jsonv_put(j, "level", json_integer(level));
    jsonv_put(j, "through", is_direct ? json_null() : jsonv_str(str_from(below->through)));
    json_array_append_new(c->items, j);
    if (!l->entity_id) return true;
    struct above above = {.id = l->entity_id, .level = level};
    if (is_direct)
        snprintf(above.through, sizeof above.through, "%.*s", STR_FMT(l->name));
    else
        memcpy(above.through, below->through, sizeof above.through);
    GROW(c->list, c->n, c->cap, 64);
    c->list[c->n++] = above;
    return true;
}

/* Breadth first: a group is told at its lowest level, once. */
static int tell_groups(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    struct climbing c = {.items = json_array()};
    const char *nested = request_query(q, "nested");
    bool all = nested && strcmp(nested, "true") == 0, is_new;
    struct hash128 own = {(uint64_t)x->id * UINT64_C(0x9e3779b97f4a7c15), (uint64_t)x->id};
    *hmap_put(&c.seen, own, &is_new) = 1;
    GROW(c.list, c.n, c.cap, 64);
    c.list[c.n++] = (struct above){.id = x->id};
    int rc = store_links(s, x->id, LINK_GROUPS_OF, note_group, &c, e);
    for (c.at = 1; all && rc == 0 && c.at < c.n && !c.has_more; c.at++) rc = store_links(s, c.list[c.at].id, LINK_GROUPS_OF, note_group, &c, e);
    free(c.list);
    hmap_free(&c.seen);
    *(json_t **)ctx = json_pack("{s:o, s:b}", "items", c.items, "more", c.has_more);
    return rc;
}

static int groups(struct request *q, struct err *e)
{
    json_t *out = NULL;
    int rc = asset_get(q, tell_groups, &out, e);
    if (rc == 0) return reply_json(q, 200, out);
    json_decref(out);
    return rc;
}

/* --- members ----------------------------------------------------------------------------------------------------------- */

struct listing {
    json_t *items;
    int64_t limit, skip, last, n_unknown; /* unknown ones come last, without an id */
    bool has_more;
};

/* Who is a member for two reasons stays on one page: a page begins behind an entity. */
static bool note_member(void *ctx, const struct link *l)
{
    struct listing *m = ctx;
    if (!l->entity_id && m->skip) {
        m->skip--;
        return true;
    }
    if ((int64_t)json_array_size(m->items) >= m->limit && (!l->entity_id || l->entity_id != m->last)) return !(m->has_more = true);
    json_array_append_new(m->items, link_json(l));
    if (l->entity_id)
        m->last = l->entity_id;
    else
        m->n_unknown++;
    return true;
}

/* "12345": behind this entity; "u7": behind the seventh unknown one. */
static int read_place(const struct request *q, int64_t *after_id, int64_t *skip, struct err *e)
{
    const char *after = request_query(q, "after");
    bool is_unknown = after && *after == 'u';
    char *end = NULL;
    *after_id = *skip = 0;
    if (!after || !*after) return 0;
    long long n = strtoll(after + is_unknown, &end, 10);
    if (n < 0 || *end || end == after + is_unknown) return err_set(e, ERR_INPUT, "after: this is not what next said");
    *after_id = is_unknown ? INT64_MAX : n;
    *skip = is_unknown ? n : 0;
    return 0;
}

static int tell_members(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    struct listing m = {.items = json_array()};
    int64_t after_id = 0, skipped;
    char next[32];
    int rc = request_number(q, "limit", 1, 1000, 50, &m.limit, e);
    if (rc == 0) rc = read_place(q, &after_id, &m.skip, e);
    skipped = m.skip;
    if (rc == 0) rc = store_links_after(s, x->id, LINK_MEMBERS_OF, after_id, note_member, &m, e);
    if (m.n_unknown || skipped)
        snprintf(next, sizeof next, "u%lld", (long long)(skipped + m.n_unknown));
    else
        snprintf(next, sizeof next, "%lld", (long long)m.last);
    *(json_t **)ctx = json_pack("{s:o, s:o}", "items", m.items, "next", m.has_more ? json_string(next) : json_null());
    return rc;
}

static int members(struct request *q, struct err *e)
{
    json_t *out = NULL;
    int rc = asset_get(q, tell_members, &out, e);
    if (rc == 0) return reply_json(q, 200, out);
    json_decref(out);
    return rc;
}

/* --- identities ---------------------------------------------------------------------------------------------------------- */

static int take_id(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    (void)q, (void)s, (void)e;
    *(int64_t *)ctx = x->id;
    return 0;
}

static int identities(struct request *q, struct err *e)
{
    struct catalog *c;
    int64_t id;
    json_t *items;
    try(asset_get(q, take_id, &id, e));
    int rc = catalog_lend(q, &c, e);
    if (rc == ERR_NOTFOUND) return reply_json(q, 200, json_pack("{s:[]}", "items")); /* nothing is linked yet: there is no catalog */
    if (rc < 0) return rc;
    rc = catalog_identities(c, id, &items, e);
    catalog_return(c);
    return rc < 0 ? rc : reply_json(q, 200, json_pack("{s:o}", "items", items));
}

/* --- as the source has it ------------------------------------------------------------------------------------------------- */

static void add_raw(json_t *items, const char *name, const char *type, json_t *values, json_t *ocsf)
{
    json_t *j = json_pack("{s:s, s:s, s:o}", "attribute", name, "type", type, "values", values);
    jsonv_put(j, "ocsf", ocsf);
    json_array_append_new(items, j);
}

static json_t *as_list(json_t *v)
{
    if (json_is_array(v)) return json_incref(v);
    json_t *list = json_array();
    if (v) json_array_append(list, v);
    return list;
}

static void add_body(json_t *items, const json_t *attributes, struct bytes body, bool is_tenant, enum kind kind)
{
    struct cursor at = cursor_new(body);
    struct values v;
    while (body_next(&at, &v)) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", STR_FMT(v.name));
        add_raw(items, name, lineage_type_name(v.type, v.is_multi), as_list(json_object_get(attributes, name)), lineage_ocsf(is_tenant, kind, v.id));
    }
}

/* Keys and memberships have places of their own in a record. */
static void add_keys(json_t *items, const struct entity *x, bool is_tenant)
{
    char guid[GUID_TEXT], sid[SID_TEXT];
    enum kind kind = x->record.kind;
    add_raw(items, is_tenant ? "id" : "objectGUID", "guid", json_pack("[s]", guid_format(guid, x->record.guid)), lineage_ocsf_key(is_tenant, kind, LINEAGE_GUID));
    if (x->record.sid.len) add_raw(items, "objectSid", "sid", json_pack("[s]", sid_format_bytes(sid, x->record.sid)), lineage_ocsf_key(is_tenant, kind, LINEAGE_SID));
    if (is_tenant || !x->record.dn.len) return;
    json_t *dn = json_array();
    json_array_append_new(dn, jsonv_str(x->record.dn));
    add_raw(items, "distinguishedName", "dn", dn, lineage_ocsf_key(is_tenant, kind, LINEAGE_DN));
}

static int tell_raw(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    struct subject_maker m;
    const struct subject *subject;
    (void)q;
    int rc = make_subject(&m, s, x, false, &subject, e);
    if (rc == 0) {
        json_t *entity = rows_entity(subject, x), *items = json_array();
        bool is_tenant = domain_is_tenant(&m.connector.domain);
        add_keys(items, x, is_tenant);
        add_body(items, json_object_get(entity, "attributes"), x->record.state, is_tenant, x->record.kind);
        add_body(items, json_object_get(entity, "attributes"), x->record.stats, is_tenant, x->record.kind);
        json_decref(entity);
        *(json_t **)ctx = json_pack("{s:o}", "items", items);
    }
    subject_maker_fini(&m);
    return rc;
}

static int raw(struct request *q, struct err *e)
{
    json_t *out;
    try(asset_get(q, tell_raw, &out, e));
    return reply_json(q, 200, out);
}

/* --- as OCSF --------------------------------------------------------------------------------------------------------------- */

static void take_end(void *ctx, const struct run_row *r)
{
    *(int64_t *)ctx = r->ended_ms;
}

static int write_event(struct request *q, struct store *s, const struct subject_maker *m, const struct subject *subject, struct buf *out, struct err *e)
{
    struct dialect *d;
    char run_uid[160];
    const char *version = request_query(q, "version");
    struct dialect_options o = {.is_tenant = domain_is_tenant(&m->connector.domain), .ocsf_version = version ? str_from(version) : STR("1.8.0")};
    snprintf(run_uid, sizeof run_uid, "%.*s-%lld", STR_FMT(m->connector.name), (long long)m->connector.visible_run);
    o.context = (struct event_context){.connector = m->connector.name, .run = m->connector.visible_run, .run_uid = str_from(run_uid), .version = ROLLCALL_VERSION};
    try(store_run_get(s, m->connector.visible_run, take_end, NULL, &o.context.time_ms, e));
    try(dialect_open(&d, STR("ocsf"), &o, e));
    int rc = dialect_entity(d, subject, out, e);
    dialect_close(d);
    return rc;
}

static int tell_ocsf(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    struct subject_maker m;
    const struct subject *subject;
    int rc = make_subject(&m, s, x, true, &subject, e);
    if (rc == 0) rc = write_event(q, s, &m, subject, ctx, e);
    subject_maker_fini(&m);
    return rc;
}

static int ocsf(struct request *q, struct err *e)
{
    struct buf out = buf_new((size_t)16 << 20);
    int rc = asset_get(q, tell_ocsf, &out, e);
    if (rc == 0 && !out.len) rc = err_set(e, ERR_NOTFOUND, "OCSF has no event for what this asset is");
    if (rc == 0) rc = reply_bytes(q, 200, "application/json", (struct bytes){out.ptr, str_index(buf_str(&out), '\n')});
    buf_free(&out);
    return rc;
}

#define ASSET "/api/v1/assets/{connector}/{uid}"
const struct route routes_asset[] = {
    {"GET", ASSET, RIGHT_VIEW, get, "One asset with its attributes, derived facts and direct groups", NULL, NULL, 0, LANE_ANY},
    {"GET", ASSET "/groups", RIGHT_VIEW, groups, "Groups and roles it is in; nested=true: also through others, with the level", "nested", NULL, 0, LANE_ANY},
    {"GET", ASSET "/members", RIGHT_VIEW, members, "Members of a group, role or unit", "after limit", NULL, 0, LANE_ANY},
    {"GET", ASSET "/identities", RIGHT_VIEW, identities, "The same person or device in other directories, and why", NULL, NULL, 0, LANE_ANY},
    {"GET", ASSET "/raw", RIGHT_VIEW, raw, "Every attribute as it was read, with its type and where it goes in OCSF", NULL, NULL, 0, LANE_ANY},
    {"GET", ASSET "/ocsf", RIGHT_VIEW, ocsf, "The asset as an OCSF event", "version", NULL, 0, LANE_ANY},
    {"PUT", ASSET "/labels", RIGHT_ANALYZE, put_labels, "Sets the labels that people gave it",
     NULL, "{\"type\":\"object\",\"required\":[\"labels\"],\"properties\":{\"labels\":{\"type\":\"array\",\"maxItems\":20,\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}}}}", 0,
     LANE_ANY},
    {0},
};
