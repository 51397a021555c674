/* access_export.c - access export: who holds which right where, streamed target by target. */
#include "cmd/access_export.h"

#include "model/sid.h"

#include <stdio.h>
#include <stdlib.h>

/* What changes something; reading is asked for by --right. */
#define RIGHTS_CHANGE (RIGHTS_ALL & ~(RIGHT_READ_CONTROL | RIGHT_LIST_CHILD_OBJECTS | RIGHT_READ_PROPERTY | RIGHT_LIST_OBJECT))
#define RIGHTS_MAX 256

struct named { /* what a row says of a principal, kept for all of them: rows come target by target */
    struct str name, dn;
    uint8_t guid[GUID_SIZE];
    bool is_wanted;
};
struct exporting {
    struct access_cli a;
    struct access_choice principals, targets;
    struct sets *sets;
    struct stream *stream;
    struct named *named;      /* of principals */
    struct out *out;          /* NULL: events */
    struct export_events *events;
    struct right rights[RIGHTS_MAX];
    size_t n_rights;          /* of the target at hand */
    const char *asked;        /* --right */
    bool is_tier0, expands;
    int64_t limit, n;
};

/* --- principals ------------------------------------------------------------------------------------------------------- */

static int take_principal(void *ctx, const struct access_subject *s, struct err *e)
{
    struct exporting *x = ctx;
    (void)e;
    if (s->principal == NOBODY) return 0;
    struct named *n = &x->named[s->principal];
    n->name = arena_str(&x->a.text, s->entity->name);
    n->dn = arena_str(&x->a.text, s->entity->record.dn);
    memcpy(n->guid, s->entity->record.guid, GUID_SIZE);
    n->is_wanted = true;
    return 0;
}

static json_t *principal_json(const struct exporting *x, uint32_t principal)
{
    char uid[GUID_TEXT], sid[SID_TEXT];
    const struct principal *p = &x->a.world->principals[principal];
    const struct named *n = &x->named[principal];
    if (!p->entity) return access_bare_json(x->a.world, principal);
    json_t *j = json_object();
    jsonv_put(j, "uid", json_string(guid_format(uid, n->guid)));
    jsonv_put(j, "sid", json_string(sid_format_bytes(sid, p->sid)));
    jsonv_put(j, "dn", jsonv_str(n->dn));
    jsonv_put(j, "name", jsonv_str(n->name));
    jsonv_put(j, "kind", json_string(kind_name(p->kind)));
    if (p->is_account) jsonv_put(j, "enabled", json_boolean(p->is_enabled));
    return j;
}

/* --- rights --------------------------------------------------------------------------------------------------------------- */

static void add_right(struct exporting *x, const struct right *r)
{
    for (size_t i = 0; i < x->n_rights; i++)
        if (memcmp(&x->rights[i], r, sizeof *r) == 0) return;
    if (x->n_rights < RIGHTS_MAX) x->rights[x->n_rights++] = *r;
}

/* The object-level ones, and what the object's own ACEs allow of a part. */
static void all_rights(struct exporting *x, uint32_t object)
{
    struct access_object o;
    struct ace a;
#define X(name, number)                                                                                      \
    if (RIGHTS_CHANGE & (number)) add_right(x, &(struct right){.bit = (number)});
    RIGHTS(X)
#undef X
    world_access_object(&o, x->a.world, object);
    if (!o.sd) return;
    for (struct bytes rest = o.sd->dacl; sd_next_ace(&rest, &a);) {
        if (!a.object_type || a.flags & ACE_INHERIT_ONLY || (a.type != ACE_ALLOW_OBJECT && a.type != ACE_ALLOW_CALLBACK_OBJECT)) continue;
        for (uint32_t bit = 1; bit <= RIGHT_CONTROL_ACCESS; bit <<= 1) {
            struct right r = {.bit = bit, .is_typed = true};
            if (!(rights_map_generic(a.mask) & bit & RIGHTS_TYPED & RIGHTS_CHANGE)) continue;
            memcpy(r.guid, a.object_type, sizeof r.guid);
            add_right(x, &r);
        }
    }
}

/* Of a list: one that the target's schema has not is simply not there, if another target's schema has it. */
static int listed_rights(struct exporting *x, const struct schema *s, bool must_be, struct err *e)
{
    struct str rest = str_from(x->asked);
    while (rest.len) {
        char one[600];
        struct right r;
        size_t at = str_index(rest, ','), skip = at < rest.len ? at + 1 : at;
        snprintf(one, sizeof one, "%.*s", (int)at, rest.ptr);
        rest = (struct str){rest.ptr + skip, rest.len - skip};
        int rc = right_parse(&r, str_from(one), s, e);
        if (rc == 0) add_right(x, &r);
        if (rc < 0 && must_be) return err_wrap(e, "--right");
    }
    return 0;
}

