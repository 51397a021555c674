#include "sink/sink.h"

#include "base/log.h"
#include "base/when.h"
#include "net/certificate.h"
#include "sink/excerpt.h"
#include "sink/http_url.h"
#include "sink/http_verdict.h"
#include "net/retry_after.h"
#include "net/sigpipe.h"

#include <curl/curl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    DEFAULT_GIVE_UP_MS = 300000,
    DEFAULT_FIRST_WAIT_MS = 1000,
    LONGEST_WAIT_MS = 60000,
    CONNECT_TIMEOUT_MS = 10000,
    SHOWN_BYTES = 200,
    CANCEL_POLL_MS = 100,
};
#define ANSWER_MAX ((size_t)64 << 10) /* of a body: the rest is not waited for */
#define HEADER_MAX ((size_t)64 << 10)

struct sink_http {
    struct http_url url;
    struct secret token; /* empty: none */
    struct buf ca;
    int timeout_ms, give_up_after_ms, first_wait_ms;
    const volatile sig_atomic_t *cancel;
    CURL *easy;
    struct curl_slist *headers;
    /* of the answer that is being read */
    struct buf answer;
    size_t header_bytes;
    char fault[CURL_ERROR_SIZE];
};

/* --- opening ------------------------------------------------------------------------------------------ */

static void headers_wipe(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next) secret_wipe(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

static void add_header(struct sink_http *h, struct buf *line)
{
    h->headers = curl_slist_append(h->headers, buf_cstr(line));
    if (!h->headers) x_out_of_memory();
    secret_wipe(line->ptr, line->len);
    buf_free(line);
}

/* Anything else could end the header line and begin another: RFC 9110 5.5, RFC 6750 2.1. */
static bool is_header_safe(struct bytes b, uint8_t first, uint8_t last)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.ptr[i] < first || b.ptr[i] > last) return false;
    return true;
}

static int make_headers(struct sink_http *h, struct str content_type, struct err *e)
{
    struct bytes token = secret_bytes(&h->token);
    struct buf line = buf_new(SECRET_MAX + 64);
    if (!content_type.len) content_type = STR("application/json");
    if (!is_header_safe(bytes_of(content_type), 0x20, 0x7e))
        return err_set(e, ERR_INPUT, "content type: control characters");
    buf_printf(&line, "Content-Type: %.*s", STR_FMT(content_type));
    add_header(h, &line);
    buf_add_str(&line, STR("Expect:")); /* no round trip before the body */
    add_header(h, &line);
    if (!token.len) return 0;
    if (!is_header_safe(token, 0x21, 0x7e)) {
        err_set(e, ERR_INPUT, "token: it holds a space, a line end or a character that is not ASCII");
        return err_hint(e, "look at the end of the file that token names");
    }
    buf_add_str(&line, STR("Authorization: Bearer "));
    buf_add_bytes(&line, token);
    add_header(h, &line);
    return 0;
}

/* PEM or DER, authorities or the receiver's own certificate. */
static int load_ca(struct sink_http *h, struct str path, struct err *e)
{
    if (!path.len) return 0;
    bool is_leaf;
    defer_free char *name = x_strdup(path);
    return ca_load(&h->ca, &is_leaf, name, e);
}

static size_t take_body(char *p, size_t one, size_t n, void *ctx)
{
    struct sink_http *h = ctx;
    buf_add(&h->answer, p, n);
    return h->answer.failed ? 0 : n;
}

static size_t take_header(char *p, size_t one, size_t n, void *ctx)
{
    struct sink_http *h = ctx;
    h->header_bytes += n;
    return h->header_bytes > HEADER_MAX ? 0 : n;
}

static int look_for_cancel(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct sink_http *h = ctx;
    return *h->cancel != 0;
}

#define SET(option, value) (curl_easy_setopt(h->easy, option, value) == CURLE_OK)

