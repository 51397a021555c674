/* sets_graph.c - who has a trustee in the token: nodes, cycles made one, closure downwards.
 *
 * Tarjan's algorithm from the trustees down, with a stack of its own; components are finished members first.
 * A component's accounts are put together when it is a trustee's or when much is below it (an anchor), by
 * going down as far as other anchors: a chain of any depth costs what is in it, and no set is kept of groups
 * that nobody asks for.
 */
#include "access/sets/sets_int.h"

#include <stdlib.h>

#define ANCHOR ((uint64_t)1 << 13) /* members below it that make a component worth a set of its own */

/* --- nodes
 * -------------------------------------------------------------------------------------------------- */

static int compare_strangers(const void *a, const void *b)
{
    return bytes_compare(((const struct stranger *)a)->sid, ((const struct stranger *)b)->sid);
}

static int compare_past(const void *a, const void *b)
{
    const struct past *x = a, *y = b;
    int d = COMPARE(x->node, y->node);
    return d ? d : COMPARE(x->holder, y->holder);
}

static uint32_t stranger_find(const struct nodes *n, struct bytes sid)
{
    size_t at;
    LOWER_BOUND(at, n->n_strangers, bytes_compare(n->strangers[at].sid, sid) < 0);
    return at < n->n_strangers && bytes_equal(n->strangers[at].sid, sid) ? (uint32_t)at : NOBODY;
}

static void read_strangers(struct nodes *n, const struct world *w)
{
    const struct world_index *x = w->index;
    uint32_t kept = 0;
    if (!x->n_history) return;
    n->strangers = x_alloc(x->n_history * sizeof *n->strangers);
    for (size_t i = 0; i < x->n_history; i++)
        if (world_principal_by_sid(w, x->history[i].sid) == NOBODY)
            n->strangers[n->n_strangers++].sid = x->history[i].sid;
    if (n->n_strangers) qsort(n->strangers, n->n_strangers, sizeof *n->strangers, compare_strangers);
    for (uint32_t i = 0; i < n->n_strangers; i++)
        if (!kept || compare_strangers(&n->strangers[kept - 1], &n->strangers[i]) != 0)
            n->strangers[kept++] = n->strangers[i];
    n->n_strangers = kept;
}

uint32_t node_of_sid(const struct nodes *n, const struct world *w, struct bytes sid)
{
    uint32_t p = world_principal_by_sid(w, sid);
    if (p != NOBODY) return p;
    uint32_t at = stranger_find(n, sid);
    return at == NOBODY ? NOBODY : w->n_principals + at;
}

static void read_past(struct nodes *n, const struct world *w)
{
    const struct world_index *x = w->index;
    n->past = x_alloc((x->n_history + 1) * sizeof *n->past);
    for (size_t i = 0; i < x->n_history; i++)
        n->past[n->n_past++] = (struct past){node_of_sid(n, w, x->history[i].sid), x->history[i].principal};
    if (n->n_past) qsort(n->past, n->n_past, sizeof *n->past, compare_past);
    for (size_t i = 0; i < n->n_past; i++) n->account[n->past[i].node] |= NODE_INNER;
}

void nodes_read(struct nodes *n, const struct world *w)
{
    *n = (struct nodes){0};
    read_strangers(n, w);
    n->n = w->n_principals + n->n_strangers;
    n->account = x_alloc((n->n + 1) * sizeof *n->account);
    n->principal = x_alloc((w->n_principals + (size_t)1) * sizeof *n->principal);
    for (uint32_t p = 0; p < w->n_principals; p++) {
        bool is_plain = w->principals[p].is_account && w->first_member[p] == w->first_member[p + 1];
        n->account[p] =
            (w->principals[p].is_account ? n->n_accounts : NODE_ACCOUNT) | (is_plain ? 0 : NODE_INNER);
        if (w->principals[p].is_account) n->principal[n->n_accounts++] = p;
    }
    for (uint32_t p = w->n_principals; p < n->n; p++) n->account[p] = NODE_INNER | NODE_ACCOUNT;
    n->principal = x_realloc(n->principal, (n->n_accounts + (size_t)1) * sizeof *n->principal);
    read_past(n, w);
}

void nodes_free(struct nodes *n)
{
    free(n->account);
    free(n->principal);
    free(n->past);
    free(n->strangers);
    *n = (struct nodes){0};
}

/* --- what is directly below a node
 * ---------------------------------------------------------------------------- */

struct below {
    const uint32_t *at, *end;
    const struct past *past, *past_end;
};

