/* alerts_past.c - who was in a group through nesting, or held a right, after earlier runs: the change log undone, newest first. */
#include "server/alerts/alerts_int.h"

#include "base/hash.h"
#include "net/oauth.h"

#include <stdlib.h>

/* --- a group -------------------------------------------------------------------------------------------------------------- */

#define CHANGES_MAX 200000

struct party { /* who is, or was, in some group */
    char *name;
    uint8_t guid[GUID_SIZE];
    int64_t entity; /* of a group; 0: to be found by its GUID */
    bool is_group;
    uint32_t seen[2]; /* the last looks that found it: one of before a run, one of after */
};
struct membership {
    uint32_t party;
    bool is_primary; /* one may be in a group for two reasons */
};
struct group {
    int64_t id;
    struct membership *list;
    size_t n, cap;
    size_t undone;    /* so many changes of the log are */
    uint32_t seen[2]; /* as of a party */
};
struct undoing {
    int64_t run, time_ms, group;
    struct membership who;
    bool is_added;
};
struct past_groups {
    struct store *store;
    const struct rule *r;
    struct party *parties;
    size_t n_parties, cap_parties;
    struct hmap party_at;
    struct group *groups;
    size_t n_groups, cap_groups;
    struct hmap group_at;
    struct undoing *log; /* newest first */
    size_t n_log, cap_log;
    size_t loading;      /* the group that links are read of */
    uint32_t look;
};

static void free_groups(struct past_groups *p)
{
    for (size_t i = 0; i < p->n_parties; i++) free(p->parties[i].name);
    for (size_t i = 0; i < p->n_groups; i++) free(p->groups[i].list);
    free(p->parties);
    free(p->groups);
    free(p->log);
    hmap_free(&p->party_at);
    hmap_free(&p->group_at);
}

/* By GUID; who is unresolved, by the text that names it. */
static uint32_t party_of(struct past_groups *p, const uint8_t guid[GUID_SIZE], struct str text, struct str name, bool is_group, int64_t entity)
{
    static const uint8_t none[GUID_SIZE];
    bool is_new, is_known = memcmp(guid, none, GUID_SIZE) != 0;
    char shown[160];
    uint32_t *at = hmap_put(&p->party_at, hash128_fast(is_known ? (struct bytes){guid, GUID_SIZE} : bytes_of(text)), &is_new);
    if (is_new) {
        *at = (uint32_t)p->n_parties;
        GROW(p->parties, p->n_parties, p->cap_parties, 256);
        struct party *x = &p->parties[p->n_parties++];
        *x = (struct party){.name = x_strdup(str_from(oauth_quote(shown, sizeof shown, name.len ? name : text))), .is_group = is_group};
        memcpy(x->guid, guid, GUID_SIZE);
    }
    if (entity) p->parties[*at].entity = entity;
    return *at;
}

static bool on_change(void *ctx, const struct change *c)
{
    struct past_groups *p = ctx;
    bool is_primary = str_equal(c->attribute, STR("primaryGroupID"));
    uint32_t party = party_of(p, c->member_guid, str_of(c->new.len ? c->new : c->old), c->member_name, c->member_kind == KIND_group, 0);
    GROW(p->log, p->n_log, p->cap_log, 256);
    p->log[p->n_log++] = (struct undoing){c->run, c->time_ms, c->entity_id, {party, is_primary}, c->type == CHANGE_member_added};
    return p->n_log < CHANGES_MAX;
}

static void put_membership(struct group *g, struct membership m)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->list[i].party == m.party && g->list[i].is_primary == m.is_primary) return;
    GROW(g->list, g->n, g->cap, 16);
    g->list[g->n++] = m;
}

static void take_membership(struct group *g, struct membership m)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->list[i].party == m.party && g->list[i].is_primary == m.is_primary) {
            g->list[i] = g->list[--g->n];
            return;
        }
}

static bool on_link(void *ctx, const struct link *l)
{
    struct past_groups *p = ctx;
    struct group *g = &p->groups[p->loading];
    bool is_group = l->entity_id && l->kind == KIND_group;
    struct membership m = {party_of(p, l->guid, l->dn, l->name, is_group, is_group ? l->entity_id : 0), l->via == VIA_PRIMARY_GROUP};
    GROW(g->list, g->n, g->cap, 16); /* each is told once: no need to look for it */
    g->list[g->n++] = m;
    return true;
}

