#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/jwt.h"

#include "base/buf.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_MS   1800000000000
#define ISSUER   "https://id.example/realm"
#define HEADER   "{\"alg\":\"RS256\",\"kid\":\"a\"}"
#define PAYLOAD  "{\"iss\":\"" ISSUER "\",\"aud\":\"us\",\"sub\":\"alice\",\"exp\":1800000300,\"iat\":1799999990,\"nonce\":\"n\"}"

static EVP_PKEY *rsa, *ec;
static json_t *keys;
static const struct jwt_expected expected = {ISSUER, "us", "n", NOW_MS};

/* --- making tokens -------------------------------------------------------------------------------------------------- */

static void add_base64(struct buf *out, struct bytes b)
{
    size_t room = sodium_base64_encoded_len(b.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = x_alloc(room);
    sodium_bin2base64(text, room, b.ptr, b.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_add_str(out, str_from(text));
    free(text);
}

static json_t *number(EVP_PKEY *key, const char *name)
{
    BIGNUM *n = NULL;
    uint8_t bytes[1024];
    struct buf text = buf_new(4096);
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
    int len = strlen(name) == 2 ? BN_bn2binpad(n, bytes, 32) : BN_bn2bin(n, bytes);
    add_base64(&text, (struct bytes){bytes, (size_t)len});
    json_t *out = json_string(buf_cstr(&text));
    buf_free(&text);
    BN_free(n);
    return out;
}

static json_t *rsa_key(EVP_PKEY *key, const char *kid)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kty", "RSA", "use", "sig", "kid", kid, "n", number(key, "n"), "e", number(key, "e"));
}

static json_t *ec_key(EVP_PKEY *key, const char *kid)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kty", "EC", "crv", "P-256", "kid", kid, "x", number(key, "qx"), "y", number(key, "qy"));
}

static void sign(struct buf *out, EVP_PKEY *key, bool is_pss, struct str text)
{
    uint8_t signature[1024];
    size_t n = sizeof signature;
    EVP_PKEY_CTX *p;
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(m, &p, EVP_sha256(), NULL, key), 1);
    if (is_pss) assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING), 1);
    if (is_pss) assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST), 1);
    assert_int_equal(EVP_DigestSign(m, signature, &n, (const uint8_t *)text.ptr, text.len), 1);
    EVP_MD_CTX_free(m);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        const uint8_t *der = signature;
        ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
        assert_non_null(s);
        uint8_t raw[64];
        BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32);
        ECDSA_SIG_free(s);
        memcpy(signature, raw, n = 64);
    }
    add_base64(out, (struct bytes){signature, n});
}

/* free() it. key NULL: no signature. */
static char *make(const char *header, const char *payload, EVP_PKEY *key, bool is_pss)
{
    struct buf t = buf_new(65536);
    add_base64(&t, bytes_of(str_from(header)));
    buf_add_byte(&t, '.');
    add_base64(&t, bytes_of(str_from(payload)));
    struct buf signature = buf_new(4096);
    if (key) sign(&signature, key, is_pss, buf_str(&t));
    buf_add_byte(&t, '.');
    buf_add_str(&t, buf_str(&signature));
    char *out = x_strdup(buf_str(&t));
    buf_free(&signature);
    buf_free(&t);
    return out;
}

static int verify(const char *token, struct err *e)
{
    json_t *claims;
    *e = (struct err){0};
    int rc = jwt_verify(&claims, str_from(token), keys, &expected, e);
    assert_true((rc == 0) == (claims != NULL));
    if (rc == 0) assert_string_equal(json_string_value(json_object_get(claims, "sub")), "alice");
    json_decref(claims);
    return rc;
}

static void assert_refused(const char *token, int class, const char *words)
{
    struct err e;
    int rc = verify(token, &e);
    if (rc != class || !strstr(e.message, words)) fail_msg("%s: %d %s", words, rc, e.message);
}

static int setup(void **state)
{
    rsa = EVP_RSA_gen(2048);
    ec = EVP_EC_gen("P-256");
    keys = json_pack("{s:[o, o]}", "keys", rsa_key(rsa, "a"), ec_key(ec, "b"));
    return rsa && ec && keys ? 0 : -1;
}

static int teardown(void **state)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    json_decref(keys);
    return 0;
}

/* --- tests --------------------------------------------------------------------------------------------------------------- */

static void test_good(void **state)
{
    const struct {
        const char *header;
        EVP_PKEY *key;
        bool is_pss;
    } cases[] = {{HEADER, rsa, false},
                 {"{\"alg\":\"PS256\",\"kid\":\"a\",\"typ\":\"JWT\"}", rsa, true},
                 {"{\"alg\":\"ES256\",\"kid\":\"b\"}", ec, false},
                 {"{\"alg\":\"RS256\"}", rsa, false},
                 {"{\"alg\":\"ES256\",\"typ\":\"jwt\"}", ec, false}};
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        defer_free char *t = make(cases[i].header, PAYLOAD, cases[i].key, cases[i].is_pss);
        if (verify(t, &e) != 0) fail_msg("%s: %s", cases[i].header, e.message);
    }
    assert_int_equal(jwt_usable_keys(keys), 2);
}

