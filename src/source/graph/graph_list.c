/* graph_list.c - one kind's collection: asked for as this cloud allows, put aside, counted. */
#include "source/graph/graph_session.h"

#include <stdio.h>
#include <stdlib.h>

#define SELECT_MAX   ((size_t)4000) /* characters of a field list */
#define SELECT_SHORT ((size_t)480)  /* where a longer one is refused */
#define PARTS_MAX    (GRAPH_FACETS - GRAPH_FACET_PARTS + 1)
#define WITHOUT_MAX  32 /* properties that one cloud may lack */
#define IDS_A_FILTER 15 /* $filter=id in (...) */
#define URL_ROOM     ((size_t)16 << 10)

static const struct {
    enum kind kind;
    struct graph_place place;
    bool is_advanced; /* the listing itself can be, and so counts itself: not with $expand */
} places[] = {
    {KIND_user, {"/users", "users", "User.Read.All Directory.Read.All User.ReadWrite.All Directory.ReadWrite.All", "User.Read.All"}, false},
    {KIND_group,
     {"/groups", "groups", "GroupMember.Read.All Group.Read.All Directory.Read.All Group.ReadWrite.All Directory.ReadWrite.All",
      "GroupMember.Read.All (or Group.Read.All)"},
     true},
    {KIND_administrative_unit,
     {"/directory/administrativeUnits", "administrative units",
      "AdministrativeUnit.Read.All Directory.Read.All AdministrativeUnit.ReadWrite.All Directory.ReadWrite.All", "AdministrativeUnit.Read.All"},
     true},
    {KIND_service_principal,
     {"/servicePrincipals", "service principals", "Application.Read.All Directory.Read.All Application.ReadWrite.All Directory.ReadWrite.All",
      "Application.Read.All"},
     true},
    {KIND_device,
     {"/devices", "devices", "Device.Read.All Directory.Read.All Device.ReadWrite.All Directory.ReadWrite.All", "Device.Read.All"},
     true},
    {KIND_contact, {"/contacts", "contacts", "OrgContact.Read.All Directory.Read.All Directory.ReadWrite.All", "OrgContact.Read.All"}, true},
    {KIND_role,
     {"/roleManagement/directory", "roles",
      "RoleManagement.Read.Directory RoleManagement.Read.All Directory.Read.All RoleManagement.ReadWrite.Directory Directory.ReadWrite.All",
      "RoleManagement.Read.Directory"},
     false},
    {KIND_tenant, {"/organization", "the organization", "Organization.Read.All Directory.Read.All", "Organization.Read.All"}, false},
};

const struct graph_place *graph_place(enum kind k)
{
    for (size_t i = 0; i < n_elements(places); i++)
        if (places[i].kind == k) return &places[i].place;
    return NULL;
}

static bool is_advanced(enum kind k)
{
    for (size_t i = 0; i < n_elements(places); i++)
        if (places[i].kind == k) return places[i].is_advanced;
    return false;
}

struct listing {
    struct graph_owned own;
    struct graph_session *s;
    enum kind kind;
    size_t part;        /* of the field list */
    size_t select_max;
    unsigned top;
    char *filter;       /* NULL: all */
    bool is_of_ids;
    bool is_plain;      /* no advanced queries here: nothing is counted */
    uint64_t n_bad;     /* entries without an id */
    unsigned n_tries;   /* of other forms of the question */
    struct graph_pages pages;
};

/* --- ids ------------------------------------------------------------------------------------------------------- */

static struct hash128 key_of(const uint8_t guid[GUID_SIZE])
{
    return hash128_fast((struct bytes){guid, GUID_SIZE});
}

bool graph_ids_add(struct graph_ids *ids, const uint8_t guid[GUID_SIZE], bool is_removed)
{
    bool is_new;
    uint32_t *at = hmap_put(&ids->at, key_of(guid), &is_new);
    if (!is_new) {
        ids->list[*at].is_removed |= is_removed;
        return false;
    }
    *at = (uint32_t)ids->n;
    GROW(ids->list, ids->n, ids->cap, 64);
    ids->list[ids->n] = (struct graph_id){.is_removed = is_removed};
    memcpy(ids->list[ids->n++].guid, guid, GUID_SIZE);
    return true;
}

