/* graph_check.c - `check` of Entra ID: one step after the other, each with what was seen and what to do about
 * it. */
#include "source/graph/graph_check.h"

#include "base/when.h"
#include "conf/conf.h"
#include "net/certificate.h"
#include "source/graph/graph_source.h"
#include "vault/vault.h"

#include <stdio.h>
#include <stdlib.h>

#define SKEW_WARN_MS                                                                                         \
    60000 /* an assertion lives ten minutes, a token an hour: more than this will hurt one day */

/* --- settings and credential -----------------------------------------------------------------------------
 */

static const char *way_of(const struct oauth_settings *o)
{
    static const char *const ways[] = {[OAUTH_BY_SECRET] = "client secret",
                                       [OAUTH_BY_CERTIFICATE] = "certificate",
                                       [OAUTH_BY_FEDERATED] = "federated token",
                                       [OAUTH_BY_MANAGED_IDENTITY] = "managed identity"};
    return ways[o->by];
}

static void check_settings(struct graph_checkup *c, struct finding *f)
{
    struct graph_session *s = &c->s;
    if (graph_settings_read(&s->set, c->job->settings, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    s->kinds = c->job->kinds ? c->job->kinds & s->set.kinds : s->set.kinds;
    finding_say(f, "tenant %s", s->set.oauth.tenant);
    if (s->set.oauth.client_id) finding_say(f, "application %s", s->set.oauth.client_id);
    finding_say(f, "by %s", way_of(&s->set.oauth));
    finding_say(f, "%s", s->set.graph_root);
}

static void say_secret(struct graph_checkup *c, struct finding *f, const char *key, const char *what)
{
    const char *reference = conf_str(c->job->settings, key);
    struct buf where = buf_new(4096);
    if (reference) secret_describe(&where, str_from(reference));
    finding_say(f, "%s%s%s", what, where.len ? " from " : "", buf_cstr(&where));
    buf_free(&where);
}

static void look_at_secret(struct graph_checkup *c, struct finding *f)
{
    say_secret(c, f, "client_secret", "a client secret");
    if (!oauth_looks_like_secret_id(secret_bytes(&c->job->password))) return;
    finding_say(f, "it is a GUID, as a secret's ID is; a secret's value never is one");
    finding_warn(f, "put the secret's Value in place of its Secret ID; it is shown only when the secret is "
                    "made, so make a new one if it is lost");
}

static void look_at_certificate(struct graph_checkup *c, struct finding *f, const struct oauth *o)
{
    finding_say(f, "%s", c->s.set.oauth.certificate_path);
    if (c->job->password.len) say_secret(c, f, "client_certificate_password", "passphrase");
    graph_check_end(f, "the certificate", oauth_certificate_expires_ms(o),
                    "make a new certificate, upload it to the app registration, and put it with its key into "
                    "client_certificate");
}

/* Loads what signs in; nothing is sent. */
static void check_credential(struct graph_checkup *c, struct finding *f)
{
    const struct oauth_settings *set = &c->s.set.oauth;
    struct oauth *o = NULL;
    if (c->job->secret_error) {
        err_set(&c->why, ERR_INPUT, "%s", c->job->secret_error);
        err_hint(&c->why, "check the reference in the settings");
        finding_fail(f, &c->why);
    } else if (oauth_open(&o, set, &c->job->password, &c->why) < 0) {
        finding_fail(f, &c->why);
    } else if (set->by == OAUTH_BY_SECRET) {
        look_at_secret(c, f);
    } else if (set->by == OAUTH_BY_CERTIFICATE) {
        look_at_certificate(c, f, o);
    } else if (set->by == OAUTH_BY_FEDERATED) {
        finding_say(f, "the token in %s, read anew each time", set->federated_token_path);
    } else {
        finding_say(f, "the machine's own identity%s", set->client_id ? " (user-assigned)" : "");
    }
    oauth_close(o);
}

/* --- hosts ------------------------------------------------------------------------------------------------
 */

static int64_t patience(const struct graph_checkup *c)
{
    int64_t until = when_monotonic_ms() + c->s.set.connect_timeout_ms;
    return until < c->job->deadline_ms ? until : c->job->deadline_ms;
}

static void say_certificate(struct finding *f, const struct url *u, const struct tls_report *r)
{
    const char *issuer = json_string_value(json_object_get(json_array_get(r->chain, 0), "issuer"));
    finding_say(f, "%s:%u, %s", u->host, u->port, r->protocol);
    if (issuer) finding_say(f, "certificate issued by %.200s", issuer);
    f->detail = json_pack("{s:O, s:s, s:s, s:b}", "chain", r->chain, "protocol", r->protocol, "cipher",
                          r->cipher, "trusted", r->trusted);
    if (!r->trusted)
        finding_fail(f, &r->why);
    else
        graph_check_end(f, "it", r->leaf_not_after_ms,
                        "the service's own certificate must be renewed by whoever runs it");
}

/* Name, TCP, TLS and the chain, as the doctor sees them. */
static void examine(struct graph_checkup *c, struct finding *f, const struct url *u)
{
    struct dial_addresses to;
    struct tls_report r = {0};
    struct tls_question q = {.to = &to,
                             .port = u->port,
                             .start = TLS_AT_ONCE,
                             .name = u->host,
                             .ca_path = c->s.set.oauth.ca_path,
                             .deadline_ms = patience(c)};
    if (dial_resolve(&to, u->host, q.deadline_ms, &c->why) < 0 || tls_examine(&r, &q, &c->why) < 0) {
        err_wrap(&c->why, "%s", u->host);
        finding_fail(f, &c->why);
        if (!*f->fix)
            snprintf(f->fix, sizeof f->fix, "let this machine reach %s port %u (HTTPS), by name", u->host,
                     u->port);
        return;
    }
    say_certificate(f, u, &r);
    tls_report_free(&r);
}

static void check_login(struct graph_checkup *c, struct finding *f)
{
    struct url u;
    if (c->s.set.oauth.by == OAUTH_BY_MANAGED_IDENTITY) {
        f->verdict = STEP_SKIP;
        finding_say(f, "not needed: the machine's identity endpoint gives the token");
        return;
    }
    if (url_parse(&u, str_from(c->s.set.oauth.login_url), &c->why) < 0)
        finding_fail(f, &c->why);
    else
        examine(c, f, &u);
}

static void check_graph(struct graph_checkup *c, struct finding *f)
{
    examine(c, f, &c->s.set.base);
}

/* --- the token ---------------------------------------------------------------------------------------------
 */

static const char *claim(const json_t *claims, const char *name)
{
    const char *v = json_string_value(json_object_get(claims, name));
    return v ? v : "";
}

static void say_token(struct graph_checkup *c, struct finding *f)
{
    const struct oauth *o = graph_client_oauth(c->s.client);
    const json_t *claims = oauth_claims(o);
    char name[200];
    long long minutes = (long long)(oauth_expires_ms(o) - when_now_ms()) / 60000;
    finding_say(f, "accepted, good for %lld minutes", minutes);
    if (*finding_text(name, sizeof name, str_from(claim(claims, "app_displayname"))))
        finding_say(f, "as %s", name);
    if (!claims) finding_say(f, "what it holds is not readable");
    f->detail = json_pack("{s:s, s:s, s:s, s:O*}", "tenant", claim(claims, "tid"), "application",
                          claim(claims, "appid"), "audience", claim(claims, "aud"), "roles",
                          json_object_get(claims, "roles"));
}

static void check_token(struct graph_checkup *c, struct finding *f)
{
    if (graph_client_open(&c->s.client, &c->s.set, &c->job->password, c->job->deadline_ms, &c->why) < 0)
        finding_fail(f, &c->why);
    else
        say_token(c, f);
}

static void check_clock(struct graph_checkup *c, struct finding *f)
{
    int64_t offset = oauth_clock_offset_ms(graph_client_oauth(c->s.client)),
            off = offset < 0 ? -offset : offset;
    if (!offset) {
        finding_say(f, "the service does not tell its time");
        return;
    }
    if (off < 2000)
        finding_say(f, "agrees with the service's");
    else
        finding_say(f, "the service is %lld s %s", (long long)(off / 1000),
                    offset < 0 ? "behind us" : "ahead of us");
    if (off > SKEW_WARN_MS)
        finding_warn(
            f, "synchronize the clock of this machine (NTP): from five minutes on, sign-ins are refused");
}

/* --- what later steps share
 * --------------------------------------------------------------------------------- */

int graph_check_ask(struct graph_checkup *c, json_t **body, const struct graph_question *how,
                    const char *path)
{
    char url[2048];
    struct graph_question q = *how;
    int n = snprintf(url, sizeof url, "%s%s", c->s.set.base_text, path);
    *body = NULL;
    c->failure = (struct graph_failure){0};
    if (n >= (int)sizeof url) return err_set(&c->why, ERR_INPUT, "%s: the address is too long", q.what);
    q.url = url;
    return graph_client_fetch(c->s.client, &q, body, &c->failure, &c->why);
}

bool graph_check_is_refusal(const struct graph_checkup *c)
{
    enum graph_fault x = c->failure.fault;
    return x == GRAPH_FAULT_DENIED_PERMISSION || x == GRAPH_FAULT_DENIED_LICENCE ||
           x == GRAPH_FAULT_UNSUPPORTED || x == GRAPH_FAULT_NOT_FOUND;
}

void graph_check_end(struct finding *f, const char *what, int64_t end_ms, const char *fix)
{
    char when[WHEN_TEXT];
    int64_t left = end_ms - when_now_ms();
    if (!end_ms) return;
    finding_say(f, "%s %s %s", what, left < 0 ? "expired on" : "is valid until", when_format(when, end_ms));
    if (left < 0)
        finding_warn(f, "%s", fix);
    else if (left < GRAPH_EXPIRES_SOON_MS)
        finding_warn(f, "within %lld days: %s", (long long)(left / WHEN_DAY_MS), fix);
}

/* --- the steps
 * ----------------------------------------------------------------------------------------------- */

enum {
    SETTINGS,
    CREDENTIAL,
    LOGIN,
    GRAPH,
    TOKEN,
    CLOCK,
    PERMISSIONS,
    ORGANIZATION,
    LICENCES,
    SAMPLE,
    DELTA,
    REPORTS,
    EXPIRY,
    N_STEPS
};
#define NEEDS(s) (1u << (s))

static const struct {
    const char *name;
    void (*run)(struct graph_checkup *c, struct finding *f);
    unsigned needs; /* steps that must not have failed */
} steps[N_STEPS] = {
    [SETTINGS] = {"settings", check_settings, 0},
    [CREDENTIAL] = {"credential", check_credential, NEEDS(SETTINGS)},
    [LOGIN] = {"login", check_login, NEEDS(SETTINGS)},
    [GRAPH] = {"graph", check_graph, NEEDS(SETTINGS)},
    [TOKEN] = {"token", check_token, NEEDS(CREDENTIAL) | NEEDS(LOGIN)},
    [CLOCK] = {"clock", check_clock, NEEDS(TOKEN)},
    [PERMISSIONS] = {"permissions", graph_check_permissions, NEEDS(TOKEN)},
    [ORGANIZATION] = {"organization", graph_check_organization, NEEDS(TOKEN) | NEEDS(GRAPH)},
    [LICENCES] = {"licences", graph_check_licences, NEEDS(ORGANIZATION)},
    [SAMPLE] = {"sample", graph_check_sample, NEEDS(TOKEN) | NEEDS(GRAPH)},
    [DELTA] = {"delta", graph_check_delta, NEEDS(TOKEN) | NEEDS(GRAPH)},
    [REPORTS] = {"reports", graph_check_reports, NEEDS(TOKEN) | NEEDS(GRAPH)},
    [EXPIRY] = {"expiry", graph_check_expiry, NEEDS(TOKEN) | NEEDS(GRAPH)},
};

static const char *first_missing(unsigned missing)
{
    for (size_t i = 0; i < N_STEPS; i++)
        if (missing & NEEDS(i)) return steps[i].name;
    return "";
}

/* A step that was not needed does not stop others. */
static int run_step(struct graph_checkup *c, size_t i, unsigned *failed, struct emit *m, struct err *e)
{
    struct finding f = {.verdict = STEP_OK, .evidence = buf_new(16384)};
    int64_t began = when_monotonic_ms();
    unsigned missing = steps[i].needs & *failed;
    if (missing) {
        f.verdict = STEP_SKIP;
        finding_say(&f, "not tried, since step %s did not succeed", first_missing(missing));
    } else {
        steps[i].run(c, &f);
    }
    if (missing || f.verdict == STEP_FAIL) *failed |= NEEDS(i);
    return finding_emit(&f, steps[i].name, began, m, e);
}

int graph_check(const struct job *j, struct emit *m, struct err *e)
{
    struct graph_checkup *c = x_zalloc(sizeof *c);
    unsigned failed = 0;
    int rc = 0;
    c->job = j;
    for (size_t i = 0; i < N_STEPS && rc == 0; i++) rc = run_step(c, i, &failed, m, e);
    if (rc == 0) {
        struct graph_stats t = c->s.client ? graph_client_stats(c->s.client) : (struct graph_stats){0};
        rc = emit_end(m, t.requests, t.bytes, c->s.set.base.host, e);
    }
    graph_client_close(c->s.client);
    json_decref(c->s.organization);
    free(c);
    return rc;
}
