/* access_diff.c - access diff: who gained and who lost which right between two runs, and by which change. */
#include "cmd/access_past.h"
#include "cmd/access_walk.h"

#include <roaring/roaring.h>
#include <stdlib.h>

#define RIGHTS_CHANGE (RIGHTS_ALL & ~(RIGHT_READ_CONTROL | RIGHT_LIST_CHILD_OBJECTS | RIGHT_READ_PROPERTY | RIGHT_LIST_OBJECT))
#define RIGHTS_MAX 256
#define CAUSES_MAX 20 /* in a row */

struct side {
    struct past *past;
    struct sets *sets;
    struct world_token token; /* of the principal of a row */
};
struct diffing {
    struct access_cli a;
    struct access_choice targets;
    struct side from, to;
    uint32_t connector;
    int64_t to_run;
    struct out *out;
    struct right rights[RIGHTS_MAX];
    size_t n_rights;
    json_t *target;
    int64_t limit, n;
};

static void add_right(struct diffing *d, const struct right *r)
{
    for (size_t i = 0; i < d->n_rights; i++)
        if (memcmp(&d->rights[i], r, sizeof *r) == 0) return;
    if (d->n_rights < RIGHTS_MAX) d->rights[d->n_rights++] = *r;
}

static void add_typed(struct diffing *d, const struct world *w, uint32_t object)
{
    struct access_object o;
    struct ace a;
    world_access_object(&o, w, object);
    if (!o.sd) return;
    for (struct bytes rest = o.sd->dacl; sd_next_ace(&rest, &a);) {
        if (!a.object_type || a.flags & ACE_INHERIT_ONLY) continue;
        for (uint32_t bit = 1; bit <= RIGHT_CONTROL_ACCESS; bit <<= 1) {
            struct right r = {.bit = bit, .is_typed = true};
            if (!(rights_map_generic(a.mask) & bit & RIGHTS_TYPED & RIGHTS_CHANGE)) continue;
            memcpy(r.guid, a.object_type, sizeof r.guid);
            add_right(d, &r);
        }
    }
}

static void rights_of(struct diffing *d, uint32_t object)
{
    d->n_rights = 0;
#define X(name, number)                                                                                      \
    if (RIGHTS_CHANGE & (number)) add_right(d, &(struct right){.bit = (number)});
    RIGHTS(X)
#undef X
    add_typed(d, d->from.past->world, object);
    add_typed(d, d->to.past->world, object);
}

/* --- by which change ---------------------------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool has(const struct world_token *t, uint32_t principal)
{
    return bsearch(&principal, t->list, t->n, sizeof *t->list, compare_numbers);
}

/* Between the runs, of the target's descriptor, or of a group that the principal was or is under. */
static bool is_cause(const struct diffing *d, const struct past_change *c, uint32_t object)
{
    if (c->run > d->to_run) return false;
    if (c->object != NOBODY) return c->object == object;
    return has(&d->to.token, c->member) || has(&d->from.token, c->member);
}

static int put_cause(struct diffing *d, const struct past_change *c, json_t *list, struct err *e)
{
    json_t *j = json_object(), *who;
    json_array_append_new(list, j);
    jsonv_put(j, "run", json_integer(c->run));
    jsonv_put(j, "time", jsonv_time(c->time_ms));
    jsonv_put(j, "change", json_string(change_type_name(c->type)));
    if (c->object != NOBODY) {
        jsonv_put(j, "attribute", json_string("nTSecurityDescriptor"));
        try(access_known_object(&d->a, c->object, &who, e));
        jsonv_put(j, "entity", who);
        return 0;
    }
    try(access_known_principal(&d->a, c->member, &who, e));
    jsonv_put(j, "member", json_incref(json_object_get(who, "name")));
    json_decref(who);
    try(access_known_principal(&d->a, c->group, &who, e));
    jsonv_put(j, "entity", who);
    return 0;
}

/* Memberships count if they are on the way that gave it, or gives it; if none is, all that could matter are told. */
static bool is_on_way(const struct why *y, const struct past_change *c)
{
    if (c->object != NOBODY) return true;
    for (size_t i = 0; i + 1 < y->n_chain; i++)
        if (y->chain[i] == c->member && y->chain[i + 1] == c->group) return true;
    return false;
}

