/* graph_only.c - the second look after a read of changes: what they touched without being written themselves. */
#include "source/graph/graph_source.h"

#include <stdio.h>

static void add_ids(struct graph_session *s, enum kind k, const json_t *texts)
{
    size_t i;
    const json_t *one;
    uint8_t guid[GUID_SIZE];
    json_array_foreach(texts, i, one)
    {
        const char *text = json_string_value(one);
        if (text && guid_parse(guid, str_from(text))) graph_ids_add(&s->ids[k], guid, false);
    }
}

static int take_holder(void *ctx, const json_t *item, struct err *e)
{
    struct graph_session *s = ctx;
    const char *id = json_string_value(json_object_get(item, "id"));
    enum kind k = graph_type_kind(json_string_value(json_object_get(item, "@odata.type")));
    uint8_t guid[GUID_SIZE];
    (void)e;
    if (id && guid_parse(guid, str_from(id)) && (k == KIND_group || k == KIND_administrative_unit)) graph_ids_add(&s->ids[k], guid, false);
    return 0;
}

/* The groups and units of who was restored: his memberships have come back with him, and no delta says so. */
static int add_groups_of(struct graph_session *s, const char *id, struct err *e)
{
    char url[1024];
    uint8_t guid[GUID_SIZE];
    json_t *body;
    struct graph_failure f;
    size_t i;
    const json_t *one;
    static const char *const paths[] = {"memberOf", "ownedObjects"};
    if (!guid_parse(guid, str_from(id))) return 0;
    for (size_t p = 0; p < n_elements(paths); p++) {
        snprintf(url, sizeof url, "%s/users/%s/%s?$select=id&$top=999", s->set.base_text, id, paths[p]);
        struct graph_question q = {.url = url, .what = "the groups of a restored user", .permissions = "User.Read.All and GroupMember.Read.All"};
        int rc = graph_client_fetch(s->client, &q, &body, &f, e);
        if (rc < 0 && f.fault != GRAPH_FAULT_NOT_FOUND && f.fault != GRAPH_FAULT_DENIED_PERMISSION && f.fault != GRAPH_FAULT_UNSUPPORTED) return rc;
        json_array_foreach(json_object_get(body, "value"), i, one) take_holder(s, one, e);
        json_decref(body);
    }
    return 0;
}

int graph_only_read(struct graph_session *s, struct err *e)
{
    const json_t *only = s->job->only, *one;
    const json_t *guids = json_object_get(only, "guids");
    size_t i;
    graph_plan_all(s, GRAPH_SKIP);
    for (unsigned k = 1; k < KIND_COUNT; k++) add_ids(s, (enum kind)k, json_object_get(guids, kind_name((enum kind)k)));
    add_ids(s, KIND_group, json_object_get(only, "groups"));
    json_array_foreach(json_object_get(only, "references"), i, one) try(add_groups_of(s, json_string_value(one) ? json_string_value(one) : "", e));
    for (size_t k = 0; k < n_graph_listed; k++)
        if (s->ids[graph_listed[k]].n && s->kinds & KIND_BIT(graph_listed[k])) s->plan[graph_listed[k]] = GRAPH_IDS;
    if (s->ids[KIND_role].n) s->plan[KIND_role] = GRAPH_LIST;
    s->kinds &= ~(kind_set)(KIND_BIT(KIND_tenant));
    try(graph_session_begin(s, "only", NULL, e));
    try(graph_read_everything(s, false, NULL, NULL, e));
    return graph_tell_everything(s, e);
}
