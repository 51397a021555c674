#include "store/sqlite/hints.h"
#include "store/sqlite/lease.h"
#include "store/sqlite/write.h"

#include <stdio.h>

/* --- gaps that only the store knows ----------------------------------------------------------- */

/* A listing that was not proved complete, and of which nobody said why. */
static int tell_incomplete(struct sqlite_run *r, struct err *e)
{
    for (enum kind k = 1; k < KIND_COUNT; k++) {
        kind_set bit = KIND_BIT(k);
        if (!(r->done & bit) || (r->complete & bit) || (r->with_loss & bit) || r->was_loss_anywhere) continue;
        char what[96];
        snprintf(what, sizeof what, "the listing of %s was not proved complete", kind_plural(k));
        struct gap g = {.kind = k, .severity = GAP_LOSS, .what = str_from(what), .fix = STR("run it again")};
        try(write_gap(r, &g, e));
    }
    return 0;
}

static int tell_held(struct sqlite_run *r, struct err *e)
{
    for (enum kind k = 1; k < KIND_COUNT; k++) {
        if (!r->held[k]) continue;
        char what[160];
        snprintf(what, sizeof what,
                 "%llu of %llu %s are absent from a complete listing; none was marked as deleted",
                 (unsigned long long)r->held[k], (unsigned long long)r->present_before[k], kind_plural(k));
        struct gap g = {.kind = k,
                        .severity = GAP_INFO,
                        .what = str_from(what),
                        .fix = STR("check the account's permissions; if they are gone: --accept-deletions")};
        try(write_gap(r, &g, e));
    }
    return 0;
}

/* --- the last transaction --------------------------------------------------------------------- */

static enum run_status status_of(const struct sqlite_run *r)
{
    if (r->needs_attention) return RUN_NEEDS_ATTENTION;
    return r->n_gaps[GAP_LOSS] ? RUN_PARTIAL : RUN_COMPLETE;
}

static int write_kinds(struct sqlite_run *r, struct err *e)
{
    for (enum kind k = 1; k < KIND_COUNT; k++) {
        const struct run_counts *c = &r->counts[k];
        if (!c->read && !c->deleted && !r->present[k] && !r->held[k] && !(r->done & KIND_BIT(k))) continue;
        try(SQ_DO(&r->s->q, SQL_RUN_KIND_PUT, e, r->id, k, (int64_t)c->read, (int64_t)c->created,
                  (int64_t)c->changed, (int64_t)c->deleted, (int64_t)r->held[k], (int64_t)r->present[k]));
    }
    return 0;
}

static int write_end(struct sqlite_run *r, const struct run_end *end, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_RUN_END, &s, e));
    sq_int(s, 1, r->id);
    sq_int(s, 2, status_of(r));
    sq_int(s, 3, end->ended_ms);
    sq_text(s, 4, end->server);
    sq_int(s, 5, (int64_t)end->requests);
    sq_int(s, 6, (int64_t)end->bytes);
    sq_int(s, 7, r->n_changes);
    sq_int(s, 8, (int64_t)r->members_added);
    sq_int(s, 9, (int64_t)r->members_removed);
    sq_int(s, 10, r->n_gaps[GAP_INFO]);
    sq_int(s, 11, r->n_gaps[GAP_LOSS]);
    sq_blob(s, 12, buf_bytes(&r->domain));
    sq_text(s, 13, buf_str(&r->mode));
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_RUN_END, s);
    return rc;
}

static int switch_visible(struct sqlite_run *r, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_CONNECTOR_SWITCH, &s, e));
    sq_int(s, 1, r->connector);
    sq_int(s, 2, r->id);
    sq_text(s, 3, buf_str(&r->source));
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_CONNECTOR_SWITCH, s);
    return rc;
}

/* Everything before was committed without waiting for the disk; this commit waits for all of it. */
static int make_visible(struct sqlite_run *r, const struct run_end *end, struct err *e)
{
    try(batch_commit(r, e));
    try(sq_exec(&r->s->q, "PRAGMA synchronous = FULL", e));
    try(batch_open(r, e));
    try(write_kinds(r, e));
    try(write_end(r, end, e));
    try(switch_visible(r, e));
    try(notes_write(r, e));
    try(lease_drop(r, e));
    return batch_commit(r, e);
}

