/* graph_members.c - who is in each group, who owns it, who is in each administrative unit: from the group's side, many lists at once.
 *
 * Always as advanced queries: others leave service principals out, and do not count. $expand would save requests and is never used: it
 * stops at 20 without saying so. Never from the members' side (memberOf), which hides what it leaves out: docs/decisions/0014.
 */
#include "source/graph/graph_session.h"

#include <stdio.h>
#include <stdlib.h>

#define BLOCK_MAX  ((size_t)8 << 20)
#define AHEAD      8u /* lists that wait for their turn, so that nobody waits for them */
#define ATTEMPTS   2 /* of a list that came shorter than it was counted */

struct walk {
    struct graph_session *s;
    struct holders *h;
    size_t next;           /* holder */
    enum graph_list which; /* list of it */
    unsigned n_lists;      /* that each holder has */
    unsigned n_open;
    uint64_t n_over;
    bool is_plain;         /* no advanced queries here */
    uint64_t n_short, n_refused, n_nameless;
    char first_short[160], first_refused[512];
};

struct one_list {
    struct graph_owned own;
    struct walk *w;
    size_t holder;
    enum graph_list which;
    unsigned n_attempts;
    struct graph_pages pages;
    struct hmap seen; /* whoever came twice is one */
    struct buf ids; /* of the page under way */
    uint32_t n_ids;
};

static int start_more(struct walk *w, struct err *e);

static struct holder *holder_of(const struct one_list *l)
{
    return &l->w->h->list[l->holder];
}

/* --- what comes in ------------------------------------------------------------------------------------------------ */

static int put_page(struct one_list *l, struct err *e)
{
    if (l->ids.failed) return err_set(e, ERR_LIMIT, "a page of members is longer than 8 MiB");
    int rc = holders_page(l->w->h, l->holder, l->which, l->n_ids, buf_bytes(&l->ids), e);
    buf_clear(&l->ids);
    l->n_ids = 0;
    return rc;
}

static int take_member(void *ctx, const json_t *item, struct err *e)
{
    struct one_list *l = ctx;
    const char *id = json_string_value(json_object_get(item, "id"));
    uint8_t guid[GUID_SIZE];
    char text[GUID_TEXT];
    bool is_new;
    if (!id || !guid_parse(guid, str_from(id))) {
        l->w->n_nameless++;
        return 0;
    }
    hmap_put(&l->seen, hash128_fast((struct bytes){guid, GUID_SIZE}), &is_new);
    if (!is_new) return 0;
    body_value_bytes(&l->ids, bytes_of(str_from(guid_format(text, guid))));
    return ++l->n_ids == 1000 ? put_page(l, e) : 0;
}

static void forget_seen(struct one_list *l)
{
    hmap_free(&l->seen);
    l->seen = (struct hmap){0};
}

static int forget(void *ctx, struct err *e)
{
    struct one_list *l = ctx;
    (void)e;
    l->w->s->n_restarts++;
    forget_seen(l);
    buf_clear(&l->ids);
    l->n_ids = 0;
    holders_forget_list(l->w->h, l->holder, l->which);
    return 0;
}

/* --- when it is over ------------------------------------------------------------------------------------------------ */

static void note_short(struct one_list *l)
{
    struct walk *w = l->w;
    char id[GUID_TEXT];
    holder_of(l)->is_lacking[l->which] = true;
    if (!w->n_short++)
        snprintf(w->first_short, sizeof w->first_short, "%s: %zu of %lld", guid_format(id, holder_of(l)->guid), l->seen.n_used, (long long)l->pages.count);
}

static void note_refused(struct one_list *l, const char *why)
{
    struct walk *w = l->w;
    holder_of(l)->is_lacking[l->which] = true;
    if (!w->n_refused++) snprintf(w->first_refused, sizeof w->first_refused, "%.500s", why);
}

static int ask(struct one_list *l, struct err *e);

