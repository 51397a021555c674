/* alerts_sets.c - who is in it now and was not, or was and is not: members of a group through nesting, holders of a right. */
#include "server/alerts/alerts_int.h"

#include "base/hash.h"
#include "base/jsonv.h"
#include "net/oauth.h"
#include "run/rows.h"

#include <stdio.h>
#include <stdlib.h>

void member_set_free(struct member_set *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->list[i].id);
        free(m->list[i].name);
    }
    free(m->list);
    *m = (struct member_set){0};
}

static void add(struct member_set *m, struct str id, struct str name)
{
    char shown[160];
    GROW(m->list, m->n, m->cap, 64);
    m->list[m->n++] = (struct member_item){x_strdup(id), x_strdup(str_from(oauth_quote(shown, sizeof shown, name)))};
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct member_item *)a)->id, ((const struct member_item *)b)->id);
}

/* Sorted, each once. */
static void settle(struct member_set *m)
{
    size_t n = 0;
    if (m->n) qsort(m->list, m->n, sizeof *m->list, by_id);
    for (size_t i = 0; i < m->n; i++) {
        if (n && strcmp(m->list[n - 1].id, m->list[i].id) == 0) {
            free(m->list[i].id);
            free(m->list[i].name);
        } else {
            m->list[n++] = m->list[i];
        }
    }
    m->n = n;
}

bool member_set_has(const struct member_set *m, const char *id)
{
    struct member_item key = {.id = (char *)(uintptr_t)id};
    return m->n && bsearch(&key, m->list, m->n, sizeof *m->list, by_id);
}

/* --- a group -------------------------------------------------------------------------------------------------------------- */

struct nesting {
    struct member_set *out;
    struct hmap seen;
    int64_t *todo; /* groups whose members are still to be read */
    size_t n, cap;
};

static bool on_member(void *ctx, const struct link *l)
{
    struct nesting *x = ctx;
    char guid[GUID_TEXT];
    bool is_new;
    if (!l->entity_id) {
        add(x->out, l->dn, l->name.len ? l->name : l->dn);
        return true;
    }
    hmap_put(&x->seen, (struct hash128){(uint64_t)l->entity_id, 1}, &is_new);
    if (!is_new) return true;
    add(x->out, str_from(guid_format(guid, l->guid)), l->name);
    if (l->kind != KIND_group) return true;
    GROW(x->todo, x->n, x->cap, 64);
    x->todo[x->n++] = l->entity_id;
    return true;
}

int member_set_of_group(struct member_set *out, struct store *s, const struct rule *r, struct err *e)
{
    uint8_t guid[GUID_SIZE];
    int64_t id;
    *out = (struct member_set){0};
    try(judge_find_group(s, r, guid, &id, out->of, e));
    struct nesting x = {.out = out};
    bool is_new;
    hmap_put(&x.seen, (struct hash128){(uint64_t)id, 1}, &is_new);
    int rc = store_links(s, id, LINK_MEMBERS_OF, on_member, &x, e);
    while (rc == 0 && x.n) rc = store_links(s, x.todo[--x.n], LINK_MEMBERS_OF, on_member, &x, e);
    hmap_free(&x.seen);
    free(x.todo);
    settle(out);
    if (rc < 0) member_set_free(out);
    return rc;
}

/* --- a right -------------------------------------------------------------------------------------------------------------- */

int member_set_of_right(struct member_set *out, struct asker *a, const struct rule *r, int64_t run, int timeout_ms, struct err *e)
{
    char connector[96], as_of[40] = "--limit=0";
    const char *words[] = {"access", "who-can", "--limit=0", "--groups", connector, as_of, "--", r->right, r->target, NULL};
    json_t *rows, *row;
    size_t i;
    *out = (struct member_set){0};
    if (!a) return err_set(e, ERR_BUG, "nobody answers questions about access");
    oauth_quote(out->of, sizeof out->of, str_from(r->target));
    snprintf(connector, sizeof connector, "--connector=%s", r->connector);
    if (run) snprintf(as_of, sizeof as_of, "--run=%lld", (long long)run);
    try(asker_ask(a, words, timeout_ms, &rows, e));
    json_array_foreach(rows, i, row) {
        const json_t *p = json_object_get(row, "principal");
        const char *id = *jsonv_cstr(p, "uid") ? jsonv_cstr(p, "uid") : *jsonv_cstr(p, "sid") ? jsonv_cstr(p, "sid") : jsonv_cstr(p, "name");
        add(out, str_from(id), str_from(*jsonv_cstr(p, "name") ? jsonv_cstr(p, "name") : id));
    }
    json_decref(rows);
    settle(out);
    return 0;
}

/* --- comparing -------------------------------------------------------------------------------------------------------------- */

static int take_member(void *ctx, sqlite3_stmt *row, struct err *e)
{
    add(ctx, row_text(row, 0), row_text(row, 1));
    return 0;
}

static int load_kept(struct member_set *out, struct state *s, const char *rule, struct err *e)
{
    *out = (struct member_set){0};
    int rc = state_rows(s, e, take_member, out, "SELECT member_id, name FROM alert_member WHERE tenant_id = " TENANT " AND rule_id = ?", "s", rule);
    settle(out);
    if (rc < 0) member_set_free(out);
    return rc < 0 ? rc : 0;
}

