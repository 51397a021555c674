/* ldap_dirsync.h - who changed since a cookie: the DirSync control (MS-ADTS 3.1.1.3.4.1.3).
 *
 * With LDAP_DIRSYNC_OBJECT_SECURITY an account needs no replication right; it is told of what it may read.
 * What comes is what changed of an object, always with its objectGUID; a member list is not whole.
 */
#ifndef ROLLCALL_LDAP_DIRSYNC_H
#define ROLLCALL_LDAP_DIRSYNC_H

#include "base/buf.h"
#include "net/ldap_conn.h"

#define DIRSYNC_COOKIE_MAX ((size_t)1 << 20)

/* From the cookie (empty: from the beginning of time) to now, answer by answer; *cookie is then the new one. base must be a naming
 * context's head. An answer of the server (ldap_is_answer): the cookie or the right to ask is refused. */
int ldap_conn_dirsync(struct ldap_conn *c, const struct ldap_search *s, struct buf *cookie,
                      int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry, struct err *e), void *ctx,
                      struct ldap_stats *stats, struct err *e) must_use;

#endif
