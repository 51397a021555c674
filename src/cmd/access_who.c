/* access_who.c - access who-can, access members */
#include "access/who.h"
#include "cmd/access_past.h"
#include "cmd/access_walk.h"

#include <stdio.h>
#include <stdlib.h>

/* --- who-can ---------------------------------------------------------------------------------------------------------- */

struct asking {
    struct access_cli a;
    struct access_choice choice;
    struct past *past;         /* NULL: now */
    const struct world *world; /* its, or that of now */
    struct sets *sets;
    struct world_token token;
    struct party target;
    struct right right;
    struct out *out;
    uint64_t *marks;        /* principals that hold it */
    uint64_t n_marked, n;   /* n: told or counted so far */
    bool tells_why, only_counts;
    int64_t limit;
};

static void mark(struct asking *q, uint32_t p)
{
    uint64_t bit = (uint64_t)1 << (p % 64);
    q->n_marked += !(q->marks[p / 64] & bit);
    q->marks[p / 64] |= bit;
}

static bool is_marked(const struct asking *q, uint32_t p)
{
    return p != NOBODY && q->marks[p / 64] >> (p % 64) & 1;
}

static int mark_holders(struct asking *q, struct err *e)
{
    struct sets_who who;
    uint32_t *groups = NULL;
    q->marks = x_zalloc((q->a.world->n_principals / 64 + 1) * sizeof *q->marks);
    sets_who_can(&who, q->sets, q->target.object, &q->right, q->a.rule);
    bool is_known = who.is_known;
    for (uint32_t p; is_known && sets_next(&who, &p);) mark(q, p);
    sets_close(&who);
    if (!is_known) {
        err_set(e, ERR_NOTFOUND, "the security descriptor of '%.*s' was not read", STR_FMT(q->target.dn));
        return err_hint(e, "set extract_acls: true and let the account read permissions (READ_CONTROL), then sync");
    }
    if (!cli_flag(q->a.cli, "groups")) return 0;
    size_t n = sets_groups(q->sets, q->target.object, &q->right, q->a.rule, &groups);
    for (size_t i = 0; i < n; i++) mark(q, groups[i]);
    free(groups);
    return 0;
}

static int put_ace(struct asking *q, const struct why *y, json_t *via, struct err *e)
{
    json_t *ace = json_object(), *from;
    jsonv_put(via, "ace", ace);
    jsonv_put(ace, "number", json_integer(y->verdict.ace + 1));
    jsonv_put(ace, "of", json_integer(y->n_aces));
    jsonv_put(ace, "inherited", json_boolean(y->ace.flags & ACE_INHERITED));
    if (y->inherited_from == NOBODY) return 0;
    try(access_known_object(&q->a, y->inherited_from, &from, e));
    jsonv_put(ace, "inherited_from", from);
    return 0;
}

/* Which group and which ACE grant it. */
static int put_via(struct asking *q, uint32_t principal, json_t *row, struct err *e)
{
    struct why y;
    json_t *via = json_object(), *trustee;
    const struct world *w = q->world;
    jsonv_put(row, "via", via);
    try(world_token(&q->token, w, principal, w->objects[q->target.object].connector, e));
    why_make(&y, w, &q->token, principal, q->target.object, &q->right, q->a.rule);
    jsonv_put(via, "reason", json_string(access_reason_name(y.verdict.reason)));
    if (y.trustee != NOBODY) {
        try(access_known_principal(&q->a, y.trustee, &trustee, e));
        jsonv_put(via, "trustee", trustee);
        jsonv_put(via, "hops", json_integer(y.n_chain ? (json_int_t)y.n_chain - 1 : 0));
    }
    if (y.verdict.reason == ACCESS_BY_ACE) try(put_ace(q, &y, via, e));
    if (y.verdict.is_conditional) jsonv_put(row, "conditional", json_true());
    return 0;
}

