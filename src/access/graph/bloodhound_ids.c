#include "access/graph/bloodhound_int.h"

#include "model/sid.h"

#include <stdlib.h>
#include <utf8proc.h>

static const struct {
    const char *name;
    enum kind kinds[2];
} labels[] = {
    [LABEL_BASE] = {"Base", {KIND_NONE, KIND_NONE}},
    [LABEL_USER] = {"User", {KIND_user, KIND_service_account}},
    [LABEL_GROUP] = {"Group", {KIND_group, KIND_NONE}},
    [LABEL_COMPUTER] = {"Computer", {KIND_computer, KIND_NONE}},
    [LABEL_OU] = {"OU", {KIND_ou, KIND_NONE}},
    [LABEL_CONTAINER] = {"Container", {KIND_container, KIND_NONE}},
    [LABEL_GPO] = {"GPO", {KIND_group_policy, KIND_NONE}},
    [LABEL_DOMAIN] = {"Domain", {KIND_domain, KIND_NONE}},
};

const char *graph_label_name(enum graph_label l)
{
    return labels[l].name;
}

enum graph_label graph_label_of(enum kind k)
{
    for (enum graph_label l = LABEL_USER; l <= LABEL_DOMAIN; l++)
        if (k != KIND_NONE && (labels[l].kinds[0] == k || labels[l].kinds[1] == k)) return l;
    return LABEL_BASE;
}

void graph_add_upper(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len;) {
        utf8proc_int32_t c;
        utf8proc_uint8_t to[4];
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + i, (utf8proc_ssize_t)(s.len - i), &c);
        if (n < 1) { /* not UTF-8: the byte as it is */
            buf_add_byte(out, (uint8_t)s.ptr[i++]);
            continue;
        }
        buf_add(out, to, (size_t)utf8proc_encode_char(utf8proc_toupper(c), to));
        i += (size_t)n;
    }
}

/* --- SIDs -------------------------------------------------------------------------------------------- */

/* Whatever is not S-1-5-21-...: the same in every domain, so the collectors put the domain in front. */
bool graph_is_well_known(struct bytes sid)
{
    struct sid s;
    struct err ignored;
    return sid_decode(&s, sid, &ignored) == 0 && !(s.authority == 5 && s.n_sub > 1 && s.sub[0] == 21);
}

void graph_add_sid(const struct graph *g, struct buf *out, struct bytes sid)
{
    char text[SID_TEXT];
    if (graph_is_well_known(sid)) buf_add_str(out, g->domain);
    if (graph_is_well_known(sid)) buf_add_byte(out, '-');
    buf_add_str(out, str_from(sid_format_bytes(text, sid)));
}

void graph_add_guid(struct buf *out, const uint8_t guid[GUID_SIZE])
{
    char text[GUID_TEXT];
    graph_add_upper(out, str_from(guid_format(text, guid)));
}

/* Sessions, placeholders and the machine's own accounts, MS-DTYP 2.4.2.4: the collectors leave them out. */
static bool is_ignored(struct bytes sid)
{
    static const char *const list[] = {"S-1-0",    "S-1-0-0",  "S-1-2",    "S-1-2-0", "S-1-2-1", "S-1-3-0",
                                       "S-1-3-1",  "S-1-5-2",  "S-1-5-3",  "S-1-5-4", "S-1-5-6", "S-1-5-7",
                                       "S-1-5-10", "S-1-5-18", "S-1-5-19", "S-1-5-20"};
    static const char *const families[] = {"S-1-5-80-", "S-1-5-82-", "S-1-5-90-", "S-1-5-96-"};
    char text[SID_TEXT];
    struct str s = str_from(sid_format_bytes(text, sid));
    for (size_t i = 0; i < n_elements(list); i++)
        if (str_equal(s, str_from(list[i]))) return true;
    for (size_t i = 0; i < n_elements(families); i++)
        if (str_starts(s, str_from(families[i]))) return true;
    return s.len == 0;
}

