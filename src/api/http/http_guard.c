#include "api/http/http_int.h"
#include "base/secret.h"

#include <sodium.h>
#include <strings.h>

/* Who may ask at all, from the headers: the name this server is called by (DNS rebinding), the page a request comes from (CSRF), who is logged in. */

#define COOKIE "__Host-rollcall"

/* host of "https://host:port/path" or "host:port", with the brackets of an IPv6 address. */
static struct str host_of(struct str s)
{
    for (size_t i = 0; i + 2 < s.len; i++)
        if (memcmp(s.ptr + i, "://", 3) == 0) {
            s = (struct str){s.ptr + i + 3, s.len - i - 3};
            break;
        }
    s.len = str_index(s, '/');
    if (s.len && s.ptr[0] == '[') {
        size_t end = str_index(s, ']');
        return (struct str){s.ptr, end < s.len ? end + 1 : s.len};
    }
    s.len = str_index(s, ':');
    return s;
}

static bool is_loopback_name(struct str host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]", "::1"};
    for (size_t i = 0; i < n_elements(names); i++)
        if (str_equal_nocase(host, str_from(names[i]))) return true;
    return false;
}

bool guard_is_loopback(const char *host)
{
    return is_loopback_name(host_of(str_from(host)));
}

/* Scheme and authority of public_url, without a path: what an Origin header would say. */
static struct str public_origin(const struct app *app)
{
    struct str s = str_from(app->public_url ? app->public_url : "");
    size_t slashes = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '/' && ++slashes == 3) return (struct str){s.ptr, i};
    return s;
}

struct counted {
    const char *name, *value;
    unsigned n;
};

static enum MHD_Result count_header(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct counted *c = ctx;
    if (strcasecmp(key, c->name) == 0) {
        c->n++;
        c->value = value;
    }
    return MHD_YES;
}

/* The header's one value, NULL if there is none. ERR_INPUT: twice, which two readers could read differently. */
static int one_header(struct request_int *r, const char *name, const char **value, struct err *e)
{
    struct counted c = {.name = name};
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_header, &c);
    *value = c.value;
    return c.n > 1 ? err_set(e, ERR_INPUT, "header %s is given twice", name) : 0;
}

static int check_framing(struct request_int *r, bool *has_body, uint64_t *length, struct err *e)
{
    const char *size, *coding;
    try(one_header(r, "Content-Length", &size, e));
    try(one_header(r, "Transfer-Encoding", &coding, e));
    /* Request smuggling, RFC 9112 6.1: both, or a coding that is not exactly chunked. */
    if (size && coding) return err_set(e, ERR_INPUT, "Content-Length and Transfer-Encoding exclude each other");
    if (coding && strcasecmp(coding, "chunked") != 0) return err_set(e, ERR_INPUT, "Transfer-Encoding can only be chunked");
    *length = 0;
    for (const char *c = size; c && *c; c++) {
        if (*c < '0' || *c > '9' || c - size > 15) return err_set(e, ERR_INPUT, "Content-Length is no size");
        *length = *length * 10 + (uint64_t)(*c - '0');
    }
    if (size && !*size) return err_set(e, ERR_INPUT, "Content-Length is no size");
    *has_body = coding || *length;
    return 0;
}

static int check_host(struct request_int *r, unsigned *status, struct err *e)
{
    const char *host;
    try(one_header(r, "Host", &host, e));
    const char *pattern = r->compiled ? r->compiled->route->pattern : "";
    if (strcmp(pattern, "/healthz") == 0 || strcmp(pattern, "/readyz") == 0) return 0; /* probes know only an address, and these tell nothing */
    struct str given = host_of(str_from(host ? host : "")), ours = host_of(public_origin(r->server->app));
    if (given.len && str_equal_nocase(given, ours)) return 0;
    if (r->server->is_loopback && is_loopback_name(given)) return 0;
    *status = 421;
    err_set(e, ERR_INPUT, "this server is not called %.*s", (int)(given.len < 64 ? given.len : 64), given.ptr ? given.ptr : "");
    return err_hint(e, "ask for %s, or set public_url", r->server->app->public_url);
}

static bool is_own_origin(const struct request_int *r, const char *origin)
{
    struct str o = str_from(origin);
    if (str_equal_nocase(o, public_origin(r->server->app))) return true;
    const char *host = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Host");
    if (!host || !r->server->is_loopback || !is_loopback_name(host_of(str_from(host)))) return false;
    struct str scheme = r->server->app->is_tls ? STR("https://") : STR("http://");
    return str_starts(o, scheme) && str_equal_nocase((struct str){o.ptr + scheme.len, o.len - scheme.len}, str_from(host));
}

static bool is_reading(const struct request_int *r)
{
    return strcmp(r->q.method, "GET") == 0;
}

static bool is_report(const struct request_int *r)
{
    return r->compiled && strcmp(r->compiled->route->pattern, CSP_REPORT) == 0; /* browsers send it by themselves, in a type of its own */
}

/* The policy of web.dev/fetch-metadata: what another site asks for is refused unless it is a plain navigation to us; what changes something must name our origin. */
static int check_site(struct request_int *r, struct err *e)
{
    const char *origin, *site, *mode;
    try(one_header(r, "Origin", &origin, e));
    try(one_header(r, "Sec-Fetch-Site", &site, e));
    try(one_header(r, "Sec-Fetch-Mode", &mode, e));
    if (is_report(r)) return 0;
    bool is_foreign = site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    if (is_reading(r)) {
        if (is_foreign && !(mode && strcmp(mode, "navigate") == 0)) return err_set(e, ERR_DENIED, "asked by another site's page");
        return 0;
    }
    if (is_foreign || (origin && !is_own_origin(r, origin))) return err_set(e, ERR_DENIED, "sent by another site's page");
    return 0;
}