void graph_ids_free(struct graph_ids *ids)
{
    hmap_free(&ids->at);
    free(ids->list);
    *ids = (struct graph_ids){0};
}

static void mark_found(struct graph_ids *ids, const uint8_t guid[GUID_SIZE])
{
    const uint32_t *at = hmap_find(&ids->at, key_of(guid));
    if (at) ids->list[*at].is_found = true;
}

/* --- what comes in ------------------------------------------------------------------------------------------------ */

static void note_wrong(struct graph_session *s)
{
    if (s->body.n_wrong && !s->n_wrong) snprintf(s->first_wrong, sizeof s->first_wrong, "%s: %s", s->body.id, s->body.first_wrong);
    s->n_wrong += s->body.n_wrong;
}

static int put_holder(struct listing *l, const struct record *r, const json_t *item, struct err *e)
{
    struct holder *h;
    const char *visibility = json_string_value(json_object_get(item, "visibility"));
    try(holders_add(l->kind == KIND_group ? &l->s->groups : &l->s->units, r, &h, e));
    h->is_hidden = visibility && str_equal_nocase(str_from(visibility), STR("HiddenMembership"));
    const char *name = json_string_value(json_object_get(item, "displayName"));
    if (l->kind == KIND_administrative_unit && name && !h->name) h->name = x_strdup(str_from(name));
    return 0;
}

static int put(struct listing *l, const struct record *r, const json_t *item, struct err *e)
{
    struct graph_join *j = l->s->entities[l->kind];
    if (l->part) return graph_join_facet(j, (unsigned)(GRAPH_FACET_PARTS + l->part - 1), r->guid, r->state, r->stats, e);
    if (kind_has_members(l->kind)) return put_holder(l, r, item, e);
    return graph_join_put(j, r, e);
}

static int take_object(void *ctx, const json_t *item, struct err *e)
{
    struct listing *l = ctx;
    struct graph_session *s = l->s;
    struct record r;
    struct err ignored;
    if (graph_record(&r, &s->body, l->kind, &item, 1, NULL, &ignored) < 0) {
        l->n_bad++;
        return 0;
    }
    if (l->is_of_ids && !hmap_find(&s->ids[l->kind].at, key_of(r.guid))) return 0; /* nobody asked for it */
    note_wrong(s);
    if (l->part == 0) {
        s->tally[l->kind].received++;
        mark_found(&s->ids[l->kind], r.guid);
    }
    try(put(l, &r, item, e));
    return graph_session_progress(s, l->kind, e);
}

static int forget(struct listing *l, struct err *e)
{
    struct graph_session *s = l->s;
    l->n_bad = 0;
    if (l->is_of_ids) return 0; /* what came twice counts once */
    if (l->part) return graph_join_forget_facet(s->entities[l->kind], (unsigned)(GRAPH_FACET_PARTS + l->part - 1), e);
    s->tally[l->kind].received = 0;
    if (kind_has_members(l->kind)) return holders_forget(l->kind == KIND_group ? &s->groups : &s->units, e);
    return graph_join_forget(s->entities[l->kind], e);
}

static int take_restart(void *ctx, struct err *e)
{
    struct listing *l = ctx;
    l->s->n_restarts++;
    return forget(l, e);
}

/* --- how it is asked ---------------------------------------------------------------------------------------------- */

static int on_end(void *ctx, struct graph_pages *p, struct err *e);

static int ask(struct listing *l, struct err *e)
{
    struct graph_session *s = l->s;
    const struct graph_place *place = graph_place(l->kind);
    struct buf url = buf_new(URL_ROOM), fields = buf_new(URL_ROOM);
    bool advanced = is_advanced(l->kind) && !l->is_of_ids && !l->is_plain;
    struct str select = graph_fields_select(&fields, l->kind, l->select_max, l->part, buf_cstr(&s->without[l->kind]));
    buf_printf(&url, "%s%s", s->set.base_text, place->path);
    buf_printf(&url, "?$select=%.*s", STR_FMT(select));
    if (!l->is_of_ids) buf_printf(&url, "&$top=%u", l->top);
    if (advanced) buf_add_str(&url, STR("&$count=true"));
    if (l->filter) buf_printf(&url, "&$filter=%s", l->filter);
    if (l->kind == KIND_user && l->part == 0) buf_add_str(&url, STR("&$expand=manager($select=id)"));
    l->pages = (struct graph_pages){.client = s->client,
                                    .is_advanced = advanced,
                                    .what = place->what,
                                    .permissions = place->permissions_text,
                                    .object = take_object,
                                    .restart = take_restart,
                                    .end = on_end,
                                    .ctx = l};
    int rc = url.failed || fields.failed ? err_set(e, ERR_LIMIT, "%s: the address is too long", place->what)
                                         : graph_pages_start(&l->pages, buf_cstr(&url), e);
    buf_free(&url);
    buf_free(&fields);
    return rc;
}

