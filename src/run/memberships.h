/* memberships.h - who is in which groups, where only the groups say it (Entra ID: no memberOf).
 *
 * Groups come first in a stream, so a member is an id that nobody has explained yet: each different one gets a number (15 bytes), each
 * membership is a pair (number, group) that is sorted on tape once all groups are there. Then the groups of one id are one small
 * read. Memory stays flat however many memberships there are.
 */
#ifndef ROLLCALL_MEMBERSHIPS_H
#define ROLLCALL_MEMBERSHIPS_H

#include "model/record.h"
#include "store/numbering.h"
#include "store/sorter.h"

struct memberships {
    struct numbering ids;
    struct sorter pairs; /* number << 32 | group */
    struct tape lists;   /* by number: varint n, n varint steps */
    uint64_t *starts;    /* on lists, of every 16th number */
    size_t n_starts, cap_starts;
    bool is_complete;
    struct buf block, list;
    uint32_t in_block; /* which one, + 1; 0: none */
    uint32_t *found;
    size_t found_cap;
};

struct memberships memberships_new(void);
void memberships_free(struct memberships *m);
/* ERR_PROTO: after memberships_complete. ERR_LIMIT: the disk of $TMPDIR is full. */
int memberships_add(struct memberships *m, uint32_t group, struct dn_list members, struct err *e) must_use;
int memberships_complete(struct memberships *m, struct err *e) must_use;
/* Ascending; borrowed until the next call. */
int memberships_of(struct memberships *m, struct str id, const uint32_t **groups, size_t *n, struct err *e) must_use;

#endif
