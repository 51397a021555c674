/* oidc_settings.c - the document "settings" "oidc", its secret, and its test. */
#include "server/oidc/oidc_int.h"

#include "base/jsonv.h"
#include "net/jwt.h"
#include "net/steps.h"
#include "net/url.h"
#include "server/client.h"

#include <stdio.h>

#define SECRET "oidc.client_secret"

static const char *text_or(const json_t *body, const char *key, const char *fallback)
{
    const char *v = json_string_value(json_object_get(body, key));
    return v && *v ? v : fallback;
}

/* What the secret opens for: another issuer would otherwise get it. */
static void bound_to(char out[2200], const json_t *body)
{
    snprintf(out, 2200, "%s\n%s", text_or(body, "issuer", ""), text_or(body, "client_id", ""));
}

/* --- is it right? ------------------------------------------------------------------------------------------------------ */

static int check_text(const json_t *body, const char *key, size_t most, struct err *e)
{
    const json_t *v = json_object_get(body, key);
    if (!v || json_is_null(v)) return 0;
    if (!json_is_string(v)) return err_set(e, ERR_INPUT, "%s: text is expected", key);
    size_t n = json_string_length(v);
    if (n > most) return err_set(e, ERR_INPUT, "%s: longer than %zu characters", key, most);
    return strlen(json_string_value(v)) == n ? 0 : err_set(e, ERR_INPUT, "%s: a NUL character", key);
}

