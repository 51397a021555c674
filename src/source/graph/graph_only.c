/* graph_only.c - the second look after a read of changes: what they touched without being written themselves. */
#include "source/graph/graph_source.h"

#include <stdio.h>
#include <stdlib.h>

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

/* Of who was restored: one list that tells whose member or owner he is. Of which kind he is, nobody says: each is tried. */
struct looking {
    struct graph_owned own;
    struct graph_session *s;
    char id[GUID_TEXT];
    size_t place, list;
    struct graph_pages pages;
};

static int take_holder(void *ctx, const json_t *item, struct err *e)
{
    struct graph_session *s = ((struct looking *)ctx)->s;
    const char *id = json_string_value(json_object_get(item, "id"));
    enum kind k = graph_type_kind(json_string_value(json_object_get(item, "@odata.type")));
    uint8_t guid[GUID_SIZE];
    (void)e;
    if (id && guid_parse(guid, str_from(id)) && (k == KIND_group || k == KIND_administrative_unit)) graph_ids_add(&s->ids[k], guid, false);
    return 0;
}

static const char *const places[] = {"users", "groups", "servicePrincipals", "devices"}, *const lists[] = {"memberOf", "ownedObjects"};

static int look(struct looking *l, struct err *e);

static void looking_drop(struct graph_owned *o)
{
    struct looking *l = (struct looking *)o;
    graph_pages_free(&l->pages);
    free(l);
}

static int keep_holders(void *ctx, struct err *e)
{
    (void)ctx; /* one group too many is only read again */
    (void)e;
    return 0;
}

static int tell_hidden_holders(struct looking *l, struct err *e)
{
    return graph_session_gap(l->s, KIND_group, GAP_LOSS, "the groups of somebody who was restored cannot be read", l->pages.why.message,
                             "the next full run reads them; grant the application permission GroupMember.Read.All", e);
}

static int on_end(void *ctx, struct graph_pages *p, struct err *e)
{
    struct looking *l = ctx;
    enum graph_fault f = p->failure.fault;
    bool is_elsewhere = p->rc < 0 && (f == GRAPH_FAULT_NOT_FOUND || f == GRAPH_FAULT_UNSUPPORTED);
    if (p->rc < 0 && !is_elsewhere && f != GRAPH_FAULT_DENIED_PERMISSION) {
        *e = p->why;
        return p->rc;
    }
    if (p->rc < 0 && !is_elsewhere) try(tell_hidden_holders(l, e));
    graph_pages_free(p);
    if (is_elsewhere && l->list == 0)
        l->place++; /* of another kind */
    else
        l->list++;
    if (l->place < n_elements(places) && l->list < n_elements(lists)) return look(l, e);
    l->s->n_open--;
    graph_session_disown(&l->own);
    looking_drop(&l->own);
    return 0;
}

static int look(struct looking *l, struct err *e)
{
    char url[1024];
    snprintf(url, sizeof url, "%s/%s/%s/%s?$select=id&$top=%u", l->s->set.base_text, places[l->place], l->id, lists[l->list], l->s->set.page_size);
    l->pages = (struct graph_pages){.client = l->s->client,
                                    .what = "the groups of somebody who was restored",
                                    .permissions = "User.Read.All and GroupMember.Read.All",
                                    .object = take_holder,
                                    .restart = keep_holders,
                                    .end = on_end,
                                    .ctx = l};
    return graph_pages_start(&l->pages, url, e);
}

/* The groups and units of who was restored: the memberships have come back with him, and no delta says so. */
static int add_groups_of(struct graph_session *s, const json_t *id, struct err *e)
{
    uint8_t guid[GUID_SIZE];
    if (!json_is_string(id) || !guid_parse(guid, str_from(json_string_value(id)))) return 0;
    struct looking *l = x_zalloc(sizeof *l);
    graph_session_own(s, &l->own, looking_drop);
    l->s = s;
    guid_format(l->id, guid);
    s->n_open++;
    return look(l, e);
}

int graph_only_read(struct graph_session *s, struct err *e)
{
    const json_t *only = s->job->only, *one;
    const json_t *guids = json_object_get(only, "guids");
    size_t i;
    graph_plan_all(s, GRAPH_SKIP);
    for (unsigned k = 1; k < KIND_COUNT; k++) add_ids(s, (enum kind)k, json_object_get(guids, kind_name((enum kind)k)));
    add_ids(s, KIND_group, json_object_get(only, "groups"));
    json_array_foreach(json_object_get(only, "references"), i, one) try(add_groups_of(s, one, e));
    try(graph_session_wait(s, false, e));
    for (size_t k = 0; k < n_graph_listed; k++)
        if (s->ids[graph_listed[k]].n && s->kinds & KIND_BIT(graph_listed[k])) s->plan[graph_listed[k]] = GRAPH_IDS;
    if (s->ids[KIND_role].n && s->kinds & KIND_BIT(KIND_role)) s->plan[KIND_role] = GRAPH_LIST;
    s->kinds &= ~(kind_set)(KIND_BIT(KIND_tenant));
    try(graph_session_begin(s, "only", NULL, e));
    try(graph_read_everything(s, false, NULL, NULL, e));
    return graph_tell_everything(s, e);
}
