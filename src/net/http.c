#include "net/http_int.h"

#include "base/when.h"
#include "net/certificate.h"
#include "net/sigpipe.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { PARALLEL_MAX = 64 };
#define KEPT_BUFFER ((size_t)1 << 20) /* a larger one is given back after its request */

/* --- what curl calls ------------------------------------------------------------------------------------ */

static size_t take_body(char *p, size_t one, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    buf_add(&t->body, p, n);
    return t->body.failed ? 0 : n;
}

static size_t take_header(char *p, size_t one, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct str line = {p, n};
    t->header_bytes += n;
    if (str_starts(line, STR("HTTP/"))) t->has_head = false; /* after an interim answer */
    if (!str_trim(line).len) t->has_head = true;
    return t->header_bytes > HTTP_HEADER_MAX ? 0 : n;
}

/* A network that swallows everything: the kernel gives the connection up, so that no later request is sent
 * into it. */
static int tune_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    const struct http *h = ctx;
    unsigned ms = (unsigned)h->options.answer_timeout_ms;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return CURL_SOCKOPT_OK;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    const struct http *h = ctx;
    if (!h->options.may_connect(h->options.may_connect_ctx, &to->addr)) return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- opening -------------------------------------------------------------------------------------------- */

#define SET(option, value) (curl_easy_setopt(t->easy, option, value) == CURLE_OK)

/* A private CA stands alone: the system's certificates, a file and a directory by default, are dropped. */
static bool set_trust(struct http *h, struct transfer *t)
{
    bool ok = SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
              SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!h->ca_path) return ok;
    struct curl_blob pem = {h->ca.ptr, h->ca.len, CURL_BLOB_NOCOPY};
    return ok && SET(CURLOPT_CAINFO, NULL) && SET(CURLOPT_CAPATH, NULL) && SET(CURLOPT_CAINFO_BLOB, &pem);
}

/* One connection for all where the peer speaks HTTP/2: who finds it in the making waits for it. QUICK_EXIT: a
 * name server that does not answer holds only its own request up, not the thread that all share. */
static bool set_connecting(struct http *h, struct transfer *t)
{
    return SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) && SET(CURLOPT_PIPEWAIT, 1L) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, (long)h->options.connect_timeout_ms) &&
           SET(CURLOPT_TIMEOUT_MS, (long)h->options.answer_timeout_ms) && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_TCP_KEEPALIVE, 1L) && SET(CURLOPT_QUICK_EXIT, 1L) &&
           SET(CURLOPT_SOCKOPTFUNCTION, tune_socket) && SET(CURLOPT_SOCKOPTDATA, h) &&
           (!h->options.may_connect ||
            (SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) && SET(CURLOPT_OPENSOCKETDATA, h)));
}

/* No redirects, so that a token stays with the host it is for; and for the same reason it is kept out of what
 * a proxy reads. PATH_AS_IS: what was checked is what is sent. CURLOPT_VERBOSE, which would print it, is
 * nowhere. */
static bool set_request(struct http *h, struct transfer *t)
{
    return SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PATH_AS_IS, 1L) &&
           SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) && SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
           SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) && SET(CURLOPT_ACCEPT_ENCODING, "gzip, deflate") &&
           SET(CURLOPT_USERAGENT, "rollcall/" ROLLCALL_VERSION) &&
           SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)h->options.body_max);
}

static bool set_reading(struct transfer *t)
{
    return SET(CURLOPT_WRITEFUNCTION, take_body) && SET(CURLOPT_WRITEDATA, t) &&
           SET(CURLOPT_HEADERFUNCTION, take_header) && SET(CURLOPT_HEADERDATA, t) &&
           SET(CURLOPT_ERRORBUFFER, t->fault) && SET(CURLOPT_PRIVATE, t);
}

static bool transfer_init(struct http *h, struct transfer *t)
{
    t->body = buf_new(h->options.body_max);
    t->easy = curl_easy_init();
    return t->easy && set_trust(h, t) && set_connecting(h, t) && set_request(h, t) && set_reading(t);
}

static bool multi_init(struct http *h)
{
    h->multi = curl_multi_init();
    return h->multi &&
           curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->options.parallel) == CURLM_OK;
}

