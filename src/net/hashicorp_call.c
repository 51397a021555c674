/* hashicorp_call.c - one request to Vault: sent, tried again where that helps, its errors in words. */
#include "net/hashicorp_int.h"

#include "base/when.h"
#include "net/oauth.h"
#include "net/retry_after.h"
#include "net/secret_json.h"

#include <poll.h>
#include <stdio.h>

enum { ATTEMPTS = 4, FIRST_WAIT_MS = 250, WAIT_MAX_MS = 3000 };
#define PATH_MAX_BYTES ((size_t)8 << 10)

void vault_add_path(struct buf *out, struct str path)
{
    url_add_encoded(out, path, URL_UNRESERVED "/");
}

void vault_reply_drop(struct vault_reply *r)
{
    secret_json_drop(r->json);
    r->json = NULL;
}

/* {"errors": [...]}, and of a version 2 path on version 1 or the other way round {"warnings": [...]}. */
static void read_said(struct vault_reply *r)
{
    static const char *const members[] = {"errors", "warnings"};
    for (size_t i = 0; i < n_elements(members) && !r->said[0]; i++) {
        const json_t *first = json_array_get(json_object_get(r->json, members[i]), 0);
        struct str s = str_from(json_string_value(first));
        struct str intro = STR("1 error occurred:\n\t* "); /* Go's multierror */
        if (str_starts(s, intro)) s = (struct str){s.ptr + intro.len, s.len - intro.len};
        oauth_quote(r->said, sizeof r->said, s);
    }
}

static void take_answer(struct vault_reply *r, const struct http_answer *a)
{
    r->status = a->status;
    r->json = secret_json_load(a->body);
    oauth_quote(r->location, sizeof r->location, http_header(a, "Location"));
    r->location[strcspn(r->location, "?")] = 0;
    read_said(r);
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

static void add_token(struct buf *line, const struct secret *token)
{
    buf_reserve(line, token->len + 64); /* all at once: growing would leave copies behind */
    buf_add_str(line, STR("X-Vault-Token: "));
    buf_add_bytes(line, secret_bytes(token));
}

static int send_once(struct hashicorp *h, struct http_answer *a, const char *url, const char *body, enum vault_scope scope, struct err *e)
{
    struct buf line = buf_new(SECRET_MAX + 64);
    char name_space[300];
    const char *headers[4] = {"X-Vault-Request: true"}; /* an agent may insist on it, against forged requests */
    size_t n = 1;
    if (scope != VAULT_PLAIN && h->s.name_space && *h->s.name_space) {
        snprintf(name_space, sizeof name_space, "X-Vault-Namespace: %s", h->s.name_space);
        headers[n++] = name_space;
    }
    if (scope == VAULT_WITH_TOKEN && h->token.len) {
        add_token(&line, &h->token);
        headers[n++] = buf_cstr(&line);
    }
    struct http_request r = {.method = body ? "POST" : "GET", .url = url, .headers = headers, .content_type = "application/json"};
    if (body) r.body = bytes_of(str_from(body));
    int rc = http_fetch(h->http, &r, a, e);
    secret_wipe_buf(&line);
    return rc;
}

/* 429: a rate limit quota. 412: a node that has not caught up (eventual consistency). */
static bool may_pass(long status)
{
    return status == 429 || status == 412 || status == 500 || status == 502;
}

static void wait_before(unsigned attempt, const struct http_answer *a)
{
    int64_t ms;
    if (!retry_after_parse(&ms, http_header(a, "Retry-After"), when_now_ms())) ms = when_back_off_ms(attempt + 1, FIRST_WAIT_MS, WAIT_MAX_MS);
    poll(NULL, 0, (int)(ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms));
}

int vault_call(struct hashicorp *h, struct vault_reply *out, const char *path, const char *body, enum vault_scope scope, struct err *e)
{
    struct buf url = buf_new(PATH_MAX_BYTES);
    struct http_answer a;
    size_t n = strlen(h->s.address);
    while (n && h->s.address[n - 1] == '/') n--;
    buf_printf(&url, "%.*s/v1/%s", (int)n, h->s.address, path);
    *out = (struct vault_reply){0};
    int rc = url.failed ? err_set(e, ERR_INPUT, "the path is too long") : 0;
    for (unsigned attempt = 0; rc == 0; attempt++) {
        rc = send_once(h, &a, buf_cstr(&url), body, scope, e);
        if (rc < 0 || !may_pass(a.status) || attempt + 1 == ATTEMPTS) break;
        wait_before(attempt, &a);
    }
    buf_free(&url);
    if (rc < 0) return err_wrap(e, "vault");
    take_answer(out, &a);
    return 0;
}

/* --- what every path may answer ---------------------------------------------------------------------------------- */

static int explain_sealed(const struct hashicorp *h, const struct vault_reply *r, struct err *e)
{
    bool is_sealed = strstr(r->said, "sealed");
    err_set(e, ERR_LIMIT, "vault %s: %s (HTTP 503%s%s)", h->url.host, is_sealed ? "is sealed, so it gives no secret to anybody" : "is not available",
            r->said[0] ? ": " : "", r->said);
    return err_hint(e, is_sealed ? "whoever holds the unseal keys runs `vault operator unseal`" : "try again in a moment; `vault status` says more");
}

static int explain_redirect(const struct hashicorp *h, const struct vault_reply *r, struct err *e)
{
    err_set(e, ERR_NET, "vault %s sends elsewhere (HTTP %ld%s%s), and a token follows nobody", h->url.host, r->status, r->location[0] ? " to " : "",
            r->location);
    return err_hint(e, "it is a standby, or the address is not quite right: set the address of the active node or of the cluster");
}

static int explain_foreign(const struct hashicorp *h, const struct vault_reply *r, struct err *e)
{
    err_set(e, ERR_PROTO, "%s:%u answers HTTP %ld, but not as Vault does", h->url.host, h->url.port, r->status);
    return err_hint(e, "is the address that of Vault's API, and nothing in between that answers for it? It has no path such as /ui");
}

int vault_explain_common(const struct hashicorp *h, const struct vault_reply *r, struct err *e)
{
    if (r->status == 503) return explain_sealed(h, r, e);
    if (r->status >= 300 && r->status < 400) return explain_redirect(h, r, e);
    if (r->status == 429) {
        err_set(e, ERR_LIMIT, "vault %s: too many requests (HTTP 429%s%s)", h->url.host, r->said[0] ? ": " : "", r->said);
        return err_hint(e, "try again later, or have the rate limit quota raised");
    }
    if (r->status == 412) return err_set(e, ERR_LIMIT, "vault %s: the node has not caught up with the cluster (HTTP 412)", h->url.host);
    if (r->status >= 500)
        return err_set(e, ERR_NET, "vault %s: broken for the moment (HTTP %ld%s%s)", h->url.host, r->status, r->said[0] ? ": " : "", r->said);
    return r->json ? 0 : explain_foreign(h, r, e);
}