static void test_headers(void **state)
{
    const struct {
        const char *header;
        EVP_PKEY *key;
        bool is_pss;
        int class;
        const char *words;
    } cases[] = {{"{\"alg\":\"none\"}", NULL, false, ERR_AUTH, "'none', which is not accepted"},
                 {"{\"alg\":\"NONE\",\"kid\":\"a\"}", rsa, false, ERR_AUTH, "not accepted"},
                 {"{\"alg\":\"HS256\",\"kid\":\"a\"}", rsa, false, ERR_AUTH, "not accepted"},
                 {"{\"alg\":\"RS512\",\"kid\":\"a\"}", rsa, false, ERR_AUTH, "not accepted"},
                 {"{\"alg\":[\"RS256\"],\"kid\":\"a\"}", rsa, false, ERR_AUTH, "not accepted"},
                 {"{\"kid\":\"a\"}", rsa, false, ERR_AUTH, "not accepted"},
                 {"{\"alg\":\"RS256\",\"kid\":\"c\"}", rsa, false, ERR_NOTFOUND, "not among the provider's"},
                 {"{\"alg\":\"RS256\",\"kid\":\"b\"}", rsa, false, ERR_NOTFOUND, "not among the provider's"},
                 {"{\"alg\":\"ES256\",\"kid\":\"a\"}", ec, false, ERR_NOTFOUND, "not among the provider's"},
                 {"{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":[\"b64\"],\"b64\":false}", rsa, false, ERR_AUTH, "extension"},
                 {"{\"alg\":\"RS256\",\"kid\":\"a\",\"typ\":\"at+jwt\"}", rsa, false, ERR_AUTH, "another type"},
                 {"{\"alg\":\"PS256\",\"kid\":\"a\"}", rsa, false, ERR_AUTH, "signature is wrong"},
                 {"{\"alg\":\"RS256\",\"kid\":\"a\"}", rsa, true, ERR_AUTH, "signature is wrong"},
                 {"{\"alg\":\"ES256\",\"kid\":\"b\"}", rsa, false, ERR_AUTH, "signature is wrong"},
                 {"{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"a\"}", rsa, false, ERR_AUTH, "header is no JSON"},
                 {"[]", rsa, false, ERR_AUTH, "header is no JSON"},
                 {"{\"alg\":\"RS256\"", rsa, false, ERR_AUTH, "header is no JSON"}};
    for (size_t i = 0; i < n_elements(cases); i++) {
        defer_free char *t = make(cases[i].header, PAYLOAD, cases[i].key, cases[i].is_pss);
        assert_refused(t, cases[i].class, cases[i].words);
    }
}

#define P(iss, aud, more) "{\"iss\":" iss ",\"aud\":" aud ",\"sub\":\"alice\"," more "}"
#define TIMES "\"exp\":1800000300,\"iat\":1799999990"
#define N     ",\"nonce\":\"n\""

static void test_claims(void **state)
{
    static const struct {
        const char *payload, *words; /* NULL: good */
    } cases[] = {{P("\"" ISSUER "\"", "[\"us\"]", TIMES N), NULL},
                 {P("\"" ISSUER "\"", "[\"x\",\"us\"]", TIMES N ",\"azp\":\"us\""), NULL},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":1799999941,\"iat\":1799990000" N), NULL},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":1800000300.5,\"iat\":1800000060,\"nbf\":1800000060" N), NULL},
                 {P("\"" ISSUER "/\"", "\"us\"", TIMES N), "not by " ISSUER},
                 {P("1", "\"us\"", TIMES N), "not by " ISSUER},
                 {P("\"" ISSUER "\"", "\"them\"", TIMES N), "another client"},
                 {P("\"" ISSUER "\"", "[]", TIMES N), "another client"},
                 {P("\"" ISSUER "\"", "[[\"us\"]]", TIMES N), "another client"},
                 {P("\"" ISSUER "\"", "[\"us\",\"x\"]", TIMES N), "another party"},
                 {P("\"" ISSUER "\"", "\"us\"", TIMES N ",\"azp\":\"x\""), "another party"},
                 {P("\"" ISSUER "\"", "\"us\"", TIMES N ",\"azp\":null"), "another party"},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":1799999940,\"iat\":1799990000" N), "expired at 2027-01-15T07:59:00Z"},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":\"1800000300\",\"iat\":1799999990" N), "does not say when"},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":-1,\"iat\":1799999990" N), "does not say when"},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":1e300,\"iat\":1799999990" N), "does not say when"},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":1800000300" N), "does not say when"},
                 {P("\"" ISSUER "\"", "\"us\"", TIMES ",\"nbf\":1800000061" N), "not valid yet"},
                 {P("\"" ISSUER "\"", "\"us\"", TIMES ",\"nbf\":\"x\"" N), "not valid yet"},
                 {P("\"" ISSUER "\"", "\"us\"", "\"exp\":1800000300,\"iat\":1800000061" N), "in the future"},
                 {P("\"" ISSUER "\"", "\"us\"", TIMES), "another log-in"},
                 {P("\"" ISSUER "\"", "\"us\"", TIMES ",\"nonce\":\"n\\u0000\""), "payload is no JSON"},
                 {"{\"iss\":\"" ISSUER "\",\"aud\":\"us\"," TIMES N "}", "names no subject"},
                 {"[1]", "payload is no JSON"}};
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        defer_free char *t = make(HEADER, cases[i].payload, rsa, false);
        int rc = verify(t, &e);
        if (!cases[i].words && rc != 0) fail_msg("%s: %s", cases[i].payload, e.message);
        if (cases[i].words && (rc != ERR_AUTH || !strstr(e.message, cases[i].words))) fail_msg("%s: %d %s", cases[i].payload, rc, e.message);
    }
}

