/* diff.h - what changed about one entity between two records of it, as rows of the change log.
 *
 * A difference of the DN is `moved` (other parent) or `renamed` (other RDN) or both; every attribute of the
 * state body that differs is one `modified` row with old and new as one body entry each (record.h). Nothing
 * here knows a database.
 */
#ifndef ROLLCALL_STORE_DIFF_H
#define ROLLCALL_STORE_DIFF_H

#include "model/change.h"

struct diff_side {
    const struct record *record;
    struct bytes sd; /* its security descriptor; empty: none or not known */
};
typedef int diff_each(void *ctx, const struct change *row,
                      struct err *e); /* type, attribute, old, new are set */
/* A descriptor that is not known on one side is no difference. ERR_PROTO: malformed body. */
int diff_records(const struct diff_side *old, const struct diff_side *new, diff_each *each, void *ctx,
                 struct err *e) must_use;

#endif
