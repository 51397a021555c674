/* changes.c - routes of the change log: all of it, of one asset. */
#include "api/catalog_pool.h"

#include "base/jsonv.h"
#include "base/when.h"
#include "run/rows.h"

#include <stdio.h>
#include <stdlib.h>

#define SCAN_MAX   50000 /* rows that one page looks at: it may be short, and `next` says where it goes on */
#define BULK_LEAST 100

struct listing {
    struct store *store;
    json_t *items;
    int64_t limit, last;
    int64_t run; /* whose counts these are */
    struct run_result counts;
    bool has_more;
};

static void take_counts(void *ctx, const struct run_row *r)
{
    *(struct run_result *)ctx = r->result;
}

/* How many of its kind the run found so: a page folds them into one line. */
static uint64_t alike(struct listing *l, const struct change *c)
{
    struct err ignored;
    if (l->run != c->run) {
        l->counts = (struct run_result){0};
        if (store_run_get(l->store, c->run, take_counts, NULL, &l->counts, &ignored) < 0) return 0;
        l->run = c->run;
    }
    const struct run_counts *n = &l->counts.counts[c->kind];
    if (c->type == CHANGE_created || c->type == CHANGE_restored) return n->created;
    return c->type == CHANGE_deleted ? n->deleted : n->changed;
}

static bool add(void *ctx, const struct change *c)
{
    struct listing *l = ctx;
    if ((int64_t)json_array_size(l->items) == l->limit) return !(l->has_more = true);
    uint64_t n = alike(l, c);
    json_t *j = rows_change(c);
    if (n >= BULK_LEAST) jsonv_put(j, "bulk", json_integer((json_int_t)n));
    json_array_append_new(l->items, j);
    l->last = c->id;
    return true;
}

/* "c123": before this change. */
static int read_place(const struct request *q, int64_t *before, struct err *e)
{
    const char *after = request_query(q, "after");
    char *end = NULL;
    *before = 0;
    if (!after || !*after) return 0;
    long long n = *after == 'c' ? strtoll(after + 1, &end, 10) : 0;
    if (n <= 0 || *end) return err_set(e, ERR_INPUT, "after: this is not what next said");
    *before = n;
    return 0;
}

static int tell(struct request *q, struct store *s, struct change_query *query, struct err *e)
{
    struct listing l = {.store = s, .items = json_array()};
    int64_t stopped_at = 0;
    char next[32] = "";
    query->newest_first = true;
    query->scan_limit = SCAN_MAX;
    query->stopped_at = &stopped_at;
    int rc = request_number(q, "limit", 1, 1000, 50, &l.limit, e);
    if (rc == 0) rc = read_place(q, &query->before_change, e);
    if (rc == 0) rc = store_changes(s, query, add, &l, e);
    if (rc == ERR_NOTFOUND && query->connector.len) rc = 0; /* a connector that was never synced: as of a list of its assets */
    if (rc < 0) {
        json_decref(l.items);
        return rc;
    }
    int64_t at = l.has_more ? l.last : stopped_at;
    if (at) snprintf(next, sizeof next, "c%lld", (long long)at);
    return reply_json(q, 200, json_pack("{s:o, s:o}", "items", l.items, "next", at ? json_string(next) : json_null()));
}

/* --- all ------------------------------------------------------------------------------------------------------------ */

static struct str param(const struct request *q, const char *name)
{
    const char *v = request_query(q, name);
    return v ? str_from(v) : (struct str){"", 0};
}

static int read_types(struct str list, unsigned *out, struct err *e)
{
    while (list.len) {
        size_t comma = str_index(list, ',');
        struct str one = str_trim((struct str){list.ptr, comma});
        enum change_type t = change_type_parse(one);
        if (!t) {
            err_set(e, ERR_INPUT, "change: \"%.*s\" is no kind of change", STR_FMT(one));
            return err_hint(e, "created, modified, moved, renamed, deleted, restored, member_added, member_removed; commas between");
        }
        *out |= 1u << t;
        comma += comma < list.len;
        list = (struct str){list.ptr + comma, list.len - comma};
    }
    return 0;
}

static int read_time(const struct request *q, const char *name, int64_t *out, struct err *e)
{
    struct str text = param(q, name);
    if (!text.len || when_parse(out, text)) return 0;
    err_set(e, ERR_INPUT, "%s: \"%.*s\" is no time", name, STR_FMT(text));
    return err_hint(e, "as RFC 3339 has it: 2026-01-04T10:12:00Z");
}

static int list(struct request *q, struct err *e)
{
    struct change_query query = {.connector = param(q, "connector"), .attribute = param(q, "attribute"), .search = param(q, "q")};
    struct str kinds = param(q, "kind"), bad;
    struct store *s;
    if (kinds.len && !kind_set_parse(&query.kinds, kinds, &bad)) return err_set(e, ERR_INPUT, "kind: there is no kind \"%.*s\"", STR_FMT(bad));
    try(read_types(param(q, "change"), &query.types, e));
    try(request_number(q, "run", 0, INT64_MAX, 0, &query.run, e));
    try(read_time(q, "since", &query.since_ms, e));
    try(read_time(q, "until", &query.until_ms, e));
    int rc = request_store(q, &s, e);
    if (rc == ERR_NOTFOUND) return reply_json(q, 200, json_pack("{s:[], s:n}", "items", "next"));
    return rc < 0 ? rc : tell(q, s, &query, e);
}

/* --- of one asset ------------------------------------------------------------------------------------------------------ */

static int take_id(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e)
{
    (void)q, (void)s, (void)e;
    *(int64_t *)ctx = x->id;
    return 0;
}

static int history(struct request *q, struct err *e)
{
    struct change_query query = {0};
    struct store *s;
    try(asset_get(q, take_id, &query.entity_id, e));
    try(request_store(q, &s, e));
    return tell(q, s, &query, e);
}

const struct route routes_changes[] = {
    {"GET", "/api/v1/changes", RIGHT_VIEW, list, "What changed, newest first", "connector kind change attribute q run since until limit after", NULL, 0, LANE_ANY},
    {"GET", "/api/v1/assets/{connector}/{uid}/history", RIGHT_VIEW, history, "What happened to one asset, its memberships too; newest first", "limit after", NULL, 0, LANE_ANY},
    {0},
};
