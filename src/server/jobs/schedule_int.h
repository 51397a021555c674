/* schedule_int.h - the decisions of schedule.h, without clock, threads or files.
 */
#ifndef ROLLCALL_SERVER_SCHEDULE_INT_H
#define ROLLCALL_SERVER_SCHEDULE_INT_H

#include "conf/cron.h"
#include "server/jobs/schedule.h"

/* When a connector is due by itself. */
struct schedule_rule {
    int64_t every_ms;
    const struct cron *cron; /* instead; NULL: by interval */
};
enum schedule_verdict { SCHEDULE_GOOD, SCHEDULE_FAILED, SCHEDULE_CANCELLED, SCHEDULE_INTERRUPTED };
struct schedule_outcome {
    enum schedule_verdict verdict;
    int class;            /* of a failed one */
    int64_t started_ms, ended_ms;
    int64_t retry_at_ms;  /* as the peer or the pause asked; 0: did not */
    unsigned attempt;     /* of this run: 0 the first of its period */
};
struct schedule_next {
    int64_t at_ms;    /* 0: never */
    unsigned attempt; /* that it will be */
};
/* seed: of the jitter; the same gives the same. */
struct schedule_next schedule_decide(const struct schedule_rule *r, const struct schedule_outcome *o, uint64_t seed);
/* The next time of the rule when nothing failed. */
int64_t schedule_regular(const struct schedule_rule *r, int64_t started_ms, int64_t now_ms, uint64_t seed);
/* A failure that a change of settings may heal: then it is tried at once. */
bool schedule_waits_for_change(int class);

#endif
