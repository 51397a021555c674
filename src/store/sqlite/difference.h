/* difference.h - a membership that came or went, packed into a number that sorts by who, then whom.
 *
 * who << 33 | whom << 3 | via << 1 | added. Sorted by group they make member lists, by member group lists.
 */
#ifndef ROLLCALL_STORE_SQLITE_DIFFERENCE_H
#define ROLLCALL_STORE_SQLITE_DIFFERENCE_H

#include "store/lookup.h"

static inline uint64_t difference_of(uint32_t who, uint32_t whom, unsigned via, bool added)
{
    return (uint64_t)who << 33 | (uint64_t)whom << 3 | (uint64_t)via << 1 | added;
}
struct difference {
    uint32_t who, whom;
    unsigned via;
    bool added;
};
static inline struct difference difference_split(uint64_t v)
{
    return (struct difference){(uint32_t)(v >> 33), (uint32_t)(v >> 3) & SEQ_MAX, (unsigned)(v >> 1) & 3,
                               v & 1};
}

#endif