static void listing_drop(struct graph_owned *o)
{
    struct listing *l = (struct listing *)o;
    graph_pages_free(&l->pages);
    free(l->filter);
    free(l);
}

static struct listing *listing_new(struct graph_session *s, enum kind k, size_t part, size_t select_max, const char *filter)
{
    struct listing *l = x_zalloc(sizeof *l);
    *l = (struct listing){.s = s, .kind = k, .part = part, .select_max = select_max, .top = s->set.page_size};
    if (filter) l->filter = x_strdup(str_from(filter));
    if (!kind_has_members(k) && !s->entities[k]) s->entities[k] = graph_join_new();
    s->n_open++;
    graph_session_own(s, &l->own, listing_drop);
    return l;
}

static void listing_free(struct listing *l)
{
    l->s->n_open--;
    graph_session_disown(&l->own);
    listing_drop(&l->own);
}

/* The further parts of a field list that must be short. */
static int start_parts(struct listing *first, struct err *e)
{
    for (size_t part = 1; part < PARTS_MAX; part++) {
        struct buf fields = buf_new(URL_ROOM);
        struct str select = graph_fields_select(&fields, first->kind, first->select_max, part, buf_cstr(&first->s->without[first->kind]));
        bool is_empty = !select.len;
        buf_free(&fields);
        if (is_empty) return 0;
        struct listing *l = listing_new(first->s, first->kind, part, first->select_max, first->filter);
        l->is_of_ids = first->is_of_ids;
        l->s->tally[l->kind].parts |= 1u << (GRAPH_FACET_PARTS + part - 1);
        try(ask(l, e));
    }
    return 0;
}

/* --- when it is refused ------------------------------------------------------------------------------------------- */

static int ask_again(struct listing *l, struct err *e)
{
    graph_pages_free(&l->pages);
    try(forget(l, e));
    return ask(l, e);
}

/* "Could not find a property named 'employeeType' on type 'microsoft.graph.user'." */
static struct str missing_property(const struct graph_failure *f)
{
    static const char before[] = "property named '", letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *from = strstr(f->message, before);
    if (!from) return (struct str){"", 0};
    from += sizeof before - 1;
    size_t n = strspn(from, letters);
    return (struct str){from, from[n] == '\'' ? n : 0};
}

static bool has_word(struct buf *words, struct str word)
{
    for (struct str rest = str_from(buf_cstr(words)); rest.len;) {
        size_t n = str_index(rest, ' ');
        if (str_equal((struct str){rest.ptr, n}, word)) return true;
        n += n < rest.len;
        rest = (struct str){rest.ptr + n, rest.len - n};
    }
    return false;
}

/* Another listing of the kind may have learned it before: then this one only asks again. */
bool graph_list_learn(struct graph_session *s, enum kind k, const struct graph_failure *f, struct err *e)
{
    char what[400];
    struct buf *without = &s->without[k];
    struct str name = missing_property(f);
    if (!name.len) return false;
    if (has_word(without, name)) return true;
    if (without->len + 1 + name.len > without->max) return false;
    buf_printf(without, "%s%.*s", without->len ? " " : "", STR_FMT(name));
    snprintf(what, sizeof what, "this cloud has no property %.*s of %s", STR_FMT(name), graph_place(k)->what);
    return graph_session_gap(s, k, GAP_INFO, what, s->set.base.host, NULL, e) == 0;
}

