/* ldap_present.c - who is there of each kind: listings of objectGUID alone.
 *
 * Whose uSNChanged is not readable was not found by what changed either: these few are read again.
 */
#include "source/ldap/ldap_changes.h"

#include <stdio.h>

#define BATCH      ((size_t)4096 * GUID_SIZE)
#define OPAQUE_MAX ((size_t)65536 * GUID_SIZE)

struct presence {
    struct ldap_session *s;
    enum kind kind;
    struct buf guids, opaque;
    uint64_t n, n_bad;
};

static int send_guids(struct presence *p, struct err *e)
{
    int rc = p->guids.len ? emit_present(p->s->m, p->kind, buf_bytes(&p->guids), e) : 0;
    buf_clear(&p->guids);
    return rc;
}

static int on_entry(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct presence *p = ctx;
    struct ldap_sighting seen;
    try(ldap_sight(&seen, ld, m, e));
    buf_add_bytes(seen.has_usn ? &p->guids : &p->opaque, seen.guid);
    p->n++;
    p->n_bad += !seen.guid.len;
    return p->guids.len >= BATCH ? send_guids(p, e) : 0;
}

static int tell_bad(struct presence *p, const char *what, struct err *e)
{
    struct gap g = {p->kind, GAP_LOSS, str_from(what), {"", 0}, STR("give the account read access to these objects")};
    return emit_gap(p->s->m, &g, e);
}

static int list(struct presence *p, struct err *e)
{
    static const char *attributes[] = {"objectGUID", "uSNChanged", NULL};
    struct ldap_plan *plan defer_free = x_alloc(sizeof *plan);
    try(ldap_plan_make(plan, p->kind, &p->s->set, p->s->facts.naming_context, e));
    struct ldap_search q = {.base = plan->base,
                            .scope = plan->scope,
                            .filter = plan->filter,
                            .attributes = attributes,
                            .page_size = plan->page_size};
    return ldap_conn_search(p->s->conn, &q, on_entry, NULL, p, &p->s->stats, e);
}

static int read_opaque(struct presence *p, kind_set kinds, struct err *e)
{
    if (p->opaque.failed) return err_set(e, ERR_LIMIT, "uSNChanged is readable of too few objects");
    return ldap_list_guids(p->s, p->kind, kinds, buf_bytes(&p->opaque), &(struct ldap_part){.sent = NULL}, e);
}

static int present_kind(struct presence *p, kind_set kinds, struct err *e)
{
    char what[sizeof e->message + 64];
    int rc = list(p, e);
    if (rc < 0 && !ldap_is_answer(e)) return err_wrap(e, "%s: who is there of the %s", ldap_session_host(p->s), kind_plural(p->kind));
    if (rc < 0) {
        snprintf(what, sizeof what, "not all %s could be listed: %s", kind_plural(p->kind), e->message);
        try(tell_bad(p, what, e));
    }
    if (p->n_bad) {
        snprintf(what, sizeof what, "%llu entries have no valid objectGUID", (unsigned long long)p->n_bad);
        try(tell_bad(p, what, e));
    }
    try(send_guids(p, e));
    try(read_opaque(p, kinds, e));
    return emit_kind_done(p->s->m, p->kind, rc == 0, p->n, e);
}

int ldap_present_read(struct ldap_session *s, kind_set kinds, struct err *e)
{
    for (size_t i = 0; i < n_ldap_kinds; i++) {
        if (!(kinds & KIND_BIT(ldap_kinds[i]))) continue;
        struct presence p = {.s = s, .kind = ldap_kinds[i], .guids = buf_new(2 * BATCH), .opaque = buf_new(OPAQUE_MAX)};
        int rc = present_kind(&p, kinds, e);
        buf_free(&p.opaque);
        buf_free(&p.guids);
        if (rc < 0) return rc;
    }
    return 0;
}
