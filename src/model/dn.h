/* dn.h - distinguished names, RFC 4514 as Active Directory writes them.
 *
 * A DN stays the text the server gave; these functions look into it without changing it. No recursion,
 * no allocation but where a struct buf is passed.
 */
#ifndef ROLLCALL_DN_H
#define ROLLCALL_DN_H

#include "base/buf.h"
#include "base/err.h"

/* The first RDN's attribute and raw value, and what is left after the comma; false if dn is empty or malformed
 * (then *rest is empty). Handles \, \" \\ \2C hex pairs, "quoted" values, #hex values and multi-valued RDNs
 * (the first one's value then runs to the '+'). */
bool dn_split(struct str dn, struct str *attribute, struct str *value, struct str *rest);
/* The DN without its first RDN; empty at the top. */
struct str dn_parent(struct str dn);
/* Checks syntax. ERR_INPUT names the position: "character 14: ..." */
int dn_check(struct str dn, struct err *e) must_use;
/* Appends the value with escapes undone. */
void dn_unescape(struct buf *out, struct str raw_value);
/* Appends value escaped for use in a DN. */
void dn_escape(struct buf *out, struct str value);
/* Appends the comparison form: attribute types lower-case, spaces around separators gone, values unescaped and
 * case-folded (utf8proc casefold), values re-escaped. Two DNs name one object if their forms are equal (AD's own
 * matching also folds some widths and accents; the GUID decides where it matters). */
void dn_normalize(struct buf *out, struct str dn);
/* true if dn is base or below it; both in comparison form. */
bool dn_is_under(struct str dn, struct str base);
/* "corp.example" -> "DC=corp,DC=example" */
void dn_from_dns(struct buf *out, struct str dns_name);
/* "OU=x,DC=corp,DC=example" -> "corp.example": its DC components */
void dn_to_dns(struct buf *out, struct str dn);

#endif