/* As it was before the first `undone` changes of the log. */
static int group_then(struct past_groups *p, int64_t id, size_t undone, struct group **out, struct err *e)
{
    bool is_new;
    uint32_t *at = hmap_put(&p->group_at, (struct hash128){(uint64_t)id, 1}, &is_new);
    if (is_new) {
        *at = (uint32_t)p->n_groups;
        GROW(p->groups, p->n_groups, p->cap_groups, 64);
        p->groups[p->n_groups++] = (struct group){.id = id};
        p->loading = *at;
        try(store_links(p->store, id, LINK_MEMBERS_OF, on_link, p, e));
    }
    struct group *g = &p->groups[*at];
    for (; g->undone < undone; g->undone++) {
        const struct undoing *u = &p->log[g->undone];
        if (u->group == id && u->is_added) take_membership(g, u->who);
        if (u->group == id && !u->is_added) put_membership(g, u->who);
    }
    *out = g;
    return 0;
}

static void take_id(void *ctx, const struct entity *x)
{
    *(int64_t *)ctx = x->id;
}

static int64_t entity_of(struct past_groups *p, struct party *x)
{
    char guid[GUID_TEXT];
    struct err ignored;
    if (!x->entity && store_entity_find(p->store, str_from(p->r->connector), str_from(guid_format(guid, x->guid)), true, take_id, &x->entity, &ignored) < 0) x->entity = -1;
    return x->entity;
}

/* Marks everybody below the group, side 0 or 1, with a new look. */
static int look(struct past_groups *p, int64_t root, size_t undone, int side, struct err *e)
{
    int64_t *todo = NULL;
    size_t n = 0, cap = 0;
    int rc = 0;
    p->look++;
    GROW(todo, n, cap, 64);
    todo[n++] = root;
    while (n && rc == 0) {
        struct group *g;
        rc = group_then(p, todo[--n], undone, &g, e);
        if (rc < 0 || g->seen[side] == p->look) continue;
        g->seen[side] = p->look;
        for (size_t i = 0; i < g->n; i++) {
            struct party *x = &p->parties[g->list[i].party];
            bool is_first = x->seen[side] != p->look;
            x->seen[side] = p->look;
            if (!is_first || !x->is_group || entity_of(p, x) <= 0) continue;
            GROW(todo, n, cap, 64);
            todo[n++] = x->entity;
        }
    }
    free(todo);
    return rc;
}

/* Only a change of a group that was reached can change who is reached. */
static bool is_touched(const struct past_groups *p, size_t from, size_t to, int side)
{
    for (size_t i = from; i < to; i++) {
        const uint32_t *at = hmap_find(&p->group_at, (struct hash128){(uint64_t)p->log[i].group, 1});
        if (at && p->groups[*at].seen[side] == p->look) return true;
    }
    return false;
}

static int tell_run(struct past_groups *p, const struct undoing *run, int64_t root, const char *of, int after, uint32_t look_after, const struct verdicts *v, struct err *e)
{
    struct firing f;
    firing_begin(&f);
    for (size_t i = 0; i < p->n_parties; i++) {
        const struct party *x = &p->parties[i];
        bool was = x->seen[!after] == p->look, is = x->seen[after] == look_after;
        if (was != is && x->entity != root) firing_add_member(&f, p->r, of, x->name, is);
    }
    firing_count_rest(&f);
    f.time_ms = run->time_ms;
    int rc = f.n ? v->over(v->ctx, p->r->connector, 0, &f, e) : 0;
    firing_end(&f);
    return rc;
}

static int walk_groups(struct past_groups *p, int64_t root, const char *of, const struct verdicts *v, struct err *e)
{
    int after = 0;
    try(look(p, root, 0, after, e));
    for (size_t i = 0, end; i < p->n_log; i = end) {
        for (end = i; end < p->n_log && p->log[end].run == p->log[i].run;) end++;
        if (!is_touched(p, i, end, after)) continue;
        uint32_t look_after = p->look;
        try(look(p, root, end, !after, e));
        try(tell_run(p, &p->log[i], root, of, after, look_after, v, e));
        after = !after;
    }
    return 0;
}

