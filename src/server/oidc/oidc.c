#include "server/oidc/oidc_int.h"

#include "base/log.h"
#include "base/when.h"
#include "net/jwt.h"
#include "net/oauth.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { ASKING_MAX = 3, REFUSALS_TOLD = 100 };

int oidc_open(struct oidc **out, struct state *s, const char *public_url, struct err *e)
{
    struct oidc *o = x_zalloc(sizeof *o);
    o->state = s;
    o->public_url = x_strdup(str_from(public_url));
    o->pending = x_zalloc(OIDC_PENDING_MAX * sizeof *o->pending);
    pthread_mutex_init(&o->lock, NULL);
    *out = o;
    return 0;
}

void oidc_close(struct oidc *o)
{
    if (!o) return;
    oidc_cache_clear(&o->cache);
    sodium_memzero(o->pending, OIDC_PENDING_MAX * sizeof *o->pending);
    pthread_mutex_destroy(&o->lock);
    free(o->pending);
    free(o->public_url);
    free(o);
}

/* Few wait for the provider at a time: a slow one holds up log-ins through it, not the server. */
static int begin_asking(struct oidc *o, struct err *e)
{
    pthread_mutex_lock(&o->lock);
    bool may = o->n_asking < ASKING_MAX;
    o->n_asking += may;
    pthread_mutex_unlock(&o->lock);
    if (may) return 0;
    err_set(e, ERR_LIMIT, "the provider is being asked for others");
    return err_hint(e, "try again in a few seconds");
}

static void end_asking(struct oidc *o)
{
    pthread_mutex_lock(&o->lock);
    o->n_asking--;
    pthread_mutex_unlock(&o->lock);
}

/* --- to the provider ------------------------------------------------------------------------------------------------ */

static char *make_url(const struct oidc_conf *c, const json_t *metadata, const struct oidc_pending *p, const char *state)
{
    char challenge[STATE_RANDOM];
    struct buf url = buf_new(16384);
    const char *base = json_string_value(json_object_get(metadata, "authorization_endpoint"));
    state_hash_text(challenge, p->verifier); /* RFC 7636 4.2: BASE64URL(SHA256(verifier)) */
    buf_printf(&url, "%s%s", base, strchr(base, '?') ? "" : "?");
    oidc_add_parameter(&url, "response_type", STR("code"));
    oidc_add_parameter(&url, "client_id", str_from(c->client_id));
    oidc_add_parameter(&url, "redirect_uri", str_from(c->redirect_uri));
    oidc_add_parameter(&url, "scope", STR("openid profile email"));
    oidc_add_parameter(&url, "state", str_from(state));
    oidc_add_parameter(&url, "nonce", str_from(p->nonce));
    oidc_add_parameter(&url, "code_challenge", str_from(challenge));
    oidc_add_parameter(&url, "code_challenge_method", STR("S256"));
    char *text = x_strdup(buf_str(&url));
    buf_free(&url);
    return text;
}

static int begin_steps(struct oidc *o, const struct oidc_conf *c, const char *from, char **url, char cookie[TOKEN_TEXT], struct err *e)
{
    struct oidc_pending p = {0};
    char state[STATE_RANDOM], secret[STATE_RANDOM];
    json_t *metadata;
    try(oidc_metadata(o, c, &metadata, e));
    state_random_text(state);
    state_random_text(secret);
    state_random_text(p.nonce);
    state_random_text(p.verifier);
    state_hash_text(p.state_hash, state);
    state_hash_text(p.cookie_hash, secret);
    snprintf(p.from, sizeof p.from, "%s", from);
    snprintf(cookie, TOKEN_TEXT, "%s", secret);
    pthread_mutex_lock(&o->lock);
    oidc_pending_add(o, &p);
    pthread_mutex_unlock(&o->lock);
    *url = make_url(c, metadata, &p, state);
    sodium_memzero(&p, sizeof p);
    json_decref(metadata);
    return 0;
}

int oidc_begin(struct oidc *o, const char *from, char **url, char cookie[TOKEN_TEXT], struct err *e)
{
    struct oidc_conf c;
    *url = NULL;
    try(oidc_conf_load(&c, o, false, e));
    int rc = begin_asking(o, e);
    if (rc == 0) {
        rc = begin_steps(o, &c, from, url, cookie, e);
        end_asking(o);
    }
    oidc_conf_close(&c);
    return rc < 0 ? err_wrap(e, "log-in through the provider") : 0;
}

/* --- and back ------------------------------------------------------------------------------------------------------- */

static int explain_error(const struct oidc_answer *a, struct err *e)
{
    char code[64], words[240];
    oauth_quote(code, sizeof code, str_from(a->error));
    oauth_quote(words, sizeof words, str_from(a->error_description ? a->error_description : ""));
    if (strcmp(code, "access_denied") == 0) {
        err_set(e, ERR_AUTH, "the log-in was cancelled, or the provider does not let you use this application%s%s", words[0] ? ": " : "", words);
        return err_hint(e, "try again, or ask whoever manages the application at the provider to assign you to it");
    }
    return err_set(e, ERR_AUTH, "the provider refused the log-in: %s%s%s", code, words[0] ? ": " : "", words);
}

/* RFC 9207: who answered, so that another provider's code is not taken for this one's. */
static int check_iss(const struct oidc_conf *c, const json_t *metadata, const struct oidc_answer *a, struct err *e)
{
    bool is_promised = json_is_true(json_object_get(metadata, "authorization_response_iss_parameter_supported"));
    if (!a->iss && !is_promised) return 0;
    if (a->iss && strcmp(a->iss, c->issuer) == 0) return 0;
    return err_set(e, ERR_AUTH, "the answer is another provider's (iss)");
}

