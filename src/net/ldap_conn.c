/* ldap_conn.c - dial, TLS and bind; the paged search is in ldap_search.c, the words for result codes in
 * ldap_explain.c. */
#include "net/ldap_conn_int.h"

#include "base/when.h"
#include "net/certificate.h"

#include <errno.h>
#include <openldap.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
/* GnuTLS: TLS 1.2 and up (libldap's own minimum is not for this library), keys of 2048 bits and SHA-2 at
 * least. */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%PROFILE_MEDIUM"

/* --- waiting ------------------------------------------------------------------------------------------- */

int conn_lost(struct ldap_conn *c, int ldap_error, struct err *e)
{
    if (c->guard.why.class) {
        *e = c->guard.why;
        return e->class;
    }
    if (c->seal.why.class) {
        *e = c->seal.why;
        return e->class;
    }
    if (c->wire.error) return err_errno(e, ERR_NET, c->wire.error, "the connection broke");
    if (c->wire.is_closed || c->guard.is_closed) {
        err_set(e, ERR_NET, "the server closed the connection");
        return err_hint(
            e, "look at the server's event log; an idle limit, a restart or a firewall may have cut it");
    }
    if (ldap_error == LDAP_TIMEOUT || ldap_error == LDAP_X_CONNECTING)
        return err_set(e, ERR_TIMEOUT, "no answer in time");
    return err_set(e, ERR_PROTO, "the server sent a message that is not well-formed");
}

/* Looks at the clock only when the socket was read since the last time: a message that was there already took
 * no time. */
static int limit_ms(struct ldap_conn *c, int64_t until_ms)
{
    if (c->limit.ms && c->limit.n_reads == c->wire.n_reads && c->limit.until_ms == until_ms)
        return c->limit.ms;
    c->limit.n_reads = c->wire.n_reads;
    c->limit.until_ms = until_ms;
    int64_t silence = when_monotonic_ms() + c->answer_timeout_ms;
    if (until_ms > silence) until_ms = silence;
    c->limit.ms = when_left_ms(until_ms < c->deadline_ms ? until_ms : c->deadline_ms);
    return c->limit.ms;
}

int conn_wait(struct ldap_conn *c, int msgid, int64_t until_ms, LDAPMessage **out, struct err *e)
{
    int left = limit_ms(c, until_ms);
    struct timeval tv = {left / 1000, (left % 1000) * 1000};
    *out = NULL;
    int type = ldap_result(c->ld, msgid, LDAP_MSG_ONE, &tv, out);
    if (type > 0) return type;
    if (type < 0) {
        int code = LDAP_OTHER;
        ldap_get_option(c->ld, LDAP_OPT_RESULT_CODE, &code);
        return conn_lost(c, code, e);
    }
    if (when_left_ms(c->deadline_ms) == 0)
        return err_set(e, ERR_TIMEOUT, "the time for the whole job is over");
    err_set(e, ERR_TIMEOUT, "the server did not finish its answer in %d s", (left + 999) / 1000);
    return err_hint(e, "the controller may be overloaded, or something in between drops packets silently");
}

/* --- opening ------------------------------------------------------------------------------------------- */

static int set_option(struct ldap_conn *c, int option, const void *value, struct err *e)
{
    if (ldap_set_option(c->ld, option, value) == LDAP_OPT_SUCCESS) return 0;
    return err_set(e, ERR_BUG, "libldap refuses its option 0x%x", (unsigned)option);
}

static int set_int(struct ldap_conn *c, int option, int value, struct err *e)
{
    return set_option(c, option, &value, e);
}