static int tell(struct asking *q, uint32_t principal, json_t *party, struct err *e)
{
    json_t *row = json_object();
    jsonv_put(row, "principal", party);
    int rc = q->tells_why ? put_via(q, principal, row, e) : 0;
    if (rc == 0) return out_row(q->out, row, e);
    json_decref(row);
    return rc;
}

static int take(void *ctx, const struct access_subject *s, struct err *e)
{
    struct asking *q = ctx;
    if (!is_marked(q, s->principal)) return 0;
    if (q->limit && (int64_t)q->n >= q->limit) return ACCESS_STOP;
    q->n++;
    return q->only_counts ? 0 : tell(q, s->principal, access_entity_json(q->a.world, s), e);
}

/* The well-known ones are no entities, so no filter fits them but by kind. */
static int tell_bare(struct asking *q, struct err *e)
{
    const struct world *w = q->a.world;
    if (q->choice.filter || (q->choice.kinds && !(q->choice.kinds & KIND_BIT(KIND_group)))) return 0;
    for (uint32_t p = 0; p < w->n_principals; p++) {
        if (w->principals[p].entity || !is_marked(q, p)) continue;
        if (q->limit && (int64_t)q->n >= q->limit) return 0;
        q->n++;
        if (!q->only_counts) try(tell(q, p, access_bare_json(w, p), e));
    }
    return 0;
}

static int walk_few(struct asking *q, struct err *e)
{
    int64_t ids[ACCESS_FEW];
    size_t n = 0;
    const struct world *w = q->a.world;
    for (uint32_t p = 0; p < w->n_principals; p++)
        if (is_marked(q, p) && w->principals[p].entity) ids[n++] = w->principals[p].entity;
    return access_walk_some(&q->a, &q->choice, ids, n, take, q, e);
}

static int walk(struct asking *q, struct err *e)
{
    try(tell_bare(q, e));
    return q->n_marked <= ACCESS_FEW ? walk_few(q, e) : access_walk(&q->a, &q->choice, take, q, e);
}

static int tell_count(struct asking *q, struct err *e)
{
    uint32_t connector = q->a.world->objects[q->target.object].connector;
    if (access_choice_is_all(&q->choice))
        q->n = q->n_marked;
    else
        try(walk(q, e));
    if (q->a.cli->format == OUT_TABLE) {
        printf("%llu\n", (unsigned long long)q->n);
        access_print_lost(q->past);
        access_print_gaps(&q->a, connector);
        return 0;
    }
    json_t *j = json_object();
    jsonv_put(j, "target", access_party_json(&q->target));
    jsonv_put(j, "right", access_right_json(&q->right, q->a.world->connectors[connector].schema));
    jsonv_put(j, "rule", json_string(access_rule_name(q->a.rule)));
    jsonv_put(j, "count", json_integer((json_int_t)q->n));
    json_t *gaps = access_gaps_json(&q->a, connector, true);
    access_add_lost(gaps, q->past ? q->past->n_lost : 0);
    jsonv_put(j, "gaps", gaps);
    return out_object(q->a.cli, j, e);
}

static const struct out_column who_columns[] = {{"principal.name", "name"},      {"principal.kind", "kind"}, {"principal.enabled", "enabled"},
                                                {"via.trustee.name", "through"}, {"via.ace.number", "ace"},  {"via.ace.inherited_from.dn", "inherited from"},
                                                {"principal.dn", "dn"},          {NULL, NULL}};

static int tell_rows(struct asking *q, struct err *e)
{
    q->tells_why = cli_flag(q->a.cli, "why") || q->n_marked <= ACCESS_FEW;
    try(out_open(&q->out, q->a.cli, who_columns, e));
    int rc = out_finish(q->out, walk(q, e), e);
    access_print_lost(q->past);
    access_print_gaps(&q->a, q->a.world->objects[q->target.object].connector);
    return rc;
}