static int check_texts(const json_t *body, struct err *e)
{
    static const struct {
        const char *key;
        size_t most;
    } texts[] = {{"issuer", 1024}, {"client_id", 1024}, {"label", 100}, {"role_claim", 256}, {"default_role", 20}, {"ca_certificate", 32768}, {"client_secret", 4096}};
    for (size_t i = 0; i < n_elements(texts); i++)
        if (strcmp(texts[i].key, "client_secret") != 0 || !json_is_object(json_object_get(body, "client_secret"))) try(check_text(body, texts[i].key, texts[i].most, e));
    return 0;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static int check_issuer(const char *issuer, struct err *e)
{
    struct url u;
    if (url_parse(&u, str_from(issuer), e) < 0) return err_wrap(e, "issuer");
    if (!u.is_https && !is_loopback(u.host)) {
        err_set(e, ERR_INPUT, "issuer: http would not be protected");
        return err_hint(e, "use https");
    }
    if (u.query.len) return err_set(e, ERR_INPUT, "issuer: write it without ? and what follows");
    if (!strstr(issuer, "/.well-known/")) return 0;
    err_set(e, ERR_INPUT, "issuer: this is the address of the discovery document");
    return err_hint(e, "leave out /.well-known/openid-configuration");
}

static int check_roles(const json_t *body, struct err *e)
{
    json_t *roles = json_object_get(body, "roles"), *v;
    const char *key, *fallback = text_or(body, "default_role", "none");
    if (roles && !json_is_object(roles)) return err_set(e, ERR_INPUT, "roles: an object of value and role is expected");
    if (json_object_size(roles) > 500) return err_set(e, ERR_INPUT, "roles: more than 500");
    json_object_foreach(roles, key, v) {
        if (role_parse(str_from(json_string_value(v))) != ROLE_NONE) continue;
        err_set(e, ERR_INPUT, "roles: '%.60s': its role is none of viewer, analyst, operator, admin", key);
        return err_hint(e, "write for example {\"rollcall-admins\": \"admin\"}");
    }
    if (strcmp(fallback, "none") == 0 || role_parse(str_from(fallback)) != ROLE_NONE) return 0;
    return err_set(e, ERR_INPUT, "default_role: '%s' is none of none, viewer, analyst, operator, admin", fallback);
}

static int check_ca(struct oidc *o, const char *ca, struct err *e)
{
    if (*ca == '/') return client_check_path(o->state, "ca_certificate", true, ca, e);
    if (!*ca || strstr(ca, "-----BEGIN CERTIFICATE-----")) return 0;
    err_set(e, ERR_INPUT, "ca_certificate: neither a certificate in PEM nor the whole path of a file");
    return err_hint(e, "paste the certificate of the authority, from -----BEGIN CERTIFICATE----- on");
}

static int check(struct oidc *o, const json_t *body, bool must_be_whole, struct err *e)
{
    const char *issuer = text_or(body, "issuer", NULL), *client = text_or(body, "client_id", NULL);
    if (!json_is_object(body)) return err_set(e, ERR_INPUT, "an object of settings is expected");
    try(check_texts(body, e));
    if (must_be_whole && !issuer) return err_set(e, ERR_INPUT, "issuer: is missing");
    if (must_be_whole && !client) return err_set(e, ERR_INPUT, "client_id: is missing");
    if (issuer) try(check_issuer(issuer, e));
    try(check_roles(body, e));
    return check_ca(o, text_or(body, "ca_certificate", ""), e);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static void take_body(struct oidc_conf *out, struct oidc *o, json_t *body)
{
    *out = (struct oidc_conf){.body = body,
                              .issuer = text_or(body, "issuer", ""),
                              .client_id = text_or(body, "client_id", ""),
                              .label = text_or(body, "label", "Single sign-on"),
                              .role_claim = text_or(body, "role_claim", "roles"),
                              .default_role = text_or(body, "default_role", "none"),
                              .ca_certificate = text_or(body, "ca_certificate", NULL),
                              .roles = json_object_get(body, "roles"),
                              .is_enabled = json_is_true(json_object_get(body, "enabled"))};
    snprintf(out->redirect_uri, sizeof out->redirect_uri, "%s" OIDC_CALLBACK, o->public_url);
}

static int take_stored_secret(struct oidc_conf *c, struct oidc *o, struct err *e)
{
    char bound[2200];
    bound_to(bound, c->body);
    int rc = document_secret_get(o->state, SECRET, bound, &c->secret, e);
    return rc == ERR_NOTFOUND || rc == ERR_AUTH ? 0 : rc;
}

static int load_body(struct oidc *o, json_t **out, int64_t *version, struct err *e)
{
    int rc = document_get(o->state, "settings", "", "oidc", out, version, e);
    if (rc != ERR_NOTFOUND) return rc;
    *version = 0;
    *out = json_object();
    return 0;
}

int oidc_conf_load(struct oidc_conf *out, struct oidc *o, bool may_be_off, struct err *e)
{
    int64_t version;
    json_t *body;
    try(load_body(o, &body, &version, e));
    take_body(out, o, body);
    bool is_set = *out->issuer && *out->client_id;
    int rc = is_set && (out->is_enabled || may_be_off) ? take_stored_secret(out, o, e) : err_set(e, ERR_NOTFOUND, "logging in through a provider is not set up");
    if (rc < 0) oidc_conf_close(out);
    return rc;
}

int oidc_conf_of(struct oidc_conf *out, struct oidc *o, const json_t *body, struct err *e)
{
    try(check(o, body, true, e));
    take_body(out, o, json_deep_copy(body));
    const json_t *given = json_object_get(body, "client_secret");
    int rc = 0;
    if (json_is_string(given) && json_string_length(given))
        rc = secret_take(&out->secret, bytes_of(jsonv_text(body, "client_secret")), e);
    else if (!json_is_string(given))
        rc = take_stored_secret(out, o, e);
    json_object_del(out->body, "client_secret");
    if (rc < 0) oidc_conf_close(out);
    return rc;
}

void oidc_conf_close(struct oidc_conf *c)
{
    secret_drop(&c->secret);
    json_decref(c->body);
    c->body = NULL;
}

int oidc_settings_get(struct oidc *o, json_t **out, struct err *e)
{
    int64_t version;
    json_t *body;
    struct oidc_conf c;
    try(load_body(o, &body, &version, e));
    take_body(&c, o, body);
    int rc = take_stored_secret(&c, o, e);
    if (rc == 0)
        *out = json_pack("{s:b, s:s, s:s, s:{s:b, s:O?}, s:s, s:s, s:O?, s:s, s:s, s:s, s:I}", "enabled", c.is_enabled, "issuer", c.issuer, "client_id", c.client_id,
                         "client_secret", "set", c.secret.len > 0, "updated", c.secret.len ? json_object_get(body, "client_secret_updated") : NULL, "label", c.label,
                         "role_claim", c.role_claim, "roles", c.roles, "default_role", c.default_role, "ca_certificate", c.ca_certificate ? c.ca_certificate : "",
                         "redirect_uri", c.redirect_uri, "version", (json_int_t)version);
    oidc_conf_close(&c);
    return rc < 0 || *out ? rc : err_set(e, ERR_BUG, "the settings cannot be told");
}

/* --- writing -------------------------------------------------------------------------------------------------------------- */

static int put_secret(struct oidc *o, const json_t *old, json_t *body, struct err *e)
{
    json_t *given = json_object_get(body, "client_secret");
    char was[2200], bound[2200], when[WHEN_TEXT];
    bound_to(was, old);
    bound_to(bound, body);
    json_object_set(body, "client_secret_updated", json_object_get(old, "client_secret_updated"));
    bool is_entered = json_is_string(given) && json_string_length(given);
    bool goes = json_is_string(given) ? !is_entered : strcmp(was, bound) != 0;
    int rc = 0;
    if (is_entered) rc = document_secret_put(o->state, SECRET, bound, bytes_of(jsonv_text(body, "client_secret")), e);
    if (is_entered) json_object_set_new(body, "client_secret_updated", json_string(when_format(when, state_now_ms(o->state))));
    if (goes) rc = document_secret_delete(o->state, SECRET, e);
    json_object_del(body, "client_secret");
    return rc;
}

static int put_steps(struct oidc *o, const json_t *body, struct err *e)
{
    static const char *const kept[] = {"enabled", "issuer", "client_id", "client_secret", "label", "role_claim", "roles", "default_role", "ca_certificate"};
    int64_t stored, version = json_integer_value(json_object_get(body, "version"));
    json_t *old = NULL, *mine = json_object();
    for (size_t i = 0; i < n_elements(kept); i++) json_object_set(mine, kept[i], json_object_get(body, kept[i]));
    int rc = load_body(o, &old, &stored, e);
    if (rc == 0) rc = put_secret(o, old, mine, e);
    if (rc == 0) rc = document_put(o->state, "settings", "", "oidc", mine, stored ? version : 0, e);
    json_decref(old);
    json_decref(mine);
    return rc;
}

int oidc_settings_put(struct oidc *o, const json_t *body, struct err *e)
{
    try(check(o, body, json_is_true(json_object_get(body, "enabled")), e));
    try(state_begin(o->state, e));
    int rc = state_end(o->state, put_steps(o, body, e), e);
    if (rc < 0) return rc;
    pthread_mutex_lock(&o->lock);
    oidc_cache_clear(&o->cache);
    pthread_mutex_unlock(&o->lock);
    return 0;
}

/* --- the test --------------------------------------------------------------------------------------------------------------- */

/* A code that nobody made: who refuses the code has taken the client. */
static void step_client(struct steps *s, const struct oidc_conf *c, const json_t *metadata)
{
    struct secret none = {0};
    struct err e = {0};
    char refusal[64];
    steps_next(s, "client");
    int rc = oidc_exchange(c, metadata, "rollcall-test", "rollcall-test-rollcall-test-rollcall-test-rollcall", &none, refusal, &e);
    secret_drop(&none);
    if (rc == 0 || strcmp(refusal, "invalid_grant") == 0)
        steps_ok(s, "the provider knows the client%s; register this redirect URI there: %s", c->secret.len ? " and takes its secret" : "", c->redirect_uri);
    else if (strcmp(refusal, "invalid_client") == 0 || strcmp(refusal, "unauthorized_client") == 0 || !refusal[0])
        steps_fail(s, &e);
    else
        steps_warn(s, "log in once to be sure", "the provider does not tell whether it takes the client (%s); the redirect URI is %s", refusal, c->redirect_uri);
}

static void step_claims(struct steps *s, const struct oidc_conf *c, const json_t *metadata)
{
    const json_t *claims = json_object_get(metadata, "claims_supported"), *v;
    size_t i;
    bool is_known = !json_is_array(claims);
    json_array_foreach((json_t *)claims, i, v) is_known = is_known || (json_is_string(v) && strncmp(json_string_value(v), c->role_claim, strcspn(c->role_claim, ".")) == 0);
    steps_next(s, "roles");
    if (!json_object_size(c->roles) && role_parse(str_from(c->default_role)) == ROLE_NONE)
        steps_warn(s, "map values of the claim to roles, or set default_role", "nobody gets a role: none is mapped, and there is no default");
    else if (is_known)
        steps_ok(s, "%zu values of '%s' have a role; everybody else: %s", json_object_size(c->roles), c->role_claim, c->default_role);
    else
        steps_warn(s, "have the provider put the claim into ID tokens of this client", "the provider does not list the claim '%s'", c->role_claim);
}

static void run_test(struct steps *s, const struct oidc_conf *c)
{
    json_t *metadata, *keys;
    struct err e = {0};
    steps_next(s, "discovery");
    if (oidc_fetch_metadata(c, &metadata, &e) < 0) {
        steps_fail(s, &e);
        return;
    }
    steps_ok(s, "%s is who it says, and its addresses are its own", c->issuer);
    steps_next(s, "keys");
    if (oidc_fetch_keys(c, metadata, &keys, &e) < 0) {
        steps_fail(s, &e);
    } else {
        steps_ok(s, "%zu keys to verify log-ins with", jwt_usable_keys(keys));
        json_decref(keys);
        step_client(s, c, metadata);
        step_claims(s, c, metadata);
    }
    json_decref(metadata);
}

int oidc_settings_test(struct oidc *o, const json_t *body, json_t **out, struct err *e)
{
    struct oidc_conf c;
    struct steps s = steps_begin();
    struct err why = {0};
    steps_next(&s, "settings");
    if (oidc_conf_of(&c, o, body, &why) < 0) {
        steps_fail(&s, &why);
    } else {
        run_test(&s, &c);
        oidc_conf_close(&c);
    }
    *out = json_pack("{s:o}", "steps", steps_end(&s));
    return *out ? 0 : err_set(e, ERR_BUG, "the steps cannot be told");
}
