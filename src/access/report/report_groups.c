/* report_groups.c - the pass over groups and roles: who is in them, what they nest, who looks after them. */
#include "access/report/report_int.h"

#include <stdlib.h>

#define FIRST_OWN_RID 1000 /* below: made with the domain */
#define CIRCLE_TOLD   6
#define FEW_ACCOUNTS  10   /* of a directory this small, "nearly everybody" says nothing */
#define LINKS_MAX     ((uint64_t)20000000) /* looked at for "nearly everybody", however groups are nested */

struct node {
    int64_t id;
    struct str name;
    size_t first_edge;
    uint32_t n_edges;
    uint64_t n_members, n_direct, n_disabled, n_unresolved; /* n_direct: accounts */
    struct str unresolved; /* the first */
    bool is_group, is_of_the_house;
    bool is_role_of_all; /* Global Administrator over the whole tenant */
    uint32_t order, low, circle;
};
struct graph {
    struct report *r;
    struct report_place_of *place;
    struct node *nodes;
    size_t n_nodes, cap_nodes;
    int64_t *edges; /* members that are groups, by id */
    size_t n_edges, cap_edges;
    struct arena names;
    uint64_t *bounds; /* of a circle: accounts below it, each counted as often as it is reached */
    uint64_t *counts; /* of a circle: accounts in it, at least; 0: not counted */
    uint64_t n_links; /* looked at */
    uint32_t *stack, *parents;
    uint32_t *at;     /* next edge of a node under way */
    size_t n_stack;
    uint32_t n_order, n_circles;
    struct err *e;
    int rc;
};

/* --- groups and their members ------------------------------------------------------------------------------------------------ */

static struct node *add_node(struct graph *g, const struct entity *x)
{
    GROW(g->nodes, g->n_nodes, g->cap_nodes, 1024);
    struct node *n = &g->nodes[g->n_nodes++];
    *n = (struct node){.id = x->id, .name = arena_str(&g->names, x->name)};
    return n;
}

static uint32_t node_of(const struct graph *g, int64_t id)
{
    size_t at;
    LOWER_BOUND(at, g->n_nodes, g->nodes[at].id < id);
    return at < g->n_nodes && g->nodes[at].id == id ? (uint32_t)at : UINT32_MAX;
}

static void add_edge(struct graph *g, int64_t member)
{
    GROW(g->edges, g->n_edges, g->cap_edges, 1024);
    g->edges[g->n_edges++] = member;
}

static int take_members(void *ctx, int64_t group, const struct store_member *list, size_t count, struct err *e)
{
    struct graph *g = ctx;
    uint32_t at = node_of(g, group);
    (void)e;
    if (at == UINT32_MAX) return 0;
    struct node *n = &g->nodes[at];
    n->first_edge = g->n_edges;
    n->n_members = count;
    for (size_t i = 0; i < count; i++) {
        uint8_t fact = report_fact(g->r, list[i].entity_id);
        n->n_direct += (fact & FACT_IS_ACCOUNT) != 0;
        n->n_disabled += (fact & FACT_IS_DISABLED) != 0;
        if (node_of(g, list[i].entity_id) != UINT32_MAX) add_edge(g, list[i].entity_id);
    }
    n->n_edges = (uint32_t)(g->n_edges - n->first_edge);
    return 0;
}

static int take_missing(void *ctx, int64_t owner, struct str text, struct err *e)
{
    struct graph *g = ctx;
    uint32_t at = node_of(g, owner);
    (void)e;
    if (at != UINT32_MAX && !g->nodes[at].n_unresolved++) g->nodes[at].unresolved = arena_str(&g->names, text);
    return 0;
}

/* --- who looks after it ------------------------------------------------------------------------------------------------------------- */

struct keeper {
    unsigned n, n_lost, n_outside;
    struct str lost, outside;
};

