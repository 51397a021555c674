#include "net/certificate_int.h"

#include "base/cursor.h"
#include "base/when.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

/* Enough for any handshake: 100 KiB of certificates is OpenSSL's own limit. */
#define HANDSHAKE_MAX ((size_t)512 * 1024)
#define STARTTLS_MAX  8192

struct wire {
    int fd;
    const struct tls_question *q;
    uint8_t first[16]; /* the peer's first bytes, to see what it speaks */
    size_t n_first, n_received;
};

/* --- bytes, within the deadline ------------------------------------------------------------------------- */

static int wait_for(const struct wire *w, short events, struct err *e)
{
    struct pollfd p = {w->fd, events, 0};
    for (;;) {
        int n = poll(&p, 1, when_left_ms(w->q->deadline_ms));
        if (n > 0) return 0;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(e, ERR_NET, errno, "poll");
        err_set(e, ERR_TIMEOUT,
                w->n_received ? "the peer stopped in the middle of the handshake"
                              : "the peer does not answer");
        return err_hint(e,
                        "is there an LDAP service behind port %u, or something that waits for other words?",
                        w->q->port);
    }
}

static int closed(const struct wire *w, struct err *e)
{
    err_set(e, ERR_TLS, "the peer closed the connection %s",
            w->n_received ? "in the middle of the handshake" : "at the first word");
    return err_hint(e, w->q->start == TLS_AT_ONCE ? "a controller without a server certificate does this on "
                                                    "port 636: does it have one in its computer store?"
                                                  : "does the controller have a server certificate?");
}

static int wire_send(struct wire *w, struct bytes b, struct err *e)
{
    while (b.len) {
        ssize_t n = send(w->fd, b.ptr, b.len, MSG_NOSIGNAL);
        if (n > 0) {
            b.ptr += n;
            b.len -= (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            try(wait_for(w, POLLOUT, e));
        } else if (n < 0 && errno != EINTR) {
            return errno == EPIPE || errno == ECONNRESET ? closed(w, e)
                                                         : err_errno(e, ERR_NET, errno, "send");
        }
    }
    return 0;
}

/* At least one byte, at most size; the count in *got. */
static int wire_receive(struct wire *w, uint8_t *to, size_t size, size_t *got, struct err *e)
{
    for (;;) {
        ssize_t n = recv(w->fd, to, size, 0);
        if (n > 0) {
            *got = (size_t)n;
            break;
        }
        if (n == 0 || errno == ECONNRESET) return closed(w, e);
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return err_errno(e, ERR_NET, errno, "receive");
        try(wait_for(w, POLLIN, e));
    }
    size_t room = sizeof w->first - w->n_first, n_keep = *got < room ? *got : room;
    memcpy(w->first + w->n_first, to, n_keep);
    w->n_first += n_keep;
    w->n_received += *got;
    return w->n_received <= HANDSHAKE_MAX
               ? 0
               : err_set(e, ERR_PROTO, "the handshake is longer than %zu KiB", HANDSHAKE_MAX / 1024);
}

/* --- StartTLS, RFC 4511 4.14: by hand, since nothing but this is ever said ------------------------------ */

static int receive_exactly(struct wire *w, uint8_t *to, size_t n, struct err *e)
{
    while (n) {
        size_t got;
        try(wire_receive(w, to, n, &got, e));
        to += got;
        n -= got;
    }
    return 0;
}

/* X.690 8.1.3, definite lengths of at most four octets, as LDAP uses them (RFC 4511 5.1). */
static size_t ber_length(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    if (first < 0x80) return first;
    size_t n = 0;
    if (first == 0x80 || first > 0x84) c->failed = true;
    for (unsigned i = first & 0x7fu; i && !c->failed; i--) n = n << 8 | cursor_u8(c);
    return n;
}

/* The content of the next element, which must have this tag. */
static struct cursor ber_enter(struct cursor *c, uint8_t tag)
{
    if (cursor_u8(c) != tag) c->failed = true;
    size_t n = ber_length(c);
    struct cursor inner = cursor_new(cursor_bytes(c, n));
    inner.failed = c->failed;
    return inner;
}

/* One whole message and not a byte more, so that nothing injected before TLS is taken for part of it. */
static int receive_message(struct wire *w, struct buf *m, struct err *e)
{
    uint8_t head[6], n_head = 2;
    try(receive_exactly(w, head, 2, e));
    if (head[1] > 0x80 && head[1] <= 0x84) {
        n_head = (uint8_t)(2 + (head[1] & 0x7f));
        try(receive_exactly(w, head + 2, (size_t)n_head - 2, e));
    }
    struct cursor c = cursor_new((struct bytes){head + 1, (size_t)n_head - 1});
    size_t n = ber_length(&c);
    bool is_message = head[0] == 0x30 && !c.failed && n <= STARTTLS_MAX; /* SEQUENCE */
    if (!is_message) {
        err_set(e, ERR_TLS, "the peer does not answer StartTLS in LDAP");
        return err_hint(e, "is port %u an LDAP port? LDAP with StartTLS is on 389, LDAPS on 636", w->q->port);
    }
    uint8_t *to = buf_reserve(m, n);
    if (!to) return err_set(e, ERR_LIMIT, "StartTLS answer of %zu bytes", n);
    try(receive_exactly(w, to, n, e));
    buf_advance(m, n);
    return 0;
}

static int fail_starttls(int result, struct err *e)
{
    const char *words = result == 52   ? "unavailable"
                        : result == 2  ? "protocolError: it does not know StartTLS"
                        : result == 1  ? "operationsError: TLS may be on already"
                        : result == 53 ? "unwillingToPerform"
                                       : "see RFC 4511 4.1.9";
    err_set(e, ERR_TLS, "the server refuses StartTLS (LDAP %d, %s)", result, words);
    err_hint(e,
             "a controller without a server certificate does this: does it have one in its computer store?");
    return err_code(e, DOM_LDAP, result);
}

/* LDAPMessage ::= { messageID 1, [APPLICATION 24] { ENUMERATED resultCode, ... } } */
static int check_starttls_answer(struct bytes message, struct err *e)
{
    struct cursor c = cursor_new(message);
    struct cursor id = ber_enter(&c, 0x02);
    bool is_ours = cursor_u8(&id) == 1 && id.in.len == 0;
    struct cursor response = ber_enter(&c, 0x78);
    struct cursor code = ber_enter(&response, 0x0a);
    uint8_t result = cursor_u8(&code);
    if (c.failed || id.failed || !is_ours || response.failed || code.failed || code.in.len)
        return err_set(e, ERR_TLS, "the answer to StartTLS makes no sense");
    return result == 0 ? 0 : fail_starttls(result, e);
}

static int start_tls(struct wire *w, struct err *e)
{
    static const uint8_t request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                                     "1.3.6.1.4.1.1466.20037";
    struct buf answer = buf_new(STARTTLS_MAX);
    int rc = wire_send(w, (struct bytes){request, sizeof request - 1}, e);
    if (rc == 0) rc = receive_message(w, &answer, e);
    if (rc == 0) rc = check_starttls_answer(buf_bytes(&answer), e);
    buf_free(&answer);
    w->n_first = w->n_received = 0;
    return rc;
}

/* --- the handshake -------------------------------------------------------------------------------------- */

static bool begins(const struct wire *w, const char *text)
{
    size_t n = strlen(text);
    return w->n_first >= n && memcmp(w->first, text, n) == 0;
}

/* A TLS record begins with its type and 3 as the major version (RFC 8446 5.1). */
static bool speaks_tls(const struct wire *w)
{
    return w->n_first >= 2 && (w->first[0] == 22 || w->first[0] == 21) && w->first[1] == 3;
}

static int fail_not_tls(const struct wire *w, struct err *e)
{
    if (begins(w, "HTTP/")) {
        err_set(e, ERR_TLS, "the peer answers in HTTP, not in TLS");
        return err_hint(e, "port %u belongs to a web server or proxy", w->q->port);
    }
    if (w->n_first && w->first[0] == 0x30) {
        err_set(e, ERR_TLS, "the peer answers in LDAP without TLS");
        return err_hint(e, "LDAPS is on port 636; on 389 use security: starttls");
    }
    err_set(e, ERR_TLS, "the peer does not speak TLS here");
    return err_hint(e, "check the port: LDAPS is on 636");
}

static int fail_handshake(const struct wire *w, struct err *e)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    if (w->n_first && !speaks_tls(w)) return fail_not_tls(w, e);
    switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
        err_set(e, ERR_TLS, "no TLS version in common with the peer");
        return err_hint(e, "the peer offers SSL 3.0 or older; TLS 1.2 is needed");
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        err_set(e, ERR_TLS,
                "the peer broke the handshake off: no cipher in common, or it has no usable certificate");
        return err_hint(e, "look at the controller's Schannel events (System log, source Schannel)");
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
        return err_set(e, ERR_TLS, "the peer has no certificate for the name %s", w->q->name);
    default:
        return err_set(e, ERR_TLS, "the TLS handshake failed: %s", reason ? reason : "no reason given");
    }
}

