#include "store/sqlite/read.h"

/* change_id is run << 30 | number, so a run's rows are one range; runs that are not visible are not in the
 * handle's list. */

struct reporting {
    struct sqlite_store *s;
    const struct change_query *q;
    struct known_connector *only; /* NULL: all connectors */
    bool (*each)(void *, const struct change *);
    void *ctx;
    int64_t n, looked;
    struct buf needle, hay;
    bool is_stopped;
};

/* --- one row ---------------------------------------------------------------------------------- */

static int guid_of(struct sqlite_store *s, int64_t entity_id, uint8_t out[GUID_SIZE], struct err *e)
{
    struct version v;
    bool found = false;
    struct known_connector *c = handle_connector(s, connector_of(entity_id));
    memset(out, 0, GUID_SIZE);
    if (c) try(version_get(s, entity_id_of(c->id, seq_of(entity_id)), c->visible_run, &v, &found, NULL, e));
    if (found) memcpy(out, v.guid, GUID_SIZE);
    return 0;
}

static bool contains(struct reporting *p, struct str text)
{
    return text_has_folded(&p->hay, text, buf_str(&p->needle));
}

static bool passes(struct reporting *p, const struct change *x, int64_t member_id)
{
    const struct change_query *q = p->q;
    if (q->kinds && !(q->kinds & KIND_BIT(x->kind))) return false;
    if (q->types && !(q->types >> x->type & 1)) return false;
    if (q->attribute.len && !str_equal(q->attribute, x->attribute)) return false;
    if (q->entity_id && x->entity_id != q->entity_id && member_id != q->entity_id) return false;
    return !p->needle.len || contains(p, x->name) || contains(p, x->member_name);
}

/* true: so many rows were looked at that the rest is another call's. */
static bool is_enough(struct reporting *p, int64_t change_id)
{
    if (!p->q->scan_limit || ++p->looked < p->q->scan_limit) return false;
    if (p->q->stopped_at) *p->q->stopped_at = change_id;
    p->is_stopped = true;
    return true;
}

static int give_row(struct reporting *p, const struct known_run *run, sqlite3_stmt *row, struct err *e)
{
    struct known_connector *c = handle_connector(p->s, run->connector);
    int64_t entity_id = sq_col_int(row, 1), member_id = sq_col_int(row, 8);
    struct change out = {.id = sq_col_int(row, 0),
                         .run = run->id,
                         .time_ms = run->ended_ms,
                         .connector = c ? str_from(c->name) : STR(""),
                         .kind = (enum kind)sq_col_int(row, 2),
                         .entity_id = entity_id,
                         .name = sq_col_text(row, 4),
                         .type = (enum change_type)sq_col_int(row, 3),
                         .attribute = sq_col_text(row, 5),
                         .old = sq_col_blob(row, 6),
                         .new = sq_col_blob(row, 7),
                         .member_kind = (enum kind)sq_col_int(row, 9),
                         .member_name = sq_col_text(row, 10),
                         .evidence = (enum evidence)sq_col_int(row, 11)};
    bool is_last = is_enough(p, out.id);
    if (!passes(p, &out, member_id)) return 0;
    try(guid_of(p->s, entity_id, out.guid, e));
    if (member_id) try(guid_of(p->s, member_id, out.member_guid, e));
    p->n++;
    p->is_stopped = !p->each(p->ctx, &out) || p->n == p->q->limit || is_last;
    return 0;
}

/* --- by run ----------------------------------------------------------------------------------- */

static bool wants_run(const struct reporting *p, const struct known_run *run)
{
    const struct change_query *q = p->q;
    if (!run->n_changes || (p->only && run->connector != p->only->id)) return false;
    if (q->run && run->id != q->run) return false;
    if (run->id <= q->since_run) return false;
    if ((q->since_ms && run->ended_ms < q->since_ms) || (q->until_ms && run->ended_ms >= q->until_ms)) return false;
    if (q->before_change && q->before_change <= first_change_of(run->id)) return false;
    return q->after_change < first_change_of(run->id + 1);
}

static int give_rows(struct reporting *p, const struct known_run *run, sqlite3_stmt *rows, struct err *e)
{
    int rc;
    while (!p->is_stopped && (rc = sq_step(&p->s->q, rows, e)) != 0) {
        if (rc < 0) return rc;
        try(give_row(p, run, rows, e));
    }
    return 0;
}

static int give_run(struct reporting *p, const struct known_run *run, struct err *e)
{
    enum sql id = p->q->newest_first ? SQL_CHANGE_DOWN : SQL_CHANGE_UP;
    int64_t first = first_change_of(run->id);
    sqlite3_stmt *rows;
    if (p->is_stopped || !wants_run(p, run)) return 0;
    try(sq_take(&p->s->q, id, &rows, e));
    sq_int(rows, 1, p->q->after_change >= first ? p->q->after_change + 1 : first);
    int64_t end = first_change_of(run->id + 1);
    sq_int(rows, 2, p->q->before_change && p->q->before_change < end ? p->q->before_change : end);
    int rc = give_rows(p, run, rows, e);
    sq_give(&p->s->q, id, rows);
    return rc;
}

static int give_all(struct reporting *p, struct err *e)
{
    size_t n = p->s->n_runs;
    for (size_t i = 0; i < n; i++) try(give_run(p, &p->s->runs[p->q->newest_first ? n - 1 - i : i], e));
    return 0;
}

