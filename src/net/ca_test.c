#include "net/pki_test.h"

#include <openssl/pkcs12.h>

static char dir[] = "/tmp/rollcall-ca-XXXXXX";
static struct identity root;

static int make_root(void **state)
{
    make_keys();
    root = issue_ca("Corp Root CA", NULL, key_ec);
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_root(void **state)
{
    X509_free(root.cert);
    drop_keys();
    return rmdir(dir);
}

static void drop_file(char *path)
{
    unlink(path);
    free(path);
}

static char *write_bytes(const void *p, size_t n)
{
    char path[64];
    snprintf(path, sizeof path, "%s/file", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
    return x_strdup(str_from(path));
}

static void expect_load(const void *p, size_t n, const char *message)
{
    struct buf pem;
    struct err e = {0};
    bool is_leaf;
    char *path = write_bytes(p, n), want[256];
    int rc = ca_load(&pem, &is_leaf, path, &e);
    snprintf(want, sizeof want, "CA certificate: %s: %s", path, message);
    drop_file(path);
    if (rc != ERR_INPUT || strcmp(e.message, want) != 0) fail_msg("%d %s; expected %s", rc, e.message, want);
    buf_free(&pem);
}

static struct bytes drain(BIO *b)
{
    char *text = NULL;
    long n = BIO_get_mem_data(b, &text);
    return (struct bytes){(uint8_t *)text, (size_t)n};
}

static void expect_good(struct bytes content, size_t n_certs, bool leaf)
{
    struct buf pem;
    struct err e;
    bool is_leaf;
    char *path = write_bytes(content.ptr, content.len);
    if (ca_load(&pem, &is_leaf, path, &e) < 0) fail_msg("%s", e.message);
    drop_file(path);
    size_t found = 0;
    for (const char *at = buf_cstr(&pem); (at = strstr(at, "-----BEGIN CERTIFICATE-----")); at++) found++;
    assert_int_equal(found, n_certs);
    assert_int_equal(is_leaf, leaf);
    buf_free(&pem);
}

static void test_ca_load(void **state)
{
    struct identity leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root});
    BIO *b = BIO_new(BIO_s_mem());
    i2d_X509_bio(b, root.cert);
    expect_good(drain(b), 1, false); /* DER, .CER */
    i2d_X509_bio(b, leaf.cert);
    expect_good(drain(b), 2, false);
    BIO_printf(b, "x");
    struct bytes all = drain(b);
    expect_load(all.ptr, all.len, "certificate 3 in the file is damaged");
    (void)BIO_reset(b);
    i2d_X509_bio(b, leaf.cert);
    expect_good(drain(b), 1, true);
    (void)BIO_reset(b);
    BIO_printf(b, "subject=x\r\n\r\n");
    PEM_write_bio_X509(b, leaf.cert);
    PEM_write_bio_PrivateKey(b, leaf.key, NULL, NULL, 0, NULL, NULL); /* passed over */
    PEM_write_bio_X509(b, root.cert);
    expect_good(drain(b), 2, false);
    BIO_free(b);
    X509_free(leaf.cert);
}

static void test_ca_load_crlf(void **state)
{
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(b, root.cert);
    struct bytes text = drain(b);
    struct buf crlf = buf_new(10000);
    for (size_t i = 0; i < text.len; i++)
        buf_printf(&crlf, "%s%c", text.ptr[i] == '\n' ? "\r" : "", text.ptr[i]);
    expect_good(buf_bytes(&crlf), 1, false);
    struct buf utf16 = buf_new(10000);
    buf_add(&utf16, "\xff\xfe", 2);
    for (size_t i = 0; i < text.len; i++) buf_add(&utf16, (uint8_t[]){text.ptr[i], 0}, 2);
    expect_load(utf16.ptr, utf16.len, "is UTF-16 text");
    expect_load(utf16.ptr + 2, utf16.len - 2, "is UTF-16 text");
    expect_load(text.ptr + 28, text.len - 28 - 26,
                "holds Base64 without the line -----BEGIN CERTIFICATE-----");
    expect_load(text.ptr, text.len - 60, "certificate 1 in the file is damaged");
    buf_free(&crlf);
    buf_free(&utf16);
    BIO_free(b);
}

