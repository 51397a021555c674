/* ldap_logons.h - lastLogon of the other controllers: it is not replicated (MS-ADA1 2.353), so each knows
 * only the logons that it has seen itself.
 *
 * Asked before the listing, with a narrow one of each other controller; 24 bytes for each account that has
 * logged on there.
 */
#ifndef ROLLCALL_LDAP_LOGONS_H
#define ROLLCALL_LDAP_LOGONS_H

#include "source/ldap/ldap_session.h"

/* Into s->logons, if the settings ask for it and the kinds have logons. A controller that cannot be asked is
 * told as a gap (info), no error. */
int ldap_logons_collect(struct ldap_session *s, kind_set kinds, struct err *e) must_use;
/* FILETIME ticks of the latest logon at another controller; 0: none known. */
int64_t ldap_logons_find(const struct ldap_logons *l, const uint8_t guid[GUID_SIZE]);
void ldap_logons_free(struct ldap_logons *l); /* NULL is legal */

#endif
