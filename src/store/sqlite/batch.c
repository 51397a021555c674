#include "base/when.h"
#include "store/sqlite/lease.h"
#include "store/sqlite/write.h"

#include <time.h>

/* Small enough that the pages of a batch stay in the cache and another connector's writer waits less than a
 * moment; large enough that a commit is nothing. */
#define BATCH_ROWS  ((size_t)16384)
#define BATCH_BYTES ((size_t)8 << 20)
#define BATCH_MS    500      /* of a transaction */
#define TURN_NS     2000000L /* a waiting writer looks every millisecond or so */

int batch_open(struct sqlite_run *r, struct err *e)
{
    if (r->in_transaction) return 0;
    try(sq_exec(&r->s->q, "BEGIN IMMEDIATE", e));
    r->in_transaction = true;
    r->batch_started_ms = when_monotonic_ms();
    return r->id ? lease_prove(r, e) : 0;
}

static bool is_enough(const struct sqlite_run *r)
{
    if (r->batch_rows >= BATCH_ROWS || r->batch_bytes >= BATCH_BYTES || identities_are_many(&r->identities))
        return true;
    return r->in_transaction && r->batch_rows % 64 == 0 &&
           when_monotonic_ms() - r->batch_started_ms >= BATCH_MS;
}

int batch_wrote(struct sqlite_run *r, size_t bytes, struct err *e)
{
    r->batch_rows++;
    r->batch_bytes += bytes;
    return is_enough(r) ? batch_commit(r, e) : 0;
}

/* What waits, and the statement that writes it, in this order. */
struct waiting {
    struct bulk *rows;
    enum sql insert;
};
#define N_WAITING 7

static void waiting_rows(struct sqlite_run *r, struct waiting out[N_WAITING])
{
    const struct waiting all[N_WAITING] = {{&r->sds.rows, SQL_SD_BULK},     {&r->versions, SQL_VERSION_BULK},
                                           {&r->bodies, SQL_BODY_BULK},     {&r->changes, SQL_CHANGE_BULK},
                                           {&r->links, SQL_LINKS_BULK},     {&r->gaps, SQL_GAP_BULK},
                                           {&r->hint_rows, SQL_LOOKUP_BULK}};
    memcpy(out, all, sizeof all);
}

static bool has_rows(struct sqlite_run *r)
{
    struct waiting all[N_WAITING];
    size_t n = 0;
    waiting_rows(r, all);
    for (size_t i = 0; i < N_WAITING; i++) n += all[i].rows->n_cells;
    return n > 0;
}

static int write_rows(struct sqlite_run *r, struct err *e)
{
    struct waiting all[N_WAITING];
    struct sq *q = &r->s->q;
    waiting_rows(r, all);
    for (size_t i = 0; i < N_WAITING; i++) try(bulk_write(q, all[i].rows, all[i].insert, e));
    hmap_free(&r->sds.waiting);
    if (identities_are_many(&r->identities) || r->is_ending)
        try(identities_write(&r->identities, q, r->connector, e));
    if (r->next_seq == r->saved_next_seq) return 0;
    return SQ_DO(q, SQL_CONNECTOR_NEXT_SEQ, e, r->connector, r->next_seq);
}

int batch_commit(struct sqlite_run *r, struct err *e)
{
    static const struct timespec turn = {0, TURN_NS};
    r->batch_rows = r->batch_bytes = 0;
    if (!r->in_transaction && !has_rows(r) && !lease_is_old(r)) return 0;
    try(batch_open(r, e));
    try(write_rows(r, e));
    try(lease_renew(r, e));
    try(sq_exec(&r->s->q, "COMMIT", e));
    r->saved_next_seq = r->next_seq;
    r->in_transaction = false;
    r->s->is_stale = true;
    if (r->has_neighbours) nanosleep(&turn, NULL); /* SQLite's lock is no queue: step aside for a moment */
    return 0;
}

void batch_rollback(struct sqlite_run *r)
{
    struct waiting all[N_WAITING];
    waiting_rows(r, all);
    for (size_t i = 0; i < N_WAITING; i++) bulk_free(all[i].rows);
    identities_free(&r->identities);
    if (!sqlite3_get_autocommit(r->s->q.db)) sqlite3_exec(r->s->q.db, "ROLLBACK", NULL, NULL, NULL);
    r->in_transaction = false;
}
