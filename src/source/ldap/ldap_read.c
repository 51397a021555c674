/* ldap_read.c - the whole of a domain: BEGIN, each kind in turn, END. */
#include "source/ldap/ldap_source.h"

#include "source/ldap/ldap_list.h"

#include <stdio.h>

static int begin(struct ldap_session *s, struct err *e)
{
    json_t *facts = ldap_facts_begin(&s->facts, ldap_conn_address(s->conn), s->set.base_dn);
    int rc = emit_begin(s->m, facts, e);
    json_decref(facts);
    return rc;
}

static int tell_references(struct ldap_session *s, struct err *e)
{
    char what[128];
    if (!s->references.n_used) return 0;
    snprintf(what, sizeof what, "%zu continuation references to other naming contexts were not followed",
             s->references.n_used);
    struct gap g = {.severity = GAP_INFO, .what = str_from(what), .where = str_from(s->reference)};
    g.fix = STR("make a connector for each domain; DNS zones and the configuration hold no identities");
    return emit_gap(s->m, &g, e);
}

static int read_all(struct ldap_session *s, struct err *e)
{
    kind_set kinds = s->job->kinds ? s->job->kinds & ldap_kinds_all() : ldap_kinds_all();
    if (!kinds) return err_set(e, ERR_INPUT, "Active Directory has none of the kinds asked for");
    try(begin(s, e));
    for (size_t i = 0; i < n_ldap_kinds; i++)
        if (kinds & KIND_BIT(ldap_kinds[i])) try(ldap_list_kind(s, ldap_kinds[i], kinds, e));
    try(tell_references(s, e));
    return emit_end(s->m, s->stats.requests, s->stats.bytes, s->facts.server, e);
}

int ldap_read(const struct job *j, struct emit *m, struct err *e)
{
    struct ldap_session s;
    int rc = ldap_session_open(&s, j, m, e);
    if (rc == 0) rc = read_all(&s, e);
    ldap_session_close(&s);
    return rc;
}
