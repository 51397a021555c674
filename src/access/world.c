#include "access/world_int.h"

#include "access/check.h"
#include "model/dn.h"
#include "model/sid.h"

#include <stdio.h>
#include <stdlib.h>

#define NO_LIMIT       SIZE_MAX
#define GROUP_LOCAL    0x4 /* groupType, MS-ADTS 2.2.12 */
#define GROUP_BUILTIN  0x1
#define SCHEMA_NOTE    STR("schema")
#define SCHEMA_NOTE_MAX ((size_t)16 << 20)

/* While it is read. */
struct building {
    struct world *w;
    struct world_index *x;
    struct store *store;
    uint32_t connector;
    uint32_t cap_principals, cap_objects, cap_descriptors;
    struct world_edge *edges;
    size_t n_edges, cap_edges;
    struct foreign {
        uint32_t connector;
        size_t place;      /* in its connector's entities */
        struct bytes sid;
        int64_t entity;
    } *foreign;            /* foreign principals: whose SID it is shows when all connectors are read */
    size_t n_foreign, cap_foreign;
    struct hmap descriptor_at; /* of this connector: number -> place + 1 */
    struct hmap places;        /* DNs -> object + 1 */
    struct hmap classes;       /* objectClass values -> class + 1 */
    struct pending {
        int64_t group;
        size_t first, n;
    } *lists;              /* members of groups, as entity ids */
    size_t n_lists, cap_lists;
    struct store_member *members;
    size_t n_members, cap_members;
    struct { struct str dn; } *dns; /* of objects, for their parents */
    size_t cap_dns;
    uint64_t n_missing, n_without_sd, n_malformed;
    char first_missing[256];
    struct buf form;
};

static struct hash128 sid_key(struct bytes sid)
{
    return hash128_fast(sid);
}

/* --- principals ---------------------------------------------------------------------------------------------------- */

static uint32_t add_principal(struct building *b, const struct principal *p)
{
    struct world *w = b->w;
    bool is_new;
    GROW(w->principals, w->n_principals, b->cap_principals, 1024);
    struct principal *mine = &w->principals[w->n_principals];
    *mine = *p;
    mine->sid = arena_bytes(&b->x->memory, p->sid);
    uint32_t *at = hmap_put(&b->x->by_sid, sid_key(p->sid), &is_new);
    if (is_new) *at = w->n_principals;
    return w->n_principals++;
}

uint32_t world_principal_by_sid(const struct world *w, struct bytes sid)
{
    const uint32_t *at = sid.len ? hmap_find(&w->index->by_sid, sid_key(sid)) : NULL;
    return at && bytes_equal(w->principals[*at].sid, sid) ? *at : NOBODY;
}

/* Everyone, Authenticated Users, This Organization, Network: of a user who has signed in over the network (MS-DTYP 2.4.2.4). */
static void add_implicit(struct building *b)
{
    static const char *const sids[] = {"S-1-1-0", "S-1-5-11", "S-1-5-15", "S-1-5-2"};
    for (size_t i = 0; i < n_elements(sids); i++) {
        struct sid s;
        uint8_t raw[SID_MAX];
        struct err ignored;
        if (sid_parse(&s, str_from(sids[i]), &ignored) < 0) continue;
        struct principal p = {.connector = NOBODY, .sid = {raw, sid_encode(raw, &s)}, .kind = KIND_group, .is_security = true};
        b->w->implicit[b->w->n_implicit++] = add_principal(b, &p);
    }
}

static bool is_principal(enum kind k)
{
    return k == KIND_user || k == KIND_computer || k == KIND_service_account || k == KIND_group;
}

static void add_history(struct building *b, uint32_t principal, const struct record_index *x)
{
    struct values v = record_values(x, ATTR_SID_HISTORY);
    struct bytes sid;
    while (values_next_bytes(&v, &sid)) {
        GROW(b->x->history, b->x->n_history, b->x->cap_history, 64);
        b->x->history[b->x->n_history++] = (struct history){principal, arena_bytes(&b->x->memory, sid)};
    }
}