static void judge_keeper(struct graph *g, struct keeper *k, struct str reference)
{
    struct link l;
    k->n++;
    if (!store_resolve_dn(g->r->options.store, g->place->told.name, reference, &l)) return;
    uint8_t fact = report_fact(g->r, l.entity_id);
    struct str name = fact & (FACT_IS_DISABLED | FACT_IS_UNUSED | FACT_IS_CONTRACTOR | FACT_IS_GUEST) ? arena_str(&g->names, l.name) : l.name;
    if (fact & (FACT_IS_DISABLED | FACT_IS_UNUSED) && !k->n_lost++) k->lost = name;
    if (fact & (FACT_IS_CONTRACTOR | FACT_IS_GUEST) && !k->n_outside++) k->outside = name;
}

static struct keeper keepers_of(struct graph *g, const struct record_index *x)
{
    struct keeper k = {0};
    struct values v = record_values(x, ATTR_OWNERS);
    struct bytes id;
    struct str dn;
    if (record_str(x, ATTR_MANAGED_BY, &dn)) judge_keeper(g, &k, dn);
    while (values_next_bytes(&v, &id)) judge_keeper(g, &k, str_of(id));
    return k;
}

/* --- what is said of one group --------------------------------------------------------------------------------------------------------- */

static int hit(struct graph *g, enum rule rule, const struct entity *x, struct str detail)
{
    return report_wants(g->r, rule) ? report_hit_entity(g->r, rule, x, detail, g->e) : 0;
}

static bool is_of_the_house(const struct graph *g, const struct entity *x)
{
    if (x->record.kind != KIND_group) return true; /* roles are the tenant's own */
    if (g->place->told.is_tenant) return false;
    return x->record.sid.len && (sid_rid(x->record.sid) < FIRST_OWN_RID || !sid_is_in_domain(x->record.sid, g->place->domain.sid));
}

static int tell_keepers(struct graph *g, const struct entity *x, const struct record_index *index)
{
    struct str description;
    struct keeper k = keepers_of(g, index);
    if (!k.n && !is_of_the_house(g, x)) try(hit(g, RULE_GROUP_07, x, STR("")));
    if (k.n && k.n_lost == k.n) try(hit(g, RULE_GROUP_06, x, k.lost));
    if (k.n_outside) try(hit(g, RULE_GROUP_08, x, k.outside));
    bool has_description = record_str(index, ATTR_DESCRIPTION, &description) && str_trim(description).len;
    return has_description ? 0 : hit(g, RULE_GROUP_09, x, STR(""));
}

static int take_entity(void *ctx, const struct entity *x, int64_t sd, struct err *e)
{
    struct graph *g = ctx;
    struct record_index index;
    (void)sd;
    if (x->record.kind != KIND_group && x->record.kind != KIND_role) return 0;
    try(record_index(&index, &x->record, e));
    struct node *n = add_node(g, x);
    n->is_group = x->record.kind == KIND_group;
    n->is_of_the_house = is_of_the_house(g, x);
    n->is_role_of_all = !n->is_group && derive_role(&index) & PRIV_FULL_ADMIN;
    return n->is_group ? tell_keepers(g, x, &index) : 0;
}

static int no_descriptor(void *ctx, int64_t number, struct bytes sd, struct err *e)
{
    (void)ctx;
    (void)number;
    (void)sd;
    (void)e;
    return 0;
}

/* --- circles: Tarjan's strongly connected components, without recursion -------------------------------------------------------------------- */

static void enter(struct graph *g, uint32_t v)
{
    g->nodes[v].order = g->nodes[v].low = ++g->n_order;
    g->at[v] = 0;
    g->stack[g->n_stack++] = v;
}