/* --- by entity -------------------------------------------------------------------------------- */

static const struct known_run *run_of_change(const struct sqlite_store *s, int64_t change_id)
{
    int64_t run = change_id >> CHANGE_BITS;
    for (size_t i = s->n_runs; i > 0; i--)
        if (s->runs[i - 1].id == run) return &s->runs[i - 1];
    return NULL;
}

static int give_history(struct reporting *p, struct err *e)
{
    enum sql id = p->q->newest_first ? SQL_CHANGE_OF_DOWN : SQL_CHANGE_OF_UP;
    sqlite3_stmt *rows;
    int rc = 0;
    try(sq_take(&p->s->q, id, &rows, e));
    sq_int(rows, 1, p->q->entity_id);
    if (p->q->newest_first) sq_int(rows, 2, p->q->before_change ? p->q->before_change : INT64_MAX);
    while (!p->is_stopped && (rc = sq_step(&p->s->q, rows, e)) > 0) {
        int64_t change_id = sq_col_int(rows, 0);
        const struct known_run *run = run_of_change(p->s, change_id);
        bool is_behind = p->q->before_change && change_id >= p->q->before_change;
        if (!run || is_behind || change_id <= p->q->after_change || !wants_run(p, run)) continue;
        if ((rc = give_row(p, run, rows, e)) < 0) break;
    }
    sq_give(&p->s->q, id, rows);
    return rc < 0 ? rc : 0;
}

int read_changes(struct store *store, const struct change_query *q,
                 bool (*each)(void *, const struct change *), void *ctx, struct err *e)
{
    struct reporting p = {.s = sqlite_of(store), .q = q, .each = each, .ctx = ctx};
    struct reading reading;
    int rc = 0;
    if (q->stopped_at) *q->stopped_at = 0;
    try(reading_begin(&reading, p.s, e));
    p.needle = buf_new((size_t)1 << 20);
    p.hay = buf_new((size_t)64 << 20);
    text_fold(&p.needle, q->search);
    if (q->connector.len) rc = handle_connector_get(p.s, q->connector, &p.only, e);
    if (rc == 0) rc = q->entity_id ? give_history(&p, e) : give_all(&p, e);
    buf_free(&p.needle);
    buf_free(&p.hay);
    reading_end(&reading);
    return rc;
}

/* --- cursors ---------------------------------------------------------------------------------- */

static int with_cursor(struct sqlite_store *s, struct known_connector *c, struct str sink, int64_t *change_id,
                       struct err *e)
{
    sqlite3_stmt *q;
    *change_id = 0;
    try(sq_take(&s->q, SQL_CURSOR_GET, &q, e));
    sq_int(q, 1, c->id);
    sq_text(q, 2, sink);
    int rc = sq_step(&s->q, q, e);
    if (rc > 0) *change_id = sq_col_int(q, 0);
    sq_give(&s->q, SQL_CURSOR_GET, q);
    return rc < 0 ? rc : 0;
}

int cursor_get(struct store *store, struct str connector, struct str sink, int64_t *change_id, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct known_connector *c;
    struct reading reading;
    try(reading_begin(&reading, s, e));
    int rc = handle_connector_get(s, connector, &c, e);
    if (rc == 0) rc = with_cursor(s, c, sink, change_id, e);
    reading_end(&reading);
    return rc;
}

int cursor_put(struct store *store, struct str connector, struct str sink, int64_t change_id, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct known_connector *c;
    struct reading reading;
    sqlite3_stmt *q;
    try(reading_begin(&reading, s, e));
    int rc = handle_connector_get(s, connector, &c, e);
    int64_t id = rc == 0 ? c->id : 0;
    reading_end(&reading);
    if (rc < 0) return rc;
    try(sq_take(&s->q, SQL_CURSOR_PUT, &q, e));
    sq_int(q, 1, id);
    sq_text(q, 2, sink);
    sq_int(q, 3, change_id);
    rc = sq_run(&s->q, q, e);
    sq_give(&s->q, SQL_CURSOR_PUT, q);
    return rc;
}

static int count_behind(struct sqlite_store *s, int64_t connector, int64_t change_id, uint64_t *n,
                        struct err *e)
{
    *n = 0;
    for (size_t i = 0; i < s->n_runs; i++) {
        const struct known_run *run = &s->runs[i];
        int64_t end = first_change_of(run->id + 1), some = 0;
        if (run->connector != connector || change_id >= end) continue;
        if (change_id < first_change_of(run->id)) {
            *n += (uint64_t)run->n_changes;
            continue;
        }
        const int64_t range[] = {change_id + 1, end};
        try(sq_get_number(&s->q, SQL_CHANGE_COUNT, 2, range, &some, e));
        *n += (uint64_t)some;
    }
    return 0;
}

int cursor_behind(struct store *store, struct str connector, struct str sink, uint64_t *n, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct known_connector *c;
    struct reading reading;
    int64_t change_id = 0;
    try(reading_begin(&reading, s, e));
    int rc = handle_connector_get(s, connector, &c, e);
    if (rc == 0) rc = with_cursor(s, c, sink, &change_id, e);
    if (rc == 0) rc = count_behind(s, c->id, change_id, n, e);
    reading_end(&reading);
    return rc;
}
