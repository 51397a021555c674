#include "net/oauth.h"

#include "base/file.h"
#include "base/when.h"
#include "net/http.h"
#include "net/oauth_int.h"
#include "net/retry_after.h"
#include "net/url.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define IDENTITY_URL        "http://169.254.169.254"
#define IDENTITY_PATH       "/metadata/identity/oauth2/token"
#define IDENTITY_VERSION    "2018-02-01"
#define IDENTITY_CONNECT_MS 5000 /* it is on this machine's own link */
#define JWT_BEARER          "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define URL_TEXT            4096
#define TOKEN_FILE_MAX      ((size_t)48 << 10)
#define TRIES_NO_ANSWER     6  /* nobody there, or dropped: about a quarter of a minute */
#define TRIES_ANSWERED      12 /* 429, 5xx: some minutes, or as long as Retry-After says */
#define BACK_OFF_MS         500
#define BACK_OFF_MAX_MS     30000
#define OLD_IS_GOOD_MS      60000 /* a token that lives so long need not be renewed at any price */
#define RENEW_AGAIN_MS      20000
#define CLOCK_IS_OFF_MS     60000

struct oauth {
    struct oauth_settings set;
    const struct secret *secret;
    struct oauth_key *key; /* OAUTH_BY_CERTIFICATE */
    char endpoint[URL_TEXT];
    char host[260];
    struct secret token;
    json_t *claims;
    int64_t expires_ms;       /* UTC */
    int64_t ends_ms, life_ms; /* monotonic: a step of our clock makes no token older */
    int64_t quiet_until_ms;   /* monotonic: a renewal was put off */
    int64_t clock_offset_ms;
    bool follows_their_clock; /* assertions are dated by the service's clock, since ours was refused */
    unsigned n_requests;
};

/* --- settings --------------------------------------------------------------------------------------------
 */

/* A GUID or a domain: nothing that could change the path. */
static int check_tenant(const char *tenant, struct err *e)
{
    static const char *const of_users[] = {"common", "organizations", "consumers"};
    size_t n = tenant ? strlen(tenant) : 0;
    if (!n || n > 255) return err_set(e, ERR_INPUT, "tenant_id is %s", n ? "too long" : "not set");
    for (size_t i = 0; i < n; i++) {
        char c = tenant[i];
        if (ascii_is_alnum(c) || c == '-' || (c == '.' && i && tenant[i - 1] != '.')) continue;
        err_set(e, ERR_INPUT, "tenant_id is neither a GUID nor a domain");
        return err_hint(
            e, "write the Directory (tenant) ID, or a domain of the tenant such as contoso.onmicrosoft.com");
    }
    for (size_t i = 0; i < n_elements(of_users); i++)
        if (str_equal_nocase(str_from(tenant), str_from(of_users[i]))) {
            err_set(e, ERR_INPUT, "tenant_id '%s' is for people who sign in, not for an application", tenant);
            return err_hint(e, "write the Directory (tenant) ID, or a domain of the tenant");
        }
    return 0;
}

static struct str without_slash(const char *url)
{
    struct str s = str_from(url);
    while (s.len && s.ptr[s.len - 1] == '/') s.len--;
    return s;
}

static int parse_host(struct oauth *o, const char *key, const char *text, struct url *u, struct err *e)
{
    if (url_parse(u, str_from(text), e) < 0) return err_wrap(e, "%s", key);
    if (u->query.len) return err_set(e, ERR_INPUT, "%s must not have a query", key);
    snprintf(o->host, sizeof o->host, "%s", u->host);
    return 0;
}

