/* Channel binding, and the initiator against tokens that no honest server sends. */
#include "net/gss.h"
#include "net/krb_test.h"
#include "net/pki_test.h"

#include <openssl/rsa.h>

/* --- tls-server-end-point --------------------------------------------------------------------------------
 */

enum signing { PLAIN, PSS };

static struct bytes sign_as(X509 *cert, EVP_PKEY *key, const EVP_MD *md, enum signing how)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    assert_int_equal(EVP_DigestSignInit(ctx, &key_ctx, md, NULL, key), 1);
    if (how == PSS) assert_true(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(X509_sign_ctx(cert, ctx) > 0);
    EVP_MD_CTX_free(ctx);
    uint8_t *der = NULL;
    int n = i2d_X509(cert, &der);
    assert_true(n > 0);
    return (struct bytes){der, (size_t)n};
}

/* RFC 5929 4.1: the signature's own hash, but SHA-256 for MD5 and SHA-1, and for what has none. */
static void test_end_point(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256"),
             *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    const struct {
        EVP_PKEY *key;
        const EVP_MD *md;
        enum signing how;
        const EVP_MD *wanted;
    } cases[] = {
        {rsa, EVP_md5(), PLAIN, EVP_sha256()},    {rsa, EVP_sha1(), PLAIN, EVP_sha256()},
        {rsa, EVP_sha256(), PLAIN, EVP_sha256()}, {rsa, EVP_sha384(), PLAIN, EVP_sha384()},
        {rsa, EVP_sha512(), PLAIN, EVP_sha512()}, {rsa, EVP_sha384(), PSS, EVP_sha384()},
        {ec, EVP_sha1(), PLAIN, EVP_sha256()},    {ec, EVP_sha384(), PLAIN, EVP_sha384()},
        {ed, NULL, PLAIN, EVP_sha256()},
    };
    key_ec = EVP_EC_gen("P-256");
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct identity id =
            issue(&(struct wish){.cn = "dc1", .key = cases[i].key == ed ? NULL : cases[i].key});
        if (cases[i].key == ed) X509_set_pubkey(id.cert, ed);
        struct bytes der = sign_as(id.cert, cases[i].key, cases[i].md, cases[i].how);
        uint8_t hash[EVP_MAX_MD_SIZE];
        unsigned n;
        struct buf b = buf_new(256);
        struct err e;
        assert_int_equal(EVP_Digest(der.ptr, der.len, hash, &n, cases[i].wanted, NULL), 1);
        assert_int_equal(gss_end_point(&b, der, &e), 0);
        assert_int_equal(b.len, 21 + n);
        assert_memory_equal(b.ptr, "tls-server-end-point:", 21);
        assert_memory_equal(b.ptr + 21, hash, n);
        buf_free(&b);
        OPENSSL_free((void *)(uintptr_t)der.ptr);
        X509_free(id.cert);
    }
    EVP_PKEY_free(key_ec);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
}

static void test_no_certificate(void **state)
{
    struct buf b = buf_new(256);
    struct err e;
    assert_int_equal(gss_end_point(&b, (struct bytes){(const uint8_t *)"\x30\x03\x02\x01\x01", 5}, &e),
                     ERR_PROTO);
    assert_int_equal(gss_end_point(&b, (struct bytes){NULL, 0}, &e), ERR_PROTO);
    buf_free(&b);
}

/* --- the initiator ---------------------------------------------------------------------------------------
 */

#define SERVICE "ldap/dc1.corp.example@" TEST_REALM

struct lab {
    struct krb *krb;
    krb5_ccache cache;
};

static int start(void **state)
{
    static const char *const kdcs[] = {"127.0.0.1"};
    struct krb_how how = {
        .domain = "corp.example", .kdcs = kdcs, .n_kdcs = 1, .timeout_ms = 500, .deadline_ms = INT64_MAX};
    struct lab *l = calloc(1, sizeof *l);
    struct err e;
    assert_int_equal(krb_open(&l->krb, &how, &e), 0);
    l->cache = open_cache(l->krb->ctx, "MEMORY:gss-test");
    put_creds(l->krb->ctx, l->cache, "krbtgt", TEST_REALM, 3600, false);
    put_creds(l->krb->ctx, l->cache, "ldap", "dc1.corp.example", 3600, false);
    *state = l;
    return 0;
}

static int end(void **state)
{
    struct lab *l = *state;
    krb5_cc_destroy(l->krb->ctx, l->cache);
    krb_close(l->krb);
    free(l);
    return 0;
}

static struct gss *first_step(enum gss_mechanism mechanism, struct buf *token)
{
    struct gss_how how = {.cache = "MEMORY:gss-test", .service = SERVICE, .mechanism = mechanism};
    struct gss *g;
    struct err e;
    bool is_done;
    if (gss_open(&g, &how, &e) < 0) fail_msg("%s", e.message);
    buf_clear(token);
    if (gss_step(g, (struct bytes){NULL, 0}, token, &is_done, &e) < 0) fail_msg("%s", e.message);
    assert_false(is_done);
    return g;
}