/* Every byte changed, every cut: never taken, never a crash. */
static void test_changed(void **state)
{
    defer_free char *good = make(HEADER, PAYLOAD, rsa, false);
    size_t n = strlen(good);
    struct err e;
    for (size_t i = 0; i < n; i++) {
        defer_free char *t = x_strdup(str_from(good));
        t[i] = t[i] == 'A' ? 'B' : 'A';
        assert_true(verify(t, &e) < 0);
        t[i] = '.';
        if (good[i] != '.') assert_true(verify(t, &e) < 0);
        t[i] = 0;
        assert_true(verify(t, &e) < 0);
    }
    static const char *const none[] = {"", ".", "..", "...", "a.b.c", "a.b.c.d.e", "e30.e30.", "=.=.="};
    for (size_t i = 0; i < n_elements(none); i++) assert_true(verify(none[i], &e) < 0);
    struct buf longer = buf_new(1 << 20);
    buf_printf(&longer, "%s=", good);
    assert_true(verify(buf_cstr(&longer), &e) < 0);
    buf_clear(&longer);
    buf_printf(&longer, "%s\n", good);
    assert_true(verify(buf_cstr(&longer), &e) < 0);
    for (int i = 0; i < 70000; i++) buf_add_byte(&longer, 'A');
    assert_refused(buf_cstr(&longer), ERR_AUTH, "longer than 64 KiB");
    buf_free(&longer);
}

static void test_keys(void **state)
{
    static const char *const wrong[] = {
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"\",\"e\":\"\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"use\":\"enc\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}",
        "{\"keys\":[null, 1, [], \"x\"]}",
        "{\"keys\":{}}",
        "{}",
    };
    defer_free char *t = make(HEADER, PAYLOAD, rsa, false);
    json_t *own = keys;
    struct err e;
    for (size_t i = 0; i < n_elements(wrong); i++) {
        keys = json_loads(wrong[i], 0, NULL);
        assert_non_null(keys);
        assert_true(verify(t, &e) < 0);
        assert_int_equal(jwt_usable_keys(keys), 0);
        json_decref(keys);
    }
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    keys = json_pack("{s:[o]}", "keys", rsa_key(weak, "a"));
    defer_free char *by_weak = make(HEADER, PAYLOAD, weak, false);
    assert_refused(by_weak, ERR_AUTH, "2048 to 8192 bits");
    json_decref(keys);
    EVP_PKEY_free(weak);
    keys = json_pack("{s:[o, o]}", "keys", rsa_key(rsa, "a"), rsa_key(rsa, "z"));
    defer_free char *without_kid = make("{\"alg\":\"RS256\"}", PAYLOAD, rsa, false);
    assert_refused(without_kid, ERR_AUTH, "does not say which");
    json_decref(keys);
    keys = own;
}

/* RFC 7515 A.2 and A.3: signed by others; the signature holds, so that the issuer is what is wrong. */
#define RFC_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static void test_rfc(void **state)
{
    json_t *own = keys;
    keys = json_pack("{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}]}", "keys", "kty", "RSA", "n",
                     "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_"
                     "7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
                     "h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
                     "e", "AQAB", "kty", "EC", "crv", "P-256", "x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    assert_refused("eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD
                   ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
                   "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_"
                   "IoypGlUPQGe77Rw",
                   ERR_AUTH, "issued by 'joe'");
    assert_refused("eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", ERR_AUTH, "issued by 'joe'");
    json_decref(keys);
    keys = own;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good),    cmocka_unit_test(test_headers), cmocka_unit_test(test_claims),
                                       cmocka_unit_test(test_changed), cmocka_unit_test(test_keys),    cmocka_unit_test(test_rfc)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