uint32_t graph_party(struct graph *g, struct bytes sid)
{
    bool is_new;
    uint32_t *at = hmap_put(&g->party_of, hash128_fast(sid), &is_new);
    if (!is_new) return *at;
    *at = (uint32_t)g->n_parties;
    GROW(g->parties, g->n_parties, g->cap_parties, 256);
    struct graph_party *p = &g->parties[g->n_parties];
    struct buf id = buf_new(4096);
    graph_add_sid(g, &id, sid);
    *p = (struct graph_party){.sid = arena_bytes(&g->memory, sid),
                              .id = arena_str(&g->memory, buf_str(&id)),
                              .principal = world_principal_by_sid(g->world, sid),
                              .label = graph_is_well_known(sid) ? LABEL_GROUP : LABEL_BASE,
                              .is_ignored = is_ignored(sid)};
    buf_free(&id);
    const struct world_connector *c = &g->world->connectors[0];
    if (bytes_equal(sid, c->domain.sid)) {
        p->label = LABEL_DOMAIN;
        p->is_stored = true;
    } else if (p->principal != NOBODY && g->world->principals[p->principal].connector != NOBODY) {
        enum graph_label l = graph_label_of(g->world->principals[p->principal].kind);
        p->is_stored = l != LABEL_BASE;
        if (p->is_stored) p->label = l;
    }
    return (uint32_t)g->n_parties++;
}

struct bytes graph_everyone(const struct graph *g)
{
    return g->world->principals[g->world->implicit[0]].sid;
}

bool graph_needs_node(const struct graph_party *p)
{
    return !p->is_stored && (!p->is_ignored || p->is_named);
}

/* --- objects ----------------------------------------------------------------------------------------- */

static const struct graph_place *place_of(const struct graph *g, uint32_t object)
{
    size_t at;
    LOWER_BOUND(at, g->n_places, g->places[at].object < object);
    return at < g->n_places && g->places[at].object == object ? &g->places[at] : NULL;
}

bool graph_add_object(const struct graph *g, struct buf *out, uint32_t object)
{
    const struct object *o = &g->world->objects[object];
    if (o->kind == KIND_domain) {
        buf_add_str(out, g->domain_id);
        return true;
    }
    if (o->principal != NOBODY) {
        graph_add_sid(g, out, g->world->principals[o->principal].sid);
        return true;
    }
    const struct graph_place *p = place_of(g, object);
    if (p) graph_add_guid(out, p->guid);
    return p != NULL;
}

enum graph_label graph_object_label(const struct graph *g, uint32_t object)
{
    return graph_label_of(g->world->objects[object].kind);
}

struct str graph_id_text(struct graph *g, uint32_t object)
{
    buf_clear(&g->text);
    if (object == NOBODY || !graph_add_object(g, &g->text, object)) return STR("");
    return buf_str(&g->text);
}

struct str graph_sid_text(struct graph *g, struct bytes sid)
{
    buf_clear(&g->text);
    graph_add_sid(g, &g->text, sid);
    return buf_str(&g->text);
}

/* --- names ------------------------------------------------------------------------------------------- */

static void add_at_domain(const struct graph *g, struct buf *out, struct str name)
{
    graph_add_upper(out, name);
    buf_add_byte(out, '@');
    buf_add_str(out, g->domain);
}

static void add_computer_name(const struct graph *g, struct buf *out, const struct record_index *x)
{
    struct str host, sam = STR("");
    if (record_str(x, ATTR_DNS_HOST_NAME, &host) && host.len) {
        graph_add_upper(out, host);
        return;
    }
    record_str(x, ATTR_SAM_ACCOUNT_NAME, &sam);
    if (sam.len && sam.ptr[sam.len - 1] == '$') sam.len--;
    graph_add_upper(out, sam);
    buf_add_byte(out, '.');
    buf_add_str(out, g->domain);
}

