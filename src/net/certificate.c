#include "net/certificate_int.h"

#include "base/when.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

#define CHAIN_MAX 16
#define NAMES_MAX 256

/* --- words ---------------------------------------------------------------------------------------------- */

/* A stranger's text, made harmless for terminals and JSON. */
static void add_clean(struct buf *out, struct str s)
{
    bool is_text = str_is_utf8(s);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        bool is_c1 = c == 0xc2 && i + 1 < s.len && (uint8_t)s.ptr[i + 1] < 0xa0;
        bool ok = c >= 0x20 && c != 0x7f && (is_text || c < 0x80) && !is_c1;
        buf_add_byte(out, ok ? c : '?');
        i += is_text && is_c1;
    }
}

void name_text(struct buf *out, const X509_NAME *name)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *text = NULL;
    X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    long n = BIO_get_mem_data(b, &text);
    add_clean(out, n > 0 ? (struct str){text, (size_t)n} : STR("(no name)"));
    BIO_free(b);
}

static json_t *json_of(struct buf *b)
{
    json_t *s = json_string(buf_cstr(b));
    buf_free(b);
    return s;
}

static bool add_general_name(struct buf *out, const GENERAL_NAME *g)
{
    char text[INET6_ADDRSTRLEN];
    if (g->type == GEN_DNS) {
        add_clean(out, (struct str){(const char *)ASN1_STRING_get0_data(g->d.dNSName),
                                    (size_t)ASN1_STRING_length(g->d.dNSName)});
        return true;
    }
    if (g->type != GEN_IPADD) return false;
    int len = ASN1_STRING_length(g->d.iPAddress);
    if (len != 4 && len != 16) return false;
    inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(g->d.iPAddress), text, sizeof text);
    buf_add_str(out, str_from(text));
    return true;
}

size_t names_of(json_t *array, const X509 *cert, size_t max)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    size_t n = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        struct buf one = buf_new(1024);
        bool is_name = add_general_name(&one, sk_GENERAL_NAME_value(all, i));
        if (is_name && n++ < max)
            json_array_append_new(array, json_of(&one));
        else
            buf_free(&one);
    }
    GENERAL_NAMES_free(all);
    return n;
}

int64_t time_of(const ASN1_TIME *t)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) != 1) return 0;
    return when_from_civil(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday,
                           (unsigned)tm.tm_hour, (unsigned)tm.tm_min, (unsigned)tm.tm_sec);
}

void key_text(struct buf *out, const X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    char group[64] = "";
    if (!key) {
        buf_printf(out, "unknown");
        return;
    }
    int id = EVP_PKEY_get_base_id(key);
    if (id == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1) {
        const char *nist = EC_curve_nid2nist(OBJ_sn2nid(group));
        buf_printf(out, "EC %s", nist ? nist : group);
    } else if (id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448) {
        buf_printf(out, "%s", OBJ_nid2sn(id));
    } else {
        buf_printf(out, "%s %d",
                   id == EVP_PKEY_RSA       ? "RSA"
                   : id == EVP_PKEY_RSA_PSS ? "RSA-PSS"
                                            : OBJ_nid2sn(id),
                   EVP_PKEY_get_bits(key));
    }
}

void signature_text(struct buf *out, const X509 *cert)
{
    const char *name = OBJ_nid2ln(X509_get_signature_nid(cert));
    buf_printf(out, "%s", name ? name : "unknown");
}

json_t *usages_of(const X509 *cert)
{
    EXTENDED_KEY_USAGE *all = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    json_t *array = json_array();
    for (int i = 0; i < sk_ASN1_OBJECT_num(all) && i < NAMES_MAX; i++) {
        char oid[80];
        const ASN1_OBJECT *o = sk_ASN1_OBJECT_value(all, i);
        int nid = OBJ_obj2nid(o);
        if (nid == NID_undef) OBJ_obj2txt(oid, sizeof oid, o, 1);
        json_array_append_new(array, json_string(nid == NID_undef ? oid : OBJ_nid2sn(nid)));
    }
    EXTENDED_KEY_USAGE_free(all);
    return array;
}