static uint64_t add_bound(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

/* The circle whose first node is v is complete: everything below it is, too. */
static void close_circle(struct graph *g, uint32_t v)
{
    uint32_t w, number = ++g->n_circles;
    uint64_t bound = 0;
    size_t first = g->n_stack;
    do g->nodes[g->stack[--first]].circle = number;
    while (g->stack[first] != v);
    for (size_t i = first; i < g->n_stack; i++) {
        struct node *n = &g->nodes[g->stack[i]];
        bound = add_bound(bound, n->n_direct);
        for (uint32_t k = 0; k < n->n_edges; k++) {
            w = node_of(g, g->edges[n->first_edge + k]);
            if (w != UINT32_MAX && g->nodes[w].circle != number) bound = add_bound(bound, g->bounds[g->nodes[w].circle]);
        }
    }
    g->bounds[number] = bound;
    g->n_stack = first;
}

static uint32_t leave(struct graph *g, uint32_t v)
{
    uint32_t up = g->parents[v];
    if (g->nodes[v].low == g->nodes[v].order) close_circle(g, v);
    if (up != UINT32_MAX && g->nodes[v].low < g->nodes[up].low) g->nodes[up].low = g->nodes[v].low;
    return up;
}

static void walk(struct graph *g, uint32_t root)
{
    g->parents[root] = UINT32_MAX;
    enter(g, root);
    for (uint32_t v = root; v != UINT32_MAX;) {
        struct node *n = &g->nodes[v];
        if (g->at[v] == n->n_edges) {
            v = leave(g, v);
            continue;
        }
        uint32_t w = node_of(g, g->edges[n->first_edge + g->at[v]++]);
        if (w == UINT32_MAX) continue;
        if (!g->nodes[w].order) {
            g->parents[w] = v;
            enter(g, w);
            v = w;
        } else if (!g->nodes[w].circle && g->nodes[w].order < n->low) {
            n->low = g->nodes[w].order;
        }
    }
}

static bool has_edge_to(const struct graph *g, const struct node *n, int64_t id)
{
    for (uint32_t k = 0; k < n->n_edges; k++)
        if (g->edges[n->first_edge + k] == id) return true;
    return false;
}

static void find_circles(struct graph *g)
{
    size_t n = g->n_nodes + 1;
    g->bounds = x_zalloc((n + 1) * sizeof *g->bounds);
    g->counts = x_zalloc((n + 1) * sizeof *g->counts);
    g->stack = x_alloc(n * sizeof *g->stack);
    g->parents = x_alloc(n * sizeof *g->parents);
    g->at = x_alloc(n * sizeof *g->at);
    for (uint32_t v = 0; v < g->n_nodes; v++)
        if (!g->nodes[v].order) walk(g, v);
}

/* --- rows of nodes -------------------------------------------------------------------------------------------------------------------------- */

struct one {
    struct graph *g;
    enum rule rule;
    struct str detail;
};

static bool hit_one(void *ctx, const struct entity *x)
{
    struct one *o = ctx;
    o->g->rc = report_hit_entity(o->g->r, o->rule, x, o->detail, o->g->e);
    return false;
}

static int hit_node(struct graph *g, enum rule rule, const struct node *n, struct str detail)
{
    struct one o = {g, rule, detail};
    struct entity_query q = {.connector = g->place->told.name, .after_id = n->id - 1, .limit = 1};
    try(store_entities(g->r->options.store, &q, hit_one, &o, g->e));
    return g->rc;
}

static int tell_members(struct graph *g, const struct node *n)
{
    char text[400];
    const struct report *r = g->r;
    if (!n->n_members && !n->n_unresolved && !n->is_of_the_house && report_wants(r, RULE_GROUP_01)) try(hit_node(g, RULE_GROUP_01, n, STR("")));
    if (n->n_members && n->n_members == n->n_disabled && !n->n_unresolved && !n->is_of_the_house && report_wants(r, RULE_GROUP_02)) {
        snprintf(text, sizeof text, "%llu disabled", (unsigned long long)n->n_members);
        try(hit_node(g, RULE_GROUP_02, n, str_from(text)));
    }
    if (!n->n_unresolved || !report_wants(r, RULE_GROUP_12)) return 0;
    snprintf(text, sizeof text, "%llu of %llu: %.*s", (unsigned long long)n->n_unresolved, (unsigned long long)(n->n_members + n->n_unresolved),
             STR_FMT(n->unresolved));
    return hit_node(g, RULE_GROUP_12, n, str_from(text));
}

/* Nodes of one circle beside each other. */
struct placed {
    uint32_t circle, node;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int d = COMPARE(x->circle, y->circle);
    return d ? d : COMPARE(x->node, y->node);
}

static int tell_circle(struct graph *g, const struct placed *list, size_t n)
{
    struct buf *b = &g->r->detail;
    buf_clear(b);
    buf_printf(b, n == 1 ? "is a member of itself" : "a circle of %zu groups: ", n);
    for (size_t i = 0; n > 1 && i < n && i < CIRCLE_TOLD; i++) {
        if (i) buf_add_str(b, STR(", "));
        buf_add_str(b, g->nodes[list[i].node].name);
    }
    if (n > CIRCLE_TOLD) buf_add_str(b, STR(", ..."));
    for (size_t i = 0; i < n; i++) try(hit_node(g, RULE_GROUP_03, &g->nodes[list[i].node], buf_str(b)));
    return 0;
}

static size_t circle_size(const struct graph *g, const struct placed *all, size_t i)
{
    size_t n = 1;
    while (i + n < g->n_nodes && all[i + n].circle == all[i].circle) n++;
    return n;
}

static int tell_circles(struct graph *g, const struct placed *all)
{
    for (size_t i = 0, n; i < g->n_nodes; i += n) {
        const struct node *first = &g->nodes[all[i].node];
        n = circle_size(g, all, i);
        if (n > 1 || has_edge_to(g, first, first->id)) try(tell_circle(g, all + i, n));
    }
    return 0;
}

/* --- groups that hold nearly everybody ------------------------------------------------------------------------------------------------------- */

struct counting {
    struct graph *g;
    uint8_t *seen; /* by the entity's part of its id */
    uint64_t n;
    int64_t *todo;
    size_t n_todo, cap;
};

static bool count_member(void *ctx, const struct link *l)
{
    struct counting *c = ctx;
    if (++c->g->n_links > LINKS_MAX) return false;
    size_t at = (size_t)(l->entity_id & UINT32_MAX);
    if (!l->entity_id || at >= c->g->place->n_facts || c->seen[at]) return true;
    c->seen[at] = 1;
    if (c->g->place->facts[at] & FACT_IS_ACCOUNT) c->n++;
    if (l->kind != KIND_group) return true;
    GROW(c->todo, c->n_todo, c->cap, 64);
    c->todo[c->n_todo++] = l->entity_id;
    return true;
}

/* Accounts in it, through nesting, each once. */
static int count_accounts(struct graph *g, const struct node *n, uint64_t *out)
{
    struct counting c = {.g = g, .seen = x_zalloc(g->place->n_facts + 1)};
    g->n_links += g->place->n_facts / 64; /* clearing counts, too */
    int rc = store_links(g->r->options.store, n->id, LINK_MEMBERS_OF, count_member, &c, g->e);
    for (size_t i = 0; rc == 0 && i < c.n_todo && g->n_links <= LINKS_MAX; i++) rc = store_links(g->r->options.store, c.todo[i], LINK_MEMBERS_OF, count_member, &c, g->e);
    *out = c.n;
    free(c.todo);
    free(c.seen);
    return rc;
}

/* What the groups in it hold already: most often that decides, and nobody need be counted again. */
static uint64_t count_below(const struct graph *g, const struct placed *list, size_t n)
{
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const struct node *one = &g->nodes[list[i].node];
        for (uint32_t k = 0; k < one->n_edges; k++) {
            uint32_t w = node_of(g, g->edges[one->first_edge + k]);
            if (w != UINT32_MAX && g->counts[g->nodes[w].circle] > most) most = g->counts[g->nodes[w].circle];
        }
    }
    return most;
}

