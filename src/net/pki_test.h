/* pki_test.h - a small certification authority for tests; what certificate_test.c and ca_test.c share. */
#ifndef ROLLCALL_NET_PKI_TEST_H
#define ROLLCALL_NET_PKI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/certificate.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY         (24 * 3600)
#define NAME        "dc1.corp.example"
#define SERVER_LEAF .eku = "serverAuth", .usage = "digitalSignature"

/* --- a small certification authority -------------------------------------------------------------------- */

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

struct wish {
    const char *cn, *san, *eku, *usage, *basic; /* extensions as OpenSSL writes them; NULL: none */
    long from_s, to_s;                          /* relative to now; both 0: -1 to +30 days */
    const struct identity *by;                  /* NULL: itself */
    EVP_PKEY *key;                              /* NULL: the common EC key */
    bool sha1, names_issuers_issuer, hostile_name;
};

static EVP_PKEY *key_ec, *key_ec2, *key_1024;

static inline void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *x = value ? X509V3_EXT_conf_nid(NULL, &ctx, nid, value) : NULL;
    if (value && !x) fail_msg("extension %s", value);
    if (x) X509_add_ext(cert, x, -1);
    X509_EXTENSION_free(x);
}

static inline void set_name(X509 *cert, const char *cn)
{
    X509_NAME *n = X509_NAME_new();
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    X509_set_subject_name(cert, n);
    X509_NAME_free(n);
}

/* A DNS name with an escape sequence, a NUL and bytes that are not UTF-8. */
static inline void add_hostile_name(X509 *cert)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, NAME "\0\x1b[31m\xff\n", sizeof NAME + 7);
    GENERAL_NAME_set0_value(g, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, g);
    assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
}

static inline struct identity issue(const struct wish *w)
{
    static long serial = 1;
    EVP_PKEY *key = w->key ? w->key : key_ec;
    struct identity id = {X509_new(), key};
    const struct identity *by = w->by ? w->by : &id;
    bool has_time = w->from_s || w->to_s;
    X509_set_version(id.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(id.cert), has_time ? w->from_s : -DAY);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), has_time ? w->to_s : 30 * DAY);
    set_name(id.cert, w->cn);
    X509_set_issuer_name(id.cert, X509_get_subject_name(by->cert));
    X509_set_pubkey(id.cert, key);
    add_extension(id.cert, by->cert, NID_basic_constraints, w->basic);
    add_extension(id.cert, by->cert, NID_subject_key_identifier, "hash");
    add_extension(id.cert, by->cert, NID_authority_key_identifier,
                  !w->by                    ? NULL
                  : w->names_issuers_issuer ? "keyid,issuer:always"
                                            : "keyid");
    add_extension(id.cert, by->cert, NID_key_usage, w->usage);
    add_extension(id.cert, by->cert, NID_ext_key_usage, w->eku);
    add_extension(id.cert, by->cert, NID_subject_alt_name, w->san);
    if (w->hostile_name) add_hostile_name(id.cert);
    assert_true(X509_sign(id.cert, by->key, w->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
    return id;
}

static inline struct identity issue_ca(const char *cn, const struct identity *by, EVP_PKEY *key)
{
    return issue(&(struct wish){.cn = cn,
                                .by = by,
                                .key = key,
                                .basic = "critical,CA:TRUE",
                                .usage = "critical,keyCertSign,cRLSign"});
}

static inline void make_keys(void)
{
    key_ec = EVP_EC_gen("P-256");
    key_ec2 = EVP_EC_gen("P-384");
    key_1024 = EVP_RSA_gen(1024);
}

static inline void drop_keys(void)
{
    EVP_PKEY_free(key_ec);
    EVP_PKEY_free(key_ec2);
    EVP_PKEY_free(key_1024);
}

#endif
