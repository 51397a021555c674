/* oidc_provider.c - what is asked of the provider: discovery, keys, tokens. Only its own origin is asked, nothing is redirected, every answer is bounded. */
#include "server/oidc/oidc_int.h"

#include "base/jsonv.h"
#include "net/jwt.h"
#include "net/oauth.h"
#include "net/ranges.h"
#include "net/secret_json.h"
#include "net/url.h"
#include "server/client.h"

#include <sodium.h>
#include <stdlib.h>

enum { CONNECT_MS = 5000, ANSWER_MS = 10000, FRESH_MS = 3600 * 1000, AGAIN_MS = 5 * 1000 };
#define ANSWER_MAX ((size_t)512 << 10)

static bool list_has(const json_t *list, const char *word)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)list, i, v) if (json_is_string(v) && strcmp(json_string_value(v), word) == 0) return true;
    return false;
}

/* --- one request -------------------------------------------------------------------------------------------------- */

static int open_client(struct http **out, const struct oidc_conf *c, struct err *e)
{
    struct http_options o = {.parallel = 1, .connect_timeout_ms = CONNECT_MS, .answer_timeout_ms = ANSWER_MS, .body_max = ANSWER_MAX, .clear_to_loopback = true, .may_connect = address_may_serve};
    return client_open(out, &o, c->ca_certificate, e);
}

/* The issuer's own origin: a discovery document cannot send our code and secret, or our trust in keys, elsewhere. */
static int check_origin(const struct oidc_conf *c, struct str address, const char *what, struct err *e)
{
    struct url issuer, u;
    if (!address.len) return err_set(e, ERR_PROTO, "the provider does not say its %s", what);
    try(url_parse(&issuer, str_from(c->issuer), e));
    if (url_parse(&u, address, e) < 0) return err_wrap(e, "%s", what);
    if (url_same_origin(&issuer, &u)) return 0;
    err_set(e, ERR_PROTO, "the provider's %s is at %s, not at the issuer's own %s", what, u.host, issuer.host);
    return err_hint(e, "only addresses of the issuer itself are used; is issuer the right one?");
}

static int take_json(json_t **out, const struct http_answer *a, const char *what, struct err *e)
{
    *out = a->status == 200 ? json_loadb((const char *)a->body.ptr, a->body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(*out)) return 0;
    json_decref(*out);
    *out = NULL;
    if (a->status >= 300 && a->status < 400) {
        err_set(e, ERR_PROTO, "%s: the provider sends elsewhere (HTTP %ld), which is not followed", what, a->status);
        return err_hint(e, "set issuer to the address that answers by itself");
    }
    err_set(e, a->status == 200 ? ERR_PROTO : ERR_NET, "%s: the provider answers %s (HTTP %ld)", what, a->status == 200 ? "no JSON object" : "with an error", a->status);
    return err_hint(e, "is issuer the provider's address, with the path it has (a realm, a tenant)?");
}

static int get_json(const struct oidc_conf *c, const char *address, const char *what, json_t **out, struct err *e)
{
    struct http *h;
    struct http_answer a;
    *out = NULL;
    try(open_client(&h, c, e));
    struct http_request r = {.method = "GET", .url = address};
    int rc = http_fetch(h, &r, &a, e);
    if (rc < 0) err_wrap(e, "%s", what);
    if (rc == 0) rc = take_json(out, &a, what, e);
    http_close(h);
    return rc;
}

/* --- discovery (OpenID Connect Discovery 1.0, 3 and 4) ------------------------------------------------------------- */

static int check_issuer(const struct oidc_conf *c, const json_t *metadata, struct err *e)
{
    char shown[200];
    struct str issuer = jsonv_text(metadata, "issuer");
    if (str_equal(issuer, str_from(c->issuer))) return 0;
    err_set(e, ERR_PROTO, "the provider calls itself '%s', not %s", oauth_quote(shown, sizeof shown, issuer), c->issuer);
    if (memchr(issuer.ptr, '{', issuer.len)) return err_hint(e, "write the tenant's own issuer: https://login.microsoftonline.com/TENANT-ID/v2.0");
    return err_hint(e, "if that is the provider you mean, set issuer to exactly this, with or without the slash at the end");
}

