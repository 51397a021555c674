/* report_privileged.c - who is really in the privileged groups, and how. The groups are found by SID and RID (model/derive.h). */
#include "access/report/report_world.h"

#include "model/derive.h"

#define CHAIN_TOLD 64

static unsigned privilege_of(const struct world *w, uint32_t group)
{
    const struct principal *p = &w->principals[group];
    return p->kind == KIND_group && p->connector != NOBODY ? derive_privileged_group(p->sid, w->connectors[p->connector].domain.sid) : 0;
}

/* How a principal is directly in the group that it was reached from. */
static const char *arrow(const struct world *w, uint32_t member, uint32_t group)
{
    for (uint32_t k = w->first_group[member]; k < w->first_group[member + 1]; k++)
        if (w->groups_of[k] == group) return w->via_of[k] == VIA_PRIMARY_GROUP ? " -[primary group]-> " : " -> ";
    return " -[sIDHistory]-> ";
}

/* "alice -> Helpdesk -[primary group]-> Domain Admins" */
static int add_chain(struct report_world *x, struct buf *b, uint32_t principal)
{
    struct str name;
    unsigned n = 0;
    for (uint32_t p = principal, next;; p = next) {
        next = x->down.next[p];
        if (n++ == CHAIN_TOLD && next != p) {
            buf_add_str(b, STR("..."));
            return 0;
        }
        try(world_name(x, p, &name));
        buf_add_str(b, name);
        if (next == p) return 0;
        buf_add_str(b, str_from(arrow(x->w, p, next)));
    }
}

static bool is_told(const struct world *w, uint32_t principal)
{
    const struct principal *p = &w->principals[principal];
    return p->is_account || p->kind != KIND_group || world_is_implicit(w, principal);
}

static int tell_member(struct report_world *x, uint32_t principal)
{
    struct buf *b = &x->r->detail;
    buf_clear(b);
    try(add_chain(x, b, principal));
    if (!x->w->principals[principal].is_enabled && x->w->principals[principal].is_account) buf_add_str(b, STR(" (disabled)"));
    if (world_is_implicit(x->w, principal)) buf_add_str(b, STR(" (every account)"));
    return report_hit_principal(x, RULE_PRIV_01, principal, buf_str(b));
}

static int tell_group(struct report_world *x, uint32_t group)
{
    const struct descent *d = &x->down;
    uint64_t n = 0, direct = 0;
    for (size_t i = 1; i < d->n; i++) {
        n += x->w->principals[d->list[i]].is_account;
        direct += x->w->principals[d->list[i]].is_account && d->next[d->list[i]] == group;
    }
    struct buf *b = &x->r->detail;
    buf_clear(b);
    buf_printf(b, "%llu account%s, %llu of them directly", (unsigned long long)n, n == 1 ? "" : "s", (unsigned long long)direct);
    return report_hit_principal(x, RULE_PRIV_02, group, buf_str(b));
}

static int look_at_group(struct report_world *x, uint32_t group)
{
    descend(x, group);
    for (size_t i = 0; i < x->down.n; i++) x->is_admin[x->down.list[i]] = !world_is_implicit(x->w, x->down.list[i]);
    if (report_wants(x->r, RULE_PRIV_02)) try(tell_group(x, group));
    if (!report_wants(x->r, RULE_PRIV_01)) return 0;
    for (size_t i = 1; i < x->down.n; i++)
        if (is_told(x->w, x->down.list[i])) try(tell_member(x, x->down.list[i]));
    return 0;
}

static int tell_history(struct report_world *x)
{
    const struct world *w = x->w;
    char text[SID_TEXT];
    for (size_t i = 0; i < w->index->n_history; i++) {
        const struct history *h = &w->index->history[i];
        unsigned bits = 0;
        for (size_t c = 0; c < w->n_connectors; c++) bits |= derive_privileged_group(h->sid, w->connectors[c].domain.sid);
        if (!bits) continue;
        buf_clear(&x->r->detail);
        buf_printf(&x->r->detail, "sIDHistory has %s", sid_format_bytes(text, h->sid));
        uint32_t group = world_principal_by_sid(w, h->sid);
        struct str name = {"", 0};
        if (group != NOBODY) try(world_name(x, group, &name));
        if (name.len) buf_printf(&x->r->detail, " (%.*s)", STR_FMT(name));
        try(report_hit_principal(x, RULE_PRIV_07, h->principal, buf_str(&x->r->detail)));
    }
    return 0;
}

/* The system and the domain controllers of the forest rule it anyway: S-1-5-18, S-1-5-9. */
static void mark_system(struct report_world *x)
{
    static const uint32_t rids[] = {18, 9};
    for (size_t i = 0; i < n_elements(rids); i++) {
        struct sid s = {.authority = 5, .n_sub = 1, .sub = {rids[i]}};
        uint8_t raw[SID_MAX];
        uint32_t p = world_principal_by_sid(x->w, (struct bytes){raw, sid_encode(raw, &s)});
        if (p != NOBODY) x->is_admin[p] = 1;
    }
}

int report_privileged(struct report_world *x)
{
    mark_system(x);
    for (uint32_t p = 0; p < x->w->n_principals; p++)
        if (privilege_of(x->w, p)) try(look_at_group(x, p));
    return report_wants(x->r, RULE_PRIV_07) ? tell_history(x) : 0;
}
