/* graph_delta.h - what changed since a watermark: delta queries of users, groups, units, service principals, devices.
 *
 * A delta only says whose state changed: entries repeat, come out of order, are replayed, split, half filled. So they are taken for ids
 * alone, and who they are is read again, as it is now. A token that has died costs that one kind a full listing.
 *
 * Watermark: {"tenant", "kinds", "links": {kind: deltaLink}, "holds_losses", "reports_ms", "methods_after", "since": RFC 3339}. A kind without
 * a link is listed: one that has no delta, or that the run before read with losses.
 */
#ifndef ROLLCALL_GRAPH_DELTA_H
#define ROLLCALL_GRAPH_DELTA_H

#include "source/graph/graph_session.h"

/* Tokens that begin now, for kinds that are listed: before the listing, so that what changes meanwhile is read again next time. */
int graph_delta_begin(struct graph_session *s, struct err *e) must_use;
/* Follows the watermark's links into s->ids; plans of kinds become GRAPH_IDS, or GRAPH_LIST where there is no link or it has died (told as
 * a gap). */
int graph_delta_follow(struct graph_session *s, const json_t *links, struct err *e) must_use;
/* NULL: nothing can be read incrementally. The caller decrefs. */
json_t *graph_watermark_make(const struct graph_session *s, int64_t started_ms, int64_t reports_ms);
/* Is the watermark of this tenant and these kinds? NULL: yes; else why not. */
const char *graph_watermark_unfit(const struct graph_session *s, const json_t *mark);

#endif
