#include "source/graph/graph_delta.h"

#include "base/when.h"

#include <stdio.h>
#include <stdlib.h>

#define URL_ROOM ((size_t)16 << 10)
#define WITHOUT_MAX 32 /* properties that one cloud may lack */
#define CLOCKS_MS 300000 /* our clock and the service's may differ by so much; who comes twice does no harm */
#define IDS_MAX  ((size_t)1 << 20) /* changes of more are not followed one by one */
#define FEW_IDS  1000u /* are read by id without counting what a listing would cost */

/* Kinds that have a delta query, and what else than the fields it shall watch. */
static const struct {
    enum kind kind;
    const char *also;
} kinds[] = {
    {KIND_user, ",manager"},         {KIND_group, ",members,owners"}, {KIND_administrative_unit, ",members"},
    {KIND_service_principal, ""},    {KIND_device, ""},
};

struct watch {
    struct graph_session *s;
    enum kind kind;
    struct graph_pages pages;
    bool is_beginning; /* else following */
    unsigned n_tries; /* of a beginning, without what this cloud lacks */
    uint64_t n_bad;
};

static int take_entry(void *ctx, const json_t *item, struct err *e)
{
    struct watch *w = ctx;
    const char *id = json_string_value(json_object_get(item, "id"));
    uint8_t guid[GUID_SIZE];
    (void)e;
    if (w->is_beginning) return 0;
    if (!id || !guid_parse(guid, str_from(id)) || w->s->ids[w->kind].n == IDS_MAX)
        w->n_bad++;
    else
        graph_ids_add(&w->s->ids[w->kind], guid, json_object_get(item, "@removed") != NULL);
    return 0;
}

static int forget(void *ctx, struct err *e)
{
    struct watch *w = ctx;
    (void)e;
    w->n_bad = 0;
    graph_ids_free(&w->s->ids[w->kind]);
    return 0;
}

static void keep_link(struct watch *w)
{
    if (w->pages.delta_link) json_object_set_new(w->s->links, kind_name(w->kind), json_string(w->pages.delta_link));
}

static int ask_beginning(struct watch *w, struct err *e);

/* Without a link the kind is listed in every run: slower, and as right. A delta of fewer fields than are read, or without members, would
 * pass over what changes in the others. */
static int begin_refused(struct watch *w, struct err *e)
{
    char what[120];
    if (w->n_tries++ < WITHOUT_MAX && graph_list_learn(w->s, w->kind, &w->pages.failure, e)) {
        graph_pages_free(&w->pages);
        w->s->n_open++;
        return ask_beginning(w, e);
    }
    if (w->pages.failure.fault == GRAPH_FAULT_FATAL && w->pages.failure.status == 0) {
        *e = w->pages.why;
        return w->pages.rc;
    }
    snprintf(what, sizeof what, "changes of %s cannot be followed: they are listed in every run", graph_place(w->kind)->what);
    return graph_session_gap(w->s, w->kind, GAP_INFO, what, w->pages.why.message, NULL, e);
}

static int follow_failed(struct watch *w, struct err *e)
{
    char what[160];
    enum graph_fault f = w->pages.failure.fault;
    graph_ids_free(&w->s->ids[w->kind]);
    w->s->plan[w->kind] = GRAPH_LIST;
    if (f != GRAPH_FAULT_RESYNC && f != GRAPH_FAULT_RESTART_COLLECTION && f != GRAPH_FAULT_NOT_FOUND && f != GRAPH_FAULT_UNSUPPORTED &&
        f != GRAPH_FAULT_DENIED_PERMISSION && f != GRAPH_FAULT_PAGE_TOO_LARGE) {
        *e = w->pages.why;
        return w->pages.rc;
    }
    snprintf(what, sizeof what, "all %s were read: their delta token is not good any more", graph_place(w->kind)->what);
    return graph_session_gap(w->s, w->kind, GAP_INFO, what, w->pages.why.message, NULL, e);
}

static int on_end(void *ctx, struct graph_pages *p, struct err *e)
{
    struct watch *w = ctx;
    w->s->n_open--;
    if (p->rc == 0 && w->n_bad) {
        graph_ids_free(&w->s->ids[w->kind]);
        w->s->plan[w->kind] = GRAPH_LIST; /* a change of whom nobody knows: all are read */
    }
    if (p->rc == 0) {
        keep_link(w);
        return 0;
    }
    return w->is_beginning ? begin_refused(w, e) : follow_failed(w, e);
}

static void prepare(struct watch *w)
{
    w->pages = (struct graph_pages){.client = w->s->client,
                                    .is_minimal = true,
                                    .what = graph_place(w->kind)->what,
                                    .permissions = graph_place(w->kind)->permissions_text,
                                    .name = "delta",
                                    .object = take_entry,
                                    .restart = forget,
                                    .end = on_end,
                                    .ctx = w};
}

