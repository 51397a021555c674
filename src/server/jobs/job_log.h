/* job_log.h - the events of one job: a file of JSON Lines, {"id":N,"event":"...","data":...}, ids ascending.
 *
 * Bounded: when LOG_EVENTS or LOG_BYTES are reached, only "state" and "end" are still written, and how many were left out is told at the end. Progress is
 * not written at all: only the last one is of use, and that its job knows; it only takes an id. One writer; any thread may read meanwhile.
 */
#ifndef ROLLCALL_SERVER_JOB_LOG_H
#define ROLLCALL_SERVER_JOB_LOG_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

#define JOB_LOG_EVENTS 10000
#define JOB_LOG_BYTES  ((size_t)8 << 20)

struct job_log {
    int fd;
    uint64_t last; /* id */
    size_t bytes, n, n_left_out;
};
/* A new one, or to go on where an earlier process stopped. */
int job_log_open(struct job_log *out, const char *path, struct err *e) must_use;
void job_log_close(struct job_log *l);
/* Borrows data. What cannot be written (a full disk) is left out: a job does not fail for its log. Returns the id. */
uint64_t job_log_add(struct job_log *l, const char *event, const json_t *data);
/* The line of an event, for one that is not kept. */
void job_log_line(struct buf *out, uint64_t id, const char *event, const json_t *data);

/* Appends lines whose id is above `after` to out, as many as fit; *last: id of the last one appended, untouched if there is none. *is_all: no further one is in the
 * file. No file: as an empty one. */
int job_log_read(const char *path, uint64_t after, struct buf *out, uint64_t *last, bool *is_all, struct err *e) must_use;

#endif
