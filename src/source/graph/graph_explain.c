/* graph_explain.c - the table, and how a row is found. */
#include "source/graph/graph_explain.h"

#include "base/buf.h"
#include "net/oauth.h"

#include <jansson.h>
#include <stdio.h>
#include <strings.h>

#define BODY_MAX  ((size_t)64 << 10)
#define CODES_MAX 8 /* nestings of innerError that are looked into */

/* --- the table ------------------------------------------------------------------------------------------ */

struct graph_row {
    short status;     /* 0: any */
    const char *code; /* NULL: any; compared without case */
    const char *says; /* words within the service's message, without case; NULL: any */
    enum graph_fault fault;
    enum err_class class;
    const char *sentence, *hint;
    bool quotes; /* the service's own words add something */
};

/* clang-format off */
#define HINT_CONSENT "an administrator of the tenant must consent to the application (Enterprise applications, Permissions)"
#define HINT_CLOUD   "check cloud, or login_url and graph_url: tokens of one national cloud are worth nothing in another"
#define HINT_DELTA   "a full read follows by itself; run at least every seven days"
#define HINT_WAIT    "it is tried again by itself; if it lasts, look at the service health page of the tenant"
#define HINT_PREMIUM                                                                                         \
    "without Entra ID P1 or P2 this part is left out; if the tenant has one, also grant Directory.Read.All: the service sometimes "  \
    "needs it to see the licence"

/* The first row that fits wins, so the narrower ones stand first. Codes and texts as the service sent them to others (issue threads,
 * Microsoft's pages); rows without a code are what is known from the status alone. */
