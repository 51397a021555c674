#include "net/jwt_int.h"

#include "base/when.h"
#include "net/oauth.h"

#include <math.h>

#define TOKEN_MAX ((size_t)64 << 10)
enum { KEYS_MAX = 64 };

struct parts {
    struct str header, payload, signature, signed_text;
};

/* RFC 7515 3.1: exactly three parts. */
static int split(struct parts *out, struct str token, struct err *e)
{
    size_t first = str_index(token, '.');
    struct str rest = first < token.len ? (struct str){token.ptr + first + 1, token.len - first - 1} : STR("");
    size_t second = str_index(rest, '.');
    if (token.len > TOKEN_MAX) return err_set(e, ERR_AUTH, "the ID token is longer than %zu KiB", TOKEN_MAX >> 10);
    if (second >= rest.len) return err_set(e, ERR_AUTH, "the ID token is no signed JWT");
    out->header = (struct str){token.ptr, first};
    out->payload = (struct str){rest.ptr, second};
    out->signature = (struct str){rest.ptr + second + 1, rest.len - second - 1};
    out->signed_text = (struct str){token.ptr, first + 1 + second};
    if (memchr(out->signature.ptr, '.', out->signature.len)) return err_set(e, ERR_AUTH, "the ID token is encrypted, or no JWT");
    return 0;
}

static int decode_object(json_t **out, struct str part, const char *what, struct err *e)
{
    struct buf text = buf_new(TOKEN_MAX);
    *out = jwt_base64(&text, part) ? json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    buf_free(&text);
    if (json_is_object(*out)) return 0;
    json_decref(*out);
    *out = NULL;
    return err_set(e, ERR_AUTH, "the ID token's %s is no JSON object in base64url", what);
}

/* --- the signature ------------------------------------------------------------------------------------------------- */

static int choose_alg(const struct jwt_alg **out, const json_t *header, struct err *e)
{
    char shown[24];
    struct str typ = jsonv_text(header, "typ");
    *out = jwt_alg_find(jsonv_text(header, "alg"));
    if (!*out) {
        err_set(e, ERR_AUTH, "the ID token is signed by '%s', which is not accepted", oauth_quote(shown, sizeof shown, jsonv_text(header, "alg")));
        return err_hint(e, "have the provider sign ID tokens of this client with RS256, PS256 or ES256");
    }
    if (json_object_get(header, "crit")) return err_set(e, ERR_AUTH, "the ID token has an extension that must be understood (crit), and none is");
    if (typ.len && !str_equal_nocase(typ, STR("JWT"))) return err_set(e, ERR_AUTH, "what came as ID token is of another type");
    return 0;
}

/* The key of that kid; without a kid the only one that fits. */
static int choose_key(const json_t **out, const json_t *jwks, const struct jwt_alg *alg, const json_t *header, struct err *e)
{
    const json_t *keys = json_object_get(jwks, "keys"), *jwk;
    struct str kid = jsonv_text(header, "kid");
    size_t i, n = 0;
    *out = NULL;
    json_array_foreach((json_t *)keys, i, jwk) {
        if (i == KEYS_MAX) break;
        if (!jwt_key_fits(jwk, alg) || (kid.len && !str_equal(kid, jsonv_text(jwk, "kid")))) continue;
        if (!*out) *out = jwk;
        n++;
    }
    if (!n) {
        err_set(e, ERR_NOTFOUND, "the ID token is signed with a key that is not among the provider's (%zu keys)", json_array_size(keys));
        return err_hint(e, "log in again; if it stays so, somebody else signs in the provider's name");
    }
    return n == 1 || kid.len ? 0 : err_set(e, ERR_AUTH, "the ID token does not say which of the provider's keys signed it (kid)");
}

static int check_signature(const struct parts *p, const json_t *jwk, const struct jwt_alg *alg, struct err *e)
{
    struct buf signature = buf_new(2048);
    bool holds = jwt_base64(&signature, p->signature);
    EVP_PKEY *key = holds ? jwt_key_load(jwk) : NULL;
    if (holds && !key) err_set(e, ERR_AUTH, "the provider's key is damaged, or not of 2048 to 8192 bits");
    if (key && !jwt_signature_holds(key, alg, p->signed_text, buf_bytes(&signature))) holds = false;
    if (!holds) err_set(e, ERR_AUTH, "the ID token's signature is wrong");
    int rc = holds && key ? 0 : err_hint(e, "log in again; if it stays so, somebody changes what the provider sends");
    EVP_PKEY_free(key);
    buf_free(&signature);
    return rc;
}

static int check_signed(const struct parts *p, const json_t *jwks, struct err *e)
{
    const struct jwt_alg *alg;
    const json_t *jwk = NULL;
    json_t *header;
    try(decode_object(&header, p->header, "header", e));
    int rc = choose_alg(&alg, header, e);
    if (rc == 0) rc = choose_key(&jwk, jwks, alg, header, e);
    json_decref(header);
    return rc < 0 ? rc : check_signature(p, jwk, alg, e);
}

