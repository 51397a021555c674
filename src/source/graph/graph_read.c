/* graph_read.c - the verb read: what to ask, in which order to tell it. */
#include "source/graph/graph_delta.h"
#include "source/graph/graph_source.h"

#include "base/when.h"

#include <stdio.h>

/* Those that are not listed by themselves (graph_roles.c, graph_tenant.c), in the order in which they are asked: users are many. */
const enum kind graph_listed[] = {KIND_group, KIND_administrative_unit, KIND_user, KIND_service_principal, KIND_device, KIND_contact};
const size_t n_graph_listed = n_elements(graph_listed);

void graph_plan_all(struct graph_session *s, enum graph_plan plan)
{
    for (unsigned k = 1; k < KIND_COUNT; k++) s->plan[k] = s->kinds & KIND_BIT(k) ? plan : GRAPH_SKIP;
}

/* --- asking ------------------------------------------------------------------------------------------------------------ */

static int start_listings(struct graph_session *s, const char *user_filter, struct err *e)
{
    for (size_t i = 0; i < n_graph_listed; i++) {
        enum kind k = graph_listed[i];
        if (k == KIND_user && user_filter)
            try(graph_list_start(s, k, user_filter, e));
        else if (s->plan[k] == GRAPH_LIST)
            try(graph_list_start(s, k, NULL, e));
        else if (s->plan[k] == GRAPH_IDS)
            try(graph_list_ids(s, k, false, e));
    }
    return s->plan[KIND_role] != GRAPH_SKIP ? graph_roles_start(s, e) : 0;
}

/* What is new may show late in one query and early in another: who did not come is asked for once more before he is gone. */
static int look_again(struct graph_session *s, struct err *e)
{
    for (size_t i = 0; i < n_graph_listed; i++)
        if (s->plan[graph_listed[i]] == GRAPH_IDS && !s->tally[graph_listed[i]].is_refused) try(graph_list_ids(s, graph_listed[i], true, e));
    return graph_session_wait(s, false, e);
}

int graph_read_everything(struct graph_session *s, bool reports, const char *methods_after, const char *user_filter, struct err *e)
{
    if (s->plan[KIND_user] != GRAPH_SKIP) try(graph_mfa_start(s, reports, methods_after, e));
    try(start_listings(s, user_filter, e));
    try(graph_session_wait(s, false, e));
    try(look_again(s, e));
    if (s->plan[KIND_user] == GRAPH_LIST) try(graph_mfa_methods(s, e));
    try(graph_members_read(s, e));
    return graph_session_wait(s, true, e);
}

/* --- telling ------------------------------------------------------------------------------------------------------------- */

static int send_entity(void *ctx, struct record *r, unsigned facets, struct err *e)
{
    struct graph_session *s = ctx;
    struct graph_tally *t = &s->tally[r->kind];
    if ((facets & t->parts) != t->parts) {
        t->n_halved++;
        return 0;
    }
    if (r->kind == KIND_user) r->flags |= graph_mfa_keep(s, facets);
    return emit_record(s->m, r, e);
}

static int send_kind(struct graph_session *s, enum kind k, uint64_t *n, struct err *e)
{
    *n = 0;
    if (k == KIND_group || k == KIND_administrative_unit) return holders_emit(k == KIND_group ? &s->groups : &s->units, s->m, n, e);
    return s->entities[k] ? graph_join_each(s->entities[k], send_entity, s, n, e) : 0;
}

/* Whoever was asked for by id and did not come is not there. */
static int send_gone(struct graph_session *s, enum kind k, struct err *e)
{
    for (size_t i = 0; i < s->ids[k].n; i++) {
        const struct graph_id *id = &s->ids[k].list[i];
        const struct holder *h = k == KIND_group ? holders_find(&s->groups, id->guid) : k == KIND_administrative_unit ? holders_find(&s->units, id->guid) : NULL;
        if (id->is_found && !(h && h->is_absent)) continue;
        try(emit_gone(s->m, id->guid, id->is_removed ? EVIDENCE_DELETED : EVIDENCE_VANISHED, e));
    }
    return 0;
}

static int tell_kind(struct graph_session *s, enum kind k, struct err *e)
{
    struct graph_tally *t = &s->tally[k];
    if (s->plan[k] == GRAPH_SKIP) return 0;
    if (k == KIND_tenant) return graph_tenant_emit(s, e);
    if (k == KIND_role) return graph_roles_emit(s, e);
    try(send_kind(s, k, &t->received, e));
    try(graph_list_verify(s, k, e));
    if (s->plan[k] == GRAPH_IDS) return t->is_refused ? 0 : send_gone(s, k, e);
    return emit_kind_done(s->m, k, !t->is_refused && !t->has_loss, t->received, e);
}

/* Those that have members before those who are members: the reader of the stream names memberships while people stream by. */
int graph_tell_everything(struct graph_session *s, struct err *e)
{
    static const enum kind order[] = {KIND_tenant, KIND_role, KIND_administrative_unit, KIND_group, KIND_user, KIND_service_principal, KIND_device, KIND_contact};
    for (size_t i = 0; i < n_elements(order); i++) try(tell_kind(s, order[i], e));
    return graph_mfa_tell(s, e);
}

