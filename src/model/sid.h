/* sid.h - a security identifier, MS-DTYP 2.4.2: bytes to text and back, and the well-known ones.
 *
 * A value of at most 68 bytes; never allocates. Not a principal: names live in the store.
 */
#ifndef ROLLCALL_SID_H
#define ROLLCALL_SID_H

#include "base/buf.h"
#include "base/err.h"

#define SID_MAX  68
#define SID_TEXT 192 /* longest text form and NUL */

struct sid {
    uint8_t n_sub; /* 0..15 */
    uint64_t authority; /* 48 bit */
    uint32_t sub[15];
};

/* Reads one SID that fills `in` exactly. ERR_PROTO: revision not 1, more than 15 sub-authorities, short or long. */
int sid_decode(struct sid *out, struct bytes in, struct err *e) must_use;
/* 8 + 4 n_sub bytes into out[SID_MAX]; returns the length. */
size_t sid_encode(uint8_t out[SID_MAX], const struct sid *s);
/* "S-1-5-21-..."; authorities from 2^32 in hex as MS-DTYP 2.4.2.1 says. Returns out. */
char *sid_format(char out[SID_TEXT], const struct sid *s);
/* Straight from bytes; "" if they are no SID. */
char *sid_format_bytes(char out[SID_TEXT], struct bytes in);
int sid_parse(struct sid *out, struct str text, struct err *e) must_use;
/* true if bytes are well-formed (as sid_decode would say). */
bool sid_is_valid(struct bytes in);
/* Last sub-authority of well-formed bytes; 0 if there is none. */
uint32_t sid_rid(struct bytes in);
/* true if `in` is the domain's SID plus exactly one more sub-authority. */
bool sid_is_in_domain(struct bytes in, struct bytes domain);
/* English name of a well-known SID ("Everyone", "BUILTIN\\Administrators", ...), NULL if it is not one. */
const char *sid_well_known_name(struct bytes in);

#endif
