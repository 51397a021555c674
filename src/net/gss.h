/* gss.h - one GSSAPI security context as the initiator: the tokens of a SASL bind, and sealing after it.
 *
 * Krb5 only, by itself (SASL GSSAPI, RFC 4752) or within SPNEGO (SASL GSS-SPNEGO, MS-SPNG). The server must
 * prove who it is. Over TLS the context is bound to the channel (tls-server-end-point, RFC 5929) and carries
 * no security layer; without TLS everything is sealed. Knows nothing of LDAP or sockets. One thread.
 *     gss_open(&g, &how, &e); gss_step(g, token, &reply, &is_done, &e) until done;
 *     GSSAPI only: gss_choose_layer(g, offer, &reply, &e); then gss_encrypt/gss_decrypt if sealed
 */
#ifndef ROLLCALL_GSS_H
#define ROLLCALL_GSS_H

#include "base/buf.h"
#include "base/err.h"

enum gss_mechanism { GSS_MECH_GSSAPI, GSS_MECH_SPNEGO };

#define GSS_TOKEN_MAX ((size_t)1 << 20) /* of a bind; a ticket with the largest PAC stays below 128 KiB */
#define GSS_SEALED_MAX                                                                                       \
    ((size_t)11 << 20) /* of one sealed buffer; Windows sends at most 10 MiB (MaxReceiveBuffer) */
#define GSS_OUR_MAX ((size_t)1 << 18) /* of what we ask to be sent at once */

struct gss_how {
    const char *cache;   /* "MEMORY:..." with the tickets */
    const char *service; /* principal, "ldap/dc1.corp.example@CORP.EXAMPLE" */
    enum gss_mechanism mechanism;
    struct bytes certificate; /* the TLS peer's, DER: the context is bound to it; empty: no TLS, everything is
                                 sealed */
};

struct gss;
int gss_open(struct gss **out, const struct gss_how *how, struct err *e) must_use;
void gss_close(struct gss *g);
/* in: the server's token, empty at first. Appends ours to reply, which may stay empty at the end. When
 * *is_done, the server has proved its name, or ERR_AUTH. */
int gss_step(struct gss *g, struct bytes in, struct buf *reply, bool *is_done, struct err *e) must_use;
/* RFC 4752 3.1: the server's offer of layers in, our choice out. ERR_DENIED: it does not offer what is
 * needed; ERR_PROTO. */
int gss_choose_layer(struct gss *g, struct bytes offer, struct buf *reply, struct err *e) must_use;
bool gss_is_sealed(const struct gss *g); /* gss_encrypt and gss_decrypt are to be used from now on */
/* How much plain text fits into what the peer accepts at once. */
size_t gss_seal_limit(struct gss *g);
int gss_encrypt(struct gss *g, struct bytes plain, struct buf *out, struct err *e) must_use;
/* ERR_PROTO: not sealed, changed on its way, repeated or out of order. */
int gss_decrypt(struct gss *g, struct bytes sealed, struct buf *out, struct err *e) must_use;

/* RFC 5929 4.1: "tls-server-end-point:" and the certificate's hash. ERR_PROTO: not a certificate. */
int gss_end_point(struct buf *out, struct bytes certificate, struct err *e) must_use;

#endif
