/* BloodHound's OpenGraph: one object of nodes and edges, for whoever mixes sources. */
#include "access/graph/bloodhound_int.h"

#include <stdio.h>

#define SOURCE "Rollcall"

struct writing {
    struct graph *g;
    struct jsonw j;
    const struct record_index *x;
    uint64_t n;    /* of this list */
    struct str to; /* end of the edges of this entity */
    struct err *e;
    int rc;
};

static int wrote(struct writing *w, uint64_t rows)
{
    return w->g->out->wrote(w->g->out->ctx, rows, w->e);
}

static void begin(struct writing *w)
{
    struct buf *out = w->g->out->buf(w->g->out->ctx);
    buf_add_str(out, w->n++ ? STR(",\n") : STR("\n"));
    w->j = jsonw_new(out);
    jsonw_object(&w->j);
}

/* --- nodes ------------------------------------------------------------------------------------------- */

static void put_kinds(struct jsonw *j, enum graph_label l)
{
    jsonw_key(j, STR("kinds"));
    jsonw_array(j);
    if (l != LABEL_BASE) jsonw_str(j, str_from(graph_label_name(l)));
    jsonw_str(j, STR("Base"));
    jsonw_end(j);
}

static bool each_node(void *ctx, const struct entity *entity)
{
    struct writing *w = ctx;
    struct record_index x;
    enum graph_label label = graph_label_of(entity->record.kind);
    if (label == LABEL_BASE) return true;
    w->rc = record_index(&x, &entity->record, w->e);
    if (w->rc < 0) return false;
    uint32_t object = world_object_of_entity(w->g->world, entity->id);
    if (!graph_id_text(w->g, object).len) return true; /* a principal without a SID: the directory hides it */
    begin(w);
    jsonw_kstr(&w->j, "id", graph_id_text(w->g, object));
    put_kinds(&w->j, label);
    jsonw_key(&w->j, STR("properties"));
    jsonw_object(&w->j);
    graph_put_properties(w->g, &w->j, entity, &x, object);
    jsonw_end(&w->j);
    jsonw_end(&w->j);
    w->g->counts->n_nodes++;
    w->rc = wrote(w, 1);
    return w->rc == 0;
}

static int put_parties(struct writing *w)
{
    struct graph *g = w->g;
    for (size_t i = 0; i < g->n_parties; i++) {
        const struct graph_party *p = &g->parties[i];
        if (!graph_needs_node(p)) continue;
        begin(w);
        jsonw_kstr(&w->j, "id", p->id);
        put_kinds(&w->j, p->label);
        jsonw_key(&w->j, STR("properties"));
        jsonw_object(&w->j);
        graph_put_party_properties(g, &w->j, p);
        jsonw_end(&w->j);
        jsonw_end(&w->j);
        g->counts->n_nodes++;
        try(wrote(w, 1));
    }
    return 0;
}

/* --- edges ------------------------------------------------------------------------------------------- */

static void put_end(struct jsonw *j, const char *name, struct str id)
{
    jsonw_key(j, str_from(name));
    jsonw_object(j);
    jsonw_kcstr(j, "match_by", "id");
    jsonw_kstr(j, "value", id);
    jsonw_end(j);
}

/* Properties are open after it; end_edge. */
static void begin_edge(struct writing *w, const char *prefix, const char *kind, struct str from,
                       struct str to)
{
    char name[64];
    begin(w);
    put_end(&w->j, "start", from);
    put_end(&w->j, "end", to);
    snprintf(name, sizeof name, "%s%s", prefix, kind);
    jsonw_kcstr(&w->j, "kind", name);
    jsonw_key(&w->j, STR("properties"));
    jsonw_object(&w->j);
}

static int end_edge(struct writing *w)
{
    jsonw_end(&w->j);
    jsonw_end(&w->j);
    return wrote(w, 1);
}

static int put_right(struct writing *w, uint32_t party, const char *right, bool is_inherited)
{
    bool is_effective = w->g->options->is_effective;
    begin_edge(w, is_effective ? SOURCE "_" : "", right, w->g->parties[party].id, w->to);
    jsonw_kbool(&w->j, "isacl", true);
    jsonw_kbool(&w->j, "isinherited", is_inherited);
    return end_edge(w);
}

static void put_reader(void *ctx, uint32_t party, bool is_inherited)
{
    struct writing *w = ctx;
    if (w->rc == 0 && !w->g->parties[party].is_ignored)
        w->rc = put_right(w, party, graph_right_name(EDGE_GMSA), is_inherited);
}

static void put_actor(void *ctx, uint32_t party, bool is_inherited)
{
    struct writing *w = ctx;
    (void)is_inherited;
    if (w->rc < 0) return;
    begin_edge(w, "", "AllowedToAct", w->g->parties[party].id, w->to);
    w->rc = end_edge(w);
}

static int put_rights(struct writing *w, uint32_t object, enum kind k)
{
    const struct graph_edge_list *l = graph_edges(w->g, object, k == KIND_computer && graph_has_laps(w->x));
    for (size_t i = 0; i < l->n; i++)
        try(put_right(w, l->list[i].party, graph_right_name(l->list[i].right), l->list[i].is_inherited));
    if (k == KIND_service_account) graph_each_let_in(w->g, w->x, ATTR_GMSA_MEMBERSHIP, put_reader, w);
    if (k == KIND_computer) graph_each_let_in(w->g, w->x, ATTR_ALLOWED_TO_ACT, put_actor, w);
    return w->rc;
}

