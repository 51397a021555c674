/* answer.h - everything that one principal may do to one object, and why it may do one thing or not.
 */
#ifndef ROLLCALL_ACCESS_ANSWER_H
#define ROLLCALL_ACCESS_ANSWER_H

#include "access/check.h"
#include "access/world.h"

struct places { /* in the schema, ascending */
    uint32_t *list;
    size_t n, cap;
};
struct answer {
    const struct schema *schema;
    bool is_known;       /* false: the descriptor was not read, or is malformed: nothing below is told */
    uint32_t bits;       /* object-level rights */
    bool reads_all;
    struct places writable, readable;       /* attributes of the object's class; readable is left empty where all are */
    struct places creatable, deletable;     /* classes that may be below it */
    struct places extended, validated;      /* rights that apply to its class */
    struct right *differs; size_t n_differs; /* rights whose answer is another one under deny-wins */
    bool is_conditional;
};
void answer_make(struct answer *out, const struct world *w, struct world_token *t, uint32_t object, enum access_rule rule);
void answer_free(struct answer *a); /* legal on a zeroed one */

/* --- why ------------------------------------------------------------------------------------------------- */
#define WHY_CHAIN 64
struct why {
    struct access_verdict verdict, deny_wins;
    struct ace ace;            /* the deciding one, verdict.reason ACCESS_BY_ACE */
    unsigned n_aces;
    uint32_t trustee;          /* principal that the ACE names; NOBODY: SELF, an owner, or nobody of the world */
    uint32_t inherited_from;   /* object; NOBODY: explicit, or not found among the ancestors */
    uint32_t chain[WHY_CHAIN]; /* principals from the asked one to the trustee */
    size_t n_chain;
    uint32_t owner;            /* principal; NOBODY */
    unsigned n_groups;         /* in the token */
    unsigned n_also;           /* further ACEs that would say the same */
    unsigned n_denies_other, n_denies_inherit_only, n_denies_others; /* deny ACEs that did not match: another right, inherit-only, trustee */
};
void why_make(struct why *out, const struct world *w, struct world_token *t, uint32_t principal, uint32_t object, const struct right *r,
              enum access_rule rule);
/* The ancestor whose explicit ACE an inherited one was copied from; NOBODY: it is explicit, or none was found. */
uint32_t why_origin(const struct world *w, uint32_t object, const struct ace *ace);

#endif
