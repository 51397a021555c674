/* keep.h - what was told once and was not read this time stays what it was.
 *
 * MFA registration and sign-in activity come from reports of their own, which may be missing or read less often than the directory; the
 * owners of a group are a list of their own, which may be refused. A record with RECORD_KEEP_MFA, RECORD_KEEP_SIGN_IN or
 * RECORD_KEEP_OWNERS says nothing of those attributes (attr.h 300..309, 310..319, 249), one with RECORD_KEEP_ABSENT nothing of those that it
 * does not have: it must neither delete nor invent them.
 */
#ifndef ROLLCALL_KEEP_H
#define ROLLCALL_KEEP_H

#include "model/record.h"

/* Appends to state and stats the bodies of now, with the attributes that its flags keep taken from the bodies of before instead. before
 * may be NULL: nothing is known of it yet. Without such a flag these are now's bodies. Order stays ascending, custom properties last. */
void record_keep(struct buf *state, struct buf *stats, const struct record *now, const struct record *before);

#endif
