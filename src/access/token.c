/* token.c - what is in a principal's token, and by which chain of memberships. */
#include "access/check.h"
#include "access/world_int.h"

#include <stdlib.h>

const struct history *world_history(const struct world *w, uint32_t principal, size_t *n)
{
    const struct world_index *x = w->index;
    size_t first;
    LOWER_BOUND(first, x->n_history, x->history[first].principal < principal);
    *n = 0;
    while (first + *n < x->n_history && x->history[first + *n].principal == principal) ++*n;
    return *n ? &x->history[first] : NULL;
}

/* Distribution groups are in no token; domain local ones only where their domain decides. */
bool world_is_in_token_of(const struct world *w, uint32_t group, uint32_t target_connector)
{
    const struct principal *g = &w->principals[group];
    if (!g->is_security) return false;
    return !g->is_local || target_connector == NOBODY || g->connector == target_connector;
}

static bool is_marked(const struct world_token *t, uint32_t p)
{
    return t->marks[p / 64] >> (p % 64) & 1;
}

static void add(struct world_token *t, uint32_t p)
{
    if (is_marked(t, p)) return;
    t->marks[p / 64] |= (uint64_t)1 << (p % 64);
    GROW(t->list, t->n, t->cap, 256);
    t->list[t->n++] = p;
}

static void add_history(struct world_token *t, const struct world *w, uint32_t p)
{
    size_t n;
    const struct history *h = world_history(w, p, &n);
    for (size_t i = 0; i < n; i++) {
        uint32_t who = world_principal_by_sid(w, h[i].sid);
        if (who != NOBODY) {
            add(t, who);
            continue;
        }
        t->history = x_realloc(t->history, (t->n_history + 1) * sizeof *t->history);
        t->history[t->n_history++] = h[i].sid;
    }
}

int world_token(struct world_token *t, const struct world *w, uint32_t principal, uint32_t target_connector, struct err *e)
{
    if (principal >= w->n_principals) return err_set(e, ERR_BUG, "there is no principal %u", principal);
    size_t words = w->n_principals / 64 + 1;
    if (!t->marks) t->marks = x_zalloc(words * sizeof *t->marks);
    for (uint32_t i = 0; i < t->n; i++) t->marks[t->list[i] / 64] = 0; /* of the last token */
    t->n = 0;
    t->n_history = 0;
    add(t, principal);
    if (w->principals[principal].is_account)
        for (size_t i = 0; i < w->n_implicit; i++) add(t, w->implicit[i]);
    for (uint32_t i = 0; i < t->n; i++) { /* grows while it is walked: each principal once, so cycles end */
        uint32_t p = t->list[i];
        add_history(t, w, p);
        for (uint32_t k = w->first_group[p]; k < w->first_group[p + 1]; k++)
            if (world_is_in_token_of(w, w->groups_of[k], target_connector)) add(t, w->groups_of[k]);
    }
    qsort(t->list, t->n, sizeof *t->list, u32_compare);
    return 0;
}

void world_token_free(struct world_token *t)
{
    free(t->list);
    free(t->history);
    free(t->marks);
    *t = (struct world_token){0};
}

static bool has_sid(void *ctx, struct bytes sid)
{
    const struct world_token *t = ctx;
    uint32_t p = world_principal_by_sid(t->world, sid);
    if (p != NOBODY) return is_marked(t, p);
    for (size_t i = 0; i < t->n_history; i++)
        if (bytes_equal(t->history[i], sid)) return true;
    return false;
}

void world_token_open(struct access_token *out, struct world_token *t, const struct world *w)
{
    t->world = w;
    *out = (struct access_token){has_sid, t};
}

/* --- why -------------------------------------------------------------------------------------------------------- */

static size_t unwind(const uint32_t *from, uint32_t principal, uint32_t group, uint32_t *out, size_t cap)
{
    size_t n = 1;
    for (uint32_t p = group; p != principal; p = from[p]) n++;
    if (n > cap) return 0;
    size_t at = n;
    for (uint32_t p = group;; p = from[p]) {
        out[--at] = p;
        if (p == principal) return n;
    }
}

/* Breadth first, upwards. */
size_t world_chain(const struct world *w, uint32_t principal, uint32_t group, uint32_t *out, size_t cap)
{
    uint32_t *from = x_alloc(w->n_principals * sizeof *from), *queue = x_alloc(w->n_principals * sizeof *queue);
    size_t head = 0, tail = 0, n = 0;
    memset(from, 0xff, w->n_principals * sizeof *from);
    from[principal] = principal;
    queue[tail++] = principal;
    if (w->principals[principal].is_account)
        for (size_t i = 0; i < w->n_implicit; i++) {
            from[w->implicit[i]] = principal;
            queue[tail++] = w->implicit[i];
        }
    while (head < tail && from[group] == NOBODY) {
        uint32_t p = queue[head++];
        for (uint32_t k = w->first_group[p]; k < w->first_group[p + 1]; k++) {
            uint32_t g = w->groups_of[k];
            if (from[g] != NOBODY || !w->principals[g].is_security) continue;
            from[g] = p;
            queue[tail++] = g;
        }
    }
    if (from[group] != NOBODY) n = unwind(from, principal, group, out, cap);
    free(from);
    free(queue);
    return n;
}
