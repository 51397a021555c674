/* Counts: sums over cells. With a text, over the matches' cells, up to a bound. */
#include "catalog/catalog_int.h"

#include "base/jsonv.h"

#include <stdlib.h>

#define COUNT_MAX 5000 /* matches of a text that are counted */
#define LOOK_MAX  20000 /* candidates that are looked at for it */

struct counting {
    struct catalog *c;
    struct search search;
    int64_t *n; /* by place among the cells */
    bool exact;
};

static void count_cell(struct counting *k, int64_t id)
{
    const struct cell *x = cells_find(&k->c->cells, id);
    if (x) k->n[x - k->c->cells.list]++;
}

static int count_prefix(struct counting *k, struct err *e)
{
    sqlite3_stmt *s;
    int rc, n = 0;
    try(db_take(&k->c->db, SQL_SCAN_UP, &s, e));
    db_int(s, 1, k->search.from);
    db_int(s, 2, k->search.to);
    while (n < LOOK_MAX && (rc = db_step(&k->c->db, s, e)) != 0) {
        if (rc < 0) return rc;
        count_cell(k, sqlite3_column_int64(s, 1));
        n++;
    }
    k->exact = n < LOOK_MAX;
    sqlite3_reset(s);
    return 0;
}

static int count_match(struct counting *k, int64_t docid, int *n, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&k->c->db, SQL_TEXTS, &s, e));
    db_int(s, 1, docid);
    int rc = db_step(&k->c->db, s, e);
    if (rc > 0 && search_matches(&k->search, db_col_text(s, 1), db_col_text(s, 2), db_col_text(s, 3), db_col_text(s, 4))) {
        count_cell(k, sqlite3_column_int64(s, 0));
        ++*n;
    }
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