static uint32_t take_principal(struct building *b, const struct entity *e, const struct record_index *x)
{
    const struct record *r = x->record;
    int64_t type = 0, uac = 0;
    record_int(x, ATTR_GROUP_TYPE, &type);
    bool has_uac = record_int(x, ATTR_USER_ACCOUNT_CONTROL, &uac), is_group = r->kind == KIND_group;
    struct principal p = {.connector = b->connector,
                          .entity = e->id,
                          .sid = r->sid,
                          .kind = r->kind,
                          .is_security = !is_group || group_type_is_security(type),
                          .is_local = is_group && (type & (GROUP_LOCAL | GROUP_BUILTIN)),
                          .is_account = !is_group,
                          .privileges = e->privileges,
                          .is_enabled = !has_uac || !(uac & UAC_ACCOUNTDISABLE)};
    uint32_t at = add_principal(b, &p);
    add_history(b, at, x);
    return at;
}

/* --- objects ------------------------------------------------------------------------------------------------------------ */

static unsigned depth_of(const struct schema *s, uint32_t class)
{
    unsigned depth = 0;
    while (class != SCHEMA_NONE && depth < 64) {
        class = s->classes[class].parent;
        depth++;
    }
    return depth;
}

/* The most specific of objectClass, whose values are stored sorted: the one with the longest line of ancestors. */
static uint32_t class_of(struct building *b, const struct record_index *x)
{
    const struct schema *s = b->w->connectors[b->connector].schema;
    struct values v = record_values(x, ATTR_OBJECT_CLASS);
    struct bytes name;
    bool is_new;
    if (!v.n) return SCHEMA_NONE;
    uint32_t *known = hmap_put(&b->classes, hash128_fast(x->payload[ATTR_OBJECT_CLASS]), &is_new);
    if (!is_new) return *known - 1;
    uint32_t best = SCHEMA_NONE;
    unsigned deepest = 0;
    while (values_next_bytes(&v, &name)) {
        uint32_t class = schema_class_find(s, str_of(name));
        if (class == SCHEMA_NONE || s->classes[class].category == 3) continue;
        unsigned depth = depth_of(s, class);
        if (depth > deepest) {
            deepest = depth;
            best = class;
        }
    }
    *known = best + 1; /* SCHEMA_NONE + 1 is 0, and comes back as it was */
    return best;
}

static struct hash128 form_key(struct building *b, struct str dn)
{
    buf_clear(&b->form);
    dn_normalize(&b->form, dn);
    return hash128_fast(b->form.failed ? bytes_of(dn) : buf_bytes(&b->form));
}

static void add_place(struct building *b, struct str dn, uint32_t object)
{
    bool is_new;
    *hmap_put(&b->places, hash128_fast(bytes_of(dn)), &is_new) = object + 1;
    *hmap_put(&b->places, form_key(b, dn), &is_new) = object + 1;
}

static uint32_t find_place(struct building *b, struct str dn)
{
    const uint32_t *at = dn.len ? hmap_find(&b->places, hash128_fast(bytes_of(dn))) : NULL;
    if (!at && dn.len) at = hmap_find(&b->places, form_key(b, dn));
    return at ? *at - 1 : NOBODY;
}

static struct hash128 number_key(int64_t n)
{
    return hash128_fast(BYTES_OF(n));
}

/* Its place; what it holds comes at the end. */
static uint32_t take_descriptor(struct building *b, int64_t sd_id)
{
    bool is_new;
    if (!sd_id) return NOBODY;
    uint32_t *at = hmap_put(&b->descriptor_at, number_key(sd_id), &is_new);
    if (!is_new) return *at;
    GROW(b->w->descriptors, b->w->n_descriptors, b->cap_descriptors, 256);
    b->w->descriptors[b->w->n_descriptors] = (struct descriptor){.is_malformed = true};
    *at = b->w->n_descriptors;
    return b->w->n_descriptors++;
}

/* Contacts and foreign principals have descriptors too, and nobody asks about them. */
static bool has_descriptor(enum kind k)
{
    return k != KIND_foreign_principal && k != KIND_trust && k != KIND_contact;
}