static int read_world(struct asking *q, struct err *e)
{
    q->world = q->a.world;
    try(access_cli_past(&q->past, &q->a, q->a.world->objects[q->target.object].connector, e));
    if (!q->past) return access_cli_sets(&q->sets, &q->a, e);
    q->world = q->past->world;
    return sets_build(&q->sets, q->world, e);
}

static int who_can_all(struct asking *q, struct cli *c, struct err *e)
{
    try(access_choice_read(&q->choice, c, "kind", "principal-filter", e));
    try(cli_number(c, "limit", 0, 0, &q->limit, e));
    try(access_cli_open(&q->a, c, e));
    try(access_cli_target(&q->a, &q->target, c->args[1], e));
    try(access_cli_right(&q->a, &q->right, c->args[0], q->target.object, e));
    try(read_world(q, e));
    try(mark_holders(q, e));
    q->only_counts = cli_flag(c, "count");
    return q->only_counts ? tell_count(q, e) : tell_rows(q, e);
}

static int who_can(struct cli *c, struct err *e)
{
    struct asking q = {.a = {.cli = c}};
    int rc = who_can_all(&q, c, e);
    free(q.marks);
    access_choice_free(&q.choice);
    world_token_free(&q.token);
    if (q.past)
        sets_free(q.sets);
    else
        access_cli_sets_done(q.sets);
    past_free(q.past);
    access_cli_close(&q.a);
    return rc;
}

