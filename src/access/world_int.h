/* world_int.h - what world.c and token.c share.
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
/* Makes groups_of, members_of and what belongs to them, all principals being there. */
void world_link(struct world *w, const struct world_edge *edges, size_t n);
/* The first of a principal's history; NULL: none. */
const struct history *world_history(const struct world *w, uint32_t principal, size_t *n);
bool world_is_in_token_of(const struct world *w, uint32_t group, uint32_t target_connector);

#endif
