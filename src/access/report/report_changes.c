/* report_changes.c - the pass over the change log of the last days: who came back, who came in. */
#include "access/report/report_int.h"

#include "base/hash.h"

#include <stdlib.h>

#define MANY_MEMBERS 1000

struct grown {
    int64_t group;
    uint64_t n;
    bool is_privileged;
};
struct log {
    struct report *r;
    struct report_place_of *place;
    int64_t since_ms;
    struct hmap at; /* group id -> place in grown + 1 */
    struct grown *grown;
    size_t n_grown, cap_grown;
    struct err *e;
    int rc;
};

/* --- the entity behind a change --------------------------------------------------------------------------------------------- */

struct wanted {
    struct log *log;
    int64_t id;
    int (*found)(struct log *l, const struct entity *x, void *ctx);
    void *ctx;
};

static bool take_wanted(void *ctx, const struct entity *x)
{
    struct wanted *w = ctx;
    if (x->id == w->id) w->log->rc = w->found(w->log, x, w->ctx);
    return false;
}

/* Calls found unless it is gone. */
static int with_entity(struct log *l, int64_t id, int (*found)(struct log *, const struct entity *, void *), void *ctx)
{
    struct wanted w = {l, id, found, ctx};
    struct entity_query q = {.connector = l->place->told.name, .after_id = id - 1, .limit = 1};
    try(store_entities(l->r->options.store, &q, take_wanted, &w, l->e));
    return l->rc;
}

/* --- accounts that came back --------------------------------------------------------------------------------------------------- */

static bool number_of(struct bytes entry, int64_t *out)
{
    struct cursor c = cursor_new(entry);
    struct values v;
    return body_next(&c, &v) && values_next_int(&v, out);
}

static bool is_switched_on(const struct change *c)
{
    int64_t before, after;
    if (c->type != CHANGE_modified || !number_of(c->old, &before) || !number_of(c->new, &after)) return false;
    if (str_equal(c->attribute, STR("userAccountControl"))) return before & UAC_ACCOUNTDISABLE && !(after & UAC_ACCOUNTDISABLE);
    return str_equal(c->attribute, STR("accountEnabled")) && !before && after;
}

static int hit_back(struct log *l, const struct entity *x, void *ctx)
{
    const struct change *c = ctx;
    buf_clear(&l->r->detail);
    buf_add_str(&l->r->detail, c->type == CHANGE_restored ? STR("restored, seen ") : STR("switched on, seen "));
    report_add_day(&l->r->detail, c->time_ms);
    return report_hit_entity(l->r, RULE_ACC_27, x, buf_str(&l->r->detail), l->e);
}

static int look_at_account(struct log *l, const struct change *c)
{
    if (!report_wants(l->r, RULE_ACC_27) || !(report_rules[RULE_ACC_27].kinds & KIND_BIT(c->kind))) return 0;
    if (c->type != CHANGE_restored && !is_switched_on(c)) return 0;
    return with_entity(l, c->entity_id, hit_back, (void *)c);
}

/* --- groups that grew ------------------------------------------------------------------------------------------------------------- */

static int judge_group(struct log *l, const struct entity *x, void *ctx)
{
    struct record_index index;
    struct grown *g = ctx;
    try(record_index(&index, &x->record, l->e));
    unsigned own = x->record.kind == KIND_role ? derive_role(&index) : derive_privileged_group(x->record.sid, l->place->domain.sid);
    g->is_privileged = own || x->privileges & (PRIV_PROTECTED | PRIV_DIRECTORY_ROLE);
    return 0;
}

static struct grown *grown_of(struct log *l, int64_t group)
{
    bool is_new;
    uint32_t *at = hmap_put(&l->at, hash128_fast(BYTES_OF(group)), &is_new);
    if (!is_new) return &l->grown[*at - 1];
    GROW(l->grown, l->n_grown, l->cap_grown, 256);
    l->grown[l->n_grown++] = (struct grown){.group = group};
    *at = (uint32_t)l->n_grown;
    struct grown *g = &l->grown[l->n_grown - 1];
    l->rc = with_entity(l, group, judge_group, g);
    return g;
}

static int hit_member(struct log *l, const struct entity *x, void *ctx)
{
    const struct change *c = ctx;
    buf_clear(&l->r->detail);
    buf_add_str(&l->r->detail, c->member_name);
    buf_add_str(&l->r->detail, STR(", seen "));
    report_add_day(&l->r->detail, c->time_ms);
    return report_hit_entity(l->r, RULE_GROUP_10, x, buf_str(&l->r->detail), l->e);
}

static int look_at_member(struct log *l, const struct change *c)
{
    if (c->type != CHANGE_member_added || !(report_rules[RULE_GROUP_10].kinds & KIND_BIT(c->kind))) return 0;
    struct grown *g = grown_of(l, c->entity_id);
    if (l->rc < 0) return l->rc;
    g->n++;
    return g->is_privileged && report_wants(l->r, RULE_GROUP_10) ? with_entity(l, c->entity_id, hit_member, (void *)c) : 0;
}

static int hit_grown(struct log *l, const struct entity *x, void *ctx)
{
    char text[60];
    const struct grown *g = ctx;
    if (x->record.kind != KIND_group) return 0;
    snprintf(text, sizeof text, "%llu members came", (unsigned long long)g->n);
    return report_hit_entity(l->r, RULE_GROUP_11, x, str_from(text), l->e);
}

/* --- the pass ------------------------------------------------------------------------------------------------------------------------ */

static bool each(void *ctx, const struct change *c)
{
    struct log *l = ctx;
    if (c->time_ms < l->since_ms) return false;
    l->rc = look_at_account(l, c);
    if (l->rc == 0) l->rc = look_at_member(l, c);
    return l->rc == 0;
}

static int read_log(struct log *l)
{
    struct change_query q = {.connector = l->place->told.name, .newest_first = true};
    try(store_changes(l->r->options.store, &q, each, l, l->e));
    if (l->rc < 0) return l->rc;
    for (size_t i = 0; report_wants(l->r, RULE_GROUP_11) && i < l->n_grown; i++)
        if (l->grown[i].n > MANY_MEMBERS) try(with_entity(l, l->grown[i].group, hit_grown, &l->grown[i]));
    return 0;
}

int report_changes(struct report *r, struct err *e)
{
    for (size_t i = 0; i < r->n_places; i++) {
        struct log l = {.r = r, .place = &r->places[i], .since_ms = r->places[i].told.as_of_ms - RECENT_DAYS * WHEN_DAY_MS, .e = e};
        int rc = read_log(&l);
        hmap_free(&l.at);
        free(l.grown);
        if (rc < 0) return rc;
    }
    return 0;
}
