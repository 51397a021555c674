#include "source/ldap/ldap_bind.h"

#include "base/when.h"

#include <stdio.h>
#include <stdlib.h>

#define LEFT_MS 60000 /* of a ticket that is still worth using */
#define SKEW_MS 300000

bool ldap_session_binds_first(const struct ldap_session *s)
{
    return s->set.security == LDAP_SEC_SEALED;
}

/* --- the ticket ------------------------------------------------------------------------------------------
 */

static struct ldap_target target_of(const struct ldap_session *s)
{
    if (!s->controllers.n) return ldap_session_target(s);
    return ldap_controllers_target(&s->controllers, s->serving, &s->set, s->job->deadline_ms);
}

/* Every controller is a KDC. certificate_name is one more name of the host. */
static size_t list_kdcs(const struct ldap_session *s, const char *out[KRB_KDCS_MAX])
{
    size_t n = 0;
    out[n++] = target_of(s).host;
    if (s->set.verify_name && strcmp(s->set.verify_name, out[0]) != 0) out[n++] = s->set.verify_name;
    for (size_t i = 0; i < s->controllers.n && n < KRB_KDCS_MAX; i++)
        if (i != s->serving) out[n++] = s->controllers.list[i].host;
    return n;
}

static int open_krb(struct ldap_session *s, struct err *e)
{
    const char *kdcs[KRB_KDCS_MAX];
    struct krb_how how = {
        .domain = s->set.domain,
        .kdcs = kdcs,
        .n_kdcs = list_kdcs(s, kdcs),
        .dns_servers = *s->set.dns_servers ? s->set.dns_servers : NULL,
        .config = s->set.krb5_config,
        .timeout_ms = s->set.connect_timeout_ms,
        .deadline_ms = s->job->deadline_ms,
    };
    return krb_open(&s->krb, &how, e);
}

static int get_ticket(struct ldap_session *s, struct err *e)
{
    switch (s->set.auth) {
    case LDAP_BY_KERBEROS:
        return krb_sign_in(s->krb, s->set.username, &s->job->password, e);
    case LDAP_BY_CACHE:
        return krb_use_cache(s->krb, s->set.cache, s->set.username, e);
    case LDAP_BY_KEYTAB:
        return krb_sign_in_keytab(s->krb, s->set.keytab, s->set.username, e);
    case LDAP_BY_PASSWORD:
        break;
    }
    return err_set(e, ERR_BUG, "a ticket for a simple bind");
}

int ldap_session_ticket(struct ldap_session *s, const struct krb_ticket **out, struct err *e)
{
    if (!s->krb && open_krb(s, e) < 0) return err_wrap(e, "Kerberos");
    *out = krb_ticket(s->krb);
    if (*out && (*out)->ends_ms > when_now_ms() + LEFT_MS) return 0;
    if (get_ticket(s, e) < 0) return err_wrap(e, "Kerberos");
    *out = krb_ticket(s->krb);
    return 0;
}

/* --- the service -----------------------------------------------------------------------------------------
 */

/* kerberos_spn is the host's; the other controllers have names of their own. */
static int name_service(const struct ldap_session *s, char out[KRB_NAME_MAX], struct err *e)
{
    struct ldap_target t = target_of(s);
    bool is_host = !s->controllers.n || s->controllers.list[s->serving].origin == CONTROLLER_HOST;
    const char *name = host_is_literal(t.host) ? t.verify_name : t.host;
    if (s->set.spn && is_host) {
        snprintf(out, KRB_NAME_MAX, "%s", s->set.spn);
        return 0;
    }
    if (!name || host_is_literal(name)) {
        err_set(e, ERR_INPUT, "Kerberos: %s is an address, and a service is asked for by name", t.host);
        return err_hint(e, "set host to the controller's name, or kerberos_spn: ldap/<controller's name>");
    }
    snprintf(out, KRB_NAME_MAX, "ldap/%s", name);
    return 0;
}

/* A refusal does not tell that a clock is wrong; the controller's own time does. */
static int blame_clock(const struct ldap_session *s, struct err *e)
{
    int64_t skew = s->facts.time_ms ? s->facts.time_ms - s->facts.asked_at_ms : 0;
    if (e->class != ERR_AUTH || (skew < SKEW_MS && skew > -SKEW_MS) || strstr(e->message, "clock"))
        return e->class;
    char was[sizeof e->message];
    snprintf(was, sizeof was, "%s", e->message);
    err_set(e, ERR_AUTH, "%s; its clock is %lld s %s", was, (long long)(llabs(skew) / 1000),
            skew < 0 ? "behind ours" : "ahead of ours");
    return err_hint(e, "set both clocks by the same NTP source; Kerberos accepts a difference of 5 minutes");
}

static int bind_kerberos(struct ldap_session *s, struct err *e)
{
    char wanted[KRB_NAME_MAX], service[KRB_NAME_MAX];
    const struct krb_ticket *ticket;
    try(name_service(s, wanted, e));
    try(ldap_session_ticket(s, &ticket, e));
    krb_prefer(s->krb, target_of(s).host);
    if (krb_service_ticket(s->krb, wanted, service, e) < 0) return err_wrap(e, "Kerberos");
    struct ldap_kerberos how = {.cache = krb_cache_name(s->krb),
                                .service = service,
                                .who = ticket->principal,
                                .mechanism = s->set.mechanism};
    snprintf(s->service, sizeof s->service, "%s", service);
    int rc = ldap_conn_bind_kerberos(s->conn, &how, e);
    return rc < 0 ? blame_clock(s, e) : rc;
}

int ldap_session_bind(struct ldap_session *s, struct err *e)
{
    if (s->set.auth == LDAP_BY_PASSWORD)
        return ldap_conn_bind_simple(s->conn, s->set.username, &s->job->password, e);
    return bind_kerberos(s, e);
}

const char *ldap_session_account(const struct ldap_session *s)
{
    const struct krb_ticket *ticket = s->krb ? krb_ticket(s->krb) : NULL;
    return s->set.username ? s->set.username : ticket ? ticket->principal : "";
}

void ldap_session_share_tickets(struct ldap_session *to, const struct ldap_session *from)
{
    to->krb = from->krb;
    to->is_krb_shared = from->krb != NULL;
}

void ldap_session_describe_bind(const struct ldap_session *s, char *out, size_t size)
{
    const struct krb_ticket *ticket = s->krb ? krb_ticket(s->krb) : NULL;
    if (s->set.auth == LDAP_BY_PASSWORD || !ticket) {
        snprintf(out, size, "simple bind as %s", s->set.username ? s->set.username : "");
        return;
    }
    snprintf(out, size, "Kerberos (%s) as %s to %s, %s",
             s->set.mechanism == GSS_MECH_SPNEGO ? "GSS-SPNEGO" : "GSSAPI", ticket->principal, s->service,
             s->set.security == LDAP_SEC_SEALED ? "signed and sealed" : "bound to the TLS channel");
}