static int put_causes(struct diffing *d, uint32_t principal, uint32_t object, const struct right *r, bool is_gain, json_t *list, struct err *e)
{
    struct side *held = is_gain ? &d->to : &d->from;
    const struct past *p = d->from.past;
    struct why y;
    try(world_token(&d->from.token, d->from.past->world, principal, d->connector, e));
    try(world_token(&d->to.token, d->to.past->world, principal, d->connector, e));
    why_make(&y, held->past->world, &held->token, principal, object, r, d->a.rule);
    for (int narrow = 1; narrow >= 0 && !json_array_size(list); narrow--)
        for (size_t i = 0; i < p->n_changes && json_array_size(list) < CAUSES_MAX; i++) {
            const struct past_change *c = &p->changes[i];
            if (is_cause(d, c, object) && (!narrow || is_on_way(&y, c))) try(put_cause(d, c, list, e));
        }
    return 0;
}

/* --- rows ----------------------------------------------------------------------------------------------------------------- */

struct telling {
    struct diffing *d;
    uint32_t object;
    const struct right *right;
    const char *name;
    bool is_gain;
};

static int tell(const struct telling *t, uint32_t principal, struct err *e)
{
    struct diffing *d = t->d;
    const struct principal *p = &d->a.world->principals[principal];
    json_t *row = json_object(), *who = NULL, *by = json_array();
    int rc = access_known_principal(&d->a, principal, &who, e);
    jsonv_put(row, "change", json_string(t->is_gain ? "gained" : "lost"));
    if (rc == 0) {
        json_t *copy = json_copy(who);
        json_decref(who);
        jsonv_put(copy, "kind", json_string(kind_name(p->kind)));
        jsonv_put(copy, "enabled", json_boolean(p->is_enabled));
        jsonv_put(row, "principal", copy);
    }
    jsonv_put(row, "target", json_incref(d->target));
    jsonv_put(row, "right", json_string(t->name));
    jsonv_put(row, "by", by);
    if (rc == 0) rc = put_causes(d, principal, t->object, t->right, t->is_gain, by, e);
    d->n++;
    if (rc == 0) return out_row(d->out, row, e);
    json_decref(row);
    return rc;
}

/* Those in a and not in b. */
static int tell_only(const struct telling *t, const struct sets_who *a, const struct sets_who *b, const struct sets *sets, struct err *e)
{
    static const struct sets_who nobody;
    if (!a->bitmap) return 0;
    if (!b) b = &nobody;
    roaring_uint32_iterator_t at;
    for (roaring_init_iterator(a->bitmap, &at); at.has_value; roaring_advance_uint32_iterator(&at)) {
        if (b->bitmap && roaring_bitmap_contains(b->bitmap, at.current_value)) continue;
        if (t->d->limit && t->d->n >= t->d->limit) return 0;
        try(tell(t, sets_principal(sets, at.current_value), e));
    }
    return 0;
}

static int compare(struct diffing *d, uint32_t object, const struct right *r, struct err *e)
{
    struct sets_who before, after;
    struct buf name = buf_new(1024);
    int rc = 0;
    sets_who_can(&before, d->from.sets, object, r, d->a.rule);
    sets_who_can(&after, d->to.sets, object, r, d->a.rule);
    bool is_known = before.is_known && after.is_known && before.bitmap && after.bitmap;
    if (is_known && !roaring_bitmap_equals(before.bitmap, after.bitmap)) {
        right_format(&name, r, d->a.world->connectors[d->connector].schema);
        struct telling t = {d, object, r, buf_cstr(&name), true};
        rc = tell_only(&t, &after, &before, d->to.sets, e);
        t.is_gain = false;
        if (rc == 0) rc = tell_only(&t, &before, &after, d->from.sets, e);
    }
    sets_close(&before);
    sets_close(&after);
    buf_free(&name);
    return rc;
}

static int take_target(void *ctx, const struct access_subject *s, struct err *e)
{
    struct diffing *d = ctx;
    int rc = 0;
    if (s->object == NOBODY || d->a.world->objects[s->object].connector != d->connector) return 0;
    if (d->limit && d->n >= d->limit) return ACCESS_STOP;
    rights_of(d, s->object);
    d->target = access_entity_json(d->a.world, s);
    for (size_t i = 0; i < d->n_rights && rc == 0; i++) rc = compare(d, s->object, &d->rights[i], e);
    json_decref(d->target);
    return rc;
}

