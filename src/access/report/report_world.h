/* report_world.h - what the rules over memberships and descriptors share: the world, names, who is an administrator.
 */
#ifndef ROLLCALL_ACCESS_REPORT_WORLD_H
#define ROLLCALL_ACCESS_REPORT_WORLD_H

#include "access/find.h"
#include "access/report/report_int.h"
#include "access/world_int.h"

struct back { /* a SID of somebody's history is this principal's */
    uint32_t principal, owner;
};
/* A walk from a group down to everybody who is in it, breadth first: a shortest chain for each. */
struct descent {
    const struct world *w;
    uint32_t *next;  /* of principal: the group that it was reached from; itself at the start; NOBODY: not reached */
    uint32_t *list;  /* reached, in order, the start first */
    size_t n;
};
struct report_world {
    struct report *r;
    struct world *w;
    struct back *backs; /* ascending by principal */
    size_t n_backs;
    struct descent down;
    uint8_t *is_admin;  /* by principal: in a privileged group, or one, or the system itself */
    struct str *names;  /* by principal; ptr NULL: not asked for yet */
    struct arena text, kept;
    struct err *e;
};
/* Walks; what the last walk reached is forgotten. Well-known groups of everybody are reached, not walked through. */
void descend(struct report_world *x, uint32_t group);
int world_name(struct report_world *x, uint32_t principal, struct str *out) must_use;
int report_hit_principal(struct report_world *x, enum rule rule, uint32_t principal, struct str detail) must_use;
int report_hit_object(struct report_world *x, enum rule rule, uint32_t object, struct str detail) must_use;

int report_privileged(struct report_world *x) must_use; /* also fills is_admin */
int report_acls(struct report_world *x) must_use;

#endif
