/* oauth_assertion.c - the certificate's proof: a JWT signed with its key (RFC 7515, 7518 3.5, 7523), as the
 * login service takes it. */
#include "base/file.h"
#include "base/jsonw.h"
#include "net/certificate_int.h"
#include "net/oauth_int.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX    ((size_t)256 << 10)
#define KEY_BITS    2048 /* fewer are not taken by the service, nor should they be */
#define LIFE_S      600
#define SHA256_SIZE 32

struct oauth_key {
    X509 *cert;
    EVP_PKEY *key;
    char x5t[64]; /* base64url of the SHA-256 of the certificate */
};

void oauth_key_free(struct oauth_key *k)
{
    if (!k) return;
    X509_free(k->cert);
    EVP_PKEY_free(k->key); /* OpenSSL wipes */
    free(k);
}

int64_t oauth_key_expires_ms(const struct oauth_key *k)
{
    return time_of(X509_get0_notAfter(k->cert));
}

/* --- the file ------------------------------------------------------------------------------------------- */

struct content { /* may hold a private key: wiped */
    const char *path;
    uint8_t *ptr;
    size_t len;
    struct stat st;
};

static void content_free(struct content *c)
{
    if (c->ptr) secret_wipe(c->ptr, FILE_MAX + 1);
    free(c->ptr);
}

static int read_whole(struct content *c, int fd, struct err *e)
{
    while (c->len <= FILE_MAX) {
        ssize_t n = read(fd, c->ptr + c->len, FILE_MAX + 1 - c->len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(e, ERR_INPUT, errno, "%s", c->path);
        if (n == 0) return c->len ? 0 : err_set(e, ERR_INPUT, "%s: is empty", c->path);
        c->len += (size_t)n;
    }
    return err_set(e, ERR_INPUT, "%s: longer than %zu KiB: this is no certificate with its key", c->path,
                   FILE_MAX >> 10);
}

static int content_read(struct content *c, const char *path, struct err *e)
{
    *c = (struct content){.path = path};
    defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_errno(e, errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_INPUT, errno, "%s",
                         path);
    if (fstat(fd, &c->st) < 0) return err_errno(e, ERR_INPUT, errno, "%s", path);
    if (!S_ISREG(c->st.st_mode)) return err_set(e, ERR_INPUT, "%s: not a regular file", path);
    c->ptr = x_alloc(FILE_MAX + 1);
    return read_whole(c, fd, e);
}

/* As for a secret's file (vault.h): nobody but its owner, though root's may be readable by its group. */
static int check_mode(const struct content *c, struct err *e)
{
    unsigned mode = c->st.st_mode & 07777;
    bool is_open = c->st.st_uid == 0 ? mode & 027 : mode & 077;
    if (!is_open) return 0;
    err_set(e, ERR_INPUT, "%s: holds a private key, and %s may read or change the file (mode %04o)", c->path,
            mode & 007 ? "others" : "its group", mode);
    return err_hint(e, "chmod 600 %s%s", c->path,
                    c->st.st_uid == 0 ? " (or 640: root's file may be readable by its group)" : "");
}

/* --- PEM -------------------------------------------------------------------------------------------------
 */

struct passphrase {
    const struct secret *secret;
    bool was_asked;
};

static int give_passphrase(char *out, int size, int writing, void *ctx)
{
    struct passphrase *p = ctx;
    (void)writing;
    p->was_asked = true;
    if (!p->secret->len || p->secret->len > (size_t)size) return -1;
    memcpy(out, p->secret->ptr, p->secret->len);
    return (int)p->secret->len;
}

static int fail_passphrase(const struct content *c, bool is_set, struct err *e)
{
    if (is_set) {
        err_set(e, ERR_INPUT, "%s: the passphrase of the private key is wrong", c->path);
        return err_hint(e, "check what client_certificate_password refers to");
    }
    err_set(e, ERR_INPUT, "%s: the private key is encrypted, and no passphrase is set", c->path);
    return err_hint(e, "set client_certificate_password: file:PATH, env:NAME or cred:NAME");
}

static bool holds(const struct content *c, const char *words)
{
    return memmem(c->ptr, c->len, words, strlen(words)) != NULL;
}

static int fail_no_key(const struct content *c, struct err *e)
{
    if (holds(c, "PRIVATE KEY-----")) {
        err_set(e, ERR_INPUT,
                "%s: the private key in the file is damaged, or of a kind that is not understood", c->path);
        return err_hint(e, "copy it again, whole, with its BEGIN and END lines");
    }
    err_set(e, ERR_INPUT, "%s: holds no private key, only a certificate can be checked with that", c->path);
    return err_hint(e, "put certificate and private key into one PEM file (cat cert.pem key.pem), or use a "
                       "PKCS#12 file (.pfx)");
}

static int read_pem_key(EVP_PKEY **key, const struct content *c, const struct secret *secret, struct err *e)
{
    struct passphrase p = {.secret = secret};
    BIO *in = BIO_new_mem_buf(c->ptr, (int)c->len);
    *key = PEM_read_bio_PrivateKey(in, NULL, give_passphrase, &p);
    BIO_free(in);
    ERR_clear_error();
    if (*key) return 0;
    return p.was_asked ? fail_passphrase(c, secret->len > 0, e) : fail_no_key(c, e);
}

/* The certificate that belongs to the key: the file may hold those that issued it, too. */
static X509 *find_certificate(const struct content *c, EVP_PKEY *key, int *n_seen)
{
    BIO *in = BIO_new_mem_buf(c->ptr, (int)c->len);
    X509 *cert;
    *n_seen = 0;
    while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        ++*n_seen;
        if (X509_check_private_key(cert, key) == 1) break;
        X509_free(cert);
    }
    BIO_free(in);
    ERR_clear_error();
    return cert;
}

