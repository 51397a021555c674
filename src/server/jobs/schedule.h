/* schedule.h - which connector is synced when: interval or cron, jitter, retries by error class, pause after a refused credential.
 *
 * One thread. A connector's next time is kept in the state file, so a restart neither forgets nor repeats. A failed run is tried again by its class: NET TIMEOUT
 * TLS LIMIT COOKIE CONFLICT after 1, 2, 4 ... minutes (at most the interval, with jitter); AUTH, DENIED, INPUT not before something changes or the next period (run/pause.h guards the
 * account); BUG, PROTO at the next period. What a stopped server interrupted is queued first.
 * The reports run once a day, as soon as there is something to report of.
 */
#ifndef ROLLCALL_SERVER_SCHEDULE_H
#define ROLLCALL_SERVER_SCHEDULE_H

#include "server/jobs/job.h"

struct schedule;
int schedule_open(struct schedule **out, struct state *s, struct connectors *c, struct jobs *j, struct err *e) must_use;
void schedule_close(struct schedule *s);
void schedule_wake(struct schedule *s); /* settings changed: look again */
/* The newest sync of this connector (its JSON), not of another one that had its name before; NULL: none. The caller decrefs. */
json_t *schedule_newest_sync(struct schedule *s, const json_t *connector);
/* {next, last_job, last_status, retry_at, paused, reason, attempt} of a connector, for pages; never fails: what is unknown is absent. */
json_t *schedule_tell(struct schedule *s, const char *connector);

#endif
