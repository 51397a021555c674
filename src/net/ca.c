#include "net/certificate_int.h"

#include "base/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#define FILE_MAX ((size_t)4 << 20)
#define HINT     "export the certificate alone, as Base-64 encoded X.509 (.CER) or DER"

/* What else people have in such files, by PEM label and by trying. */
static const char *label_words(const char *label)
{
    if (strstr(label, "PRIVATE KEY")) return "a private key";
    if (strstr(label, "PUBLIC KEY")) return "a bare public key";
    if (strstr(label, "REQUEST")) return "a certificate request";
    if (strstr(label, "CRL")) return "a revocation list";
    if (strcmp(label, "PKCS7") == 0 || strcmp(label, "CMS") == 0) return "a PKCS#7 bundle";
    return "something else";
}

static bool is_certificate_label(const char *label)
{
    return strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0 ||
           strcmp(label, "TRUSTED CERTIFICATE") == 0;
}

static int fail_found(const char *path, const char *what, struct err *e)
{
    err_set(e, ERR_INPUT, "%s: holds %s, no certificate", path, what);
    return err_hint(e, HINT);
}

static int fail_damaged(const char *path, int number, struct err *e)
{
    err_set(e, ERR_INPUT, "%s: certificate %d in the file is damaged", path, number);
    return err_hint(e, "copy it again, whole, with its BEGIN and END lines");
}

/* --- PEM ------------------------------------------------------------------------------------------------ */

static X509 *decode_pem_block(const char *label, const uint8_t *der, long len)
{
    if (strcmp(label, "TRUSTED CERTIFICATE") == 0) return d2i_X509_AUX(NULL, &der, len);
    return d2i_X509(NULL, &der, len);
}

/* 1: one block read; 0: no more; negative: damaged. */
static int read_pem_block(struct ca_file *out, BIO *in, const char **other, const char *path, struct err *e)
{
    char *label = NULL, *header = NULL;
    uint8_t *der = NULL;
    long len = 0;
    ERR_clear_error();
    if (!PEM_read_bio(in, &label, &header, &der, &len)) {
        bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        return at_end ? 0 : fail_damaged(path, sk_X509_num(out->certs) + 1, e);
    }
    int rc = 1;
    if (is_certificate_label(label)) {
        X509 *cert = decode_pem_block(label, der, len);
        if (cert)
            sk_X509_push(out->certs, cert);
        else
            rc = fail_damaged(path, sk_X509_num(out->certs) + 1, e);
    } else {
        *other = label_words(label);
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (size_t)len); /* it may be a private key */
    return rc;
}

static int read_pem(struct ca_file *out, struct str text, const char *path, struct err *e)
{
    BIO *in = BIO_new_mem_buf(text.ptr, (int)text.len);
    const char *other = "an unreadable PEM block";
    int rc;
    do {
        rc = read_pem_block(out, in, &other, path, e);
    } while (rc > 0);
    BIO_free(in);
    if (rc < 0) return rc;
    return sk_X509_num(out->certs) ? 0 : fail_found(path, other, e);
}

/* --- DER and what is neither ---------------------------------------------------------------------------- */

#define TRY_DER(type, words)                                                                                 \
    do {                                                                                                     \
        const uint8_t *p_ = b.ptr;                                                                           \
        type *x_ = d2i_##type(NULL, &p_, (long)b.len);                                                       \
        if (x_) {                                                                                            \
            type##_free(x_);                                                                                 \
            return words;                                                                                    \
        }                                                                                                    \
    } while (0)

static const char *der_words(struct bytes b)
{
    const uint8_t *p = b.ptr;
    TRY_DER(PKCS12, "a PKCS#12 bundle (.pfx)");
    TRY_DER(PKCS7, "a PKCS#7 bundle (.p7b)");
    TRY_DER(X509_REQ, "a certificate request");
    TRY_DER(X509_CRL, "a revocation list");
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)b.len);
    EVP_PKEY_free(key);
    return key ? "a private key" : NULL;
}

