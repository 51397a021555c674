/* lease.h - whose run of a connector it is: a fencing token that every transaction of a run proves to be the newest.
 *
 * The lock (lock.h) tells processes of one machine at once, but not those of another, and a process that hangs keeps it for ever. So a run also takes a
 * lease: its token is the run's id, which only grows; it expires LEASE_MS after the last sign of life (batch.c) and ends with the run. Who finds it expired
 * takes over, and whoever had it finds, before he writes anything, that his token is not the newest any more: ERR_CONFLICT, and nothing of his run becomes
 * visible. Within a transaction that writes, nobody else can take the lease, so what is proved at its beginning holds at its end.
 */
#ifndef ROLLCALL_STORE_SQLITE_LEASE_H
#define ROLLCALL_STORE_SQLITE_LEASE_H

#include "store/sqlite/run.h"

#define LEASE_MS INT64_C(600000) /* without a sign of life */

/* In the transaction that adds the run's row. lock_held: why the lock is not ours (ERR_CONFLICT), NULL: it is. ERR_CONFLICT: the run of another that is
 * alive, as far as can be known. */
int lease_take(struct sqlite_run *r, const struct err *lock_held, int64_t lock_since_ms, struct err *e) must_use;
/* At the beginning of each later transaction. */
int lease_prove(struct sqlite_run *r, struct err *e) must_use;
/* A sign of life, in a transaction. Writes only when the last one is old. */
int lease_renew(struct sqlite_run *r, struct err *e) must_use;
bool lease_is_old(const struct sqlite_run *r); /* a sign of life is due */
/* With the end of the run, in its transaction. */
int lease_drop(struct sqlite_run *r, struct err *e) must_use;

#endif
