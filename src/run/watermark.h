/* watermark.h - the note of a connector that says from where the next incremental run starts.
 *
 * JSON {"scope": hex, "full_ms": when the last full run began, "mark": what the source gave}. The scope is a fingerprint of the
 * settings that decide what is listed and what the account sees: with others, the snapshot cannot be continued.
 */
#ifndef ROLLCALL_WATERMARK_H
#define ROLLCALL_WATERMARK_H

#include "conf/conf.h"
#include "store/store.h"

struct watermark {
    json_t *mark;       /* for worker_job.since; {}: everything, and a watermark. Never NULL */
    int64_t full_ms;    /* 0: none so far */
    bool is_due;        /* the mark fits, but full_sync_every has passed */
    const char *reason; /* of a full run although there was an earlier one; NULL: no reason to tell */
};
/* What the note says for a run at now_ms. */
int watermark_load(struct watermark *out, struct store *s, const struct connector_conf *c, int64_t now_ms, struct err *e) must_use;
/* Kept with the run; mark NULL: removes it, so that the next run is a full one. */
int watermark_keep(struct store_run *run, const struct connector_conf *c, const json_t *mark, int64_t full_ms, struct err *e) must_use;
void watermark_free(struct watermark *w);

#endif
