/* sync.h - a directory into the store: one run, visible as a whole or not at all.
 */
#ifndef ROLLCALL_SYNC_H
#define ROLLCALL_SYNC_H

#include "conf/conf.h"
#include "run/facts.h"
#include "store/store.h"

struct sync_options {
    const struct connector_conf *connector;
    struct store *store;
    bool accept_deletions;
    bool full; /* although what changed could be asked for */
    bool try_now; /* although the connector is paused: pause.h */
    const char *access_file; /* sets of the access engine beside the store (access/sets.h), kept up to date if they are there; NULL: no */
};
/* One run, or two: when full_sync_every has passed, a full run verifies the incremental one before it. */
struct sync_result {
    struct run_result runs[2];
    size_t n_runs;
};
/* 0: the run ended and is visible (complete, partial or held: its status). An error: it is recorded as failed, and
 * what was visible before still is. */
int sync_directory(const struct sync_options *o, struct stream_report *report, struct sync_result *result, struct err *e) must_use;

#endif