static int count_words(struct counting *k, struct err *e)
{
    sqlite3_stmt *s;
    int rc = 0, n = 0;
    try(db_take(&k->c->db, SQL_WORDS_UP, &s, e));
    db_text(s, 1, buf_str(&k->search.match));
    db_int(s, 2, INT64_MIN);
    for (int looked = 0; (rc = db_step(&k->c->db, s, e)) > 0; looked++) {
        if (looked == LOOK_MAX || n == COUNT_MAX) {
            k->exact = false;
            break;
        }
        if ((rc = count_match(k, sqlite3_column_int64(s, 0), &n, e)) < 0) break;
    }
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

static int count_all(struct counting *k, struct err *e)
{
    k->exact = true;
    k->n = x_zalloc((k->c->cells.n + 1) * sizeof *k->n);
    if (k->search.how == SEARCH_PREFIX) return count_prefix(k, e);
    if (k->search.how == SEARCH_WORDS_IN) return count_words(k, e);
    for (size_t i = 0; i < k->c->cells.n; i++) k->n[i] = k->c->cells.list[i].n;
    return 0;
}

/* --- as JSON --------------------------------------------------------------------------------------------- */

static void add(json_t *facet, const char *value, int64_t n)
{
    json_int_t before = json_integer_value(json_object_get(facet, value));
    json_object_set_new(facet, value, json_integer(before + n));
}

static void add_tags(json_t *facet, uint32_t tags, int64_t n)
{
    for (size_t i = 0; catalog_tags[i]; i++)
        if (tags >> i & 1) add(facet, catalog_tags[i], n);
}

static void add_value(const struct catalog *c, json_t *facet, enum facet which, const struct cell *x, int64_t n)
{
    const struct source *source = source_of(&c->sources, x->source);
    if (which == FACET_KIND) add(facet, kind_name((enum kind)x->kind), n);
    if (which == FACET_SOURCE && source) add(facet, source->name, n);
    if (which == FACET_ENABLED) add(facet, tri_names[x->enabled], n);
    if (which == FACET_ADMIN) add(facet, x->admin ? "yes" : "no", n);
    if (which == FACET_MFA) add(facet, tri_names[x->mfa], n);
    if (which == FACET_SIGN_IN) add(facet, sign_in_names[x->sign_in], n);
    if (which == FACET_TAG) add_tags(facet, x->tags, n);
    if (which == FACET_DELETED) add(facet, x->deleted ? "yes" : "no", n);
}

/* Each facet under the conditions of all others; but tags narrow down, so theirs count under their own too. */
static json_t *tell(const struct counting *k, const struct facet_filter *f)
{
    static const char *const names[FACET_COUNT] = {"kind", "source", "enabled", "admin", "mfa", "sign_in", "tag", "deleted"};
    json_t *out = json_object(), *facets[FACET_COUNT];
    int64_t total = 0;
    for (int i = 0; i < FACET_COUNT; i++) facets[i] = json_object();
    for (size_t i = 0; i < k->c->cells.n; i++) {
        const struct cell *x = &k->c->cells.list[i];
        unsigned misses = k->n[i] ? filter_misses(f, x) : ~0u;
        if (!misses) total += k->n[i];
        for (unsigned which = 0; which < FACET_COUNT; which++)
            if (!misses || (misses == 1u << which && which != FACET_TAG)) add_value(k->c, facets[which], (enum facet)which, x, k->n[i]);
    }
    jsonv_put(out, "total", json_integer(total));
    jsonv_put(out, "exact", json_boolean(k->exact));
    for (int i = 0; i < FACET_COUNT; i++) jsonv_put(out, names[i], facets[i]);
    return out;
}

int catalog_facets(struct catalog *c, const struct catalog_query *q, json_t **out, struct err *e)
{
    struct counting k = {.c = c};
    struct facet_filter f = {0};
    try(catalog_begin(c, e));
    int rc = filter_open(&f, c, q, e);
    if (rc == 0) rc = search_open(&k.search, c, q->search, e);
    if (rc == 0) rc = count_all(&k, e);
    if (rc == 0) *out = tell(&k, &f);
    catalog_end(c);
    filter_close(&f);
    search_close(&k.search);
    free(k.n);
    return rc;
}

/* --- kinds --------------------------------------------------------------------------------------------------- */

struct kind_count {
    uint32_t source;
    enum kind kind;
    int64_t n;
};

static int by_kind(const void *a, const void *b)
{
    const struct kind_count *x = a, *y = b;
    if (x->kind != y->kind) return (x->kind > y->kind) - (x->kind < y->kind);
    return (x->source > y->source) - (x->source < y->source);
}

static size_t count_kinds(const struct catalog *c, struct kind_count *list)
{
    size_t n = 0;
    for (size_t i = 0; i < c->cells.n; i++) {
        const struct cell *x = &c->cells.list[i];
        if (x->deleted || !x->n) continue;
        size_t at = 0;
        while (at < n && (list[at].source != x->source || list[at].kind != (enum kind)x->kind)) at++;
        if (at == n) list[n++] = (struct kind_count){x->source, (enum kind)x->kind, 0};
        list[at].n += x->n;
    }
    if (n) qsort(list, n, sizeof *list, by_kind);
    return n;
}

static int kind_json(struct catalog *c, const struct kind_count *k, json_t *list, struct err *e)
{
    const struct source *source = source_of(&c->sources, k->source);
    int64_t attributes;
    try(db_number(&c->db, SQL_FILL_COUNT, 2, (int64_t[]){k->source, k->kind}, 0, &attributes, e));
    json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I}", "kind", kind_name(k->kind), "connector", source ? source->name : "", "count",
                                          (json_int_t)k->n, "attributes", (json_int_t)attributes));
    return 0;
}

int catalog_kinds(struct catalog *c, json_t **out, struct err *e)
{
    try(catalog_begin(c, e));
    struct kind_count *list = x_alloc((c->cells.n + 1) * sizeof *list);
    size_t n = count_kinds(c, list);
    int64_t as_of = 0;
    int rc = 0;
    json_t *kinds = json_array();
    for (size_t i = 0; rc == 0 && i < n; i++) rc = kind_json(c, &list[i], kinds, e);
    for (size_t i = 0; i < c->sources.n; i++)
        if (c->sources.list[i].ended_ms > as_of) as_of = c->sources.list[i].ended_ms;
    catalog_end(c);
    free(list);
    json_t *time = jsonv_time(as_of);
    *out = json_pack("{s:o, s:o}", "kinds", kinds, "as_of", jsonv_or_null(time));
    if (rc < 0) json_decref(*out);
    return rc;
}