static int flush(struct wire *w, SSL *ssl, struct err *e)
{
    char *out = NULL;
    BIO *b = SSL_get_wbio(ssl);
    long n = BIO_get_mem_data(b, &out);
    int rc = n > 0 ? wire_send(w, (struct bytes){(uint8_t *)out, (size_t)n}, e) : 0;
    (void)BIO_reset(b);
    return rc;
}

/* Through memory rather than on the socket: no SIGPIPE, one deadline, and the first bytes can be looked at.
 */
static int converse(struct wire *w, SSL *ssl, struct err *e)
{
    for (;;) {
        ERR_clear_error();
        int done = SSL_connect(ssl);
        struct err unsent;
        if (done == 1) return flush(w, ssl, &unsent), 0; /* what there is to see has been seen */
        if (SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ) {
            int rc = fail_handshake(w, e);
            (void)!flush(w, ssl, &unsent); /* our alert */
            return rc;
        }
        uint8_t chunk[8192];
        size_t got;
        try(flush(w, ssl, e));
        try(wire_receive(w, chunk, sizeof chunk, &got, e));
        BIO_write(SSL_get_rbio(ssl), chunk, (int)got);
    }
}

/* Everything that may still be met is allowed here, so that it can be named; tls_verify judges it. */
static SSL *new_session(const struct tls_question *q)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx) return NULL;
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, 0);
    SSL_CTX_set_cipher_list(ctx, "ALL:!aNULL:!eNULL:@SECLEVEL=0");
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    if (!ssl) return NULL;
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
    if (!host_is_literal(q->name)) SSL_set_tlsext_host_name(ssl, q->name); /* RFC 6066 3: names only */
    return ssl;
}

int tls_handshake(SSL **out, const struct tls_question *q, struct err *e)
{
    defer_close int fd = -1;
    try(dial_connect(&fd, q->to, q->port, q->deadline_ms, NULL, e));
    struct wire w = {.fd = fd, .q = q};
    if (q->start == TLS_LDAP_STARTTLS) try(start_tls(&w, e));
    SSL *ssl = new_session(q);
    if (!ssl) return err_set(e, ERR_LIMIT, "no memory for a TLS session");
    int rc = converse(&w, ssl, e);
    if (rc < 0)
        SSL_free(ssl);
    else
        *out = ssl;
    ERR_clear_error();
    return rc;
}