static int hit_large(struct graph *g, const struct placed *list, size_t n, bool is_exact)
{
    char text[100];
    uint64_t all = g->place->n_accounts, count = g->counts[list->circle];
    enum rule rule = count == all ? RULE_GROUP_04 : RULE_GROUP_05;
    if (!report_wants(g->r, rule)) return 0;
    snprintf(text, sizeof text, "%s%llu of %llu users", is_exact || count == all ? "" : "at least ", (unsigned long long)count, (unsigned long long)all);
    for (size_t i = 0; i < n; i++)
        if (!g->nodes[list[i].node].is_of_the_house) try(hit_node(g, rule, &g->nodes[list[i].node], str_from(text)));
    return 0;
}

/* One circle, all of whose groups hold the same accounts. Those below it come first. */
static int tell_large(struct graph *g, const struct placed *list, size_t n)
{
    uint64_t all = g->place->n_accounts, *count = &g->counts[list->circle];
    if (g->bounds[list->circle] < all - all / 10) return 0;
    *count = count_below(g, list, n);
    bool is_counted = *count * 10 < all * 9;
    if (is_counted) try(count_accounts(g, &g->nodes[list->node], count));
    if (g->n_links > LINKS_MAX) return 0;
    return *count * 10 >= all * 9 ? hit_large(g, list, n, is_counted) : 0;
}