static int set_login(struct oauth *o, struct err *e)
{
    struct url u;
    struct str base = without_slash(o->set.login_url);
    try(parse_host(o, "login_url", o->set.login_url, &u, e));
    if (!u.is_https) {
        err_set(e, ERR_INPUT, "login_url is http: a credential is sent over TLS only");
        return err_hint(e, "write https://; for a certificate of your own set ca_certificate");
    }
    try(check_tenant(o->set.tenant, e));
    if (!o->set.client_id || !*o->set.client_id) return err_set(e, ERR_INPUT, "client_id is not set");
    int n =
        snprintf(o->endpoint, sizeof o->endpoint, "%.*s/%s/oauth2/v2.0/token", STR_FMT(base), o->set.tenant);
    return n < URL_TEXT ? 0 : err_set(e, ERR_INPUT, "login_url is too long");
}

/* Strict: what is not unreserved in RFC 3986 and untouched by the form encoding of HTML goes as %XX. */
static void add_field(struct buf *out, const char *name, struct bytes value)
{
    if (out->len) buf_add_byte(out, '&');
    buf_printf(out, "%s=", name);
    url_add_encoded(out, str_of(value), "-._");
}

static void add_text_field(struct buf *out, const char *name, const char *value)
{
    add_field(out, name, bytes_of(str_from(value)));
}

static int set_identity(struct oauth *o, struct err *e)
{
    struct url u;
    const char *base = o->set.identity_url ? o->set.identity_url : IDENTITY_URL;
    try(parse_host(o, "identity_url", base, &u, e));
    bool has_path = u.path.len && !str_equal(u.path, STR("/"));
    struct buf query = buf_new(URL_TEXT / 2);
    add_text_field(&query, "api-version", IDENTITY_VERSION);
    add_field(&query, "resource", bytes_of(without_slash(o->set.resource)));
    if (o->set.client_id && *o->set.client_id) add_text_field(&query, "client_id", o->set.client_id);
    int n = snprintf(o->endpoint, sizeof o->endpoint, "%.*s%s?%s", STR_FMT(without_slash(base)),
                     has_path ? "" : IDENTITY_PATH, buf_cstr(&query));
    bool fits = n < URL_TEXT && !query.failed;
    buf_free(&query);
    return fits ? 0 : err_set(e, ERR_INPUT, "identity_url is too long");
}

static int open_credential(struct oauth *o, struct err *e)
{
    switch (o->set.by) {
    case OAUTH_BY_SECRET:
        if (o->secret && o->secret->len) return 0;
        err_set(e, ERR_INPUT, "the client secret is empty");
        return err_hint(e, "set client_secret: file:PATH, env:NAME, cred:NAME or prompt:");
    case OAUTH_BY_CERTIFICATE: {
        static const struct secret none;
        if (oauth_key_load(&o->key, o->set.certificate_path, o->secret ? o->secret : &none, e) == 0) return 0;
        return err_wrap(e, "client_certificate");
    }
    case OAUTH_BY_FEDERATED:
    case OAUTH_BY_MANAGED_IDENTITY:
        return 0;
    }
    return err_set(e, ERR_BUG, "sign-in by %d", (int)o->set.by);
}

int oauth_open(struct oauth **out, const struct oauth_settings *s, const struct secret *secret, struct err *e)
{
    struct oauth *o = x_zalloc(sizeof *o);
    o->set = *s;
    o->secret = secret;
    *out = NULL;
    int rc = s->by == OAUTH_BY_MANAGED_IDENTITY ? set_identity(o, e) : set_login(o, e);
    if (rc == 0) rc = open_credential(o, e);
    if (rc < 0) {
        oauth_close(o);
        return rc;
    }
    *out = o;
    return 0;
}

void oauth_close(struct oauth *o)
{
    if (!o) return;
    oauth_forget(o);
    oauth_key_free(o->key);
    free(o);
}

void oauth_forget(struct oauth *o)
{
    secret_drop(&o->token);
    o->token = (struct secret){0};
    json_decref(o->claims);
    o->claims = NULL;
    o->expires_ms = o->ends_ms = o->life_ms = o->quiet_until_ms = 0;
}

/* --- what is sent ----------------------------------------------------------------------------------------
 */

struct credential { /* what must not come back in a message: wiped */
    struct buf assertion;
    struct buf body;
};

