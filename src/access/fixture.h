/* fixture.h - worlds made by hand, for tests and benches: what world_read would have read from a store.
 */
#ifndef ROLLCALL_ACCESS_FIXTURE_H
#define ROLLCALL_ACCESS_FIXTURE_H

#include "access/world_int.h"

struct fixture {
    struct world *w;
    struct world_edge *edges;
    size_t n_edges, cap_edges;
    uint32_t cap_principals, cap_objects, cap_descriptors;
    size_t cap_history;
};
/* The four well-known groups are there. schema: borrowed. */
struct fixture fixture_new(uint32_t n_connectors, const struct schema *schema);
/* S-1-5-21-connector-0-0-rid; rid 0: the next number. is_account by kind; security and global. */
uint32_t fixture_principal(struct fixture *f, uint32_t connector, enum kind kind);
uint32_t fixture_principal_sid(struct fixture *f, uint32_t connector, enum kind kind, struct bytes sid);
void fixture_member(struct fixture *f, uint32_t member, uint32_t group);
void fixture_history(struct fixture *f, uint32_t principal, struct bytes sid);
uint32_t fixture_descriptor(struct fixture *f, struct bytes raw);
uint32_t fixture_object(struct fixture *f, uint32_t connector, uint32_t principal, uint32_t descriptor, uint32_t class);
/* The edges, compressed; may be called again after more. world_free(f->w), fixture_free(f). */
void fixture_finish(struct fixture *f);
/* The same world with the edges as they are now; borrows everything else. fixture_drop. */
struct world *fixture_later(const struct fixture *f);
void fixture_drop(struct world *later);
void fixture_free(struct fixture *f);

#endif
