/* world_int.h - what the files behind world.h share: SIDs of the past, the entities' places, how edges are laid out.
 */
#ifndef ROLLCALL_ACCESS_WORLD_INT_H
#define ROLLCALL_ACCESS_WORLD_INT_H

#include "access/world.h"
#include "base/hash.h"

struct world_entities { /* of one connector, ascending */
    int64_t *ids;
    uint32_t *principals, *objects;
    size_t n, cap;
};
struct history { /* sIDHistory, ascending by principal */
    uint32_t principal;
    struct bytes sid;
};
struct world_edge {
    uint32_t group, member;
    uint8_t via;
};
struct world_index {
    struct arena memory;
    struct hmap by_sid;
    struct world_entities *entities; /* one a connector */
    struct history *history;
    size_t n_history, cap_history;
    struct schema **schemas; /* owned, NULL where the built-in one is used */
};
/* A counting sort: first[0..n-1], how many each has, become where each begins, and first[n] where all end; back to that, after
 * first[i]++ has taken every place. */
void starts_make(uint32_t *first, uint32_t n);
void starts_step_back(uint32_t *first, uint32_t n);
/* Makes groups_of, members_of and what belongs to them, all principals being there. */
void world_link(struct world *w, const struct world_edge *edges, size_t n);
/* Is every account in it without an edge? */
static inline bool world_is_implicit(const struct world *w, uint32_t principal)
{
    for (size_t i = 0; i < w->n_implicit; i++)
        if (w->implicit[i] == principal) return true;
    return false;
}
/* The store's connectors, or the one that is named; the texts are in the arena, the list is the caller's to free, also after an error. */
int world_names(struct str **list, size_t *n, struct arena *a, struct store *s, struct str connector /* empty: all */, struct err *e) must_use;
struct domain_info world_domain_copy(struct arena *a, const struct domain_info *d);
/* The first of a principal's history; NULL: none. */
const struct history *world_history(const struct world *w, uint32_t principal, size_t *n);
bool world_is_in_token_of(const struct world *w, uint32_t group, uint32_t target_connector);

#endif