static void credential_free(struct credential *c)
{
    secret_wipe_buf(&c->assertion);
    secret_wipe_buf(&c->body);
}

/* Three parts of base64url with points between. */
static bool looks_like_jwt(struct str s)
{
    size_t points = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        points += c == '.';
        if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.') return false;
    }
    return points == 2;
}

/* Anew for each request: whoever wrote the file replaces it before the token in it ends. */
static int read_federated(struct buf *out, const char *path, struct err *e)
{
    struct buf text = buf_new(TOKEN_FILE_MAX);
    buf_reserve(&text, TOKEN_FILE_MAX); /* no copies are left behind by growing */
    int rc = file_read(&text, path, e);
    struct str s = str_trim(buf_str(&text));
    if (rc < 0)
        err_wrap(e, "federated_token_file");
    else if (!looks_like_jwt(s)) {
        rc = err_set(e, ERR_INPUT,
                     "federated_token_file: %s: holds no token (a JWT: three parts with points between)",
                     path);
        err_hint(e, "is it the file that the platform projects, such as $AZURE_FEDERATED_TOKEN_FILE?");
    } else {
        buf_add_str(out, s);
    }
    secret_wipe_buf(&text);
    return rc;
}

static int make_assertion(struct oauth *o, struct buf *out, struct err *e)
{
    buf_reserve(out, 65536);
    if (o->set.by == OAUTH_BY_FEDERATED) return read_federated(out, o->set.federated_token_path, e);
    int64_t now = when_now_ms() + (o->follows_their_clock ? o->clock_offset_ms : 0);
    return oauth_assertion_make(out, o->key, o->set.client_id, o->endpoint, now, e);
}

static int make_body(struct oauth *o, struct credential *c, struct err *e)
{
    struct buf scope = buf_new(URL_TEXT);
    buf_printf(&scope, "%.*s/.default", STR_FMT(without_slash(o->set.resource)));
    buf_reserve(&c->body, c->body.max);
    add_text_field(&c->body, "client_id", o->set.client_id);
    add_field(&c->body, "scope", buf_bytes(&scope));
    add_text_field(&c->body, "grant_type", "client_credentials");
    buf_free(&scope);
    if (o->set.by == OAUTH_BY_SECRET) {
        add_field(&c->body, "client_secret", secret_bytes(o->secret));
    } else {
        try(make_assertion(o, &c->assertion, e));
        add_text_field(&c->body, "client_assertion_type", JWT_BEARER);
        add_field(&c->body, "client_assertion", buf_bytes(&c->assertion));
    }
    return c->body.failed ? err_set(e, ERR_INPUT, "the credential is too long") : 0;
}

/* --- what comes back -------------------------------------------------------------------------------------
 */

/* Of the middle of the exchange; the header counts whole seconds. */
static void note_clock(struct oauth *o, const struct http_answer *a)
{
    char text[64];
    struct str date = http_header(a, "Date");
    if (!date.len || date.len >= sizeof text) return;
    memcpy(text, date.ptr, date.len);
    text[date.len] = 0;
    time_t t = curl_getdate(text, NULL);
    if (t <= 0) return;
    int64_t offset = (int64_t)t * 1000 + 500 - (when_now_ms() - a->took_ms / 2);
    o->clock_offset_ms = offset ? offset : 1;
}

static int take_token(struct oauth *o, const struct http_answer *a, struct err *e)
{
    struct secret token = {0};
    int64_t life_ms = 0;
    if (oauth_answer_read(&token, &life_ms, a->body, when_now_ms() + o->clock_offset_ms, e) < 0)
        return err_wrap(e, "%s", o->host);
    oauth_forget(o);
    o->token = token;
    o->claims = oauth_claims_decode(secret_bytes(&o->token));
    o->life_ms = life_ms;
    o->ends_ms = when_monotonic_ms() + life_ms;
    o->expires_ms = when_now_ms() + life_ms;
    return 0;
}

