/* diff.h - the world as it was when an earlier run of a connector had ended, made by undoing what the change log tells since.
 *
 * Undone are memberships that came and went (also of primary groups) and changes of descriptors, whose old bytes the store keeps. Not
 * undone: other attributes (sIDHistory, a group's type), and who or what was created or deleted: they are there, or not, as now; whoever
 * was created had no memberships before. Changes that say nothing more (a descriptor that is gone from the store) are counted.
 */
#ifndef ROLLCALL_ACCESS_DIFF_H
#define ROLLCALL_ACCESS_DIFF_H

#include "access/world.h"
#include "model/change.h"

struct past_change { /* what was undone, and may be the reason of a difference */
    int64_t run, time_ms;
    enum change_type type;
    uint32_t group, member; /* of a membership; else NOBODY */
    uint32_t object;        /* of a descriptor; else NOBODY */
};
struct past {
    struct world *world;    /* parts of it are the present one's, which must outlive it */
    struct past_change *changes; /* newest first */
    size_t n_changes, cap_changes;
    uint64_t n_lost;        /* not undone: the old descriptor is not known, or the member is gone */
    struct past_state *state; /* its own */
};
/* As of the end of `run`, of a connector of now. */
int past_read(struct past **out, struct store *s, const struct world *now, uint32_t connector, int64_t run, struct err *e) must_use;
void past_free(struct past *p); /* NULL is legal */

#endif
