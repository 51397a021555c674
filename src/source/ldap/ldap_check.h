/* ldap_check.h - what the steps of `check` share: one step's finding, and the checkup they are part of.
 */
#ifndef ROLLCALL_LDAP_CHECK_H
#define ROLLCALL_LDAP_CHECK_H

#include "source/ldap/ldap_session.h"

struct finding {
    enum step_verdict verdict;
    enum err_class class;
    struct buf evidence; /* clauses, joined by "; " */
    char fix[400];
    json_t *detail;
};

struct checkup {
    const struct job *job;
    struct ldap_session s;
    struct dial_addresses to;
    struct err why; /* of the call under way */
};

void finding_say(struct finding *f, const char *fmt, ...) printf_like(2, 3);
/* Not right, but not in the way. */
void finding_warn(struct finding *f, const char *fix, ...) printf_like(2, 3);
/* The step failed for this reason: evidence, fix and class. */
void finding_fail(struct finding *f, const struct err *why);
/* A server's text (a DN, a name) for evidence: one line, UTF-8, at most size. Returns out. */
char *finding_text(char *out, size_t size, struct str s);

/* ldap_check_controllers.c: without a bind */
void check_controllers(struct checkup *c, struct finding *f);

/* ldap_check_kerberos.c */
void check_ticket(struct checkup *c, struct finding *f);

/* ldap_check_data.c: after the bind */
void check_base_dn(struct checkup *c, struct finding *f);
void check_sample(struct checkup *c, struct finding *f);
void check_permissions(struct checkup *c, struct finding *f);
void check_account(struct checkup *c, struct finding *f);

#endif