struct attempt {
    struct oauth *o;
    unsigned n;
    bool may_pass;
    bool was_answered;
    bool at_once;
    int64_t retry_after_ms; /* -1: no advice */
};

/* Dated by a clock that the service does not share: once more, by its own. */
static bool has_wrong_date(struct oauth *o, const struct oauth_refusal *r)
{
    int64_t off = o->clock_offset_ms < 0 ? -o->clock_offset_ms : o->clock_offset_ms;
    if (r->aadsts != 700024 || o->set.by != OAUTH_BY_CERTIFICATE || o->follows_their_clock ||
        off < CLOCK_IS_OFF_MS)
        return false;
    o->follows_their_clock = true;
    return true;
}

static int refuse(struct attempt *t, const struct http_answer *a, const struct credential *c, struct err *e)
{
    struct oauth *o = t->o;
    struct oauth_refusal r;
    oauth_refusal_read(&r, a->status, a->body);
    struct oauth_circumstances why = {
        .host = o->host,
        .by = o->set.by,
        .clock_offset_ms = o->clock_offset_ms,
        .certificate_expires_ms = oauth_certificate_expires_ms(o),
        .sent = {buf_bytes(&c->assertion)},
    };
    if (o->set.by == OAUTH_BY_SECRET) {
        why.is_secret_id = oauth_looks_like_secret_id(secret_bytes(o->secret));
        why.sent[1] = secret_bytes(o->secret);
    }
    t->at_once = has_wrong_date(o, &r);
    t->may_pass = t->at_once || oauth_refusal_passes(&r, o->set.by);
    return oauth_refusal_explain(e, &r, &why);
}

static int judge(struct attempt *t, struct http_answer *a, const struct credential *c, struct err *e)
{
    t->was_answered = true;
    if (!retry_after_parse(&t->retry_after_ms, http_header(a, "Retry-After"), when_now_ms()))
        t->retry_after_ms = -1;
    note_clock(t->o, a);
    if (a->status == 200) return take_token(t->o, a, e);
    return refuse(t, a, c, e);
}

static int fail_no_answer(struct attempt *t, struct err *e)
{
    t->may_pass = e->class == ERR_NET || e->class == ERR_TIMEOUT;
    if (t->may_pass && !e->hint[0]) err_hint(e, "check that this machine reaches %s: name, firewall, proxy; nothing was sent to anybody else", t->o->host);
    if (t->o->set.by == OAUTH_BY_MANAGED_IDENTITY && t->may_pass)
        err_hint(
            e, "managed identities exist on Azure machines only, and need %s to be reachable without a proxy",
            t->o->host);
    return err_wrap(e, "sign-in");
}

/* --- one request ------------------------------------------------------------------------------------------
 */

static int fetch(struct attempt *t, struct http *h, struct credential *c, struct err *e)
{
    static const char *const plain[] = {"Accept: application/json", NULL}, *const machine[] = {
                                                                               "Metadata: true", NULL};
    struct oauth *o = t->o;
    bool is_get = o->set.by == OAUTH_BY_MANAGED_IDENTITY;
    struct http_request r = {
        .method = is_get ? "GET" : "POST", .url = o->endpoint, .headers = is_get ? machine : plain};
    struct http_answer a;
    if (!is_get) {
        try(make_body(o, c, e));
        r.content_type = "application/x-www-form-urlencoded";
        r.body = buf_bytes(&c->body);
    }
    o->n_requests++;
    if (http_fetch(h, &r, &a, e) < 0) return fail_no_answer(t, e);
    int rc = judge(t, &a, c, e);
    if (a.body.len) secret_wipe((void *)(uintptr_t)a.body.ptr, a.body.len); /* it held the token */
    return rc;
}

