/* ldap_check.c - `check`: one step after the other, each with what was seen and what to do about it. */
#include "source/ldap/ldap_check.h"

#include "base/when.h"
#include "conf/conf.h"
#include "net/certificate.h"
#include "source/ldap/ldap_bind.h"
#include "source/ldap/ldap_source.h"
#include "vault/vault.h"

#include <stdio.h>
#include <unistd.h>

#define EXPIRES_SOON_MS ((int64_t)30 * 24 * 3600 * 1000)
#define SKEW_WARN_MS    60000
#define SKEW_FAIL_MS    300000 /* Kerberos refuses more (RFC 4120 clock skew, as Active Directory sets it) */

/* --- up to the bind ------------------------------------------------------------------------------------ */

static void check_settings(struct checkup *c, struct finding *f)
{
    const struct ldap_settings *set = &c->s.set;
    if (ldap_settings_read(&c->s.set, c->job->settings, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    finding_say(f, "%s, %s:%u, %s", set->domain, set->host, set->port,
                set->security == LDAP_SEC_LDAPS      ? "LDAPS"
                : set->security == LDAP_SEC_STARTTLS ? "StartTLS"
                                                     : "LDAP, signed and sealed by Kerberos");
    if (set->auth == LDAP_BY_CACHE)
        finding_say(f, "Kerberos ticket cache %s", set->cache);
    else if (set->auth == LDAP_BY_KEYTAB)
        finding_say(f, "Kerberos keytab %s%s%s", set->keytab, set->username ? " as " : "", set->username ? set->username : "");
    else
        finding_say(f, "%s as %s", set->auth == LDAP_BY_KERBEROS ? "Kerberos" : "simple bind", set->username);
    if (set->base_dn) finding_say(f, "below %s", set->base_dn);
}

static void check_secret(struct checkup *c, struct finding *f)
{
    const char *reference = conf_str(c->job->settings, "password");
    if (c->s.set.auth == LDAP_BY_CACHE || c->s.set.auth == LDAP_BY_KEYTAB) {
        finding_say(f, "no password is needed");
        return;
    }
    struct buf where = buf_new(4096);
    if (reference) secret_describe(&where, str_from(reference));
    if (c->job->secret_error) {
        err_set(&c->why, ERR_INPUT, "%s", c->job->secret_error);
        err_hint(&c->why, "check the reference in the setting password");
        finding_fail(f, &c->why);
    } else if (!c->job->password.len) {
        err_set(&c->why, ERR_INPUT, "no password was given");
        err_hint(&c->why, "set password: file:PATH, env:NAME, cred:NAME or prompt:");
        finding_fail(f, &c->why);
    } else {
        finding_say(f, "a password%s%s", where.len ? " from " : "",
                    buf_cstr(&where));
    }
    buf_free(&where);
}

static int64_t patience(const struct checkup *c)
{
    int64_t until = when_monotonic_ms() + c->s.set.connect_timeout_ms;
    return until < c->job->deadline_ms ? until : c->job->deadline_ms;
}

static void check_dns(struct checkup *c, struct finding *f)
{
    const char *host = c->s.set.host;
    const char *servers = *c->s.set.dns_servers ? c->s.set.dns_servers : NULL;
    if (dial_resolve_by(&c->to, host, servers, patience(c), &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    if (host_is_literal(host)) {
        finding_say(f, "%s is an address", host);
        return;
    }
    for (size_t i = 0; i < c->to.n; i++) finding_say(f, "%s", c->to.list[i].text);
}

static void check_tcp(struct checkup *c, struct finding *f)
{
    int fd = -1;
    const struct dial_address *used = NULL;
    if (dial_connect(&fd, &c->to, c->s.set.port, patience(c), &used, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    close(fd);
    finding_say(f, "%s port %u accepts connections", used ? used->text : c->s.set.host, c->s.set.port);
}

/* "dc1.corp.example, corp.example, and 3 more" */
static void say_names(struct finding *f, const json_t *names)
{
    char text[400] = "";
    size_t at = 0, i;
    const json_t *one;
    json_array_foreach(names, i, one)
    {
        if (i == 4) break;
        int n = snprintf(text + at, sizeof text - at, "%s%.80s", i ? ", " : "", json_string_value(one));
        at += n > 0 ? (size_t)n : 0;
    }
    size_t more = json_array_size(names) > 4 ? json_array_size(names) - 4 : 0;
    if (more)
        finding_say(f, "names %s and %zu more", text, more);
    else if (at)
        finding_say(f, "names %s", text);
}

static void say_certificate(struct finding *f, const struct tls_report *r)
{
    char when[WHEN_TEXT];
    const json_t *leaf = json_array_get(r->chain, 0);
    const char *issuer = json_string_value(json_object_get(leaf, "issuer"));
    finding_say(f, "%s, %s", r->protocol, r->cipher);
    say_names(f, json_object_get(leaf, "names"));
    if (issuer) finding_say(f, "issued by %.200s", issuer);
    finding_say(f, "valid until %s", when_format(when, r->leaf_not_after_ms));
    int64_t left = r->leaf_not_after_ms - when_now_ms();
    if (r->trusted && left < EXPIRES_SOON_MS)
        finding_warn(f, "renew the controller's certificate: it expires in %lld days",
                     (long long)(left / WHEN_DAY_MS));
}

static void open_without_tls(struct checkup *c, const struct ldap_target *target, struct finding *f)
{
    if (ldap_conn_open(&c->s.conn, target, &c->why) < 0)
        finding_fail(f, &c->why);
    else
        finding_say(f, "none: Kerberos signs and seals everything from the bind on");
}

/* The doctor's look gives the evidence; the connection that is used decides. */
static void check_tls(struct checkup *c, struct finding *f)
{
    struct ldap_target target = ldap_session_target(&c->s);
    if (target.security == LDAP_SEC_SEALED) {
        open_without_tls(c, &target, f);
        return;
    }
    struct tls_question q = {
        .to = &c->to,
        .port = target.port,
        .start = target.security == LDAP_SEC_STARTTLS ? TLS_LDAP_STARTTLS : TLS_AT_ONCE,
        .name = target.verify_name ? target.verify_name : target.host,
        .ca_path = target.ca_path,
        .deadline_ms = patience(c),
    };
    struct tls_report r = {0};
    if (tls_examine(&r, &q, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    say_certificate(f, &r);
    f->detail = json_pack("{s:O, s:s, s:s, s:b}", "chain", r.chain, "protocol", r.protocol, "cipher",
                          r.cipher, "trusted", r.trusted);
    if (!r.trusted)
        finding_fail(f, &r.why);
    else if (ldap_conn_open(&c->s.conn, &target, &c->why) < 0)
        finding_fail(f, &c->why);
    tls_report_free(&r);
}

static void say_levels(struct finding *f, const struct ldap_facts *facts)
{
    finding_say(f, "domain level %s, forest level %s", ldap_level_name(facts->domain_level),
                ldap_level_name(facts->forest_level));
    if (!facts->is_synchronized) {
        finding_say(f, "not synchronized");
        finding_warn(f, "the controller has not finished replicating: wait, or use another one");
    }
    if (!facts->is_gc_ready) finding_say(f, "no global catalog");
}

static void check_root_dse(struct checkup *c, struct finding *f)
{
    struct ldap_facts *facts = &c->s.facts;
    char text[256];
    if (ldap_facts_root(facts, c->s.conn, c->s.set.host, &c->s.stats, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    finding_say(f, "%s", finding_text(text, sizeof text, str_from(facts->server)));
    finding_say(f, "naming context %s", finding_text(text, sizeof text, str_from(facts->naming_context)));
    say_levels(f, facts);
    f->detail = json_pack("{s:s, s:s, s:s, s:I}", "server", facts->server, "base", facts->naming_context,
                          "domain", facts->domain, "highest_usn", (json_int_t)facts->highest_usn);
    if (ldap_facts_check_domain(facts, c->s.set.domain, &c->why) < 0) finding_fail(f, &c->why);
}

static void check_clock(struct checkup *c, struct finding *f)
{
    const struct ldap_facts *facts = &c->s.facts;
    if (!facts->time_ms) {
        finding_say(f, "the controller does not tell its time");
        return;
    }
    int64_t skew = facts->time_ms - facts->asked_at_ms, off = skew < 0 ? -skew : skew;
    finding_say(f, "the controller is %lld s %s", (long long)(off / 1000),
                skew < 0 ? "behind us" : "ahead of us");
    if (off <= SKEW_WARN_MS) return;
    finding_warn(f, "synchronize the clocks of this machine and of the controller (NTP)");
    if (off <= SKEW_FAIL_MS) return;
    f->verdict = STEP_FAIL;
    f->class = ERR_CONFLICT;
}

static void check_bind(struct checkup *c, struct finding *f)
{
    char text[256];
    const struct ldap_facts *facts = &c->s.facts;
    if (ldap_session_bind(&c->s, &c->why) < 0 ||
        ldap_facts_domain(&c->s.facts, c->s.conn, &c->s.stats, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    ldap_session_describe_bind(&c->s, text, sizeof text);
    finding_say(f, "accepted: %s", text);
    if (*facts->netbios)
        finding_say(f, "domain %s", finding_text(text, sizeof text, str_from(facts->netbios)));
    if (facts->has_policy) return;
    finding_say(f, "the password policy is not readable");
    finding_warn(f, "give the account read access to the domain object's password and lockout attributes");
}

/* --- the steps ----------------------------------------------------------------------------------------- */

enum {
    SETTINGS,
    SECRET,
    DNS,
    TCP,
    TLS,
    ROOT_DSE,
    CLOCK,
    CONTROLLERS,
    TICKET,
    BIND,
    BASE_DN,
    SAMPLE,
    PERMISSIONS,
    ACCOUNT,
    N_STEPS
};
#define NEEDS(s) (1u << (s))

static const struct {
    const char *name;
    void (*run)(struct checkup *c, struct finding *f);
    unsigned needs; /* steps that must not have failed */
} steps[N_STEPS] = {
    [SETTINGS] = {"settings", check_settings, 0},
    [SECRET] = {"secret", check_secret, NEEDS(SETTINGS)},
    [DNS] = {"dns", check_dns, NEEDS(SETTINGS)},
    [TCP] = {"tcp", check_tcp, NEEDS(DNS)},
    [TLS] = {"tls", check_tls, NEEDS(TCP)},
    [ROOT_DSE] = {"root_dse", check_root_dse, NEEDS(TLS)},
    [CLOCK] = {"clock", check_clock, NEEDS(ROOT_DSE)},
    [CONTROLLERS] = {"controllers", check_controllers, NEEDS(SETTINGS)},
    [TICKET] = {"ticket", check_ticket, NEEDS(SECRET)},
    [BIND] = {"bind", check_bind, NEEDS(ROOT_DSE) | NEEDS(SECRET) | NEEDS(TICKET)},
    [BASE_DN] = {"base_dn", check_base_dn, NEEDS(BIND)},
    [SAMPLE] = {"sample", check_sample, NEEDS(BASE_DN)},
    [PERMISSIONS] = {"permissions", check_permissions, NEEDS(BIND)},
    [ACCOUNT] = {"account", check_account, NEEDS(BIND)},
};

static const char *first_missing(unsigned missing)
{
    for (size_t i = 0; i < N_STEPS; i++)
        if (missing & NEEDS(i)) return steps[i].name;
    return "";
}

static int run_step(struct checkup *c, size_t i, unsigned *failed, struct emit *m, struct err *e)
{
    if (i == TICKET && c->s.set.auth == LDAP_BY_PASSWORD) return 0;
    struct finding f = {.verdict = STEP_OK, .evidence = buf_new(16384)};
    int64_t began = when_monotonic_ms();
    unsigned missing = steps[i].needs & *failed;
    if (missing) {
        f.verdict = STEP_SKIP;
        finding_say(&f, "not tried, since step %s did not succeed", first_missing(missing));
    } else {
        steps[i].run(c, &f);
    }
    if (f.verdict == STEP_SKIP || (f.verdict == STEP_FAIL && i != CLOCK)) *failed |= NEEDS(i);
    return finding_emit(&f, steps[i].name, began, m, e);
}

int ldap_check(const struct job *j, struct emit *m, struct err *e)
{
    struct checkup c = {.job = j};
    unsigned failed = 0;
    int rc = 0;
    c.s.job = j;
    c.s.m = m;
    for (size_t i = 0; i < N_STEPS && rc == 0; i++) rc = run_step(&c, i, &failed, m, e);
    if (rc == 0)
        rc = emit_end(m, c.s.stats.requests, c.s.stats.bytes, c.s.facts.server ? c.s.facts.server : "", e);
    ldap_session_close(&c.s);
    return rc;
}