static int check_metadata(const struct oidc_conf *c, const json_t *m, struct err *e)
{
    static const char *const addresses[] = {"authorization_endpoint", "token_endpoint", "jwks_uri"};
    const json_t *algs = json_object_get(m, "id_token_signing_alg_values_supported"), *methods = json_object_get(m, "code_challenge_methods_supported");
    try(check_issuer(c, m, e));
    for (size_t i = 0; i < n_elements(addresses); i++) try(check_origin(c, jsonv_text(m, addresses[i]), addresses[i], e));
    if (algs && !list_has(algs, "RS256") && !list_has(algs, "PS256") && !list_has(algs, "ES256"))
        return err_set(e, ERR_PROTO, "the provider signs with none of RS256, PS256, ES256");
    if (methods && !list_has(methods, "S256")) return err_set(e, ERR_PROTO, "the provider does not know PKCE with S256");
    return 0;
}

int oidc_fetch_metadata(const struct oidc_conf *c, json_t **out, struct err *e)
{
    struct buf address = buf_new(4096);
    size_t n = strlen(c->issuer);
    while (n && c->issuer[n - 1] == '/') n--;
    buf_printf(&address, "%.*s/.well-known/openid-configuration", (int)n, c->issuer);
    int rc = get_json(c, buf_cstr(&address), "discovery", out, e);
    buf_free(&address);
    if (rc == 0) rc = check_metadata(c, *out, e);
    if (rc == 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

int oidc_fetch_keys(const struct oidc_conf *c, const json_t *metadata, json_t **out, struct err *e)
{
    struct str address = jsonv_text(metadata, "jwks_uri");
    defer_free char *text = x_strdup(address);
    try(check_origin(c, address, "jwks_uri", e));
    try(get_json(c, text, "keys", out, e));
    if (jwt_usable_keys(*out)) return 0;
    json_decref(*out);
    *out = NULL;
    return err_set(e, ERR_PROTO, "keys: the provider has none that can sign with RS256, PS256 or ES256");
}

/* --- what is remembered ------------------------------------------------------------------------------------------------ */

void oidc_cache_clear(struct oidc_cache *c)
{
    free(c->issuer);
    json_decref(c->metadata);
    json_decref(c->keys);
    *c = (struct oidc_cache){0};
}

static bool is_of(const struct oidc_cache *k, const struct oidc_conf *c)
{
    return k->issuer && strcmp(k->issuer, c->issuer) == 0;
}

int oidc_metadata(struct oidc *o, const struct oidc_conf *c, json_t **out, struct err *e)
{
    int64_t now = when_monotonic_ms();
    pthread_mutex_lock(&o->lock);
    bool is_fresh = is_of(&o->cache, c) && o->cache.metadata && now - o->cache.metadata_ms < FRESH_MS;
    *out = is_fresh ? json_incref(o->cache.metadata) : NULL;
    pthread_mutex_unlock(&o->lock);
    if (is_fresh) return 0;
    try(oidc_fetch_metadata(c, out, e));
    pthread_mutex_lock(&o->lock);
    if (!is_of(&o->cache, c)) oidc_cache_clear(&o->cache);
    if (!o->cache.issuer) o->cache.issuer = x_strdup(str_from(c->issuer));
    json_decref(o->cache.metadata);
    o->cache.metadata = json_incref(*out);
    o->cache.metadata_ms = now;
    pthread_mutex_unlock(&o->lock);
    return 0;
}

int oidc_keys(struct oidc *o, const struct oidc_conf *c, const json_t *metadata, bool anew, json_t **out, struct err *e)
{
    int64_t now = when_monotonic_ms();
    pthread_mutex_lock(&o->lock);
    int64_t age = now - o->cache.keys_ms;
    bool is_fresh = is_of(&o->cache, c) && o->cache.keys && age < (anew ? AGAIN_MS : FRESH_MS);
    *out = is_fresh ? json_incref(o->cache.keys) : NULL;
    pthread_mutex_unlock(&o->lock);
    if (is_fresh) return 0;
    try(oidc_fetch_keys(c, metadata, out, e));
    pthread_mutex_lock(&o->lock);
    if (is_of(&o->cache, c)) {
        json_decref(o->cache.keys);
        o->cache.keys = json_incref(*out);
        o->cache.keys_ms = now;
    }
    pthread_mutex_unlock(&o->lock);
    return 0;
}

/* --- code for tokens (RFC 6749 4.1.3, RFC 7636 4.5) ----------------------------------------------------------------------- */

void oidc_add_parameter(struct buf *out, const char *name, struct str value)
{
    if (out->len && out->ptr[out->len - 1] != '?') buf_add_byte(out, '&');
    buf_printf(out, "%s=", name);
    url_add_encoded(out, value, URL_UNRESERVED);
}

/* RFC 6749 2.3.1: both parts form-encoded, then as RFC 7617 has it. */
static int make_basic(struct secret *out, const struct oidc_conf *c, struct err *e)
{
    struct buf pair = buf_new(SECRET_MAX);
    buf_reserve(&pair, 3 * (strlen(c->client_id) + c->secret.len) + 64); /* all at once: growing would leave copies behind */
    url_add_encoded(&pair, str_from(c->client_id), URL_UNRESERVED);
    buf_add_byte(&pair, ':');
    url_add_encoded(&pair, str_of(secret_bytes(&c->secret)), URL_UNRESERVED);
    size_t room = sodium_base64_encoded_len(pair.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = x_alloc(room);
    sodium_bin2base64(text, room, pair.ptr, pair.len, sodium_base64_VARIANT_ORIGINAL);
    int rc = pair.failed ? err_set(e, ERR_INPUT, "the client secret is too long") : secret_take(out, bytes_of(str_from(text)), e);
    secret_wipe(text, room);
    free(text);
    secret_wipe_buf(&pair);
    return rc;
}

static int explain_refusal(const struct http_answer *a, const json_t *answer, char error[64], struct err *e)
{
    char words[200];
    oauth_quote(error, 64, jsonv_text(answer, "error"));
    oauth_quote(words, sizeof words, jsonv_text(answer, "error_description"));
    err_set(e, error[0] ? ERR_AUTH : ERR_PROTO, "the provider gives no token: %s%s%s (HTTP %ld)", error[0] ? error : "its answer is none of OAuth", words[0] ? ": " : "", words, a->status);
    if (strcmp(error, "invalid_client") == 0) return err_hint(e, "an administrator enters the client secret again: its value, not its id; has it expired?");
    if (strcmp(error, "invalid_grant") == 0) return err_hint(e, "start the log-in again; a code is good once, and for a moment");
    return e->class;
}

static int take_token(struct secret *id_token, const struct http_answer *a, char error[64], struct err *e)
{
    json_t *answer = secret_json_load(a->body);
    struct str token = jsonv_text(answer, "id_token");
    int rc = 0;
    if (a->status != 200 || json_object_get(answer, "error"))
        rc = explain_refusal(a, answer, error, e);
    else if (!answer)
        rc = err_set(e, ERR_PROTO, "the provider's answer is no JSON object");
    else if (!token.len)
        rc = err_set(e, ERR_PROTO, "the provider's answer holds no ID token");
    else
        rc = secret_take(id_token, bytes_of(token), e);
    secret_json_drop(answer);
    return rc;
}

static int post_form(const struct oidc_conf *c, const char *address, struct bytes form, const struct secret *basic, struct secret *id_token, char error[64],
                     struct err *e)
{
    struct http *h;
    struct http_answer a;
    static const char *const headers[] = {"Accept: application/json", NULL};
    try(open_client(&h, c, e));
    struct http_request r = {.method = "POST", .url = address, .headers = headers, .content_type = "application/x-www-form-urlencoded", .body = form};
    r.bearer = basic;
    r.is_basic = basic != NULL;
    int rc = http_fetch(h, &r, &a, e);
    if (rc < 0) err_wrap(e, "token");
    if (rc == 0) rc = take_token(id_token, &a, error, e);
    http_close(h);
    return rc;
}

int oidc_exchange(const struct oidc_conf *c, const json_t *metadata, const char *code, const char *verifier, struct secret *id_token, char error[64], struct err *e)
{
    const json_t *methods = json_object_get(metadata, "token_endpoint_auth_methods_supported");
    struct str address = jsonv_text(metadata, "token_endpoint");
    struct secret basic = {0};
    bool by_post = c->secret.len && list_has(methods, "client_secret_post");
    error[0] = 0;
    *id_token = (struct secret){0};
    try(check_origin(c, address, "token_endpoint", e));
    if (c->secret.len && !by_post) try(make_basic(&basic, c, e));
    defer_free char *url = x_strdup(address);
    struct buf form = buf_new(256 * 1024);
    buf_reserve(&form, 3 * (strlen(code) + c->secret.len) + 4096);
    oidc_add_parameter(&form, "grant_type", STR("authorization_code"));
    oidc_add_parameter(&form, "code", str_from(code));
    oidc_add_parameter(&form, "redirect_uri", str_from(c->redirect_uri));
    oidc_add_parameter(&form, "code_verifier", str_from(verifier));
    if (!basic.len) oidc_add_parameter(&form, "client_id", str_from(c->client_id));
    if (by_post) oidc_add_parameter(&form, "client_secret", str_of(secret_bytes(&c->secret)));
    int rc = form.failed ? err_set(e, ERR_INPUT, "the code is too long") : post_form(c, url, buf_bytes(&form), basic.len ? &basic : NULL, id_token, error, e);
    secret_wipe_buf(&form);
    secret_drop(&basic);
    return rc;
}
