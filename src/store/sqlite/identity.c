#include "store/sqlite/identity.h"

#include "store/sqlite/handle.h"
#include "store/sorter.h"

#include <stdlib.h>

#define FILTER_BITS ((uint64_t)1 << 25) /* 4 MB: one false alarm in a thousand at 2 million */
#define PROBES      4

void identities_free(struct identities *i)
{
    hmap_free(&i->waiting);
    free(i->at);
    free(i->filter);
    *i = (struct identities){0};
}

uint32_t identities_find(const struct identities *i, struct hash128 key)
{
    uint32_t *seq = i->n ? hmap_find(&i->waiting, key) : NULL;
    return seq ? *seq : 0;
}

void identities_add(struct identities *i, const uint8_t guid[GUID_SIZE], struct hash128 key, uint32_t seq)
{
    bool is_new;
    GROW(i->at, i->n, i->cap, 256);
    memcpy(i->at[i->n].guid, guid, GUID_SIZE);
    i->at[i->n++].seq = seq;
    *hmap_put(&i->waiting, key, &is_new) = seq;
}

/* --- who was written: a Bloom filter ---------------------------------------------------------- */

static uint64_t probe(struct hash128 h, unsigned n)
{
    return (h.lo + n * (h.hi | 1)) % FILTER_BITS;
}

static void filter_add(struct identities *i, const uint8_t guid[GUID_SIZE])
{
    struct hash128 h = identity_key(guid);
    if (!i->filter) i->filter = x_zalloc(FILTER_BITS / 8);
    for (unsigned n = 0; n < PROBES; n++) i->filter[probe(h, n) / 64] |= (uint64_t)1 << (probe(h, n) % 64);
}

bool identities_may_be_written(const struct identities *i, struct hash128 h)
{
    if (!i->filter) return false;
    for (unsigned n = 0; n < PROBES; n++)
        if (!(i->filter[probe(h, n) / 64] >> (probe(h, n) % 64) & 1)) return false;
    return true;
}

/* --- in order --------------------------------------------------------------------------------- */

/* 44 leading bits and the place: nearly the index's order, which is all that is wanted. */
static uint64_t *in_order(const struct identities *i)
{
    uint64_t *order = x_alloc(i->n * sizeof *order), *spare = x_alloc(i->n * sizeof *spare);
    for (size_t k = 0; k < i->n; k++) {
        uint64_t head = 0;
        for (unsigned b = 0; b < 8; b++) head = head << 8 | i->at[k].guid[b];
        order[k] = (head & ~(uint64_t)0xfffff) | k;
    }
    sort_u64(order, spare, i->n);
    free(spare);
    return order;
}

int identities_write(struct identities *i, struct sq *q, int64_t connector, struct err *e)
{
    if (!i->n) return 0;
    struct bulk b = bulk_new(3);
    uint64_t *order = in_order(i);
    for (size_t k = 0; k < i->n; k++) {
        size_t at = (size_t)(order[k] & 0xfffff);
        bulk_int(&b, connector);
        bulk_blob(&b, (struct bytes){i->at[at].guid, GUID_SIZE});
        bulk_int(&b, entity_id_of(connector, i->at[at].seq));
        filter_add(i, i->at[at].guid);
    }
    int rc = bulk_write(q, &b, SQL_ENTITY_BULK, e);
    free(order);
    bulk_free(&b);
    hmap_free(&i->waiting);
    i->n = 0;
    return rc;
}