/* 1: asked again. */
static int check(struct one_list *l, struct err *e)
{
    struct graph_pages *p = &l->pages;
    if (p->count < 0 || l->seen.n_used >= (uint64_t)p->count) return 0;
    if (++l->n_attempts >= ATTEMPTS) {
        note_short(l);
        return 0;
    }
    try(forget(l, e));
    graph_pages_free(p);
    return ask(l, e) < 0 ? (int)e->class : 1;
}

static void list_drop(struct graph_owned *o)
{
    struct one_list *l = (struct one_list *)o;
    graph_pages_free(&l->pages);
    hmap_free(&l->seen);
    buf_free(&l->ids);
    free(l);
}

static int list_over(struct one_list *l, struct err *e)
{
    struct walk *w = l->w;
    w->s->n_open--;
    w->n_open--;
    w->n_over++;
    graph_session_disown(&l->own);
    list_drop(&l->own);
    return start_more(w, e);
}

/* The holder itself: gone since it was listed, or there and its list is not. */
static int on_looked(void *ctx, const struct graph_answer *a, struct err *e)
{
    struct one_list *l = ctx;
    enum graph_fault f = a->failure ? a->failure->fault : GRAPH_FAULT_FATAL;
    if (a->rc < 0 && f == GRAPH_FAULT_NOT_FOUND)
        holder_of(l)->is_absent = true;
    else
        note_refused(l, a->rc < 0 ? a->why->message : l->pages.why.message);
    return list_over(l, e);
}

/* "Not found" of a list is too little to call its holder deleted. */
static int look_at_holder(struct one_list *l, struct err *e)
{
    char url[1024], id[GUID_TEXT];
    const struct graph_place *place = graph_place(l->w->h->kind);
    snprintf(url, sizeof url, "%s%s/%s?$select=id", l->w->s->set.base_text, place->path, guid_format(id, holder_of(l)->guid));
    struct graph_question q = {.url = url, .what = place->what, .permissions = place->permissions_text, .done = on_looked, .ctx = l};
    return graph_client_ask(l->w->s->client, &q, e);
}

static int refused(struct one_list *l, struct err *e)
{
    struct walk *w = l->w;
    switch (l->pages.failure.fault) {
    case GRAPH_FAULT_NOT_FOUND: return look_at_holder(l, e);
    case GRAPH_FAULT_UNSUPPORTED:
        if (l->pages.is_advanced) {
            w->is_plain = true;
            forget(l, e);
            graph_pages_free(&l->pages);
            return ask(l, e);
        }
        /* fall through */
    case GRAPH_FAULT_DENIED_PERMISSION:
    case GRAPH_FAULT_DENIED_LICENCE: note_refused(l, l->pages.why.message); return list_over(l, e);
    default: *e = l->pages.why; return l->pages.rc;
    }
}

static int on_end(void *ctx, struct graph_pages *p, struct err *e)
{
    struct one_list *l = ctx;
    if (p->rc < 0) return refused(l, e);
    try(put_page(l, e));
    int again = check(l, e);
    if (again) return again < 0 ? again : 0;
    return list_over(l, e);
}

/* --- asking ----------------------------------------------------------------------------------------------------------- */

static int ask(struct one_list *l, struct err *e)
{
    static const char *const whats[] = {"members of a group", "owners of a group"};
    struct walk *w = l->w;
    bool is_unit = w->h->kind == KIND_administrative_unit;
    l->pages = (struct graph_pages){.client = w->s->client,
                                    .is_advanced = !w->is_plain,
                                    .what = is_unit ? "members of an administrative unit" : whats[l->which],
                                    .permissions = graph_place(w->h->kind)->permissions_text,
                                    .object = take_member,
                                    .restart = forget,
                                    .end = on_end,
                                    .ctx = l};
    char id[GUID_TEXT], url[1024];
    snprintf(url, sizeof url, "%s%s/%s/%s?$select=id&$top=%u%s", w->s->set.base_text, graph_place(w->h->kind)->path, guid_format(id, holder_of(l)->guid),
             l->which == GRAPH_OWNERS ? "owners" : "members", w->s->set.page_size, w->is_plain ? "" : "&$count=true");
    return graph_pages_start(&l->pages, url, e);
}

