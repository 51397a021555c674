/* ldap_check_controllers.c - the step `controllers`: each one that could take over, looked at without signing
 * in (one bind is enough for a check: more of them lock accounts).
 */
#include "source/ldap/ldap_check.h"

#include "base/when.h"

#include <stdlib.h>

#define LOOK_MS  5000 /* at one of them */
#define LOOK_MAX 32   /* of them */

struct look {
    struct ldap_conn *conn;
    struct ldap_facts facts;
    struct err why;
    int rc;
    bool is_skipped;
};

static void look_at(struct look *l, struct checkup *c, const struct ldap_controllers *all, size_t i)
{
    struct ldap_target target = ldap_controllers_target(all, i, &c->s.set, c->job->deadline_ms);
    memset(l, 0, sizeof *l);
    if (target.connect_timeout_ms > LOOK_MS && i) target.connect_timeout_ms = LOOK_MS;
    l->rc = ldap_conn_open(&l->conn, &target, &l->why);
    if (l->rc == 0) l->rc = ldap_facts_root(&l->facts, l->conn, target.host, &c->s.stats, &l->why);
    if (l->rc == 0) l->rc = ldap_facts_check_domain(&l->facts, c->s.set.domain, &l->why);
}

static void look_end(struct look *l)
{
    ldap_conn_close(l->conn);
    ldap_facts_free(&l->facts);
}

/* What the steps before have found of the settings' host is not told twice. */
static void skip_host(const struct checkup *c, struct look *l)
{
    memset(l, 0, sizeof *l);
    l->rc = err_set(&l->why, c->why.class ? c->why.class : ERR_NET, "see the steps above");
    l->is_skipped = true;
}

/* Two connections to one name, two controllers: a load balancer. */
static void compare_host(struct checkup *c, const struct look *l, struct finding *f)
{
    const char *first = c->s.facts.ds_service_name, *second = l->facts.ds_service_name;
    if (l->rc < 0 || !first || !second || strcmp(first, second) == 0) return;
    finding_say(f,
                "%s leads to one controller and then to another: a load balancer without session persistence",
                c->s.set.host);
    finding_warn(f, "configure session persistence (sticky sessions) on the load balancer, or name the "
                    "controllers themselves "
                    "in host and failover_hosts");
}

static void say_one(struct finding *f, const struct controller *one, const struct look *l, size_t *n_good)
{
    char server[256];
    const char *from = controller_origin_name(one->origin);
    if (l->rc == 0) {
        ++*n_good;
        finding_text(server, sizeof server, str_from(l->facts.server));
        finding_say(f, "%s (%s): ok, %s at %s", one->host, from, server, ldap_conn_address(l->conn));
        return;
    }
    size_t n = strlen(one->host);
    bool is_named = strncmp(l->why.message, one->host, n) == 0 && strncmp(l->why.message + n, ": ", 2) == 0;
    finding_say(f, "%s (%s): %s", one->host, from, l->why.message + (is_named ? n + 2 : 0));
    if (!l->is_skipped)
        finding_warn(f, "%s: %s", one->host,
                     *l->why.hint ? l->why.hint : "repair it, or take it out of the settings");
}

static json_t *detail_of(const struct controller *one, const struct look *l)
{
    json_t *o = json_pack("{s:s, s:i, s:s, s:b}", "host", one->host, "port", one->port, "from",
                          controller_origin_name(one->origin), "ok", l->rc == 0);
    if (l->rc < 0) json_object_set_new(o, "class", json_string(err_class_name(l->why.class)));
    if (l->rc == 0) json_object_set_new(o, "server", json_string(l->facts.server));
    return o;
}

static void discover(struct checkup *c, struct ldap_controllers *all, struct finding *f)
{
    struct err why;
    int64_t until = when_monotonic_ms() + c->s.set.connect_timeout_ms;
    if (until > c->job->deadline_ms) until = c->job->deadline_ms;
    if (ldap_controllers_discover(all, &c->s.set, until, &why) < 0) {
        finding_say(f, "%s", why.message);
        finding_warn(f, "%s", *why.hint ? why.hint : "check dc_discovery_domain and the DNS servers");
    }
    if (!all->n_outside) return;
    finding_say(f, "DNS names %zu controllers outside the domain, which are not used: %s", all->n_outside,
                all->outside);
    finding_warn(f, "if %s is one of yours, list it in failover_hosts", all->outside);
}

void check_controllers(struct checkup *c, struct finding *f)
{
    struct ldap_controllers *all = x_alloc(sizeof *all);
    json_t *list = json_array();
    size_t n_good = 0, n = 0;
    ldap_controllers_init(all, &c->s.set);
    discover(c, all, f);
    for (; n < all->n && n < LOOK_MAX; n++) {
        struct look l;
        int64_t began = when_monotonic_ms();
        if (n || c->s.conn)
            look_at(&l, c, all, n);
        else
            skip_host(c, &l);
        if (n || c->s.conn || all->n > 1) say_one(f, &all->list[n], &l, &n_good);
        if (n == 0) compare_host(c, &l, f);
        json_t *one = detail_of(&all->list[n], &l);
        json_object_set_new(one, "took_ms", json_integer(when_monotonic_ms() - began));
        json_array_append_new(list, one);
        look_end(&l);
    }
    if (n < all->n) finding_say(f, "%zu more were not looked at", all->n - n);
    if (all->n == 1) finding_say(f, "no other is configured to take over");
    f->detail = json_pack("{s:o, s:I, s:I}", "controllers", list, "usable", (json_int_t)n_good, "outside",
                          (json_int_t)all->n_outside);
    free(all);
}