static const struct cli_option who_options[] = {
    {"kind", 'k', "A,B", "only principals of these kinds", NULL, false},
    {"principal-filter", 0, "EXPR", "only principals that fit: 'enabled=false and department=Finance'", NULL, false},
    {"groups", 'g', NULL, "groups that hold it, too; else only accounts", NULL, false},
    {"count", 0, NULL, "only how many", NULL, false},
    {"why", 0, NULL, "group and ACE of every row, also of more than 1000", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    ACCESS_RUN_OPTION,
    ACCESS_OPTIONS,
    {NULL, 0, NULL, NULL, NULL, false},
};

const struct command cmd_access_who_can = {
    .name = "access who-can",
    .arguments = "RIGHT TARGET",
    .min_args = 2,
    .max_args = 2,
    .summary = "Everybody who holds a right on an object",
    .doc = "RIGHT is WRITE_DAC, WRITE_PROPERTY:member, CONTROL_ACCESS:Reset-Password ...; TARGET a DN, SID, GUID or account name.\n"
           "With --run, memberships and descriptors are as that run found them; accounts and objects are those of now (see access diff).",
    .options = who_options,
    .run = who_can,
};

/* --- members -------------------------------------------------------------------------------------------------------------- */

struct membership {
    struct access_cli a;
    struct access_choice choice;
    struct party group;
    struct past *past; /* NULL: now */
    struct who_members members;
    struct out *out;
    bool only_direct;
    int64_t limit, n;
};

static bool is_told(const struct membership *m, uint32_t p)
{
    if (p == NOBODY || m->members.next[p] == NOBODY || p == m->group.principal) return false;
    return !m->only_direct || m->members.next[p] == m->group.principal;
}

/* The groups between the member and the group asked for. */
static int put_through(struct membership *m, uint32_t principal, json_t *row, struct err *e)
{
    json_t *through = json_array(), *one;
    jsonv_put(row, "through", through);
    for (uint32_t p = m->members.next[principal]; p != m->group.principal; p = m->members.next[p]) {
        if (json_array_size(through) == WHY_CHAIN) break;
        try(access_known_principal(&m->a, p, &one, e));
        json_array_append_new(through, one);
    }
    return 0;
}

static int tell_member(struct membership *m, uint32_t principal, json_t *party, struct err *e)
{
    json_t *row = json_object();
    jsonv_put(row, "member", party);
    jsonv_put(row, "direct", json_boolean(m->members.next[principal] == m->group.principal));
    jsonv_put(row, "via", json_string(who_via_name(m->members.via[principal])));
    int rc = put_through(m, principal, row, e);
    m->n++;
    if (rc == 0) return out_row(m->out, row, e);
    json_decref(row);
    return rc;
}

static int take_member(void *ctx, const struct access_subject *s, struct err *e)
{
    struct membership *m = ctx;
    if (!is_told(m, s->principal)) return 0;
    if (m->limit && m->n >= m->limit) return ACCESS_STOP;
    return tell_member(m, s->principal, access_entity_json(m->a.world, s), e);
}

static int tell_bare_members(struct membership *m, struct err *e)
{
    const struct world *w = m->a.world;
    if (m->choice.filter || (m->choice.kinds && !(m->choice.kinds & KIND_BIT(KIND_group)))) return 0;
    for (uint32_t p = 0; p < w->n_principals; p++)
        if (!w->principals[p].entity && is_told(m, p) && !(m->limit && m->n >= m->limit)) try(tell_member(m, p, access_bare_json(w, p), e));
    return 0;
}

static int walk_members(struct membership *m, struct err *e)
{
    int64_t ids[ACCESS_FEW];
    size_t n = 0, n_all = 0;
    const struct world *w = m->a.world;
    for (uint32_t p = 0; p < w->n_principals; p++) {
        if (!is_told(m, p) || !w->principals[p].entity) continue;
        if (n < ACCESS_FEW) ids[n++] = w->principals[p].entity;
        n_all++;
    }
    try(tell_bare_members(m, e));
    return n_all > n ? access_walk(&m->a, &m->choice, take_member, m, e) : access_walk_some(&m->a, &m->choice, ids, n, take_member, m, e);
}

static const struct out_column member_columns[] = {{"member.name", "name"},       {"member.kind", "kind"}, {"member.enabled", "enabled"}, {"direct", NULL},
                                                   {"via", NULL}, {"through", NULL},     {"member.dn", "dn"}, {NULL, NULL}};

static int members_all(struct membership *m, struct cli *c, struct err *e)
{
    m->only_direct = cli_flag(c, "direct");
    try(access_choice_read(&m->choice, c, "kind", "principal-filter", e));
    try(cli_number(c, "limit", 0, 0, &m->limit, e));
    try(access_cli_open(&m->a, c, e));
    try(access_cli_principal(&m->a, &m->group, c->args[0], e));
    try(access_cli_past(&m->past, &m->a, m->a.world->principals[m->group.principal].connector, e));
    who_members_make(&m->members, m->past ? m->past->world : m->a.world, m->group.principal);
    try(out_open(&m->out, c, member_columns, e));
    int rc = out_finish(m->out, walk_members(m, e), e);
    access_print_lost(m->past);
    access_print_gaps(&m->a, m->a.world->principals[m->group.principal].connector);
    return rc;
}

static int members(struct cli *c, struct err *e)
{
    struct membership m = {.a = {.cli = c}};
    int rc = members_all(&m, c, e);
    who_members_free(&m.members);
    past_free(m.past);
    access_choice_free(&m.choice);
    access_cli_close(&m.a);
    return rc;
}

static const struct cli_option member_options[] = {
    {"kind", 'k', "A,B", "only members of these kinds", NULL, false},
    {"principal-filter", 0, "EXPR", "only members that fit", NULL, false},
    {"direct", 0, NULL, "only who is in it without another group between", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    ACCESS_RUN_OPTION,
    {"connector", 'c', "NAME", "look for names in this connector", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

const struct command cmd_access_members = {
    .name = "access members",
    .arguments = "GROUP",
    .min_args = 1,
    .max_args = 1,
    .summary = "Who is really in a group, and how",
    .doc = "Through nested groups, the primary group, sIDHistory, and the well-known groups that everybody is in.\n"
           "With --run, memberships are as that run found them; accounts and groups are those of now (see access diff).",
    .options = member_options,
    .run = members,
};
