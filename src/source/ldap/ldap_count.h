/* ldap_count.h - how many entries a search finds, and the first few of them.
 */
#ifndef ROLLCALL_LDAP_COUNT_H
#define ROLLCALL_LDAP_COUNT_H

#include "source/ldap/ldap_plan.h"
#include "source/ldap/ldap_session.h"

/* Entries of a search, up to `most`; what there is above it is not asked for. *is_all: there are no more. */
int ldap_count(struct ldap_session *s, const char *base, int scope, const char *filter, uint64_t most,
               uint64_t *n, bool *is_all, struct err *e) must_use;
/* Calls each() with the content of up to `most` entries (ldap_entry.h). A negative return ends it with that
 * error. */
int ldap_sample(struct ldap_session *s, const struct ldap_search *q, uint64_t most,
                int (*each)(void *ctx, struct bytes content, struct err *e), void *ctx,
                struct err *e) must_use;

#endif
