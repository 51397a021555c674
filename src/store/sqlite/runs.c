#include "store/sqlite/read.h"

static int read_kinds(struct sqlite_store *s, int64_t run, struct run_result *result,
                      uint64_t present[KIND_COUNT], struct err *e)
{
    sqlite3_stmt *q;
    int rc;
    try(sq_take(&s->q, SQL_RUN_KINDS, &q, e));
    sq_int(q, 1, run);
    while ((rc = sq_step(&s->q, q, e)) > 0) {
        int64_t k = sq_col_int(q, 0);
        if (k <= 0 || k >= KIND_COUNT) continue;
        result->counts[k] = (struct run_counts){(uint64_t)sq_col_int(q, 1), (uint64_t)sq_col_int(q, 2),
                                                (uint64_t)sq_col_int(q, 3), (uint64_t)sq_col_int(q, 4)};
        result->held[k] = (uint64_t)sq_col_int(q, 5);
        present[k] = (uint64_t)sq_col_int(q, 6);
    }
    sq_give(&s->q, SQL_RUN_KINDS, q);
    return rc;
}

static int row_of(struct sqlite_store *s, sqlite3_stmt *q, struct run_row *out, struct err *e)
{
    uint64_t present[KIND_COUNT];
    *out = (struct run_row){.id = sq_col_int(q, 0),
                            .connector = sq_col_text(q, 1),
                            .mode = sq_col_text(q, 2),
                            .server = sq_col_text(q, 3),
                            .started_ms = sq_col_int(q, 4),
                            .ended_ms = sq_col_int(q, 5),
                            .status = (enum run_status)sq_col_int(q, 6),
                            .requests = (uint64_t)sq_col_int(q, 7),
                            .bytes = (uint64_t)sq_col_int(q, 8),
                            .error_class = sq_col_text(q, 14),
                            .error_message = sq_col_text(q, 15),
                            .error_hint = sq_col_text(q, 16)};
    out->result = (struct run_result){.id = out->id,
                                      .status = out->status,
                                      .n_changes = (uint64_t)sq_col_int(q, 9),
                                      .n_members_added = (uint64_t)sq_col_int(q, 10),
                                      .n_members_removed = (uint64_t)sq_col_int(q, 11),
                                      .n_gaps_info = (unsigned)sq_col_int(q, 12),
                                      .n_gaps_loss = (unsigned)sq_col_int(q, 13)};
    return read_kinds(s, out->id, &out->result, present, e);
}

/* --- lists ------------------------------------------------------------------------------------ */

struct runs_listing {
    int64_t limit;
    bool (*each)(void *, const struct run_row *);
    void *ctx;
};

static int list_rows(struct sqlite_store *s, enum sql id, int64_t connector, const struct runs_listing *l,
                     struct err *e)
{
    sqlite3_stmt *q;
    int rc = 0;
    struct run_row row;
    try(sq_take(&s->q, id, &q, e));
    if (id == SQL_RUN_LIST_OF) sq_int(q, 1, connector);
    for (int64_t n = 0; (!l->limit || n < l->limit) && (rc = sq_step(&s->q, q, e)) > 0; n++) {
        if ((rc = row_of(s, q, &row, e)) < 0 || !l->each(l->ctx, &row)) break;
    }
    sq_give(&s->q, id, q);
    return rc < 0 ? rc : 0;
}

int read_runs_list(struct store *store, struct str connector, int64_t limit,
                   bool (*each)(void *, const struct run_row *), void *ctx, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct runs_listing l = {limit, each, ctx};
    struct reading reading;
    int rc;
    try(reading_begin(&reading, s, e));
    struct known_connector *c = connector.len ? handle_connector_named(s, connector) : NULL;
    if (!connector.len)
        rc = list_rows(s, SQL_RUN_LIST, 0, &l, e);
    else if (c)
        rc = list_rows(s, SQL_RUN_LIST_OF, c->id, &l, e);
    else
        rc = handle_connector_get(s, connector, &c, e);
    reading_end(&reading);
    return rc;
}

static int give_gaps(struct sqlite_store *s, int64_t run, void (*gap)(void *, const struct gap *), void *ctx,
                     struct err *e)
{
    sqlite3_stmt *q;
    int rc;
    try(sq_take(&s->q, SQL_GAPS, &q, e));
    sq_int(q, 1, run);
    while ((rc = sq_step(&s->q, q, e)) > 0) {
        struct gap g = {.kind = (enum kind)sq_col_int(q, 0),
                        .severity = sq_col_int(q, 1) ? GAP_LOSS : GAP_INFO,
                        .what = sq_col_text(q, 2),
                        .where = sq_col_text(q, 3),
                        .fix = sq_col_text(q, 4)};
        gap(ctx, &g);
    }
    sq_give(&s->q, SQL_GAPS, q);
    return rc;
}

