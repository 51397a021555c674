/* http_int.h - what the parts of the HTTP client share: http.c (pool and transfers), http_request.c (what a caller wants, copied and
 * checked), http_whole.c (is it all
 * of the answer), http_explain.c (what went wrong, in words).
 */
#ifndef ROLLCALL_NET_HTTP_INT_H
#define ROLLCALL_NET_HTTP_INT_H

#include "net/http.h"
#include "net/url.h"

#include <curl/curl.h>

#define HTTP_HEADER_MAX ((size_t)64 << 10) /* of an answer, all header lines with those of interim answers */

/* A request, our own copy. Its headers and body may hold secrets: they are wiped. */
struct request {
    struct request *next;
    char *text;       /* the URL */
    struct url url;   /* slices of text */
    char peer[280];   /* "host:port", for messages */
    bool has_body;
    const char *verb; /* where it is not libcurl's own: PUT, PATCH, DELETE; NULL: GET, or POST */
    struct curl_slist *headers;
    uint8_t *body;
    size_t body_len;
    void (*done)(void *ctx, const struct http_answer *a);
    void *ctx;
};
int request_make(struct request **out, const struct http_options *o, const struct http_request *r, struct err *e) must_use;
void request_free(struct request *r);

/* A place for one request under way; its curl handle and buffers are used again and again. */
struct transfer {
    CURL *easy;
    struct request *request; /* NULL: idle */
    struct buf body;
    size_t header_bytes;
    bool has_head; /* to its empty line */
    int64_t began_ms;
    struct err why;
    char fault[CURL_ERROR_SIZE];
};

struct http {
    CURLM *multi;
    struct http_options options;
    char *ca_path;  /* NULL: the system's */
    struct buf ca;  /* PEM */
    struct transfer *transfers; /* options.parallel */
    struct transfer *held;      /* its answer is still borrowed by http_fetch's caller */
    struct http_answer fetched;
    bool has_fetched;
    struct request *first, *last; /* waiting */
    size_t n_active, n_waiting;
    bool is_stale;    /* a connection of the pool answers no more: a new pool, once nothing is under way */
    bool is_running;
    bool has_examined; /* the certificate of examined: at most once */
    char examined[280];
    struct err verdict; /* on it; class 0: nothing was found */
};

/* Found by us where curl saw nothing wrong. */
#define HTTP_NO_HEAD   ((CURLcode)(CURL_LAST + 1))
#define HTTP_UNTOLD    ((CURLcode)(CURL_LAST + 2))
#define HTTP_OPEN_JSON ((CURLcode)(CURL_LAST + 3))
CURLcode http_check_whole(const struct transfer *t, long status);
bool json_is_closed(struct bytes b);

/* Why a request failed: its err, from curl's code. */
int http_explain(struct http *h, struct transfer *t, CURLcode code, struct err *e);

#endif
