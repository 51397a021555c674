/* access.c - access check, access why */
#include "cmd/access.h"
#include "cmd/access_keep.h"

#include "access/pairs.h"
#include "base/when.h"
#include "model/sid.h"

#include <stdio.h>
#include <stdlib.h>

/* --- what the access commands share --------------------------------------------------------------------------------- */

const char *access_rule_name(enum access_rule r)
{
    return r == ACCESS_WINDOWS ? "windows" : "deny-wins";
}

int access_cli_open(struct access_cli *a, struct cli *c, struct err *e)
{
    const char *rule = cli_value(c, "rule");
    *a = (struct access_cli){.cli = c, .text = arena_new((size_t)1 << 30)};
    a->connector = str_from(cli_value(c, "connector"));
    a->rule = rule && strcmp(rule, "deny-wins") == 0 ? ACCESS_DENY_WINS : ACCESS_WINDOWS;
    try(cli_store(c, &a->store, e));
    struct access_keep *k = access_kept();
    if (k && k->world) {
        a->world = k->world;
        return 0;
    }
    try(world_read(&a->world, a->store, (struct str){"", 0}, e));
    if (k) k->world = a->world;
    return 0;
}

void access_cli_close(struct access_cli *a)
{
    json_decref(a->known);
    if (!access_kept()) world_free(a->world);
    arena_free(&a->text);
}

int access_cli_find(struct access_cli *a, struct party *out, const char *key, struct err *e)
{
    return party_find(out, &a->text, a->world, a->store, a->connector, str_from(key), e);
}

int access_cli_target(struct access_cli *a, struct party *out, const char *key, struct err *e)
{
    try(access_cli_find(a, out, key, e));
    if (out->object != NOBODY) return 0;
    err_set(e, ERR_INPUT, "'%s' is no object with an access control list", key);
    return err_hint(e, "a user, group, computer, OU, container, policy or the domain is wanted");
}

int access_cli_principal(struct access_cli *a, struct party *out, const char *key, struct err *e)
{
    try(access_cli_find(a, out, key, e));
    if (out->principal != NOBODY) return 0;
    err_set(e, ERR_INPUT, "'%s' is no principal: it has no SID", key);
    return err_hint(e, "a user, computer, service account or group is wanted");
}

int access_cli_right(struct access_cli *a, struct right *out, const char *text, uint32_t object, struct err *e)
{
    const struct world *w = a->world;
    return right_parse(out, str_from(text), w->connectors[w->objects[object].connector].schema, e);
}

json_t *access_party_json(const struct party *p)
{
    json_t *j = json_object();
    if (p->uid[0]) jsonv_put(j, "uid", json_string(p->uid));
    if (p->sid[0]) jsonv_put(j, "sid", json_string(p->sid));
    if (p->dn.len) jsonv_put(j, "dn", jsonv_str(p->dn));
    jsonv_put(j, "name", jsonv_str(p->name));
    return j;
}

json_t *access_gaps_json(const struct access_cli *a, uint32_t connector, bool is_known)
{
    json_t *list = json_array();
    if (access_kept()) access_kept()->about = connector;
    if (!is_known) json_array_append_new(list, json_pack("{s:s}", "what", "the security descriptor of this object was not read"));
    for (size_t i = 0; i < a->world->n_gaps; i++) {
        const struct world_gap *g = &a->world->gaps[i];
        if (connector != NOBODY && g->connector != connector) continue;
        json_t *j = json_object();
        jsonv_put(j, "what", jsonv_str(g->what));
        if (g->where.len) jsonv_put(j, "where", jsonv_str(g->where));
        if (g->fix.len) jsonv_put(j, "fix", jsonv_str(g->fix));
        json_array_append_new(list, j);
    }
    return list;
}

static int known(struct access_cli *a, char what, uint32_t number, json_t **out, struct err *e)
{
    char key[16];
    struct party p;
    snprintf(key, sizeof key, "%c%u", what, number);
    if (!a->known) a->known = json_object();
    *out = json_object_get(a->known, key);
    if (!*out) {
        try(what == 'p' ? party_of_principal(&p, &a->text, a->world, a->store, number, e) : party_of_object(&p, &a->text, a->world, a->store, number, e));
        *out = access_party_json(&p);
        json_object_set_new(a->known, key, *out);
    }
    json_incref(*out);
    return 0;
}