static int fail_no_certificate(const struct content *c, int n_seen, struct err *e)
{
    if (n_seen) {
        err_set(e, ERR_INPUT, "%s: the private key does not belong to the certificate", c->path);
        return err_hint(e, "the file needs the key with which this certificate was requested");
    }
    err_set(e, ERR_INPUT, "%s: holds a private key, but no readable certificate", c->path);
    return err_hint(e, "put the certificate that was uploaded to the app registration into the same file");
}

static int read_pem(struct oauth_key *k, const struct content *c, const struct secret *secret, struct err *e)
{
    int n_seen;
    try(read_pem_key(&k->key, c, secret, e));
    k->cert = find_certificate(c, k->key, &n_seen);
    return k->cert ? 0 : fail_no_certificate(c, n_seen, e);
}

/* --- PKCS#12 ---------------------------------------------------------------------------------------------
 */

/* Old exports protect the certificate with RC2 (40 bits), which OpenSSL 3 no longer does. */
static int fail_pkcs12(const struct content *c, bool is_set, struct err *e)
{
    unsigned long why = ERR_peek_error();
    bool is_mac = ERR_GET_LIB(why) == ERR_LIB_PKCS12 && ERR_GET_REASON(why) == PKCS12_R_MAC_VERIFY_FAILURE;
    ERR_clear_error();
    if (is_mac) return fail_passphrase(c, is_set, e);
    err_set(e, ERR_INPUT,
            "%s: the PKCS#12 file cannot be opened: damaged, or protected with an outdated cipher (RC2)",
            c->path);
    return err_hint(e, "openssl pkcs12 -legacy -in OLD.pfx -nodes | openssl pkcs12 -export -out NEW.pfx, or "
                       "export it again with AES-256");
}

static int read_pkcs12(struct oauth_key *k, const struct content *c, const struct secret *secret,
                       struct err *e)
{
    const uint8_t *p = c->ptr;
    ERR_clear_error();
    PKCS12 *file = d2i_PKCS12(NULL, &p, (long)c->len);
    if (!file) {
        ERR_clear_error();
        err_set(e, ERR_INPUT, "%s: neither PEM nor PKCS#12", c->path);
        return err_hint(e,
                        "give a PEM file with certificate and private key, or a PKCS#12 file (.pfx, .p12)");
    }
    int ok = PKCS12_parse(file, secret->len ? (const char *)secret->ptr : NULL, &k->key, &k->cert, NULL);
    PKCS12_free(file);
    if (!ok) return fail_pkcs12(c, secret->len > 0, e);
    if (!k->key) return fail_no_key(c, e);
    return k->cert ? 0 : fail_no_certificate(c, 0, e);
}

/* --- what may be used -------------------------------------------------------------------------------------
 */

static int check_key(const struct oauth_key *k, const struct content *c, struct err *e)
{
    int bits = EVP_PKEY_get_bits(k->key);
    if (EVP_PKEY_get_base_id(k->key) != EVP_PKEY_RSA) {
        err_set(e, ERR_INPUT, "%s: the key is %s; Entra ID signs in applications with RSA keys only", c->path,
                OBJ_nid2sn(EVP_PKEY_get_base_id(k->key)));
        return err_hint(
            e, "make an RSA key of 2048 bits or more, and upload its certificate to the app registration");
    }
    if (bits >= KEY_BITS) return 0;
    err_set(e, ERR_INPUT, "%s: an RSA key of %d bits is too weak", c->path, bits);
    return err_hint(
        e, "make an RSA key of 2048 bits or more, and upload its certificate to the app registration");
}

