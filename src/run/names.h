/* names.h - who is who while a stream passes: DN to group, place, person; memberships to privileges.
 *
 * Groups and places (OUs, containers, the domain) are kept whole; of everybody else kind and SID in about 20 bytes, enough for groups'
 * members; their names, for managers, are in a temporary file. Groups and places are matched as the server wrote their DN, then in
 * comparison form (dn.h); everybody else only as written: a controller writes one object's DN one way.
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
/* Every entity of the stream, once. ERR_LIMIT: the disk of $TMPDIR is full. */
int names_add(struct names *n, const struct record_index *x, struct err *e) must_use;
/* All groups are known now: privileges through nesting. */
void names_groups_complete(struct names *n);

/* Fills ref.prepared of every group with what prepare appends for it (map.h: dialect_prepare_ref). */
void names_prepare_groups(struct names *n, void (*prepare)(void *ctx, const struct ref *group, struct buf *out), void *ctx);

/* Direct groups, and the primary one; borrowed until the next call. *privileges: bits of enum privilege, through nesting
 * and the primary group. */
size_t names_groups_of(struct names *n, const struct record_index *x, const struct ref **out, unsigned *privileges);
/* A group, or NULL. */
const struct ref *names_group(const struct names *n, struct str dn);
/* The place an entity lies in, or NULL. */
const struct ref *names_parent(const struct names *n, struct str dn);
/* A handle of anything added, for names_member; 0: not added. Good until the next names_add. */
uint32_t names_find(const struct names *n, struct str dn);
/* Kind and SID; the SID is borrowed until the next call. */
void names_member(struct names *n, uint32_t handle, struct ref *out);

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
