/* bench.h - what the benchmarks of a store share: the first error ends them, and they tell their peak memory. */
#ifndef ROLLCALL_BENCH_H
#define ROLLCALL_BENCH_H

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static inline void check(int rc, const struct err *e)
{
    if (rc >= 0) return;
    fprintf(stderr, "%s\n%s\n", e->message, e->hint);
    exit(1);
}

static inline long peak_mib(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_maxrss / 1024;
}

#endif