/* --- the two runs -------------------------------------------------------------------------------------------------------------- */

static int read_runs(struct diffing *d, int64_t *from, int64_t *to, struct err *e)
{
    struct access_run a, b;
    const struct world *w = d->a.world;
    try(cli_number(d->a.cli, "from", 1, 0, from, e));
    try(cli_number(d->a.cli, "to", 1, 0, to, e));
    if (!*from) {
        err_set(e, ERR_INPUT, "access diff wants --from RUN");
        return err_hint(e, "rollcall access diff --from 12 --to 15; rollcall run list tells the runs");
    }
    try(access_find_run(&d->a, "from", *from, &a, e));
    d->connector = world_connector_named(d->a.world, str_from(a.connector));
    if (d->connector == NOBODY) return err_set(e, ERR_INPUT, "--from %lld: connector %s is no Active Directory", (long long)*from, a.connector);
    if (!*to) *to = w->connectors[d->connector].run;
    try(access_find_run(&d->a, "to", *to, &b, e));
    if (strcmp(a.connector, b.connector) != 0)
        return err_set(e, ERR_INPUT, "run %lld is of %s and run %lld of %s: both must be of one connector", (long long)*from, a.connector, (long long)*to,
                       b.connector);
    return *from <= *to ? 0 : err_set(e, ERR_INPUT, "--from %lld is after --to %lld", (long long)*from, (long long)*to);
}

static int read_side(struct diffing *d, struct side *s, int64_t run, struct err *e)
{
    try(past_read(&s->past, d->a.store, d->a.world, d->connector, run, e));
    return sets_build(&s->sets, s->past->world, e);
}

static const struct out_column columns[] = {{"change", NULL},           {"principal.name", "principal"}, {"right", NULL}, {"target.name", "target"},
                                            {"target.dn", "target dn"}, {"by", NULL},                    {NULL, NULL}};

static int diff_all(struct diffing *d, struct cli *c, struct err *e)
{
    int64_t from, to;
    try(access_choice_read(&d->targets, c, "kind", "target-filter", e));
    try(cli_number(c, "limit", 0, 0, &d->limit, e));
    try(access_cli_open(&d->a, c, e));
    try(read_runs(d, &from, &to, e));
    d->to_run = to;
    try(read_side(d, &d->from, from, e));
    try(read_side(d, &d->to, to, e));
    try(out_open(&d->out, c, columns, e));
    int rc = out_finish(d->out, access_walk(&d->a, &d->targets, take_target, d, e), e);
    access_print_lost(d->from.past);
    access_print_gaps(&d->a, d->connector);
    return rc;
}

static int diff(struct cli *c, struct err *e)
{
    struct diffing d = {.a = {.cli = c}};
    int rc = diff_all(&d, c, e);
    sets_free(d.from.sets);
    sets_free(d.to.sets);
    world_token_free(&d.from.token);
    world_token_free(&d.to.token);
    past_free(d.from.past);
    past_free(d.to.past);
    access_choice_free(&d.targets);
    access_cli_close(&d.a);
    return rc;
}

static const struct cli_option options[] = {
    {"from", 0, "RUN", "the earlier run (required)", NULL, false},
    {"to", 0, "RUN", "the later one; default: the last", NULL, false},
    {"kind", 'k', "A,B", "only targets of these kinds", NULL, false},
    {"target-filter", 0, "EXPR", "only targets that fit", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    {"rule", 0, "RULE", "windows (default), or deny-wins: a deny always overrides", "windows|deny-wins", false},
    {NULL, 0, NULL, NULL, NULL, false},
};

const struct command cmd_access_diff = {
    .name = "access diff",
    .arguments = "",
    .summary = "Who gained and who lost which right between two runs, and by which change",
    .doc = "Undoes the memberships and descriptors that the change log tells since. Accounts and objects that were created or deleted\n"
           "in between are as they are now, and so are sIDHistory and the types of groups: change list tells what became of them.",
    .options = options,
    .run = diff,
};