int access_known_principal(struct access_cli *a, uint32_t principal, json_t **out, struct err *e)
{
    return known(a, 'p', principal, out, e);
}

int access_known_object(struct access_cli *a, uint32_t object, json_t **out, struct err *e)
{
    return known(a, 'o', object, out, e);
}

void access_print_gaps(const struct access_cli *a, uint32_t connector)
{
    if (access_kept()) { /* who keeps tells them beside the answer */
        access_kept()->about = connector;
        return;
    }
    struct buf b = buf_new(1 << 16);
    for (size_t i = 0; i < a->world->n_gaps; i++) {
        const struct world_gap *g = &a->world->gaps[i];
        if (connector != NOBODY && g->connector != connector) continue;
        buf_add_str(&b, STR("gap: "));
        out_visible(&b, g->what);
        if (g->where.len) buf_add_str(&b, STR(" ("));
        out_visible(&b, g->where);
        buf_add_str(&b, g->where.len ? STR(")\n") : STR("\n"));
        if (!g->fix.len) continue;
        buf_add_str(&b, STR("  fix: "));
        out_visible(&b, g->fix);
        buf_add_byte(&b, '\n');
    }
    fputs(buf_cstr(&b), stderr);
    buf_free(&b);
}

/* --- check ----------------------------------------------------------------------------------------------------------- */

json_t *access_right_json(const struct right *r, const struct schema *s)
{
    struct buf b = buf_new(512);
    right_format(&b, r, s);
    json_t *j = jsonv_str(buf_str(&b));
    buf_free(&b);
    return j;
}