static int rights_for(struct exporting *x, uint32_t object, struct err *e)
{
    const struct world *w = x->a.world;
    x->n_rights = 0;
    if (x->asked) return listed_rights(x, w->connectors[w->objects[object].connector].schema, false, e);
    all_rights(x, object);
    return 0;
}

/* --- rows -------------------------------------------------------------------------------------------------------------------- */

static int put_row(struct exporting *x, const struct export_row *r, struct err *e)
{
    x->n++;
    if (x->events) return export_events_add(x->events, r, e);
    json_t *row = json_object(), *via = json_object();
    jsonv_put(row, "principal", json_incref(r->principal));
    jsonv_put(row, "target", json_incref(r->target));
    jsonv_put(row, "right", json_string(r->right));
    if (r->accounts) jsonv_put(row, "accounts", json_integer((json_int_t)r->accounts));
    if (r->at->is_conditional) jsonv_put(row, "conditional", json_true());
    jsonv_put(row, "via", via);
    jsonv_put(via, "reason", json_string(access_reason_name(r->at->reason)));
    if (r->trustee) jsonv_put(via, "trustee", json_incref(r->trustee));
    if (r->at->reason == ACCESS_BY_ACE) {
        json_t *ace = json_object();
        jsonv_put(via, "ace", ace);
        jsonv_put(ace, "number", json_integer(r->at->ace + 1));
        jsonv_put(ace, "of", json_integer(r->at->n_aces));
        jsonv_put(ace, "inherited", json_boolean(r->at->is_inherited));
        if (r->from) jsonv_put(ace, "inherited_from", json_incref(r->from));
    }
    return out_row(x->out, row, e);
}

static int tell(struct exporting *x, const struct stream_row *at, uint32_t principal, uint64_t accounts, json_t *target, const char *right,
                unsigned privileges, struct err *e)
{
    struct export_row r = {.target = target, .at = at, .accounts = accounts, .right = right, .is_privileged = privileges & PRIV_PROTECTED};
    int rc = 0;
    if (at->trustee != NOBODY) rc = access_known_principal(&x->a, at->trustee, &r.trustee, e);
    if (rc == 0 && at->inherited_from != NOBODY) rc = access_known_object(&x->a, at->inherited_from, &r.from, e);
    r.principal = principal_json(x, principal);
    if (rc == 0) rc = put_row(x, &r, e);
    json_decref(r.principal);
    json_decref(r.trustee);
    json_decref(r.from);
    return rc;
}

static int tell_right(struct exporting *x, json_t *target, unsigned privileges, const char *name, struct err *e)
{
    struct stream_row row;
    int rc;
    while ((rc = stream_next(x->stream, &row, e)) == 1 && !(x->limit && x->n >= x->limit))
        if (x->named[row.principal].is_wanted) try(tell(x, &row, row.principal, 0, target, name, privileges, e));
    uint64_t n = rc < 0 ? 0 : stream_everybody(x->stream, &row);
    if (n && !(x->limit && x->n >= x->limit)) try(tell(x, &row, row.principal, n, target, name, privileges, e));
    return rc < 0 ? rc : x->events ? export_events_end(x->events, e) : 0;
}

/* A privileged group, who is in one, or the domain. */
static unsigned privileges_of(const struct exporting *x, const struct access_subject *s)
{
    const struct world *w = x->a.world;
    struct bytes domain = w->connectors[w->objects[s->object].connector].domain.sid;
    unsigned own = s->entity->privileges;
    if (s->entity->record.kind == KIND_group) own |= derive_privileged_group(s->entity->record.sid, domain);
    return s->entity->record.kind == KIND_domain ? own | PRIV_PROTECTED : own;
}

static int tell_object(struct exporting *x, const struct access_subject *s, json_t *target, struct err *e)
{
    const struct world *w = x->a.world;
    const struct schema *schema = w->connectors[w->objects[s->object].connector].schema;
    struct buf name = buf_new(1024);
    unsigned privileges = privileges_of(x, s);
    int rc = 0;
    for (size_t i = 0; i < x->n_rights && rc == 0; i++) {
        if (!stream_begin(x->stream, s->object, &x->rights[i])) break;
        buf_clear(&name);
        right_format(&name, &x->rights[i], schema);
        rc = tell_right(x, target, privileges, buf_cstr(&name), e);
    }
    buf_free(&name);
    return rc;
}

