/* idset.h - a set of small integers as a bitmap: one bit a number, so a million entities take 125 KB.
 */
#ifndef ROLLCALL_STORE_IDSET_H
#define ROLLCALL_STORE_IDSET_H

#include "base/base.h"

struct idset {
    uint64_t *words;
    size_t n_words;
};
void idset_free(struct idset *s);
/* True if it was not there before. */
bool idset_add(struct idset *s, uint32_t id);
static inline bool idset_has(const struct idset *s, uint32_t id)
{
    size_t w = id / 64;
    return w < s->n_words && (s->words[w] >> (id % 64) & 1);
}
/* The smallest member that is at least *id; false if there is none. */
bool idset_next(const struct idset *s, uint32_t *id);

#endif
