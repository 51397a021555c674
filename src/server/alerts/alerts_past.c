/* alerts_past.c - who was in a group through nesting, or held a right, after earlier runs: the change log undone, newest first. */
#include "server/alerts/alerts_int.h"

#include "base/hash.h"
#include "net/oauth.h"

#include <stdlib.h>

/* --- a group -------------------------------------------------------------------------------------------------------------- */

#define CHANGES_MAX 200000
#define NONE        SIZE_MAX
enum { LOOKING_MS = 20000 };

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
    size_t next;      /* of its changes in the log, the first that is not undone; NONE */
    uint32_t seen[2]; /* as of a party */
};
struct undoing {
    int64_t run, time_ms, group;
    struct membership who;
    bool is_added;
    size_t next; /* of the same group */
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
    struct hmap ends;    /* group -> 1 + its first, 1 + its last change in the log */
    bool is_cut;
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
    hmap_free(&p->ends);
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

static struct hash128 key_of_group(int64_t id, bool is_last)
{
    return (struct hash128){(uint64_t)id, is_last};
}

static bool on_change(void *ctx, const struct change *c)
{
    struct past_groups *p = ctx;
    p->is_cut = p->n_log == CHANGES_MAX;
    if (p->is_cut) return false;
    bool is_primary = str_equal(c->attribute, STR("primaryGroupID"));
    uint32_t party = party_of(p, c->member_guid, str_of(c->new.len ? c->new : c->old), c->member_name, c->member_kind == KIND_group, 0);
    GROW(p->log, p->n_log, p->cap_log, 256);
    p->log[p->n_log++] = (struct undoing){c->run, c->time_ms, c->entity_id, {party, is_primary}, c->type == CHANGE_member_added, NONE};
    return true;
}

/* Of a run that was cut in the middle nothing can be said. */
static void drop_half_run(struct past_groups *p)
{
    int64_t run = p->n_log ? p->log[p->n_log - 1].run : 0;
    while (p->is_cut && p->n_log && p->log[p->n_log - 1].run == run) p->n_log--;
}

static void link_log(struct past_groups *p)
{
    for (size_t i = 0; i < p->n_log; i++) {
        bool is_first;
        uint32_t *last = hmap_put(&p->ends, key_of_group(p->log[i].group, true), &is_first);
        if (!is_first) p->log[*last - 1].next = i;
        *last = (uint32_t)i + 1;
        if (is_first) *hmap_put(&p->ends, key_of_group(p->log[i].group, false), &is_first) = (uint32_t)i + 1;
    }
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
        const uint32_t *first = hmap_find(&p->ends, key_of_group(id, false));
        p->groups[p->n_groups++] = (struct group){.id = id, .next = first ? *first - 1 : NONE};
        p->loading = *at;
        try(store_links(p->store, id, LINK_MEMBERS_OF, on_link, p, e));
    }
    struct group *g = &p->groups[*at];
    for (; g->next < undone; g->next = p->log[g->next].next) {
        const struct undoing *u = &p->log[g->next];
        if (u->is_added)
            take_membership(g, u->who);
        else
            put_membership(g, u->who);
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

static int walk_groups(struct past_groups *p, int64_t root, const char *of, const struct verdicts *v, int64_t *looked_to_ms, struct err *e)
{
    int after = 0;
    int64_t deadline = when_monotonic_ms() + LOOKING_MS;
    try(look(p, root, 0, after, e));
    for (size_t i = 0, end; i < p->n_log; i = end) {
        for (end = i; end < p->n_log && p->log[end].run == p->log[i].run;) end++;
        if (!is_touched(p, i, end, after)) continue;
        if (!when_left_ms(deadline)) *looked_to_ms = p->log[i].time_ms;
        if (*looked_to_ms) return 0;
        uint32_t look_after = p->look;
        try(look(p, root, end, !after, e));
        try(tell_run(p, &p->log[i], root, of, after, look_after, v, e));
        after = !after;
    }
    return 0;
}

int past_group(struct store *s, const struct rule *r, int64_t since_ms, const struct verdicts *v, int64_t *looked_to_ms, struct err *e)
{
    struct past_groups p = {.store = s, .r = r};
    uint8_t guid[GUID_SIZE];
    char of[200];
    int64_t root;
    struct change_query q = {.connector = str_from(r->connector), .newest_first = true, .since_ms = since_ms, .types = 1u << CHANGE_member_added | 1u << CHANGE_member_removed};
    try(judge_find_group(s, r, guid, &root, of, e));
    *looked_to_ms = 0;
    int rc = store_changes(s, &q, on_change, &p, e);
    int64_t cut_ms = p.is_cut ? p.log[p.n_log - 1].time_ms : 0;
    drop_half_run(&p);
    link_log(&p);
    if (rc == 0) rc = walk_groups(&p, root, of, v, looked_to_ms, e);
    if (!*looked_to_ms) *looked_to_ms = cut_ms;
    free_groups(&p);
    return rc;
}

/* --- a right -------------------------------------------------------------------------------------------------------------- */

enum { ONE_MORE_MS = 30000 }; /* for a question that has begun: cut off, it would take the answering process with it */

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
    try(member_set_of_right(&is, a->o.asker, r, 0, ASK_MS, e));
    int rc = 0;
    for (size_t i = 0; i < p->n && rc == 0; i++) {
        struct earlier before = {.than = p->list[i].id};
        if (!when_left_ms(deadline)) *looked_to_ms = p->list[i].ended_ms;
        if (*looked_to_ms) break;
        rc = store_runs(s, str_from(r->connector), INT32_MAX, on_earlier, &before, e);
        if (rc < 0 || !before.found) break; /* the first run: who was there before it is nobody's news */
        rc = member_set_of_right(&was, a->o.asker, r, before.found, when_left_ms(deadline) + ONE_MORE_MS, e);
        if (rc == ERR_TIMEOUT) *looked_to_ms = p->list[i].ended_ms;
        if (rc < 0) break;
        rc = tell_difference(r, &was, &is, p->list[i].ended_ms, v, e);
        member_set_free(&is);
        is = was;
    }
    member_set_free(&is);
    return *looked_to_ms ? 0 : rc;
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