static struct below below_of(const struct nodes *n, const struct world *w, uint32_t node, uint32_t connector)
{
    struct below b = {0};
    if (node < w->n_principals && world_is_in_token_of(w, node, connector)) {
        b.at = w->members_of + w->first_member[node];
        b.end = w->members_of + w->first_member[node + 1];
    }
    if (n->n_past) {
        size_t first, last;
        LOWER_BOUND(first, n->n_past, n->past[first].node < node);
        last = first;
        while (last < n->n_past && n->past[last].node == node) last++;
        b.past = n->past + first;
        b.past_end = n->past + last;
    }
    return b;
}

static bool below_next(struct below *b, uint32_t *node)
{
    if (b->at < b->end) {
        *node = *b->at++;
        return true;
    }
    if (b->past < b->past_end) {
        *node = b->past++->holder;
        return true;
    }
    return false;
}

/* --- going down from one node
 * ------------------------------------------------------------------------------------ */

struct list {
    uint32_t *list;
    size_t n, cap;
};

static void push(struct list *l, uint32_t v)
{
    GROW(l->list, l->n, l->cap, 256);
    l->list[l->n++] = v;
}

void node_descend(const struct nodes *n, const struct world *w, uint32_t node, uint32_t connector,
                  bool is_inner, void (*each)(void *ctx, uint32_t node), void *ctx)
{
    struct list queue = {0};
    uint8_t *seen = x_zalloc(n->n / 8 + 1);
    seen[node / 8] |= (uint8_t)(1 << node % 8);
    push(&queue, node);
    for (size_t i = 0; i < queue.n; i++) {
        struct below b = below_of(n, w, queue.list[i], connector);
        each(ctx, queue.list[i]);
        for (uint32_t m; below_next(&b, &m);) {
            if ((is_inner && !(n->account[m] & NODE_INNER)) || seen[m / 8] >> m % 8 & 1) continue;
            seen[m / 8] |= (uint8_t)(1 << m % 8);
            push(&queue, m);
        }
    }
    free(queue.list);
    free(seen);
}

static void gather_one(void *ctx, uint32_t node)
{
    struct sets *s = ctx;
    if (is_account(&s->nodes, node)) scratch_add(&s->scratch, s->nodes.account[node] & NODE_ACCOUNT);
    if (world_is_implicit(s->world, node)) scratch_fill(&s->scratch);
}

void node_gather(struct sets *s, uint32_t node, uint32_t connector)
{
    node_descend(&s->nodes, s->world, node, connector, false, gather_one, s);
}

/* --- components
 * ---------------------------------------------------------------------------------------------------- */

#define OPEN NOBODY

struct component {
    uint32_t first, n; /* its nodes in closing.members */
    uint32_t stamp;    /* of the last anchor that came by */
    bool is_anchor;
    uint64_t weight;    /* what going down from it costs, at most */
    struct image image; /* of an anchor */
};
struct frame {
    uint32_t node;
    struct below below;
};
struct closing {
    struct sets *s;
    uint32_t connector;
    uint32_t *order, *low, *component_of; /* by node; order 0: not seen; component_of OPEN: on the stack */
    uint64_t *weight;                     /* by node, while it is open; beside order */
    uint32_t n_seen;
    struct list open, members, todo;
    struct frame *frames;
    size_t n_frames, cap_frames;
    struct component *components;
    uint32_t n_components, cap_components;
    uint32_t *trustee_at; /* by node: its place in s->trustees + 1 */
    struct area passing;  /* images of anchors that are no trustees */
};

static void gather_node(struct closing *c, uint32_t node)
{
    struct sets *s = c->s;
    struct below b = below_of(&s->nodes, s->world, node, c->connector);
    gather_one(s, node);
    for (uint32_t m; below_next(&b, &m);) {
        uint32_t account = s->nodes.account[m];
        if (!(account & NODE_INNER)) {
            scratch_add(&s->scratch, account);
            continue;
        }
        struct component *below = &c->components[c->component_of[m]];
        if (below->stamp == c->n_components) continue;
        below->stamp = c->n_components;
        if (below->is_anchor)
            scratch_or(&s->scratch, &below->image);
        else
            push(&c->todo, c->component_of[m]);
    }
}

/* All below the component that was closed last. */
static void gather_component(struct closing *c)
{
    uint32_t top = c->n_components - 1;
    c->todo.n = 0;
    c->components[top].stamp = c->n_components;
    push(&c->todo, top);
    while (c->todo.n) {
        struct component *at = &c->components[c->todo.list[--c->todo.n]];
        for (uint32_t i = 0; i < at->n; i++) gather_node(c, c->members.list[at->first + i]);
    }
}

