/* gap.h - what an answer may be missing, and how much that matters.
 *
 * info: nothing asked for is missing. loss: entities or memberships that belong to the answer may be
 * missing; only loss makes a run partial, and only for its kind does it forbid tombstones.
 */
#ifndef ROLLCALL_GAP_H
#define ROLLCALL_GAP_H

#include "base/buf.h"
#include "base/err.h"
#include "model/kind.h"

enum gap_severity { GAP_INFO = 0, GAP_LOSS = 1 };

struct gap {
    enum kind kind; /* KIND_NONE: no particular kind (a loss then counts for every kind) */
    enum gap_severity severity;
    struct str what;  /* one clause: "3 members do not resolve" */
    struct str where; /* DN, attribute, naming context; may be empty */
    struct str fix;   /* what to do; may be empty */
};

const char *gap_severity_name(enum gap_severity s);
void gap_encode(struct buf *out, const struct gap *g);
int gap_decode(struct gap *out, struct bytes in, struct err *e) must_use;

#endif
