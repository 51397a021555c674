/* idlist.h - one side of an entity's memberships as bytes: ascending (who, why) pairs as varint steps.
 *
 * Two bytes a membership instead of two table rows: ten million memberships are 40 MB, and the list of one
 * group is read at once. A pair is seq << 2 | via (store.h: enum link_via); seq is below 2^30.
 */
#ifndef ROLLCALL_STORE_IDLIST_H
#define ROLLCALL_STORE_IDLIST_H

#include "base/buf.h"
#include "base/cursor.h"

static inline uint32_t pair_of(uint32_t seq, unsigned via)
{
    return seq << 2 | via;
}
static inline uint32_t pair_seq(uint32_t pair)
{
    return pair >> 2;
}
static inline unsigned pair_via(uint32_t pair)
{
    return pair & 3;
}

struct idlist {
    struct cursor left;
    uint32_t last;
};
static inline struct idlist idlist_read(struct bytes list)
{
    return (struct idlist){cursor_new(list), 0};
}
/* The next pair; false at the end or at malformed bytes (then left.failed). */
bool idlist_next(struct idlist *l, uint32_t *pair);

struct idlist_writer {
    struct buf *out;
    uint32_t last;
};
/* Pairs must ascend. */
void idlist_add(struct idlist_writer *w, uint32_t pair);

#endif
