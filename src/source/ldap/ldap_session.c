#include "source/ldap/ldap_session.h"

#include "model/dn.h"
#include "source/ldap/ldap_value.h"

#define REFERENCES_MAX 100000 /* of which more are not counted */

struct ldap_target ldap_session_target(const struct ldap_session *s)
{
    return (struct ldap_target){
        .host = s->set.host,
        .port = s->set.port,
        .security = s->set.security,
        .verify_name = s->set.verify_name,
        .ca_path = s->set.ca_path,
        .connect_timeout_ms = s->set.connect_timeout_ms,
        .answer_timeout_ms = s->set.answer_timeout_ms,
        .deadline_ms = s->job->deadline_ms,
    };
}

static bool is_below(const char *dn, const char *base)
{
    struct buf a = buf_new(65536), b = buf_new(65536);
    dn_normalize(&a, str_from(dn));
    dn_normalize(&b, str_from(base));
    bool yes = !a.failed && !b.failed && dn_is_under(buf_str(&a), buf_str(&b));
    buf_free(&a);
    buf_free(&b);
    return yes;
}

int ldap_session_check_base(struct ldap_session *s, struct err *e)
{
    const char *attributes[] = {LDAP_NO_ATTRS, NULL};
    struct ldap_search q = {.base = s->set.base_dn,
                            .scope = LDAP_SCOPE_BASE,
                            .filter = "(objectClass=*)",
                            .attributes = attributes};
    struct fetched f;
    if (!q.base) return 0;
    if (!is_below(q.base, s->facts.naming_context)) {
        err_set(e, ERR_INPUT, "base_dn %s is not in the domain %s", q.base, s->facts.naming_context);
        return err_hint(e, "give the full DN, ending in %s", s->facts.naming_context);
    }
    if (ldap_fetch(&f, s->conn, &q, &s->stats, e) < 0) return err_wrap(e, "base_dn %s", q.base);
    bool is_found = f.n_entries > 0;
    fetched_free(&f);
    if (is_found) return 0;
    err_set(e, ERR_NOTFOUND, "base_dn %s: no such object, or not visible to the account", q.base);
    return err_hint(e, "check the DN, and that the account may read it");
}

int ldap_session_reference(void *ctx, const char *url, struct err *e)
{
    struct ldap_session *s = ctx;
    bool is_new;
    (void)e;
    if (!s->references.n_used) example_set(s->reference, str_from(url));
    if (s->references.n_used < REFERENCES_MAX)
        hmap_put(&s->references, hash128_of(hash_process_key(), bytes_of(str_from(url))), &is_new);
    return 0;
}

int ldap_session_open(struct ldap_session *out, const struct job *j, struct emit *m, struct err *e)
{
    memset(out, 0, sizeof *out);
    out->job = j;
    out->m = m;
    try(ldap_settings_read(&out->set, j->settings, e));
    struct ldap_target target = ldap_session_target(out);
    try(ldap_conn_open(&out->conn, &target, e));
    /* before the password is sent: is this the directory it belongs to? */
    if (ldap_facts_root(&out->facts, out->conn, out->set.host, &out->stats, e) < 0)
        return err_wrap(e, "%s", out->set.host);
    try(ldap_facts_check_domain(&out->facts, out->set.domain, e));
    try(ldap_conn_bind_simple(out->conn, out->set.username, &j->password, e));
    if (ldap_facts_domain(&out->facts, out->conn, &out->stats, e) < 0 || ldap_session_check_base(out, e) < 0)
        return err_wrap(e, "%s", out->set.host);
    return 0;
}

void ldap_session_close(struct ldap_session *s)
{
    ldap_conn_close(s->conn);
    ldap_facts_free(&s->facts);
    hmap_free(&s->references);
    s->conn = NULL;
}
