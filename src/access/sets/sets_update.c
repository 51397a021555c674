/* sets_update.c - other memberships, everything else as it was: whose tokens differ, and which sets these
 * accounts come into or leave.
 *
 * An account's token has changed only if some node on one of its paths has other groups than before; going up
 * the path from the account, the first such node is above the account now, too. So the accounts below the
 * changed nodes are all that can differ, and for each of them the old token and the new one are compared.
 * Sets are expressions of trustees: of the sets that name a trustee that it came into or left, each is
 * decided anew for this account alone.
 */
#include "access/sets/sets_int.h"

#include <stdlib.h>

struct move { /* an account in a trustee's image, or in a set's */
    uint32_t target;
    struct image_change what;
};
struct changes {
    struct move *list;
    size_t n, cap;
};
struct updating {
    struct sets *s;
    const struct world *later;
    struct world before;  /* the later one with the memberships of the former */
    uint8_t *is_affected; /* by account */
    bool is_everybody;    /* below a changed node is who every account is in */
    uint32_t *affected;
    size_t n_affected, cap_affected, most;
    struct changes trustees, sets;
    uint32_t *stamps;     /* of sets: the account + 1 that was last decided */
    uint32_t *was, n_was; /* trustees of the old token */
};

/* --- who may differ
 * ------------------------------------------------------------------------------------------ */

/* The same groups, in whatever order? */
static bool same_groups(const uint32_t *a, const uint32_t *b, size_t n)
{
    if (memcmp(a, b, n * sizeof *a) == 0) return true;
    uint32_t *x = x_alloc(n * sizeof *x), *y = x_alloc(n * sizeof *y);
    memcpy(x, a, n * sizeof *x);
    memcpy(y, b, n * sizeof *y);
    if (n) qsort(x, n, sizeof *x, u32_compare);
    if (n) qsort(y, n, sizeof *y, u32_compare);
    bool is_same = memcmp(x, y, n * sizeof *x) == 0;
    free(x);
    free(y);
    return is_same;
}

static bool has_changed(const struct updating *u, uint32_t p)
{
    const struct world *a = &u->before, *b = u->later;
    uint32_t n = a->first_group[p + 1] - a->first_group[p];
    if (n != b->first_group[p + 1] - b->first_group[p]) return true;
    return n && !same_groups(a->groups_of + a->first_group[p], b->groups_of + b->first_group[p], n);
}

static void affect(void *ctx, uint32_t node)
{
    struct updating *u = ctx;
    u->is_everybody |= world_is_implicit(u->later, node);
    if (!is_account(&u->s->nodes, node)) return;
    uint32_t account = u->s->nodes.account[node] & NODE_ACCOUNT;
    if (u->is_affected[account]) return;
    u->is_affected[account] = 1;
    GROW(u->affected, u->n_affected, u->cap_affected, 256);
    u->affected[u->n_affected++] = account;
}

/* False: better build. Somebody below an account was not thought of when nodes were read. */
static bool is_workable(const struct updating *u, uint32_t p)
{
    const struct nodes *n = &u->s->nodes;
    if (u->n_affected > u->most || u->is_everybody) return false;
    for (uint32_t k = u->later->first_group[p]; k < u->later->first_group[p + 1]; k++)
        if (!(n->account[u->later->groups_of[k]] & NODE_INNER)) return false;
    return true;
}

static bool take_changed(struct updating *u, uint32_t p)
{
    if (!has_changed(u, p)) return true;
    if (u->s->nodes.account[p] & NODE_INNER)
        node_descend(&u->s->nodes, u->later, p, NOBODY, false, affect, u);
    else
        affect(u, p);
    return is_workable(u, p);
}

/* Nearly all are as they were: many at once. */
static bool same_block(const struct updating *u, uint32_t first, uint32_t last)
{
    const uint32_t *a = u->before.first_group, *b = u->later->first_group;
    uint32_t other = 0, shift = b[first] - a[first];
    for (uint32_t i = first; i <= last; i++) other |= (b[i] - a[i]) ^ shift;
    return !other && memcmp(u->before.groups_of + a[first], u->later->groups_of + b[first],
                            (a[last] - a[first]) * sizeof *a) == 0;
}

static bool find_affected(struct updating *u)
{
    enum { BLOCK = 256 };
    uint32_t n = u->later->n_principals;
    for (uint32_t first = 0, last; first < n; first = last) {
        last = n - first < BLOCK ? n : first + BLOCK;
        if (same_block(u, first, last)) continue;
        for (uint32_t p = first; p < last; p++)
            if (!take_changed(u, p)) return false;
    }
    return true;
}

/* --- what changes for one of them
 * ---------------------------------------------------------------------------------- */

static void index_sets(struct sets *s)
{
    if (s->first_set) return;
    s->first_set = x_zalloc((s->n_trustees + (size_t)2) * sizeof *s->first_set);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < s->n_sets; i++) {
            const struct set *t = &s->sets[i];
            for (uint32_t k = 0; k < t->n && t->is_kept && t->alias == NOBODY; k++) {
                uint32_t term = s->terms[t->first + k] >> 1;
                if (term < TERM_FIRST) continue;
                if (pass) s->sets_of[s->first_set[term - TERM_FIRST]] = i;
                s->first_set[term - TERM_FIRST]++;
            }
        }
        uint32_t sum = 0;
        for (uint32_t i = 0; i <= s->n_trustees && !pass; i++) {
            uint32_t here = s->first_set[i];
            s->first_set[i] = sum;
            sum += here;
        }
        if (!pass) s->sets_of = x_alloc((sum + (size_t)1) * sizeof *s->sets_of);
    }
    memmove(s->first_set + 1, s->first_set, s->n_trustees * sizeof *s->first_set);
    s->first_set[0] = 0;
}

