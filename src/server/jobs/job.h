/* job.h - work done in child processes of this binary (rollcall sync, check, discover ...): started, listened to, ended, remembered.
 *
 * The server opens no LDAP and no Graph: a job is `rollcall VERB CONNECTOR` with the connector's settings and secrets on inherited descriptors
 * (connectors.h), its events as JSON lines. When it dies, only its own run fails. Jobs are rows of the state file and their events a file each
 * (<store>.jobs/ID.jsonl), so that a page that is loaded again, or a server started again, shows them from the beginning.
 * JSON of a job: {id, kind: "sync"|"test"|"discover"|"browse"|"access"..., connector, by, options{}, state: "queued"|"running"|"done"|"failed"|"cancelled"|"interrupted",
 * attempt, queued, started, ended, progress{kind, received, total, expected, rate, left_s, requests, bytes, elapsed_ms}, runs[ids], exit, error{class, message,
 * hint}, result}.
 * Events, each with an ascending id: "state" (the job's JSON), "progress", "step" (of a test: name, verdict, took_ms, evidence, fix), "log" ({time, level, text}),
 * "gap", "end".
 */
#ifndef ROLLCALL_SERVER_JOB_H
#define ROLLCALL_SERVER_JOB_H

#include "server/connectors/connectors.h"

struct jobs;
struct jobs_options {
    struct state *state;
    struct connectors *connectors;
    const char *dir;      /* of the event files; made with mode 0700 */
    const char *store_url;
    unsigned parallel;    /* jobs at once; one sync per connector in any case */
};
/* What a stopped server left as running is marked interrupted; the scheduler queues it again. Starts a thread that owns the children. */
int jobs_open(struct jobs **out, const struct jobs_options *o, struct err *e) must_use;
/* Children get SIGTERM, end at a checkpoint, and after wait_ms SIGKILL; theirs are "interrupted". Nothing new is started. Does not wait. */
void jobs_stop(struct jobs *j, int wait_ms);
/* The same if that was not called, then waits for them. NULL is legal. */
void jobs_close(struct jobs *j, int wait_ms);

struct job_request {
    const char *kind, *connector, *by; /* by: actor's name, or "schedule" */
    const json_t *options;             /* sync: {full, accept_deletions, try_now}; borrowed */
    struct handed *unsaved;            /* settings not stored yet; taken over. NULL: of the stored connector */
    unsigned attempt;                  /* 0: the first */
};
/* ERR_CONFLICT: a sync of the connector is queued or running (message names the job). id: printable, unguessable is not needed. */
int jobs_start(struct jobs *j, const struct job_request *r, int64_t *id, struct err *e) must_use;
int jobs_cancel(struct jobs *j, int64_t id, const char *by, struct err *e) must_use; /* ERR_NOTFOUND, ERR_CONFLICT: over already */
int jobs_get(struct jobs *j, int64_t id, json_t **out, struct err *e) must_use;
/* Newest first, connector NULL: all, before 0: from the newest. */
int jobs_list(struct jobs *j, const char *connector, const char *kind, int64_t before, int64_t limit, json_t **out, struct err *e) must_use;
/* Appends events after `after` as {"id":N,"event":"...","data":...} lines, at most to out's maximum. *last: id of the last one appended, *over: the job has ended and
 * everything was told. */
int jobs_events(struct jobs *j, int64_t id, uint64_t after, struct buf *out, uint64_t *last, bool *over, struct err *e) must_use;
/* Called from the jobs' thread after every event and end; must not block. `ended`: the job's JSON when it has ended, else NULL (borrowed). At most 8 watchers. */
void jobs_watch(struct jobs *j, void (*woken)(void *ctx, int64_t job, const json_t *ended), void *ctx);
/* After it has returned, the watcher with this ctx is not called any more. Not from a watcher. */
void jobs_unwatch(struct jobs *j, const void *ctx);

#endif