void graph_add_name(const struct graph *g, struct buf *out, const struct record_index *x)
{
    struct str name = STR("");
    switch (x->record->kind) {
    case KIND_domain:
        buf_add_str(out, g->domain);
        return;
    case KIND_computer:
        add_computer_name(g, out, x);
        return;
    case KIND_group_policy:
        record_str(x, ATTR_DISPLAY_NAME, &name);
        break;
    case KIND_ou:
    case KIND_container:
        record_str(x, ATTR_NAME, &name);
        break;
    default:
        record_str(x, ATTR_SAM_ACCOUNT_NAME, &name);
        break;
    }
    add_at_domain(g, out, name.len ? name : record_name(x));
}

void graph_add_party_name(const struct graph *g, struct buf *out, const struct graph_party *p)
{
    const char *name = sid_well_known_name(p->sid);
    char text[SID_TEXT];
    const char *behind = name ? strrchr(name, '\\') : NULL;
    if (behind) name = behind + 1;
    add_at_domain(g, out, str_from(name ? name : sid_format_bytes(text, p->sid)));
}

/* --- hosts ------------------------------------------------------------------------------------------- */

static struct hash128 host_key(struct str host)
{
    char lower[256];
    size_t n = host.len < sizeof lower ? host.len : sizeof lower;
    for (size_t i = 0; i < n; i++) lower[i] = ascii_lower(host.ptr[i]);
    return hash128_fast((struct bytes){(const uint8_t *)lower, n});
}

/* service/host[:port][/name] */
uint32_t graph_host(struct graph *g, struct str spn)
{
    size_t slash = str_index(spn, '/');
    if (slash == spn.len) return NOBODY;
    struct str host = {spn.ptr + slash + 1, spn.len - slash - 1};
    host.len = str_index(host, '/');
    host.len = str_index(host, ':');
    const uint32_t *at = hmap_find(&g->hosts, host_key(host));
    return at ? *at : NOBODY;
}

static void add_host(struct graph *g, struct str host, uint32_t principal)
{
    bool is_new;
    if (!host.len) return;
    uint32_t *at = hmap_put(&g->hosts, host_key(host), &is_new);
    if (is_new) *at = principal;
}

static void take_hosts(struct graph *g, const struct record_index *x, uint32_t principal)
{
    struct str host, sam;
    if (record_str(x, ATTR_DNS_HOST_NAME, &host)) add_host(g, host, principal);
    if (record_str(x, ATTR_SAM_ACCOUNT_NAME, &sam) && sam.len > 1 && sam.ptr[sam.len - 1] == '$')
        add_host(g, (struct str){sam.ptr, sam.len - 1}, principal);
}

/* --- opening ----------------------------------------------------------------------------------------- */

struct opening {
    struct graph *g;
    struct err *e;
    int rc;
};

static void meet(void *ctx, uint32_t party, bool is_inherited)
{
    struct graph *g = ctx;
    (void)is_inherited;
    g->parties[party].is_named = true;
}

static void take_place(struct graph *g, uint32_t object, const uint8_t guid[GUID_SIZE])
{
    if (object == NOBODY) return;
    GROW(g->places, g->n_places, g->cap_places, 256);
    struct graph_place *p = &g->places[g->n_places++];
    p->object = object;
    memcpy(p->guid, guid, GUID_SIZE);
}

static bool take(void *ctx, const struct entity *entity)
{
    struct opening *o = ctx;
    struct graph *g = o->g;
    struct record_index x;
    enum kind k = entity->record.kind;
    o->rc = record_index(&x, &entity->record, o->e);
    if (o->rc < 0) return false;
    if (k == KIND_foreign_principal && entity->record.sid.len)
        meet(g, graph_party(g, entity->record.sid), false);
    if (k == KIND_computer) take_hosts(g, &x, world_principal_of_entity(g->world, entity->id));
    if (k == KIND_computer) graph_each_let_in(g, &x, ATTR_ALLOWED_TO_ACT, meet, g);
    if (k == KIND_service_account) graph_each_let_in(g, &x, ATTR_GMSA_MEMBERSHIP, meet, g);
    struct values history = record_values(&x, ATTR_SID_HISTORY);
    for (struct bytes sid; values_next_bytes(&history, &sid);) meet(g, graph_party(g, sid), false);
    if (k == KIND_ou || k == KIND_container || k == KIND_group_policy)
        take_place(g, world_object_of_entity(g->world, entity->id), entity->record.guid);
    return true;
}

