/* sets_int.h - what the files of sets.h share.
 *
 * A trustee is a (connector, node): whoever its SID stands for in tokens that are used at that connector's targets, where domain local
 * groups of others do not count. An expression is a list of trustees with allow or deny, first match decides; equal ones are one set. A
 * variant is what objects can have in common: a descriptor, read with the schema and the class of the object. Its cells are rights.
 */
#ifndef ROLLCALL_ACCESS_SETS_INT_H
#define ROLLCALL_ACCESS_SETS_INT_H

#include "access/sets/sets.h"
#include "access/sets/sets_image.h"
#include "access/world_int.h"

#define N_BITS 13 /* rights.h, RIGHTS: the first cells of every variant, in that order */

/* Numbers of trustees in expressions; real ones are places in sets.trustees plus TERM_FIRST. */
enum { TERM_EVERYBODY = 0, TERM_SELF = 1, TERM_FIRST = 2 };
#define TERM(trustee, is_deny) ((trustee) << 1 | (uint32_t)(is_deny))
enum { SET_NOBODY = 0, SET_EVERYBODY = 1 }; /* places in sets.sets that are always there */

struct nodes { /* principals, then SIDs that nobody has but in a history */
    uint32_t n, n_accounts;
    uint32_t *account;    /* of a node: its number; NODE_INNER set: look closer */
    uint32_t *principal;  /* of an account */
    struct past { uint32_t node, holder; } *past; /* sIDHistory: whoever has holder in the token has node, too; ascending */
    size_t n_past;
    struct stranger { struct bytes sid; } *strangers; /* nodes behind the principals; ascending */
    uint32_t n_strangers;
};
#define NODE_INNER    0x80000000u
#define NODE_ACCOUNT  0x7fffffffu /* mask; all ones: no account */

struct trustee {
    uint32_t connector, node;
    struct image image;
    uint64_t hash;      /* of an image in the file */
    bool is_unchecked;  /* it is one, and nobody has looked at it yet: trustee_image */
};
struct cell {
    uint32_t right;  /* in sets.rights */
    uint32_t set, strict; /* strict: by deny-wins */
};
struct variant {
    uint32_t connector, descriptor, class;
    uint32_t first_cell, n_cells;
    uint32_t is_conditional; /* bits of rights for which a callback ACE speaks */
    uint32_t has_self;
};
struct set {
    uint32_t first, n;  /* its terms */
    uint8_t is_kept, has_self;
    uint32_t alias;     /* the only trustee; NOBODY */
    struct image image; /* of is_kept ones without alias; SELF grants nothing in it */
    uint64_t hash;
    bool is_unchecked, is_shared; /* shared: its bytes are a trustee's that is everybody */
};
struct sets {
    const struct world *world;
    struct nodes nodes;
    struct trustee *trustees; uint32_t n_trustees; /* ascending */
    struct right *rights; uint32_t n_rights;       /* the first N_BITS are the object-level ones */
    struct variant *variants; uint32_t n_variants;
    struct cell *cells; size_t n_cells;
    struct set *sets; uint32_t n_sets;
    uint32_t *terms; size_t n_terms;
    uint32_t *variant_of;                          /* of an object; NOBODY: nothing is known */
    uint32_t *first_object, *objects;              /* of a variant */
    uint32_t *first_variant, *variants_of;         /* in which a trustee occurs */
    uint32_t *first_set, *sets_of;                 /* kept ones in whose terms it occurs; made by the first update */
    struct area area;
    struct scratch scratch;
    struct world_token token;                      /* reused */
    uint32_t *marks, mark;                         /* of trustees: == mark: in the token */
    uint32_t *marked, n_marked;                    /* these trustees */
    struct selfish { uint32_t node, object; } *selfish; /* objects that are SELF in their variant's terms; ascending */
    size_t n_selfish;
    struct baseline *baseline[2];                  /* by rule; made when asked for (sets_what.c), dropped by an update */
    const uint32_t *first_group, *groups_of;       /* the memberships these are of: the world's, or the file's */
    uint64_t shape;                                /* everything else of the world; 0: not asked yet */
    struct hmap by_terms;                          /* while it is built, and after: expressions that are there */
    uint64_t n_changed;
    void *map; size_t n_map;                       /* the file */
};

/* sets_graph.c: nodes, and the closure of trustees. */
void nodes_read(struct nodes *n, const struct world *w);
void nodes_free(struct nodes *n);
uint32_t node_of_sid(const struct nodes *n, const struct world *w, struct bytes sid); /* NOBODY */
/* Fills in the images of s->trustees [first, last), all of one connector. */
void trustees_close(struct sets *s, uint32_t first, uint32_t last);
/* Adds to s->scratch the accounts that have the node in their tokens. */
void node_gather(struct sets *s, uint32_t node, uint32_t connector);
/* Everything below a node, itself too: each(node) once. is_inner: without the accounts that nobody is below. */
void node_descend(const struct nodes *n, const struct world *w, uint32_t node, uint32_t connector, bool is_inner,
                  void (*each)(void *ctx, uint32_t node), void *ctx);
uint32_t trustee_find(const struct sets *s, uint32_t connector, uint32_t node); /* NOBODY */

/* sets_compile.c: variants, cells, expressions. */
void sets_compile_variants(struct sets *s); /* and the trustees, without their images */
void sets_compile_cells(struct sets *s);
void sets_index(struct sets *s); /* what is derived: objects of variants, variants of trustees */
struct expression { /* a right that has no cell */
    uint32_t *terms;
    uint32_t n, cap;
    bool has_self, is_conditional;
    uint32_t known; /* a set that is the same, or NOBODY */
};
void sets_compile_right(struct expression *out, struct sets *s, uint32_t variant, const struct right *r, enum access_rule rule);
void expression_free(struct expression *x);

/* sets_ask.c: whoever has the object's own SID, looked up as a token is asked. NOBODY */
uint32_t self_of(const struct sets *s, uint32_t object);

/* sets.c */
/* Through these two only: an image that was mapped is looked at first, and made anew if it is damaged. */
const struct image *trustee_image(struct sets *s, uint32_t trustee);
const struct image *set_image(struct sets *s, struct set *t);
/* Adds to s->scratch (empty before) what the terms say. self: who SELF is; NULL: nobody. */
void terms_evaluate(struct sets *s, const uint32_t *terms, uint32_t n, const struct image *self);
bool terms_decide(const struct sets *s, const uint32_t *terms, uint32_t n, bool is_self); /* for the marked trustees and an account */
void set_keep(struct sets *s, struct set *t);
extern uint64_t sets_kept_max; /* bytes of images: sets beyond them are not kept. A limit of memory, lowered by tests */
struct sets *sets_new(const struct world *w); /* empty; nodes are there */
/* Marks the trustees in the token of a principal at a connector's targets; s->token is it afterwards. */
void sets_mark(struct sets *s, const struct world *w, uint32_t principal, uint32_t connector);
void sets_unmark(struct sets *s);
static inline bool is_account(const struct nodes *n, uint32_t node)
{
    return (n->account[node] & NODE_ACCOUNT) != NODE_ACCOUNT;
}

/* sets_what.c */
void baseline_free(struct baseline *b);

/* sets_file.c */
uint64_t world_shape(const struct world *w); /* everything about a world but who is in which group */
uint64_t world_memberships(const struct world *w);
/* As sets_open; any_members: only the shape must be the same, s->first_group and s->groups_of are the file's then, *is_same: these too. */
int sets_map(struct sets **out, const struct world *w, const char *file, bool any_members, bool *is_same, struct err *e) must_use;

#endif
