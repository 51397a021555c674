/* bloodhound_int.h - what the two graph dialects share: ids, names, places, edges of access control entries,
 * properties.
 */
#ifndef ROLLCALL_ACCESS_BLOODHOUND_INT_H
#define ROLLCALL_ACCESS_BLOODHOUND_INT_H

#include "access/graph/bloodhound.h"
#include "access/check.h"
#include "access/world.h"
#include "base/hash.h"
#include "base/jsonw.h"

enum graph_label {
    LABEL_BASE,
    LABEL_USER,
    LABEL_GROUP,
    LABEL_COMPUTER,
    LABEL_OU,
    LABEL_CONTAINER,
    LABEL_GPO,
    LABEL_DOMAIN
};
const char *graph_label_name(enum graph_label l);
enum graph_label graph_label_of(enum kind k); /* LABEL_BASE: no node of its own */

/* Whoever an entry, a member list or a history names. */
struct graph_party {
    struct bytes sid;
    struct str id;
    uint32_t principal; /* NOBODY: none of this world */
    enum graph_label label;
    bool is_stored;  /* an entity of the store is its node */
    bool is_ignored; /* as a trustee nobody in particular: Creator Owner, SELF, the machine's own accounts */
    bool is_named;   /* as a member, in a history, by an attribute */
};
struct graph_place { /* has a GUID for an id */
    uint32_t object;
    uint8_t guid[GUID_SIZE];
};
enum graph_right_id {
    EDGE_OWNS,
    EDGE_GENERIC_ALL,
    EDGE_WRITE_DACL,
    EDGE_WRITE_OWNER,
    EDGE_GENERIC_WRITE,
    EDGE_ALL_EXTENDED,
    EDGE_GET_CHANGES,
    EDGE_GET_CHANGES_ALL,
    EDGE_GET_CHANGES_FILTERED,
    EDGE_FORCE_CHANGE,
    EDGE_LAPS_LEGACY,
    EDGE_LAPS,
    EDGE_LAPS_ENCRYPTED,
    EDGE_ADD_MEMBER,
    EDGE_ADD_SELF,
    EDGE_WRITE_SPN,
    EDGE_KEY_CREDENTIAL,
    EDGE_ALLOWED_TO_ACT,
    EDGE_ACCOUNT_RESTRICTIONS,
    EDGE_WRITE_GPLINK,
    EDGE_GMSA,
    EDGE_COUNT
};
struct graph_edge {
    uint32_t party;
    uint8_t right; /* enum graph_right_id */
    bool is_inherited;
    char hash[41]; /* of an inherited one: SHA-1 as the collectors make it, else "" */
};
struct graph_edge_list {
    struct graph_edge *list;
    size_t n, cap;
};

struct graph {
    struct store *store;
    struct world *world;
    const struct graph_options *options;
    const struct schema *schema;
    const struct graph_out *out;
    struct graph_counts *counts;
    struct arena memory;
    struct str domain;    /* CORP.EXAMPLE */
    struct str domain_id; /* its SID */
    struct graph_party *parties;
    size_t n_parties, cap_parties;
    struct hmap party_of; /* SID -> number */
    struct graph_place *places;
    size_t n_places, cap_places;      /* ascending by object */
    struct hmap hosts;                /* lower-case host name -> principal */
    uint32_t *first_child, *children; /* of objects, as in world.h */
    struct right rights[EDGE_COUNT];  /* bit 0: this directory has no such thing */
    struct world_token token;
    uint32_t token_of; /* party; NOBODY */
    struct graph_edge_list *known;
    size_t n_known, cap_known; /* edges of descriptors met so far */
    size_t n_known_edges;
    struct hmap known_at;
    struct graph_edge_list spare;
    struct buf text;
};
int graph_open(struct graph *g, struct store *s, const struct graph_options *o, const struct graph_out *out,
               struct graph_counts *n, struct err *e) must_use;
void graph_close(struct graph *g);

/* bloodhound_ids.c */
void graph_add_upper(struct buf *out, struct str s); /* any script */
void graph_add_sid(const struct graph *g, struct buf *out, struct bytes sid);
void graph_add_guid(struct buf *out, const uint8_t guid[GUID_SIZE]);
/* Appends an object's id; false if it has none. */
bool graph_add_object(const struct graph *g, struct buf *out, uint32_t object);
enum graph_label graph_object_label(const struct graph *g, uint32_t object);
uint32_t graph_party(struct graph *g, struct bytes sid); /* made if it is new */
struct bytes graph_everyone(const struct graph *g);      /* S-1-1-0 */
/* Is it in no other way among the nodes, and needed there? */
bool graph_needs_node(const struct graph_party *p);
bool graph_is_well_known(struct bytes sid); /* not of any domain */
/* NAME@DOMAIN, host name, domain name. */
void graph_add_name(const struct graph *g, struct buf *out, const struct record_index *x);
void graph_add_party_name(const struct graph *g, struct buf *out, const struct graph_party *p);
uint32_t graph_host(struct graph *g, struct str service_principal_name); /* principal; NOBODY */
struct str graph_id_text(struct graph *g, uint32_t object); /* in g->text; empty if it has none */
struct str graph_sid_text(struct graph *g, struct bytes sid); /* in g->text */

/* bloodhound_aces.c */
const char *graph_right_name(enum graph_right_id r);
void graph_rights_init(struct graph *g);
bool graph_has_laps(const struct record_index *x);
/* Borrowed until the next call. */
const struct graph_edge_list *graph_edges(struct graph *g, uint32_t object, bool has_laps);
/* SIDs that the descriptor in this attribute lets in: who may read the password of a managed account, or act
 * on behalf of others. */
void graph_each_let_in(struct graph *g, const struct record_index *x, enum attr id,
                       void (*each)(void *ctx, uint32_t party, bool is_inherited), void *ctx);
void graph_inheritance_hash(char out[41], const struct ace *a);
/* Does the entry hand something down that the collectors remember by its hash? */
bool graph_hands_down(struct graph *g, const struct ace *a);

/* bloodhound_properties.c */
/* Members of the Properties object, which is open. */
void graph_put_properties(struct graph *g, struct jsonw *j, const struct entity *entity,
                          const struct record_index *x, uint32_t object);
/* The same of who is no entity: the name and where it is from. */
void graph_put_party_properties(struct graph *g, struct jsonw *j, const struct graph_party *p);
/* LDAP://DN;options of a gPLink: the next one; false at the end. */
bool graph_next_link(struct str *rest, struct str *dn, bool *is_enforced, bool *is_disabled);
struct graph_trust {
    const char *direction, *type;
    bool is_transitive, filters_sids;
};
void graph_trust_of(struct graph_trust *out, const struct record_index *x);

#endif
