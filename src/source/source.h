/* source.h - what a worker runs: a source turns one job into a stream of frames (model/frame.h).
 *
 * Code here runs in a worker process that holds its own job's secret and nothing else: no store, no other connector.
 * It may block: every wait has a deadline. It parses hostile bytes: everything it emits is checked and typed.
 */
#ifndef ROLLCALL_SOURCE_H
#define ROLLCALL_SOURCE_H

#include "base/secret.h"
#include "model/change.h"
#include "model/frame.h"

#include <jansson.h>

/* --- what to do ------------------------------------------------------------------------------------- */
struct job {
    const char *verb;      /* "read", "check", "discover", "browse", "controllers" */
    const char *connector; /* its name, for messages */
    json_t *settings;      /* checked by conf; secrets are references that are not resolved here */
    kind_set kinds;        /* what to list; 0: everything the source has */
    struct secret password; /* empty if the job has none */
    const char *secret_error; /* verb check: why the secret could not be resolved; NULL if it could */
    int64_t deadline_ms;   /* monotonic; of the whole job */
    /* verb read, borrowed JSON; NULL: everything. What they hold is the source's own affair. */
    const json_t *since;   /* a watermark of an earlier read: only what changed. {}: everything, and a watermark */
    const json_t *only;    /* what to read again, after a read of changes: docs/wire.md */
    const json_t *ask;     /* verb browse: {base} */
};

/* --- where to say it ---------------------------------------------------------------------------------- */
/* Writes frames to a descriptor, 256 KiB at a time. When the reader has gone, every function returns ERR_CANCEL. */
struct emit;
int emit_open(struct emit **out, int fd, struct err *e) must_use;
void emit_close(struct emit *m);
/* Where a peer's words, which gaps, steps and the abort quote, repeat the secret, asterisks take its place. Borrowed until emit_close;
 * shorter than 4 bytes: nothing is done, since it would be found in any text. */
void emit_conceal(struct emit *m, struct bytes secret);
int emit_begin(struct emit *m, json_t *facts, struct err *e) must_use; /* borrows facts */
/* Gives the descriptor a number, sending it only the first time it is seen. Number 0: empty or malformed. */
int emit_sd(struct emit *m, struct bytes sd, uint32_t *number, struct err *e) must_use;
/* Splits long member lists over frames by itself. */
int emit_record(struct emit *m, const struct record *r, struct err *e) must_use;
int emit_members(struct emit *m, const struct members_part *p, struct err *e) must_use; /* ranged retrieval: one call a range */
int emit_gap(struct emit *m, const struct gap *g, struct err *e) must_use;
int emit_gone(struct emit *m, const uint8_t guid[GUID_SIZE], enum evidence v, struct err *e) must_use;
int emit_present(struct emit *m, enum kind k, struct bytes guids, struct err *e) must_use;
int emit_watermark(struct emit *m, const json_t *watermark, struct err *e) must_use;
int emit_schema(struct emit *m, struct bytes schema, struct err *e) must_use; /* of schema_put_... */
int emit_kind_done(struct emit *m, enum kind k, bool complete, uint64_t received, struct err *e) must_use;
/* At most four a second leave; call as often as you like. */
int emit_progress(struct emit *m, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes, struct err *e) must_use;

/* What was repaired so far by asking again; leaves when it has changed, with the next progress. */
int emit_repairs(struct emit *m, uint64_t repeated, uint64_t throttled, uint64_t rested_ms, struct err *e) must_use;

enum step_verdict { STEP_OK, STEP_WARN, STEP_FAIL, STEP_SKIP };
struct step {
    const char *name;     /* "dns", "tcp", "tls", "root_dse", "clock", "controllers", "ticket" (Kerberos), "bind", "base_dn", "sample", "permissions", "account" */
    enum step_verdict verdict;
    const char *evidence; /* what was seen */
    const char *fix;      /* NULL: nothing to do */
    enum err_class class; /* why it failed, for the exit code; 0 otherwise */
    int64_t took_ms;
    json_t *detail;       /* extra facts, may be NULL; borrowed */
};
int emit_step(struct emit *m, const struct step *s, struct err *e) must_use; /* flushes at once */
int emit_end(struct emit *m, uint64_t requests, uint64_t bytes, const char *server, struct err *e) must_use; /* flushes */
void emit_abort(struct emit *m, const struct err *why); /* flushes; best effort */

/* --- the sources ------------------------------------------------------------------------------------- */
struct source {
    const char *type; /* as in the settings */
    kind_set member_kinds; /* what members of its groups can be */
    bool has_back_links;   /* accounts say in memberOf what they are members of; else only the groups say it */
    bool has_controllers;  /* many servers, each with a state of its own: what one began no other can go on with */
    int (*read)(const struct job *j, struct emit *m, struct err *e);
    int (*check)(const struct job *j, struct emit *m, struct err *e);    /* a failing step is not an error of the call */
    int (*discover)(const struct job *j, struct emit *m, struct err *e); /* kinds and attributes there are, as steps with detail */
    /* For forms; one step whose detail is the answer. NULL: the source has nothing of the sort. */
    int (*browse)(const struct job *j, struct emit *m, struct err *e);      /* {base, children: [{dn, name, kind, has_children, users, users_more?}], more?} */
    int (*controllers)(const struct job *j, struct emit *m, struct err *e); /* {controllers: [{host, port, address?, from, reachable, took_ms, error?}]}; nobody signs in */
};
extern const struct source source_active_directory, source_entra_id;
const struct source *source_find(struct str type); /* NULL if unknown */

#endif
