#include "source/graph/graph_session.h"

#include "base/when.h"

#include <stdio.h>
#include <stdlib.h>

int graph_session_open(struct graph_session *out, const struct job *j, struct emit *m, struct err *e)
{
    struct graph_session *s = out;
    *s = (struct graph_session){.job = j, .m = m, .gaps = buf_new((size_t)1 << 20), .links = json_object()};
    graph_body_init(&s->body);
    holders_init(&s->groups, KIND_group);
    holders_init(&s->units, KIND_administrative_unit);
    for (size_t k = 0; k < KIND_COUNT; k++) {
        s->tally[k].count = -1;
        s->without[k] = buf_new(4096);
    }
    try(graph_settings_read(&s->set, j->settings, e));
    s->kinds = j->kinds ? j->kinds & s->set.kinds : s->set.kinds;
    if (!s->kinds) return err_set(e, ERR_INPUT, "Entra ID has none of the kinds asked for");
    try(graph_client_open(&s->client, &s->set, &j->password, j->deadline_ms, e));
    return graph_tenant_read(s, e);
}

void graph_session_close(struct graph_session *s)
{
    graph_client_close(s->client);
    for (struct graph_owned *o; (o = s->owned);) {
        graph_session_disown(o);
        o->drop(o);
    }
    for (size_t k = 0; k < KIND_COUNT; k++) {
        buf_free(&s->without[k]);
        graph_ids_free(&s->ids[k]);
        graph_join_free(s->entities[k]);
    }
    holders_free(&s->groups);
    holders_free(&s->units);
    graph_body_free(&s->body);
    graph_roles_free(s);
    graph_mfa_free(s);
    json_decref(s->organization);
    json_decref(s->domains);
    json_decref(s->links);
    buf_free(&s->gaps);
}

void graph_session_own(struct graph_session *s, struct graph_owned *o, void (*drop)(struct graph_owned *o))
{
    *o = (struct graph_owned){.next = s->owned, .at = &s->owned, .drop = drop};
    if (o->next) o->next->at = &o->next;
    s->owned = o;
}

void graph_session_disown(struct graph_owned *o)
{
    *o->at = o->next;
    if (o->next) o->next->at = o->at;
}

/* --- telling ------------------------------------------------------------------------------------------------ */

int graph_session_gap(struct graph_session *s, enum kind k, enum gap_severity severity, const char *what, const char *where, const char *fix,
                      struct err *e)
{
    struct gap g = {k, severity, str_from(what), str_from(where ? where : ""), str_from(fix ? fix : "")};
    if (severity == GAP_LOSS) s->tally[k].has_loss = true;
    if (s->has_begun) return emit_gap(s->m, &g, e);
    struct buf one = buf_new((size_t)64 << 10);
    gap_encode(&one, &g);
    buf_add_lstr(&s->gaps, buf_bytes(&one));
    buf_free(&one);
    return s->gaps.failed ? err_set(e, ERR_LIMIT, "too much is missing to be told") : 0;
}

static int tell_waiting(struct graph_session *s, struct err *e)
{
    struct cursor c = cursor_new(buf_bytes(&s->gaps));
    while (c.in.len && !c.failed) {
        struct gap g;
        try(gap_decode(&g, cursor_lstr(&c), e));
        try(emit_gap(s->m, &g, e));
    }
    buf_clear(&s->gaps);
    return 0;
}

int graph_session_begin(struct graph_session *s, const char *mode, const char *reason, struct err *e)
{
    json_t *facts = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "protocol", "graph", "source", "entra_id", "server", s->set.base.host,
                              "address", s->set.graph_root, "domain", s->domain, "tenant_id", s->tenant_id, "organization", s->tenant_name,
                              "mode", mode);
    if (!facts) return err_set(e, ERR_BUG, "the facts of the tenant cannot be written as JSON");
    if (reason) json_object_set_new(facts, "reason", json_string(reason));
    int rc = emit_begin(s->m, facts, e);
    json_decref(facts);
    s->has_begun = true;
    return rc < 0 ? rc : tell_waiting(s, e);
}

int graph_session_progress(struct graph_session *s, enum kind k, struct err *e)
{
    struct graph_stats t = graph_client_stats(s->client);
    if (!s->has_begun) return 0;
    try(emit_repairs(s->m, t.repeated, t.throttled, (uint64_t)t.rested_ms, e));
    return emit_progress(s->m, k, s->tally[k].received, t.requests, t.bytes, e);
}

int graph_session_wait(struct graph_session *s, bool also_beside, struct err *e)
{
    while (s->n_open || (also_beside && s->n_beside)) {
        if (graph_client_idle(s->client)) return err_set(e, ERR_BUG, "%u collections are open and nothing is asked", s->n_open + s->n_beside);
        try(graph_client_run(s->client, INT64_MAX, e));
    }
    return 0;
}

/* What was slow, so that nobody has to guess. */
static int tell_throttling(struct graph_session *s, const struct graph_stats *t, struct err *e)
{
    char what[200];
    if (!t->throttled) return 0;
    snprintf(what, sizeof what, "Microsoft Graph asked for pauses: %llu requests were throttled, %lld s of rest", (unsigned long long)t->throttled,
             (long long)(t->rested_ms / 1000));
    return graph_session_gap(s, KIND_NONE, GAP_INFO, what, NULL, "nothing was lost; several collectors of one tenant share its limits", e);
}

static int tell_wrong(struct graph_session *s, struct err *e)
{
    char what[160];
    if (!s->n_wrong) return 0;
    snprintf(what, sizeof what, "%llu values had the wrong type and were left out", (unsigned long long)s->n_wrong);
    return graph_session_gap(s, KIND_NONE, GAP_INFO, what, s->first_wrong, "please report this with the request id of the log", e);
}

int graph_session_end(struct graph_session *s, struct err *e)
{
    struct graph_stats t = graph_client_stats(s->client);
    try(tell_throttling(s, &t, e));
    try(tell_wrong(s, e));
    return emit_end(s->m, t.requests, t.bytes, s->set.base.host, e);
}
