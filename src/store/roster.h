/* roster.h - the member lists of one run that are not what they were, as DNs until everybody has been seen.
 *
 * Groups come before people in a stream, so a member's DN means nothing yet. A list whose fingerprint is
 * unchanged costs nothing. Of the others each distinct DN gets a number; roster_seen() answers for every
 * entity that comes later whether somebody waits for its DN, as the server wrote it. Who is still unknown at
 * the end is looked up by whoever owns the roster. Memory: about 20 bytes a distinct DN; texts and lists are
 * on tape.
 *
 *     roster_group(&r, seq, old_fingerprint, &e); roster_part(&r, part, more, &list, &e)...
 *     roster_seen(&r, hash_of_dn, pair);
 *     roster_unknown(&r, look_up, ctx, &e);
 *     roster_lists(&r, each_group, ctx, &e);
 */
#ifndef ROLLCALL_STORE_ROSTER_H
#define ROLLCALL_STORE_ROSTER_H

#include "base/hash.h"
#include "model/record.h"
#include "store/numbering.h"
#include "base/tape.h"

struct roster_missing {
    uint32_t number;
    uint64_t at; /* on texts */
};
struct roster {
    const struct hash_key *key;
    struct numbering numbers; /* of DNs, by the hash of their text */
    uint32_t *who;            /* by number: the pair, 0 unknown */
    uint32_t n_who, cap_who;
    struct tape texts; /* u32 length, text; in order of number */
    struct tape lists; /* u32 group, u32 n, n numbers */
    struct tape parts; /* of the list under way, if it comes in parts: u32 length, text */
    uint32_t group;    /* the list under way; 0 none */
    uint32_t n_parts;  /* DNs on `parts` */
    struct hash128 old, sum;
    struct hash128 *hashes; /* of the part at hand */
    size_t cap_hashes;
    struct roster_missing *missing; /* after roster_unknown: ascending */
    size_t n_missing, cap_missing;
};

struct roster roster_new(const struct hash_key *key);
void roster_free(struct roster *r);

/* Starts the list of one group. */
void roster_group(struct roster *r, uint32_t seq, struct hash128 old_fingerprint);
struct roster_list {
    struct hash128 fingerprint;
    bool is_changed;
};
/* A part of it; with more false the list ends and *out is set. */
int roster_part(struct roster *r, struct dn_list part, bool more, struct roster_list *out,
                struct err *e) must_use;
/* An entity came by. dn: hash128_of its text with the roster's key; pair: idlist.h. */
void roster_seen(struct roster *r, struct hash128 dn, uint32_t pair);

typedef int roster_look_up(void *ctx, struct str dn, uint32_t *pair,
                           struct err *e); /* leaves 0 if nobody is found */
int roster_unknown(struct roster *r, roster_look_up *look_up, void *ctx, struct err *e) must_use;

struct roster_group {
    uint32_t seq;
    const uint64_t *pairs; /* ascending, no doubles */
    size_t n_pairs;
    struct bytes missing; /* DNs nobody has: lstr after lstr */
    uint32_t n_missing;
    bool is_cut; /* more are missing than are kept */
};
typedef int roster_each(void *ctx, const struct roster_group *g, struct err *e);
int roster_lists(struct roster *r, roster_each *each, void *ctx, struct err *e) must_use;

#endif