void firing_add_member(struct firing *f, const struct rule *r, const char *of, const char *name, bool is_gained)
{
    char sentence[600];
    bool is_group = r->type == CONDITION_GROUP;
    if (is_group && !(r->changes & 1u << (is_gained ? CHANGE_member_added : CHANGE_member_removed))) return;
    if (is_group)
        snprintf(sentence, sizeof sentence, "%s %s a member of %s", name, is_gained ? "became" : "is no longer", of);
    else
        snprintf(sentence, sizeof sentence, "%s has %s %s on %s", name, is_gained ? "gained" : "lost", r->right, of);
    if (++f->n == 1) snprintf(f->title, sizeof f->title, "%s", sentence);
    buf_printf(&f->detail, "%s%s", f->detail.len ? "; " : "", sentence);
    f->detail.failed = false;
}

int member_sets_compare(const struct member_set *was, const struct member_set *is, member_differs *each, void *ctx, struct err *e)
{
    for (size_t i = 0, k = 0; i < was->n || k < is->n;) {
        int order = i == was->n ? 1 : k == is->n ? -1 : strcmp(was->list[i].id, is->list[k].id);
        if (order != 0) try(each(ctx, order < 0 ? &was->list[i] : &is->list[k], order > 0, e));
        i += order <= 0;
        k += order >= 0;
    }
    return 0;
}

struct difference {
    const struct rule *r;
    struct state *s;
    struct firing *f;
    const char *of;
    bool is_silent;
};

static int keep_one(void *ctx, const struct member_item *m, bool is_gained, struct err *e)
{
    struct difference *d = ctx;
    if (!d->is_silent) firing_add_member(d->f, d->r, d->of, m->name, is_gained);
    if (!is_gained) return state_run(d->s, e, "DELETE FROM alert_member WHERE tenant_id = " TENANT " AND rule_id = ? AND member_id = ?", "ss", d->r->id, m->id);
    return state_run(d->s, e, "INSERT INTO alert_member (tenant_id, rule_id, member_id, name) VALUES (" TENANT ", ?, ?, ?)", "sss", d->r->id, m->id, m->name);
}

/* The changes that did it, as far as they are changes of membership of the group or of one that was or is in it. */
struct causes {
    const struct member_set *was, *is;
    const uint8_t *group;
    struct firing *f;
};

static bool on_cause(void *ctx, const struct change *c)
{
    struct causes *x = ctx;
    char guid[GUID_TEXT];
    if (c->type != CHANGE_member_added && c->type != CHANGE_member_removed) return true;
    guid_format(guid, c->guid);
    if (memcmp(c->guid, x->group, GUID_SIZE) == 0 || member_set_has(x->is, guid) || member_set_has(x->was, guid)) json_array_append_new(x->f->changes, rows_change(c));
    return json_array_size(x->f->changes) < FIRING_CHANGES;
}

static int add_causes(struct store *s, const struct rule *r, const struct member_set *was, const struct member_set *is, int64_t after, struct firing *f, struct err *e)
{
    uint8_t group[GUID_SIZE];
    char name[200];
    int64_t id;
    if (r->type != CONDITION_GROUP) return 0;
    try(judge_find_group(s, r, group, &id, name, e));
    struct causes x = {was, is, group, f};
    struct change_query q = {.connector = str_from(r->connector), .after_change = after};
    return store_changes(s, &q, on_cause, &x, e);
}

struct moment {
    struct alerts *a;
    struct store *store;
    const struct rule *r;
    const struct member_set *is;
    int64_t version, last_change, last_ms, cursor;
};

static int judge_in_transaction(const struct moment *m, struct firing *f, struct err *e)
{
    struct state *s = m->a->o.state;
    struct member_set was;
    bool is_same;
    try(rows_is_same(s, m->r->id, m->version, &is_same, e));
    if (!is_same) return 0; /* changed while the question was asked: what is kept is of another set */
    try(load_kept(&was, s, m->r->id, e));
    struct difference d = {.r = m->r, .s = s, .f = f, .of = m->is->of, .is_silent = m->cursor < 0};
    int rc = member_sets_compare(&was, m->is, keep_one, &d, e);
    if (rc == 0 && f->n) rc = add_causes(m->store, m->r, &was, m->is, m->cursor, f, e);
    member_set_free(&was);
    if (rc == 0 && f->n) {
        firing_count_rest(f);
        snprintf(f->key, sizeof f->key, "change:%lld", (long long)m->last_change);
        f->time_ms = m->last_ms ? m->last_ms : when_now_ms();
        rc = rows_fire(s, m->r, f, e);
    }
    return rc < 0 ? rc : rows_cursor_put(s, m->r->id, m->r->connector, m->last_change, e);
}

int judge_set(struct alerts *a, struct store *s, const struct rule *r, int64_t version, int64_t last_change, int64_t last_ms, struct err *e)
{
    struct member_set is;
    struct firing f;
    struct moment m = {.a = a, .store = s, .r = r, .is = &is, .version = version, .last_change = last_change, .last_ms = last_ms};
    try(rows_cursor(a->o.state, r->id, r->connector, &m.cursor, e));
    if (m.cursor == last_change) return 0;
    try(r->type == CONDITION_ACCESS ? member_set_of_right(&is, a->o.asker, r, 0, ASK_MS, e) : member_set_of_group(&is, s, r, e));
    firing_begin(&f);
    int rc = state_begin(a->o.state, e);
    if (rc == 0) rc = state_end(a->o.state, judge_in_transaction(&m, &f, e), e);
    firing_end(&f);
    member_set_free(&is);
    return rc;
}
