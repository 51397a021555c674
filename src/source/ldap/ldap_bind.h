/* ldap_bind.h - how a session signs in: by password over TLS, or by Kerberos (password, ticket cache,
 * keytab).
 *
 * Tickets are asked for once in a session, so a takeover by another controller shows no password again.
 */
#ifndef ROLLCALL_LDAP_BIND_H
#define ROLLCALL_LDAP_BIND_H

#include "net/krb.h"
#include "source/ldap/ldap_session.h"

/* Binds s->conn to the controller that serves. ERR_AUTH is final: nobody else is to be asked. */
int ldap_session_bind(struct ldap_session *s, struct err *e) must_use;
/* Only the ticket, without a connection; *out is the session's. Not for a simple bind. */
int ldap_session_ticket(struct ldap_session *s, const struct krb_ticket **out, struct err *e) must_use;
/* No word may be said before the bind: there is no TLS. */
bool ldap_session_binds_first(const struct ldap_session *s);
/* Who is signed in: username, else the ticket's principal. */
const char *ldap_session_account(const struct ldap_session *s);
/* `to` uses the tickets of `from`, which must live longer: libkrb5's configuration is the process's, so there
 * is one. */
void ldap_session_share_tickets(struct ldap_session *to, const struct ldap_session *from);
/* "Kerberos (GSSAPI) as svc@CORP.EXAMPLE for ldap/dc1...", for people; after a bind. */
void ldap_session_describe_bind(const struct ldap_session *s, char *out, size_t size);

#endif
