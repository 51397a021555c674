/* filter.h - LDAP search filters (RFC 4515): built from values, never by pasting text.
 */
#ifndef ROLLCALL_FILTER_H
#define ROLLCALL_FILTER_H

#include "base/buf.h"
#include "base/err.h"

/* Appends value escaped: * ( ) \ NUL and bytes that are not UTF-8 text as \xx. */
void filter_escape(struct buf *out, struct bytes value);
/* Appends (attribute=value). */
void filter_equal(struct buf *out, struct str attribute, struct bytes value);
/* Syntax check of a whole filter; ERR_INPUT names the position. Depth at most 64. */
int filter_check(struct str filter, struct err *e) must_use;

#endif
