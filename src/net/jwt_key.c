/* jwt_key.c - keys of a set, and whether a signature is theirs (OpenSSL). */
#include "net/jwt_int.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <sodium.h>

enum { RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192, EC_BYTES = 32 };

const struct jwt_alg *jwt_alg_find(struct str name)
{
    static const struct jwt_alg algs[] = {{"RS256", "RSA", false}, {"PS256", "RSA", true}, {"ES256", "EC", false}};
    for (size_t i = 0; i < n_elements(algs); i++)
        if (str_equal(name, str_from(algs[i].name))) return &algs[i];
    return NULL;
}

bool jwt_base64(struct buf *out, struct str text)
{
    size_t room = text.len / 4 * 3 + 3, n = 0;
    uint8_t *to = buf_reserve(out, room);
    if (!to || sodium_base642bin(to, room, text.ptr, text.len, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) return false;
    buf_advance(out, n);
    return true;
}

/* RFC 7517 4.2, 4.4: use and alg narrow it, where they are. RFC 7518 6.2.1.1: ES256 is P-256. */
bool jwt_key_fits(const json_t *jwk, const struct jwt_alg *alg)
{
    struct str use = jsonv_text(jwk, "use"), own = jsonv_text(jwk, "alg");
    if (!str_equal(jsonv_text(jwk, "kty"), str_from(alg->kty)) || (use.len && !str_equal(use, STR("sig")))) return false;
    if (own.len && !str_equal(own, str_from(alg->name))) return false;
    return alg->kty[0] != 'E' || str_equal(jsonv_text(jwk, "crv"), STR("P-256"));
}

/* --- loading ---------------------------------------------------------------------------------------------------- */

static BIGNUM *number_of(const json_t *jwk, const char *key)
{
    struct buf bytes = buf_new(RSA_BITS_MOST / 8 + 8);
    BIGNUM *n = jwt_base64(&bytes, jsonv_text(jwk, key)) && bytes.len ? BN_bin2bn(bytes.ptr, (int)bytes.len, NULL) : NULL;
    buf_free(&bytes);
    return n;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM *parameters)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!parameters || !make || EVP_PKEY_fromdata_init(make) != 1 || EVP_PKEY_fromdata(make, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) key = NULL;
    EVP_PKEY_CTX_free(make);
    return key;
}

static EVP_PKEY *load_rsa(const json_t *jwk)
{
    BIGNUM *n = number_of(jwk, "n"), *e = number_of(jwk, "e");
    EVP_PKEY *key = NULL;
    int bits = n ? BN_num_bits(n) : 0;
    bool is_good = n && e && bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST && BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= 64;
    OSSL_PARAM_BLD *build = is_good ? OSSL_PARAM_BLD_new() : NULL;
    if (build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        OSSL_PARAM *p = OSSL_PARAM_BLD_to_param(build);
        key = make_key("RSA", p);
        OSSL_PARAM_free(p);
    }
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

/* RFC 7518 6.2.1.2: both coordinates at their full length. OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *load_ec(const json_t *jwk)
{
    struct buf point = buf_new(256);
    EVP_PKEY *key = NULL;
    buf_add_byte(&point, 4); /* uncompressed */
    if (jwt_base64(&point, jsonv_text(jwk, "x")) && point.len == 1 + EC_BYTES && jwt_base64(&point, jsonv_text(jwk, "y")) && point.len == 1 + 2 * EC_BYTES) {
        char group[] = "prime256v1";
        OSSL_PARAM p[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                          OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.ptr, point.len), OSSL_PARAM_construct_end()};
        key = make_key("EC", p);
    }
    buf_free(&point);
    return key;
}

EVP_PKEY *jwt_key_load(const json_t *jwk)
{
    EVP_PKEY *key = str_equal(jsonv_text(jwk, "kty"), STR("EC")) ? load_ec(jwk) : load_rsa(jwk);
    ERR_clear_error();
    return key;
}

/* --- verifying ---------------------------------------------------------------------------------------------------- */

/* RFC 7518 3.4: r and s side by side; OpenSSL wants them as DER. */
static bool ecdsa_to_der(struct buf *out, struct bytes signature)
{
    uint8_t *der = NULL;
    ECDSA_SIG *s = signature.len == 2 * EC_BYTES ? ECDSA_SIG_new() : NULL;
    BIGNUM *r = s ? BN_bin2bn(signature.ptr, EC_BYTES, NULL) : NULL, *v = s ? BN_bin2bn(signature.ptr + EC_BYTES, EC_BYTES, NULL) : NULL;
    int n = -1;
    if (r && v && ECDSA_SIG_set0(s, r, v) == 1) {
        r = v = NULL;
        n = i2d_ECDSA_SIG(s, &der);
    }
    if (n > 0) buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    BN_free(r);
    BN_free(v);
    ECDSA_SIG_free(s);
    return n > 0 && !out->failed;
}

/* RFC 7518 3.5: the salt is as long as the hash. */
static bool set_padding(EVP_PKEY_CTX *p, const struct jwt_alg *alg)
{
    if (alg->kty[0] != 'R') return true;
    if (!alg->is_pss) return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(p, EVP_sha256()) == 1;
}

bool jwt_signature_holds(EVP_PKEY *key, const struct jwt_alg *alg, struct str signed_text, struct bytes signature)
{
    struct buf der = buf_new(256);
    EVP_PKEY_CTX *p;
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    bool is_ec = alg->kty[0] == 'E', holds = m && (!is_ec || ecdsa_to_der(&der, signature));
    if (is_ec) signature = buf_bytes(&der);
    holds = holds && EVP_DigestVerifyInit(m, &p, EVP_sha256(), NULL, key) == 1 && set_padding(p, alg) &&
            EVP_DigestVerify(m, signature.ptr, signature.len, (const uint8_t *)signed_text.ptr, signed_text.len) == 1;
    EVP_MD_CTX_free(m);
    buf_free(&der);
    ERR_clear_error();
    return holds;
}
