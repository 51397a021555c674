/* access_what.c - access what-can, access token */
#include "cmd/access_walk.h"

#include "model/sid.h"

#include <stdlib.h>

/* --- what-can ------------------------------------------------------------------------------------------------------------ */

struct asking {
    struct access_cli a;
    struct access_choice choice;
    struct sets *sets;
    struct sets_what *what;
    struct party principal;
    const char *right;      /* NULL: any */
    struct right *asked;    /* the same, one for each connector */
    bool all;
    struct out *out;
    int64_t limit, n;
};

/* A right has a GUID of the schema that the target has; one that a schema does not know is on no object of that connector. */
static int parse_right(struct asking *q, struct err *e)
{
    const struct world *w = q->a.world;
    size_t n_known = 0;
    q->right = cli_value(q->a.cli, "right");
    if (!q->right) return 0;
    q->asked = x_zalloc(w->n_connectors * sizeof *q->asked);
    for (size_t i = 0; i < w->n_connectors; i++) {
        if (right_parse(&q->asked[i], str_from(q->right), w->connectors[i].schema, e) == 0)
            n_known++;
        else
            q->asked[i] = (struct right){0};
    }
    return n_known ? 0 : err_wrap(e, "--right");
}

static bool holds(struct asking *q, uint32_t object, const struct sets_granted *g)
{
    if (!q->right) return g->bits || g->n_typed;
    const struct right *r = &q->asked[q->a.world->objects[object].connector];
    if (!r->bit) return false;
    return r->is_typed ? sets_can(q->sets, q->principal.principal, object, r, q->a.rule) : (g->bits & r->bit) != 0;
}

static json_t *rights_of(struct asking *q, uint32_t object, const struct sets_granted *g)
{
    const struct world *w = q->a.world;
    const struct schema *s = w->connectors[w->objects[object].connector].schema;
    if (q->right) return json_pack("[o]", access_right_json(&q->asked[w->objects[object].connector], s));
    json_t *list = access_bits_json(g->bits);
    for (size_t i = 0; i < g->n_typed; i++) json_array_append_new(list, access_right_json(&g->typed[i], s));
    return list;
}

static int take(void *ctx, const struct access_subject *s, struct err *e)
{
    struct asking *q = ctx;
    struct sets_granted g;
    if (s->object == NOBODY || q->a.world->objects[s->object].descriptor == NOBODY) return 0;
    sets_what_object(q->what, s->object, &g);
    if ((g.is_baseline && !q->all) || !holds(q, s->object, &g)) return 0;
    if (q->limit && q->n >= q->limit) return ACCESS_STOP;
    q->n++;
    json_t *row = json_object();
    jsonv_put(row, "target", access_entity_json(q->a.world, s));
    jsonv_put(row, "rights", rights_of(q, s->object, &g));
    jsonv_put(row, "baseline", json_boolean(g.is_baseline));
    return out_row(q->out, row, e);
}

struct gathering {
    const struct world *w;
    int64_t *ids;
    size_t n;
};

