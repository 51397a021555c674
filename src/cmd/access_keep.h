/* access_keep.h - the world and the sets of the access engine, kept between the questions of one process (answer.c).
 *
 * A command makes what it needs and drops it at its end. A process that answers many questions keeps both, and makes them anew when a
 * run has made another snapshot visible. One thread.
 */
#ifndef ROLLCALL_CMD_ACCESS_KEEP_H
#define ROLLCALL_CMD_ACCESS_KEEP_H

#include "access/sets/sets.h"
#include "base/hash.h"

struct access_keep {
    struct store *store;
    struct world *world; /* NULL: not asked for since the last run */
    struct sets *sets;
    struct hash128 as_of; /* of the visible runs that they show */
    /* of the last answer */
    uint32_t about;    /* connector of the world; NOBODY: all */
    int64_t as_of_ms;  /* when the run that --run named had ended; 0: now was meant */
    uint64_t n_lost;   /* changes since then that could not be undone */
};
/* From here on every access_cli_open takes what is kept. NULL ends it. */
void access_keep_in(struct access_keep *k);
struct access_keep *access_kept(void); /* NULL: nothing is kept */
/* Before each question: drops what another run has made old. *is_new: so was the last answer. */
int access_keep_refresh(struct access_keep *k, bool *is_new, struct err *e) must_use;
void access_keep_drop(struct access_keep *k);

#endif
