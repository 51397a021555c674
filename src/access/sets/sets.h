/* sets.h - who can do what, for everybody at once: sets of accounts for every distinct descriptor and right.
 *
 * The same answers as access_check (check.h) with the principal's token (world_token), for all accounts of a world together: each ACE's
 * trustee is a set of accounts (its group's closure), each (descriptor, class, right) an expression of them. Equal expressions are one set.
 * Kept are the sets of the 13 object-level rights and of the typed rights that occur in the descriptor's own ACEs, by the rule of Windows;
 * any other right, deny-wins where the order of the ACEs makes it differ, and what would take more than 1.5 GiB, is put together when it is
 * asked for. What a trustee SELF grants depends on the object and is finished per question.
 * Accounts are users, computers, service accounts; groups as principals are answered on request (sets_groups).
 *
 *     sets_get(&s, world, STR("rollcall.db.access"), &e);
 *     sets_who_can(&who, s, object, &right, ACCESS_WINDOWS);
 *     printf("%llu\n", who.count);
 *     for (uint32_t p; sets_next(&who, &p);) ...
 *     sets_close(&who);
 * Borrows the world, which must outlive it. One thread at a time: questions remember what they put together.
 */
#ifndef ROLLCALL_ACCESS_SETS_H
#define ROLLCALL_ACCESS_SETS_H

#include "access/check.h"
#include "access/world.h"

struct sets;
struct roaring_bitmap_s; /* roaring/roaring.h */

int sets_build(struct sets **out, const struct world *w, struct err *e) must_use;
/* What file holds, brought up to this world if only memberships differ; else built now. Either way the file is kept up to date if it may be
 * written. file empty: always built. w: of all connectors. */
int sets_get(struct sets **out, const struct world *w, struct str file, struct err *e) must_use;
void sets_free(struct sets *s); /* NULL is legal */

/* --- who can --------------------------------------------------------------------------------------- */

struct sets_who {
    bool is_known;       /* false: the object's descriptor was not read or is malformed; nobody is told */
    bool is_conditional; /* a callback ACE speaks for the right: for some, access_check says is_conditional */
    uint64_t count;      /* accounts; known before the first is asked for */
    const struct roaring_bitmap_s *bitmap; /* of account numbers (sets_account); borrowed until sets_close */
    struct sets *sets;   /* its own, from here */
    struct sets_walk *walk;
    const struct roaring_bitmap_s *view;
    struct area *own;
};
/* Accounts that hold the right on the object. sets_count is the same without what it takes to tell them one by one. */
void sets_who_can(struct sets_who *out, struct sets *s, uint32_t object, const struct right *r, enum access_rule rule);
uint64_t sets_count(struct sets *s, uint32_t object, const struct right *r, enum access_rule rule);
/* Accounts that are really in it: through nesting, primary group and history, as seen by targets of the connector (NOBODY: of the group's
 * own; of a well-known one, of any). For an account: itself. */
void sets_members(struct sets_who *out, struct sets *s, uint32_t group, uint32_t connector);
/* The next principal, ascending. */
bool sets_next(struct sets_who *w, uint32_t *principal);
void sets_close(struct sets_who *w);
/* All principals that are no accounts (groups of every kind, foreign principals, well-known ones) and hold it by a token of their own;
 * ascending. free() the list. */
size_t sets_groups(struct sets *s, uint32_t object, const struct right *r, enum access_rule rule, uint32_t **list);
/* One principal of any kind. */
bool sets_can(struct sets *s, uint32_t principal, uint32_t object, const struct right *r, enum access_rule rule);

uint32_t sets_account(const struct sets *s, uint32_t principal);   /* its number among the accounts; NOBODY */
uint32_t sets_principal(const struct sets *s, uint32_t account);

/* --- what can -------------------------------------------------------------------------------------- */

/* What a principal may do to one object. Of the typed rights only those that occur in the object's ACEs. */
struct sets_granted {
    uint32_t bits;             /* object-level */
    const struct right *typed; /* held, and not by their object-level bit already */
    size_t n_typed;
    bool is_baseline;          /* exactly what every account has here */
};
struct sets_what; /* answers of one principal; remembered, so that telling them does not ask again */
int sets_what_can(struct sets_what **out, struct sets *s, uint32_t principal, enum access_rule rule, struct err *e) must_use;
struct sets_what_count {
    uint64_t n_objects;  /* with any right */
    uint64_t n_rights;   /* (object, right) pairs: bits and typed ones */
    uint64_t n_beyond;   /* objects where it has not just what every account has */
};
void sets_what_count(struct sets_what_count *out, const struct sets_what *w);
/* Every object on which it holds anything; those of one descriptor together. only_beyond: leaves out what everybody has. each returns
 * false to stop. */
void sets_what_stream(const struct sets_what *w, bool only_beyond, bool (*each)(void *ctx, uint32_t object, const struct sets_granted *g),
                      void *ctx);
void sets_what_object(const struct sets_what *w, uint32_t object, struct sets_granted *out); /* borrowed until the next question of w */
void sets_what_free(struct sets_what *w);

/* --- beside the store ------------------------------------------------------------------------------- */

/* Atomically; with a checksum, and the runs it was built from. */
int sets_write(struct sets *s, const char *file, struct err *e) must_use;
/* ERR_NOTFOUND: no file; ERR_CONFLICT: of another state of the directories, another version or damaged: build. Maps the file. */
int sets_open(struct sets **out, const struct world *w, const char *file, struct err *e) must_use;
/* The same sets for a later world in which only memberships differ: what they touch is put right, the rest stays. ERR_CONFLICT: more
 * differs, or so much that building is quicker; nothing was changed then, sets_build. The old world may be freed afterwards. */
int sets_update(struct sets *s, const struct world *later, struct err *e) must_use;
/* When a run has ended: brings `file`, if it is there (somebody has asked: sets_get), up to the store's visible runs, by update or build.
 * *how: "nobody asked", "unchanged", "updated", "built". */
int sets_refresh(struct store *store, const char *file, const char **how, struct err *e) must_use;

struct sets_stats {
    uint32_t n_accounts, n_groups, n_trustees;
    uint32_t n_descriptors;   /* distinct (descriptor, class that matters) */
    uint64_t n_rights;        /* (descriptor, right) pairs that are kept: object-level and typed */
    uint64_t n_typed;         /* of them typed */
    uint32_t n_sets;          /* distinct sets behind them */
    uint64_t n_members;       /* in all of these together */
    uint64_t bytes;           /* memory: sets and everything beside them, without the world */
    uint64_t n_changed;       /* sets the last update changed */
};
void sets_stats(struct sets_stats *out, const struct sets *s);

#endif