static bool gather(void *ctx, uint32_t object, const struct sets_granted *g)
{
    struct gathering *x = ctx;
    (void)g;
    x->ids[x->n++] = x->w->objects[object].entity;
    return x->n < ACCESS_FEW;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int walk(struct asking *q, struct err *e)
{
    struct sets_what_count n;
    int64_t ids[ACCESS_FEW];
    struct gathering x = {q->a.world, ids, 0};
    sets_what_count(&n, q->what);
    if ((q->all ? n.n_objects : n.n_beyond) > ACCESS_FEW) return access_walk(&q->a, &q->choice, take, q, e);
    sets_what_stream(q->what, !q->all, gather, &x);
    if (x.n) qsort(ids, x.n, sizeof *ids, compare_ids);
    return access_walk_some(&q->a, &q->choice, ids, x.n, take, q, e);
}

static int tell_count(struct asking *q, struct err *e)
{
    struct sets_what_count n;
    sets_what_count(&n, q->what);
    json_t *j = json_object();
    jsonv_put(j, "principal", access_party_json(&q->principal));
    jsonv_put(j, "rule", json_string(access_rule_name(q->a.rule)));
    jsonv_put(j, "objects", json_integer((json_int_t)n.n_objects));
    jsonv_put(j, "rights", json_integer((json_int_t)n.n_rights));
    jsonv_put(j, "beyond_baseline", json_integer((json_int_t)n.n_beyond));
    jsonv_put(j, "gaps", access_gaps_json(&q->a, NOBODY, true));
    return out_object(q->a.cli, j, e);
}

static const struct out_column columns[] = {{"target.kind", "kind"}, {"target.name", "name"}, {"rights", NULL}, {"target.dn", "dn"}, {NULL, NULL}};

static int tell_rows(struct asking *q, struct err *e)
{
    try(out_open(&q->out, q->a.cli, columns, e));
    int rc = out_finish(q->out, walk(q, e), e);
    access_print_gaps(&q->a, NOBODY);
    return rc;
}

static int what_can_all(struct asking *q, struct cli *c, struct err *e)
{
    q->all = cli_flag(c, "all");
    try(access_choice_read(&q->choice, c, "kind", "target-filter", e));
    try(cli_number(c, "limit", 0, 0, &q->limit, e));
    if (cli_flag(c, "count") && (cli_value(c, "right") || cli_value(c, "kind") || cli_value(c, "target-filter") || q->all)) {
        err_set(e, ERR_INPUT, "--count counts everything: --right, --kind, --target-filter and --all do not go with it");
        return err_hint(e, "rollcall access what-can PRINCIPAL --right RIGHT -o jsonl | wc -l");
    }
    try(access_cli_open(&q->a, c, e));
    try(access_cli_principal(&q->a, &q->principal, c->args[0], e));
    try(parse_right(q, e));
    try(access_cli_sets(&q->sets, &q->a, e));
    try(sets_what_can(&q->what, q->sets, q->principal.principal, q->a.rule, e));
    return cli_flag(c, "count") ? tell_count(q, e) : tell_rows(q, e);
}

static int what_can(struct cli *c, struct err *e)
{
    struct asking q = {.a = {.cli = c}};
    int rc = what_can_all(&q, c, e);
    free(q.asked);
    access_choice_free(&q.choice);
    sets_what_free(q.what);
    access_cli_sets_done(q.sets);
    access_cli_close(&q.a);
    return rc;
}

static const struct cli_option what_options[] = {
    {"right", 'r', "RIGHT", "only where it holds this one", NULL, false},
    {"kind", 'k', "A,B", "only targets of these kinds", NULL, false},
    {"target-filter", 0, "EXPR", "only targets that fit: 'name=svc* and privileged=true'", NULL, false},
    {"all", 0, NULL, "also objects on which it has only what everybody has", NULL, false},
    {"count", 0, NULL, "only how many", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    ACCESS_OPTIONS,
    {NULL, 0, NULL, NULL, NULL, false},
};

const struct command cmd_access_what_can = {
    .name = "access what-can",
    .arguments = "PRINCIPAL",
    .min_args = 1,
    .max_args = 1,
    .summary = "Everything that a principal may do anywhere",
    .doc = "Without --all only objects on which it has other rights than an account that is in no group. Rights of single attributes,\n"
           "classes and operations are told where the object's own entries name them; --right asks for any.",
    .options = what_options,
    .run = what_can,
};

/* --- token ------------------------------------------------------------------------------------------------------------------ */

struct telling {
    struct access_cli a;
    struct party principal;
    struct world_token token;
    struct out *out;
};

static int tell_one(struct telling *t, uint32_t principal, struct err *e)
{
    const struct world *w = t->a.world;
    uint32_t chain[WHY_CHAIN];
    json_t *row, *step, *through = json_array();
    size_t n = world_chain(w, t->principal.principal, principal, chain, WHY_CHAIN);
    int rc = access_known_principal(&t->a, principal, &step, e);
    if (rc < 0) {
        json_decref(through);
        return rc;
    }
    row = json_copy(step);
    json_decref(step);
    jsonv_put(row, "kind", json_string(kind_name(w->principals[principal].kind)));
    jsonv_put(row, "how", json_string(principal == t->principal.principal ? "self" : n ? "group" : "sid_history"));
    jsonv_put(row, "through", through);
    for (size_t i = 1; i + 1 < n && rc == 0; i++) {
        rc = access_known_principal(&t->a, chain[i], &step, e);
        if (rc == 0) json_array_append_new(through, step);
    }
    if (rc == 0) return out_row(t->out, row, e);
    json_decref(row);
    return rc;
}

static int tell_history(struct telling *t, struct bytes sid, struct err *e)
{
    char text[SID_TEXT];
    json_t *row = json_object();
    sid_format_bytes(text, sid);
    jsonv_put(row, "sid", json_string(text));
    jsonv_put(row, "name", json_string(text));
    jsonv_put(row, "how", json_string("sid_history"));
    jsonv_put(row, "through", json_array());
    return out_row(t->out, row, e);
}

static int tell_token(struct telling *t, struct err *e)
{
    for (uint32_t i = 0; i < t->token.n; i++) try(tell_one(t, t->token.list[i], e));
    for (size_t i = 0; i < t->token.n_history; i++) try(tell_history(t, t->token.history[i], e));
    return 0;
}

static const struct out_column token_columns[] = {{"sid", NULL}, {"name", NULL}, {"how", NULL}, {"through", NULL}, {NULL, NULL}};

/* Whose targets decide which domain local groups count. */
static int target_connector(struct telling *t, uint32_t *out, struct err *e)
{
    const struct world *w = t->a.world;
    const char *name = cli_value(t->a.cli, "at");
    *out = name ? world_connector_named(w, str_from(name)) : w->principals[t->principal.principal].connector;
    if (!name || *out != NOBODY) return 0;
    err_set(e, ERR_NOTFOUND, "--at %s: no Active Directory connector of this name has been synced", name);
    return err_hint(e, "rollcall connector list tells them");
}

static int token_all(struct telling *t, struct cli *c, struct err *e)
{
    uint32_t connector;
    try(access_cli_open(&t->a, c, e));
    try(access_cli_principal(&t->a, &t->principal, c->args[0], e));
    try(target_connector(t, &connector, e));
    try(world_token(&t->token, t->a.world, t->principal.principal, connector, e));
    try(out_open(&t->out, c, token_columns, e));
    int rc = out_finish(t->out, tell_token(t, e), e);
    access_print_gaps(&t->a, connector);
    return rc;
}

static int token(struct cli *c, struct err *e)
{
    struct telling t = {.a = {.cli = c}};
    int rc = token_all(&t, c, e);
    world_token_free(&t.token);
    access_cli_close(&t.a);
    return rc;
}

static const struct cli_option token_options[] = {
    {"at", 0, "NAME", "as at the targets of this connector (default: its own): domain local groups of others do not count", NULL, false},
    {"connector", 'c', "NAME", "look for names in this connector", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

const struct command cmd_access_token = {
    .name = "access token",
    .arguments = "PRINCIPAL",
    .min_args = 1,
    .max_args = 1,
    .summary = "Every SID that speaks for a principal, and how it came by it",
    .options = token_options,
    .run = token,
};
