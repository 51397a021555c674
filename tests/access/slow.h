/* slow.h - the access check once more, for tests: written from the text of MS-DTYP 2.4, 2.5.3.2 and MS-ADTS 5.1.3.3, and nothing else.
 *
 * It reads the bytes of the descriptor itself, draws the whole tree of object types, and walks all ACEs for all bits with the sets G and D
 * (granted, denied) of each node, as the documents tell it. It shares no line with access/check.c and model/sd.c; that both agree on
 * millions of cases is the proof of either. Conditional ACEs are tried in every combination.
 */
#ifndef ROLLCALL_TESTS_SLOW_H
#define ROLLCALL_TESTS_SLOW_H

#include "access/check.h"

struct slow_question {
    struct bytes sd, self;
    const struct schema *schema;
    uint32_t class;
    const struct bytes *sids; /* the token */
    unsigned n_sids;
    struct right right;
    enum access_rule rule;
    unsigned quirks;          /* enum quirk: answer as Samba 4.17 does */
};
/* What Samba's sec_access_check_ds (4.17) does otherwise than the documents and Windows. */
enum quirk {
    QUIRK_OWNER_RIGHTS = 1, /* S-1-3-4 is a SID like any other: nobody has it, and the owner's implicit rights stay */
    QUIRK_NO_DACL = 2,      /* where no DACL is present, nothing is granted */
    QUIRK_ANY_CONTROL = 4,  /* an object-allow ACE with CONTROL_ACCESS in its mask grants every right at its node */
    QUIRK_ANY_NODE = 8,     /* a grant of one part answers a question for the whole */
    QUIRK_RAW_MASK = 16,    /* generic bits are not mapped: its caller does that when the descriptor is stored */
    QUIRK_PLAIN_OWNER = 32, /* an owner that is SELF is not replaced */
    QUIRK_NO_BLOCK = 64,    /* dSHeuristics do not block implicit owner rights */
    QUIRKS = 7,
};
struct slow_place {
    enum { SLOW_HEADER, SLOW_OWNER, SLOW_GROUP, SLOW_DACL, SLOW_ACE } what;
    unsigned ace; /* from 1 */
};
struct slow_sd; /* read */
/* NULL: malformed, *where says in what part. */
struct slow_sd *slow_read(struct bytes in, struct slow_place *where);
void slow_free(struct slow_sd *sd);
/* Do the bytes mean to the engine's decoder what they mean here? */
bool slow_same(const struct slow_sd *mine, const struct sd *theirs);
void slow_check(struct access_verdict *out, const struct slow_sd *sd, const struct slow_question *q);

#endif
