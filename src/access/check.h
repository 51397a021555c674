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
 * asked for here, nor are OWNER RIGHTS and the Creator SIDs. */
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
/* An untyped right asks for the whole object: all properties, all children, all extended rights. It is granted by what speaks for the
 * whole and spoiled by a typed deny of a part that this object has; grants of all the single parts do not add up to it. Under
 * ACCESS_DENY_WINS any deny ACE beats any allow ACE, wherever it stands; the owner's implicit rights and a NULL DACL are no ACEs and stay. */
void access_check(struct access_verdict *out, const struct access_object *o, const struct access_token *t, const struct right *r,
                  enum access_rule rule);
/* Does this ACE speak for the right at all (type, flags, mask, object type; not its trustee)? For explanations and for the sets. */
enum access_speech { ACE_SILENT, ACE_ALLOWS, ACE_DENIES, ACE_MAY_ALLOW, ACE_MAY_DENY /* callback: if its condition holds */ };
enum access_speech access_ace_speaks(const struct ace *a, const struct access_object *o, const struct right *r);
/* Does an effective ACE name OWNER RIGHTS (S-1-3-4)? Then the owner's implicit rights are off. */
bool access_has_owner_rights(const struct sd *sd);
/* Has the forest taken them away for this object (MS-ADTS 6.1.3.4: dSHeuristics 29 is '1', a computer or what is derived from it)? Then they
 * stay only with owners who are Domain Admins or Enterprise Admins, told by the domain of the object's SID: Enterprise Admins of another
 * root domain are not recognised. */
bool access_blocks_owner(const struct access_object *o);
/* What the trustee of an ACE means: the special ones stand for another SID, or for none. The sets and explanations ask here, too. */
enum access_trustee {
    TRUSTEE_SID,     /* itself */
    TRUSTEE_SELF,    /* S-1-5-10: the object's own SID */
    TRUSTEE_OWNER,   /* S-1-3-4: the descriptor's owner */
    TRUSTEE_NOBODY,  /* Creator Owner, Creator Group and their server forms, S-1-3-0..3: only placeholders for inheritance */
};
enum access_trustee access_trustee_kind(struct bytes sid);

/* Can the object be deleted: DELETE on itself, or DELETE_CHILD for its class on its parent (MS-ADTS 3.1.1.5.5)? *out is the verdict of
 * whichever allows it (the unconditional one if there is a choice); where neither does, the object's own, conditional if either is.
 * *is_by_parent: out speaks of the parent's DACL. parent NULL: not known, only the object is asked. DELETE_TREE is a right of its own. */
void access_check_delete(struct access_verdict *out, bool *is_by_parent, const struct access_object *o, const struct access_object *parent,
                         const struct access_token *t, enum access_rule rule);
/* Does the object show itself (MS-ADTS 5.1.3.3.6)? LIST_CHILD_OBJECTS on the parent; or, only where dSHeuristics turns list-object mode
 * on, LIST_OBJECT on both. So LIST_OBJECT means nothing otherwise, although DACLs are full of it. The root of a naming context (parent
 * NULL) always shows. */
bool access_is_visible(const struct access_object *o, const struct access_object *parent, const struct access_token *t,
                       bool is_list_object_mode, enum access_rule rule);
/* May the attribute be read: READ_PROPERTY, and for a confidential one (searchFlags 0x80) CONTROL_ACCESS on it, too (MS-ADTS 3.1.1.4.4).
 * *out is the verdict that decides: the refusal if there is one. attribute: its place in o->schema. */
void access_check_read(struct access_verdict *out, const struct access_object *o, const struct access_token *t, uint32_t attribute,
                       enum access_rule rule);

#endif
