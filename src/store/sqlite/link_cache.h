/* link_cache.h - groups as links, remembered: everybody is in the same few thousand of them.
 *
 * Of the visible snapshot; cleared when one changes. Takes no more once it is full, so what it gave stays
 * valid.
 */
#ifndef ROLLCALL_STORE_SQLITE_LINK_CACHE_H
#define ROLLCALL_STORE_SQLITE_LINK_CACHE_H

#include "store/store.h"

struct link_cache;
struct link_cache *link_cache_new(void);
void link_cache_free(struct link_cache *c);
void link_cache_clear(struct link_cache *c);
const struct link *link_cache_find(const struct link_cache *c, int64_t entity_id); /* NULL: not there */
void link_cache_add(struct link_cache *c, const struct link *l);

#endif
