#include "store/sqlite/lease.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/write.h"

#include <stdlib.h>
#include <unistd.h>

#define LIST_MAX (SIZE_MAX / 2) /* lists are read from our own file */
#define MEMBER_KINDS_AD                                                                                      \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_group) | KIND_BIT(KIND_service_account) | \
     KIND_BIT(KIND_contact) | KIND_BIT(KIND_foreign_principal))

/* --- the life of the struct ------------------------------------------------------------------- */

static struct sqlite_run *run_new(struct sqlite_store *s, const struct run_start *start)
{
    struct sqlite_run *r = x_zalloc(sizeof *r);
    r->base.engine = &engine_sqlite;
    r->s = s;
    r->lock_fd = -1;
    r->prior.stats = arena_new((size_t)128 << 20);
    r->roster = roster_new(&s->key);
    r->hints = sorter_new();
    r->by_group = sorter_new();
    r->by_member = sorter_new();
    r->primaries = tape_new();
    r->lookup = lookup_new(&s->key);
    r->domain = buf_new((size_t)1 << 20);
    r->domain_sid = buf_new(128);
    r->listed_base = buf_new((size_t)1 << 20);
    r->source = buf_new(256);
    r->notes = buf_new((size_t)64 << 20);
    r->mode = buf_new(64);
    buf_add_str(&r->mode, start->mode);
    r->old_list = buf_new(LIST_MAX);
    r->new_list = buf_new(LIST_MAX);
    r->kept_state = buf_new((size_t)64 << 20);
    r->kept_stats = buf_new((size_t)64 << 20);
    r->versions = bulk_new(13);
    r->bodies = bulk_new(6);
    r->changes = bulk_new(12);
    r->links = bulk_new(4);
    r->gaps = bulk_new(7);
    r->hint_rows = bulk_new(3);
    r->sds.rows = bulk_new(4);
    r->gone_names = tape_new();
    r->gone_owners = sorter_new();
    r->list.stats = buf_new((size_t)64 << 20);
    r->is_filtered = start->is_filtered;
    r->member_kinds = start->member_kinds ? start->member_kinds : MEMBER_KINDS_AD;
    r->has_listed_base = start->listed_base.len > 0;
    buf_add_str(&r->listed_base, start->listed_base);
    buf_add_str(&r->source, start->source);
    return r;
}

void run_free(struct sqlite_run *r)
{
    struct idset *sets[] = {&r->seen, &r->written, &r->embodied, &r->linked, &r->relisted, &r->changed,
                            &r->there,   &r->deleted, &r->vanished};
    struct sorter *sorters[] = {&r->hints, &r->by_group, &r->by_member};
    struct buf *bufs[] = {&r->domain,   &r->domain_sid, &r->listed_base, &r->source,
                          &r->old_list, &r->new_list,   &r->list.stats,  &r->notes,      &r->mode,
                          &r->kept_state, &r->kept_stats};
    struct bulk *bulks[] = {&r->versions, &r->bodies, &r->changes, &r->links, &r->gaps, &r->hint_rows};
    for (size_t i = 0; i < n_elements(bulks); i++) bulk_free(bulks[i]);
    for (size_t i = 0; i < n_elements(sets); i++) idset_free(sets[i]);
    for (size_t i = 0; i < n_elements(sorters); i++) sorter_free(sorters[i]);
    for (size_t i = 0; i < n_elements(bufs); i++) buf_free(bufs[i]);
    roster_free(&r->roster);
    identities_free(&r->identities);
    tape_free(&r->primaries);
    lookup_free(&r->lookup);
    arena_free(&r->prior.stats);
    sds_free(&r->sds);
    tape_free(&r->gone_names);
    sorter_free(&r->gone_owners);
    if (r->lock_fd >= 0) close(r->lock_fd);
    r->s->is_stale = true;
    free(r);
}

/* --- the connector ---------------------------------------------------------------------------- */

int connector_check_name(struct str name, struct err *e)
{
    bool fine = name.len >= 1 && name.len <= 64;
    for (size_t i = 0; fine && i < name.len; i++) {
        char c = name.ptr[i];
        fine = ascii_is_alnum(c) || c == '_' || c == '-';
    }
    return fine ? 0 : err_set(e, ERR_INPUT, "connector name: 1 to 64 of A-Z a-z 0-9 _ -");
}