/* A form of the question that may be answered, if there is another one. 1: asked again. */
static int try_otherwise(struct listing *l, struct err *e)
{
    struct graph_pages *p = &l->pages;
    if (l->n_tries++ > WITHOUT_MAX) return 0;
    if (graph_list_learn(l->s, l->kind, &p->failure, e)) return ask_again(l, e) < 0 ? (int)e->class : 1;
    if (p->failure.fault == GRAPH_FAULT_UNSUPPORTED && p->is_advanced) {
        l->is_plain = true;
        return ask_again(l, e) < 0 ? (int)e->class : 1;
    }
    if (p->failure.fault == GRAPH_FAULT_PAGE_TOO_LARGE && l->top > 10) {
        l->top = l->top > 120 ? 120 : l->top / 2;
        return ask_again(l, e) < 0 ? (int)e->class : 1;
    }
    if (p->failure.status == 400 && l->part == 0 && l->select_max > SELECT_SHORT) {
        l->select_max = SELECT_SHORT;
        try(ask_again(l, e));
        return start_parts(l, e) < 0 ? (int)e->class : 1;
    }
    return 0;
}

/* This kind cannot be read, and the others can. The further parts of a field list are no kind of their own: whoever gives the first
 * part gives them all, or something is broken. */
static bool is_refusal(enum graph_fault f)
{
    return f == GRAPH_FAULT_DENIED_PERMISSION || f == GRAPH_FAULT_DENIED_LICENCE || f == GRAPH_FAULT_UNSUPPORTED || f == GRAPH_FAULT_NOT_FOUND;
}

static int refused(struct listing *l, struct err *e)
{
    struct graph_session *s = l->s;
    const struct graph_place *place = graph_place(l->kind);
    char what[200], fix[300];
    s->tally[l->kind].is_refused = true;
    snprintf(what, sizeof what, "the %s cannot be read", place->what);
    snprintf(fix, sizeof fix, "grant the application permission %s with admin consent, or leave the kind out (kinds:)", place->permissions_text);
    return graph_session_gap(s, l->kind, GAP_LOSS, what, l->pages.why.message, fix, e);
}

static int end_well(struct listing *l, struct err *e)
{
    struct graph_session *s = l->s;
    char what[120];
    if (l->part == 0 && !l->is_of_ids && l->pages.count >= 0) s->tally[l->kind].count = l->pages.count;
    if (!l->n_bad) return 0;
    snprintf(what, sizeof what, "%llu entries of the %s have no valid id", (unsigned long long)l->n_bad, graph_place(l->kind)->what);
    return graph_session_gap(s, l->kind, GAP_LOSS, what, NULL, NULL, e);
}

static int on_end(void *ctx, struct graph_pages *p, struct err *e)
{
    struct listing *l = ctx;
    int rc = 0;
    if (p->rc < 0) {
        int again = try_otherwise(l, e);
        if (again) return again < 0 ? again : 0;
        if (is_refusal(p->failure.fault) && !l->part) {
            rc = refused(l, e);
        } else {
            *e = p->why;
            rc = p->rc;
        }
    } else {
        rc = end_well(l, e);
    }
    listing_free(l);
    return rc;
}


/* --- by id ---------------------------------------------------------------------------------------------------------- */

/* The next few ids from *at on. */
static int list_some(struct graph_session *s, enum kind k, bool missing, size_t *at, struct err *e)
{
    struct buf filter = buf_new(URL_ROOM);
    char text[GUID_TEXT];
    int rc = 0;
    unsigned n = 0;
    buf_add_str(&filter, STR("id%20in%20("));
    for (; *at < s->ids[k].n && n < IDS_A_FILTER; ++*at) {
        const struct graph_id *id = &s->ids[k].list[*at];
        if (missing && (id->is_found || id->is_removed)) continue;
        buf_printf(&filter, "%s'%s'", n++ ? "," : "", guid_format(text, id->guid));
    }
    buf_add_byte(&filter, ')');
    if (n) {
        struct listing *l = listing_new(s, k, 0, SELECT_MAX, buf_cstr(&filter));
        l->is_of_ids = true;
        rc = ask(l, e);
    }
    buf_free(&filter);
    return rc;
}

int graph_list_ids(struct graph_session *s, enum kind k, bool missing, struct err *e)
{
    if (!kind_has_members(k) && !s->entities[k]) s->entities[k] = graph_join_new();
    for (size_t at = 0; at < s->ids[k].n;) try(list_some(s, k, missing, &at, e));
    return 0;
}

