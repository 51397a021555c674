/* who.h - who is really in a group, and by which way.
 */
#ifndef ROLLCALL_ACCESS_WHO_H
#define ROLLCALL_ACCESS_WHO_H

#include "access/world.h"

enum who_via { WHO_MEMBER, WHO_PRIMARY_GROUP, WHO_FOREIGN, WHO_HISTORY, WHO_IMPLICIT };
const char *who_via_name(enum who_via v); /* member, primary_group, foreign, sid_history, implicit */

/* Of every principal: the first step of a shortest way to the group, NOBODY where there is none; the group itself has itself. */
struct who_members {
    uint32_t *next;
    uint8_t *via; /* enum who_via: of that step */
    uint32_t n;   /* members */
};
/* As tokens see it: what a distribution group holds is in nothing else; asked for itself, it is followed through everything below it. */
void who_members_make(struct who_members *out, const struct world *w, uint32_t group);
void who_members_free(struct who_members *m);

#endif