static int verify(struct oidc *o, const struct oidc_conf *c, const json_t *metadata, const struct oidc_pending *p, const struct secret *token, json_t **claims,
                  struct err *e)
{
    struct jwt_expected x = {c->issuer, c->client_id, p->nonce, when_now_ms()};
    json_t *keys;
    int rc = ERR_NOTFOUND;
    for (int attempt = 0; attempt < 2 && rc == ERR_NOTFOUND; attempt++) {
        try(oidc_keys(o, c, metadata, attempt > 0, &keys, e));
        rc = jwt_verify(claims, str_of(secret_bytes(token)), keys, &x, e);
        json_decref(keys);
    }
    if (rc == ERR_NOTFOUND) e->class = ERR_AUTH; /* asked anew, and still nobody's */
    return rc < 0 ? e->class : 0;
}

static int ask_provider(struct oidc *o, const struct oidc_conf *c, const struct oidc_answer *a, const struct oidc_pending *p, json_t **claims, struct err *e)
{
    struct secret token = {0};
    json_t *metadata;
    char refusal[64];
    try(oidc_metadata(o, c, &metadata, e));
    int rc = check_iss(c, metadata, a, e);
    if (rc == 0) rc = oidc_exchange(c, metadata, a->code, p->verifier, &token, refusal, e);
    if (rc == 0) rc = verify(o, c, metadata, p, &token, claims, e);
    secret_drop(&token);
    json_decref(metadata);
    return rc;
}

static int log_in(struct oidc *o, const struct oidc_conf *c, const json_t *claims, const char *from, struct actor *out, char session[TOKEN_TEXT], struct err *e)
{
    char name[ACCOUNT_NAME_MAX], own[ACCOUNT_NAME_MAX];
    enum role role;
    const char *subject = json_string_value(json_object_get(claims, "sub"));
    int rc = oidc_claims_role(c, claims, &role, e);
    struct err quiet;
    if (rc == ERR_DENIED && !oidc_claims_is_overage(c, claims) && accounts_oidc_no_role(o->state, c->issuer, subject, &quiet) < 0)
        log_event(LOG_WARN, "oidc.role_not_taken", LOG_CSTR("why", quiet.message));
    if (rc < 0) return rc;
    oidc_claims_name(name, claims);
    try(accounts_oidc_user(o->state, c->issuer, subject, name, role, own, e));
    return accounts_session_new(o->state, own, from, out, session, e);
}

static int finish_steps(struct oidc *o, const struct oidc_conf *c, const struct oidc_answer *a, const struct oidc_pending *p, struct actor *out,
                        char session[TOKEN_TEXT], struct err *e)
{
    json_t *claims;
    if (a->error) return explain_error(a, e);
    if (!a->code || !*a->code) return err_set(e, ERR_AUTH, "the provider's answer holds no code");
    try(begin_asking(o, e));
    int rc = ask_provider(o, c, a, p, &claims, e);
    end_asking(o);
    if (rc < 0) return rc;
    rc = log_in(o, c, claims, a->from, out, session, e);
    json_decref(claims);
    return rc;
}

int oidc_finish(struct oidc *o, const struct oidc_answer *a, struct actor *out, char session[TOKEN_TEXT], struct err *e)
{
    struct oidc_pending p;
    struct oidc_conf c;
    try(oidc_conf_load(&c, o, false, e));
    pthread_mutex_lock(&o->lock);
    int rc = oidc_pending_take(o, &p, a->state, a->cookie, e);
    pthread_mutex_unlock(&o->lock);
    if (rc == 0) rc = finish_steps(o, &c, a, &p, out, session, e);
    sodium_memzero(&p, sizeof p);
    oidc_conf_close(&c);
    return rc;
}

bool oidc_tells_refusal(struct oidc *o)
{
    int64_t now = when_monotonic_ms();
    pthread_mutex_lock(&o->lock);
    if (now - o->refused_ms > 60000) {
        o->refused_ms = now;
        o->n_refused = 0;
    }
    bool tells = o->n_refused++ < REFUSALS_TOLD;
    pthread_mutex_unlock(&o->lock);
    return tells;
}

/* --- for the page ----------------------------------------------------------------------------------------------------- */

json_t *oidc_tell(struct oidc *o)
{
    struct oidc_conf c;
    struct err e;
    if (!o || oidc_conf_load(&c, o, false, &e) < 0) return json_null();
    json_t *told = json_pack("{s:s}", "label", c.label);
    oidc_conf_close(&c);
    return told;
}

/* OpenID Connect RP-Initiated Logout 1.0, 2. Of what is remembered only: a log-out waits for nobody. */
char *oidc_logout_url(struct oidc *o)
{
    struct oidc_conf c;
    struct err e;
    char *out = NULL;
    if (!o || oidc_conf_load(&c, o, false, &e) < 0) return NULL;
    pthread_mutex_lock(&o->lock);
    bool is_known = o->cache.issuer && strcmp(o->cache.issuer, c.issuer) == 0;
    const char *base = is_known ? json_string_value(json_object_get(o->cache.metadata, "end_session_endpoint")) : NULL;
    if (base && strncmp(base, "https://", 8) == 0) {
        struct buf url = buf_new(8192);
        buf_printf(&url, "%s%s", base, strchr(base, '?') ? "" : "?");
        oidc_add_parameter(&url, "client_id", str_from(c.client_id));
        oidc_add_parameter(&url, "post_logout_redirect_uri", (struct str){c.redirect_uri, strlen(c.redirect_uri) - strlen(OIDC_CALLBACK) + 1});
        out = x_strdup(buf_str(&url));
        buf_free(&url);
    }
    pthread_mutex_unlock(&o->lock);
    oidc_conf_close(&c);
    return out;
}
