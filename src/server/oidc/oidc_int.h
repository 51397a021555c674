/* oidc_int.h - what oidc.c (a log-in from begin to end), oidc_settings.c, oidc_provider.c (requests to the provider), oidc_pending.c and oidc_claims.c share. */
#ifndef ROLLCALL_SERVER_OIDC_INT_H
#define ROLLCALL_SERVER_OIDC_INT_H

#include "base/secret.h"
#include "server/state/documents.h"
#include "server/oidc/oidc.h"
#include "server/state/state_int.h"

#include <pthread.h>

#define OIDC_CALLBACK "/api/v1/oidc/callback" /* behind public_url */

/* --- settings, as one request sees them ------------------------------------------------------------------------- */
struct oidc_conf {
    json_t *body; /* the strings below are its own */
    const char *issuer, *client_id, *label, *role_claim, *default_role, *ca_certificate;
    const json_t *roles;
    bool is_enabled;
    struct secret secret; /* empty: a public client */
    char redirect_uri[512];
};
/* The stored ones. ERR_NOTFOUND: not set up, or switched off unless may_be_off. */
int oidc_conf_load(struct oidc_conf *out, struct oidc *o, bool may_be_off, struct err *e) must_use;
/* Of a body that is not stored; an absent client_secret is the stored one if it is bound to the same issuer and client. */
int oidc_conf_of(struct oidc_conf *out, struct oidc *o, const json_t *body, struct err *e) must_use;
void oidc_conf_close(struct oidc_conf *c);

/* --- the provider (oidc_provider.c) ------------------------------------------------------------------------------- */
struct oidc_cache { /* of one issuer; under the lock */
    char *issuer;
    json_t *metadata, *keys;
    int64_t metadata_ms, keys_ms; /* monotonic */
};
void oidc_cache_clear(struct oidc_cache *c);
/* Discovery document, checked; a reference of the caller's. */
int oidc_metadata(struct oidc *o, const struct oidc_conf *c, json_t **out, struct err *e) must_use;
/* Key set. anew: asked for again, but not more than once in five seconds. */
int oidc_keys(struct oidc *o, const struct oidc_conf *c, const json_t *metadata, bool anew, json_t **out, struct err *e) must_use;
/* Code for tokens: *id_token in locked memory. ERR_AUTH: refused, told by the provider's error code (*error: room for 64). */
int oidc_exchange(const struct oidc_conf *c, const json_t *metadata, const char *code, const char *verifier, struct secret *id_token, char error[64],
                  struct err *e) must_use;
/* Fetched anew, for the test of settings. */
int oidc_fetch_metadata(const struct oidc_conf *c, json_t **out, struct err *e) must_use;
int oidc_fetch_keys(const struct oidc_conf *c, const json_t *metadata, json_t **out, struct err *e) must_use;

/* --- log-ins under way (oidc_pending.c) ----------------------------------------------------------------------------- */
struct oidc_pending {
    char state_hash[STATE_RANDOM], cookie_hash[STATE_RANDOM]; /* state_hash "": free */
    char nonce[STATE_RANDOM], verifier[STATE_RANDOM];
    char from[64];
    int64_t until_ms; /* monotonic */
    uint64_t number;  /* in the order in which they began: several may in one millisecond */
};
#define OIDC_PENDING_MAX  2048
#define OIDC_PENDING_FROM 256 /* of one address, which may be a proxy's */
/* Under the lock. */
void oidc_pending_add(struct oidc *o, const struct oidc_pending *p);
/* Takes it out, whoever asks: a state is good once. ERR_AUTH: unknown, used, too old, or another browser's. Under the lock. */
int oidc_pending_take(struct oidc *o, struct oidc_pending *out, const char *state, const char *cookie, struct err *e) must_use;

/* --- who it is (oidc_claims.c) --------------------------------------------------------------------------------------- */
/* ERR_DENIED: none of the claim's values has a role, and there is no default. */
bool oidc_claims_is_overage(const struct oidc_conf *c, const json_t *claims); /* the claim was left out, so nothing follows from its absence */
int oidc_claims_role(const struct oidc_conf *c, const json_t *claims, enum role *out, struct err *e) must_use;
void oidc_claims_name(char out[ACCOUNT_NAME_MAX], const json_t *claims);

struct oidc {
    struct state *state;
    char *public_url;
    pthread_mutex_t lock;
    struct oidc_cache cache;
    struct oidc_pending *pending; /* OIDC_PENDING_MAX */
    uint64_t n_begun;
    unsigned n_asking;            /* threads that wait for the provider */
    unsigned n_refused;           /* since refused_ms */
    int64_t refused_ms;
};
/* "application/x-www-form-urlencoded": name=value with & in front of all but the first. */
void oidc_add_parameter(struct buf *out, const char *name, struct str value);

#endif