static uint32_t take_object(struct building *b, const struct entity *e, const struct record_index *x, uint32_t principal, int64_t sd_id)
{
    struct world *w = b->w;
    if (!has_descriptor(e->record.kind)) return NOBODY;
    if (!sd_id) b->n_without_sd++;
    GROW(w->objects, w->n_objects, b->cap_objects, 1024);
    if (w->n_objects >= b->cap_dns) {
        b->cap_dns = b->cap_objects;
        b->dns = x_realloc(b->dns, b->cap_dns * sizeof *b->dns);
    }
    uint32_t at = w->n_objects++;
    w->objects[at] = (struct object){b->connector, e->id, e->record.kind, principal, take_descriptor(b, sd_id), class_of(b, x), NOBODY};
    b->dns[at].dn = arena_str(&b->x->memory, dn_parent(e->record.dn));
    if (e->record.kind == KIND_ou || e->record.kind == KIND_container || e->record.kind == KIND_domain) add_place(b, e->record.dn, at);
    return at;
}

/* --- reading one connector -------------------------------------------------------------------------------------------------- */

static int on_entity(void *ctx, const struct entity *e, int64_t sd_id, struct err *err)
{
    struct building *b = ctx;
    struct world_entities *all = &b->x->entities[b->connector];
    struct record_index x;
    uint32_t principal = NOBODY;
    enum kind k = e->record.kind;
    try(record_index(&x, &e->record, err));
    if (all->n == all->cap) {
        all->cap = all->cap ? all->cap * 2 : 1024;
        all->ids = x_realloc(all->ids, all->cap * sizeof *all->ids);
        all->principals = x_realloc(all->principals, all->cap * sizeof *all->principals);
        all->objects = x_realloc(all->objects, all->cap * sizeof *all->objects);
    }
    if (is_principal(k) && e->record.sid.len) principal = take_principal(b, e, &x);
    if (k == KIND_foreign_principal && e->record.sid.len) {
        GROW(b->foreign, b->n_foreign, b->cap_foreign, 64);
        b->foreign[b->n_foreign++] = (struct foreign){b->connector, all->n, arena_bytes(&b->x->memory, e->record.sid), e->id};
    }
    all->ids[all->n] = e->id;
    all->principals[all->n] = principal;
    all->objects[all->n++] = take_object(b, e, &x, principal, sd_id);
    return 0;
}

static int on_members(void *ctx, int64_t group, const struct store_member *list, size_t n, struct err *e)
{
    struct building *b = ctx;
    (void)e;
    GROW(b->lists, b->n_lists, b->cap_lists, 1024);
    b->lists[b->n_lists++] = (struct pending){group, b->n_members, n};
    while (b->n_members + n > b->cap_members) {
        b->cap_members = b->cap_members ? b->cap_members * 2 : 65536;
        b->members = x_realloc(b->members, b->cap_members * sizeof *b->members);
    }
    memcpy(b->members + b->n_members, list, n * sizeof *list);
    b->n_members += n;
    return 0;
}

static int on_missing(void *ctx, int64_t owner, struct str text, struct err *e)
{
    struct building *b = ctx;
    (void)owner;
    (void)e;
    if (!b->n_missing++) snprintf(b->first_missing, sizeof b->first_missing, "%.*s", STR_FMT(text));
    return 0;
}

static int on_descriptor(void *ctx, int64_t sd_id, struct bytes raw, struct err *e)
{
    struct building *b = ctx;
    const uint32_t *at = hmap_find(&b->descriptor_at, number_key(sd_id));
    (void)e;
    if (!at) return 0;
    struct descriptor *d = &b->w->descriptors[*at];
    struct err why;
    d->raw = arena_bytes(&b->x->memory, raw);
    d->is_malformed = sd_decode(&d->sd, d->raw, &why) < 0;
    if (d->is_malformed) {
        d->sd = (struct sd){0};
        b->n_malformed++;
    }
    return 0;
}

/* --- gaps --------------------------------------------------------------------------------------------------------------------- */