/* The URL's host is the name that TLS verifies; where the socket goes is our own affair. */
static int make_handle(struct ldap_conn *c, const struct ldap_target *t, struct err *e)
{
    char url[320];
    size_t ok = strspn(c->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:");
    if (!*c->name || c->name[ok] || ok > 255) return err_set(e, ERR_INPUT, "'%s' is no host name", c->name);
    if (str_equal_nocase(str_from(c->name),
                         STR("localhost"))) { /* libldap puts this machine's own name in its place */
        err_set(e, ERR_INPUT, "the name localhost cannot be verified in a certificate");
        return err_hint(e,
                        "use 127.0.0.1, or set certificate_name to a name in the controller's certificate");
    }
    bool is_v6 = strchr(c->name, ':') != NULL;
    snprintf(url, sizeof url, "%s://%s%s%s:%u", t->security == LDAP_SEC_LDAPS ? "ldaps" : "ldap",
             is_v6 ? "[" : "", c->name, is_v6 ? "]" : "", t->port);
    int rc = ldap_init_fd(c->fd, LDAP_PROTO_TCP, url, &c->ld);
    if (rc != LDAP_SUCCESS) {
        c->ld = NULL;
        return err_set(e, ERR_BUG, "libldap refuses %s: %s", url, ldap_err2string(rc));
    }
    return wire_install(c, e);
}

/* NETWORK_TIMEOUT alone makes libldap 2.5 spin for ever on a silent peer; with CONNECT_ASYNC it polls. */
static int set_options(struct ldap_conn *c, int64_t deadline_ms, struct err *e)
{
    int left = when_left_ms(deadline_ms);
    struct timeval tv = {left / 1000, (left % 1000) * 1000};
    try(set_int(c, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3, e));
    try(set_option(c, LDAP_OPT_REFERRALS, LDAP_OPT_OFF, e));
    try(set_int(c, LDAP_OPT_DEREF, LDAP_DEREF_NEVER, e));
    try(set_option(c, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON, e));
    try(set_option(c, LDAP_OPT_KEEPCONN, LDAP_OPT_ON,
                   e)); /* else libldap 2.5 uses a connection that it has freed */
    return set_option(c, LDAP_OPT_NETWORK_TIMEOUT, &tv, e);
}

/* GnuTLS reads roots from a path only: a memfd holds them while the context is made. */
static int use_ca(struct ldap_conn *c, const char *ca_path, struct err *e)
{
    char path[64] = SYSTEM_CA;
    int fd defer_close = -1;
    if (ca_path) {
        if (ca_load(&c->pin_pem, &c->is_pinned, ca_path, e) < 0) {
            if (e->class == ERR_NOTFOUND || e->class == ERR_DENIED)
                e->class = ERR_INPUT; /* of the settings, not of the server */
            return e->class;
        }
        fd = memfd_create("ca", MFD_CLOEXEC);
        if (fd < 0) return err_errno(e, ERR_LIMIT, errno, "memfd_create");
        try(file_write_all(fd, buf_bytes(&c->pin_pem), e));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    try(set_option(c, LDAP_OPT_X_TLS_CACERTFILE, path, e));
    try(set_int(c, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_HARD, e));
    /* RFC 6125: the common name is no host name, except of the very certificate that was pinned, if it has no other */
    try(set_int(c, LDAP_OPT_X_TLS_REQUIRE_SAN, c->is_pinned ? LDAP_OPT_X_TLS_TRY : LDAP_OPT_X_TLS_HARD, e));
    try(set_int(c, LDAP_OPT_X_TLS_PROTOCOL_MIN, LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, e));
    try(set_option(c, LDAP_OPT_X_TLS_CIPHER_SUITE, PRIORITIES, e));
    int client = 0; /* last: it builds this handle's own context from the options above */
    if (ldap_set_option(c->ld, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS) return 0;
    err_set(e, ERR_TLS, "no TLS can be set up with the CA certificates of %s", ca_path ? ca_path : SYSTEM_CA);
    return err_hint(e, ca_path ? "check that the file holds valid certificates"
                               : "install the ca-certificates package, or set ca_certificate");
}

static int refuse_early_bytes(struct ldap_conn *c, struct err *e)
{
    char byte;
    if (c->guard.at == c->guard.filled && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) return 0;
    err_set(e, ERR_TLS, "bytes arrived between the StartTLS answer and the TLS handshake");
    return err_hint(e, "somebody may be injecting plain text (as in CVE-2011-0411); look at what is between "
                       "here and the server");
}

/* RFC 4511 4.14. Nothing may be in flight in either direction when TLS begins. */
static int start_tls(struct ldap_conn *c, int64_t deadline_ms, struct err *e)
{
    int msgid, code = LDAP_OTHER;
    LDAPMessage *m;
    char *text = NULL;
    if (ldap_start_tls(c->ld, NULL, NULL, &msgid) != LDAP_SUCCESS) return conn_lost(c, LDAP_SERVER_DOWN, e);
    conn_await(c, msgid);
    int type = conn_wait(c, msgid, deadline_ms, &m, e);
    conn_await(c, 0);
    if (type < 0) return err_wrap(e, "StartTLS");
    if (type == LDAP_RES_EXTENDED) {
        ldap_parse_result(c->ld, m, &code, NULL, &text, NULL, NULL, 0);
    }
    ldap_msgfree(m);
    int rc = 0;
    if (type != LDAP_RES_EXTENDED) {
        rc = err_set(e, ERR_PROTO, "StartTLS: answered by a message of type 0x%x", (unsigned)type);
    } else if (code != LDAP_SUCCESS) {
        ldap_conn_explain(code, text, NULL, e);
        e->class = ERR_TLS;
        err_hint(e,
                 "the server refuses StartTLS: it may have no certificate; try security: ldaps on port 636");
        rc = err_wrap(e, "StartTLS");
    }
    ldap_memfree(text);
    return rc < 0 ? rc : refuse_early_bytes(c, e);
}

/* GnuTLS says "unknown error" to nearly everything, so the certificate doctor is asked what is wrong. */
static int diagnose(struct ldap_conn *c, const struct ldap_target *t, const struct dial_addresses *to,
                    struct err *e)
{
    struct tls_question q = {
        .to = to,
        .port = t->port,
        .start = t->security == LDAP_SEC_STARTTLS ? TLS_LDAP_STARTTLS : TLS_AT_ONCE,
        .name = c->name,
        .ca_path = t->ca_path,
        .deadline_ms = when_monotonic_ms() + t->connect_timeout_ms,
    };
    struct tls_report r = {0};
    if (tls_examine(&r, &q, e) < 0) return err_wrap(e, "TLS");
    if (r.trusted) {
        char *text = NULL;
        ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
        err_set(e, ERR_TLS, "TLS: the handshake failed although the certificate looks right%s%s",
                text ? ": " : "", text ? text : "");
        err_hint(e, "the two sides may have no cipher or signature algorithm in common");
        ldap_memfree(text);
    } else {
        *e = r.why;
        err_wrap(e, "TLS");
    }
    tls_report_free(&r);
    return e->class;
}

static bool pem_holds(struct buf *pem, X509 *cert)
{
    BIO *in = BIO_new_mem_buf(pem->ptr, (int)pem->len);
    X509 *one;
    bool found = false;
    while (in && !found && (one = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        found = X509_cmp(one, cert) == 0;
        X509_free(one);
    }
    BIO_free(in);
    return found;
}

static int judge_peer(struct ldap_conn *c, X509 *cert, struct err *e)
{
    if (c->is_pinned && !pem_holds(&c->pin_pem, cert)) {
        err_set(e, ERR_TLS, "TLS: the server's certificate is not the pinned one");
        return err_hint(e, "if the controller's certificate was renewed, fetch the new one with `rollcall "
                           "certificate` and check it");
    }
    if (X509_get_extended_key_usage(cert) & (XKU_SSL_SERVER | XKU_ANYEKU))
        return 0; /* all bits where there is no such extension */
    err_set(e, ERR_TLS, "TLS: the certificate is not for server authentication");
    return err_hint(e, "issue the controller a certificate with the extended key usage Server Authentication "
                       "(1.3.6.1.5.5.7.3.1)");
}

/* What GnuTLS under libldap does not look at: that a pinned leaf is the very certificate, not one that it
 * signed, and what the certificate is for (RFC 5280 4.2.1.12). */
static int check_peer(struct ldap_conn *c, struct err *e)
{
    struct berval der = {0, NULL};
    X509 *cert = NULL;
    if (ldap_get_option(c->ld, LDAP_OPT_X_TLS_PEERCERT, &der) == LDAP_OPT_SUCCESS && der.bv_val) {
        const uint8_t *at = (const uint8_t *)der.bv_val;
        cert = d2i_X509(NULL, &at, (long)der.bv_len);
    }
    ldap_memfree(der.bv_val);
    int rc =
        cert ? judge_peer(c, cert, e) : err_set(e, ERR_TLS, "TLS: the server's certificate cannot be read");
    X509_free(cert);
    return rc;
}

/* libldap takes an error that poll() tells for a time limit that has passed. */
static bool is_broken(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int secure(struct ldap_conn *c, const struct ldap_target *t, const struct dial_addresses *to,
                  int64_t deadline_ms, struct err *e)
{
    if (t->security == LDAP_SEC_SEALED) return 0;
    try(use_ca(c, t->ca_path, e));
    if (t->security == LDAP_SEC_STARTTLS) try(start_tls(c, deadline_ms, e));
    c->wire.until_ms = deadline_ms;
    int rc = ldap_install_tls(c->ld);
    c->wire.until_ms = 0;
    if (rc != LDAP_SUCCESS && c->wire.error && c->wire.error != ETIMEDOUT)
        return err_errno(e, ERR_NET, c->wire.error, "TLS: the connection broke during the handshake");
    if (rc == LDAP_TIMEOUT && when_left_ms(deadline_ms) > 0 && is_broken(c->fd))
        return err_set(e, ERR_NET, "TLS: the connection broke during the handshake");
    if (rc == LDAP_TIMEOUT || (rc != LDAP_SUCCESS && when_left_ms(deadline_ms) == 0)) {
        err_set(e, ERR_TIMEOUT, "TLS: the server did not finish the handshake in time");
        return err_hint(e, "is there an LDAPS service behind port %u?", t->port);
    }
    if (rc != LDAP_SUCCESS) return diagnose(c, t, to, e);
    try(check_peer(c, e));
    c->is_encrypted = true;
    c->wire.reads_ahead = true;
    return 0;
}

static int open_within(struct ldap_conn *c, const struct ldap_target *t, int64_t deadline_ms, struct err *e)
{
    struct dial_addresses to;
    const struct dial_address *used = NULL;
    try(dial_resolve_by(&to, t->host, t->dns_servers, deadline_ms, e));
    try(dial_connect(&c->fd, &to, t->port, deadline_ms, &used, e));
    if (used) c->address = *used;
    c->wire.fd = c->fd;
    if (make_handle(c, t, e) < 0) {
        if (!c->ld) close(c->fd);
        return e->class;
    }
    try(set_options(c, deadline_ms, e));
    struct dial_addresses there = {.n = 1};
    there.list[0] = c->address;
    return secure(c, t, used ? &there : &to, deadline_ms, e);
}

int ldap_conn_open(struct ldap_conn **out, const struct ldap_target *t, struct err *e)
{
    *out = NULL;
    setenv("LDAPNOINIT", "1",
           1); /* no ldap.conf, no .ldaprc, no LDAP* variables: the settings decide alone */
    struct ldap_conn *c = x_zalloc(sizeof *c);
    c->fd = -1;
    c->pin_pem = buf_new((size_t)4 << 20);
    c->host = x_strdup(str_from(t->host));
    c->name = x_strdup(str_from(t->verify_name ? t->verify_name : t->host));
    if (c->name[0] == '[' && c->name[strlen(c->name) - 1] == ']') { /* [v6] as in a URL */
        size_t n = strlen(c->name) - 2;
        memmove(c->name, c->name + 1, n);
        c->name[n] = 0;
    }
    c->answer_timeout_ms = t->answer_timeout_ms;
    c->deadline_ms = t->deadline_ms;
    int64_t deadline = when_monotonic_ms() + t->connect_timeout_ms;
    int rc = open_within(c, t, deadline < t->deadline_ms ? deadline : t->deadline_ms, e);
    if (rc < 0) {
        ldap_conn_close(c);
        return err_wrap(e, "%s", t->host);
    }
    *out = c;
    return 0;
}

void ldap_conn_close(struct ldap_conn *c)
{
    if (!c) return;
    if (c->ld) ldap_unbind_ext(c->ld, NULL, NULL); /* closes the descriptor */
    seal_fini(&c->seal);
    buf_free(&c->pin_pem);
    free(c->host);
    free(c->name);
    free(c);
}

LDAP *ldap_conn_handle(struct ldap_conn *c)
{
    return c->ld;
}

const char *ldap_conn_address(const struct ldap_conn *c)
{
    return c->address.text;
}

/* --- bind ---------------------------------------------------------------------------------------------- */

static int bind_result(struct ldap_conn *c, LDAPMessage *m, struct err *e)
{
    int code = LDAP_OTHER;
    char *text = NULL, *matched = NULL;
    if (ldap_parse_result(c->ld, m, &code, &matched, &text, NULL, NULL, 0) != LDAP_SUCCESS)
        return err_set(e, ERR_PROTO, "the answer cannot be read");
    int rc = code == LDAP_SUCCESS ? 0 : ldap_conn_explain(code, text, matched, e);
    ldap_memfree(text);
    ldap_memfree(matched);
    return rc;
}

int conn_bind(struct ldap_conn *c, const char *name, const char *mechanism, struct berval *cred, LDAPMessage **out, struct err *e)
{
    int msgid, rc = ldap_sasl_bind(c->ld, name, mechanism, cred, NULL, NULL, &msgid);
    if (rc != LDAP_SUCCESS) return conn_lost(c, rc, e);
    conn_await(c, msgid);
    int type = conn_wait(c, msgid, c->deadline_ms, out, e);
    conn_await(c, 0);
    if (type == LDAP_RES_BIND || type < 0) return type < 0 ? type : 0;
    ldap_msgfree(*out);
    return err_set(e, ERR_PROTO, "answered by a message of type 0x%x", (unsigned)type);
}

static int bind_once(struct ldap_conn *c, const char *name, const struct secret *password, struct err *e)
{
    struct bytes secret = secret_bytes(password);
    struct berval cred = {secret.len, (char *)(uintptr_t)secret.ptr};
    LDAPMessage *m;
    try(conn_bind(c, name, LDAP_SASL_SIMPLE, &cred, &m, e));
    int rc = bind_result(c, m, e);
    ldap_msgfree(m);
    return rc;
}

int ldap_conn_bind_simple(struct ldap_conn *c, const char *name, const struct secret *password, struct err *e)
{
    /* RFC 4513 5.1.2: a name without a password would be an anonymous success. */
    if (!name || !*name) return err_set(e, ERR_INPUT, "%s: bind: the user name is empty", c->host);
    if (!password->len) return err_set(e, ERR_INPUT, "%s: bind as %s: the password is empty", c->host, name);
    if (!c->is_encrypted) return err_set(e, ERR_BUG, "%s: bind as %s: no TLS", c->host, name);
    if (bind_once(c, name, password, e) < 0) {
        err_wrap(e, "bind as %s", name);
        return err_wrap(e, "%s", c->host);
    }
    return 0;
}
