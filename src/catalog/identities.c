/* Who is the same person or device in two directories: run/identity works it out for everybody at once, too slow for a page, so a refresh keeps the answer. */
#include "catalog/catalog_int.h"

#include "base/jsonv.h"
#include "run/identity.h"

/* --- writing --------------------------------------------------------------------------------------------- */

struct telling {
    struct refresh *r;
    sqlite3_stmt *put;
    struct db *db;
};

static int64_t source_id(const struct telling *t, struct str connector)
{
    const struct source *s = source_named(&t->r->sources, connector);
    return s ? s->id : 0;
}

static int put_edge(void *ctx, const struct identity_edge *x, struct err *e)
{
    struct telling *t = ctx;
    sqlite3_reset(t->put);
    db_int(t->put, 1, x->entra->id);
    db_int(t->put, 2, x->ad->id);
    db_text(t->put, 3, x->rule);
    db_int(t->put, 4, x->confidence);
    db_int(t->put, 5, x->confirmed_by);
    db_int(t->put, 6, x->contradicts);
    db_int(t->put, 7, x->conflict);
    db_int(t->put, 8, source_id(t, x->entra->connector));
    db_int(t->put, 9, source_id(t, x->ad->connector));
    return db_run(t->db, t->put, e);
}

static int put_edges(struct telling *t, struct err *e)
{
    static const char sql[] = "INSERT OR REPLACE INTO temp.edge_now VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    struct identity_query q = {.rules = t->r->rules ? t->r->rules->rules : NULL, .n_rules = t->r->rules ? t->r->rules->n : 0};
    struct identity_reader reader = {.edge = put_edge, .ctx = t};
    int rc = sqlite3_prepare_v2(t->db->db, sql, -1, &t->put, NULL);
    rc = rc == SQLITE_OK ? identity_read(t->r->store, &q, &reader, e) : db_error(t->db, rc, e);
    sqlite3_finalize(t->put);
    return rc;
}

static bool has_both(const struct refresh *r)
{
    bool has_tenant = false, has_domain = false;
    for (size_t i = 0; i < r->sources.n; i++) {
        const struct source *s = &r->sources.list[i];
        if (s->is_gone || !s->run) continue;
        has_tenant |= s->is_tenant;
        has_domain |= !s->is_tenant;
    }
    return has_tenant && has_domain;
}

int edges_write(struct refresh *r, struct db *d, struct err *e)
{
    struct telling t = {.r = r, .db = d};
    if (!has_both(r)) return db_exec(d, "DELETE FROM edge", e);
    try(db_exec(d, "CREATE TEMP TABLE edge_now AS SELECT * FROM edge LIMIT 0; CREATE UNIQUE INDEX temp.edge_now_key ON edge_now (entra, ad)", e));
    try(put_edges(&t, e));
    return db_exec(d,
                   "DELETE FROM edge WHERE (entra, ad) NOT IN (SELECT entra, ad FROM temp.edge_now);"
                   "INSERT OR REPLACE INTO edge SELECT * FROM temp.edge_now EXCEPT SELECT * FROM edge;"
                   "DROP TABLE temp.edge_now",
                   e);
}

/* --- reading ----------------------------------------------------------------------------------------------- */

static json_t *marks(unsigned bits)
{
    json_t *list = json_array();
    for (unsigned at = 0; at < IDENTITY_MARK_COUNT; at++)
        if (bits >> at & 1) json_array_append_new(list, json_string(identity_mark_name(at)));
    return list;
}

struct other {
    int64_t entity, source;
    json_t *edge;
};

static struct other read_edge(sqlite3_stmt *s, int64_t of)
{
    bool is_entra = sqlite3_column_int64(s, 0) == of;
    const char *conflict = identity_conflict_name((enum identity_conflict)sqlite3_column_int(s, 6));
    json_t *j = json_object();
    jsonv_put(j, "rule", jsonv_str(db_col_text(s, 2)));
    jsonv_put(j, "confidence", json_integer(sqlite3_column_int64(s, 3)));
    jsonv_put(j, "confirmed_by", marks((unsigned)sqlite3_column_int(s, 4)));
    jsonv_put(j, "contradicts", marks((unsigned)sqlite3_column_int(s, 5)));
    jsonv_put(j, "conflict", conflict ? json_string(conflict) : json_null());
    return (struct other){sqlite3_column_int64(s, is_entra ? 1 : 0), sqlite3_column_int64(s, is_entra ? 8 : 7), j};
}

static int find(struct catalog *c, int64_t source, int64_t entity, catalog_each *each, void *ctx, struct err *e)
{
    int64_t docid;
    try(db_number(&c->db, SQL_DOCID_OF, 2, (int64_t[]){source, entity}, 0, &docid, e));
    return docid ? row_give(c, docid, each, ctx, e) : 0;
}

struct edges {
    json_t *edge, *list;
};

/* An edge whose other end the catalog has. */
static int add_other(void *ctx, const struct catalog_row *row, struct err *e)
{
    struct edges *x = ctx;
    (void)e;
    jsonv_put(x->edge, "connector", jsonv_str(row->connector));
    jsonv_put(x->edge, "uid", jsonv_str(row->uid));
    jsonv_put(x->edge, "name", jsonv_str(row->name));
    jsonv_put(x->edge, "kind", json_string(kind_name(row->kind)));
    json_array_append(x->list, x->edge);
    return 0;
}

#define OTHERS_MAX 100

int catalog_identities(struct catalog *c, int64_t entity_id, json_t **out, struct err *e)
{
    struct other others[OTHERS_MAX];
    sqlite3_stmt *s;
    size_t n = 0;
    try(catalog_begin(c, e));
    int rc = db_take(&c->db, SQL_EDGES, &s, e);
    if (rc == 0) db_int(s, 1, entity_id);
    while (rc == 0 && n < OTHERS_MAX && (rc = db_step(&c->db, s, e)) > 0) {
        others[n++] = read_edge(s, entity_id);
        rc = 0;
    }
    if (rc == 0) sqlite3_reset(s);
    *out = json_array();
    for (size_t i = 0; i < n; i++) {
        if (rc == 0) rc = find(c, others[i].source, others[i].entity, add_other, &(struct edges){others[i].edge, *out}, e);
        json_decref(others[i].edge);
    }
    catalog_end(c);
    if (rc < 0) json_decref(*out);
    return rc;
}

int catalog_find(struct catalog *c, struct str connector, int64_t entity_id, catalog_each *each, void *ctx, int64_t *n_identities, struct err *e)
{
    try(catalog_begin(c, e));
    const struct source *s = source_named(&c->sources, connector);
    int rc = s ? find(c, s->id, entity_id, each, ctx, e) : 0;
    if (rc == 0) rc = db_number(&c->db, SQL_EDGES_COUNT, 1, &entity_id, 0, n_identities, e);
    catalog_end(c);
    return rc;
}
