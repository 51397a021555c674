/* jwt.h - the ID token of an OpenID provider: signature first (RFC 7515, 7517, 7518), then its claims (OpenID Connect Core 1.0, 3.1.3.7).
 *
 * What the token says of itself is believed only so far: its algorithm must be one of RS256, PS256, ES256, its key one of the provider's set, by `kid`; a key
 * or address that the token brings along (jwk, jku, x5c, x5u) is not looked at, an extension that must be understood (crit) is refused.
 * So "none", and HMAC with the public key as the secret (RFC 8725 3.1, 3.2), are refused before any key is touched. Pure but for the clock it is given.
 */
#ifndef ROLLCALL_NET_JWT_H
#define ROLLCALL_NET_JWT_H

#include "base/err.h"

#include <jansson.h>

#define JWT_SKEW_MS 60000 /* clocks may differ by so much */

struct jwt_expected {
    const char *issuer, *client_id, *nonce;
    int64_t now_ms;
};
/* jwks: {"keys": [...]}. *claims: the caller's. ERR_NOTFOUND: no key of the set is the token's: the provider may have changed its keys, ask for the set anew.
 * ERR_AUTH: everything else that is wrong; the message says what, and holds nothing of the token but its algorithm, issuer and audience. */
int jwt_verify(json_t **claims, struct str token, const json_t *jwks, const struct jwt_expected *x, struct err *e) must_use;
/* How many keys of the set could verify a token. */
size_t jwt_usable_keys(const json_t *jwks);

#endif