static void add_gap(struct building *b, const char *what, const char *where, const char *fix)
{
    struct world *w = b->w;
    w->gaps = x_realloc(w->gaps, (w->n_gaps + 1) * sizeof *w->gaps);
    w->gaps[w->n_gaps++] = (struct world_gap){arena_str(&b->x->memory, str_from(what)), arena_str(&b->x->memory, str_from(where)),
                                             arena_str(&b->x->memory, str_from(fix)), b->connector};
}

static void tell_gaps(struct building *b)
{
    char what[160];
    struct world_connector *c = &b->w->connectors[b->connector];
    if (b->n_missing) {
        snprintf(what, sizeof what, "%llu %s", (unsigned long long)b->n_missing, b->n_missing == 1 ? "member does not resolve" : "members do not resolve");
        add_gap(b, what, b->first_missing, "add a connector for their domain, or let the account read them");
    }
    if (b->n_without_sd) {
        snprintf(what, sizeof what, "the security descriptors of %llu object%s were not read", (unsigned long long)b->n_without_sd, b->n_without_sd == 1 ? "" : "s");
        add_gap(b, what, "", "set extract_acls: true and let the account read permissions (READ_CONTROL)");
    }
    if (b->n_malformed) {
        snprintf(what, sizeof what, "%llu %s", (unsigned long long)b->n_malformed,
                 b->n_malformed == 1 ? "security descriptor is malformed" : "security descriptors are malformed");
        add_gap(b, what, "", "");
    }
    if (!c->n_gaps_loss) return;
    snprintf(what, sizeof what, "the last run had %u loss%s", c->n_gaps_loss, c->n_gaps_loss == 1 ? "" : "es");
    add_gap(b, what, "", "rollcall run get tells them");
}

/* --- one connector after the other ------------------------------------------------------------------------------------------------ */

static size_t place_of(const struct world_entities *all, int64_t id)
{
    size_t at, n = all->n;
    if (n && id >= all->ids[0] && (uint64_t)(id - all->ids[0]) < n) n = (size_t)(id - all->ids[0]) + 1; /* ids are dense */
    LOWER_BOUND(at, n, all->ids[at] < id);
    return at < all->n && all->ids[at] == id ? at : SIZE_MAX;
}

static bool take_run(void *ctx, const struct run_row *r)
{
    struct world_connector *c = ctx;
    if (r->id != c->run) return true;
    c->as_of_ms = r->started_ms;
    c->n_gaps_loss = r->result.n_gaps_loss;
    return false;
}

static int read_schema(struct building *b, struct err *e)
{
    struct world_connector *c = &b->w->connectors[b->connector];
    struct buf blob = buf_new(SCHEMA_NOTE_MAX);
    struct err ignored;
    c->schema = schema_builtin();
    int rc = store_note_get(b->store, c->name, SCHEMA_NOTE, &blob, e);
    if (rc == 0 && schema_decode(&b->x->schemas[b->connector], buf_bytes(&blob), &ignored) == 0) c->schema = b->x->schemas[b->connector];
    if (c->schema->is_builtin)
        add_gap(b, "the directory's schema was not read: names and classes are those that every Active Directory has", "",
                "sync --full with an account that may read CN=Schema,CN=Configuration");
    buf_free(&blob);
    return rc == ERR_NOTFOUND ? 0 : rc;
}

struct domain_info world_domain_copy(struct arena *a, const struct domain_info *d)
{
    struct domain_info own = *d;
    own.dns_name = arena_str(a, d->dns_name);
    own.netbios_name = arena_str(a, d->netbios_name);
    own.base = arena_str(a, d->base);
    own.server = arena_str(a, d->server);
    own.sid = arena_bytes(a, d->sid);
    own.tenant_id = arena_str(a, d->tenant_id);
    own.organization = arena_str(a, d->organization);
    return own;
}