/* --- the ways to read ------------------------------------------------------------------------------------------------------ */

static int tell_watermark(struct graph_session *s, int64_t started_ms, int64_t reports_ms, struct err *e)
{
    if (!s->job->since || s->set.incremental == GRAPH_INCREMENTAL_OFF) return 0;
    json_t *mark = graph_watermark_make(s, started_ms, reports_ms);
    int rc = mark ? emit_watermark(s->m, mark, e) : err_set(e, ERR_BUG, "the watermark cannot be written as JSON");
    json_decref(mark);
    return rc;
}

static int read_full(struct graph_session *s, const char *why, const char *methods_after, struct err *e)
{
    int64_t started = when_now_ms();
    graph_plan_all(s, GRAPH_LIST);
    if (s->job->since && s->set.incremental == GRAPH_DELTA) try(graph_delta_begin(s, e));
    try(graph_session_begin(s, "full", why, e));
    try(graph_read_everything(s, true, methods_after, NULL, e));
    try(graph_tell_everything(s, e));
    return tell_watermark(s, started, started, e);
}

/* Reports say nothing of when they changed: every reports_every all of them is read, and all users with it. So it is while the methods of
 * some users wait for their turn. */
static bool reports_are_due(const struct graph_session *s, const json_t *mark, int64_t now_ms)
{
    int64_t last = json_integer_value(json_object_get(mark, "reports_ms"));
    const char *after = json_string_value(json_object_get(mark, "methods_after"));
    bool wants_any = s->set.mfa != GRAPH_MFA_OFF || s->set.sign_in_activity;
    return wants_any && s->kinds & KIND_BIT(KIND_user) && (now_ms - last >= s->set.reports_every_ms || now_ms < last || (after && *after));
}

static int read_changes(struct graph_session *s, const json_t *mark, struct err *e)
{
    int64_t started = when_now_ms(), reports_ms = json_integer_value(json_object_get(mark, "reports_ms"));
    bool reports = reports_are_due(s, mark, started);
    graph_plan_all(s, GRAPH_LIST); /* what has no delta is read whole */
    try(graph_delta_follow(s, json_object_get(mark, "links"), e));
    if (reports && s->plan[KIND_user] == GRAPH_IDS) s->plan[KIND_user] = GRAPH_LIST;
    if (s->plan[KIND_user] == GRAPH_LIST) reports = true;
    try(graph_delta_begin(s, e));
    try(graph_session_begin(s, "incremental", NULL, e));
    try(graph_read_everything(s, reports, json_string_value(json_object_get(mark, "methods_after")), NULL, e));
    try(graph_tell_everything(s, e));
    return tell_watermark(s, started, graph_mfa_were_read(s) ? started : reports_ms, e);
}

/* As the described connector does it: users created since, and nothing else of users. */
static int read_created(struct graph_session *s, const char *since, struct err *e)
{
    int64_t started = when_now_ms();
    char filter[128];
    graph_plan_all(s, GRAPH_LIST);
    s->plan[KIND_user] = s->kinds & KIND_BIT(KIND_user) ? GRAPH_IDS : GRAPH_SKIP;
    snprintf(filter, sizeof filter, "createdDateTime%%20ge%%20%.40s", since);
    try(graph_session_begin(s, "incremental", NULL, e));
    try(graph_session_gap(s, KIND_user, GAP_INFO, "incremental: created_since reads new users only: changes and deletions of known ones are not seen",
                          since, "use incremental: delta", e));
    try(graph_read_everything(s, true, NULL, s->plan[KIND_user] == GRAPH_IDS ? filter : NULL, e));
    try(graph_tell_everything(s, e));
    return tell_watermark(s, started, started, e);
}

static int read_since(struct graph_session *s, const json_t *mark, struct err *e)
{
    const char *since = json_string_value(json_object_get(mark, "since")), *unfit = graph_watermark_unfit(s, mark);
    int64_t ignored;
    if (unfit) return read_full(s, unfit, NULL, e);
    if (s->set.incremental == GRAPH_CREATED_SINCE)
        return since && when_parse(&ignored, str_from(since)) ? read_created(s, since, e) : read_full(s, "the watermark is damaged", NULL, e);
    if (!json_object_size(json_object_get(mark, "links"))) return read_full(s, "the last run left no delta tokens", NULL, e);
    return read_changes(s, mark, e);
}

static int read_job(struct graph_session *s, struct err *e)
{
    const struct job *j = s->job;
    if (j->only)
        try(graph_only_read(s, e));
    else if (json_object_size(j->since) && s->set.incremental != GRAPH_INCREMENTAL_OFF)
        try(read_since(s, j->since, e));
    else
        try(read_full(s, NULL, NULL, e));
    return graph_session_end(s, e);
}

int graph_read(const struct job *j, struct emit *m, struct err *e)
{
    struct graph_session s;
    int rc = graph_session_open(&s, j, m, e);
    if (rc == 0) rc = read_job(&s, e);
    graph_session_close(&s);
    return rc;
}