static bool is_curl_ready;
static void start_curl(void)
{
    is_curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static int take_options(struct http *h, const struct http_options *o, struct err *e)
{
    bool is_leaf;
    h->options = *o;
    if (o->parallel < 1 || o->parallel > PARALLEL_MAX || o->connect_timeout_ms < 1 ||
        o->answer_timeout_ms < 1 || !o->body_max)
        return err_set(e, ERR_BUG, "http_open: %u in parallel, %d and %d ms, %zu bytes", o->parallel,
                       o->connect_timeout_ms, o->answer_timeout_ms, o->body_max);
    if (!o->ca_path) return 0;
    h->ca_path = x_strdup(str_from(o->ca_path));
    h->options.ca_path = h->ca_path;
    return ca_load(&h->ca, &is_leaf, h->ca_path, e);
}

static int open_steps(struct http *h, const struct http_options *o, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    try(take_options(h, o, e));
    h->transfers = x_zalloc(o->parallel * sizeof *h->transfers);
    bool ok = is_curl_ready && multi_init(h);
    for (unsigned i = 0; ok && i < o->parallel; i++) ok = transfer_init(h, &h->transfers[i]);
    return ok ? 0 : err_set(e, ERR_BUG, "libcurl %s lacks an option that is needed", curl_version());
}

int http_open(struct http **out, const struct http_options *o, struct err *e)
{
    struct http *h = x_zalloc(sizeof *h);
    int rc = open_steps(h, o, e);
    if (rc < 0) {
        http_close(h);
        h = NULL;
    }
    *out = h;
    return rc;
}

/* --- closing -------------------------------------------------------------------------------------------- */

/* An answer may hold a token. */
static void wipe_body(struct transfer *t)
{
    if (t->body.len) secret_wipe(t->body.ptr, t->body.len);
    buf_clear(&t->body);
    if (t->body.cap > KEPT_BUFFER) buf_free(&t->body);
}

static void transfer_fini(struct http *h, struct transfer *t)
{
    if (t->easy && h->multi) curl_multi_remove_handle(h->multi, t->easy);
    curl_easy_cleanup(t->easy);
    request_free(t->request);
    wipe_body(t);
    buf_free(&t->body);
}

void http_close(struct http *h)
{
    if (!h) return;
    struct sigpipe_guard g = sigpipe_begin(); /* closing TLS writes */
    for (unsigned i = 0; h->transfers && i < h->options.parallel; i++) transfer_fini(h, &h->transfers[i]);
    curl_multi_cleanup(h->multi);
    sigpipe_end(&g);
    for (struct request *next, *r = h->first; r; r = next) {
        next = r->next;
        request_free(r);
    }
    buf_free(&h->ca);
    free(h->transfers);
    free(h->ca_path);
    free(h);
}

/* --- one transfer --------------------------------------------------------------------------------------- */

static bool set_body(struct transfer *t, const struct request *r)
{
    if (!r->has_body) return SET(CURLOPT_POSTFIELDS, NULL) && SET(CURLOPT_HTTPGET, 1L) && SET(CURLOPT_CUSTOMREQUEST, r->verb);
    return SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len) &&
           SET(CURLOPT_POSTFIELDS, r->body ? (const char *)r->body : "") && SET(CURLOPT_CUSTOMREQUEST, r->verb);
}

static int transfer_start(struct http *h, struct transfer *t, struct request *r, struct err *e)
{
    bool is_clear = !r->url.is_https;
    t->request = r;
    t->header_bytes = 0;
    t->has_head = false;
    t->fault[0] = 0;
    t->began_ms = when_monotonic_ms();
    bool ok = SET(CURLOPT_URL, r->text) && SET(CURLOPT_PROTOCOLS_STR, is_clear ? "http" : "https") &&
              SET(CURLOPT_PROXY, is_clear ? "" : NULL) && SET(CURLOPT_HTTPHEADER, r->headers) &&
              set_body(t, r);
    CURLMcode rc = ok ? curl_multi_add_handle(h->multi, t->easy) : CURLM_OK;
    h->n_active++;
    return ok && rc == CURLM_OK
               ? 0
               : err_set(e, ERR_BUG, "libcurl takes no request: %s", curl_multi_strerror(rc));
}

static struct transfer *idle_transfer(struct http *h)
{
    for (unsigned i = 0; i < h->options.parallel; i++)
        if (!h->transfers[i].request && &h->transfers[i] != h->held) return &h->transfers[i];
    return NULL;
}

/* Connections cannot be closed one by one. */
static int renew_pool(struct http *h, struct err *e)
{
    h->is_stale = false;
    struct sigpipe_guard g = sigpipe_begin();
    curl_multi_cleanup(h->multi);
    sigpipe_end(&g);
    return multi_init(h) ? 0 : err_set(e, ERR_BUG, "libcurl does not start again");
}

static int start_waiting(struct http *h, struct err *e)
{
    if (h->is_stale && h->n_active) return 0;
    if (h->is_stale) try(renew_pool(h, e));
    for (struct transfer *t; h->first && (t = idle_transfer(h));) {
        struct request *r = h->first;
        h->first = r->next;
        if (!h->first) h->last = NULL;
        h->n_waiting--;
        try(transfer_start(h, t, r, e));
    }
    return 0;
}

/* --- what is over --------------------------------------------------------------------------------------- */

static struct transfer *transfer_of(CURL *easy)
{
    void *t = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
    return t;
}

struct ended {
    struct transfer *t;
    CURLcode code;
};

static size_t gather_ended(struct http *h, struct ended list[PARALLEL_MAX])
{
    size_t n = 0;
    int left;
    for (CURLMsg *m; n < PARALLEL_MAX && (m = curl_multi_info_read(h->multi, &left));) {
        if (m->msg != CURLMSG_DONE) continue;
        CURL *easy = m->easy_handle;
        list[n].code = m->data.result;
        list[n].t = transfer_of(easy);
        curl_multi_remove_handle(h->multi, easy); /* *m is gone with it */
        n++;
    }
    return n;
}