static int read_connector(struct building *b, struct str name, const struct connector_state *state, struct err *e)
{
    static const struct store_everything to = {on_entity, on_members, on_missing, on_descriptor};
    struct world *w = b->w;
    b->connector = (uint32_t)w->n_connectors++;
    struct world_connector *c = &w->connectors[b->connector];
    *c = (struct world_connector){
        .name = arena_str(&b->x->memory, name), .domain = world_domain_copy(&b->x->memory, &state->domain), .run = state->visible_run};
    try(store_runs(b->store, name, 0, take_run, c, e));
    try(read_schema(b, e));
    uint32_t first = w->n_objects;
    b->n_missing = b->n_without_sd = b->n_malformed = 0;
    hmap_free(&b->descriptor_at);
    hmap_free(&b->places);
    hmap_free(&b->classes);
    b->descriptor_at = b->places = b->classes = (struct hmap){0};
    try(store_read_everything(b->store, name, &to, b, e));
    for (uint32_t i = first; i < w->n_objects; i++) w->objects[i].parent = find_place(b, b->dns[i].dn);
    tell_gaps(b);
    return 0;
}

/* --- edges ------------------------------------------------------------------------------------------------------------------------- */

/* Whoever has the SID of a foreign principal: somebody well-known, another domain's, or only itself. */
static void resolve_foreign(struct building *b)
{
    for (size_t i = 0; i < b->n_foreign; i++) {
        struct foreign *f = &b->foreign[i];
        uint32_t p = world_principal_by_sid(b->w, f->sid);
        if (p == NOBODY) {
            struct principal mine = {.connector = f->connector, .entity = f->entity, .sid = f->sid, .kind = KIND_foreign_principal, .is_security = true};
            p = add_principal(b, &mine);
        }
        b->x->entities[f->connector].principals[f->place] = p;
    }
}

uint32_t world_connector_named(const struct world *w, struct str name)
{
    for (uint32_t i = 0; i < w->n_connectors; i++)
        if (str_equal(w->connectors[i].name, name)) return i;
    return NOBODY;
}

uint32_t world_principal_of_entity(const struct world *w, int64_t entity)
{
    for (size_t c = 0; c < w->n_connectors; c++) {
        size_t at = place_of(&w->index->entities[c], entity);
        if (at != SIZE_MAX) return w->index->entities[c].principals[at];
    }
    return NOBODY;
}

uint32_t world_object_of_entity(const struct world *w, int64_t entity)
{
    for (size_t c = 0; c < w->n_connectors; c++) {
        size_t at = place_of(&w->index->entities[c], entity);
        if (at != SIZE_MAX) return w->index->entities[c].objects[at];
    }
    return NOBODY;
}

static void make_edges(struct building *b)
{
    for (size_t i = 0; i < b->n_lists; i++) {
        uint32_t group = world_principal_of_entity(b->w, b->lists[i].group);
        if (group == NOBODY) continue;
        for (size_t k = 0; k < b->lists[i].n; k++) {
            const struct store_member *m = &b->members[b->lists[i].first + k];
            uint32_t member = world_principal_of_entity(b->w, m->entity_id);
            if (member == NOBODY) continue; /* a contact */
            GROW(b->edges, b->n_edges, b->cap_edges, 65536);
            b->edges[b->n_edges++] = (struct world_edge){group, member, (uint8_t)m->via};
        }
    }
}

void world_access_object(struct access_object *out, const struct world *w, uint32_t object)
{
    const struct object *o = &w->objects[object];
    const struct descriptor *d = o->descriptor == NOBODY ? NULL : &w->descriptors[o->descriptor];
    *out = (struct access_object){.sd = d && !d->is_malformed ? &d->sd : NULL,
                                  .schema = w->connectors[o->connector].schema,
                                  .class = o->class};
    if (o->principal != NOBODY) out->sid = w->principals[o->principal].sid;
}

void starts_make(uint32_t *first, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t here = first[i];
        first[i] = sum;
        sum += here;
    }
}

void starts_step_back(uint32_t *first, uint32_t n)
{
    memmove(first + 1, first, n * sizeof *first);
    first[0] = 0;
}