static int take_target(void *ctx, const struct access_subject *s, struct err *e)
{
    struct exporting *x = ctx;
    if (s->object == NOBODY || (x->is_tier0 && !(privileges_of(x, s) & PRIV_PROTECTED))) return 0;
    if (x->limit && x->n >= x->limit) return ACCESS_STOP;
    try(rights_for(x, s->object, e));
    json_t *target = access_entity_json(x->a.world, s);
    int rc = tell_object(x, s, target, e);
    json_decref(target);
    return rc;
}

static const struct out_column columns[] = {{"principal.name", "principal"},
                                            {"principal.sid", "principal_sid"},
                                            {"right", NULL},
                                            {"target.name", "target"},
                                            {"target.dn", "target_dn"},
                                            {"via.trustee.name", "via"},
                                            {"via.ace.number", "ace"},
                                            {"via.ace.inherited_from.dn", "inherited_from"},
                                            {"accounts", NULL},
                                            {NULL, NULL}};

static int export_rows(struct exporting *x, struct err *e)
{
    const struct world *w = x->a.world;
    x->named = x_zalloc((w->n_principals + 1u) * sizeof *x->named);
    try(access_walk(&x->a, &x->principals, take_principal, x, e));
    stream_open(&x->stream, w, x->sets, x->a.rule, (x->expands ? 0 : STREAM_ONE_FOR_ALL) | (x->asked ? 0 : STREAM_WITHOUT_WHOLE));
    if (cli_value(x->a.cli, "dialect"))
        export_events_open(&x->events, &x->a);
    else
        try(out_open(&x->out, x->a.cli, columns, e));
    int rc = access_walk(&x->a, &x->targets, take_target, x, e);
    if (x->out) rc = out_finish(x->out, rc, e);
    access_print_gaps(&x->a, NOBODY);
    return rc;
}

static int export_all(struct exporting *x, struct cli *c, struct err *e)
{
    x->asked = cli_value(c, "right");
    x->is_tier0 = cli_value(c, "tier") != NULL;
    try(access_choice_read(&x->principals, c, "principal-kind", "principal-filter", e));
    try(access_choice_read(&x->targets, c, "kind", "target-filter", e));
    x->expands = cli_flag(c, "each") || !access_choice_is_all(&x->principals);
    try(cli_number(c, "limit", 0, 0, &x->limit, e));
    try(access_cli_open(&x->a, c, e));
    if (x->asked) try(listed_rights(x, x->a.world->connectors[0].schema, x->a.world->n_connectors == 1, e));
    x->targets.connector = x->a.connector;
    try(access_cli_sets(&x->sets, &x->a, e));
    return export_rows(x, e);
}

static int export(struct cli *c, struct err *e)
{
    struct exporting x = {.a = {.cli = c}};
    int rc = export_all(&x, c, e);
    stream_close(x.stream);
    export_events_close(x.events);
    free(x.named);
    access_choice_free(&x.principals);
    access_choice_free(&x.targets);
    access_cli_sets_done(x.sets);
    access_cli_close(&x.a);
    return rc;
}

static const struct cli_option options[] = {
    {"right", 'r', "A,B", "only these rights (default: all that change something)", NULL, false},
    {"kind", 'k', "A,B", "only targets of these kinds", NULL, false},
    {"tier", 0, "0", "only the domain, privileged groups and who is in them", "0", false},
    {"target-filter", 0, "EXPR", "only targets that fit: 'name=svc*'", NULL, false},
    {"principal-kind", 0, "A,B", "only principals of these kinds", NULL, false},
    {"principal-filter", 0, "EXPR", "only principals that fit: 'enabled=false'", NULL, false},
    {"each", 0, NULL, "each account that Everyone, Authenticated Users ... stand for, not one row for all of them", NULL, false},
    {"dialect", 'd', "NAME", "ocsf: as OCSF IAM Analysis Findings (2008), version 1.8.0", "ocsf", false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    {"rule", 0, "RULE", "windows (default), or deny-wins: a deny always overrides", "windows|deny-wins", false},
    {"connector", 'c', "NAME", "only targets of this connector", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

const struct command cmd_access_export = {
    .name = "access export",
    .arguments = "",
    .summary = "Who holds which right where, one row each, with the ACE that grants it",
    .doc = "Streams; memory does not grow with the rows. A right of one attribute, class or operation is told where an ACE of the object\n"
           "names it, and of whoever does not hold it on the whole object; one that --right names, of everybody.",
    .options = options,
    .run = export,
};
