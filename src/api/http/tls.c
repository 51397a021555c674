/* tls.c - the certificate to serve with: the administrator's, or one that we make for ourselves (http.h: http_certificate). */
#include "api/http.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/when.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PEM_MAX    (256u * 1024)
#define DAYS       825 /* what browsers and Apple's systems take at most of a certificate the user trusts himself */
#define RENEW_DAYS 30

static void free_x509(X509 **x)
{
    X509_free(*x);
}
static void free_key(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}
static void free_bio(BIO **b)
{
    BIO_free(*b);
}

static int tls_error(struct err *e, const char *what)
{
    char text[160] = "";
    unsigned long code = ERR_peek_last_error();
    if (code) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return err_set(e, ERR_INPUT, "%s%s%s", what, text[0] ? ": " : "", text);
}

static X509 *parse_certificate(const char *pem)
{
    defer(free_bio) BIO *b = BIO_new_mem_buf(pem, -1);
    return PEM_read_bio_X509(b, NULL, NULL, NULL);
}

/* A key with a passphrase is refused: nobody is there to type it. */
static int no_passphrase(char *out, int size, int writing, void *ctx)
{
    return 0;
}

static EVP_PKEY *parse_key(const char *pem)
{
    defer(free_bio) BIO *b = BIO_new_mem_buf(pem, -1);
    return PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);
}

/* --- the administrator's -------------------------------------------------------------------------------------- */

static int read_pem(const char *path, char **out, struct err *e)
{
    struct buf b = buf_new(PEM_MAX);
    int rc = file_read(&b, path, e);
    if (rc == 0) *out = x_strdup(buf_str(&b));
    secret_wipe_buf(&b);
    return rc;
}

/* not_for: mode bits that must not be set. */
static int check_private(const char *path, unsigned not_for, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0 || !(st.st_mode & not_for)) return 0; /* reading it tells what is wrong */
    err_set(e, ERR_DENIED, "%s: others may read the private key (mode %04o)", path, (unsigned)st.st_mode & 07777);
    return err_hint(e, "chmod 600 %s", path);
}

static int check_pair(const char *certificate, const char *key, const char *certificate_pem, const char *key_pem, struct err *e)
{
    defer(free_x509) X509 *x = parse_certificate(certificate_pem);
    if (!x) return tls_error(e, certificate);
    defer(free_key) EVP_PKEY *k = parse_key(key_pem);
    if (!k) {
        tls_error(e, key);
        return err_hint(e, "the key must be PEM and without a passphrase");
    }
    if (X509_check_private_key(x, k) == 1) return 0;
    ERR_clear_error();
    return err_set(e, ERR_INPUT, "%s is not the key of %s", key, certificate);
}

static int read_given(const char *certificate, const char *key, char **certificate_pem, char **key_pem, struct err *e)
{
    if (!certificate || !key) return err_set(e, ERR_INPUT, "a certificate and its key are given together");
    try(check_private(key, S_IROTH | S_IWOTH, e));
    try(read_pem(certificate, certificate_pem, e));
    try(read_pem(key, key_pem, e));
    return check_pair(certificate, key, *certificate_pem, *key_pem, e);
}

