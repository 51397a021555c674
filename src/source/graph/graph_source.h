/* graph_source.h - the entra_id source: its verbs, one file each, over one session (graph_session.h).
 */
#ifndef ROLLCALL_GRAPH_SOURCE_H
#define ROLLCALL_GRAPH_SOURCE_H

#include "source/graph/graph_session.h"

int graph_read(const struct job *j, struct emit *m, struct err *e) must_use;
int graph_check(const struct job *j, struct emit *m, struct err *e) must_use;
int graph_discover(const struct job *j, struct emit *m, struct err *e) must_use;
/* What a read is made of (graph_read.c): plan; ask and wait for all of it; send it. Kinds that are not collections of their own
 * (roles, the tenant) are not among graph_listed. */
extern const enum kind graph_listed[];
extern const size_t n_graph_listed;
void graph_plan_all(struct graph_session *s, enum graph_plan plan);
/* reports: the MFA report and sign-ins too; methods_after, user_filter: may be NULL. */
int graph_read_everything(struct graph_session *s, bool reports, const char *methods_after, const char *user_filter, struct err *e) must_use;
int graph_tell_everything(struct graph_session *s, struct err *e) must_use;
/* Of a read with job.only: what changes touched without being changed. */
int graph_only_read(struct graph_session *s, struct err *e) must_use;

#endif