/* A private CA stands alone: the system's certificates, which are a file and a directory by default, are
 * dropped. */
static bool set_trust(struct sink_http *h)
{
    bool ok = SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
              SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!h->ca.len) return ok;
    struct curl_blob pem = {h->ca.ptr, h->ca.len, CURL_BLOB_NOCOPY};
    return ok && SET(CURLOPT_CAINFO, NULL) && SET(CURLOPT_CAPATH, NULL) && SET(CURLOPT_CAINFO_BLOB, &pem);
}

/* No redirects, so that the token stays with the host it is for; and for the same reason it is kept out of
 * what a proxy reads. CURLOPT_VERBOSE, which would print it, is nowhere. */
static bool set_request(struct sink_http *h)
{
    const char *scheme = h->url.is_clear ? "http" : "https";
    return SET(CURLOPT_URL, h->url.url) && SET(CURLOPT_PROTOCOLS_STR, scheme) &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_POST, 1L) && SET(CURLOPT_HTTPHEADER, h->headers) &&
           SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) &&
           SET(CURLOPT_USERAGENT, "rollcall/" ROLLCALL_VERSION) &&
           SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && (!h->url.is_clear || SET(CURLOPT_PROXY, ""));
}

static bool set_reading(struct sink_http *h)
{
    return SET(CURLOPT_WRITEFUNCTION, take_body) && SET(CURLOPT_WRITEDATA, h) &&
           SET(CURLOPT_HEADERFUNCTION, take_header) && SET(CURLOPT_HEADERDATA, h) &&
           SET(CURLOPT_ERRORBUFFER, h->fault) && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
           (!h->cancel || (SET(CURLOPT_NOPROGRESS, 0L) && SET(CURLOPT_XFERINFOFUNCTION, look_for_cancel) &&
                           SET(CURLOPT_XFERINFODATA, h)));
}

static int or_default(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

static int open_steps(struct sink_http *h, const struct sink_http_config *c, struct err *e)
{
    h->timeout_ms = or_default(c->timeout_ms, DEFAULT_TIMEOUT_MS);
    h->give_up_after_ms = or_default(c->give_up_after_ms, DEFAULT_GIVE_UP_MS);
    h->first_wait_ms = or_default(c->first_wait_ms, DEFAULT_FIRST_WAIT_MS);
    h->cancel = c->cancel;
    try(http_url_parse(&h->url, c->url, e));
    if (c->token && c->token->len) try(secret_take(&h->token, secret_bytes(c->token), e));
    try(make_headers(h, c->content_type, e));
    try(load_ca(h, c->ca_certificate, e));
    h->easy = curl_easy_init();
    if (!h->easy || !set_request(h) || !set_trust(h) || !set_reading(h))
        return err_set(e, ERR_BUG, "libcurl %s lacks an option that is needed", curl_version());
    return 0;
}

int sink_http_open(struct sink_http **out, const struct sink_http_config *c, struct err *e)
{
    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(e, ERR_BUG, "libcurl does not start");
    struct sink_http *h = x_zalloc(sizeof *h);
    h->answer = buf_new(ANSWER_MAX);
    int rc = open_steps(h, c, e);
    if (rc < 0)
        sink_http_close(h);
    else
        *out = h;
    return rc;
}

void sink_http_close(struct sink_http *h)
{
    if (!h) return;
    struct sigpipe_guard g = sigpipe_begin(); /* closing TLS writes */
    curl_easy_cleanup(h->easy);
    sigpipe_end(&g);
    headers_wipe(h->headers);
    secret_drop(&h->token);
    http_url_free(&h->url);
    buf_free(&h->answer);
    buf_free(&h->ca);
    free(h);
    curl_global_cleanup();
}

/* --- one try ----------------------------------------------------------------------------------------- */

struct outcome {
    unsigned tries;         /* how often this may be seen before it is final */
    int64_t retry_after_ms; /* what the receiver asked for; -1: nothing */
};

static void set_body(struct sink_http *h, struct bytes body, int64_t deadline)
{
    long left = when_left_ms(deadline);
    long timeout = left < h->timeout_ms ? left : h->timeout_ms;
    if (timeout < 1) timeout = 1; /* 0 would be forever */
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body.len ? (const char *)body.ptr : "");
    curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout < CONNECT_TIMEOUT_MS ? timeout : CONNECT_TIMEOUT_MS);
    buf_clear(&h->answer);
    h->header_bytes = 0;
    h->fault[0] = 0;
}

