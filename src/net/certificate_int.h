/* certificate_int.h - what ca.c, handshake.c, certificate.c and certificate_verify.c share; nobody else
 * includes it. */
#ifndef ROLLCALL_NET_CERTIFICATE_INT_H
#define ROLLCALL_NET_CERTIFICATE_INT_H

#include "net/certificate.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* --- ca.c: certificates from a file --------------------------------------------------------------------- */
struct ca_file {
    STACK_OF(X509) * certs;
    bool is_leaf; /* holds no CA */
};
int ca_read(struct ca_file *out, const char *path, struct err *e) must_use;
void ca_free(struct ca_file *f);

/* --- handshake.c: a TLS session with nobody in particular ----------------------------------------------- */
/* Verifies nothing. The caller SSL_frees *out. Errors as for tls_examine. */
int tls_handshake(SSL **out, const struct tls_question *q, struct err *e) must_use;

/* --- certificate_verify.c: what is wrong ---------------------------------------------------------------- */
struct tls_peer {
    const struct tls_question *q;
    const struct ca_file *ca; /* NULL: the system's */
    X509 *leaf;
    STACK_OF(X509) * chain; /* as presented, leaf first */
    int version;            /* TLS1_2_VERSION, ... */
};
/* true if the peer may be trusted; else *why is ERR_TLS with one sentence for each fault. */
bool tls_verify(struct err *why, const struct tls_peer *p);

/* --- certificate.c: words for the parts of a certificate ------------------------------------------------ */
/* All of these write what a stranger sent: UTF-8 without control characters. */
void name_text(struct buf *out, const X509_NAME *name);
/* DNS names and addresses, at most `max` of them; how many there are. */
size_t names_of(json_t *array, const X509 *cert, size_t max);
int64_t time_of(const ASN1_TIME *t);                    /* ms since 1970; 0 if it is not a time */
void key_text(struct buf *out, const X509 *cert);       /* "RSA 2048" */
void signature_text(struct buf *out, const X509 *cert); /* "sha256WithRSAEncryption" */
json_t *usages_of(const X509 *cert);                    /* extended key usages; empty: any */
void fingerprint_text(char out[96], const X509 *cert);  /* SHA-256, "AB:CD:..." */

#endif
