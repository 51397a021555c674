/* job_int.h - what the files of job.h share: one job, and who does what.
 *
 *   job.c        the queue, the thread, the calls of job.h       job_child.c  a process: started, ended
 *   job_told.c   what a child's lines mean                       job_log.c    events, a file for each job
 *   job_words.c  the command of a kind                           job_rows.c   rows of the state file
 */
#ifndef ROLLCALL_SERVER_JOB_INT_H
#define ROLLCALL_SERVER_JOB_INT_H

#include "server/jobs/job.h"
#include "server/jobs/job_child.h"
#include "server/jobs/job_log.h"

#define JOB_LINE_MAX   ((size_t)256 << 10)
#define JOB_RESULT_MAX ((size_t)16 << 20)

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED, JOB_INTERRUPTED };
extern const char *const job_state_names[];

struct job {
    struct job *next;
    int64_t id;
    char *kind, *connector, *by; /* connector "": none */
    json_t *options;
    struct handed *unsaved; /* ours; NULL: of the stored connector */
    enum job_state state;
    unsigned attempt;
    int64_t queued_ms, started_ms, ended_ms;
    json_t *progress, *runs; /* object or NULL; array */
    json_t *error, *result;  /* of its end; NULL: none */
    int exit;                /* -1: not ended, or by a signal */

    struct job_child child;
    struct buf err_line, out; /* what waits for its newline; out: a line, or all of the result */
    bool is_err_cut;          /* the rest of a line that is too long is thrown away */
    char last_words[512];     /* the last line on standard error that was no JSON */
    unsigned n_steps, n_fail, n_warn;
    struct job_log log;
    uint64_t progress_id; /* of the last progress; 0: none */
    int64_t late_at_ms;   /* monotonic: it takes too long */
    int64_t kill_at_ms;   /* monotonic; 0: it was not asked to end */
    bool is_cancelled, is_stopping;
    bool is_saved; /* its row says what it is */
    bool has_news; /* watchers are to be called */
};

struct job *job_new(const struct job_request *r);
void job_free(struct job *j);
json_t *job_tell(const struct job *j); /* as in job.h, without the result; the caller decrefs */

/* --- job_words.c: the command. Some are borrowed from the job; ERR_INPUT: no such kind, or a wrong option. */
#define JOB_WORDS_MAX 24
struct job_words {
    const char *list[JOB_WORDS_MAX + 1];
    size_t n;
    char *made[4];
    size_t n_made;
    bool is_by_line; /* standard output is a step a line, not one JSON value */
    bool has_connector;
};
int job_words_make(struct job_words *w, const struct job *j, struct err *e) must_use;
void job_words_free(struct job_words *w);
bool job_kind_is_whole_run(const char *kind); /* one at a time for each connector: it writes the store */

/* --- job_told.c: its pipes have something, or the end. */
void job_listen(struct job *j);
/* Its pipes are closed and it is reaped: what became of it. */
void job_judge(struct job *j, int status);
void job_event(struct job *j, const char *event, json_t *data); /* steals data */

/* --- job_rows.c */
int job_rows_open(struct state *s, struct err *e) must_use;
int job_rows_add(struct state *s, const struct job *j, int64_t *id, struct err *e) must_use;
int job_rows_put(struct state *s, const struct job *j, struct err *e) must_use;
int job_rows_get(struct state *s, int64_t id, json_t **out, struct err *e) must_use;
int job_rows_list(struct state *s, const char *connector, const char *kind, int64_t before, int64_t limit, json_t **out, struct err *e) must_use;
/* Those that a stopped server left: array of their JSON, now interrupted. */
int job_rows_interrupt(struct state *s, int64_t now_ms, json_t **out, struct err *e) must_use;
/* All but the newest `keep` of the connector that have ended; gone is told of each. */
int job_rows_prune(struct state *s, const char *connector, int64_t keep, void (*gone)(void *ctx, int64_t id), void *ctx, struct err *e) must_use;

#endif