/* --- afterwards: nothing here can fail the run ------------------------------------------------ */

static void tidy_up(struct sqlite_run *r)
{
    struct err ignored;
    if (purge_touched(r, &ignored) < 0) batch_rollback(r); /* the next run does it */
    if (r->is_rollback_mode && journal_set(r, "PRAGMA journal_mode = WAL", &ignored) < 0) return;
    if (sq_exec(&r->s->q, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384", &ignored) < 0) return;
}

static void fill_result(const struct sqlite_run *r, struct run_result *out)
{
    *out = (struct run_result){.id = r->id,
                               .status = status_of(r),
                               .n_members_added = r->members_added,
                               .n_members_removed = r->members_removed,
                               .n_changes = (uint64_t)r->n_changes,
                               .n_gaps_info = r->n_gaps[GAP_INFO],
                               .n_gaps_loss = r->n_gaps[GAP_LOSS]};
    memcpy(out->counts, r->counts, sizeof out->counts);
    memcpy(out->held, r->held, sizeof out->held);
}

static int write_all(struct sqlite_run *r, const struct run_end *end, struct err *e)
{
    if (r->list.is_open) return err_set(e, ERR_PROTO, "the stream ended within a member list");
    r->is_ending = true;
    try(tell_incomplete(r, e));
    try(batch_open(r, e));
    try(SQ_DO(&r->s->q, SQL_RUN_PHASE, e, r->id, 1));
    try(batch_commit(r, e));
    try(gone_write(r, end->accept_deletions, e));
    try(tell_held(r, e));
    try(hints_write(r, e));
    try(batch_commit(r, e)); /* what follows reads what this run wrote */
    try(members_resolve(r, e));
    try(batch_commit(r, e));
    try(apply_differences(r, e));
    return make_visible(r, end, e);
}

int run_end(struct store_run *run, const struct run_end *end, struct run_result *result, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    try(write_all(r, end, e));
    fill_result(r, result);
    tidy_up(r);
    run_free(r);
    return 0;
}

/* --- the other end ---------------------------------------------------------------------------- */

static int write_failure(struct sqlite_run *r, const struct err *why, int64_t ended_ms, struct err *e)
{
    sqlite3_stmt *s;
    try(batch_open(r, e));
    try(sq_take(&r->s->q, SQL_RUN_FAIL, &s, e));
    sq_int(s, 1, r->id);
    sq_int(s, 2, ended_ms);
    sq_text(s, 3, str_from(err_class_name((int)why->class)));
    sq_text(s, 4, str_from(why->message));
    sq_text(s, 5, str_from(why->hint));
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_RUN_FAIL, s);
    if (rc == 0) rc = lease_drop(r, e);
    return rc < 0 ? rc : batch_commit(r, e);
}

/* An error after the last commit must not undo what is visible. */
static bool is_visible(struct sqlite_run *r)
{
    struct err ignored;
    int64_t status = RUN_RUNNING;
    const int64_t id[] = {r->id};
    return sq_get_number(&r->s->q, SQL_RUN_STATUS, 1, id, &status, &ignored) == 0 && status != RUN_RUNNING;
}

static int undo(struct sqlite_run *r, const struct err *why, int64_t ended_ms, struct err *e)
{
    if (is_visible(r)) return 0;
    try(purge_failed(r, r->id, true, &r->written, e));
    return write_failure(r, why, ended_ms, e);
}

/* If even this fails (a full disk), the run stays marked as running; the next one finds it, without its lock,
 * and cleans up. */
void run_abort(struct store_run *run, const struct err *why, int64_t ended_ms)
{
    struct sqlite_run *r = run_of(run);
    struct err ignored;
    batch_rollback(r);
    if (undo(r, why, ended_ms, &ignored) < 0) batch_rollback(r);
    if (r->is_rollback_mode && journal_set(r, "PRAGMA journal_mode = WAL", &ignored) < 0) batch_rollback(r);
    run_free(r);
}
