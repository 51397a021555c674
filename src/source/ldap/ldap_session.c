#include "source/ldap/ldap_session.h"

#include "base/when.h"
#include "model/dn.h"
#include "source/ldap/ldap_bind.h"
#include "source/ldap/ldap_logons.h"
#include "source/ldap/ldap_value.h"

#include <stdio.h>
#include <unistd.h>

#define REFERENCES_MAX 100000 /* of which more are not counted */
#define PAUSE_MS       100    /* before the same controller is tried again */
#define SHORT_MS       2500   /* for a controller in the first round of a takeover */
#define TRIES          2      /* of one controller, in one piece of work */

struct ldap_target ldap_session_target(const struct ldap_session *s)
{
    return (struct ldap_target){
        .host = s->set.host,
        .port = s->set.port,
        .security = s->set.security,
        .verify_name = s->set.verify_name,
        .ca_path = s->set.ca_path,
        .dns_servers = *s->set.dns_servers ? s->set.dns_servers : NULL,
        .connect_timeout_ms = s->set.connect_timeout_ms,
        .answer_timeout_ms = s->set.answer_timeout_ms,
        .deadline_ms = s->job->deadline_ms,
    };
}

const char *ldap_session_host(const struct ldap_session *s)
{
    return s->controllers.n ? s->controllers.list[s->serving].host : s->set.host;
}

