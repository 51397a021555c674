/* report_entities.c - the pass that looks at each entity for itself, and notes what the groups want to know of their members. */
#include "access/report/report_int.h"

#include <stdlib.h>

#define PROTECTED_USERS_RID 525
#define OWNERS_TOLD         5

struct pass {
    struct report *r;
    struct report_place_of *place;
    struct err *e;
    int rc;
};

/* --- facts -------------------------------------------------------------------------------------------------------------- */

static uint8_t *fact_at(struct report_place_of *p, int64_t entity)
{
    size_t at = (size_t)(entity & UINT32_MAX);
    if (at >= p->n_facts) {
        size_t n = at + at / 2 + 1024;
        p->facts = x_realloc(p->facts, n);
        memset(p->facts + p->n_facts, 0, n - p->n_facts);
        p->n_facts = n;
    }
    p->id = entity >> 32;
    return &p->facts[at];
}

uint8_t report_fact(const struct report *r, int64_t entity)
{
    size_t at = (size_t)(entity & UINT32_MAX);
    for (size_t i = 0; i < r->n_places; i++)
        if (r->places[i].id == entity >> 32) return at < r->places[i].n_facts ? r->places[i].facts[at] : 0;
    return 0;
}

static bool is_contractor(const struct record_index *x)
{
    struct str s;
    if (!record_str(x, ATTR_EMPLOYEE_TYPE, &s)) return false;
    for (size_t i = 0; i + 6 <= s.len; i++) {
        if (i + 8 <= s.len && str_equal_nocase((struct str){s.ptr + i, 8}, STR("contract"))) return true;
        if (str_equal_nocase((struct str){s.ptr + i, 6}, STR("extern"))) return true;
    }
    return false;
}

static void note_facts(struct report_place_of *p, const struct report_entity *x)
{
    uint8_t *fact = fact_at(p, x->entity->id);
    *fact |= FACT_IS_HERE;
    if (kind_is_account(x->entity->record.kind) && x->derived->is_active == TRI_NO) *fact |= FACT_IS_DISABLED;
    if (x->entity->record.kind != KIND_user) return;
    p->n_accounts++;
    *fact |= FACT_IS_ACCOUNT;
    if (report_is_unused(x)) *fact |= FACT_IS_UNUSED;
    if (is_contractor(x->x)) *fact |= FACT_IS_CONTRACTOR;
    if (x->is_guest) *fact |= FACT_IS_GUEST;
}

/* --- what must be known before ------------------------------------------------------------------------------------------------ */

static bool find_sign_in(void *ctx, const struct entity *entity)
{
    struct pass *p = ctx;
    struct record_index x;
    int64_t ms;
    struct err ignored;
    if (record_index(&x, &entity->record, &ignored) < 0) return true;
    p->place->has_sign_ins = record_int(&x, ATTR_LAST_SIGN_IN, &ms) || record_int(&x, ATTR_LAST_SUCCESSFUL_SIGN_IN, &ms) ||
                             record_int(&x, ATTR_LAST_NON_INTERACTIVE, &ms);
    return !p->place->has_sign_ins;
}

struct todo {
    int64_t *list;
    size_t n, cap;
    struct report_place_of *place;
};

static void take_id(void *ctx, const struct entity *entity)
{
    *(int64_t *)ctx = entity->id;
}

static bool mark_protected(void *ctx, const struct link *l)
{
    struct todo *t = ctx;
    if (!l->entity_id) return true;
    uint8_t *fact = fact_at(t->place, l->entity_id);
    if (*fact & FACT_IS_PROTECTED) return true;
    *fact |= FACT_IS_PROTECTED;
    if (l->kind != KIND_group) return true;
    GROW(t->list, t->n, t->cap, 64);
    t->list[t->n++] = l->entity_id;
    return true;
}