static const struct graph_row rows[] = {
    /* tokens of pages and of delta queries */
    {0, "Directory_ExpiredPageToken", NULL, GRAPH_FAULT_RESTART_COLLECTION, ERR_COOKIE, "the page token has expired between two pages",
     "it is read again from its first page; if that recurs, find what slows the run down", false},
    {0, "syncStateNotFound", NULL, GRAPH_FAULT_RESYNC, ERR_COOKIE, "the service no longer knows the state of the stored delta link", HINT_DELTA,
     false},
    {0, "syncStateInvalid", NULL, GRAPH_FAULT_RESYNC, ERR_COOKIE, "the state of the stored delta link is no longer valid", HINT_DELTA, false},
    {0, "resyncRequired", NULL, GRAPH_FAULT_RESYNC, ERR_COOKIE, "the service demands a full read in place of the delta", HINT_DELTA, false},
    {0, "resyncChangesApplyDifferences", NULL, GRAPH_FAULT_RESYNC, ERR_COOKIE, "the service demands a full read in place of the delta",
     HINT_DELTA, false},
    {0, "resyncChangesUploadDifferences", NULL, GRAPH_FAULT_RESYNC, ERR_COOKIE, "the service demands a full read in place of the delta",
     HINT_DELTA, false},
    {400, NULL, "deltatoken", GRAPH_FAULT_RESYNC, ERR_COOKIE, "the service does not accept the stored delta token", HINT_DELTA, true},
    {400, NULL, "delta token", GRAPH_FAULT_RESYNC, ERR_COOKIE, "the service does not accept the stored delta token", HINT_DELTA, true},
    {410, NULL, NULL, GRAPH_FAULT_RESYNC, ERR_COOKIE, "the stored delta link has expired", HINT_DELTA, false},

    /* permissions: what would do comes from the caller */
    {0, "Authorization_RequestDenied", NULL, GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED, "the application lacks a permission", NULL, false},
    {0, "Authentication_MSGraphPermissionMissing", NULL, GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED,
     "the application lacks a permission of the reports service", NULL, true},
    {0, "Authentication_ApplicationHasNoReadAuditLogDataAccess", NULL, GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED,
     "the application may not read audit log data", "grant AuditLog.Read.All (application permission) with admin consent", false},
    {0, "PermissionScopeNotGranted", NULL, GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED,
     "the application lacks a permission of the role management service", NULL, true},
    {0, "Authentication_RequestFromUnsupportedUserRole", NULL, GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED,
     "the reports service wants a directory role, not only a permission", "give the application's service principal the role Reports Reader",
     true},
    {401, "Authorization_IdentityNotFound", NULL, GRAPH_FAULT_FATAL, ERR_AUTH, "the application has no service principal in this tenant",
     HINT_CONSENT, false},
    {403, "Authorization_IdentityNotFound", NULL, GRAPH_FAULT_FATAL, ERR_DENIED, "the application has no service principal in this tenant",
     HINT_CONSENT, false},

    /* licences */
    {0, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", NULL, GRAPH_FAULT_DENIED_LICENCE, ERR_DENIED,
     "the tenant has no Entra ID P1 or P2 licence, or is a B2C tenant", HINT_PREMIUM, false},
    {0, "AadPremiumLicenseRequired", NULL, GRAPH_FAULT_DENIED_LICENCE, ERR_DENIED, "the tenant has no Entra ID P2 or Governance licence",
     "without one there are no eligible role assignments to read: nothing is missing", false},
    {0, NULL, "not onboarded to PIM", GRAPH_FAULT_DENIED_LICENCE, ERR_DENIED, "the tenant does not use Privileged Identity Management",
     "there are no eligible role assignments to read: nothing is missing", false},
    {403, NULL, "premium licen", GRAPH_FAULT_DENIED_LICENCE, ERR_DENIED, "the tenant lacks a licence for this", HINT_PREMIUM, true},

    /* the access token */
    {401, "InvalidAuthenticationToken", "not yet valid", GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the token has expired, or is not valid yet",
     "a new one is asked for by itself; if that recurs, the clock of this machine is wrong", false},
    {401, "InvalidAuthenticationToken", "Lifetime validation", GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the token's lifetime is over",
     "a new one is asked for by itself; if that recurs, check the token lifetime policy of the tenant", false},
    {401, "InvalidAuthenticationToken", "audience", GRAPH_FAULT_FATAL, ERR_AUTH, "the token is for another service than this Graph",
     HINT_CLOUD, false},
    {401, "InvalidAuthenticationToken", "is empty", GRAPH_FAULT_FATAL, ERR_AUTH, "no token arrived with the request",
     "a proxy on the way takes the Authorization header out: let it pass, or go around it", false},
    {401, "InvalidAuthenticationToken", "revo", GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the token was revoked before its time",
     "a new one is asked for by itself; look in the audit log for who revoked it", true},
    {401, "InvalidAuthenticationToken", NULL, GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the service does not accept the token", HINT_CLOUD, true},
    {401, "Authentication_ExpiredToken", NULL, GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the token has expired", "a new one is asked for by itself",
     false},

    /* gone */
    {404, "Request_ResourceNotFound", NULL, GRAPH_FAULT_NOT_FOUND, ERR_NOTFOUND,
     "it does not exist any more, or is not visible to the application", "nothing, if it was deleted while the run was under way", false},

    /* what the service does not do */
    {0, NULL, "Cannot query data for more than", GRAPH_FAULT_PAGE_TOO_LARGE, ERR_PROTO,
     "the reports service gives sign-in data for fewer users a page", "smaller pages are asked for by itself", true},
    {0, NULL, "Invalid page size", GRAPH_FAULT_PAGE_TOO_LARGE, ERR_PROTO, "the service gives fewer objects a page",
     "smaller pages are asked for by itself", true},
    {0, "Directory_ResultSizeLimitExceeded", NULL, GRAPH_FAULT_PAGE_TOO_LARGE, ERR_PROTO, "the answer would be larger than the service allows",
     "smaller pages are asked for by itself", false},
    {400, NULL, "sort property", GRAPH_FAULT_UNSUPPORTED, ERR_PROTO,
     "the service does not sort by this property without an advanced query",
     "B2C tenants have no advanced queries: use incremental: delta there", true},
    {400, NULL, "$count is not", GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "the service does not count here",
     "it needs the header ConsistencyLevel: eventual: a proxy may take it out; B2C tenants do not count at all", true},
    {400, NULL, "ConsistencyLevel", GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "the service wants the header ConsistencyLevel: eventual",
     "we send it: a proxy on the way may take it out", false},
    {400, NULL, "not indexed", GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "the service cannot filter by this property", "use incremental: delta", true},
    {400, NULL, "for delta query", GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "a delta query does not give one of these properties",
     "it is left out of the delta and read apart", true},
    {400, NULL, "Could not find a property named", GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "this cloud does not know one of the properties",
     "it is left out: sovereign clouds lack some", true},
    {400, NULL, "not found for the segment", GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "this cloud does not have this collection",
     "it is left out: sovereign clouds lack some", true},
    {0, "Request_UnsupportedQuery", NULL, GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "the service does not support this query",
     "B2C tenants and some clouds lack advanced queries", true},
    {0, "NotImplemented", NULL, GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "the service has not implemented this",
     "fewer properties must be asked for", true},
    {501, NULL, NULL, GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "the service has not implemented this", "fewer properties must be asked for", true},
    {414, NULL, NULL, GRAPH_FAULT_FATAL, ERR_PROTO, "the service finds the address too long",
     "a proxy with a small limit is on the way: raise its limit, or go around it", false},

    /* throttling */
    {429, "TooManyRequests", "category:", GRAPH_FAULT_RETRY, ERR_LIMIT, "too many requests: the directory's quota for this application is used up",
     "it waits and goes on by itself; if runs become too slow, lower parallel, or ask what else uses this application", true},
    {429, "UnknownError", NULL, GRAPH_FAULT_RETRY, ERR_LIMIT, "the reports service is throttling: it answers five requests in ten seconds",
     "it waits and goes on by itself; what else reads reports with this application shares the quota", false},
    {429, NULL, NULL, GRAPH_FAULT_RETRY, ERR_LIMIT, "too many requests", "it waits and goes on by itself; lower parallel if that lasts", false},

    /* broken for the moment */
    {0, "Directory_ReplicaUnavailable", NULL, GRAPH_FAULT_RETRY, ERR_NET, "the directory replica is not available", HINT_WAIT, false},
    {0, "Directory_ConcurrencyViolation", NULL, GRAPH_FAULT_RETRY, ERR_NET, "the directory is changing under the request", HINT_WAIT, false},
    {408, NULL, NULL, GRAPH_FAULT_RETRY, ERR_TIMEOUT, "the service gave up waiting for the request", HINT_WAIT, false},
    {500, NULL, NULL, GRAPH_FAULT_RETRY, ERR_NET, "the service has an internal error", HINT_WAIT, true},
    {502, NULL, NULL, GRAPH_FAULT_RETRY, ERR_NET, "a gateway of the service got no proper answer", HINT_WAIT, false},
    {503, NULL, NULL, GRAPH_FAULT_RETRY, ERR_NET, "the service is not available for the moment", HINT_WAIT, false},
    {504, NULL, NULL, GRAPH_FAULT_RETRY, ERR_NET, "a gateway of the service waited in vain", HINT_WAIT, false},
    {509, NULL, NULL, GRAPH_FAULT_RETRY, ERR_NET, "the service has used up its bandwidth", HINT_WAIT, false},

    /* nothing better is known */
    {400, NULL, NULL, GRAPH_FAULT_FATAL, ERR_PROTO, "the service does not accept the request", NULL, true},
    {401, NULL, NULL, GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the service does not accept the token", HINT_CLOUD, true},
    {403, NULL, NULL, GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED, "the application may not read this", NULL, true},
    {404, NULL, NULL, GRAPH_FAULT_NOT_FOUND, ERR_NOTFOUND, "it does not exist, or is not visible to the application", NULL, true},
    {407, NULL, NULL, GRAPH_FAULT_FATAL, ERR_NET, "a proxy on the way wants credentials", "let this machine reach the service without a proxy",
     false},
};
/* clang-format on */

/* Of whole hundreds. */
static const struct graph_row redirected = {
    0,
    NULL,
    NULL,
    GRAPH_FAULT_FATAL,
    ERR_PROTO,
    "the service answers with a redirect, which is not followed: a token goes to one host only",
    "check cloud or graph_url; a captive portal or proxy answers like that too",
    false};
static const struct graph_row broken = {
    0, NULL, NULL, GRAPH_FAULT_RETRY, ERR_NET, "the service is broken for the moment", HINT_WAIT, true};
static const struct graph_row refused = {
    0, NULL, NULL, GRAPH_FAULT_FATAL, ERR_PROTO, "the service does not accept the request", NULL, true};
static const struct graph_row senseless = {
    0,
    NULL,
    NULL,
    GRAPH_FAULT_FATAL,
    ERR_PROTO,
    "the answer makes no sense",
    "check cloud or graph_url: is this Microsoft Graph, and nothing in between that answers for it?",
    true};
/* 403 or 404 that Graph did not write: no proof that something is forbidden or gone. */
static const struct graph_row foreign = {
    0,
    NULL,
    NULL,
    GRAPH_FAULT_FATAL,
    ERR_PROTO,
    "somebody else than Microsoft Graph refused the request (the body is not Graph's)",
    "check graph_url; a proxy or firewall on the way answers like that",
    true};

/* --- finding the row ------------------------------------------------------------------------------------ */

static bool has_words(const char *text, const char *words)
{
    return strcasestr(text, words) != NULL;
}

/* Rows that only know a status come when no code and no words are found. */
static bool row_fits(const struct graph_row *r, long status, const char *code, const char *message)
{
    if (r->status && r->status != status) return false;
    if (r->code && (!code || strcasecmp(r->code, code) != 0)) return false;
    if (code && !r->code && !r->says) return false;
    return !r->says || has_words(message, r->says);
}

static const struct graph_row *find_row(long status, const char *code, const char *message)
{
    for (size_t i = 0; i < n_elements(rows); i++)
        if (row_fits(&rows[i], status, code, message)) return &rows[i];
    return NULL;
}

static const struct graph_row *row_of_status(long status)
{
    if (status >= 200 && status < 300) return &senseless;
    if (status >= 300 && status < 400) return &redirected;
    if (status >= 400 && status < 500) return &refused;
    return status >= 500 && status < 600 ? &broken : &senseless;
}

/* --- reading the body ----------------------------------------------------------------------------------- */

struct said {
    struct str codes[CODES_MAX]; /* outermost first */
    size_t n_codes;
    struct str message;
};

static struct str text_of(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : STR("");
}

static void add_code(struct said *s, struct str code)
{
    if (code.len && code.len < sizeof((struct graph_failure *)0)->code && s->n_codes < CODES_MAX)
        s->codes[s->n_codes++] = code;
}

static const json_t *inner_of(const json_t *error)
{
    const json_t *inner = json_object_get(error, "innerError");
    return inner ? inner : json_object_get(error, "innererror");
}

/* {"error":{...}}, or, as the older services answer, the error itself. NULL: not Graph's. */
static const json_t *error_of(const json_t *root)
{
    const json_t *error = json_object_get(root, "error");
    if (json_is_object(error)) return error;
    return !error && json_is_string(json_object_get(root, "code")) && json_object_get(root, "message") ? root
                                                                                                       : NULL;
}

static void read_error(struct said *s, const json_t *error)
{
    s->message = text_of(error, "message");
    for (size_t i = 0; json_is_object(error) && i < CODES_MAX; i++) {
        add_code(s, text_of(error, "code"));
        if (!s->message.len) s->message = text_of(error, "message");
        error = inner_of(error);
    }
}

/* The reports and role management services put a JSON document into the message of another. Owned by the
 * caller. */
static json_t *unwrap_message(struct said *s)
{
    if (!str_starts(s->message, STR("{"))) return NULL;
    json_t *inside = json_loadb(s->message.ptr, s->message.len, 0, NULL);
    struct str code = text_of(inside, "errorCode"), message = text_of(inside, "message"),
               value = text_of(inside, "value");
    add_code(s, code);
    if (message.len || value.len) s->message = message.len ? message : value;
    return inside;
}

static void keep_code(struct graph_failure *f, struct str code)
{
    oauth_quote(f->code, sizeof f->code, code);
}

static void judge(struct graph_failure *f, const struct said *s)
{
    const char *words = f->is_json ? f->message : "";
    f->row = NULL;
    for (size_t i = s->n_codes; i-- > 0 && !f->row;) {
        keep_code(f, s->codes[i]);
        f->row = find_row(f->status, f->code, words);
    }
    if (f->row) return;
    keep_code(f, s->n_codes ? s->codes[0] : STR(""));
    f->row = find_row(f->status, NULL, words);
    if (!f->row) f->row = row_of_status(f->status);
}

/* A refusal that Graph did not write proves nothing; what throttles, breaks or wants another token does so
 * whoever says it. */
static bool is_foreign(const struct graph_failure *f, struct bytes body)
{
    if (f->is_json || f->status < 400 || f->status >= 500 || f->status == 407 || f->status == 414)
        return false;
    if (f->row->fault == GRAPH_FAULT_NOT_FOUND) return true;
    return body.len && (f->row->fault == GRAPH_FAULT_FATAL || f->row->fault == GRAPH_FAULT_DENIED_PERMISSION);
}

void graph_failure_read(struct graph_failure *out, long status, struct bytes body)
{
    struct said s = {.message = str_of(body)};
    json_t *root = body.len <= BODY_MAX ? json_loadb((const char *)body.ptr, body.len, 0, NULL) : NULL;
    const json_t *error = error_of(root);
    *out = (struct graph_failure){.status = status, .is_json = error != NULL};
    if (error) {
        s.message = STR("");
        read_error(&s, error);
    }
    json_t *inside = error ? unwrap_message(&s) : NULL;
    oauth_quote(out->message, sizeof out->message, s.message);
    judge(out, &s);
    if (is_foreign(out, body)) out->row = &foreign;
    out->fault = out->row->fault;
    json_decref(inside);
    json_decref(root);
}

/* --- saying it ------------------------------------------------------------------------------------------ */

static void add_reference(struct buf *b, const struct graph_failure *f, struct str request_id)
{
    char id[80];
    buf_printf(b, " (HTTP %ld", f->status);
    if (*f->code) buf_printf(b, ", %s", f->code);
    if (*oauth_quote(id, sizeof id, request_id)) buf_printf(b, ", request %s", id);
    buf_printf(b, ")");
}

static void hint_of(struct err *e, const struct graph_failure *f, const char *permissions)
{
    if (f->row->hint)
        err_hint(e, "%s", f->row->hint);
    else if (f->fault == GRAPH_FAULT_DENIED_PERMISSION && permissions)
        err_hint(e,
                 "grant %s (application permission) to the app registration and give admin consent; it "
                 "counts from the next token on",
                 permissions);
    else if (f->fault == GRAPH_FAULT_DENIED_PERMISSION)
        err_hint(
            e,
            "grant the application permission for it, with admin consent; it counts from the next token on");
    else
        err_hint(e,
                 "see what the service says; with its request id Microsoft's support can find the request");
}

int graph_failure_explain(struct err *e, const struct graph_failure *f, struct str request_id,
                          const char *what, const char *permissions)
{
    struct buf b = buf_new(sizeof e->message - 1);
    bool names_permissions = f->fault == GRAPH_FAULT_DENIED_PERMISSION && permissions;
    buf_add_str(&b, str_from(f->row->sentence));
    if (names_permissions) buf_printf(&b, ": %s", permissions);
    if (f->row->quotes && !names_permissions && *f->message) buf_printf(&b, ": \"%s\"", f->message);
    add_reference(&b, f, request_id);
    err_set(e, f->row->class, "%s", buf_cstr(&b));
    buf_free(&b);
    hint_of(e, f, permissions);
    err_code(e, DOM_HTTP, (int)f->status);
    return err_wrap(e, "%s", what);
}

int graph_explain(struct err *e, long status, struct bytes body, struct str request_id, const char *what,
                  const char *permissions)
{
    struct graph_failure f;
    graph_failure_read(&f, status, body);
    return graph_failure_explain(e, &f, request_id, what, permissions);
}

enum graph_fault graph_fault_of(long status, struct bytes body)
{
    struct graph_failure f;
    graph_failure_read(&f, status, body);
    return f.fault;
}

const char *graph_fault_name(enum graph_fault f)
{
    static const char *const names[] = {
        [GRAPH_FAULT_FATAL] = "fatal",
        [GRAPH_FAULT_RETRY] = "retry",
        [GRAPH_FAULT_RENEW_TOKEN] = "renew_token",
        [GRAPH_FAULT_RESTART_COLLECTION] = "restart_collection",
        [GRAPH_FAULT_RESYNC] = "resync",
        [GRAPH_FAULT_DENIED_PERMISSION] = "denied_permission",
        [GRAPH_FAULT_DENIED_LICENCE] = "denied_licence",
        [GRAPH_FAULT_NOT_FOUND] = "not_found",
        [GRAPH_FAULT_PAGE_TOO_LARGE] = "page_too_large",
        [GRAPH_FAULT_UNSUPPORTED] = "unsupported",
    };
    return names[f];
}