static int check_type(struct request_int *r, bool has_body, unsigned *status, struct err *e)
{
    const struct route *route = r->compiled->route;
    const char *type;
    try(one_header(r, "Content-Type", &type, e));
    if (is_report(r)) return 0;
    if (has_body && !route->body) return err_set(e, ERR_INPUT, "%s %s takes no body", route->method, route->pattern);
    if (!route->body || (!has_body && !type)) return 0;
    struct str t = str_from(type ? type : "");
    t.len = str_index(t, ';');
    if (str_equal_nocase(str_trim(t), STR("application/json"))) return 0;
    *status = 415;
    return err_set(e, ERR_INPUT, "the body must be application/json");
}

static int read_credentials(struct request_int *r, char cookie[TOKEN_TEXT], const char **bearer, struct err *e)
{
    const char *authorization, *cookies;
    try(one_header(r, "Authorization", &authorization, e));
    try(one_header(r, "Cookie", &cookies, e));
    *bearer = NULL;
    if (authorization && strncasecmp(authorization, "Bearer ", 7) == 0) *bearer = authorization + 7;
    if (authorization && !*bearer) return err_set(e, ERR_AUTH, "only Authorization: Bearer is known here");
    if (!cookie_find(cookie, TOKEN_TEXT, str_from(cookies ? cookies : ""), COOKIE)) cookie[0] = 0;
    return 0;
}

/* What needs no look at the state: nobody's body is read who shows neither a cookie nor a token. */
static int check_credentials(struct request_int *r, struct err *e)
{
    char cookie[TOKEN_TEXT];
    const char *bearer;
    if (r->compiled->route->right == RIGHT_OPEN) return 0;
    try(read_credentials(r, cookie, &bearer, e));
    if (!bearer && !cookie[0]) return err_set(e, ERR_AUTH, "nobody is logged in");
    if (bearer || is_reading(r)) return 0;
    const char *csrf = request_header(&r->q, "X-Rollcall-CSRF");
    if (!csrf || !*csrf) {
        err_set(e, ERR_DENIED, "the header X-Rollcall-CSRF is missing");
        return err_hint(e, "send what GET /api/v1/session says as csrf");
    }
    /* Every browser of today sends one of them with a request that changes something. */
    if (!request_header(&r->q, "Origin") && !request_header(&r->q, "Sec-Fetch-Site"))
        return err_set(e, ERR_DENIED, "a session changes things only from our own page: neither Origin nor Sec-Fetch-Site is given");
    return 0;
}

int guard_headers(struct request_int *r, unsigned *status, struct err *e)
{
    bool has_body = false;
    uint64_t length = 0;
    r->must_close = true; /* until it is sure where the request ends */
    try(check_framing(r, &has_body, &length, e));
    r->must_close = has_body;
    try(check_host(r, status, e));
    try(check_site(r, e));
    if (!r->compiled) return 0;
    try(check_credentials(r, e));
    try(check_type(r, has_body, status, e));
    const struct route *route = r->compiled->route;
    unsigned most = route->body_max ? route->body_max : BODY_DEFAULT;
    if (length > most) {
        *status = 413;
        return err_set(e, ERR_LIMIT, "the body is larger than %u bytes", most);
    }
    bool needs = route->body && json_object_get(r->compiled->schema, "required");
    if (needs && !has_body) {
        *status = 411;
        return err_set(e, ERR_INPUT, "%s %s needs a body", route->method, route->pattern);
    }
    r->body.max = most;
    return 0;
}

/* --- on a worker thread --------------------------------------------------------------------------------- */

static bool equal_in_constant_time(const char *a, const char *b)
{
    size_t n = strlen(a);
    return n == strlen(b) && sodium_memcmp(a, b, n) == 0;
}

static int identify(struct request_int *r, const char *cookie, const char *bearer, struct err *e)
{
    struct actor *a = &r->q.actor;
    char from[sizeof a->from];
    memcpy(from, a->from, sizeof from);
    int rc = bearer ? accounts_token(r->server->app->state, bearer, from, a, e) : accounts_session(r->server->app->state, cookie, from, a, e);
    if (rc < 0) *a = (struct actor){0};
    memcpy(a->from, from, sizeof from);
    return rc;
}

int guard_actor(struct request_int *r, struct err *e)
{
    char cookie[TOKEN_TEXT];
    const char *bearer;
    enum route_right right = r->compiled->route->right;
    int rc = read_credentials(r, cookie, &bearer, e);
    if (rc == 0 && (bearer || cookie[0])) rc = identify(r, cookie, bearer, e);
    secret_wipe(cookie, sizeof cookie);
    if (right == RIGHT_OPEN) return 0; /* an old cookie keeps nobody from logging in */
    try(rc);
    if (!r->q.actor.name[0]) return err_set(e, ERR_AUTH, "nobody is logged in");
    if (!r->q.actor.is_token && !is_reading(r)) {
        const char *csrf = request_header(&r->q, "X-Rollcall-CSRF");
        if (!csrf || !r->q.actor.csrf[0] || !equal_in_constant_time(r->q.actor.csrf, csrf))
            return err_set(e, ERR_DENIED, "X-Rollcall-CSRF is not this session's");
    }
    if ((int)r->q.actor.role >= (int)right) return 0;
    return err_set(e, ERR_DENIED, "%s needs the role %s, you are %s", r->compiled->route->doc, role_name((enum role)right), role_name(r->q.actor.role));
}