static struct str header_value(struct sink_http *h, const char *name)
{
    struct curl_header *found;
    if (curl_easy_header(h->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return STR("");
    return str_from(found->value);
}

/* Says what the receiver answered, as far as it may be shown. */
static int status_error(struct sink_http *h, long status, const struct http_verdict *v, struct err *e)
{
    struct buf said = buf_new(sizeof e->message);
    struct str to = header_value(h, "Location");
    to.len = str_index(to, '?'); /* what is behind it may be a key */
    if (status >= 300 && status <= 399 && to.len) {
        buf_add_str(&said, STR(": to "));
        excerpt_add(&said, bytes_of(to), SHOWN_BYTES, secret_bytes(&h->token));
    } else if (h->answer.len) {
        buf_add_str(&said, STR(": "));
        excerpt_add(&said, buf_bytes(&h->answer), SHOWN_BYTES, secret_bytes(&h->token));
    }
    err_set(e, (enum err_class)v->class, "HTTP %ld%s", status, said.failed ? "" : buf_cstr(&said));
    buf_free(&said);
    if (v->hint) err_hint(e, "%s", v->hint);
    return err_code(e, DOM_HTTP, (int)status);
}

static int judge_status(struct sink_http *h, long status, struct outcome *o, struct err *e)
{
    struct http_verdict v = http_verdict_of_status(status);
    if (v.class == 0) return 0;
    o->tries = v.tries;
    if (!retry_after_parse(&o->retry_after_ms, header_value(h, "Retry-After"), when_now_ms()))
        o->retry_after_ms = -1;
    return status_error(h, status, &v, e);
}

/* curl's sentence may quote a certificate's names, which are the peer's bytes. */
static int judge_fault(struct sink_http *h, CURLcode code, struct outcome *o, struct err *e)
{
    struct http_verdict v = http_verdict_of_curl((int)code);
    struct str text = str_from(h->fault[0] ? h->fault : curl_easy_strerror(code));
    struct buf said = buf_new(sizeof e->message);
    excerpt_add(&said, bytes_of(text), SHOWN_BYTES, secret_bytes(&h->token));
    err_set(e, (enum err_class)v.class, "%s",
            v.class == ERR_CANCEL ? "interrupted"
            : said.failed         ? ""
                                  : buf_cstr(&said));
    buf_free(&said);
    o->tries = v.tries;
    return v.hint ? err_hint(e, "%s", v.hint) : e->class;
}

static int try_once(struct sink_http *h, struct bytes body, int64_t deadline, struct outcome *o,
                    struct err *e)
{
    long status = 0;
    *o = (struct outcome){.tries = 1, .retry_after_ms = -1};
    set_body(h, body, deadline);
    struct sigpipe_guard g = sigpipe_begin();
    CURLcode code = curl_easy_perform(h->easy);
    sigpipe_end(&g);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL); /* it was the caller's */
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    if (h->header_bytes > HEADER_MAX)
        return err_set(e, ERR_PROTO, "an answer with more than %zu KiB of header", HEADER_MAX >> 10);
    /* Its refusal counts even if the rest was cut off; its yes only if all of it came, or as much as we
     * wanted of it. */
    if (code == CURLE_OK || h->answer.failed || (status >= 300 && code != CURLE_ABORTED_BY_CALLBACK))
        return judge_status(h, status, o, e);
    return judge_fault(h, code, o, e);
}

/* --- again and again ---------------------------------------------------------------------------------- */

static int64_t random_below(int64_t n)
{
    uint64_t r = 0;
    if (getrandom(&r, sizeof r, 0) != sizeof r) r = (uint64_t)when_monotonic_ms();
    return n > 0 ? (int64_t)(r % (uint64_t)n) : 0;
}

/* Half of it fixed, half by chance, so that many senders that failed together do not come back together. */
static int64_t jittered(int64_t ms)
{
    return ms / 2 + random_below(ms / 2 + 1);
}

static int64_t next_wait_ms(const struct sink_http *h, unsigned tries, const struct outcome *o)
{
    int64_t first = h->first_wait_ms < LONGEST_WAIT_MS ? h->first_wait_ms : LONGEST_WAIT_MS;
    /* never before the time asked for, and "0" is no licence to hammer */
    if (o->retry_after_ms >= 0)
        return o->retry_after_ms +
               (o->retry_after_ms < first ? jittered(first) : random_below(first / 4 + 1));
    return jittered(when_back_off_ms(tries, first, LONGEST_WAIT_MS));
}

/* Deliberately not woken by signals: a worker's end is no reason to hurry. */
static int pause_for(const struct sink_http *h, int64_t wait_ms, struct err *e)
{
    int64_t until = when_monotonic_ms() + wait_ms;
    for (int left; (left = when_left_ms(until)) > 0;) {
        if (h->cancel && *h->cancel) return err_set(e, ERR_CANCEL, "interrupted");
        poll(NULL, 0, h->cancel && left > CANCEL_POLL_MS ? CANCEL_POLL_MS : left);
    }
    return 0;
}

static int give_up(const struct sink_http *h, unsigned tries, int64_t began, int64_t wait_ms,
                   const struct outcome *o, struct err *e)
{
    int64_t at = when_now_ms() + wait_ms;
    if (o->retry_after_ms > when_left_ms(began + h->give_up_after_ms)) {
        e->class = ERR_LIMIT;
        err_wrap(e, "asked to come back in %lld s, which is longer than it is tried",
                 (long long)(o->retry_after_ms / 1000));
    } else {
        err_wrap(e, "gave up after %u %s in %lld s", tries, tries == 1 ? "try" : "tries",
                 (long long)((when_monotonic_ms() - began + 500) / 1000));
    }
    e->retry_at_ms = at;
    return e->class;
}

/* A try that the end of the time has cut short says less than the one before it. */
static bool is_cut_short(const struct sink_http *h, int64_t left_ms, const struct err *e,
                         const struct err *before)
{
    return e->class == ERR_TIMEOUT && e->code == 0 && left_ms < h->timeout_ms && before->class;
}

static int post_until(struct sink_http *h, struct bytes body, struct err *e)
{
    int64_t began = when_monotonic_ms(), deadline = began + h->give_up_after_ms;
    struct err before = {0};
    for (unsigned tries = 1;; tries++) {
        struct outcome o;
        int left = when_left_ms(deadline);
        if (try_once(h, body, deadline, &o, e) == 0) return 0;
        if (tries >= o.tries) return e->class;
        if (is_cut_short(h, left, e, &before)) *e = before;
        int64_t wait = next_wait_ms(h, tries, &o);
        if (wait >= when_left_ms(deadline)) return give_up(h, tries, began, wait, &o, e);
        log_event(LOG_INFO, "sink.retry", LOG_CSTR("url", h->url.shown), LOG_INT("try", tries),
                  LOG_CSTR("why", e->message), LOG_INT("wait_ms", wait));
        try(pause_for(h, wait, e));
        before = *e;
    }
}

int sink_http_post(struct sink_http *h, struct bytes body, struct err *e)
{
    return post_until(h, body, e) < 0 ? err_wrap(e, "POST %s", h->url.shown) : 0;
}