static void base64url(char *out, size_t size, struct bytes in)
{
    sodium_bin2base64(out, size, in.ptr, in.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static int read_thumbprint(struct oauth_key *k, const char *path, struct err *e)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!X509_digest(k->cert, EVP_sha256(), digest, &n) || n != SHA256_SIZE)
        return err_set(e, ERR_INPUT, "%s: no fingerprint", path);
    base64url(k->x5t, sizeof k->x5t, (struct bytes){digest, n});
    return 0;
}

static int load(struct oauth_key *k, struct content *c, const struct secret *passphrase, struct err *e)
{
    try(content_read(c, c->path, e));
    if (holds(c, "-----BEGIN "))
        try(read_pem(k, c, passphrase, e));
    else
        try(read_pkcs12(k, c, passphrase, e));
    try(check_mode(c, e));
    try(check_key(k, c, e));
    return read_thumbprint(k, c->path, e);
}

int oauth_key_load(struct oauth_key **out, const char *path, const struct secret *passphrase, struct err *e)
{
    struct content c = {.path = path};
    *out = x_zalloc(sizeof **out);
    int rc = load(*out, &c, passphrase, e);
    content_free(&c);
    if (rc == 0) return 0;
    oauth_key_free(*out);
    *out = NULL;
    return rc;
}

/* --- the JWT -----------------------------------------------------------------------------------------------
 */

static void add_part(struct buf *out, struct bytes in)
{
    size_t n = sodium_base64_ENCODED_LEN(in.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    uint8_t *to = buf_reserve(out, n);
    if (!to) return;
    base64url((char *)to, n, in);
    buf_advance(out, n - 1); /* without the NUL */
}

static void add_header(struct buf *out, const struct oauth_key *k)
{
    struct buf text = buf_new(512);
    struct jsonw j = jsonw_new(&text);
    jsonw_object(&j);
    jsonw_kcstr(&j, "alg", "PS256");
    jsonw_kcstr(&j, "typ", "JWT");
    jsonw_kcstr(&j, "x5t#S256", k->x5t);
    jsonw_end(&j);
    add_part(out, buf_bytes(&text));
    buf_free(&text);
}

static void add_claims(struct buf *out, const char *client_id, const char *audience, int64_t now_ms)
{
    struct buf text = buf_new(16384);
    struct jsonw j = jsonw_new(&text);
    uint8_t random[16];
    char id[sizeof random * 2 + 1];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(id, sizeof id, random, sizeof random);
    jsonw_object(&j);
    jsonw_kcstr(&j, "aud", audience);
    jsonw_kcstr(&j, "iss", client_id);
    jsonw_kcstr(&j, "sub", client_id);
    jsonw_kcstr(&j, "jti", id);
    jsonw_kint(&j, "nbf", now_ms / 1000);
    jsonw_kint(&j, "iat", now_ms / 1000);
    jsonw_kint(&j, "exp", now_ms / 1000 + LIFE_S);
    jsonw_end(&j);
    add_part(out, buf_bytes(&text));
    buf_free(&text);
}

/* PS256 (RFC 7518 3.5): RSASSA-PSS, SHA-256 for hash and mask, a salt as long as the hash. */
static int sign(uint8_t *out, size_t *n, EVP_PKEY *key, struct bytes what)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    int ok = ctx && EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL, key) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(how, SHA256_SIZE) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(how, EVP_sha256()) == 1 &&
             EVP_DigestSign(ctx, out, n, what.ptr, what.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

int oauth_assertion_make(struct buf *out, const struct oauth_key *k, const char *client_id,
                         const char *audience, int64_t now_ms, struct err *e)
{
    struct buf text = buf_new(65536);
    size_t n = (size_t)EVP_PKEY_get_size(k->key);
    buf_reserve(&text, 16384); /* in one place, since it is as good as a password for ten minutes */
    uint8_t *signature = x_alloc(n);
    add_header(&text, k);
    buf_add_byte(&text, '.');
    add_claims(&text, client_id, audience, now_ms);
    int ok = !text.failed && sign(signature, &n, k->key, buf_bytes(&text));
    buf_add_byte(&text, '.');
    if (ok) add_part(&text, (struct bytes){signature, n});
    buf_add_bytes(out, buf_bytes(&text));
    ok = ok && !text.failed && !out->failed;
    secret_wipe_buf(&text);
    free(signature);
    ERR_clear_error();
    return ok ? 0 : err_set(e, ERR_INPUT, "the private key cannot sign with PS256 (RSA-PSS, SHA-256)");
}