/* --- counting --------------------------------------------------------------------------------------------------------- */

static struct graph_question count_question(const struct graph_session *s, enum kind k, char url[1024])
{
    const struct graph_place *place = graph_place(k);
    snprintf(url, 1024, "%s%s?$select=id&$top=1&$count=true", s->set.base_text, place->path);
    return (struct graph_question){.url = url, .is_advanced = true, .what = place->what, .permissions = place->permissions_text};
}

/* An answer without a number is no proof of anything: services that do not count refuse the question. */
static int64_t count_of(const json_t *body)
{
    const json_t *count = json_object_get(body, "@odata.count");
    if (!body) return -1;
    return json_is_integer(count) && json_integer_value(count) >= 0 ? json_integer_value(count) : -2;
}

int graph_list_count(struct graph_session *s, enum kind k, int64_t *out, struct err *e)
{
    char url[1024];
    struct graph_failure f;
    json_t *body;
    struct graph_question q = count_question(s, k, url);
    int rc = graph_client_fetch(s->client, &q, &body, &f, e);
    *out = count_of(body);
    json_decref(body);
    bool may_go_on = f.fault == GRAPH_FAULT_UNSUPPORTED || f.fault == GRAPH_FAULT_DENIED_PERMISSION || f.fault == GRAPH_FAULT_NOT_FOUND;
    return rc < 0 && !may_go_on ? rc : 0;
}

struct counting {
    struct graph_owned own;
    struct graph_session *s;
    enum kind kind;
};

static void counting_drop(struct graph_owned *o)
{
    free(o);
}

/* What cannot be counted now is counted at the end, and told then. */
static int on_counted(void *ctx, const struct graph_answer *a, struct err *e)
{
    struct counting *c = ctx;
    (void)e;
    c->s->n_open--;
    if (a->rc == 0) c->s->tally[c->kind].count = count_of(a->body);
    graph_session_disown(&c->own);
    counting_drop(&c->own);
    return 0;
}

/* Of a listing that does not count itself: at its beginning. */
static int start_counting(struct graph_session *s, enum kind k, struct err *e)
{
    char url[1024];
    struct counting *c = x_zalloc(sizeof *c);
    struct graph_question q = count_question(s, k, url);
    c->s = s;
    c->kind = k;
    q.done = on_counted;
    q.ctx = c;
    s->n_open++;
    graph_session_own(s, &c->own, counting_drop);
    return graph_client_ask(s->client, &q, e);
}

int graph_list_start(struct graph_session *s, enum kind k, const char *filter, struct err *e)
{
    if (!is_advanced(k) && !filter) try(start_counting(s, k, e));
    return ask(listing_new(s, k, 0, SELECT_MAX, filter), e);
}

/* Whoever came or went while they were listed is no loss: as many as there were at the beginning, or are now, will do. */
int graph_list_verify(struct graph_session *s, enum kind k, struct err *e)
{
    struct graph_tally *t = &s->tally[k];
    char what[160];
    if (t->n_halved) {
        snprintf(what, sizeof what, "%llu %s came without some of their fields, and were left out", (unsigned long long)t->n_halved, graph_place(k)->what);
        try(graph_session_gap(s, k, GAP_LOSS, what, NULL, "run it again: they changed while they were listed", e));
    }
    if (s->plan[k] != GRAPH_LIST) return 0;
    if (t->is_refused || (t->count >= 0 && t->received >= (uint64_t)t->count)) return 0;
    try(graph_list_count(s, k, &t->count, e));
    if (t->count == -1)
        return graph_session_gap(s, k, GAP_INFO, "the service does not count this kind: its pages alone prove it complete", graph_place(k)->path, NULL, e);
    if (t->count >= 0 && t->received >= (uint64_t)t->count) return 0;
    if (t->count < 0)
        snprintf(what, sizeof what, "%llu %s came, and the answer to how many there are has no number", (unsigned long long)t->received, graph_place(k)->what);
    else
        snprintf(what, sizeof what, "%llu of %lld %s came", (unsigned long long)t->received, (long long)t->count, graph_place(k)->what);
    return graph_session_gap(s, k, GAP_LOSS, what, NULL, "run it again; if it stays so, the account may not see all of them", e);
}
