/* graph_discover.c - what a tenant has: kinds, how many of each, and the properties that are read of them. */
#include "source/graph/graph_source.h"

#include "base/when.h"

#include <stdio.h>

static json_t *properties_of(enum kind k)
{
    json_t *list = json_array();
    char name[80];
    enum attr attr;
    for (size_t i = 0; graph_field(name, k, i, &attr); i++) json_array_append_new(list, json_string(name));
    return list;
}

static int discover_kind(struct graph_session *s, enum kind k, struct err *e)
{
    const struct graph_place *place = graph_place(k);
    struct err why = {0};
    int64_t n = -1, began = when_monotonic_ms();
    char evidence[512];
    int rc = k == KIND_tenant || k == KIND_role ? 0 : graph_list_count(s, k, &n, &why);
    if (rc < 0 && rc != ERR_DENIED) {
        *e = why;
        return rc;
    }
    if (rc < 0)
        snprintf(evidence, sizeof evidence, "%.500s", why.message);
    else if (n >= 0)
        snprintf(evidence, sizeof evidence, "%lld %s", (long long)n, place->what);
    else
        snprintf(evidence, sizeof evidence, "%s", place->what);
    json_t *detail = json_pack("{s:s, s:o}", "kind", kind_name(k), "attributes", properties_of(k));
    if (n >= 0) json_object_set_new(detail, "count", json_integer(n));
    struct step step = {.name = kind_name(k),
                        .verdict = rc < 0 ? STEP_WARN : STEP_OK,
                        .evidence = evidence,
                        .fix = rc < 0 ? place->permissions_text : NULL,
                        .took_ms = when_monotonic_ms() - began,
                        .detail = detail};
    rc = emit_step(s->m, &step, e);
    json_decref(detail);
    return rc;
}

static int discover_all(struct graph_session *s, struct err *e)
{
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (s->kinds & KIND_BIT(k)) try(discover_kind(s, (enum kind)k, e));
    struct graph_stats t = graph_client_stats(s->client);
    return emit_end(s->m, t.requests, t.bytes, s->set.base.host, e);
}

int graph_discover(const struct job *j, struct emit *m, struct err *e)
{
    struct graph_session s;
    int rc = graph_session_open(&s, j, m, e);
    if (rc == 0) rc = discover_all(&s, e);
    graph_session_close(&s);
    return rc;
}