void fingerprint_text(char out[96], const X509 *cert)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!X509_digest(cert, EVP_sha256(), digest, &n)) n = 0;
    out[0] = 0;
    for (unsigned i = 0; i < n && i < 32; i++)
        snprintf(out + (size_t)i * 3, 4, "%02X%s", digest[i], i + 1 < n ? ":" : "");
}

/* --- the report ----------------------------------------------------------------------------------------- */

static json_t *json_name(const X509_NAME *name)
{
    struct buf b = buf_new(4096);
    name_text(&b, name);
    return json_of(&b);
}

static json_t *json_words(void (*words)(struct buf *, const X509 *), const X509 *cert)
{
    struct buf b = buf_new(128);
    words(&b, cert);
    return json_of(&b);
}

static json_t *json_time(const ASN1_TIME *t)
{
    char text[WHEN_TEXT];
    return json_string(when_format(text, time_of(t)));
}

static json_t *describe(const X509 *cert)
{
    char sha256[96];
    json_t *names = json_array(), *o = json_object();
    names_of(names, cert, NAMES_MAX);
    fingerprint_text(sha256, cert);
    json_object_set_new(o, "subject", json_name(X509_get_subject_name(cert)));
    json_object_set_new(o, "issuer", json_name(X509_get_issuer_name(cert)));
    json_object_set_new(o, "names", names);
    json_object_set_new(o, "not_before", json_time(X509_get0_notBefore(cert)));
    json_object_set_new(o, "not_after", json_time(X509_get0_notAfter(cert)));
    json_object_set_new(o, "sha256", json_string(sha256));
    json_object_set_new(o, "key", json_words(key_text, cert));
    json_object_set_new(o, "signature", json_words(signature_text, cert));
    json_object_set_new(o, "is_ca", json_boolean(X509_check_ca((X509 *)(uintptr_t)cert) > 0));
    json_object_set_new(o, "usages", usages_of(cert));
    return o;
}

static void add_chain(struct tls_report *out, const STACK_OF(X509) * chain)
{
    BIO *pem = BIO_new(BIO_s_mem());
    char *text = NULL;
    for (int i = 0; i < sk_X509_num(chain) && i < CHAIN_MAX; i++) {
        json_array_append_new(out->chain, describe(sk_X509_value(chain, i)));
        PEM_write_bio_X509(pem, sk_X509_value(chain, i));
    }
    long n = BIO_get_mem_data(pem, &text);
    buf_add(&out->pem, text, n > 0 ? (size_t)n : 0);
    BIO_free(pem);
}

static int examine_session(struct tls_report *out, const struct tls_question *q, const struct ca_file *ca,
                           SSL *ssl, struct err *e)
{
    struct tls_peer p = {q, ca, SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl),
                         SSL_version(ssl)};
    snprintf(out->protocol, sizeof out->protocol, "%s", SSL_get_version(ssl));
    snprintf(out->cipher, sizeof out->cipher, "%s", SSL_get_cipher_name(ssl));
    if (!p.leaf) return err_set(e, ERR_TLS, "the peer presents no certificate");
    add_chain(out, p.chain);
    out->leaf_not_after_ms = time_of(X509_get0_notAfter(p.leaf));
    out->trusted = tls_verify(&out->why, &p);
    return 0;
}

int tls_examine(struct tls_report *out, const struct tls_question *q, struct err *e)
{
    struct ca_file ca = {0};
    SSL *ssl = NULL;
    *out = (struct tls_report){.chain = json_array(), .pem = buf_new((size_t)1 << 20)};
    int rc = q->ca_path ? ca_read(&ca, q->ca_path, e) : 0;
    if (rc == 0) rc = tls_handshake(&ssl, q, e);
    if (rc == 0) rc = examine_session(out, q, q->ca_path ? &ca : NULL, ssl, e);
    SSL_free(ssl);
    ca_free(&ca);
    ERR_clear_error();
    if (rc < 0) tls_report_free(out);
    return rc;
}

void tls_report_free(struct tls_report *r)
{
    if (!r) return;
    json_decref(r->chain);
    r->chain = NULL;
    buf_free(&r->pem);
}
