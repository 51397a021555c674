/* certificate.h - the certificate doctor: what a TLS peer presents and exactly what is wrong with it.
 *
 * GnuTLS (under libldap) says "unknown error" to nearly everything; so on a failure, and for `check` and
 * `rollcall certificate`, one diagnostic OpenSSL connection is made that sends nothing but the handshake (and the
 * StartTLS request), trusts nothing it sees, and explains it. It never decides trust for a real connection.
 */
#ifndef ROLLCALL_CERTIFICATE_H
#define ROLLCALL_CERTIFICATE_H

#include "base/buf.h"
#include "base/err.h"
#include "net/dial.h"

#include <jansson.h>

enum tls_start { TLS_AT_ONCE, TLS_LDAP_STARTTLS };

struct tls_question {
    const struct dial_addresses *to;
    uint16_t port;
    enum tls_start start;
    const char *name;    /* to verify: DNS name or IP literal */
    const char *ca_path; /* PEM or DER, CA roots or the peer's own leaf; NULL: the system's */
    int64_t deadline_ms;
};
struct tls_report {
    json_t *chain;       /* array of {subject, issuer, names[], not_before, not_after, sha256, key, signature, is_ca, usages[]}, leaf first */
    struct buf pem;      /* the chain as presented */
    char protocol[16], cipher[64];
    int64_t leaf_not_after_ms;
    bool trusted;        /* verified against ca_path for name, today, for server authentication */
    struct err why;      /* if not: ERR_TLS with one of the sentences below, and a hint */
};
/* Fills the report, trusted or not. Fails only where there is no TLS to look at: ERR_NET, ERR_TIMEOUT, ERR_TLS (the peer does not
 * speak TLS, or no common version). Sentences of `why`: name mismatch (with the names present), unknown issuer (named), expired
 * on / not valid before, self-signed and not the pinned certificate, no serverAuth usage, weak key or signature, missing
 * intermediate, not a leaf, no SAN. */
int tls_examine(struct tls_report *out, const struct tls_question *q, struct err *e) must_use;
void tls_report_free(struct tls_report *r);

/* A ca_certificate setting, loaded: PEM or DER (.CER), one or more. *pem: all of them as PEM, for libldap.
 * *is_leaf: it holds no CA: the peer's own certificate is pinned. ERR_INPUT: no certificate in the file (says what was found:
 * a private key, PKCS#7, PKCS#12, UTF-16 text...). */
int ca_load(struct buf *pem, bool *is_leaf, const char *path, struct err *e) must_use;

#endif
