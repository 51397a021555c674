/* check.h - the access check of a domain controller: one descriptor, one token, one right. Exact and pure.
 *
 * MS-DTYP 2.5.3.2, MS-ADTS 5.1.3.3, 6.1.3.4: each ACE in stored order; the first that speaks for a bit decides it. No allocation, no
 * recursion. This is the truth that the sets (access/sets.h) must agree with, and the one place where the rules are written down.
 */
#ifndef ROLLCALL_ACCESS_CHECK_H
#define ROLLCALL_ACCESS_CHECK_H

#include "model/rights.h"
#include "model/sd.h"

enum access_rule { ACCESS_WINDOWS, ACCESS_DENY_WINS };

/* Is the SID in the token? Everyone, Authenticated Users and the rest of the well-known ones are the caller's to put in; SELF is not
 * asked for here. */
struct access_token {
    bool (*has)(void *ctx, struct bytes sid);
    void *ctx;
};
/* What is protected. */
struct access_object {
    const struct sd *sd;      /* NULL: not known: nothing can be said */
    struct bytes sid;         /* its own, for SELF; may be empty */
    const struct schema *schema;
    uint32_t class;           /* its structural class in the schema; SCHEMA_NONE */
};
enum access_reason {
    ACCESS_NO_ACE,         /* nobody spoke: denied */
    ACCESS_BY_ACE,         /* .ace decided, either way */
    ACCESS_NULL_DACL,      /* no DACL or a NULL one: everything */
    ACCESS_IMPLICIT_OWNER, /* READ_CONTROL and WRITE_DAC of the owner */
};
struct access_verdict {
    bool is_allowed;
    enum access_reason reason;
    unsigned ace;        /* number in the DACL, from 0; ACCESS_BY_ACE */
    bool is_conditional; /* a callback ACE before the decision would have spoken if its condition held: the answer may be the other one */
    unsigned n_unknown;  /* ACEs of unknown type passed over */
};
/* An untyped right asks for the whole object: all properties, all children, all extended rights. */
void access_check(struct access_verdict *out, const struct access_object *o, const struct access_token *t, const struct right *r,
                  enum access_rule rule);
/* Does this ACE speak for the right at all (type, flags, mask, object type; not its trustee)? For explanations and for the sets. */
enum access_speech { ACE_SILENT, ACE_ALLOWS, ACE_DENIES, ACE_MAY_ALLOW, ACE_MAY_DENY /* callback: if its condition holds */ };
enum access_speech access_ace_speaks(const struct ace *a, const struct access_object *o, const struct right *r);
/* Does an effective ACE name OWNER RIGHTS (S-1-3-4)? Then the owner's implicit rights are off. */
bool access_has_owner_rights(const struct sd *sd);

#endif