static struct http_answer answer_of(struct http *h, struct transfer *t, CURLcode code)
{
    struct http_answer a = {.handle = t->easy, .took_ms = when_monotonic_ms() - t->began_ms};
    curl_off_t body = 0;
    curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a.status);
    a.wire_bytes = (uint64_t)body + t->header_bytes;
    if (code == CURLE_OK) code = http_check_whole(t, a.status);
    if (code == CURLE_OK) {
        a.body = buf_bytes(&t->body);
        return a;
    }
    a.rc = http_explain(h, t, code, &t->why);
    a.why = &t->why;
    return a;
}

/* It was sent, and not a byte came back: who knows what else this connection swallows. */
static bool is_silent(const struct transfer *t, CURLcode code)
{
    curl_off_t sent_us = 0;
    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    return code == CURLE_OPERATION_TIMEDOUT && sent_us && !t->header_bytes;
}

static void transfer_end(struct http *h, struct ended ended)
{
    struct transfer *t = ended.t;
    struct request *r = t->request;
    struct http_answer a = answer_of(h, t, ended.code);
    if (is_silent(t, ended.code)) h->is_stale = true;
    void (*done)(void *, const struct http_answer *) = r->done;
    void *ctx = r->ctx;
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, NULL);
    request_free(r);
    h->n_active--;
    done(ctx, &a); /* the place is still taken: t->request is not NULL */
    t->request = NULL;
    if (h->held != t) wipe_body(t);
}

static void release_held(struct http *h)
{
    if (!h->held) return;
    wipe_body(h->held);
    h->held = NULL;
}

/* --- for callers ---------------------------------------------------------------------------------------- */

struct str http_header(const struct http_answer *a, const char *name)
{
    struct curl_header *found;
    if (!a->handle || curl_easy_header(a->handle, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return STR("");
    return str_from(found->value);
}

int http_submit(struct http *h, const struct http_request *r, struct err *e)
{
    struct request *q;
    release_held(h);
    try(request_make(&q, &h->options, r, e));
    if (h->last)
        h->last->next = q;
    else
        h->first = q;
    h->last = q;
    h->n_waiting++;
    return 0;
}

size_t http_pending(const struct http *h)
{
    return h->n_active + h->n_waiting;
}

/* Moves bytes; the transfers that are over. */
static int perform(struct http *h, struct ended list[PARALLEL_MAX], size_t *n, struct err *e)
{
    int running;
    struct sigpipe_guard g = sigpipe_begin();
    CURLMcode rc = curl_multi_perform(h->multi, &running);
    *n = gather_ended(h, list);
    sigpipe_end(&g);
    return rc == CURLM_OK ? 0 : err_set(e, ERR_BUG, "libcurl: %s", curl_multi_strerror(rc));
}

static int run_until(struct http *h, int64_t until_ms, struct err *e)
{
    struct ended list[PARALLEL_MAX];
    size_t n = 0;
    for (;;) {
        try(start_waiting(h, e));
        int rc = perform(h, list, &n, e);
        for (size_t i = 0; i < n; i++) transfer_end(h, list[i]);
        if (rc < 0) return rc;
        int left = when_left_ms(until_ms);
        if (n || !http_pending(h) || !left) return 0;
        CURLMcode polled = curl_multi_poll(h->multi, NULL, 0, left, NULL);
        if (polled != CURLM_OK) return err_set(e, ERR_BUG, "libcurl: %s", curl_multi_strerror(polled));
    }
}

int http_run(struct http *h, int64_t until_ms, struct err *e)
{
    if (h->is_running) return err_set(e, ERR_BUG, "http_run from a callback");
    release_held(h);
    h->is_running = true;
    int rc = run_until(h, until_ms, e);
    h->is_running = false;
    return rc;
}

/* --- one request, waited for ---------------------------------------------------------------------------- */

static void keep_answer(void *ctx, const struct http_answer *a)
{
    struct http *h = ctx;
    h->held = transfer_of(a->handle);
    h->fetched = *a;
    h->has_fetched = true;
}

static atomic_bool is_cancelled;

void http_cancel_all(void)
{
    atomic_store(&is_cancelled, true);
}

int http_fetch(struct http *h, const struct http_request *r, struct http_answer *out, struct err *e)
{
    struct http_request own = *r;
    own.done = keep_answer;
    own.ctx = h;
    *out = (struct http_answer){0};
    if (h->is_running) return err_set(e, ERR_BUG, "http_fetch from a callback");
    try(http_submit(h, &own, e));
    h->has_fetched = false;
    while (!h->has_fetched) {
        if (atomic_load(&is_cancelled)) return err_set(e, ERR_CANCEL, "interrupted");
        try(http_run(h, when_monotonic_ms() + HTTP_CANCEL_MS, e));
    }
    *out = h->fetched;
    if (out->rc < 0) *e = *out->why;
    return out->rc;
}