json_t *access_bits_json(uint32_t bits)
{
    json_t *list = json_array();
#define X(name, bit)                                                                                         \
    if (bits & (bit)) json_array_append_new(list, json_string(#name));
    RIGHTS(X)
#undef X
    return list;
}

static json_t *places_json(const struct schema *s, enum schema_what what, const struct places *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++) json_array_append_new(list, jsonv_str(schema_item_name(s, what, p->list[i])));
    return list;
}

static void put_answer(json_t *row, const struct answer *a)
{
    json_t *differs = json_array();
    const struct schema *s = a->schema;
    for (size_t i = 0; i < a->n_differs; i++) json_array_append_new(differs, access_right_json(&a->differs[i], s));
    jsonv_put(row, "rights", access_bits_json(a->bits));
    jsonv_put(row, "writable_attributes", places_json(s, SCHEMA_ATTRIBUTE, &a->writable));
    jsonv_put(row, "readable_attributes", a->reads_all ? json_string("all") : places_json(s, SCHEMA_ATTRIBUTE, &a->readable));
    jsonv_put(row, "creatable_classes", places_json(s, SCHEMA_CLASS, &a->creatable));
    jsonv_put(row, "deletable_classes", places_json(s, SCHEMA_CLASS, &a->deletable));
    jsonv_put(row, "extended_rights", places_json(s, SCHEMA_EXTENDED_RIGHT, &a->extended));
    jsonv_put(row, "validated_writes", places_json(s, SCHEMA_VALIDATED_WRITE, &a->validated));
    jsonv_put(row, "differs_under_deny_wins", differs);
    jsonv_put(row, "conditional", json_boolean(a->is_conditional));
}

static int pair_row(struct access_cli *a, struct world_token *t, json_t *row, const char *principal, const char *target, struct err *e)
{
    struct party p, o;
    struct answer answer;
    arena_clear(&a->text);
    try(access_cli_principal(a, &p, principal, e));
    try(access_cli_target(a, &o, target, e));
    uint32_t connector = a->world->objects[o.object].connector;
    try(world_token(t, a->world, p.principal, connector, e));
    answer_make(&answer, a->world, t, o.object, a->rule);
    jsonv_put(row, "principal_resolved", access_party_json(&p));
    jsonv_put(row, "target_resolved", access_party_json(&o));
    jsonv_put(row, "rule", json_string(access_rule_name(a->rule)));
    put_answer(row, &answer);
    jsonv_put(row, "gaps", access_gaps_json(a, connector, answer.is_known));
    answer_free(&answer);
    return 0;
}

struct checking {
    struct access_cli a;
    struct world_token token;
    struct out *out;
    uint64_t n_failed;
};

/* A pair that cannot be resolved has its error in its own row, and the rest goes on. */
static int check_pair(struct checking *q, const char *principal, const char *target, bool only_one, struct err *e)
{
    struct err why;
    json_t *row = json_pack("{s:s, s:s}", "principal", principal, "target", target);
    if (!row) return err_set(e, ERR_INPUT, "principal or target is no UTF-8");
    int rc = pair_row(&q->a, &q->token, row, principal, target, &why);
    if (rc < 0 && (only_one || (why.class != ERR_NOTFOUND && why.class != ERR_CONFLICT && why.class != ERR_INPUT))) {
        json_decref(row);
        *e = why;
        return rc;
    }
    if (rc < 0) {
        q->n_failed++;
        json_object_clear(row);
        jsonv_put(row, "principal", json_string(principal));
        jsonv_put(row, "target", json_string(target));
        jsonv_put(row, "error", json_pack("{s:s, s:s}", "class", err_class_name(rc), "message", why.message));
    }
    return out_row(q->out, row, e);
}

static int check_one(void *ctx, const struct pair *p, struct err *e)
{
    return check_pair(ctx, p->principal, p->target, false, e);
}

static int check_file(struct checking *q, const char *path, struct err *e)
{
    if (strcmp(path, "-") == 0) return pairs_read(stdin, check_one, q, e);
    FILE *in = fopen(path, "re");
    if (!in) return err_set(e, ERR_NOTFOUND, "--pairs: %s cannot be opened", path);
    int rc = pairs_read(in, check_one, q, e);
    fclose(in);
    return rc;
}

static const struct out_column check_columns[] = {{"principal", NULL}, {"target", NULL}, {"rights", NULL}, {"creatable_classes", NULL},
                                                  {"extended_rights", NULL}, {"conditional", NULL}, {"error.message", "error"}, {NULL, NULL}};

static const struct cli_option check_options[] = {
    {"principal", 'p', "WHO", "user, computer, service account or group: DN, SID, GUID, account name or UPN", NULL, false},
    {"target", 't', "WHAT", "the object", NULL, false},
    {"pairs", 0, "FILE", "pairs as JSON Lines {\"principal\", \"target\"}; - is standard input", NULL, false},
    ACCESS_OPTIONS,
    {NULL, 0, NULL, NULL, NULL, false},
};

static int check_all(struct checking *q, struct err *e)
{
    const char *principal = cli_value(q->a.cli, "principal"), *target = cli_value(q->a.cli, "target"), *pairs = cli_value(q->a.cli, "pairs");
    if (pairs ? principal || target : !principal || !target) {
        err_set(e, ERR_INPUT, "access check wants --principal and --target, or --pairs");
        return err_hint(e, "rollcall access check --principal alice --target 'CN=Domain Admins,...'");
    }
    try(access_cli_open(&q->a, q->a.cli, e));
    try(out_open(&q->out, q->a.cli, check_columns, e));
    int rc = pairs ? check_file(q, pairs, e) : check_pair(q, principal, target, true, e);
    rc = out_finish(q->out, rc, e);
    return rc == 0 && q->n_failed ? EXIT_PARTIAL : rc;
}

static int check(struct cli *c, struct err *e)
{
    struct checking q = {.a = {.cli = c}};
    int rc = check_all(&q, e);
    world_token_free(&q.token);
    access_cli_close(&q.a);
    return rc;
}

const struct command cmd_access_check = {
    .name = "access check",
    .arguments = "",
    .summary = "Everything that a principal may do to an object",
    .doc = "As a domain controller would decide it, from the descriptors and memberships of the last sync. Under windows the first ACE in\n"
           "order decides; what deny-wins would answer otherwise is listed beside it.",
    .options = check_options,
    .run = check,
};

/* --- why ---------------------------------------------------------------------------------------------------------------- */

struct telling {
    struct access_cli *a;
    struct party principal, target;
    struct right right;
    const struct schema *schema;
    struct why y;
    struct buf b;
};

static void add_visible(struct telling *t, struct str s)
{
    out_visible(&t->b, s);
}

static int add_name(struct telling *t, uint32_t principal, struct err *e)
{
    struct party p;
    try(party_of_principal(&p, &t->a->text, t->a->world, t->a->store, principal, e));
    add_visible(t, p.name);
    return 0;
}

static void tell_head(struct telling *t, bool is_known)
{
    buf_add_str(&t->b, !is_known ? STR("UNKNOWN ") : t->y.verdict.is_allowed ? STR("YES  ") : STR("NO   "));
    add_visible(t, t->principal.name);
    buf_add_str(&t->b, t->y.verdict.is_allowed || !is_known ? STR(" can ") : STR(" cannot "));
    right_format(&t->b, &t->right, t->schema);
    buf_printf(&t->b, " on %s \"", kind_name(t->target.kind));
    add_visible(t, t->target.name);
    buf_add_str(&t->b, STR("\"\n"));
}

/* "ALLOW  WRITE_PROPERTY:member   ACE 7 of 23, inherited from OU=Groups,DC=corp,DC=example" */
static int tell_ace(struct telling *t, struct err *e)
{
    const struct ace *a = &t->y.ace;
    bool is_deny = a->type == ACE_DENY || a->type == ACE_DENY_OBJECT;
    struct right r = t->right;
    r.is_typed = a->object_type != NULL;
    if (a->object_type) memcpy(r.guid, a->object_type, sizeof r.guid);
    buf_add_str(&t->b, is_deny ? STR("     decided by: DENY   ") : STR("     decided by: ALLOW  "));
    right_format(&t->b, &r, t->schema);
    buf_printf(&t->b, "   ACE %u of %u, ", t->y.verdict.ace + 1, t->y.n_aces);
    if (!(a->flags & ACE_INHERITED)) {
        buf_add_str(&t->b, STR("explicit\n"));
        return 0;
    }
    struct party from;
    if (t->y.inherited_from == NOBODY) {
        buf_add_str(&t->b, STR("inherited\n"));
        return 0;
    }
    try(party_of_object(&from, &t->a->text, t->a->world, t->a->store, t->y.inherited_from, e));
    buf_add_str(&t->b, STR("inherited from "));
    add_visible(t, from.dn);
    buf_add_byte(&t->b, '\n');
    return 0;
}

static int tell_reason(struct telling *t, struct err *e)
{
    switch (t->y.verdict.reason) {
    case ACCESS_BY_ACE: return tell_ace(t, e);
    case ACCESS_NULL_DACL: buf_add_str(&t->b, STR("     decided by: there is no DACL: everybody may do everything\n")); return 0;
    case ACCESS_IMPLICIT_OWNER: buf_add_str(&t->b, STR("     decided by: the owner may always read and change the permissions\n")); return 0;
    default: buf_printf(&t->b, "     decided by: no allow ACE for it or any of its %u groups\n", t->y.n_groups); return 0;
    }
}

static int tell_trustee(struct telling *t, struct err *e)
{
    char sid[SID_TEXT];
    if (t->y.trustee == NOBODY) return 0;
    buf_add_str(&t->b, t->y.verdict.is_allowed ? STR("     granted to: ") : STR("     denied to : "));
    try(add_name(t, t->y.trustee, e));
    buf_printf(&t->b, "  (%s)\n", sid_format_bytes(sid, t->a->world->principals[t->y.trustee].sid));
    if (t->y.n_chain < 2) return 0;
    buf_add_str(&t->b, STR("     because   : "));
    for (size_t i = 0; i < t->y.n_chain; i++) {
        if (i) buf_add_str(&t->b, STR(" -> member of "));
        try(add_name(t, t->y.chain[i], e));
    }
    buf_printf(&t->b, "   (%zu hop%s)\n", t->y.n_chain - 1, t->y.n_chain == 2 ? "" : "s");
    return 0;
}

static int tell_considered(struct telling *t, struct err *e)
{
    const struct why *y = &t->y;
    unsigned n = y->n_denies_other + y->n_denies_inherit_only + y->n_denies_others;
    buf_printf(&t->b, "     considered: %u deny ACE%s did not match", n, n == 1 ? "" : "s");
    if (n) buf_printf(&t->b, " (%u another right or property, %u inherit-only, %u for others)", y->n_denies_other, y->n_denies_inherit_only, y->n_denies_others);
    if (y->owner != NOBODY) {
        buf_add_str(&t->b, STR("; owner: "));
        try(add_name(t, y->owner, e));
    }
    if (y->n_also) buf_printf(&t->b, "\n     also via  : %u other ACE%s", y->n_also, y->n_also == 1 ? "" : "s");
    if (y->deny_wins.is_allowed != y->verdict.is_allowed)
        buf_printf(&t->b, "\n     deny-wins : %s, if a deny always overrode", y->deny_wins.is_allowed ? "YES" : "NO");
    if (y->verdict.is_conditional) buf_add_str(&t->b, STR("\n     conditional: an ACE with a condition on claims may change this"));
    buf_add_byte(&t->b, '\n');
    return 0;
}

static void tell_state(struct telling *t)
{
    char when[WHEN_TEXT];
    const struct world *w = t->a->world;
    uint32_t connector = w->objects[t->target.object].connector;
    const struct world_connector *c = &w->connectors[connector];
    bool has_gaps = false;
    for (size_t i = 0; i < w->n_gaps; i++) has_gaps |= w->gaps[i].connector == connector;
    buf_printf(&t->b, "     data as of: %s  connector %.*s (run %lld)      confidence: %s\n", when_format(when, c->as_of_ms), STR_FMT(c->name),
               (long long)c->run, has_gaps ? "with gaps" : "complete");
    for (size_t i = 0; i < w->n_gaps; i++) {
        if (w->gaps[i].connector != connector) continue;
        buf_add_str(&t->b, STR("     gap       : "));
        add_visible(t, w->gaps[i].what);
        buf_add_byte(&t->b, '\n');
    }
}

static int tell_text(struct telling *t, bool is_known, struct err *e)
{
    tell_head(t, is_known);
    if (is_known) {
        try(tell_reason(t, e));
        try(tell_trustee(t, e));
        try(tell_considered(t, e));
    }
    tell_state(t);
    fputs(buf_cstr(&t->b), stdout);
    return 0;
}

const char *access_reason_name(enum access_reason r)
{
    static const char *const names[] = {"no_ace", "ace", "null_dacl", "implicit_owner"};
    return names[r];
}

static int put_ace(json_t *row, struct telling *t, struct err *e)
{
    struct right r = t->right;
    const struct ace *a = &t->y.ace;
    json_t *j = json_object();
    if (t->y.verdict.reason != ACCESS_BY_ACE) {
        json_decref(j);
        return 0;
    }
    r.is_typed = a->object_type != NULL;
    if (a->object_type) memcpy(r.guid, a->object_type, sizeof r.guid);
    jsonv_put(j, "number", json_integer(t->y.verdict.ace + 1));
    jsonv_put(j, "of", json_integer(t->y.n_aces));
    jsonv_put(j, "type", json_string(a->type == ACE_DENY || a->type == ACE_DENY_OBJECT ? "deny" : "allow"));
    jsonv_put(j, "right", access_right_json(&r, t->schema));
    jsonv_put(j, "inherited", json_boolean(a->flags & ACE_INHERITED));
    jsonv_put(row, "ace", j);
    if (t->y.inherited_from == NOBODY) return 0;
    struct party from;
    try(party_of_object(&from, &t->a->text, t->a->world, t->a->store, t->y.inherited_from, e));
    jsonv_put(j, "inherited_from", access_party_json(&from));
    return 0;
}

static int put_chain(json_t *row, struct telling *t, struct err *e)
{
    json_t *chain = json_array();
    jsonv_put(row, "chain", chain);
    for (size_t i = 0; i < t->y.n_chain; i++) {
        struct party p;
        try(party_of_principal(&p, &t->a->text, t->a->world, t->a->store, t->y.chain[i], e));
        json_array_append_new(chain, access_party_json(&p));
    }
    return 0;
}

static int tell_json(struct telling *t, bool is_known, struct err *e)
{
    json_t *row = json_object();
    jsonv_put(row, "principal", access_party_json(&t->principal));
    jsonv_put(row, "target", access_party_json(&t->target));
    jsonv_put(row, "right", access_right_json(&t->right, t->schema));
    jsonv_put(row, "rule", json_string(access_rule_name(t->a->rule)));
    jsonv_put(row, "answer", json_string(!is_known ? "unknown" : t->y.verdict.is_allowed ? "yes" : "no"));
    jsonv_put(row, "reason", json_string(access_reason_name(t->y.verdict.reason)));
    jsonv_put(row, "under_deny_wins", json_string(!is_known ? "unknown" : t->y.deny_wins.is_allowed ? "yes" : "no"));
    jsonv_put(row, "conditional", json_boolean(t->y.verdict.is_conditional));
    int rc = put_ace(row, t, e);
    if (rc == 0) rc = put_chain(row, t, e);
    jsonv_put(row, "groups_in_token", json_integer(t->y.n_groups));
    jsonv_put(row, "also_via", json_integer(t->y.n_also));
    jsonv_put(row, "gaps", access_gaps_json(t->a, t->a->world->objects[t->target.object].connector, is_known));
    if (rc == 0) return out_object(t->a->cli, row, e);
    json_decref(row);
    return rc;
}

static int explain(struct access_cli *a, struct world_token *token, struct err *e)
{
    const char *principal = cli_value(a->cli, "principal"), *target = cli_value(a->cli, "target"), *right = cli_value(a->cli, "right");
    struct telling t = {.a = a, .b = buf_new((size_t)1 << 20)};
    struct access_object o;
    if (!principal || !target || !right) {
        err_set(e, ERR_INPUT, "access why wants --principal, --right and --target");
        return err_hint(e, "rollcall access why --principal alice --right WRITE_PROPERTY:member --target 'Payroll Admins'");
    }
    try(access_cli_open(a, a->cli, e));
    try(access_cli_principal(a, &t.principal, principal, e));
    try(access_cli_target(a, &t.target, target, e));
    try(access_cli_right(a, &t.right, right, t.target.object, e));
    uint32_t connector = a->world->objects[t.target.object].connector;
    t.schema = a->world->connectors[connector].schema;
    try(world_token(token, a->world, t.principal.principal, connector, e));
    why_make(&t.y, a->world, token, t.principal.principal, t.target.object, &t.right, a->rule);
    world_access_object(&o, a->world, t.target.object);
    int rc = a->cli->format == OUT_TABLE ? tell_text(&t, o.sd != NULL, e) : tell_json(&t, o.sd != NULL, e);
    buf_free(&t.b);
    return rc;
}

static const struct cli_option why_options[] = {
    {"principal", 'p', "WHO", "user, computer, service account or group", NULL, false},
    {"right", 'r', "RIGHT", "WRITE_DAC, WRITE_PROPERTY:member, CONTROL_ACCESS:Reset-Password, CREATE_CHILD:user ...", NULL, false},
    {"target", 't', "WHAT", "the object", NULL, false},
    ACCESS_OPTIONS,
    {NULL, 0, NULL, NULL, NULL, false},
};

static int why(struct cli *c, struct err *e)
{
    struct access_cli a = {.cli = c};
    struct world_token token = {0};
    int rc = explain(&a, &token, e);
    world_token_free(&token);
    access_cli_close(&a);
    return rc;
}

const struct command cmd_access_why = {
    .name = "access why",
    .arguments = "",
    .summary = "The ACE and the memberships that decide one right, yes or no",
    .options = why_options,
    .run = why,
};