static int give_run(struct sqlite_store *s, int64_t id, void (*row)(void *, const struct run_row *),
                    void *ctx, struct err *e)
{
    sqlite3_stmt *q;
    struct run_row out;
    try(sq_take(&s->q, SQL_RUN_GET, &q, e));
    sq_int(q, 1, id);
    int rc = sq_step(&s->q, q, e);
    if (rc == 0)
        rc = err_set(e, ERR_NOTFOUND, "run %lld: no such run", (long long)id);
    else if (rc > 0 && (rc = row_of(s, q, &out, e)) == 0 && row)
        row(ctx, &out);
    sq_give(&s->q, SQL_RUN_GET, q);
    return rc;
}

int read_run(struct store *store, int64_t id, void (*row)(void *, const struct run_row *),
             void (*gap)(void *, const struct gap *), void *ctx, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct reading reading;
    try(reading_begin(&reading, s, e));
    int rc = give_run(s, id, row, ctx, e);
    if (rc == 0 && gap) rc = give_gaps(s, id, gap, ctx, e);
    reading_end(&reading);
    return rc;
}

/* --- days ------------------------------------------------------------------------------------- */

static int give_days(struct sqlite_store *s, int64_t since_ms, bool (*each)(void *, const struct run_day *), void *ctx, struct err *e)
{
    sqlite3_stmt *q;
    int rc;
    try(sq_take(&s->q, SQL_RUN_DAYS, &q, e));
    sq_int(q, 1, since_ms);
    while ((rc = sq_step(&s->q, q, e)) > 0) {
        struct run_result ignored;
        struct run_day d = {.day = sq_col_int(q, 0),
                            .connector = sq_col_text(q, 1),
                            .counts = {.created = (uint64_t)sq_col_int(q, 3),
                                       .changed = (uint64_t)sq_col_int(q, 4),
                                       .deleted = (uint64_t)sq_col_int(q, 5)}};
        if ((rc = read_kinds(s, sq_col_int(q, 2), &ignored, d.present, e)) < 0 || !each(ctx, &d)) break;
    }
    sq_give(&s->q, SQL_RUN_DAYS, q);
    return rc < 0 ? rc : 0;
}

int read_run_days(struct store *store, int64_t since_ms, bool (*each)(void *, const struct run_day *), void *ctx, struct err *e)
{
    struct reading reading;
    try(reading_begin(&reading, sqlite_of(store), e));
    int rc = give_days(sqlite_of(store), since_ms, each, ctx, e);
    reading_end(&reading);
    return rc;
}

/* --- the connector ---------------------------------------------------------------------------- */

static int read_facts(struct sqlite_store *s, int64_t run, struct domain_info *out, struct err *e)
{
    sqlite3_stmt *q;
    try(sq_take(&s->q, SQL_RUN_DOMAIN_GET, &q, e));
    sq_int(q, 1, run);
    int rc = sq_step(&s->q, q, e);
    struct bytes facts = rc > 0 ? arena_bytes(&s->strings, sq_col_blob(q, 0)) : (struct bytes){NULL, 0};
    sq_give(&s->q, SQL_RUN_DOMAIN_GET, q);
    return rc < 0 ? rc : domain_decode(out, facts, e);
}

static int read_source(struct sqlite_store *s, struct str name, struct str *out, struct err *e)
{
    sqlite3_stmt *q;
    try(sq_take(&s->q, SQL_CONNECTOR_GET, &q, e));
    sq_text(q, 1, name);
    int rc = sq_step(&s->q, q, e);
    if (rc > 0) *out = arena_str(&s->strings, sq_col_text(q, 1));
    sq_give(&s->q, SQL_CONNECTOR_GET, q);
    return rc < 0 ? rc : 0;
}

/* Once a visible run: what was given out before stays valid until the store is closed. */
static int read_state(struct sqlite_store *s, struct known_connector *c, struct err *e)
{
    struct run_result ignored;
    struct connector_state *out = &c->state;
    if (c->has_state) return 0;
    *out = (struct connector_state){.name = arena_str(&s->strings, str_from(c->name)),
                                    .visible_run = c->visible_run};
    try(read_source(s, out->name, &out->source, e));
    try(read_facts(s, c->visible_run, &out->domain, e));
    try(read_kinds(s, c->visible_run, &ignored, out->n_entities, e));
    c->has_state = true;
    return 0;
}

int read_connector_state(struct store *store, struct str name, struct connector_state *out, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct reading reading;
    try(reading_begin(&reading, s, e));
    struct known_connector *c;
    int rc = handle_connector_get(s, name, &c, e);
    if (rc == 0) rc = read_state(s, c, e);
    if (rc == 0) *out = c->state;
    reading_end(&reading);
    return rc;
}
