#include "source/ldap/ldap_controllers.h"

#include "conf/conf.h"
#include "net/srv.h"

#include <stdio.h>
#include <stdlib.h>

const char *controller_origin_name(enum controller_origin o)
{
    static const char *const names[] = {"host", "failover_hosts", "dc_discovery"};
    return names[o];
}

/* Names are the same whatever their case and with a final dot or without; a port makes no other controller of
 * it. */
static bool is_listed(const struct ldap_controllers *c, struct str host)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_equal_nocase(str_from(c->list[i].host), host)) return true;
    return false;
}

static void add(struct ldap_controllers *c, struct str host, uint16_t port, enum controller_origin origin)
{
    if (host.len && host.ptr[host.len - 1] == '.') host.len--;
    if (!host.len || c->n == CONTROLLERS_MAX || host.len >= sizeof c->list[0].host) return;
    /* the same name at another port is a tunnel or a test: both are meant */
    if (origin == CONTROLLER_DISCOVERED && is_listed(c, host)) return;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].port == port && str_equal_nocase(str_from(c->list[i].host), host)) return;
    struct controller *one = &c->list[c->n++];
    *one = (struct controller){.port = port, .origin = origin};
    snprintf(one->host, sizeof one->host, "%.*s", STR_FMT(host));
}

void ldap_controllers_init(struct ldap_controllers *out, const struct ldap_settings *s)
{
    const json_t *one;
    size_t i;
    memset(out, 0, sizeof *out);
    add(out, str_from(s->host), s->port, CONTROLLER_HOST);
    json_array_foreach(s->failover_hosts, i, one)
    {
        struct str host;
        uint16_t port;
        if (!conf_split_port(&host, &port, str_from(json_string_value(one)))) continue;
        add(out, host, port ? port : s->port, CONTROLLER_FAILOVER);
    }
}

static bool is_below(struct str name, const char *domain)
{
    struct str d = str_from(domain);
    return name.len > d.len + 1 && name.ptr[name.len - d.len - 1] == '.' &&
           str_equal_nocase((struct str){name.ptr + name.len - d.len, d.len}, d);
}

/* MS-ADTS 6.3.2.3: every controller of a domain registers this name. The record's port is 389 and says
 * nothing of LDAPS: the connector's own port is used. */
int ldap_controllers_discover(struct ldap_controllers *c, const struct ldap_settings *s, int64_t deadline_ms,
                              struct err *e)
{
    char name[320];
    size_t n;
    if (!s->dc_discovery) return 0;
    snprintf(name, sizeof name, "_ldap._tcp.dc._msdcs.%s", s->dc_discovery_domain);
    struct srv_record *found = x_alloc(SRV_MAX * sizeof *found);
    int rc = srv_lookup(found, SRV_MAX, &n, name, *s->dns_servers ? s->dns_servers : NULL, deadline_ms, e);
    if (rc == 0) c->n_outside = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct str target = str_from(found[i].target);
        if (is_below(target, s->domain) || is_below(target, s->dc_discovery_domain))
            add(c, target, s->port, CONTROLLER_DISCOVERED);
        else if (!c->n_outside++)
            snprintf(c->outside, sizeof c->outside, "%s", found[i].target);
    }
    free(found);
    return rc < 0 ? err_wrap(e, "dc_discovery") : 0;
}

struct ldap_target ldap_controllers_target(const struct ldap_controllers *c, size_t i,
                                           const struct ldap_settings *s, int64_t deadline_ms)
{
    const struct controller *one = &c->list[i];
    return (struct ldap_target){
        .host = one->host,
        .port = one->port,
        .security = s->security,
        .verify_name = one->origin == CONTROLLER_DISCOVERED ? NULL : s->verify_name,
        .ca_path = s->ca_path,
        .dns_servers = *s->dns_servers ? s->dns_servers : NULL,
        .connect_timeout_ms = s->connect_timeout_ms,
        .answer_timeout_ms = s->answer_timeout_ms,
        .deadline_ms = deadline_ms,
    };
}
