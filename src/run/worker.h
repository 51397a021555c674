/* worker.h - one job in a process of its own: started, fed, listened to, reaped.
 *
 * The worker is this same binary as `rollcall collect`, exec'ed on one end of a socketpair, so it has no memory of ours, none of
 * our environment, no store, and only its own job's secret. It dies with us (PR_SET_PDEATHSIG); if it dies first, the run fails
 * and says how.
 *     worker_start(&w, &job, &e); rc = worker_run(w, &handler, &e); // worker_run frees w
 * A callback's negative return stops the worker and is what worker_run returns.
 */
#ifndef ROLLCALL_WORKER_H
#define ROLLCALL_WORKER_H

#include "base/secret.h"
#include "conf/conf.h"
#include "model/change.h"
#include "model/frame.h"

#include <signal.h>

struct worker;

struct worker_job {
    const char *verb;
    const struct connector_conf *connector;
    kind_set kinds; /* 0: all */
    const struct secret *password; /* resolved already; NULL: worker_start resolves it */
    const json_t *since, *only; /* as struct job's (source.h); NULL: everything */
    const json_t *ask;          /* likewise; NULL: nothing */
};

/* Callbacks may be NULL. Everything given to them is borrowed for the call. */
struct stream_handler {
    void *ctx;
    int (*begin)(void *ctx, const json_t *facts, struct err *e);
    int (*sd)(void *ctx, uint32_t number, struct bytes sd, struct err *e);
    /* payload: the record's frame bytes, for whoever wants to keep it. */
    int (*record)(void *ctx, const struct record *r, struct bytes payload, struct err *e);
    int (*members)(void *ctx, const struct members_part *p, struct err *e);
    int (*gap)(void *ctx, const struct gap *g, struct err *e);
    int (*watermark)(void *ctx, const json_t *watermark, struct err *e);
    int (*schema)(void *ctx, struct bytes schema, struct err *e);
    int (*gone)(void *ctx, const uint8_t guid[GUID_SIZE], enum evidence v, struct err *e);
    int (*present)(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e);
    int (*kind_done)(void *ctx, enum kind k, bool complete, uint64_t received, struct err *e);
    void (*progress)(void *ctx, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes);
    void (*repairs)(void *ctx, uint64_t repeated, uint64_t throttled, uint64_t rested_ms);
    int (*step)(void *ctx, const json_t *step, struct err *e);
    int (*end)(void *ctx, const json_t *facts, struct err *e);
    int (*idle)(void *ctx, struct err *e); /* the worker has said nothing for half a second */
};

/* The secret of a connector's settings; empty if they have none. */
int worker_secret(struct secret *out, const struct connector_conf *c, struct err *e) must_use;
/* Resolves the connector's secret if the job has none (prompting if it says so), then starts. */
int worker_start(struct worker **out, const struct worker_job *job, struct err *e) must_use;
/* Until END (0), ABORT or the worker's death (its error), a callback's error, or interruption (ERR_CANCEL). */
int worker_run(struct worker *w, const struct stream_handler *h, struct err *e) must_use;

/* SIGINT and SIGTERM ask every wait here to end with ERR_CANCEL. Once per process. */
void worker_install_signals(void);
const volatile sig_atomic_t *worker_interrupt_flag(void); /* for waits elsewhere */

/* The worker's side: reads the job from fd, runs it, returns the exit code of the process. */
int worker_serve(int fd);

#endif