int connector_find(struct sq *q, struct str name, struct connector_row *row, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(q, SQL_CONNECTOR_GET, &s, e));
    sq_text(s, 1, name);
    int rc = sq_step(q, s, e);
    if (rc > 0)
        *row = (struct connector_row){sq_col_int(s, 0), sq_col_int(s, 2), sq_col_int(s, 3), sq_col_int(s, 4)};
    sq_give(q, SQL_CONNECTOR_GET, s);
    return rc;
}

int connector_add(struct sq *q, struct str name, struct str source, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(q, SQL_CONNECTOR_NEW, &s, e));
    sq_text(s, 1, name);
    sq_text(s, 2, source);
    int rc = sq_run(q, s, e);
    sq_give(q, SQL_CONNECTOR_NEW, s);
    return rc;
}

static int take_connector(struct sqlite_run *r, const struct run_start *start, int64_t *purged, struct err *e)
{
    struct connector_row row = {0};
    struct sq *q = &r->s->q;
    int rc = connector_find(q, start->connector, &row, e);
    if (rc == 0) {
        try(connector_add(q, start->connector, start->source, e));
        rc = connector_find(q, start->connector, &row, e);
    }
    if (rc < 0) return rc;
    if (row.id >= (int64_t)1 << 20)
        return err_set(e, ERR_LIMIT, "store %s: too many connectors", q->path);
    r->connector = row.id;
    r->visible = row.visible;
    r->is_baseline = !row.visible;
    r->next_seq = r->first_new = r->saved_next_seq = (uint32_t)row.next_seq;
    *purged = row.purged;
    return 0;
}

/* --- what an earlier run left ----------------------------------------------------------------- */

static int fail_crashed(struct sqlite_run *r, int64_t run, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s;
    try(batch_open(r, e));
    try(sq_take(&r->s->q, SQL_RUN_FAIL, &s, e));
    sq_int(s, 1, run);
    sq_int(s, 2, now_ms);
    sq_text(s, 3, STR("CANCEL"));
    sq_text(s, 4, STR("the process ended before the run did (killed, crashed or power lost)"));
    sq_text(s, 5, STR("nothing to do: what was visible stayed, and this run's rows are gone"));
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_RUN_FAIL, s);
    return rc < 0 ? rc : batch_commit(r, e);
}

/* Another run that is under way although the lease is ours: its process is gone, or was taken over from. */
static int find_crashed(struct sqlite_run *r, int64_t *run, int64_t *phase, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_RUN_RUNNING, &s, e));
    sq_int(s, 1, r->connector);
    sq_int(s, 2, r->id);
    int rc = sq_step(&r->s->q, s, e);
    if (rc > 0) *run = sq_col_int(s, 0), *phase = sq_col_int(s, 1);
    sq_give(&r->s->q, SQL_RUN_RUNNING, s);
    return rc;
}

static int clean_up(struct sqlite_run *r, int64_t purged, int64_t now_ms, struct err *e)
{
    int64_t run = 0, phase = 0;
    int rc;
    while ((rc = find_crashed(r, &run, &phase, e)) > 0) {
        try(purge_failed(r, run, phase > 0, NULL, e));
        try(fail_crashed(r, run, now_ms, e));
    }
    if (rc < 0) return rc;
    return purged < r->visible ? purge_all(r, e) : 0;
}

/* --- how the file is written ------------------------------------------------------------------ */

/* In a file that nobody can read anything from yet, a rollback journal is used: pages that are only appended
 * are then written once, not to a WAL and from there again (measured: 1.5 against 3-5 us a row of 1.5 KB). It
 * needs the file for itself for a moment; if it does not get that, or once anything is visible, WAL it is,
 * where readers never wait. */
int journal_set(struct sqlite_run *r, const char *pragma, struct err *e)
{
    char mode[16];
    struct err refused;
    sqlite3_busy_timeout(r->s->q.db, 0); /* now or not at all */
    int rc = sq_word(&r->s->q, pragma, mode, sizeof mode, &refused);
    r->is_rollback_mode = rc == 0 && strcmp(mode, "delete") == 0;
    sqlite3_busy_timeout(r->s->q.db, SQ_BUSY_MS);
    return sq_exec(&r->s->q, "PRAGMA cache_size = -24576", e);
}