static bool put_member(void *ctx, const struct link *l)
{
    struct writing *w = ctx;
    if (!l->sid.len || (graph_label_of(l->kind) == LABEL_BASE && l->kind != KIND_foreign_principal))
        return true;
    begin_edge(w, "", "MemberOf", graph_sid_text(w->g, l->sid), w->to);
    jsonw_kbool(&w->j, "isprimarygroup", l->via == VIA_PRIMARY_GROUP);
    w->rc = end_edge(w);
    return w->rc == 0;
}

static int put_members(struct writing *w, int64_t entity)
{
    int rc = store_links(w->g->store, entity, LINK_MEMBERS_OF, put_member, w, w->e);
    return w->rc < 0 ? w->rc : rc;
}

static int put_links(struct writing *w)
{
    struct str rest = STR(""), dn;
    bool is_enforced, is_disabled;
    record_str(w->x, ATTR_GP_LINK, &rest);
    while (graph_next_link(&rest, &dn, &is_enforced, &is_disabled)) {
        struct link l;
        if (is_disabled || !store_resolve_dn(w->g->store, w->g->options->connector, dn, &l)) continue;
        buf_clear(&w->g->text);
        graph_add_guid(&w->g->text, l.guid);
        begin_edge(w, "", "GPLink", buf_str(&w->g->text), w->to);
        jsonw_kbool(&w->j, "enforced", is_enforced);
        try(end_edge(w));
    }
    return 0;
}

static int put_contains(struct writing *w, uint32_t object)
{
    uint32_t parent = object == NOBODY ? NOBODY : w->g->world->objects[object].parent;
    struct str id = graph_id_text(w->g, parent);
    if (!id.len) return 0;
    begin_edge(w, "", "Contains", id, w->to);
    return end_edge(w);
}

static int put_history(struct writing *w)
{
    struct values v = record_values(w->x, ATTR_SID_HISTORY);
    for (struct bytes sid; values_next_bytes(&v, &sid);) {
        const struct graph_party *p = &w->g->parties[graph_party(w->g, sid)];
        begin_edge(w, "", "HasSIDHistory", w->to, p->id);
        try(end_edge(w));
    }
    return 0;
}

static int put_managed_by(struct writing *w)
{
    struct str dn;
    struct link l;
    if (!record_str(w->x, ATTR_MANAGED_BY, &dn) ||
        !store_resolve_dn(w->g->store, w->g->options->connector, dn, &l) || !l.sid.len)
        return 0;
    if (graph_label_of(l.kind) == LABEL_BASE) return 0;
    begin_edge(w, SOURCE "_", "Manages", graph_sid_text(w->g, l.sid), w->to);
    return end_edge(w);
}

static int put_edges(struct writing *w, const struct entity *entity)
{
    enum kind k = entity->record.kind;
    uint32_t object = world_object_of_entity(w->g->world, entity->id);
    try(put_contains(w, object));
    try(put_rights(w, object, k));
    if (k == KIND_group) try(put_members(w, entity->id));
    if (k == KIND_ou || k == KIND_domain) try(put_links(w));
    try(put_history(w));
    return put_managed_by(w);
}

static bool each_edges(void *ctx, const struct entity *entity)
{
    struct writing *w = ctx;
    struct record_index x;
    char id[256];
    if (graph_label_of(entity->record.kind) == LABEL_BASE) return true;
    w->rc = record_index(&x, &entity->record, w->e);
    if (w->rc < 0) return false;
    struct str text = graph_id_text(w->g, world_object_of_entity(w->g->world, entity->id));
    if (!text.len || text.len > sizeof id) return true;
    memcpy(id, text.ptr, text.len);
    w->to = (struct str){id, text.len};
    w->x = &x;
    w->rc = put_edges(w, entity);
    return w->rc == 0;
}

/* --- the file ---------------------------------------------------------------------------------------- */

static int write_list(struct writing *w, const char *head, bool (*each)(void *ctx, const struct entity *))
{
    struct entity_query q = {.connector = w->g->options->connector};
    buf_add_str(w->g->out->buf(w->g->out->ctx), str_from(head));
    w->n = 0;
    try(store_entities(w->g->store, &q, each, w, w->e));
    return w->rc;
}

static int write_all(struct graph *g, struct err *e)
{
    struct writing w = {.g = g, .e = e};
    try(g->out->file(g->out->ctx, "opengraph.json", e));
    try(write_list(&w, "{\"metadata\":{\"source_kind\":\"" SOURCE "\"},\"graph\":{\"nodes\":[", each_node));
    try(put_parties(&w));
    try(write_list(&w, "\n],\"edges\":[", each_edges));
    buf_add_str(g->out->buf(g->out->ctx), STR("\n]}}\n"));
    return wrote(&w, 0);
}

int opengraph_write(struct store *s, const struct graph_options *o, const struct graph_out *out,
                    struct graph_counts *n, struct err *e)
{
    struct graph g;
    int rc = graph_open(&g, s, o, out, n, e);
    if (rc == 0) rc = write_all(&g, e);
    graph_close(&g);
    return rc;
}
