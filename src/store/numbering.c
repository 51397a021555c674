#include "store/numbering.h"

#include <stdlib.h>

struct numbering_slot { /* 12 bytes: no 64-bit member */
    uint32_t high, low;
    uint32_t after; /* the number + 1; 0: free */
};

#define FIRST_SLOTS 32u

void numbering_free(struct numbering *n)
{
    for (size_t i = 0; i < n_elements(n->parts); i++) free(n->parts[i].slots);
    *n = (struct numbering){.n = 0};
}

/* Where it is, or the free slot where it would be. The part is chosen by .lo, all else by .hi. */
static struct numbering_slot *slot_of(const struct numbering_part *p, uint32_t high, uint32_t low)
{
    uint32_t i = (uint32_t)(((uint64_t)high * p->n_slots) >> 32);
    for (;; i = i + 1 == p->n_slots ? 0 : i + 1) {
        struct numbering_slot *s = &p->slots[i];
        if (!s->after || (s->high == high && s->low == low)) return s;
    }
}

/* By an eighth, at 85 %: 14 to 16 bytes an entry. */
static void grow(struct numbering_part *p)
{
    struct numbering_part old = *p;
    p->n_slots = old.n_slots ? old.n_slots + old.n_slots / 8 : FIRST_SLOTS;
    p->slots = x_zalloc(p->n_slots * sizeof *p->slots);
    for (uint32_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].after) *slot_of(p, old.slots[i].high, old.slots[i].low) = old.slots[i];
    free(old.slots);
}

uint32_t numbering_find(const struct numbering *n, struct hash128 hash)
{
    const struct numbering_part *p = &n->parts[hash.lo & 15];
    if (!p->n_slots) return NUMBERING_NONE;
    const struct numbering_slot *s = slot_of(p, (uint32_t)(hash.hi >> 32), (uint32_t)hash.hi);
    return s->after ? s->after - 1 : NUMBERING_NONE;
}

uint32_t numbering_add(struct numbering *n, struct hash128 hash)
{
    struct numbering_part *p = &n->parts[hash.lo & 15];
    uint32_t high = (uint32_t)(hash.hi >> 32), low = (uint32_t)hash.hi;
    if (p->n_used + 1 > (uint64_t)p->n_slots * 85 / 100) grow(p);
    struct numbering_slot *s = slot_of(p, high, low);
    if (!s->after) {
        *s = (struct numbering_slot){high, low, ++n->n};
        p->n_used++;
    }
    return s->after - 1;
}