static int start_one(struct walk *w, struct err *e)
{
    struct one_list *l = x_zalloc(sizeof *l);
    *l = (struct one_list){.w = w, .holder = w->next, .which = w->which, .ids = buf_new(BLOCK_MAX)};
    if (++w->which == w->n_lists) {
        w->which = GRAPH_MEMBERS;
        w->next++;
    }
    w->s->n_open++;
    w->n_open++;
    graph_session_own(w->s, &l->own, list_drop);
    return ask(l, e);
}

/* As many as are under way at once, and a few that wait for their turn. */
static int start_more(struct walk *w, struct err *e)
{
    while (w->next < w->h->n && w->n_open < w->s->set.parallel + AHEAD) try(start_one(w, e));
    return 0;
}

/* --- what is missing ---------------------------------------------------------------------------------------------------- */

static int tell(struct walk *w, uint64_t n, const char *text, const char *where, const char *fix, struct err *e)
{
    char what[200];
    if (!n) return 0;
    snprintf(what, sizeof what, "%llu %s", (unsigned long long)n, text);
    return graph_session_gap(w->s, w->h->kind, GAP_LOSS, what, where, fix, e);
}

/* Without Member.Read.Hidden such groups look empty, and no answer says why. */
static int tell_hidden(struct walk *w, struct err *e)
{
    uint64_t n = 0;
    char first[GUID_TEXT] = "";
    if (graph_client_may(w->s->client, "Member.Read.Hidden") > 0) return 0;
    for (size_t i = 0; i < w->h->n; i++) {
        const struct holder *one = &w->h->list[i];
        if (!one->is_hidden || one->is_absent || one->n[GRAPH_MEMBERS]) continue;
        if (!n++) guid_format(first, one->guid);
    }
    return tell(w, n, w->h->kind == KIND_group ? "groups hide their members" : "administrative units hide their members", first,
                "grant the application permission Member.Read.Hidden with admin consent: Directory.Read.All does not include it", e);
}

static int tell_all(struct walk *w, struct err *e)
{
    try(tell_hidden(w, e));
    if (w->is_plain)
        try(graph_session_gap(w->s, w->h->kind, GAP_LOSS, "members are not counted, and service principals among them are not shown", NULL,
                              "this cloud or tenant type (B2C) has no advanced queries: nothing can be done", e));
    try(tell(w, w->n_refused, "lists of members or owners are refused", w->first_refused, "grant the application permission GroupMember.Read.All", e));
    try(tell(w, w->n_nameless, "members have no valid id", NULL, NULL, e));
    return tell(w, w->n_short, "lists of members are shorter than the service counts them, twice", w->first_short,
                "run it again; members of a kind that the application may not see are counted and not shown", e);
}

static int read_lists(struct graph_session *s, struct holders *h, unsigned n_lists, struct err *e)
{
    struct walk w = {.s = s, .h = h, .n_lists = n_lists};
    try(start_more(&w, e));
    try(graph_session_wait(s, false, e));
    if (w.n_over != (uint64_t)h->n * n_lists)
        return err_set(e, ERR_BUG, "%llu of %llu lists of members and owners were read", (unsigned long long)w.n_over, (unsigned long long)h->n * n_lists);
    return tell_all(&w, e);
}

int graph_members_read(struct graph_session *s, struct err *e)
{
    if (s->kinds & KIND_BIT(KIND_administrative_unit)) try(read_lists(s, &s->units, 1, e));
    return s->kinds & KIND_BIT(KIND_group) ? read_lists(s, &s->groups, GRAPH_LISTS, e) : 0;
}
