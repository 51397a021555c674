/* report_access.c - the pass over memberships and descriptors: opens the world for report_privileged.c and report_acls.c. */
#include "access/report/report_world.h"

#include <stdlib.h>

/* --- rows ----------------------------------------------------------------------------------------------------------------- */

static int hit_party(struct report_world *x, enum rule rule, const struct party *p, struct str detail)
{
    struct report_row row = {.connector = p->connector, .kind = p->kind, .uid = str_from(p->uid), .sid = str_from(p->sid), .dn = p->dn, .name = p->name, .detail = detail};
    return report_hit(x->r, rule, &row, x->e);
}

int report_hit_principal(struct report_world *x, enum rule rule, uint32_t principal, struct str detail)
{
    struct party p;
    arena_clear(&x->text);
    try(party_of_principal(&p, &x->text, x->w, x->r->options.store, principal, x->e));
    return hit_party(x, rule, &p, detail);
}

int report_hit_object(struct report_world *x, enum rule rule, uint32_t object, struct str detail)
{
    struct party p;
    arena_clear(&x->text);
    try(party_of_object(&p, &x->text, x->w, x->r->options.store, object, x->e));
    return hit_party(x, rule, &p, detail);
}

int world_name(struct report_world *x, uint32_t principal, struct str *out)
{
    struct party p;
    if (!x->names[principal].ptr) {
        arena_clear(&x->text);
        try(party_of_principal(&p, &x->text, x->w, x->r->options.store, principal, x->e));
        x->names[principal] = arena_str(&x->kept, p.name);
        if (!x->names[principal].ptr) x->names[principal] = STR("?");
    }
    *out = x->names[principal];
    return 0;
}

/* --- down through a group ---------------------------------------------------------------------------------------------------- */

static void reach(struct descent *d, uint32_t principal, uint32_t from)
{
    if (d->next[principal] != NOBODY) return;
    d->next[principal] = from;
    d->list[d->n++] = principal;
}

static size_t first_back(const struct report_world *x, uint32_t principal)
{
    size_t at;
    LOWER_BOUND(at, x->n_backs, x->backs[at].principal < principal);
    return at;
}

static bool carries(const struct world *w, uint32_t principal, uint32_t target_connector)
{
    const struct principal *p = &w->principals[principal];
    return p->is_account || p->kind != KIND_group || world_is_in_token_of(w, principal, target_connector);
}

void descend(struct report_world *x, uint32_t group)
{
    const struct world *w = x->w;
    struct descent *d = &x->down;
    uint32_t target = w->principals[group].connector;
    for (size_t i = 0; i < d->n; i++) d->next[d->list[i]] = NOBODY;
    d->n = 0;
    reach(d, group, group);
    for (size_t i = 0; i < d->n; i++) {
        uint32_t g = d->list[i];
        if (i && (world_is_implicit(w, g) || !carries(w, g, target))) continue;
        for (uint32_t k = w->first_member[g]; k < w->first_member[g + 1]; k++)
            if (carries(w, w->members_of[k], target)) reach(d, w->members_of[k], g);
        for (size_t k = first_back(x, g); k < x->n_backs && x->backs[k].principal == g; k++) reach(d, x->backs[k].owner, g);
    }
}

/* --- opening --------------------------------------------------------------------------------------------------------------------- */

static int compare_backs(const void *a, const void *b)
{
    const struct back *x = a, *y = b;
    int d = COMPARE(x->principal, y->principal);
    return d ? d : COMPARE(x->owner, y->owner);
}

static void index_history(struct report_world *x)
{
    const struct world_index *index = x->w->index;
    x->backs = x_alloc((index->n_history + 1) * sizeof *x->backs);
    for (size_t i = 0; i < index->n_history; i++) {
        uint32_t p = world_principal_by_sid(x->w, index->history[i].sid);
        if (p != NOBODY) x->backs[x->n_backs++] = (struct back){p, index->history[i].principal};
    }
    if (x->n_backs) qsort(x->backs, x->n_backs, sizeof *x->backs, compare_backs);
}

static void take_gaps(struct report_world *x)
{
    for (size_t i = 0; i < x->w->n_gaps; i++) {
        const struct world_gap *g = &x->w->gaps[i];
        const struct report_place_of *p = report_place_named(x->r, x->w->connectors[g->connector].name);
        if (p && !str_starts(g->what, STR("the last run"))) /* its losses are told one by one */ report_add_gap(x->r, p->told.name, g->what, g->where.len ? g->where : g->fix);
    }
}

static int look(struct report_world *x)
{
    size_t n = x->w->n_principals;
    x->down = (struct descent){.w = x->w, .next = x_alloc((n + 1) * sizeof(uint32_t)), .list = x_alloc((n + 1) * sizeof(uint32_t))};
    memset(x->down.next, 0xff, n * sizeof(uint32_t));
    x->is_admin = x_zalloc(n + 1);
    x->names = x_zalloc((n + 1) * sizeof *x->names);
    index_history(x);
    take_gaps(x);
    try(report_privileged(x));
    return report_acls(x);
}

int report_access(struct report *r, struct err *e)
{
    struct report_world x = {.r = r, .text = arena_new((size_t)1 << 30), .kept = arena_new((size_t)4 << 30), .e = e};
    int rc = world_read(&x.w, r->options.store, r->options.connector, e);
    if (rc == 0) {
        rc = look(&x);
        world_free(x.w);
    }
    free(x.down.next);
    free(x.down.list);
    free(x.is_admin);
    free(x.names);
    free(x.backs);
    arena_free(&x.text);
    arena_free(&x.kept);
    return rc;
}
