/* report_access.c - the pass over descriptors and tokens. */
#include "access/report_int.h"

int report_access(struct report *r, struct err *e)
{
    (void)r;
    (void)e;
    return 0;
}