static int ask_beginning(struct watch *w, struct err *e)
{
    struct buf url = buf_new(URL_ROOM), fields = buf_new(URL_ROOM);
    const char *also = "";
    for (size_t i = 0; i < n_elements(kinds); i++)
        if (kinds[i].kind == w->kind) also = kinds[i].also;
    struct str select = graph_fields_select(&fields, w->kind, URL_ROOM, 0, buf_cstr(&w->s->without[w->kind]));
    buf_printf(&url, "%s%s/delta?$deltatoken=latest", w->s->set.base_text, graph_place(w->kind)->path);
    buf_printf(&url, "&$select=%.*s%s", STR_FMT(select), also);
    prepare(w);
    int rc = graph_pages_start(&w->pages, buf_cstr(&url), e);
    buf_free(&url);
    buf_free(&fields);
    return rc;
}

static void free_watches(struct watch *list)
{
    for (size_t i = 0; i < n_elements(kinds); i++) graph_pages_free(&list[i].pages);
    free(list);
}

int graph_delta_begin(struct graph_session *s, struct err *e)
{
    struct watch *list = x_zalloc(n_elements(kinds) * sizeof *list);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n_elements(kinds); i++) {
        struct watch *w = &list[i];
        *w = (struct watch){.s = s, .kind = kinds[i].kind, .is_beginning = true};
        if (s->plan[w->kind] != GRAPH_LIST || json_object_get(s->links, kind_name(w->kind))) continue;
        s->n_open++;
        rc = ask_beginning(w, e);
    }
    if (rc == 0) rc = graph_session_wait(s, false, e);
    free_watches(list);
    return rc;
}

/* --- following -------------------------------------------------------------------------------------------------------- */

/* So many changed that a listing costs less. */
static int prefer_listing(struct graph_session *s, enum kind k, struct err *e)
{
    int64_t n;
    if (s->plan[k] != GRAPH_IDS || s->ids[k].n < FEW_IDS || kind_has_members(k)) return 0;
    try(graph_list_count(s, k, &n, e));
    if (n < 0 || s->ids[k].n / 15 < (uint64_t)n / s->set.page_size) return 0;
    s->plan[k] = GRAPH_LIST;
    graph_ids_free(&s->ids[k]);
    return 0;
}

static int start_following(struct watch *w, const json_t *links, struct err *e)
{
    struct graph_session *s = w->s;
    const char *link = json_string_value(json_object_get(links, kind_name(w->kind)));
    if (!(s->kinds & KIND_BIT(w->kind)) || !link) return 0;
    s->plan[w->kind] = GRAPH_IDS;
    s->n_open++;
    prepare(w);
    return graph_pages_start(&w->pages, link, e);
}

int graph_delta_follow(struct graph_session *s, const json_t *links, struct err *e)
{
    struct watch *list = x_zalloc(n_elements(kinds) * sizeof *list);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n_elements(kinds); i++) {
        list[i] = (struct watch){.s = s, .kind = kinds[i].kind};
        rc = start_following(&list[i], links, e);
    }
    if (rc == 0) rc = graph_session_wait(s, false, e);
    free_watches(list);
    for (size_t i = 0; rc == 0 && i < n_elements(kinds); i++) rc = prefer_listing(s, kinds[i].kind, e);
    return rc;
}

/* --- watermarks ------------------------------------------------------------------------------------------------------- */

/* A kind with losses goes without a link: so the next run lists it, and makes them good or tells them again, without a full run. */
static json_t *sound_links(const struct graph_session *s)
{
    json_t *links = json_copy(s->links);
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (s->tally[k].has_loss) json_object_del(links, kind_name((enum kind)k));
    return links;
}

json_t *graph_watermark_make(const struct graph_session *s, int64_t started_ms, int64_t reports_ms)
{
    char since[WHEN_TEXT];
    bool holds_losses = s->set.incremental == GRAPH_DELTA && !s->tally[KIND_NONE].has_loss;
    return json_pack("{s:s, s:I, s:o, s:b, s:I, s:s, s:s}", "tenant", s->tenant_id, "kinds", (json_int_t)s->kinds, "links", sound_links(s),
                     "holds_losses", holds_losses, "reports_ms", (json_int_t)reports_ms, "methods_after", graph_mfa_methods_after(s), "since",
                     when_format(since, started_ms - CLOCKS_MS));
}

const char *graph_watermark_unfit(const struct graph_session *s, const json_t *mark)
{
    const char *tenant = json_string_value(json_object_get(mark, "tenant"));
    if (!tenant || strcmp(tenant, s->tenant_id) != 0) return "the watermark is another tenant's";
    if ((kind_set)json_integer_value(json_object_get(mark, "kinds")) != s->kinds) return "other kinds are asked for than last time";
    if (!json_is_object(json_object_get(mark, "links"))) return "the watermark is damaged";
    return NULL;
}
