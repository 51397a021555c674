/* ldap_session.h - one job's authenticated connection to one controller, and what is known of both.
 */
#ifndef ROLLCALL_LDAP_SESSION_H
#define ROLLCALL_LDAP_SESSION_H

#include "base/hash.h"
#include "source/ldap/ldap_facts.h"
#include "source/ldap/ldap_settings.h"

struct ldap_session {
    const struct job *job;
    struct emit *m;
    struct ldap_settings set;
    struct ldap_conn *conn;
    struct ldap_facts facts;
    struct ldap_stats stats;
    struct hmap references; /* distinct continuation references, which are not followed */
    char reference[256];    /* the first one */
};

/* settings, connection, root DSE, the right domain, bind (once), domain facts, base_dn exists. Close it in
 * any case. */
int ldap_session_open(struct ldap_session *out, const struct job *j, struct emit *m, struct err *e) must_use;
void ldap_session_close(struct ldap_session *s);
/* The target of the settings. */
struct ldap_target ldap_session_target(const struct ldap_session *s);
/* ERR_INPUT: not below the naming context; ERR_NOTFOUND: no such object. 0 if no base_dn is set. */
int ldap_session_check_base(struct ldap_session *s, struct err *e) must_use;
/* For ldap_conn_search; ctx is the session. */
int ldap_session_reference(void *ctx, const char *url, struct err *e);

#endif