static bool is_utf16(struct bytes b)
{
    static const uint8_t dashes[] = {'-', 0, '-', 0};
    return b.len >= 4 && ((b.ptr[0] == 0xff && b.ptr[1] == 0xfe) || (b.ptr[0] == 0xfe && b.ptr[1] == 0xff) ||
                          memcmp(b.ptr, dashes, 4) == 0);
}

static int fail_neither(struct bytes b, const char *path, struct err *e)
{
    const char *found = der_words(b);
    if (found) return fail_found(path, found, e);
    if (is_utf16(b)) {
        err_set(e, ERR_INPUT, "%s: is UTF-16 text", path);
        return err_hint(e, "save it as ASCII or UTF-8 (in PowerShell: Set-Content -Encoding ascii)");
    }
    if (str_starts(str_of(b), STR("MII"))) {
        err_set(e, ERR_INPUT, "%s: holds Base64 without the line -----BEGIN CERTIFICATE-----", path);
        return err_hint(e, "put -----BEGIN CERTIFICATE----- before and -----END CERTIFICATE----- behind it");
    }
    err_set(e, ERR_INPUT, "%s: holds no certificate", path);
    return err_hint(e, HINT);
}

static int read_der(struct ca_file *out, struct bytes b, const char *path, struct err *e)
{
    const uint8_t *p = b.ptr, *end = b.ptr + b.len;
    while (p < end) {
        X509 *cert = d2i_X509(NULL, &p, end - p);
        if (!cert) break;
        sk_X509_push(out->certs, cert);
    }
    if (!sk_X509_num(out->certs)) return fail_neither(b, path, e);
    return p == end ? 0 : fail_damaged(path, sk_X509_num(out->certs) + 1, e);
}

/* --- the whole file ------------------------------------------------------------------------------------- */

/* X509_check_ca also says yes to a version 1 root and to a bare keyCertSign, which do sign. */
static bool holds_no_ca(const STACK_OF(X509) * certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++)
        if (X509_check_ca(sk_X509_value(certs, i)) > 0) return false;
    return true;
}

static int decode(struct ca_file *out, struct bytes b, const char *path, struct err *e)
{
    bool is_pem = b.len && memmem(b.ptr, b.len, "-----BEGIN ", 11);
    if (!b.len) return err_set(e, ERR_INPUT, "%s: the file is empty", path);
    int rc = is_pem ? read_pem(out, str_of(b), path, e) : read_der(out, b, path, e);
    if (rc == 0) out->is_leaf = holds_no_ca(out->certs);
    ERR_clear_error();
    return rc;
}

int ca_read(struct ca_file *out, const char *path, struct err *e)
{
    struct buf content = buf_new(FILE_MAX);
    *out = (struct ca_file){.certs = sk_X509_new_null()};
    int rc = file_read(&content, path, e);
    if (rc == ERR_LIMIT)
        rc = err_set(e, ERR_INPUT, "%s: longer than 4 MiB: not a file of certificates", path);
    if (rc == 0) rc = decode(out, buf_bytes(&content), path, e);
    if (content.ptr) OPENSSL_cleanse(content.ptr, content.cap);
    buf_free(&content);
    if (rc < 0) ca_free(out);
    return rc < 0 ? err_wrap(e, "CA certificate") : 0;
}

void ca_free(struct ca_file *f)
{
    sk_X509_pop_free(f->certs, X509_free);
    *f = (struct ca_file){0};
}

int ca_load(struct buf *pem, bool *is_leaf, const char *path, struct err *e)
{
    struct ca_file f;
    char *text = NULL;
    *pem = buf_new(2 * FILE_MAX);
    try(ca_read(&f, path, e));
    BIO *out = BIO_new(BIO_s_mem());
    for (int i = 0; i < sk_X509_num(f.certs); i++) PEM_write_bio_X509(out, sk_X509_value(f.certs, i));
    long n = BIO_get_mem_data(out, &text);
    buf_add(pem, text, (size_t)n);
    *is_leaf = f.is_leaf;
    BIO_free(out);
    ca_free(&f);
    if (!pem->failed) return 0;
    buf_free(pem);
    return err_set(e, ERR_INPUT, "%s: too many certificates", path);
}
