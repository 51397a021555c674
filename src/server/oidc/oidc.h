/* oidc.h - logging in through an OpenID provider: Entra ID, Keycloak, Okta, ... (OpenID Connect Core 1.0, code flow with PKCE).
 *
 * Two calls make a log-in: oidc_begin tells where the browser is to go and which cookie it takes along; oidc_finish takes what the provider sent it back
 * with, asks for the tokens and has the ID token verified (net/jwt.h). State, nonce and PKCE verifier stay here, for ten minutes, once, and only for the
 * browser that holds the cookie. Discovery, token and key addresses must have the issuer's own origin; nothing is redirected.
 * Settings are the document "settings" "oidc", the client secret is sealed and bound to issuer and client id. Local users can always log in beside it.
 * Thread-safe; at most a few log-ins ask the provider at once.
 */
#ifndef ROLLCALL_SERVER_OIDC_H
#define ROLLCALL_SERVER_OIDC_H

#include "server/accounts/accounts.h"

struct oidc;
/* public_url: "https://127.0.0.1:8443", to which /api/v1/oidc/callback is added. Never fails for want of settings. */
int oidc_open(struct oidc **out, struct state *s, const char *public_url, struct err *e) must_use;
void oidc_close(struct oidc *o);

/* {label} for the log-in page, JSON null when it is not set up or switched off (also of NULL). */
json_t *oidc_tell(struct oidc *o);
/* Where the browser goes after our own log-out (RP-initiated logout); NULL: nowhere. free() it. */
char *oidc_logout_url(struct oidc *o);

/* --- settings ------------------------------------------------------------------------------------------------ */
/* {enabled, issuer, client_id, client_secret: {set, updated}, label, role_claim, roles{value: role}, default_role, ca_certificate, redirect_uri, version}. */
int oidc_settings_get(struct oidc *o, json_t **out, struct err *e) must_use;
/* body: as above, client_secret as text (absent: stays, unless issuer or client_id changed; "": removed). ERR_INPUT names the key. */
int oidc_settings_put(struct oidc *o, const json_t *body, struct err *e) must_use;
/* {steps: [{name, verdict, evidence, fix, took_ms}]}: discovery, keys, client; writes nothing. */
int oidc_settings_test(struct oidc *o, const json_t *body, json_t **out, struct err *e) must_use;

/* --- logging in ------------------------------------------------------------------------------------------------ */
#define OIDC_COOKIE       "__Host-rollcall-oidc"
#define OIDC_COOKIE_LIFE_S 600
/* *url: free() it; cookie: for this browser. ERR_NOTFOUND: not set up; ERR_LIMIT: too many wait for the provider. */
int oidc_begin(struct oidc *o, const char *from, char **url, char cookie[TOKEN_TEXT], struct err *e) must_use;
/* What the query of the callback says; members NULL where it does not. cookie: NULL if the browser sent none. */
struct oidc_answer {
    const char *code, *state, *error, *error_description, *iss, *cookie, *from;
};
/* The user is there, with the role the claims give; *out and session as of accounts_session_new. ERR_AUTH; ERR_DENIED: no role; ERR_NET ... */
int oidc_finish(struct oidc *o, const struct oidc_answer *a, struct actor *out, char session[TOKEN_TEXT], struct err *e) must_use;
/* Is this refusal one for the audit log? At most a hundred a minute are: anybody can be refused, and the log is never cut. */
bool oidc_tells_refusal(struct oidc *o);

#endif
