/* names.h - who is who while a stream passes: DN to group, place, person; memberships to privileges.
 *
 * Groups (and what else has members) and places (OUs, containers, the domain) are kept whole; of everybody else kind and SID in about 20 bytes, enough for groups'
 * members; their names, for managers, are in a temporary file. Groups and places are matched as the server wrote their DN, then in
 * comparison form (dn.h); everybody else only as written: a controller writes one object's DN one way.
 *
 * Of a source without back links (names_forward_links) the memberships come from the groups' own lists (memberships.h), and an object's DN
 * is its id: the GUID as text.
 */
#ifndef ROLLCALL_NAMES_H
#define ROLLCALL_NAMES_H

#include "base/err.h"
#include "map/map.h"
#include "model/sid.h"

struct names;
struct names *names_new(void);
void names_free(struct names *n);
/* Domain SID, for RIDs, and DNS name; call before the first add. */
void names_domain(struct names *n, struct bytes domain_sid, struct str dns_name);
/* The source has no back links: before the first add. */
void names_forward_links(struct names *n);
/* Every entity of the stream, once. ERR_LIMIT: the disk of $TMPDIR is full. ERR_PROTO: a group behind who could be its member, where only
 * groups say who is a member. */
int names_add(struct names *n, const struct record_index *x, struct err *e) must_use;
/* More of the members of the group that was added last. */
int names_add_members(struct names *n, struct dn_list part, struct err *e) must_use;
/* All groups are known now: privileges through nesting. */
int names_groups_complete(struct names *n, struct err *e) must_use;

/* Fills ref.prepared of every group with what prepare appends for it (map.h: dialect_prepare_ref). */
void names_prepare_groups(struct names *n, void (*prepare)(void *ctx, const struct ref *group, struct buf *out), void *ctx);

/* Direct groups, and the primary one; of a tenant roles and administrative units too (ref.kind); borrowed until the next call. */
struct group_refs {
    const struct ref *list;
    size_t n;
    unsigned privileges; /* bits of enum privilege, through nesting and the primary group */
};
int names_groups_of(struct names *n, const struct record_index *x, struct group_refs *out, struct err *e) must_use;
/* A group, or NULL. */
const struct ref *names_group(const struct names *n, struct str dn);
/* The place an entity lies in, or NULL. */
const struct ref *names_parent(const struct names *n, struct str dn);
/* A handle of anything added, for names_member; 0: not added. Good until the next names_add. */
uint32_t names_find(const struct names *n, struct str dn);
/* Kind and SID, or GUID where the DN is one; the SID is borrowed until the next call. */
void names_member(struct names *n, uint32_t handle, struct str dn, struct ref *out);

/* Added already. */
bool names_knows(const struct names *n, struct str dn);
/* Anybody by DN, with names and SID; *out NULL: not added (yet). Lives as long as space, or (a group) the names. */
struct person {
    struct ref ref;
    uint8_t sid[SID_MAX];
    uint8_t text[1024]; /* two names of at most 255 bytes, or one twice, with @ and a DNS name */
};
int names_person(struct names *n, struct str dn, struct person *space, const struct ref **out, struct err *e) must_use;

#endif