/* --- the claims ---------------------------------------------------------------------------------------------------- */

static int check_issuer(const json_t *claims, const struct jwt_expected *x, struct err *e)
{
    char shown[160];
    struct str iss = jsonv_text(claims, "iss");
    if (str_equal(iss, str_from(x->issuer))) return 0;
    err_set(e, ERR_AUTH, "the ID token was issued by '%s', not by %s", oauth_quote(shown, sizeof shown, iss), x->issuer);
    return err_hint(e, "set issuer to exactly what the provider calls itself");
}

/* 3.1.3.7, 3 to 5: we are in aud; if there are others, or azp is there, azp is us. */
static int check_audience(const json_t *claims, const struct jwt_expected *x, struct err *e)
{
    const json_t *aud = json_object_get(claims, "aud"), *one, *azp = json_object_get(claims, "azp");
    struct str own = str_from(x->client_id);
    bool is_ours = str_equal(jsonv_text(claims, "aud"), own);
    size_t i;
    json_array_foreach((json_t *)aud, i, one) is_ours = is_ours || (json_is_string(one) && str_equal(own, (struct str){json_string_value(one), json_string_length(one)}));
    if (!is_ours) {
        err_set(e, ERR_AUTH, "the ID token is for another client than %s", x->client_id);
        return err_hint(e, "is client_id that of the application at the provider?");
    }
    bool needs_party = azp || (json_is_array(aud) && json_array_size(aud) > 1);
    if (needs_party && !str_equal(jsonv_text(claims, "azp"), own)) return err_set(e, ERR_AUTH, "the ID token was made for another party (azp)");
    return 0;
}

static bool time_of(int64_t *ms, const json_t *claims, const char *key)
{
    const json_t *v = json_object_get(claims, key);
    double s = json_is_number(v) ? json_number_value(v) : -1;
    if (!(s >= 0 && s < 1e12)) return false;
    *ms = (int64_t)floor(s * 1000);
    return true;
}

static int check_times(const json_t *claims, const struct jwt_expected *x, struct err *e)
{
    int64_t exp, iat, nbf;
    char when[WHEN_TEXT];
    static const char clock[] = "log in again; if it stays so, compare this machine's clock with the provider's (60 s are allowed)";
    if (!time_of(&exp, claims, "exp") || !time_of(&iat, claims, "iat")) return err_set(e, ERR_AUTH, "the ID token does not say when it was issued and when it expires");
    if (x->now_ms >= exp + JWT_SKEW_MS) {
        err_set(e, ERR_AUTH, "the ID token expired at %s", when_format(when, exp));
        return err_hint(e, "%s", clock);
    }
    if (json_object_get(claims, "nbf") && (!time_of(&nbf, claims, "nbf") || nbf > x->now_ms + JWT_SKEW_MS)) {
        err_set(e, ERR_AUTH, "the ID token is not valid yet");
        return err_hint(e, "%s", clock);
    }
    if (iat <= x->now_ms + JWT_SKEW_MS) return 0;
    err_set(e, ERR_AUTH, "the ID token was issued in the future (%s)", when_format(when, iat));
    return err_hint(e, "%s", clock);
}

static int check_claims(const json_t *claims, const struct jwt_expected *x, struct err *e)
{
    struct str sub = jsonv_text(claims, "sub");
    try(check_issuer(claims, x, e));
    try(check_audience(claims, x, e));
    try(check_times(claims, x, e));
    if (!str_equal(jsonv_text(claims, "nonce"), str_from(x->nonce))) {
        err_set(e, ERR_AUTH, "the ID token belongs to another log-in (nonce)");
        return err_hint(e, "start the log-in again");
    }
    return sub.len && sub.len <= 255 && !memchr(sub.ptr, 0, sub.len) ? 0 : err_set(e, ERR_AUTH, "the ID token names no subject");
}

/* -------------------------------------------------------------------------------------------------------------------- */

int jwt_verify(json_t **claims, struct str token, const json_t *jwks, const struct jwt_expected *x, struct err *e)
{
    struct parts p;
    *claims = NULL;
    try(split(&p, token, e));
    try(check_signed(&p, jwks, e));
    try(decode_object(claims, p.payload, "payload", e));
    int rc = check_claims(*claims, x, e);
    if (rc < 0) {
        json_decref(*claims);
        *claims = NULL;
    }
    return rc;
}

size_t jwt_usable_keys(const json_t *jwks)
{
    static const char *const names[] = {"RS256", "PS256", "ES256"};
    const json_t *jwk;
    size_t i, n = 0;
    json_array_foreach((json_t *)json_object_get(jwks, "keys"), i, jwk) {
        if (i == KEYS_MAX) break;
        bool fits = false;
        for (size_t a = 0; a < n_elements(names); a++) fits = fits || jwt_key_fits(jwk, jwt_alg_find(str_from(names[a])));
        EVP_PKEY *key = fits ? jwt_key_load(jwk) : NULL;
        n += key != NULL;
        EVP_PKEY_free(key);
    }
    return n;
}
