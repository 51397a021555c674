/* lookup.h - numbers by which an entity is found again: 33-bit keyed hashes of its DN, SID, account name and
 * UPN; and of being a directory role, since these are few and privileges start from them.
 *
 * A number is a hint, never an answer: who reads one compares the text. It leaves 30 bits for the entity's
 * number in the same 63-bit integer, so an index of a million people is a list of integers. The key is the
 * store's own: nobody can choose names that collide.
 */
#ifndef ROLLCALL_STORE_LOOKUP_H
#define ROLLCALL_STORE_LOOKUP_H

#include "base/hash.h"
#include "model/record.h"

#define SEQ_BITS 30
#define SEQ_MAX  ((uint32_t)((1u << SEQ_BITS) - 1))

struct lookup {
    struct hash_key key;
    struct buf text;
};
struct lookup lookup_new(const struct hash_key *key);
void lookup_free(struct lookup *l);

/* Hash << SEQ_BITS: the smallest number that a hint of this value can have. */
uint64_t lookup_dn(struct lookup *l, struct str dn);
uint64_t lookup_sid(struct lookup *l, struct bytes sid);
uint64_t lookup_account(struct lookup *l, struct str sam_account_name);
uint64_t lookup_upn(struct lookup *l, struct str upn);
uint64_t lookup_roles(struct lookup *l); /* of all of kind role */

#define LOOKUPS_MAX 5
/* Every hint of a record; returns how many. */
size_t lookup_record(struct lookup *l, const struct record_index *x, uint64_t out[LOOKUPS_MAX]);

/* Appends the text with case folded (Unicode), as names are compared. */
void text_fold(struct buf *out, struct str s);
/* folded: a text that is folded already. hay: to fold the other one in. */
bool text_has_folded(struct buf *hay, struct str text, struct str folded);
bool text_equal_folded(struct str a, struct str b);
bool dn_equal(struct str a, struct str b);

/* Kind, DN, SID and state body: equal fingerprints, nothing to report. dn: hash128_of its text. */
struct hash128 fingerprint_record(const struct hash_key *key, const struct record *r, struct hash128 dn);
/* Adds one member's hash to the fingerprint of a list, in any order. */
static inline void fingerprint_add(struct hash128 *list, struct hash128 member)
{
    list->lo += member.lo;
    list->hi += member.hi;
}

#endif