int past_group(struct store *s, const struct rule *r, int64_t since_ms, const struct verdicts *v, bool *is_cut, struct err *e)
{
    struct past_groups p = {.store = s, .r = r};
    uint8_t guid[GUID_SIZE];
    char of[200];
    int64_t root;
    struct change_query q = {.connector = str_from(r->connector), .newest_first = true, .since_ms = since_ms, .types = 1u << CHANGE_member_added | 1u << CHANGE_member_removed};
    try(judge_find_group(s, r, guid, &root, of, e));
    int rc = store_changes(s, &q, on_change, &p, e);
    if (rc == 0) rc = walk_groups(&p, root, of, v, e);
    *is_cut = p.n_log == CHANGES_MAX;
    free_groups(&p);
    return rc;
}

/* --- a right -------------------------------------------------------------------------------------------------------------- */

enum { LOOKING_MS = 60000 };

struct past_runs { /* that changed what could matter, newest first */
    struct {
        int64_t id, ended_ms;
    } *list;
    size_t n, cap;
};

static bool on_access_change(void *ctx, const struct change *c)
{
    struct past_runs *p = ctx;
    bool matters = c->type != CHANGE_modified || str_equal(c->attribute, STR("nTSecurityDescriptor"));
    if (!matters || (p->n && p->list[p->n - 1].id == c->run)) return true;
    GROW(p->list, p->n, p->cap, 64);
    p->list[p->n].id = c->run;
    p->list[p->n++].ended_ms = c->time_ms;
    return true;
}

struct earlier {
    int64_t than, found;
};

static bool on_earlier(void *ctx, const struct run_row *r)
{
    struct earlier *x = ctx;
    if (run_is_success(r) && r->id < x->than) x->found = r->id;
    return !x->found;
}

struct right_then {
    const struct rule *r;
    const char *of;
    struct firing f;
};

static int on_difference(void *ctx, const struct member_item *m, bool is_gained, struct err *e)
{
    struct right_then *x = ctx;
    (void)e;
    firing_add_member(&x->f, x->r, x->of, m->name, is_gained);
    return 0;
}

static int tell_difference(const struct rule *r, const struct member_set *was, const struct member_set *is, int64_t time_ms, const struct verdicts *v, struct err *e)
{
    struct right_then x = {.r = r, .of = is->of};
    firing_begin(&x.f);
    int rc = member_sets_compare(was, is, on_difference, &x, e);
    firing_count_rest(&x.f);
    x.f.time_ms = time_ms;
    if (rc == 0 && x.f.n) rc = v->over(v->ctx, r->connector, 0, &x.f, e);
    firing_end(&x.f);
    return rc;
}

static int walk_runs(struct alerts *a, struct store *s, const struct rule *r, const struct past_runs *p, const struct verdicts *v, int64_t *looked_to_ms, struct err *e)
{
    struct member_set is, was;
    int64_t deadline = when_monotonic_ms() + LOOKING_MS;
    try(member_set_of_right(&is, a->o.asker, r, 0, e));
    int rc = 0;
    for (size_t i = 0; i < p->n && rc == 0; i++) {
        struct earlier before = {.than = p->list[i].id};
        if (!when_left_ms(deadline)) *looked_to_ms = p->list[i].ended_ms;
        if (*looked_to_ms) break;
        rc = store_runs(s, str_from(r->connector), INT32_MAX, on_earlier, &before, e);
        if (rc < 0 || !before.found) break; /* the first run: who was there before it is nobody's news */
        rc = member_set_of_right(&was, a->o.asker, r, before.found, e);
        if (rc < 0) break;
        rc = tell_difference(r, &was, &is, p->list[i].ended_ms, v, e);
        member_set_free(&is);
        is = was;
    }
    member_set_free(&is);
    return rc;
}

int past_right(struct alerts *a, struct store *s, const struct rule *r, int64_t since_ms, const struct verdicts *v, int64_t *looked_to_ms, struct err *e)
{
    struct past_runs p = {0};
    struct change_query q = {.connector = str_from(r->connector), .newest_first = true, .since_ms = since_ms,
                             .types = 1u << CHANGE_member_added | 1u << CHANGE_member_removed | 1u << CHANGE_modified};
    *looked_to_ms = 0;
    int rc = store_changes(s, &q, on_access_change, &p, e);
    if (rc == 0) rc = walk_runs(a, s, r, &p, v, looked_to_ms, e);
    free(p.list);
    return rc;
}