/* Who is in Protected Users, through nesting. */
static int read_protected(struct report *r, struct report_place_of *p, struct err *e)
{
    struct sid sid;
    char text[SID_TEXT];
    struct err ignored;
    int64_t group = 0;
    if (sid_decode(&sid, p->domain.sid, &ignored) < 0 || sid.n_sub >= 15) return 0;
    sid.sub[sid.n_sub++] = PROTECTED_USERS_RID;
    int rc = store_entity_find(r->options.store, p->told.name, str_from(sid_format(text, &sid)), false, take_id, &group, e);
    if (rc == ERR_NOTFOUND || rc == ERR_CONFLICT) return 0;
    struct todo t = {.place = p};
    if (rc == 0) rc = store_links(r->options.store, group, LINK_MEMBERS_OF, mark_protected, &t, e);
    for (size_t i = 0; rc == 0 && i < t.n; i++) rc = store_links(r->options.store, t.list[i], LINK_MEMBERS_OF, mark_protected, &t, e);
    free(t.list);
    return rc;
}

static int look_ahead(struct pass *p)
{
    struct report_place_of *place = p->place;
    struct entity_query users = {.connector = place->told.name, .kinds = KIND_BIT(KIND_user)};
    if (!place->told.is_tenant) return report_wants(p->r, RULE_PRIV_09) ? read_protected(p->r, place, p->e) : 0;
    try(store_entities(p->r->options.store, &users, find_sign_in, p, p->e));
    if (!place->has_sign_ins)
        report_add_gap(p->r, place->told.name, STR("nobody's sign-ins were read: nothing is said of unused accounts"),
                       STR("AuditLog.Read.All and a licence of Microsoft Entra ID P1 are needed"));
    return 0;
}

/* --- each --------------------------------------------------------------------------------------------------------------------------- */

static void add_owner_names(struct report *r, const struct report_entity *x)
{
    struct values v = record_values(x->x, ATTR_OWNERS);
    struct bytes id;
    struct link l;
    for (unsigned i = 0; i < OWNERS_TOLD && values_next_bytes(&v, &id); i++) {
        bool is_known = store_resolve_dn(r->options.store, x->entity->connector, str_of(id), &l);
        if (i) buf_add_str(&r->detail, STR(", "));
        buf_add_str(&r->detail, is_known ? l.name : str_of(id));
    }
    if (v.n) buf_printf(&r->detail, " and %u more", v.n);
}

static int test_all(struct report *r, const struct report_entity *x, struct err *e)
{
    unsigned here = x->is_tenant ? REPORT_IN_TENANT : REPORT_IN_DOMAIN;
    for (size_t i = 0; i < report_n; i++) {
        const struct report_rule *rule = &report_rules[i];
        if (!r->results[i].is_chosen || !rule->test || !(rule->place & here) || !(rule->kinds & KIND_BIT(x->entity->record.kind))) continue;
        buf_clear(&r->detail);
        if (!rule->test(x, &r->detail)) continue;
        if (i == RULE_ENTRA_06) add_owner_names(r, x);
        try(report_hit_entity(r, (enum rule)i, x->entity, buf_str(&r->detail), e));
    }
    return 0;
}

static int look_at(struct pass *p, const struct entity *entity)
{
    struct record_index index;
    struct derived derived;
    struct report_entity x;
    try(record_index(&index, &entity->record, p->e));
    report_entity_fill(&x, p->place, entity, &index, &derived);
    x.is_protected_user = report_fact(p->r, entity->id) & FACT_IS_PROTECTED;
    note_facts(p->place, &x);
    return test_all(p->r, &x, p->e);
}

static bool each(void *ctx, const struct entity *entity)
{
    struct pass *p = ctx;
    p->rc = look_at(p, entity);
    return p->rc == 0;
}

int report_entities(struct report *r, struct err *e)
{
    for (size_t i = 0; i < r->n_places; i++) {
        struct pass p = {.r = r, .place = &r->places[i], .e = e};
        struct entity_query all = {.connector = p.place->told.name};
        try(look_ahead(&p));
        try(store_entities(r->options.store, &all, each, &p, e));
        if (p.rc < 0) return p.rc;
    }
    return 0;
}
