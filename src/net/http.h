/* http.h - many HTTPS requests at once to peers whose certificates are verified (libcurl multi, HTTP/2 where offered, gzip).
 *
 * One struct http is one pool of connections with one trust. It does one request per call and nothing by itself: no redirects, no
 * retries, no cookies, no proxy credentials, no verbose output. Whom a token may be sent to is the caller's affair (net/url.h).
 *
 *     try(http_open(&h, &options, e));
 *     try(http_submit(h, &request, e)); ...            // at most options.parallel are under way, the rest waits in order
 *     while (http_pending(h)) try(http_run(h, deadline, e)); // calls request.done
 *     http_close(h);
 * One thread.
 */
#ifndef ROLLCALL_NET_HTTP_H
#define ROLLCALL_NET_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#include <sys/socket.h>

struct http_options {
    const char *ca_path;    /* PEM or DER, CA roots or the peer's own leaf (certificate.h: ca_load); NULL: the system's */
    unsigned parallel;      /* requests under way, 1..64 */
    int connect_timeout_ms; /* name, TCP and TLS */
    int answer_timeout_ms;  /* of a whole request; also ends one that stalls */
    size_t body_max;        /* of an answer, decoded: more is ERR_LIMIT */
    bool clear_to_loopback; /* http:// is allowed to loopback and to 169.254.169.254 (managed identity), without a token */
    bool token_to_loopback; /* with one too, but not to the hypervisor: to a server of ours on this machine */
    /* Asked with the very address before each connection is made, so after DNS; false: not there. NULL: anywhere. */
    bool (*may_connect)(void *ctx, const struct sockaddr *to);
    void *may_connect_ctx;
};

struct http;
int http_open(struct http **out, const struct http_options *o, struct err *e) must_use;
void http_close(struct http *h); /* what is under way is dropped without a call; NULL is legal */

struct http_answer {
    int rc;             /* 0: an answer came, whatever its status; else negative, and why says it: ERR_NET TIMEOUT TLS LIMIT PROTO */
    const struct err *why;
    long status;
    struct bytes body;  /* decoded; borrowed for the call */
    uint64_t wire_bytes; /* received, headers too, as transferred */
    int64_t took_ms;
    void *handle;
};
/* First value of a header, "" if absent; borrowed for the call. */
struct str http_header(const struct http_answer *a, const char *name);

struct http_request {
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;
    const char *const *headers;  /* "Name: value", NULL ends; may be NULL; copied */
    const struct secret *bearer; /* Authorization: Bearer; NULL: none. Copied, and wiped when the request is over */
    bool is_basic;               /* bearer is user:password in base64, for Authorization: Basic (RFC 7617) */
    const char *content_type;    /* with body */
    struct bytes body;           /* copied and wiped when over: it may hold a secret */
    /* Exactly once for each accepted request, from http_run; may submit further ones, but not run, fetch or close. */
    void (*done)(void *ctx, const struct http_answer *a);
    void *ctx;
};
/* ERR_INPUT: a header or bearer with control characters, a URL that is none (url.h), http where it is not allowed. ERR_BUG: a header
 * that is not the caller's: Authorization, Content-Type, Accept-Encoding, Host, Cookie and what frames a message. */
int http_submit(struct http *h, const struct http_request *r, struct err *e) must_use;
size_t http_pending(const struct http *h); /* submitted and not over */
/* Works until at least one request is over, until_ms (monotonic) has passed, or nothing is pending. */
int http_run(struct http *h, int64_t until_ms, struct err *e) must_use;

/* The process is to end: whoever waits in http_fetch, or will, gets ERR_CANCEL within HTTP_CANCEL_MS. From any thread. */
#define HTTP_CANCEL_MS 200
void http_cancel_all(void);
/* One request, waited for. The answer's body and headers are borrowed until http_close or the next call on h. */
int http_fetch(struct http *h, const struct http_request *r, struct http_answer *out, struct err *e) must_use;

#endif