static void test_first_token(void **state)
{
    struct buf token = buf_new(GSS_TOKEN_MAX);
    struct gss *g = first_step(GSS_MECH_GSSAPI, &token);
    assert_int_equal(token.ptr[0], 0x60); /* RFC 2743 3.1 */
    assert_non_null(memmem(token.ptr, token.len, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", 9));
    gss_close(g);
    g = first_step(GSS_MECH_SPNEGO, &token);
    assert_non_null(memmem(token.ptr, token.len, "\x2b\x06\x01\x05\x05\x02", 6));
    assert_null(
        memmem(token.ptr, token.len, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a", 10)); /* never NTLM */
    gss_close(g);
    buf_free(&token);
}

static void test_no_ticket(void **state)
{
    struct gss_how how = {.cache = "MEMORY:nothing-here", .service = SERVICE};
    struct gss *g;
    struct err e;
    int rc = gss_open(&g, &how, &e);
    assert_true(rc < 0 && e.message[0]);
    assert_null(g);
}

static uint32_t random_state = 12345;
static uint32_t next_random(void)
{
    return random_state = random_state * 1664525 + 1013904223;
}

static void hostile_token(struct buf *out, const struct buf *ours, unsigned seed)
{
    buf_clear(out);
    random_state = seed * 7919 + 1;
    size_t n = next_random() >> 16;
    if (seed % 2) { /* our own token, sent back with some of it changed */
        buf_add(out, ours->ptr, seed % 4 == 1 ? ours->len : n % ours->len);
        for (unsigned k = 0; k < seed % 7 && out->len; k++)
            out->ptr[(next_random() >> 8) % out->len] = (uint8_t)(next_random() >> 24);
    } else {
        for (size_t i = 0; i < n % 600; i++) buf_add_byte(out, (uint8_t)(next_random() >> 24));
    }
    if (!out->len) buf_add_byte(out, 0x60);
}

static void test_hostile_tokens(void **state)
{
    struct buf ours = buf_new(GSS_TOKEN_MAX), theirs = buf_new(65536), reply = buf_new(GSS_TOKEN_MAX);
    for (unsigned seed = 0; seed < 400; seed++) {
        bool is_done = false;
        struct err e;
        struct gss *g = first_step(seed % 3 ? GSS_MECH_GSSAPI : GSS_MECH_SPNEGO, &ours);
        hostile_token(&theirs, &ours, seed);
        int rc = gss_step(g, buf_bytes(&theirs), &reply, &is_done, &e);
        assert_true(rc < 0 || !is_done); /* SPNEGO may want to go on; nobody is ever believed */
        if (rc < 0) assert_true(e.message[0] != 0);
        gss_close(g);
        buf_clear(&reply);
    }
    buf_free(&ours);
    buf_free(&theirs);
    buf_free(&reply);
}

static void test_long_token(void **state)
{
    struct buf ours = buf_new(GSS_TOKEN_MAX), theirs = buf_new(GSS_TOKEN_MAX + 16), reply = buf_new(64);
    struct gss *g = first_step(GSS_MECH_GSSAPI, &ours);
    bool is_done;
    struct err e;
    memset(buf_reserve(&theirs, GSS_TOKEN_MAX + 1), 0x60, GSS_TOKEN_MAX + 1);
    buf_advance(&theirs, GSS_TOKEN_MAX + 1);
    assert_int_equal(gss_step(g, buf_bytes(&theirs), &reply, &is_done, &e), ERR_LIMIT);
    assert_int_equal(gss_choose_layer(g, buf_bytes(&theirs), &reply, &e), ERR_LIMIT);
    gss_close(g);
    buf_free(&ours);
    buf_free(&theirs);
    buf_free(&reply);
}

/* RFC 4120 5.9.1 within RFC 4121 4.1: the server refuses by a KRB-ERROR with code 37. */
static void test_krb_error(void **state)
{
    struct lab *l = *state;
    struct buf ours = buf_new(GSS_TOKEN_MAX), theirs = buf_new(4096), reply = buf_new(4096);
    krb5_error error = {.error = 37, .stime = (krb5_timestamp)time(NULL) + 3600};
    krb5_data encoded;
    assert_int_equal(krb5_parse_name(l->krb->ctx, SERVICE, &error.server), 0);
    assert_int_equal(krb5_mk_error(l->krb->ctx, &error, &encoded), 0);
    size_t app = put_open(&theirs, 0x60);
    put_octets(&theirs, 0x06, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", 9);
    theirs.len -= 15; /* the mechanism in DER's short form, as RFC 2743 3.1 has it */
    buf_add(&theirs, "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03\x00", 13);
    buf_add(&theirs, encoded.data, encoded.length);
    size_t n = theirs.len - app - 6;
    memmove(theirs.ptr + 3, theirs.ptr + 6, n);
    theirs.ptr[1] = 0x81;
    theirs.ptr[2] = (uint8_t)n;
    theirs.len -= 3;
    assert_true(n < 256);
    struct gss *g = first_step(GSS_MECH_GSSAPI, &ours);
    bool is_done;
    struct err e;
    assert_int_equal(gss_step(g, buf_bytes(&theirs), &reply, &is_done, &e), ERR_AUTH);
    assert_int_equal(e.domain, DOM_KRB5);
    if (!strstr(e.message, "clocks differ too much")) fail_msg("%s", e.message);
    gss_close(g);
    krb5_free_data_contents(l->krb->ctx, &encoded);
    krb5_free_principal(l->krb->ctx, error.server);
    buf_free(&ours);
    buf_free(&theirs);
    buf_free(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_point),
        cmocka_unit_test(test_no_certificate),
        cmocka_unit_test_setup_teardown(test_first_token, start, end),
        cmocka_unit_test_setup_teardown(test_no_ticket, start, end),
        cmocka_unit_test_setup_teardown(test_hostile_tokens, start, end),
        cmocka_unit_test_setup_teardown(test_long_token, start, end),
        cmocka_unit_test_setup_teardown(test_krb_error, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
