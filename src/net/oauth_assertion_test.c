#include "net/pki_test.h"

#include "net/oauth_int.h"

#include <malloc.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <sys/stat.h>

#define NOW       ((int64_t)1775001600123) /* 2026-04-01T00:00:00.123Z */
#define CLIENT    "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
#define TOKEN_URL "https://login.example/contoso/oauth2/v2.0/token"
#define PASSPHRASE                                                                                           \
    "corr\xc3\xa9"                                                                                           \
    "ct horse+%&~"

static EVP_PKEY *rsa, *rsa2;
static struct identity app, other, weak, ec;
static char path[64];

/* --- files
 * --------------------------------------------------------------------------------------------------- */

static void put(struct bytes b, unsigned mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.ptr, b.len), (ssize_t)b.len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void put_bio(BIO *b, unsigned mode)
{
    char *text;
    long n = BIO_get_mem_data(b, &text);
    put((struct bytes){(uint8_t *)text, (size_t)n}, mode);
    BIO_free(b);
}

static void add_key(BIO *b, EVP_PKEY *key, const char *passphrase)
{
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(b, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
                                                   passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
}

/* RFC 1421's way, which older tools write. */
static void add_old_key(BIO *b, EVP_PKEY *key, const char *passphrase)
{
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                         b, key, passphrase ? EVP_aes_128_cbc() : NULL, (const unsigned char *)passphrase,
                         passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
}

static void put_pem(const struct identity *id, const char *passphrase, unsigned mode)
{
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(b, id->cert);
    add_key(b, id->key, passphrase);
    put_bio(b, mode);
}

static void put_p12(EVP_PKEY *key, X509 *cert, const char *passphrase, unsigned mode)
{
    BIO *b = BIO_new(BIO_s_mem());
    PKCS12 *p = PKCS12_create(passphrase, "rollcall", key, cert, NULL, 0, 0, 0, 0, 0);
    assert_non_null(p);
    i2d_PKCS12_bio(b, p);
    PKCS12_free(p);
    put_bio(b, mode);
}

static int load(struct oauth_key **k, const char *passphrase, struct err *e)
{
    struct secret s = {0};
    *e = (struct err){0};
    if (passphrase) assert_int_equal(secret_take(&s, bytes_of(str_from(passphrase)), e), 0);
    int rc = oauth_key_load(k, path, &s, e);
    secret_drop(&s);
    assert_int_equal(ERR_peek_error(), 0);
    return rc;
}

static void must_load(const char *passphrase)
{
    struct oauth_key *k;
    struct err e;
    if (load(&k, passphrase, &e) < 0) fail_msg("%s", e.message);
    oauth_key_free(k);
}

static void must_fail(const char *passphrase, int class, const char *says, const char *hints)
{
    struct oauth_key *k = (struct oauth_key *)1;
    struct err e;
    assert_int_equal(load(&k, passphrase, &e), class);
    assert_null(k);
    if (!strstr(e.message, says)) fail_msg("'%s' is not in '%s'", says, e.message);
    if (!strstr(e.hint, hints)) fail_msg("'%s' is not in '%s'", hints, e.hint);
    assert_non_null(strstr(e.message, path));
    assert_null(strstr(e.message, "horse"));
    assert_null(strstr(e.hint, "horse"));
}

/* --- what is taken
 * --------------------------------------------------------------------------------------------- */

static void test_pem(void **state)
{
    (void)state;
    put_pem(&app, NULL, 0600);
    must_load(NULL);
    must_load("a passphrase that is not needed");
    put_pem(&app, PASSPHRASE, 0400);
    must_load(PASSPHRASE);
}

static void test_pem_key_first_and_others_around(void **state)
{
    BIO *b = BIO_new(BIO_s_mem());
    (void)state;
    BIO_printf(b, "Bag Attributes\n    friendlyName: rollcall\n");
    add_old_key(b, app.key, PASSPHRASE);
    BIO_printf(b, "\nan issuer stands in front of it\n");
    PEM_write_bio_X509(b, other.cert);
    PEM_write_bio_X509(b, app.cert);
    put_bio(b, 0600);
    must_load(PASSPHRASE);
}

static void test_pkcs12(void **state)
{
    (void)state;
    put_p12(app.key, app.cert, PASSPHRASE, 0600);
    must_load(PASSPHRASE);
    put_p12(app.key, app.cert, "", 0600);
    must_load(NULL);
}

/* --- what is refused
 * ------------------------------------------------------------------------------------------- */

static void test_passphrases(void **state)
{
    (void)state;
    put_pem(&app, PASSPHRASE, 0600);
    must_fail(NULL, ERR_INPUT, "is encrypted, and no passphrase is set", "client_certificate_password");
    must_fail("wrong", ERR_INPUT, "the passphrase of the private key is wrong",
              "client_certificate_password");
    put_p12(app.key, app.cert, PASSPHRASE, 0600);
    must_fail(NULL, ERR_INPUT, "is encrypted, and no passphrase is set", "client_certificate_password");
    must_fail("wrong", ERR_INPUT, "the passphrase of the private key is wrong",
              "client_certificate_password");
}

static void test_parts_that_lack(void **state)
{
    BIO *b = BIO_new(BIO_s_mem());
    (void)state;
    PEM_write_bio_X509(b, app.cert);
    put_bio(b, 0644);
    must_fail(NULL, ERR_INPUT, "holds no private key", "cat cert.pem key.pem");
    b = BIO_new(BIO_s_mem());
    add_key(b, app.key, NULL);
    put_bio(b, 0600);
    must_fail(NULL, ERR_INPUT, "but no readable certificate", "same file");
    b = BIO_new(BIO_s_mem());
    add_key(b, rsa2, NULL);
    PEM_write_bio_X509(b, app.cert);
    put_bio(b, 0600);
    must_fail(NULL, ERR_INPUT, "the private key does not belong to the certificate", "was requested");
    put_p12(NULL, app.cert, PASSPHRASE, 0600);
    must_fail(PASSPHRASE, ERR_INPUT, "holds no private key", "PKCS#12");
}

static void test_keys_of_no_use(void **state)
{
    (void)state;
    put_pem(&ec, NULL, 0600);
    must_fail(NULL, ERR_INPUT, "RSA keys only", "RSA key of 2048 bits");
    put_pem(&weak, NULL, 0600);
    must_fail(NULL, ERR_INPUT, "an RSA key of 1024 bits is too weak", "RSA key of 2048 bits");
}

static void test_modes(void **state)
{
    static const unsigned open_modes[] = {0644, 0604, 0620, 0666, 0601};
    (void)state;
    for (size_t i = 0; i < n_elements(open_modes); i++) {
        put_pem(&app, NULL, open_modes[i]);
        must_fail(NULL, ERR_INPUT, "holds a private key, and ", "chmod 600");
        put_p12(app.key, app.cert, PASSPHRASE, open_modes[i]);
        must_fail(PASSPHRASE, ERR_INPUT, "may read or change the file (mode", "chmod 600");
    }
    put_pem(&app, NULL, 0640);
    if (geteuid() == 0)
        must_load(NULL);
    else
        must_fail(NULL, ERR_INPUT, "its group may read", "chmod 600");
}

static void test_files_of_no_use(void **state)
{
    static const struct {
        const char *content, *says;
    } files[] = {
        {"x", "neither PEM nor PKCS#12"},
        {"MIIKJAIBAzCCCd4GCSqGSIb3DQEHAaCCCc8Eggn", "neither PEM nor PKCS#12"},
        {"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
         "the private key in the file is damaged"},
        {"-----BEGIN PRIVATE KEY-----\n", "the private key in the file is damaged"},
        {"-----BEGIN CERTIFICATE-----\n", "holds no private key"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END ENCRYPTED PRIVATE KEY-----\n", "damaged"},
    };
    struct bytes big = {calloc(1, 300 << 10), 300 << 10};
    (void)state;
    for (size_t i = 0; i < n_elements(files); i++) {
        put(bytes_of(str_from(files[i].content)), 0600);
        must_fail(NULL, ERR_INPUT, files[i].says, "");
    }
    put(big, 0600);
    must_fail(NULL, ERR_INPUT, "longer than 256 KiB", "");
    put(bytes_of(STR("")), 0600);
    must_fail(NULL, ERR_INPUT, "is empty", "");
    unlink(path);
    must_fail(NULL, ERR_NOTFOUND, "No such file", "");
    assert_int_equal(mkdir(path, 0700), 0);
    must_fail(NULL, ERR_INPUT, "not a regular file", "");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    must_fail(NULL, ERR_INPUT, "not a regular file", "");
    unlink(path);
    free((void *)(uintptr_t)big.ptr);
}

/* --- the JWT
 * ----------------------------------------------------------------------------------------------------- */

struct jwt {
    json_t *header, *claims;
    uint8_t signature[1024];
    size_t n_signature;
    struct bytes signed_part;
};

static size_t decode(uint8_t *out, size_t size, struct str s)
{
    size_t n = 0;
    assert_int_equal(
        sodium_base642bin(out, size, s.ptr, s.len, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
        0);
    return n;
}

static json_t *decode_json(struct str s)
{
    uint8_t text[4096];
    json_t *j = json_loadb((char *)text, decode(text, sizeof text, s), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    return j;
}

static struct jwt take_apart(struct str s)
{
    struct jwt t;
    size_t a = str_index(s, '.'), b = a + 1 + str_index((struct str){s.ptr + a + 1, s.len - a - 1}, '.');
    t.header = decode_json((struct str){s.ptr, a});
    t.claims = decode_json((struct str){s.ptr + a + 1, b - a - 1});
    t.n_signature = decode(t.signature, sizeof t.signature, (struct str){s.ptr + b + 1, s.len - b - 1});
    t.signed_part = (struct bytes){(const uint8_t *)s.ptr, b};
    return t;
}

static void jwt_free(struct jwt *t)
{
    json_decref(t->header);
    json_decref(t->claims);
}

static int verify(const struct jwt *t, EVP_PKEY *key, int salt)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how;
    EVP_DigestVerifyInit(ctx, &how, EVP_sha256(), NULL, key);
    EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(how, salt);
    int ok = EVP_DigestVerify(ctx, t->signature, t->n_signature, t->signed_part.ptr, t->signed_part.len);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

static struct jwt make(struct buf *b, const char *client, const char *audience)
{
    struct oauth_key *k;
    struct err e;
    put_pem(&app, NULL, 0600);
    assert_int_equal(load(&k, NULL, &e), 0);
    assert_int_equal(oauth_assertion_make(b, k, client, audience, NOW, &e), 0);
    assert_true(oauth_key_expires_ms(k) > NOW);
    oauth_key_free(k);
    return take_apart(buf_str(b));
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void test_jwt(void **state)
{
    struct buf b = buf_new(65536);
    uint8_t digest[32];
    char thumbprint[64];
    (void)state;
    struct jwt t = make(&b, CLIENT, TOKEN_URL);
    assert_true(X509_digest(app.cert, EVP_sha256(), digest, NULL));
    sodium_bin2base64(thumbprint, sizeof thumbprint, digest, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    assert_int_equal(json_object_size(t.header), 3);
    assert_string_equal(text(t.header, "alg"), "PS256");
    assert_string_equal(text(t.header, "typ"), "JWT");
    assert_string_equal(text(t.header, "x5t#S256"), thumbprint);
    assert_int_equal(json_object_size(t.claims), 7);
    assert_string_equal(text(t.claims, "aud"), TOKEN_URL);
    assert_string_equal(text(t.claims, "iss"), CLIENT);
    assert_string_equal(text(t.claims, "sub"), CLIENT);
    assert_int_equal(strlen(text(t.claims, "jti")), 32);
    assert_int_equal(json_integer_value(json_object_get(t.claims, "nbf")), NOW / 1000);
    assert_int_equal(json_integer_value(json_object_get(t.claims, "iat")), NOW / 1000);
    assert_int_equal(json_integer_value(json_object_get(t.claims, "exp")), NOW / 1000 + 600);
    assert_int_equal(t.n_signature, 256);
    jwt_free(&t);
    buf_free(&b);
}

static void test_signature(void **state)
{
    struct buf b = buf_new(65536);
    (void)state;
    struct jwt t = make(&b, CLIENT, TOKEN_URL);
    assert_int_equal(verify(&t, rsa, 32), 1); /* the salt is exactly as long as the hash */
    assert_int_not_equal(verify(&t, rsa, 20), 1);
    assert_int_not_equal(verify(&t, rsa2, 32), 1);
    t.signature[100] ^= 1;
    assert_int_not_equal(verify(&t, rsa, 32), 1);
    jwt_free(&t);
    buf_free(&b);
}

static void test_each_is_another(void **state)
{
    struct buf a = buf_new(65536), b = buf_new(65536);
    (void)state;
    struct jwt s = make(&a, CLIENT, TOKEN_URL), t = make(&b, CLIENT, TOKEN_URL);
    assert_string_not_equal(text(s.claims, "jti"), text(t.claims, "jti"));
    jwt_free(&s);
    jwt_free(&t);
    buf_free(&a);
    buf_free(&b);
}

static void test_odd_names(void **state)
{
    struct buf b = buf_new(65536);
    (void)state;
    struct jwt t = make(&b, "a\"b\\c\n", "https://x/\xc3\xa4\"");
    assert_string_equal(text(t.claims, "iss"), "a\"b\\c\n");
    assert_string_equal(text(t.claims, "aud"), "https://x/\xc3\xa4\"");
    jwt_free(&t);
    buf_free(&b);
}

static void test_no_room(void **state)
{
    struct buf small = buf_new(100);
    struct oauth_key *k;
    struct err e;
    (void)state;
    put_pem(&app, NULL, 0600);
    assert_int_equal(load(&k, NULL, &e), 0);
    assert_int_equal(oauth_assertion_make(&small, k, CLIENT, TOKEN_URL, NOW, &e), ERR_INPUT);
    oauth_key_free(k);
    oauth_key_free(NULL);
    buf_free(&small);
}

static int set_up(void **state)
{
    (void)state;
    make_keys();
    rsa = EVP_RSA_gen(2048);
    rsa2 = EVP_RSA_gen(2048);
    app = issue(&(struct wish){.cn = "rollcall", .key = rsa});
    other = issue(&(struct wish){.cn = "issuer", .key = rsa2});
    weak = issue(&(struct wish){.cn = "weak", .key = key_1024});
    ec = issue(&(struct wish){.cn = "ec", .key = key_ec});
    snprintf(path, sizeof path, "/tmp/oauth-test-%d", (int)getpid());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    X509_free(app.cert);
    X509_free(other.cert);
    X509_free(weak.cert);
    X509_free(ec.cert);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(rsa2);
    drop_keys();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pem),
        cmocka_unit_test(test_pem_key_first_and_others_around),
        cmocka_unit_test(test_pkcs12),
        cmocka_unit_test(test_passphrases),
        cmocka_unit_test(test_parts_that_lack),
        cmocka_unit_test(test_keys_of_no_use),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_files_of_no_use),
        cmocka_unit_test(test_jwt),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_each_is_another),
        cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
