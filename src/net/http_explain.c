#include "net/http_int.h"

#include "base/when.h"
#include "net/certificate.h"
#include "net/sigpipe.h"

#include <stdio.h>

enum { DOCTOR_MS = 3000 };

/* --- curl's own sentence -------------------------------------------------------------------------------- */

/* It may quote a certificate's names or a header, which are the peer's bytes. */
static void add_clean(struct buf *out, const char *text)
{
    for (const char *p = text; *p && out->len < 200; p++)
        buf_add_byte(out, (uint8_t)(*p >= 0x20 && *p < 0x7f ? *p : '?'));
    while (out->len && (out->ptr[out->len - 1] == '.' || out->ptr[out->len - 1] == ' ')) out->len--;
}

static int set_with_text(struct transfer *t, CURLcode code, enum err_class class, const char *words,
                         struct err *e)
{
    struct buf text = buf_new(256);
    add_clean(&text, t->fault[0] ? t->fault : curl_easy_strerror(code));
    err_set(e, class, "%s%s%s", words, words[0] ? ": " : "", buf_cstr(&text));
    buf_free(&text);
    return e->class;
}

/* --- limits and time limits ------------------------------------------------------------------------------
 */

static int explain_own_limit(struct http *h, struct transfer *t, struct err *e)
{
    if (t->header_bytes > HTTP_HEADER_MAX)
        return err_set(e, ERR_LIMIT, "an answer with more than %zu KiB of header", HTTP_HEADER_MAX >> 10);
    return err_set(e, ERR_LIMIT, "an answer of more than %zu bytes (decoded)", h->options.body_max);
}

static bool has_passed(struct transfer *t, CURLINFO point)
{
    curl_off_t us = 0;
    curl_easy_getinfo(t->easy, point, &us);
    return us > 0;
}

static bool is_connected(struct transfer *t)
{
    long port = 0;
    curl_easy_getinfo(t->easy, CURLINFO_LOCAL_PORT, &port);
    return port > 0;
}

static int explain_timeout(struct transfer *t, struct err *e)
{
    double s = (double)(when_monotonic_ms() - t->began_ms) / 1000;
    if (t->header_bytes)
        return err_set(e, ERR_TIMEOUT, "the answer was not complete after %.1f s (%zu bytes of it had come)",
                       s, t->body.len);
    if (has_passed(t, CURLINFO_PRETRANSFER_TIME_T))
        return err_set(e, ERR_TIMEOUT, "no answer within %.1f s", s);
    if (is_connected(t))
        return err_set(e, ERR_TIMEOUT, "connected, but the TLS handshake was not done within %.1f s", s);
    if (has_passed(t, CURLINFO_NAMELOOKUP_TIME_T))
        return err_set(e, ERR_TIMEOUT, "no connection within %.1f s", s);
    err_set(e, ERR_TIMEOUT, "its name was not resolved, or no connection was free, within %.1f s", s);
    return err_hint(e, "check this machine's name servers");
}

/* --- certificates ----------------------------------------------------------------------------------------
 */

/* One look of our own at what the peer presents: it names the fault. */
static int examine(struct http *h, const struct request *r, struct err *e)
{
    struct dial_addresses to;
    struct tls_report report;
    int64_t deadline = when_monotonic_ms() + DOCTOR_MS;
    struct tls_question q = {.to = &to,
                             .port = r->url.port,
                             .start = TLS_AT_ONCE,
                             .name = r->url.host,
                             .ca_path = h->ca_path,
                             .deadline_ms = deadline};
    try(dial_resolve(&to, r->url.host, deadline, e));
    int rc = tls_examine(&report, &q, e);
    if (rc == 0) {
        *e = report.trusted ? (struct err){0} : report.why;
        tls_report_free(&report);
    }
    return e->class;
}

static void examine_once(struct http *h, const struct request *r)
{
    if (h->has_examined) return;
    h->has_examined = true;
    snprintf(h->examined, sizeof h->examined, "%s", r->peer);
    struct sigpipe_guard g = sigpipe_begin();
    if (examine(h, r, &h->verdict) != ERR_TLS) h->verdict = (struct err){0};
    sigpipe_end(&g);
}

/* Not a matter of trust: the peer, or something on the way, hung up. */
static bool is_broken_handshake(const struct transfer *t)
{
    static const char *const words[] = {"SSL_ERROR_SYSCALL", "onnection reset", "unexpected eof",
                                        "Broken pipe", "timed out"};
    for (size_t i = 0; i < n_elements(words); i++)
        if (strstr(t->fault, words[i])) return true;
    return false;
}