/* Both directions, compressed: two counting sorts. */
void world_link(struct world *w, const struct world_edge *edges, size_t n_edges)
{
    uint32_t n = w->n_principals;
    w->first_group = x_zalloc((n + 2u) * sizeof *w->first_group);
    w->first_member = x_zalloc((n + 2u) * sizeof *w->first_member);
    w->groups_of = x_alloc((n_edges + 1) * sizeof *w->groups_of);
    w->members_of = x_alloc((n_edges + 1) * sizeof *w->members_of);
    w->via_of = x_alloc(n_edges + 1);
    for (size_t i = 0; i < n_edges; i++) {
        w->first_group[edges[i].member]++;
        w->first_member[edges[i].group]++;
    }
    starts_make(w->first_group, n);
    starts_make(w->first_member, n);
    for (size_t i = 0; i < n_edges; i++) {
        uint32_t at = w->first_group[edges[i].member]++;
        w->groups_of[at] = edges[i].group;
        w->via_of[at] = edges[i].via;
        w->members_of[w->first_member[edges[i].group]++] = edges[i].member;
    }
    starts_step_back(w->first_group, n);
    starts_step_back(w->first_member, n);
}

/* --- all of it ------------------------------------------------------------------------------------------------------------------------ */

struct names {
    struct str *list;
    size_t n;
    struct arena *memory;
};

static bool take_name(void *ctx, struct str name)
{
    struct names *n = ctx;
    n->list = x_realloc(n->list, (n->n + 1) * sizeof *n->list);
    n->list[n->n++] = arena_str(n->memory, name);
    return true;
}

int world_names(struct str **list, size_t *n, struct arena *a, struct store *s, struct str connector, struct err *e)
{
    struct names names = {.memory = a};
    int rc = connector.len ? 0 : store_connectors(s, take_name, &names, e);
    if (connector.len) take_name(&names, connector);
    *list = names.list;
    *n = names.n;
    return rc;
}

static int read_all(struct building *b, const struct str *names, size_t n, struct err *e)
{
    struct world *w = b->w;
    w->connectors = x_zalloc((n + 1) * sizeof *w->connectors);
    b->x->entities = x_zalloc((n + 1) * sizeof *b->x->entities);
    b->x->schemas = x_zalloc((n + 1) * sizeof *b->x->schemas);
    add_implicit(b);
    for (size_t i = 0; i < n; i++) {
        struct connector_state state;
        try(store_connector(b->store, names[i], &state, e));
        if (domain_is_tenant(&state.domain)) continue; /* has no descriptors */
        try(read_connector(b, names[i], &state, e));
    }
    resolve_foreign(b);
    make_edges(b);
    world_link(b->w, b->edges, b->n_edges);
    return 0;
}

int world_read(struct world **out, struct store *s, struct str connector, struct err *e)
{
    struct world *w = x_zalloc(sizeof *w);
    w->index = x_zalloc(sizeof *w->index);
    w->index->memory = arena_new(NO_LIMIT);
    struct building b = {.w = w, .x = w->index, .store = s, .form = buf_new((size_t)1 << 20)};
    struct str *names;
    size_t n;
    int rc = world_names(&names, &n, &w->index->memory, s, connector, e);
    if (rc == 0) rc = read_all(&b, names, n, e);
    if (rc == 0 && !w->n_connectors) {
        rc = err_set(e, ERR_NOTFOUND, "no Active Directory was synced into this store");
        err_hint(e, "rollcall sync CONNECTOR first; Entra ID has no access control lists");
    }
    free(names);
    free(b.edges);
    free(b.foreign);
    free(b.lists);
    free(b.members);
    free(b.dns);
    hmap_free(&b.descriptor_at);
    hmap_free(&b.places);
    hmap_free(&b.classes);
    buf_free(&b.form);
    if (rc < 0)
        world_free(w);
    else
        *out = w;
    return rc;
}

void world_free(struct world *w)
{
    if (!w) return;
    struct world_index *x = w->index;
    for (size_t i = 0; x->entities && i < w->n_connectors; i++) {
        free(x->entities[i].ids);
        free(x->entities[i].principals);
        free(x->entities[i].objects);
        schema_free(x->schemas[i]);
    }
    free(x->entities);
    free(x->schemas);
    free(x->history);
    hmap_free(&x->by_sid);
    arena_free(&x->memory);
    free(x);
    free(w->connectors);
    free(w->principals);
    free(w->objects);
    free(w->descriptors);
    free(w->first_group);
    free(w->groups_of);
    free(w->first_member);
    free(w->members_of);
    free(w->via_of);
    free(w->gaps);
    free(w);
}
