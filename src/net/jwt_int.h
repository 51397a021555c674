/* jwt_int.h - keys of a JSON Web Key Set, for jwt.c. */
#ifndef ROLLCALL_NET_JWT_INT_H
#define ROLLCALL_NET_JWT_INT_H

#include "base/buf.h"
#include "base/jsonv.h"
#include "net/jwt.h"

#include <openssl/evp.h>

struct jwt_alg {
    const char *name, *kty;
    bool is_pss;
};
const struct jwt_alg *jwt_alg_find(struct str name); /* NULL: not one of ours */

/* Strict base64url without padding (RFC 7515 2), appended. false: it is none, or longer than out may hold. */
bool jwt_base64(struct buf *out, struct str text);
/* May this key of a set verify a signature of that algorithm? */
bool jwt_key_fits(const json_t *jwk, const struct jwt_alg *alg);
/* The public key; NULL: it is damaged, too short or too long. EVP_PKEY_free it. */
EVP_PKEY *jwt_key_load(const json_t *jwk);
bool jwt_signature_holds(EVP_PKEY *key, const struct jwt_alg *alg, struct str signed_text, struct bytes signature);

#endif