static int ask_once(struct attempt *t, struct err *e)
{
    const struct oauth_settings *s = &t->o->set;
    bool is_machine = s->by == OAUTH_BY_MANAGED_IDENTITY;
    struct http_options options = {
        .ca_path = s->ca_path,
        .parallel = 1,
        .connect_timeout_ms = is_machine && s->connect_timeout_ms > IDENTITY_CONNECT_MS
                                  ? IDENTITY_CONNECT_MS
                                  : s->connect_timeout_ms,
        .answer_timeout_ms = s->answer_timeout_ms,
        .body_max = OAUTH_BODY_MAX,
        .clear_to_loopback = is_machine,
    };
    struct http *h = NULL;
    struct credential c = {.assertion = buf_new(65536), .body = buf_new((size_t)256 << 10)};
    t->may_pass = t->was_answered = t->at_once = false;
    t->retry_after_ms = -1;
    int rc = http_open(&h, &options, e);
    if (rc == 0) rc = fetch(t, h, &c, e);
    http_close(h);
    credential_free(&c);
    return rc;
}

/* --- until there is one ------------------------------------------------------------------------------------
 */

/* Half of it is fixed and half by chance, so that many clients that were refused at once do not come back at
 * once. */
static int64_t back_off(unsigned n)
{
    int64_t most = when_back_off_ms(n + 1, BACK_OFF_MS, BACK_OFF_MAX_MS);
    return most / 2 + (int64_t)randombytes_uniform((uint32_t)(most / 2));
}

static int64_t wait_of(const struct attempt *t)
{
    if (t->at_once) return 0;
    if (t->retry_after_ms <= 0) return back_off(t->n);
    return t->retry_after_ms + (int64_t)randombytes_uniform(250);
}

static void rest(int64_t ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&left, NULL);
}

static bool is_good_for(const struct oauth *o, int64_t margin_ms)
{
    int64_t now = when_monotonic_ms(), half = o->life_ms / 2;
    if (!o->token.len) return false;
    return o->ends_ms - now > (margin_ms < half ? margin_ms : half);
}

static bool can_wait(const struct oauth *o)
{
    return o->token.len && o->ends_ms - when_monotonic_ms() > OLD_IS_GOOD_MS;
}

int oauth_ensure(struct oauth *o, int64_t margin_ms, int64_t deadline_ms, struct err *e)
{
    struct attempt t = {.o = o};
    if (is_good_for(o, margin_ms)) return 0;
    if (can_wait(o) && when_monotonic_ms() < o->quiet_until_ms) return 0;
    for (;;) {
        int rc = ask_once(&t, e);
        if (rc == 0 || !t.may_pass) return rc;
        if (can_wait(o)) {
            o->quiet_until_ms = when_monotonic_ms() + RENEW_AGAIN_MS;
            return 0;
        }
        t.n++;
        int64_t wait = wait_of(&t);
        if (t.n >= (t.was_answered ? TRIES_ANSWERED : TRIES_NO_ANSWER) ||
            when_monotonic_ms() + wait >= deadline_ms) {
            e->retry_at_ms = t.retry_after_ms > 0 ? when_now_ms() + t.retry_after_ms : 0;
            return rc;
        }
        rest(wait);
    }
}

void oauth_age(struct oauth *o, int64_t ms)
{
    o->ends_ms -= ms;
    o->expires_ms -= ms;
    o->quiet_until_ms -= ms;
}

/* --- what is known -----------------------------------------------------------------------------------------
 */

const struct secret *oauth_token(const struct oauth *o)
{
    return o->token.len ? &o->token : NULL;
}

const json_t *oauth_claims(const struct oauth *o)
{
    return o->claims;
}

int64_t oauth_expires_ms(const struct oauth *o)
{
    return o->expires_ms;
}

int64_t oauth_certificate_expires_ms(const struct oauth *o)
{
    return o->key ? oauth_key_expires_ms(o->key) : 0;
}

int64_t oauth_clock_offset_ms(const struct oauth *o)
{
    return o->clock_offset_ms;
}

unsigned oauth_requests(const struct oauth *o)
{
    return o->n_requests;
}