/* --- our own ------------------------------------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
    unsigned char any[16];
    return inet_pton(AF_INET, host, any) == 1 || inet_pton(AF_INET6, host, any) == 1;
}

static bool is_for(X509 *x, const char *host)
{
    return (is_address(host) ? X509_check_ip_asc(x, host, 0) : X509_check_host(x, host, 0, 0, NULL)) == 1;
}

static bool is_plain_name(const char *host)
{
    return *host && strlen(host) < 200 && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") == strlen(host);
}

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *one = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = one && X509_add_ext(x, one, -1);
    X509_EXTENSION_free(one);
    return ok;
}

static bool set_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    bool ok = n && BN_rand(n, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool fill(X509 *x, EVP_PKEY *k, const char *host)
{
    char names[400];
    snprintf(names, sizeof names, "DNS:localhost,IP:127.0.0.1,IP:::1%s%s", is_address(host) ? ",IP:" : ",DNS:", host);
    X509_NAME *name = X509_get_subject_name(x);
    return X509_set_version(x, X509_VERSION_3) && set_serial(x) && X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
           X509_gmtime_adj(X509_getm_notAfter(x), (long)DAYS * 86400) && X509_set_pubkey(x, k) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"rollcall (made by itself)", -1, -1, 0) && X509_set_issuer_name(x, name) &&
           add_extension(x, NID_subject_alt_name, names) && add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_key_usage, "critical,digitalSignature") && add_extension(x, NID_ext_key_usage, "serverAuth") &&
           add_extension(x, NID_subject_key_identifier, "hash") && X509_sign(x, k, EVP_sha256()) > 0;
}

static char *bio_text(BIO *b)
{
    char *at;
    long n = BIO_get_mem_data(b, &at);
    return x_strdup((struct str){at, (size_t)n});
}

static int make_pair(const char *host, char **certificate_pem, char **key_pem, struct err *e)
{
    defer(free_key) EVP_PKEY *k = EVP_EC_gen("P-256");
    defer(free_x509) X509 *x = X509_new();
    defer(free_bio) BIO *c = BIO_new(BIO_s_mem());
    defer(free_bio) BIO *p = BIO_new(BIO_s_secmem());
    if (!k || !x || !c || !p || !fill(x, k, host) || !PEM_write_bio_X509(c, x) || !PEM_write_bio_PKCS8PrivateKey(p, k, NULL, NULL, 0, NULL, NULL))
        return tls_error(e, "a certificate of our own could not be made");
    *certificate_pem = bio_text(c);
    *key_pem = bio_text(p);
    return 0;
}

static int keep_pair(const char *path, const char *certificate_pem, const char *key_pem, struct err *e)
{
    struct buf b = buf_new(PEM_MAX);
    buf_printf(&b, "%s%s", key_pem, certificate_pem);
    int rc = file_write_atomic(path, buf_bytes(&b), 0600, e);
    secret_wipe_buf(&b);
    return rc;
}

/* What was made before, if it is good for some time yet and for this host. */
static bool is_good(const char *pem, const char *host)
{
    defer(free_x509) X509 *x = parse_certificate(pem);
    defer(free_key) EVP_PKEY *k = parse_key(pem);
    time_t soon = (time_t)(when_now_ms() / 1000 + RENEW_DAYS * 86400);
    bool ok = x && k && X509_check_private_key(x, k) == 1 && X509_cmp_time(X509_get0_notAfter(x), &soon) > 0 && is_for(x, host) && is_for(x, "localhost");
    ERR_clear_error();
    return ok;
}

static int our_own(const char *path, const char *host, char **certificate_pem, char **key_pem, struct err *e)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        try(check_private(path, S_IRWXG | S_IRWXO, e));
        try(read_pem(path, key_pem, e));
        if (is_good(*key_pem, host)) {
            *certificate_pem = x_strdup(str_from(strstr(*key_pem, "-----BEGIN CERTIFICATE")));
            return 0;
        }
        secret_wipe(*key_pem, strlen(*key_pem));
        free(*key_pem);
        *key_pem = NULL;
    }
    try(make_pair(host, certificate_pem, key_pem, e));
    return keep_pair(path, *certificate_pem, *key_pem, e);
}

int http_certificate(const char *certificate_file, const char *key_file, const char *beside, const char *host, char **certificate_pem, char **key_pem,
                     struct err *e)
{
    char path[4096];
    *certificate_pem = *key_pem = NULL;
    if (!is_plain_name(host)) return err_set(e, ERR_INPUT, "%.100s is no name for a certificate", host);
    snprintf(path, sizeof path, "%s.tls.pem", beside ? beside : "");
    int rc = certificate_file || key_file ? read_given(certificate_file, key_file, certificate_pem, key_pem, e) : our_own(path, host, certificate_pem, key_pem, e);
    if (rc == 0) return 0;
    if (*key_pem) secret_wipe(*key_pem, strlen(*key_pem));
    free(*key_pem);
    free(*certificate_pem);
    *certificate_pem = *key_pem = NULL;
    return err_wrap(e, "TLS");
}

int http_certificate_fingerprint(const char *certificate_pem, char out[80], struct err *e)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    defer(free_x509) X509 *x = parse_certificate(certificate_pem);
    if (!x || !X509_digest(x, EVP_sha256(), hash, &n)) return tls_error(e, "the certificate");
    size_t at = (size_t)snprintf(out, 80, "sha256:");
    for (unsigned i = 0; i < n && at + 3 < 80; i++) at += (size_t)snprintf(out + at, 80 - at, "%02x", hash[i]);
    return 0;
}
