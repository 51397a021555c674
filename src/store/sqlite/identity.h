/* identity.h - GUIDs that this run has seen for the first time, on their way into the table `entity`.
 *
 * GUIDs come in no order, and an index that is written in no order is written again and again: they are kept
 * until there are many, then added in the index's order. A filter of a fixed size remembers who has been
 * added before, so that a first load need not ask the file about everybody.
 */
#ifndef ROLLCALL_STORE_SQLITE_IDENTITY_H
#define ROLLCALL_STORE_SQLITE_IDENTITY_H

#include "base/hash.h"
#include "model/record.h"
#include "store/sqlite/bulk.h"

struct identity {
    uint8_t guid[GUID_SIZE];
    uint32_t seq;
};
struct identities {
    struct hmap waiting; /* identity_key -> seq */
    struct identity *at;
    size_t n, cap;
    uint64_t *filter; /* NULL until something was written */
};
static inline struct hash128 identity_key(const uint8_t guid[GUID_SIZE])
{
    return hash128_of(hash_process_key(), (struct bytes){guid, GUID_SIZE});
}
void identities_free(struct identities *i);
/* seq of a GUID that waits; 0: it does not. */
uint32_t identities_find(const struct identities *i, struct hash128 key);
void identities_add(struct identities *i, const uint8_t guid[GUID_SIZE], struct hash128 key, uint32_t seq);
/* False: certainly not among those written by this struct. */
bool identities_may_be_written(const struct identities *i, struct hash128 key);
static inline bool identities_are_many(const struct identities *i)
{
    return i->n >= (size_t)1 << 16;
}
/* Within a transaction. */
int identities_write(struct identities *i, struct sq *q, int64_t connector, struct err *e) must_use;

#endif
