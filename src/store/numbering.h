/* numbering.h - numbers for different texts, known by their hashes: the first one met is 0, the next one 1.
 *
 * About 15 bytes a text, and growing takes no second copy: 16 tables by bits of the hash grow each by itself,
 * and are large enough that the old one goes back to the system. 68 bits of a keyed hash tell texts apart:
 * among ten million, two are taken for one with probability 10^-7, and nobody who does not know the key can choose them.
 */
#ifndef ROLLCALL_STORE_NUMBERING_H
#define ROLLCALL_STORE_NUMBERING_H

#include "base/hash.h"

#define NUMBERING_NONE UINT32_MAX

struct numbering_slot;
struct numbering {
    struct numbering_part {
        struct numbering_slot *slots;
        uint32_t n_slots, n_used;
    } parts[16];
    uint32_t n; /* numbers given */
};
/* A zeroed one is empty. */
void numbering_free(struct numbering *n);
/* NUMBERING_NONE: not met. */
uint32_t numbering_find(const struct numbering *n, struct hash128 hash);
/* n->n has grown if it is new. At most 2^32 - 2. */
uint32_t numbering_add(struct numbering *n, struct hash128 hash);

#endif
