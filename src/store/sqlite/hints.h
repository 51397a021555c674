/* hints.h - the index of names: lookup.h's numbers in order, a few hundred to a row.
 *
 * A row for each number would cost a first load as much as the bodies' own index. Changes are collected in a
 * sorter and merged in; a row is replaced in one transaction, so a hint is never lost. A hint too many is no
 * harm: who reads one compares.
 */
#ifndef ROLLCALL_STORE_SQLITE_HINTS_H
#define ROLLCALL_STORE_SQLITE_HINTS_H

#include "store/sqlite/run.h"

/* Entries of the sorter: hint << 1 | added. */
static inline uint64_t hint_added(uint64_t hint)
{
    return hint << 1 | 1;
}
static inline uint64_t hint_dropped(uint64_t hint)
{
    return hint << 1;
}
/* Merges what r->hints has collected, and empties it. */
int hints_write(struct sqlite_run *r, struct err *e) must_use;

/* Calls each with every seq that a lookup_ number leads to; each returns 1 to stop, 0 or an error. */
typedef int hint_each(void *ctx, uint32_t seq, struct err *e);
int hints_find(struct sqlite_store *s, int64_t connector, uint64_t low, hint_each *each, void *ctx,
               struct err *e) must_use;

#endif
