/* ldap_source.h - the verbs of the Active Directory source (source.h), and the table entry that names
 * them.
 */
#ifndef ROLLCALL_LDAP_SOURCE_H
#define ROLLCALL_LDAP_SOURCE_H

#include "source/source.h"

int ldap_read(const struct job *j, struct emit *m, struct err *e) must_use;
int ldap_check(const struct job *j, struct emit *m, struct err *e) must_use;
int ldap_discover(const struct job *j, struct emit *m, struct err *e) must_use;
int ldap_browse(const struct job *j, struct emit *m, struct err *e) must_use;
int ldap_list_controllers(const struct job *j, struct emit *m, struct err *e) must_use;

#endif