static void note(struct changes *c, uint32_t target, uint32_t account, bool is_in)
{
    GROW(c->list, c->n, c->cap, 1024);
    c->list[c->n++] = (struct move){target, {account, is_in}};
}

/* The new token is marked. */
static void decide_sets(struct updating *u, uint32_t trustee, uint32_t account)
{
    struct sets *s = u->s;
    for (uint32_t k = s->first_set[trustee]; k < s->first_set[trustee + 1]; k++) {
        uint32_t i = s->sets_of[k];
        if (u->stamps[i] == account + 1) continue;
        u->stamps[i] = account + 1;
        bool is_in = terms_decide(s, s->terms + s->sets[i].first, s->sets[i].n, false);
        if (is_in != image_has(set_image(s, &s->sets[i]), account)) note(&u->sets, i, account, is_in);
    }
}

static void differ(struct updating *u, uint32_t trustee, uint32_t account, bool is_in)
{
    note(&u->trustees, trustee, account, is_in);
    decide_sets(u, trustee, account);
}

static void compare_tokens(struct updating *u, uint32_t account, uint32_t connector)
{
    struct sets *s = u->s;
    uint32_t principal = s->nodes.principal[account];
    sets_mark(s, &u->before, principal, connector);
    u->n_was = s->n_marked;
    memcpy(u->was, s->marked, s->n_marked * sizeof *u->was);
    sets_mark(s, u->later, principal, connector);
    for (uint32_t i = 0; i < u->n_was; i++)
        if (s->marks[u->was[i]] != s->mark) differ(u, u->was[i], account, false);
    if (u->n_was) qsort(u->was, u->n_was, sizeof *u->was, u32_compare);
    for (uint32_t i = 0; i < s->n_marked; i++)
        if (!u->n_was || !bsearch(&s->marked[i], u->was, u->n_was, sizeof *u->was, u32_compare))
            differ(u, s->marked[i], account, true);
}

/* --- doing it
 * -------------------------------------------------------------------------------------------------------- */

static int compare_changes(const void *a, const void *b)
{
    const struct move *x = a, *y = b;
    int d = COMPARE(x->target, y->target);
    return d ? d : COMPARE(x->what.number, y->what.number);
}

static uint64_t apply(struct updating *u, struct changes *c, bool is_sets)
{
    struct sets *s = u->s;
    uint64_t n = 0;
    if (c->n) qsort(c->list, c->n, sizeof *c->list, compare_changes);
    struct patcher with = patcher_new();
    struct image_change *what = x_alloc((c->n + 1) * sizeof *what);
    for (size_t i = 0, end; i < c->n; i = end, n++) {
        uint32_t target = c->list[i].target;
        for (end = i; end < c->n && c->list[end].target == target; end++) what[end - i] = c->list[end].what;
        if (is_sets) {
            struct set *t = &s->sets[target];
            t->image = image_patch(&with, set_image(s, t), what, end - i, &s->area);
            t->is_shared = false;
        } else
            s->trustees[target].image = image_patch(&with, trustee_image(s, target), what, end - i, &s->area);
    }
    free(what);
    patcher_free(&with);
    return n;
}

static void adopt(struct updating *u)
{
    struct sets *s = u->s;
    s->n_changed = apply(u, &u->sets, true);
    apply(u, &u->trustees, false);
    s->world = u->later;
    s->first_group = u->later->first_group;
    s->groups_of = u->later->groups_of;
    for (unsigned i = 0; i < 2; i++) {
        baseline_free(s->baseline[i]);
        s->baseline[i] = NULL;
    }
}

static void compare_all(struct updating *u)
{
    struct sets *s = u->s;
    for (uint32_t t = 0; t < s->n_trustees; t++) /* ascending by connector; a set's trustees are all of one */
        for (size_t i = 0;
             i < u->n_affected && (!t || s->trustees[t].connector != s->trustees[t - 1].connector); i++)
            compare_tokens(u, u->affected[i], s->trustees[t].connector);
}

int sets_update(struct sets *s, const struct world *later, struct err *e)
{
    if (s->world != later && s->shape != world_shape(later))
        return err_set(e, ERR_CONFLICT, "more than memberships has changed");
    struct updating u = {.s = s, .later = later, .before = *later, .most = s->nodes.n_accounts / 50 + 64};
    u.before.first_group = (uint32_t *)(uintptr_t)s->first_group; /* only read */
    u.before.groups_of = (uint32_t *)(uintptr_t)s->groups_of;
    u.is_affected = x_zalloc(s->nodes.n_accounts + (size_t)1);
    u.stamps = x_zalloc((s->n_sets + (size_t)1) * sizeof *u.stamps);
    u.was = x_alloc((s->n_trustees + (size_t)1) * sizeof *u.was);
    int rc = find_affected(&u) ? 0 : err_set(e, ERR_CONFLICT, "too many memberships have changed");
    if (rc == 0) {
        index_sets(s);
        compare_all(&u);
        adopt(&u);
    }
    free(u.is_affected);
    free(u.affected);
    free(u.stamps);
    free(u.was);
    free(u.trustees.list);
    free(u.sets.list);
    return rc;
}
