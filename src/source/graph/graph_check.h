/* graph_check.h - what the steps of `check` for Entra ID share.
 */
#ifndef ROLLCALL_GRAPH_CHECK_H
#define ROLLCALL_GRAPH_CHECK_H

#include "source/finding.h"
#include "source/graph/graph_session.h"

struct graph_checkup {
    const struct job *job;
    struct graph_session s; /* of it: set, kinds, client, organization */
    struct err why;         /* of the call under way */
    struct graph_failure failure;
};

/* One question to "<base><path>", waited for. *body is the caller's. Negative: c->why, and c->failure says
 * what it is. */
int graph_check_ask(struct graph_checkup *c, json_t **body, const struct graph_question *how,
                    const char *path) must_use;
/* Refused for want of a permission, a licence, or because this cloud has it not: the rest goes on without. */
bool graph_check_is_refusal(const struct graph_checkup *c);

/* graph_check_roles.c: the token's roles against what each feature needs */
void graph_check_permissions(struct graph_checkup *c, struct finding *f);

/* graph_check_data.c: with a token */
void graph_check_organization(struct graph_checkup *c, struct finding *f);
void graph_check_licences(struct graph_checkup *c, struct finding *f);
void graph_check_sample(struct graph_checkup *c, struct finding *f);
void graph_check_delta(struct graph_checkup *c, struct finding *f);
void graph_check_reports(struct graph_checkup *c, struct finding *f);
void graph_check_expiry(struct graph_checkup *c, struct finding *f);

#define GRAPH_EXPIRES_SOON_MS ((int64_t)30 * 24 * 3600 * 1000)
/* "valid until 2026-12-01T00:00:00Z", and a warning if that is soon or over; fix: what to do about it, behind
 * "in N days: ". */
void graph_check_end(struct finding *f, const char *what, int64_t end_ms, const char *fix);

#endif