typedef void (*writer)(BIO *);
static void write_key_pem(BIO *b)
{
    PEM_write_bio_PrivateKey(b, key_ec, NULL, NULL, 0, NULL, NULL);
}
static void write_key_der(BIO *b)
{
    i2d_PrivateKey_bio(b, key_1024);
}
static void write_pubkey(BIO *b)
{
    PEM_write_bio_PUBKEY(b, key_ec);
}
static PKCS7 *make_p7(void)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    sk_X509_push(certs, root.cert);
    PKCS7 *p7 = PKCS7_new();
    PKCS7_set_type(p7, NID_pkcs7_signed);
    PKCS7_content_new(p7, NID_pkcs7_data);
    PKCS7_add_certificate(p7, root.cert);
    sk_X509_free(certs);
    return p7;
}
static void write_p7_pem(BIO *b)
{
    PKCS7 *p7 = make_p7();
    PEM_write_bio_PKCS7(b, p7);
    PKCS7_free(p7);
}
static void write_p7_der(BIO *b)
{
    PKCS7 *p7 = make_p7();
    i2d_PKCS7_bio(b, p7);
    PKCS7_free(p7);
}
static void write_p12(BIO *b)
{
    PKCS12 *p12 = PKCS12_create("pw", "x", root.key, root.cert, NULL, 0, 0, 1, 1, 0);
    i2d_PKCS12_bio(b, p12);
    PKCS12_free(p12);
}
static X509_REQ *make_request(void)
{
    X509_REQ *r = X509_REQ_new();
    X509_REQ_set_pubkey(r, key_ec);
    X509_REQ_sign(r, key_ec, EVP_sha256());
    return r;
}
static void write_request_pem(BIO *b)
{
    X509_REQ *r = make_request();
    PEM_write_bio_X509_REQ(b, r);
    X509_REQ_free(r);
}
static void write_request_der(BIO *b)
{
    X509_REQ *r = make_request();
    i2d_X509_REQ_bio(b, r);
    X509_REQ_free(r);
}
static void write_crl(BIO *b)
{
    X509_CRL *c = X509_CRL_new();
    ASN1_TIME *t = X509_gmtime_adj(NULL, 0);
    X509_CRL_set_version(c, 1);
    X509_CRL_set_issuer_name(c, X509_get_subject_name(root.cert));
    X509_CRL_set1_lastUpdate(c, t);
    X509_CRL_sign(c, key_ec, EVP_sha256());
    PEM_write_bio_X509_CRL(b, c);
    ASN1_TIME_free(t);
    X509_CRL_free(c);
}

static void test_ca_load_refused(void **state)
{
    static const struct {
        writer write;
        const char *message;
    } made[] = {
        {write_key_pem, "holds a private key, no certificate"},
        {write_key_der, "holds a private key, no certificate"},
        {write_pubkey, "holds a bare public key, no certificate"},
        {write_p7_pem, "holds a PKCS#7 bundle, no certificate"},
        {write_p7_der, "holds a PKCS#7 bundle (.p7b), no certificate"},
        {write_p12, "holds a PKCS#12 bundle (.pfx), no certificate"},
        {write_request_pem, "holds a certificate request, no certificate"},
        {write_request_der, "holds a certificate request, no certificate"},
        {write_crl, "holds a revocation list, no certificate"},
    };
    static const struct {
        struct str text;
        const char *message;
    } texts[] = {
        {{"", 0}, "the file is empty"},
        {{"hello\n", 6}, "holds no certificate"},
        {{"<html>", 6}, "holds no certificate"},
        {{"\0\0\0\0\0\0", 6}, "holds no certificate"},
        {{"\x30\x82\x01\x00", 4}, "holds no certificate"},
        {{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 59},
         "certificate 1 in the file is damaged"},
        {{"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 59},
         "certificate 1 in the file is damaged"},
        {{"-----BEGIN FOO-----\nAAAA\n-----END FOO-----\n", 43}, "holds something else, no certificate"},
    };
    for (size_t i = 0; i < n_elements(made); i++) {
        BIO *b = BIO_new(BIO_s_mem());
        made[i].write(b);
        struct bytes content = drain(b);
        assert_true(content.len > 0);
        expect_load(content.ptr, content.len, made[i].message);
        BIO_free(b);
    }
    for (size_t i = 0; i < n_elements(texts); i++)
        expect_load(texts[i].text.ptr, texts[i].text.len, texts[i].message);
    struct buf pem;
    struct err e;
    bool is_leaf;
    assert_int_equal(ca_load(&pem, &is_leaf, "/nonexistent", &e), ERR_NOTFOUND);
    buf_free(&pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ca_load),
        cmocka_unit_test(test_ca_load_crlf),
        cmocka_unit_test(test_ca_load_refused),
    };
    return cmocka_run_group_tests(tests, make_root, drop_root);
}