static int tell_all_large(struct graph *g, const struct placed *all)
{
    if (g->place->n_accounts < FEW_ACCOUNTS) return 0;
    for (size_t i = 0, n; i < g->n_nodes && g->n_links <= LINKS_MAX; i += n) {
        n = circle_size(g, all, i);
        try(tell_large(g, all + i, n));
    }
    if (g->n_links > LINKS_MAX)
        report_add_gap(g->r, g->place->told.name, STR("groups are nested too much for GROUP_04 and GROUP_05 to count all of them"), STR(""));
    g->n_links = 0;
    return 0;
}

static int tell_global_admins(struct graph *g, const struct node *n)
{
    char text[60];
    uint64_t count;
    if (!n->is_role_of_all) return 0;
    try(count_accounts(g, n, &count));
    if (count >= 2 && count <= 5) return 0;
    snprintf(text, sizeof text, "%llu users", (unsigned long long)count);
    return hit_node(g, RULE_ENTRA_11, n, str_from(text));
}

/* --- the pass ----------------------------------------------------------------------------------------------------------------------------------- */

static int tell_placed(struct graph *g, struct placed *all)
{
    const struct report *r = g->r;
    for (uint32_t i = 0; i < g->n_nodes; i++) all[i] = (struct placed){g->nodes[i].circle, i};
    if (g->n_nodes) qsort(all, g->n_nodes, sizeof *all, compare_placed);
    if (report_wants(r, RULE_GROUP_03)) try(tell_circles(g, all));
    return report_wants(r, RULE_GROUP_04) || report_wants(r, RULE_GROUP_05) ? tell_all_large(g, all) : 0;
}

static int tell_all(struct graph *g)
{
    find_circles(g);
    struct placed *all = x_alloc((g->n_nodes + 1) * sizeof *all);
    int rc = tell_placed(g, all);
    free(all);
    for (size_t i = 0; rc == 0 && i < g->n_nodes; i++) {
        rc = tell_members(g, &g->nodes[i]);
        if (rc == 0 && report_wants(g->r, RULE_ENTRA_11)) rc = tell_global_admins(g, &g->nodes[i]);
    }
    return rc;
}

static int groups_of(struct report *r, struct report_place_of *p, struct err *e)
{
    struct graph g = {.r = r, .place = p, .names = arena_new((size_t)4 << 30), .e = e};
    static const struct store_everything to = {take_entity, take_members, take_missing, no_descriptor};
    int rc = store_read_everything(r->options.store, p->told.name, &to, &g, e);
    if (rc == 0) rc = tell_all(&g);
    free(g.nodes);
    free(g.edges);
    free(g.bounds);
    free(g.counts);
    free(g.stack);
    free(g.parents);
    free(g.at);
    arena_free(&g.names);
    return rc;
}

int report_groups(struct report *r, struct err *e)
{
    for (size_t i = 0; i < r->n_places; i++) try(groups_of(r, &r->places[i], e));
    return 0;
}
