/* find.h - principals and targets by what people call them, and what to call them in answers.
 */
#ifndef ROLLCALL_ACCESS_FIND_H
#define ROLLCALL_ACCESS_FIND_H

#include "access/world.h"
#include "base/arena.h"

struct party {
    uint32_t principal; /* NOBODY: it has no SID */
    uint32_t object;    /* NOBODY: it has no descriptor */
    int64_t entity;     /* 0: well-known, or known by its SID alone */
    enum kind kind;
    char uid[GUID_TEXT], sid[SID_TEXT];
    struct str name, dn, connector; /* in the arena */
};
/* key: DN, SID, GUID, sAMAccountName, DOMAIN\name, UPN, or the English name of a well-known SID ("Everyone"). connector: empty for all of
 * the world. ERR_NOTFOUND; ERR_CONFLICT lists up to 5 candidates. */
int party_find(struct party *out, struct arena *a, const struct world *w, struct store *s, struct str connector, struct str key,
               struct err *e) must_use;
/* By number. */
int party_of_principal(struct party *out, struct arena *a, const struct world *w, struct store *s, uint32_t principal, struct err *e) must_use;
int party_of_object(struct party *out, struct arena *a, const struct world *w, struct store *s, uint32_t object, struct err *e) must_use;

#endif