static int choose_journal(struct sqlite_run *r, struct err *e)
{
    int64_t n_visible = 0, n_connectors = 0;
    try(sq_get_number(&r->s->q, SQL_CONNECTORS_VISIBLE, 0, NULL, &n_visible, e));
    try(sq_get_number(&r->s->q, SQL_CONNECTORS_ALL, 0, NULL, &n_connectors, e));
    r->has_neighbours = n_connectors > 1;
    return journal_set(
        r, n_visible || r->has_neighbours ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE", e);
}

/* --- the run's row ---------------------------------------------------------------------------- */

static int add_run(struct sqlite_run *r, const struct run_start *start, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_get_number(&r->s->q, SQL_RUN_NEXT_ID, 0, NULL, &r->id, e));
    try(sq_take(&r->s->q, SQL_RUN_NEW, &s, e));
    sq_int(s, 1, r->id);
    sq_int(s, 2, r->connector);
    sq_text(s, 3, start->mode);
    sq_int(s, 4, start->started_ms);
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_RUN_NEW, s);
    return rc;
}

static int read_present(struct sqlite_run *r, struct err *e)
{
    sqlite3_stmt *s;
    int rc;
    try(sq_take(&r->s->q, SQL_RUN_KINDS, &s, e));
    sq_int(s, 1, r->visible);
    while ((rc = sq_step(&r->s->q, s, e)) > 0) {
        int64_t k = sq_col_int(s, 0);
        if (k > 0 && k < KIND_COUNT) r->present_before[k] = r->present[k] = (uint64_t)sq_col_int(s, 6);
    }
    sq_give(&r->s->q, SQL_RUN_KINDS, s);
    return rc;
}

/* Domain facts stay what they were until the stream tells. */
static int read_domain(struct sqlite_run *r, struct err *e)
{
    struct domain_info d;
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_RUN_DOMAIN_GET, &s, e));
    sq_int(s, 1, r->visible);
    int rc = sq_step(&r->s->q, s, e);
    if (rc > 0) buf_add_bytes(&r->domain, sq_col_blob(s, 0));
    sq_give(&r->s->q, SQL_RUN_DOMAIN_GET, s);
    if (rc < 0) return rc;
    try(domain_decode(&d, buf_bytes(&r->domain), e));
    buf_add_bytes(&r->domain_sid, d.sid);
    if (!r->has_listed_base) buf_add_str(&r->listed_base, d.base);
    return 0;
}

/* The lock, then, in one transaction, the connector, the run's row and the lease: from here on nobody else writes. */
static int take_run(struct sqlite_run *r, const struct run_start *start, int64_t *purged, struct err *e)
{
    struct err held;
    int locked = lock_take(&r->lock_fd, r->s->q.path, start->connector, start->started_ms, &held);
    int64_t since_ms = locked < 0 ? lock_since(r->s->q.path, start->connector) : 0;
    if (locked < 0) *e = held;
    if (locked < 0 && locked != ERR_CONFLICT) return locked;
    try(batch_open(r, e));
    try(take_connector(r, start, purged, e));
    try(add_run(r, start, e));
    try(lease_take(r, locked < 0 ? &held : NULL, since_ms, e));
    try(batch_commit(r, e));
    r->is_ours = true;
    return locked < 0 ? lock_replace(&r->lock_fd, r->s->q.path, start->connector, start->started_ms, e) : 0;
}

static int begin(struct sqlite_run *r, const struct run_start *start, struct err *e)
{
    int64_t purged = 0;
    try(connector_check_name(start->connector, e));
    try(take_run(r, start, &purged, e));
    try(clean_up(r, purged, start->started_ms, e));
    try(choose_journal(r, e));
    try(read_present(r, e));
    return read_domain(r, e);
}

int run_begin(struct store_run **out, struct store *store, const struct run_start *start, struct err *e)
{
    struct sqlite_run *r = run_new(sqlite_of(store), start);
    int rc = begin(r, start, e);
    if (rc < 0 && r->is_ours) {
        run_abort(&r->base, e, start->started_ms);
        return rc;
    }
    if (rc < 0) {
        batch_rollback(r);
        run_free(r);
        return rc;
    }
    *out = &r->base;
    return 0;
}
