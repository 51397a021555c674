/* world.h - what the access engine knows of the directories in a store: principals, who is in which group, descriptors, objects.
 *
 * Read once from a visible snapshot of every Active Directory connector; immutable afterwards. Principals (everything with a SID that can
 * be in a token: users, computers, service accounts, groups, foreign principals, well-known SIDs) have dense numbers; a foreign principal
 * whose SID is well-known, or another connector of the same store has, is that one. Memberships are edges from member to group: member links, primary
 * groups. Every account is also in the well-known groups `implicit`, which are not among the edges.
 * Distribution groups carry nobody into a token.
 */
#ifndef ROLLCALL_ACCESS_WORLD_H
#define ROLLCALL_ACCESS_WORLD_H

#include "model/kind.h"
#include "model/schema.h"
#include "model/sd.h"
#include "store/store.h"

#define NOBODY UINT32_MAX

struct principal {
    uint32_t connector;   /* place in world.connectors; NOBODY: well-known */
    int64_t entity;       /* of the store; 0: none */
    struct bytes sid;
    enum kind kind;
    bool is_security;     /* of a group: false for distribution groups */
    bool is_local;        /* a domain local or builtin group: counts in its own domain only */
    bool is_account;      /* user, computer, service account */
    unsigned privileges;  /* enum privilege */
    bool is_enabled;
};
struct object { /* with a security descriptor */
    uint32_t connector;
    int64_t entity;
    enum kind kind;
    uint32_t principal;   /* itself, NOBODY if it has no SID */
    uint32_t descriptor;  /* place in world.descriptors; NOBODY: not read */
    uint32_t class;       /* in its connector's schema */
    uint32_t parent;      /* object; NOBODY */
};
struct descriptor {
    struct bytes raw;
    struct sd sd;         /* decoded; owner empty and no ACEs if is_malformed */
    bool is_malformed;
};
struct world_connector {
    struct str name;
    struct domain_info domain;
    const struct schema *schema;
    int64_t run;          /* visible */
    int64_t as_of_ms;
    unsigned n_gaps_loss; /* of that run */
};
struct world {
    struct world_connector *connectors; size_t n_connectors;
    struct principal *principals; uint32_t n_principals;
    struct object *objects; uint32_t n_objects;
    struct descriptor *descriptors; uint32_t n_descriptors;
    /* edges, compressed: groups_of[first_group[p] .. first_group[p+1]) are the groups that p is directly in */
    uint32_t *first_group, *groups_of;
    uint32_t *first_member, *members_of; /* the other way round */
    uint8_t *via_of;      /* enum link_via, beside groups_of */
    uint32_t implicit[4]; size_t n_implicit; /* groups that every account is in without an edge: Everyone, Authenticated Users, ... */
    struct world_gap { struct str what, where, fix; uint32_t connector; } *gaps; size_t n_gaps; /* what may be missing: unresolved members, unread descriptors, losses */
    struct world_index *index; /* its own */
};
int world_read(struct world **out, struct store *s, struct str connector /* empty: all */, struct err *e) must_use;
void world_free(struct world *w);

uint32_t world_connector_named(const struct world *w, struct str name);          /* NOBODY */
uint32_t world_principal_by_sid(const struct world *w, struct bytes sid);      /* NOBODY */
uint32_t world_principal_of_entity(const struct world *w, int64_t entity);    /* NOBODY */
uint32_t world_object_of_entity(const struct world *w, int64_t entity);       /* NOBODY */

/* The token of a principal: itself, its sIDHistory, every security group it reaches, domain-local groups only in the target's domain
 * (connector NOBODY: of every domain), well-known SIDs. Ascending principal numbers; cycles end; no recursion. */
struct world_token {
    uint32_t *list; uint32_t n, cap;
    struct bytes *history; size_t n_history; /* SIDs that are no principal's */
    uint64_t *marks; /* its own */
    const struct world *world;
};
int world_token(struct world_token *t, const struct world *w, uint32_t principal, uint32_t target_connector, struct err *e) must_use;
void world_token_free(struct world_token *t);
struct access_object; /* check.h */
struct access_token;
/* For access_check; sd NULL where it is not known. */
void world_access_object(struct access_object *out, const struct world *w, uint32_t object);
void world_token_open(struct access_token *out, struct world_token *t, const struct world *w);
/* A shortest chain of memberships from principal to group: out[0] is the principal. 0: there is none. */
size_t world_chain(const struct world *w, uint32_t principal, uint32_t group, uint32_t *out, size_t cap);

#endif