bool ldap_dn_is_below(const char *dn, const char *base)
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
    if (!ldap_dn_is_below(q.base, s->facts.naming_context)) {
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

/* --- one controller ------------------------------------------------------------------------------------- */

static void disconnect(struct ldap_session *s)
{
    ldap_conn_close(s->conn);
    ldap_facts_free(&s->facts);
    memset(&s->facts, 0, sizeof s->facts);
    s->conn = NULL;
    s->is_bound = false;
}

/* A controller of another domain behind one of several names is not used; behind the only one, the settings are wrong. */
static int check_domain(struct ldap_session *s, struct err *e)
{
    int rc = ldap_facts_check_domain(&s->facts, s->set.domain, e);
    if (rc < 0 && s->controllers.list[s->serving].origin != CONTROLLER_HOST) e->class = ERR_CONFLICT;
    return rc < 0 ? e->class : 0;
}

/* Two domains may have one name (a laboratory, a restored forest): the SID tells. */
static int check_identity(struct ldap_session *s, struct err *e)
{
    if (!s->sid_len) {
        memcpy(s->sid, s->facts.sid, s->facts.sid_len);
        s->sid_len = s->facts.sid_len;
    }
    if (bytes_equal((struct bytes){s->sid, s->sid_len}, (struct bytes){s->facts.sid, s->facts.sid_len}))
        return 0;
    err_set(e, ERR_CONFLICT, "%s serves another domain of the name %s: its SID differs", s->facts.server,
            s->set.domain);
    return err_hint(e, "take it out of failover_hosts, or find out which of the two domains is meant");
}

static int take_up(struct ldap_session *s, int connect_ms, struct err *e)
{
    struct ldap_target target =
        ldap_controllers_target(&s->controllers, s->serving, &s->set, s->job->deadline_ms);
    if (connect_ms < target.connect_timeout_ms) target.connect_timeout_ms = connect_ms;
    try(ldap_conn_open(&s->conn, &target, e));
    bool binds_first = ldap_session_binds_first(s);
    if (binds_first) try(ldap_session_bind(s, e)); /* Kerberos proves whose directory it is */
    /* before the password is sent: is this the directory it belongs to? */
    if (ldap_facts_root(&s->facts, s->conn, target.host, &s->stats, e) < 0)
        return err_wrap(e, "%s", target.host);
    try(check_domain(s, e));
    if (!binds_first) try(ldap_session_bind(s, e));
    s->is_bound = true;
    if (ldap_facts_domain(&s->facts, s->conn, &s->stats, e) < 0 || check_identity(s, e) < 0 ||
        ldap_session_check_base(s, e) < 0)
        return err_wrap(e, "%s", target.host);
    return 0;
}

/* May another connection, to this controller or another, be the remedy? */
static bool is_recoverable(const struct ldap_session *s, const struct err *e)
{
    if (when_left_ms(s->job->deadline_ms) == 0) return false;
    switch (e->class) {
    case ERR_NET:
    case ERR_TIMEOUT:
    case ERR_TLS:
    case ERR_COOKIE:
    case ERR_CONFLICT:
        return true;
    case ERR_LIMIT:
        return e->domain == DOM_LDAP && e->code == LDAP_BUSY;
    case ERR_PROTO: /* no controller at all behind this name */
    case ERR_NOTFOUND: /* of DNS */
        return !s->is_bound;
    default: /* AUTH: once refused is refused; INPUT, DENIED: the same everywhere */
        return false;
    }
}

/* Its own name in front is said already. */
static void note_failure(struct controller *c, const struct err *e)
{
    size_t n = strlen(c->host);
    const char *why = strncmp(e->message, c->host, n) == 0 && strncmp(e->message + n, ": ", 2) == 0
                          ? e->message + n + 2
                          : e->message;
    c->n_failed++;
    c->is_slow = e->class == ERR_TIMEOUT;
    example_set(c->why, str_from(why));
}

static void note_serving(struct ldap_session *s)
{
    size_t at = strlen(s->servers);
    const char *last = strrchr(s->servers, ' ');
    if (str_equal_nocase(str_from(last ? last + 1 : s->servers), str_from(s->facts.server))) return;
    snprintf(s->servers + at, sizeof s->servers - at, "%s%s", at ? ", " : "", s->facts.server);
    s->n_controllers++;
}

/* --- telling -------------------------------------------------------------------------------------------- */

int ldap_session_tell(struct ldap_session *s, const char *what, const char *where, const char *fix,
                      struct err *e)
{
    struct gap g = {KIND_NONE, GAP_INFO, str_from(what), str_from(where), str_from(fix ? fix : "")};
    if (s->has_begun) return emit_gap(s->m, &g, e);
    buf_add_lstr(&s->pending, bytes_of(g.what));
    buf_add_lstr(&s->pending, bytes_of(g.where));
    buf_add_lstr(&s->pending, bytes_of(g.fix));
    return 0;
}

int ldap_session_begun(struct ldap_session *s, struct err *e)
{
    struct cursor c = cursor_new(buf_bytes(&s->pending));
    s->has_begun = true;
    while (c.in.len && !c.failed) {
        struct gap g = {.severity = GAP_INFO};
        g.what = str_of(cursor_lstr(&c));
        g.where = str_of(cursor_lstr(&c));
        g.fix = str_of(cursor_lstr(&c));
        try(emit_gap(s->m, &g, e));
    }
    buf_clear(&s->pending);
    return 0;
}

static int give_up_one(struct ldap_session *s, const struct err *cause, struct err *e)
{
    const struct controller *c = &s->controllers.list[0];
    struct err first = *cause;
    *e = first;
    if (c->n_failed > 1 && !strstr(first.message, c->why)) {
        err_set(e, first.class, "%s; and when tried again: %s", first.message, c->why);
        err_code(e, first.domain, first.code);
    }
    return err_hint(e, "%s", first.hint);
}

/* One sentence for all of them, the first in front. */
static int give_up_all(struct ldap_session *s, const struct err *cause, struct err *e)
{
    const struct ldap_controllers *c = &s->controllers;
    char list[sizeof e->message] = "", hint[sizeof e->hint];
    size_t at = 0;
    snprintf(hint, sizeof hint, "%s",
             *cause->hint ? cause->hint : "check the network, and that the controllers run");
    for (size_t i = 0; i < c->n && at + 4 < sizeof list; i++) {
        int n = snprintf(list + at, sizeof list - at, "%s%s: %s", at ? "; " : "", c->list[i].host,
                         c->list[i].n_failed ? c->list[i].why : "not tried");
        at += n > 0 ? (size_t)n : 0;
    }
    err_set(e, cause->class == ERR_COOKIE ? ERR_COOKIE : ERR_NET, "no controller of %s is left: %s",
            s->set.domain, list);
    s->is_lost = true;
    return err_hint(e, "%s", hint);
}

static int give_up(struct ldap_session *s, const struct err *cause, struct err *e)
{
    char hint[sizeof e->hint];
    int rc = s->controllers.n > 1 ? give_up_all(s, cause, e) : give_up_one(s, cause, e);
    if (!s->discovery.class) return rc;
    snprintf(hint, sizeof hint, "%s", e->hint);
    return err_hint(e, "%.150s%s%.220s", hint, *hint ? "; besides, " : "", s->discovery.message);
}

static int tell_passed_over(struct ldap_session *s, struct err *e)
{
    char what[640];
    for (size_t i = 0; i < s->controllers.n; i++) {
        const struct controller *c = &s->controllers.list[i];
        if (!c->n_failed) continue;
        snprintf(what, sizeof what, "controller %s could not be used (%s): %.150s serves", c->host, c->why,
                 s->facts.server);
        try(ldap_session_tell(s, what, c->host, "repair it, or take it out of the settings", e));
    }
    return 0;
}

/* Sticky or not: it is the same name, and not the same machine. */
static int tell_balancer(struct ldap_session *s, struct controller *c, struct err *e)
{
    char what[1400];
    const char *now = s->facts.ds_service_name ? s->facts.ds_service_name : "";
    bool is_other = *c->service && *now && strcmp(c->service, now) != 0;
    if (is_other)
        snprintf(what, sizeof what,
                 "%s is no single controller: a load balancer without session persistence led to %.400s, "
                 "then to %.400s",
                 c->host, c->service, now);
    snprintf(c->service, sizeof c->service, "%s", now);
    return is_other ? ldap_session_tell(s, what, c->host,
                           "configure session persistence (sticky sessions), or name the controllers "
                           "themselves in host and failover_hosts",
                           e)
                    : 0;
}

static int tell_takeover(struct ldap_session *s, const struct controller *left, const char *before,
                         const struct err *cause, int64_t took_ms, struct err *e)
{
    char what[1100], why[EXAMPLE_SIZE];
    bool is_same = left == &s->controllers.list[s->serving];
    example_set(why, str_from(cause->message));
    if (is_same)
        snprintf(what, sizeof what, "the connection to %s was lost (%s) and made anew within %lld ms", before,
                 why, (long long)took_ms);
    else
        snprintf(what, sizeof what, "controller %s was left (%s): %s took over within %lld ms", before, why,
                 s->facts.server, (long long)took_ms);
    return ldap_session_tell(s, what, left->host, cause->hint, e);
}

/* --- the next controller -------------------------------------------------------------------------------- */

/* The name of the one that serves, for the end of the stream. */
static int try_one(struct ldap_session *s, size_t i, int connect_ms, struct err *e)
{
    disconnect(s);
    s->serving = i;
    int rc = take_up(s, connect_ms, e);
    if (rc == 0) {
        note_serving(s);
        return 0;
    }
    note_failure(&s->controllers.list[i], e);
    return rc;
}

static int tell_discovery(struct ldap_session *s, struct err *e)
{
    char what[1100];
    const struct ldap_controllers *c = &s->controllers;
    if (s->discovery.class) {
        snprintf(what, sizeof what, "further controllers could not be looked up: %s", s->discovery.message);
        return ldap_session_tell(s, what, s->set.dc_discovery_domain, s->discovery.hint, e);
    }
    if (!c->n_outside) return 0;
    snprintf(what, sizeof what, "DNS names %zu controllers outside the domain %s, which are not used: %s",
             c->n_outside, s->set.dc_discovery_domain, c->outside);
    return ldap_session_tell(s, what, c->outside, "if it is one of yours, list it in failover_hosts", e);
}

/* Asked only when somebody else is needed: most runs are over without a question to DNS. */
int ldap_session_discover(struct ldap_session *s, struct err *e)
{
    if (!s->set.dc_discovery || s->is_discovered) return 0;
    int64_t until = when_monotonic_ms() + s->set.connect_timeout_ms;
    if (until > s->job->deadline_ms) until = s->job->deadline_ms;
    s->discovery = (struct err){0};
    s->is_discovered = ldap_controllers_discover(&s->controllers, &s->set, until, &s->discovery) == 0;
    if (s->is_discovered) s->discovery.class = 0;
    return tell_discovery(s, e);
}

int ldap_session_open(struct ldap_session *out, const struct job *j, struct emit *m, struct err *e)
{
    struct err first = {0};
    memset(out, 0, sizeof *out);
    out->job = j;
    out->m = m;
    out->pending = buf_new((size_t)1 << 20);
    try(ldap_settings_read(&out->set, j->settings, e));
    ldap_controllers_init(&out->controllers, &out->set);
    for (size_t i = 0; i < out->controllers.n; i++) {
        int rc = try_one(out, i, out->set.connect_timeout_ms, e);
        if (rc == 0) {
            try(tell_balancer(out, &out->controllers.list[i], e));
            return tell_passed_over(out, e);
        }
        if (!is_recoverable(out, e)) return rc;
        if (!first.class) first = *e;
        if (i + 1 == out->controllers.n) try(ldap_session_discover(out, e));
    }
    return give_up(out, &first, e);
}

/* In a first round nobody gets long: somebody else may be quicker. In a second one those that were too slow in the first get
 * all of connect_timeout. */
static int round_of(struct ldap_session *s, size_t from, bool is_first, struct err *e)
{
    struct ldap_controllers *c = &s->controllers;
    int rc = ERR_NET;
    for (size_t k = 0; k < c->n; k++) {
        size_t i = (from + k) % c->n;
        if (is_first ? c->list[i].n_failed >= TRIES : !c->list[i].is_slow) continue;
        rc = try_one(s, i, is_first && c->n > 1 ? SHORT_MS : s->set.connect_timeout_ms, e);
        if (rc == 0 || !is_recoverable(s, e)) return rc;
    }
    return rc;
}

/* What is left to try of the candidates; none: e stands, and the connection with it. */
static bool has_candidate(const struct ldap_session *s, bool again)
{
    if (s->set.dc_discovery && !s->is_discovered) return true;
    for (size_t i = 0; i < s->controllers.n; i++)
        if (i == s->serving ? again : s->controllers.list[i].n_failed < TRIES) return true;
    return false;
}

static int find_next(struct ldap_session *s, bool again, struct err *e)
{
    size_t left = s->serving;
    int rc = ERR_NET;
    for (size_t i = 0; i < s->controllers.n; i++) s->controllers.list[i].is_slow = false;
    if (again) {
        bool is_alone = s->controllers.n == 1 && (s->is_discovered || !s->set.dc_discovery);
        usleep(PAUSE_MS * 1000);
        rc = try_one(s, left, is_alone ? s->set.connect_timeout_ms : SHORT_MS, e);
        if (rc == 0 || !is_recoverable(s, e)) return rc;
    }
    try(ldap_session_discover(s, e));
    s->controllers.list[left].n_failed = TRIES;
    rc = round_of(s, left, true, e);
    if (rc < 0 && is_recoverable(s, e) && s->set.connect_timeout_ms > SHORT_MS && s->controllers.n > 1)
        rc = round_of(s, left, false, e);
    return rc;
}

/* The same one again after a lost connection; not where it had its time and did not use it (hanging, busy). */
int ldap_session_recover(struct ldap_session *s, struct err *e)
{
    struct controller *left = &s->controllers.list[s->serving];
    struct err cause = *e;
    char before[256];
    int64_t began = when_monotonic_ms();
    if (!s->conn || !is_recoverable(s, e)) return e->class;
    bool again = left->n_failed + 1 < TRIES && e->class != ERR_TIMEOUT && e->class != ERR_LIMIT;
    if (!has_candidate(s, again)) return e->class;
    snprintf(before, sizeof before, "%s", s->facts.server);
    note_failure(left, e);
    int rc = find_next(s, again, e);
    if (rc < 0) return is_recoverable(s, e) ? give_up(s, &cause, e) : rc;
    s->n_takeovers++;
    try(tell_takeover(s, left, before, &cause, when_monotonic_ms() - began, e));
    return tell_balancer(s, &s->controllers.list[s->serving], e);
}

void ldap_session_proved(struct ldap_session *s)
{
    for (size_t i = 0; i < s->controllers.n; i++) s->controllers.list[i].n_failed = 0;
}

void ldap_session_close(struct ldap_session *s)
{
    disconnect(s);
    if (!s->is_krb_shared) krb_close(s->krb);
    s->krb = NULL;
    hmap_free(&s->references);
    buf_free(&s->pending);
    ldap_logons_free(s->logons);
    s->logons = NULL;
}

int ldap_session_open_at(struct ldap_session *out, const struct ldap_session *like, size_t i, struct err *e)
{
    memset(out, 0, sizeof *out);
    out->job = like->job;
    out->m = like->m;
    out->set = like->set;
    out->controllers = like->controllers;
    memcpy(out->sid, like->sid, sizeof out->sid);
    out->sid_len = like->sid_len;
    out->serving = i;
    ldap_session_share_tickets(out, like);
    return take_up(out, like->set.connect_timeout_ms, e);
}
