/* ldap_check.h - what the steps of `check` share: the checkup they are part of.
 */
#ifndef ROLLCALL_LDAP_CHECK_H
#define ROLLCALL_LDAP_CHECK_H

#include "source/finding.h"
#include "source/ldap/ldap_session.h"

struct checkup {
    const struct job *job;
    struct ldap_session s;
    struct dial_addresses to;
    struct err why; /* of the call under way */
};

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