/* Everybody whom a descriptor names: who is none of the store's entities gets a node of his own. */
static void meet_trustees(struct graph *g)
{
    for (uint32_t i = 0; i < g->world->n_descriptors; i++) {
        const struct sd *sd = &g->world->descriptors[i].sd;
        struct bytes rest = sd->dacl;
        struct ace a;
        if (sd->owner.len) graph_party(g, sd->owner);
        if (!sd->has_dacl || sd->is_null_dacl) graph_party(g, graph_everyone(g));
        while (sd_next_ace(&rest, &a))
            if (a.trustee.len) graph_party(g, a.trustee);
    }
}

static void make_children(struct graph *g)
{
    const struct world *w = g->world;
    g->first_child = x_zalloc((w->n_objects + 2u) * sizeof *g->first_child);
    g->children = x_alloc((w->n_objects + 1u) * sizeof *g->children);
    for (uint32_t i = 0; i < w->n_objects; i++)
        if (w->objects[i].parent != NOBODY) g->first_child[w->objects[i].parent + 2]++;
    for (uint32_t i = 2; i < w->n_objects + 2u; i++) g->first_child[i] += g->first_child[i - 1];
    for (uint32_t i = 0; i < w->n_objects; i++)
        if (w->objects[i].parent != NOBODY) g->children[g->first_child[w->objects[i].parent + 1]++] = i;
}

static int check_source(struct graph *g, struct err *e)
{
    struct connector_state state;
    try(store_connector(g->store, g->options->connector, &state, e));
    if (!domain_is_tenant(&state.domain)) return 0;
    err_set(e, ERR_INPUT, "'%.*s' is an Entra ID tenant; this dialect is for Active Directory",
            STR_FMT(g->options->connector));
    return err_hint(e, "use --dialect ocsf, veza or csv");
}

int graph_open(struct graph *g, struct store *s, const struct graph_options *o, const struct graph_out *out,
               struct graph_counts *n, struct err *e)
{
    char sid[SID_TEXT];
    *g = (struct graph){
        .store = s, .options = o, .out = out, .counts = n, .memory = arena_new(SIZE_MAX), .token_of = NOBODY};
    g->text = buf_new((size_t)1 << 20);
    *n = (struct graph_counts){0};
    try(check_source(g, e));
    try(world_read(&g->world, s, o->connector, e));
    const struct world_connector *c = &g->world->connectors[0];
    graph_add_upper(&g->text, c->domain.dns_name);
    g->domain = arena_str(&g->memory, buf_str(&g->text));
    g->domain_id = arena_str(&g->memory, str_from(sid_format_bytes(sid, c->domain.sid)));
    g->schema = c->schema;
    graph_rights_init(g);
    meet_trustees(g);
    make_children(g);
    struct entity_query q = {.connector = o->connector};
    struct opening opening = {g, e, 0};
    try(store_entities(s, &q, take, &opening, e));
    return opening.rc;
}

void graph_close(struct graph *g)
{
    for (size_t i = 0; i < g->n_known; i++) free(g->known[i].list);
    free(g->known);
    free(g->spare.list);
    free(g->parties);
    free(g->places);
    free(g->first_child);
    free(g->children);
    hmap_free(&g->party_of);
    hmap_free(&g->hosts);
    hmap_free(&g->known_at);
    buf_free(&g->text);
    arena_free(&g->memory);
    world_token_free(&g->token);
    world_free(g->world);
}