static void keep_component(struct closing *c, struct component *top, bool is_trustee)
{
    struct sets *s = c->s;
    gather_component(c);
    top->is_anchor = true;
    top->image = scratch_take(&s->scratch, is_trustee ? &s->area : &c->passing);
    top->weight = 1 + top->image.count / 64;
    for (uint32_t i = 0; i < top->n; i++) {
        uint32_t t = c->trustee_at[c->members.list[top->first + i]];
        if (t) s->trustees[t - 1].image = top->image;
    }
}

static void close_component(struct closing *c, uint32_t root)
{
    bool is_trustee = false;
    GROW(c->components, c->n_components, c->cap_components, 1024);
    uint32_t number = c->n_components++, node;
    struct component *top = &c->components[number];
    *top = (struct component){.first = (uint32_t)c->members.n};
    do {
        node = c->open.list[--c->open.n];
        push(&c->members, node);
        c->component_of[node] = number;
        top->weight += c->weight[node];
        is_trustee |= c->trustee_at[node] != 0;
        top->n++;
    } while (node != root);
    if (is_trustee || top->weight > ANCHOR) keep_component(c, top, is_trustee);
}

static void enter(struct closing *c, uint32_t node)
{
    GROW(c->frames, c->n_frames, c->cap_frames, 256);
    struct frame f = {node, below_of(&c->s->nodes, c->s->world, node, c->connector)};
    c->frames[c->n_frames++] = f;
    c->order[node] = c->low[node] = ++c->n_seen;
    c->component_of[node] = OPEN;
    c->weight[node] = 1 + (uint64_t)(f.below.end - f.below.at) + (uint64_t)(f.below.past_end - f.below.past);
    push(&c->open, node);
}

/* One step: the next thing below the topmost frame, or its end. */
static void step(struct closing *c)
{
    struct frame *f = &c->frames[c->n_frames - 1];
    uint32_t node = f->node, m;
    while (below_next(&f->below, &m)) {
        if (!(c->s->nodes.account[m] & NODE_INNER)) continue;
        if (!c->order[m]) {
            enter(c, m);
            return;
        }
        if (c->component_of[m] == OPEN) {
            if (c->order[m] < c->low[node]) c->low[node] = c->order[m];
        } else
            c->weight[node] += c->components[c->component_of[m]].weight;
    }
    c->n_frames--;
    if (c->low[node] == c->order[node]) close_component(c, node);
    if (!c->n_frames) return;
    uint32_t above = c->frames[c->n_frames - 1].node;
    if (c->component_of[node] == OPEN) {
        if (c->low[node] < c->low[above]) c->low[above] = c->low[node];
    } else
        c->weight[above] += c->components[c->component_of[node]].weight;
}

static void free_closing(struct closing *c)
{
    free(c->order);
    free(c->low);
    free(c->component_of);
    free(c->weight);
    free(c->trustee_at);
    free(c->open.list);
    free(c->members.list);
    free(c->todo.list);
    free(c->frames);
    free(c->components);
    area_free(&c->passing);
}

void trustees_close(struct sets *s, uint32_t first, uint32_t last)
{
    size_t n = s->nodes.n + (size_t)1;
    if (first == last) return;
    /* zeroed pages are only touched where somebody is, so a small connector beside large ones stays cheap */
    struct closing c = {.s = s,
                        .connector = s->trustees[first].connector,
                        .order = x_zalloc(n * sizeof *c.order),
                        .low = x_zalloc(n * sizeof *c.low),
                        .component_of = x_zalloc(n * sizeof *c.component_of),
                        .weight = x_zalloc(n * sizeof *c.weight),
                        .trustee_at = x_zalloc(n * sizeof *c.trustee_at)};
    for (uint32_t i = first; i < last; i++) c.trustee_at[s->trustees[i].node] = i + 1;
    for (uint32_t i = first; i < last; i++) {
        if (c.order[s->trustees[i].node]) continue;
        enter(&c, s->trustees[i].node);
        while (c.n_frames) step(&c);
    }
    free_closing(&c);
}

uint32_t trustee_find(const struct sets *s, uint32_t connector, uint32_t node)
{
    const struct trustee *t = s->trustees;
    size_t at;
    LOWER_BOUND(at, s->n_trustees, t[at].connector < connector || (t[at].connector == connector && t[at].node < node));
    return at < s->n_trustees && t[at].connector == connector && t[at].node == node ? (uint32_t)at : NOBODY;
}