static int explain_tls(struct http *h, struct transfer *t, CURLcode code, struct err *e)
{
    if (code == CURLE_SSL_CONNECT_ERROR && is_broken_handshake(t))
        return set_with_text(t, code, ERR_NET, "the connection broke in the TLS handshake", e);
    examine_once(h, t->request);
    if (h->verdict.class && strcmp(h->examined, t->request->peer) == 0) {
        *e = h->verdict;
        return e->class;
    }
    set_with_text(t, code, ERR_TLS, "no trusted connection", e);
    if (h->ca_path) return err_hint(e, "check ca_certificate, and that the certificate names this host");
    return err_hint(e, "a private certification authority is named by ca_certificate; else the package "
                       "ca-certificates must be installed");
}

/* --- everything else -------------------------------------------------------------------------------------
 */

static const struct fault {
    CURLcode code;
    enum err_class class;
    bool has_text; /* curl's sentence follows */
    const char *words, *hint;
} faults[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NET, false, "its name does not resolve",
     "check the name, and this machine's name servers"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_NET, false, "the name of the proxy does not resolve",
     "check https_proxy"},
    {CURLE_PROXY, ERR_NET, true, "the proxy", "check https_proxy"},
    {CURLE_COULDNT_CONNECT, ERR_NET, false, "no connection", NULL},
    {HTTP_UNTOLD, ERR_NET, false, "an answer that does not tell its length: it may have been cut off", NULL},
    {HTTP_OPEN_JSON, ERR_NET, false, "the answer was cut off: its JSON does not end", NULL},
    {HTTP_NO_HEAD, ERR_NET, false, "the answer was cut off in its header", NULL},
    {CURLE_PARTIAL_FILE, ERR_NET, true, "the answer was cut off", NULL},
    {CURLE_GOT_NOTHING, ERR_NET, false, "the connection was closed without an answer", NULL},
    {CURLE_RECV_ERROR, ERR_NET, true, "the connection broke", NULL},
    {CURLE_SEND_ERROR, ERR_NET, true, "the connection broke", NULL},
    {CURLE_HTTP2, ERR_NET, true, "the connection broke", NULL},
    {CURLE_HTTP2_STREAM, ERR_NET, true, "the request was broken off", NULL},
    {CURLE_FILESIZE_EXCEEDED, ERR_LIMIT, true, "too large an answer", NULL},
    {CURLE_OUT_OF_MEMORY, ERR_LIMIT, false, "libcurl found no memory, or a header line too long", NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_PROTO, true, "no HTTP",
     "check that this is an HTTP server"}, /* HTTP/0.9 */
    {CURLE_WEIRD_SERVER_REPLY, ERR_PROTO, true, "no HTTP", "check that this is an HTTP server"},
    {CURLE_BAD_CONTENT_ENCODING, ERR_PROTO, true, "a compressed answer that does not unpack", NULL},
};

static bool is_tls_fault(CURLcode code)
{
    static const CURLcode codes[] = {
        CURLE_SSL_CONNECT_ERROR,  CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CIPHER,
        CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,         CURLE_SSL_INVALIDCERTSTATUS,
        CURLE_USE_SSL_FAILED,     CURLE_SSL_CLIENTCERT,           CURLE_SSL_CERTPROBLEM};
    for (size_t i = 0; i < n_elements(codes); i++)
        if (codes[i] == code) return true;
    return false;
}

static int explain_fault(struct transfer *t, CURLcode code, struct err *e)
{
    long os_errno = 0;
    const struct fault *f = NULL;
    for (size_t i = 0; i < n_elements(faults); i++)
        if (faults[i].code == code) f = &faults[i];
    if (!f) return set_with_text(t, code, ERR_NET, "", e);
    if (f->has_text)
        set_with_text(t, code, f->class, f->words, e);
    else
        err_set(e, f->class, "%s", f->words);
    if (f->hint) err_hint(e, "%s", f->hint);
    if (code != CURLE_COULDNT_CONNECT) return e->class;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
    return os_errno ? err_errno(e, f->class, (int)os_errno, "%s", f->words) : e->class;
}

static int explain(struct http *h, struct transfer *t, CURLcode code, struct err *e)
{
    if (code == CURLE_WRITE_ERROR && (t->body.failed || t->header_bytes > HTTP_HEADER_MAX))
        return explain_own_limit(h, t, e);
    if (code == CURLE_OPERATION_TIMEDOUT) return explain_timeout(t, e);
    return is_tls_fault(code) ? explain_tls(h, t, code, e) : explain_fault(t, code, e);
}

int http_explain(struct http *h, struct transfer *t, CURLcode code, struct err *e)
{
    explain(h, t, code, e);
    return err_wrap(e, "%s", t->request->peer);
}
