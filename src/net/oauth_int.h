/* oauth_int.h - what oauth.c, oauth_answer.c, oauth_assertion.c and oauth_explain.c share; nobody else
 * includes it, but their tests.
 */
#ifndef ROLLCALL_NET_OAUTH_INT_H
#define ROLLCALL_NET_OAUTH_INT_H

#include "base/buf.h"
#include "net/oauth.h"

/* --- oauth_answer.c: what the token endpoints say --------------------------------------------------------
 */
#define OAUTH_BODY_MAX ((size_t)256 << 10) /* of an answer */

/* A token answer of the login service (expires_in: a number) or of a machine's identity endpoint (numbers as
 * text). *life_ms: from now, at most two days. Every copy made here is wiped; the body itself is the caller's
 * to wipe. ERR_PROTO: no JSON object, no Bearer token of RFC 6750's characters, already over; nothing of the
 * body is in the message. */
int oauth_answer_read(struct secret *token, int64_t *life_ms, struct bytes body, int64_t now_ms,
                      struct err *e) must_use;
/* The claims of a JWT, unverified; NULL: it is none. New reference. */
json_t *oauth_claims_decode(struct bytes token);

struct oauth_refusal {
    long status;
    int aadsts;     /* 0: none given */
    char error[64]; /* "invalid_client" */
    char line[240]; /* the first line of error_description, without the code in front */
    char trace[48], correlation[48];
    bool is_json; /* an error of RFC 6749 5.2 */
};
void oauth_refusal_read(struct oauth_refusal *out, long status, struct bytes body);

/* --- oauth_assertion.c: signing in with a certificate (RFC 7523) ---------------------------------------- */
struct oauth_key;
/* PEM (certificate and private key in one file, in any order; the key may be encrypted) or PKCS#12.
 * passphrase may be empty. ERR_INPUT with path and reason; ERR_NOTFOUND. */
int oauth_key_load(struct oauth_key **out, const char *path, const struct secret *passphrase,
                   struct err *e) must_use;
void oauth_key_free(struct oauth_key *k);
int64_t oauth_key_expires_ms(const struct oauth_key *k); /* the certificate's end */
/* Appends a JWT that is good for ten minutes from now_ms on. audience: the URL of the token endpoint. */
int oauth_assertion_make(struct buf *out, const struct oauth_key *k, const char *client_id,
                         const char *audience, int64_t now_ms, struct err *e) must_use;

/* --- oauth.c
 * ------------------------------------------------------------------------------------------------ */
void oauth_age(struct oauth *o,
               int64_t ms); /* for tests: as if so much time had passed since the last token */

/* --- oauth_explain.c -------------------------------------------------------------------------------------
 */
struct oauth_meaning {
    int aadsts;
    const char *meaning; /* behind "refused the sign-in: " */
    const char *fix;
    enum {
        OAUTH_PLAIN,
        OAUTH_QUOTED,
        OAUTH_PASSES
    } how; /* QUOTED: the service's own line says more; PASSES: try again */
};
const struct oauth_meaning *oauth_meaning_find(int aadsts); /* NULL: not in the table */

/* What a refusal is told with. */
struct oauth_circumstances {
    const char *host; /* who refused */
    enum oauth_by by;
    bool is_secret_id;              /* oauth_looks_like_secret_id of the secret that was sent */
    int64_t clock_offset_ms;        /* theirs minus ours; 0 unknown */
    int64_t certificate_expires_ms; /* 0: none */
    struct bytes
        sent[3]; /* what must not come back in a message, as it was sent and as it is; may be empty */
};
/* Sets e and returns its class: ERR_AUTH; ERR_LIMIT throttled; ERR_NET broken for the moment; ERR_PROTO
 * nothing of the service's. */
int oauth_refusal_explain(struct err *e, const struct oauth_refusal *r, const struct oauth_circumstances *c);
bool oauth_refusal_passes(const struct oauth_refusal *r, enum oauth_by by); /* may be tried again */

#endif
