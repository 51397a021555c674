/* ldap_entry.h - one SearchResultEntry (RFC 4511 4.5.2) into the slots of a plan, in place: nothing is
 * copied.
 */
#ifndef ROLLCALL_LDAP_ENTRY_H
#define ROLLCALL_LDAP_ENTRY_H

#include "source/ldap/ldap_plan.h"

/* The entry's content, borrowed from the message; ber_free(*hold, 0) when done with it. */
int ldap_entry_open(LDAP *ld, LDAPMessage *m, BerElement **hold, struct bytes *content,
                    struct err *e) must_use;
/* Just its DN. */
int ldap_entry_dn(struct bytes content, struct str *dn, struct cursor *attributes, struct err *e) must_use;
/* Fills the slots of what came; slots that did not keep an older stamp. ERR_PROTO: not well-formed. */
int ldap_entry_read(struct ldap_plan *p, struct bytes content, struct str *dn, struct err *e) must_use;

/* Of an attribute description's options (";range=0-1499", ";binary;range=1500-*"). false: no range option
 * among them. One that makes no sense, or two, give a range that ldap_range_is_sound refuses. */
bool ldap_range_parse(struct range *out, struct str options);
/* true if `set` is what `range` says and begins with value number `first`. */
bool ldap_range_is_sound(const struct range *range, struct bytes set, uint64_t first);

#endif
