/* graph_join.h - entities and what is read of them elsewhere (sign-ins, the MFA report, further fields), put together by id.
 *
 * The collections come at different times, some of them anew when a page token dies. So each is put aside in temporary files, by the
 * last byte of the id in 32 parts, and at the end one part after the other is joined in memory: flat however large the tenant is.
 * The order of the entities is the same in every run that sees the same listing.
 */
#ifndef ROLLCALL_GRAPH_JOIN_H
#define ROLLCALL_GRAPH_JOIN_H

#include "base/err.h"
#include "base/hash.h"
#include "base/tape.h"
#include "model/record.h"

#define GRAPH_FACETS 8

struct graph_join;
struct graph_join *graph_join_new(void);
void graph_join_free(struct graph_join *j);

/* The record's member lists are dropped. ERR_LIMIT: the disk of $TMPDIR is full. */
int graph_join_put(struct graph_join *j, const struct record *r, struct err *e) must_use;
/* Further attributes (record.h bodies) of an entity, which may come before it, after it or never; the later of two counts. */
int graph_join_facet(struct graph_join *j, unsigned facet, const uint8_t guid[GUID_SIZE], struct bytes state, struct bytes stats, struct err *e) must_use;
int graph_join_forget(struct graph_join *j, struct err *e) must_use; /* all entities */
int graph_join_forget_facet(struct graph_join *j, unsigned facet, struct err *e) must_use;

/* Every entity once, with the attributes of all facets; facets: bits (1 << facet) of those that had something for it. *n counts. */
int graph_join_each(struct graph_join *j, int (*each)(void *ctx, struct record *r, unsigned facets, struct err *e), void *ctx, uint64_t *n,
                    struct err *e) must_use;
/* The ids alone, of entities that none of these facets (bits) has anything for. */
int graph_join_lacking(struct graph_join *j, unsigned facets, int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e), void *ctx,
                       struct err *e) must_use;

/* Joins bodies (record.h) of different attributes in ascending order; the first that has an attribute wins. At most GRAPH_FACETS + 1. */
void graph_bodies_join(struct buf *out, const struct bytes *bodies, size_t n);

#endif
