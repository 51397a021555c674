#include "source/graph/graph_client.h"

#include "base/when.h"
#include "net/http.h"
#include "net/retry_after.h"
#include "source/graph/graph_answer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TOKEN_MARGIN_MS (5 * 60000) /* renewed so long before it ends, or at the half of a shorter life */
#define TRIES_BROKEN    8           /* of one request: connection lost, 5xx */
#define TRIES_GARBLED   3           /* answers that are no JSON */
#define TRIES_LICENCE   4           /* the reports refuse tenants that are licensed, now and then */
#define REQUEST_ID      37          /* characters of a GUID and NUL */

struct asked {
    struct asked *next, **at; /* at: among those under way */
    enum graph_bucket bucket;
    bool is_advanced, is_minimal, was_renewed;
    char *url;
    const char *what, *permissions;
    int (*done)(void *ctx, const struct graph_answer *a, struct err *e);
    void *ctx;
    struct graph_client *client;
    unsigned n_broken, n_garbled, n_licence;
    unsigned token;      /* it was sent with: the client's n_tokens then */
    int64_t not_before_ms;
    char id[REQUEST_ID];
};

struct queue {
    struct asked *first, **end;
    size_t n;
};

struct graph_client {
    const struct graph_settings *set;
    struct oauth *oauth;
    struct http *http;
    int64_t deadline_ms;
    unsigned n_tokens; /* so far */
    struct graph_throttle buckets[GRAPH_BUCKETS];
    struct queue waiting[GRAPH_BUCKETS];
    struct asked *sent; /* under way */
    size_t under_way;
    struct graph_stats stats;
    unsigned n_answered; /* in this graph_client_run */
    int failed;          /* of a callback, or of what waits for one question: nothing goes on then */
    struct err why;
};

/* --- queues ---------------------------------------------------------------------------------------------- */

static void queue_put(struct queue *q, struct asked *a)
{
    a->next = NULL;
    if (!q->end) q->end = &q->first;
    *q->end = a;
    q->end = &a->next;
    q->n++;
}

/* The first whose time has come. */
static struct asked *queue_take(struct queue *q, int64_t now_ms)
{
    for (struct asked **at = &q->first; *at; at = &(*at)->next) {
        struct asked *a = *at;
        if (a->not_before_ms > now_ms) continue;
        *at = a->next;
        if (q->end == &a->next) q->end = at;
        q->n--;
        return a;
    }
    return NULL;
}

/* Those under way are kept by libcurl alone; this is for a job that breaks off. */
static void sent_put(struct asked **list, struct asked *a)
{
    a->next = *list;
    a->at = list;
    if (a->next) a->next->at = &a->next;
    *list = a;
}

static struct asked *sent_take(struct asked *a)
{
    *a->at = a->next;
    if (a->next) a->next->at = a->at;
    return a;
}

static void asked_free(struct asked *a)
{
    free(a->url);
    free(a);
}

/* --- opening ------------------------------------------------------------------------------------------------ */

int graph_client_open(struct graph_client **out, const struct graph_settings *s, const struct secret *secret, int64_t deadline_ms,
                      struct err *e)
{
    struct graph_client *c = x_zalloc(sizeof *c);
    struct http_options o = {.ca_path = s->oauth.ca_path,
                             .parallel = s->parallel,
                             .connect_timeout_ms = s->connect_timeout_ms,
                             .answer_timeout_ms = s->answer_timeout_ms,
                             .body_max = GRAPH_BODY_MAX};
    c->set = s;
    c->deadline_ms = deadline_ms;
    c->buckets[GRAPH_DIRECTORY] = graph_throttle_new(s->parallel);
    c->buckets[GRAPH_REPORTS] = graph_throttle_new(s->parallel < 2 ? s->parallel : 2);
    c->buckets[GRAPH_METHODS] = graph_throttle_new(s->parallel < 4 ? s->parallel : 4);
    *out = c;
    try(oauth_open(&c->oauth, &s->oauth, secret, e));
    try(oauth_ensure(c->oauth, 0, deadline_ms, e));
    return http_open(&c->http, &o, e);
}

void graph_client_close(struct graph_client *c)
{
    if (!c) return;
    http_close(c->http);
    for (size_t i = 0; i < GRAPH_BUCKETS; i++)
        for (struct asked *a; (a = queue_take(&c->waiting[i], INT64_MAX));) asked_free(a);
    while (c->sent) asked_free(sent_take(c->sent));
    oauth_close(c->oauth);
    free(c);
}

/* --- asking -------------------------------------------------------------------------------------------------- */

static void random_id(char out[REQUEST_ID])
{
    uint8_t r[16];
    randombytes_buf(r, sizeof r);
    snprintf(out, REQUEST_ID, "%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2], r[3], r[4], r[5],
             r[6] & 15, r[7], r[8] & 15, r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
}

int graph_client_ask(struct graph_client *c, const struct graph_question *q, struct err *e)
{
    if (url_check_link(&c->set->base, str_from(q->url), e) < 0) {
        err_wrap(e, "%s: the address is not of %s, so nothing was sent there", q->what, c->set->base_text);
        return err_hint(e, "the token goes to the configured Graph address only; if this address is right, set graph_url");
    }
    struct asked *a = x_zalloc(sizeof *a);
    a->bucket = q->bucket;
    a->is_advanced = q->is_advanced;
    a->is_minimal = q->is_minimal;
    a->url = x_strdup(str_from(q->url));
    a->what = q->what;
    a->permissions = q->permissions;
    a->done = q->done;
    a->ctx = q->ctx;
    a->client = c;
    random_id(a->id);
    queue_put(&c->waiting[a->bucket], a);
    return 0;
}

size_t graph_client_waiting(const struct graph_client *c)
{
    size_t n = 0;
    for (size_t i = 0; i < GRAPH_BUCKETS; i++) n += c->waiting[i].n;
    return n;
}

bool graph_client_idle(const struct graph_client *c)
{
    return !c->under_way && !graph_client_waiting(c);
}

/* --- answers -------------------------------------------------------------------------------------------------- */

static unsigned jitter(void)
{
    return randombytes_uniform(1000);
}

static void give(struct asked *a, const struct graph_answer *answer)
{
    struct graph_client *c = a->client;
    struct err e;
    c->n_answered++;
    int rc = c->failed < 0 ? 0 : a->done(a->ctx, answer, &e);
    if (rc < 0) {
        c->failed = rc;
        c->why = e;
    }
    asked_free(a);
}

static void give_error(struct asked *a, const struct err *why, const struct graph_failure *f, struct str location)
{
    static const struct graph_failure none = {.fault = GRAPH_FAULT_FATAL};
    give(a, &(struct graph_answer){.rc = (int)why->class, .why = why, .failure = f ? f : &none, .location = location});
}

static void again(struct asked *a, int64_t wait_ms)
{
    struct graph_client *c = a->client;
    c->stats.repeated++;
    a->not_before_ms = when_monotonic_ms() + wait_ms;
    queue_put(&c->waiting[a->bucket], a);
}

static int64_t retry_after(const struct http_answer *answer)
{
    int64_t wait;
    return retry_after_parse(&wait, http_header(answer, "Retry-After"), when_now_ms()) ? wait : -1;
}

/* A wait that ends after the run does is not begun: what went wrong is told now. */
static bool has_time(const struct graph_client *c, int64_t wait_ms)
{
    return when_monotonic_ms() + wait_ms < c->deadline_ms;
}

static bool again_after(struct asked *a, unsigned n, unsigned tries, int64_t least_ms)
{
    int64_t wait = graph_back_off_ms(n, jitter());
    if (wait < least_ms) wait = least_ms;
    if (n >= tries || !has_time(a->client, wait)) return false;
    again(a, wait);
    return true;
}

/* No answer, or none that can be read. Too large an answer may be had in smaller pages. */
static void give_up(struct asked *a, struct err *why)
{
    struct graph_failure f = {.fault = why->class == ERR_LIMIT ? GRAPH_FAULT_PAGE_TOO_LARGE : GRAPH_FAULT_FATAL};
    err_wrap(why, "%s", a->what);
    give_error(a, why, &f, (struct str){"", 0});
}

static void garbled(struct asked *a, struct err *why)
{
    if (why->class != ERR_LIMIT && again_after(a, ++a->n_garbled, TRIES_GARBLED, 0)) return;
    err_hint(why, "is there a proxy between that rewrites answers? such answers came %u times", a->n_garbled);
    give_up(a, why);
}

/* No whole answer came. */
static void broke(struct asked *a, const struct http_answer *answer)
{
    struct err why = *answer->why;
    graph_throttle_over(&a->client->buckets[a->bucket]);
    if (answer->rc == ERR_PROTO) {
        garbled(a, &why);
        return;
    }
    bool may_pass = answer->rc == ERR_NET || answer->rc == ERR_TIMEOUT;
    if (may_pass && again_after(a, ++a->n_broken, TRIES_BROKEN, 0)) return;
    if (may_pass) err_hint(&why, "tried %u times; nothing was changed: run it again when Microsoft Graph is reachable", a->n_broken);
    give_up(a, &why);
}

static void unreadable(struct asked *a, const struct http_answer *answer, struct err *why)
{
    char id[80];
    graph_throttle_over(&a->client->buckets[a->bucket]);
    if (*oauth_quote(id, sizeof id, http_header(answer, "request-id")))
        err_wrap(why, "the answer of %zu bytes is not what Graph says (request %s)", answer->body.len, id);
    else
        err_wrap(why, "the answer of %zu bytes is not what Graph says", answer->body.len);
    garbled(a, why);
}

static void good(struct asked *a, const struct http_answer *answer)
{
    struct err why;
    json_t *body;
    if (graph_answer_read(&body, answer->body, &why) < 0) {
        unreadable(a, answer, &why);
        return;
    }
    graph_throttle_good(&a->client->buckets[a->bucket]);
    give(a, &(struct graph_answer){.body = body});
    json_decref(body);
}

static void refuse(struct asked *a, const struct http_answer *answer, const struct graph_failure *f)
{
    struct err why;
    graph_failure_explain(&why, f, http_header(answer, "request-id"), a->what, a->permissions);
    give_error(a, &why, f, http_header(answer, "Location"));
}

/* The bucket rests, and this request with it. */
static void throttled(struct asked *a, const struct http_answer *answer, const struct graph_failure *f)
{
    struct graph_client *c = a->client;
    struct graph_throttle *bucket = &c->buckets[a->bucket];
    graph_throttle_refused(bucket, when_monotonic_ms(), retry_after(answer), jitter());
    c->stats.throttled++;
    if (bucket->resume_ms < c->deadline_ms)
        again(a, 0);
    else
        refuse(a, answer, f);
}

/* A token that was replaced meanwhile is no reason to ask for another one. */
static void renew_token(struct asked *a)
{
    struct graph_client *c = a->client;
    a->was_renewed = true;
    if (a->token == c->n_tokens) oauth_forget(c->oauth);
    again(a, 0);
}

static void failed(struct asked *a, const struct http_answer *answer)
{
    struct graph_client *c = a->client;
    struct graph_failure f;
    int64_t wait = retry_after(answer);
    graph_failure_read(&f, answer->status, answer->body);
    bool is_overload = answer->status == 503 && wait >= 0 && f.fault == GRAPH_FAULT_RETRY && ++a->n_broken < TRIES_BROKEN;
    if (answer->status == 429 || is_overload) {
        throttled(a, answer, &f);
        return;
    }
    graph_throttle_over(&c->buckets[a->bucket]);
    if (f.fault == GRAPH_FAULT_RETRY && again_after(a, ++a->n_broken, TRIES_BROKEN, wait)) return;
    if (f.fault == GRAPH_FAULT_DENIED_LICENCE && again_after(a, ++a->n_licence, TRIES_LICENCE, 0)) return;
    if (f.fault == GRAPH_FAULT_RENEW_TOKEN && !a->was_renewed)
        renew_token(a);
    else
        refuse(a, answer, &f);
}

static void on_answer(void *ctx, const struct http_answer *answer)
{
    struct asked *a = ctx;
    struct graph_client *c = a->client;
    sent_take(a);
    c->under_way--;
    c->stats.bytes += answer->wire_bytes;
    if (answer->rc < 0)
        broke(a, answer);
    else if (answer->status == 200)
        good(a, answer);
    else
        failed(a, answer);
}

/* --- sending --------------------------------------------------------------------------------------------------- */

/* A token with a short life is used for half of it. */
static int ensure_token(struct graph_client *c, struct err *e)
{
    int64_t before = oauth_expires_ms(c->oauth), left = before - when_now_ms();
    int rc = oauth_ensure(c->oauth, left > 2 * TOKEN_MARGIN_MS ? TOKEN_MARGIN_MS : 5000, c->deadline_ms, e);
    c->n_tokens += oauth_expires_ms(c->oauth) != before;
    return rc;
}

static int send_one(struct graph_client *c, struct asked *a, struct err *e)
{
    char id[80];
    const char *headers[8] = {"Accept: application/json", "x-ms-throttle-priority: Low", id};
    size_t n = 3;
    snprintf(id, sizeof id, "client-request-id: %s", a->id);
    if (a->is_advanced) headers[n++] = "ConsistencyLevel: eventual";
    if (a->is_minimal) headers[n++] = "Prefer: return=minimal";
    headers[n] = NULL;
    struct http_request r = {.method = "GET", .url = a->url, .headers = headers, .bearer = oauth_token(c->oauth), .done = on_answer, .ctx = a};
    if (http_submit(c->http, &r, e) < 0) {
        asked_free(a);
        return err_wrap(e, "Microsoft Graph");
    }
    a->token = c->n_tokens;
    c->stats.requests++;
    sent_put(&c->sent, a);
    c->under_way++;
    graph_throttle_started(&c->buckets[a->bucket]);
    return 0;
}

/* The scarce buckets first: their few requests must never wait behind the directory's many. */
static int send_what_may(struct graph_client *c, struct err *e)
{
    static const enum graph_bucket order[] = {GRAPH_REPORTS, GRAPH_METHODS, GRAPH_DIRECTORY};
    int64_t now = when_monotonic_ms();
    for (size_t i = 0; i < n_elements(order); i++) {
        struct asked *a;
        while (c->under_way < c->set->parallel && graph_throttle_may_start(&c->buckets[order[i]], now) &&
               (a = queue_take(&c->waiting[order[i]], now))) {
            if (ensure_token(c, e) < 0) {
                asked_free(a);
                return (int)e->class;
            }
            try(send_one(c, a, e));
        }
    }
    return 0;
}

/* When something that waits may be sent at the earliest. */
static int64_t next_start(const struct graph_client *c)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < GRAPH_BUCKETS; i++)
        for (const struct asked *a = c->waiting[i].first; a; a = a->next) {
            int64_t at = a->not_before_ms > c->buckets[i].resume_ms ? a->not_before_ms : c->buckets[i].resume_ms;
            if (at < next) next = at;
            if (next == c->buckets[i].resume_ms) break;
        }
    return next;
}

static void rest_until(int64_t until_ms)
{
    struct timespec t;
    int64_t ms = until_ms - when_monotonic_ms();
    if (ms <= 0) return;
    t = (struct timespec){ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int out_of_time(const struct graph_client *c, struct err *e)
{
    err_set(e, ERR_TIMEOUT, "Microsoft Graph: the time for the whole run (run_timeout) is over: %llu requests, %llu of them asked again, %llu throttled",
            (unsigned long long)c->stats.requests, (unsigned long long)c->stats.repeated, (unsigned long long)c->stats.throttled);
    return err_hint(e, "raise run_timeout; if the tenant is not that large, find what is slow: what is asked again is broken on the way, what is throttled shares the tenant's limits");
}

int graph_client_run(struct graph_client *c, int64_t until_ms, struct err *e)
{
    int64_t end = until_ms < c->deadline_ms ? until_ms : c->deadline_ms;
    c->n_answered = 0;
    while (!c->n_answered && !c->failed && !graph_client_idle(c)) {
        int64_t now = when_monotonic_ms();
        if (now >= c->deadline_ms) return out_of_time(c, e);
        if (now >= end) return 0;
        try(send_what_may(c, e));
        int64_t next = next_start(c), until = next > now && next < end ? next : end;
        if (c->under_way)
            try(http_run(c->http, until, e));
        else
            rest_until(until);
    }
    if (c->failed) *e = c->why;
    return c->failed;
}

/* --- one question, waited for ------------------------------------------------------------------------------------ */

struct fetched {
    bool is_over;
    int rc;
    struct err why;
    struct graph_failure failure;
    json_t *body;
};

static int on_fetched(void *ctx, const struct graph_answer *a, struct err *e)
{
    struct fetched *f = ctx;
    (void)e;
    f->is_over = true;
    f->rc = a->rc;
    if (a->rc < 0) {
        f->why = *a->why;
        f->failure = *a->failure;
    } else {
        f->body = json_incref((json_t *)a->body);
    }
    return 0;
}

int graph_client_fetch(struct graph_client *c, const struct graph_question *q, json_t **body, struct graph_failure *failure, struct err *e)
{
    struct fetched f = {0};
    struct graph_question mine = *q;
    *body = NULL;
    if (failure) *failure = (struct graph_failure){.fault = GRAPH_FAULT_FATAL};
    mine.done = on_fetched;
    mine.ctx = &f;
    try(graph_client_ask(c, &mine, e));
    int rc = 0;
    while (rc == 0 && !f.is_over) rc = graph_client_run(c, INT64_MAX, e);
    if (!f.is_over) { /* f goes, and nobody may write into it later */
        c->failed = rc;
        c->why = *e;
        return rc;
    }
    json_decref(rc < 0 ? f.body : NULL);
    if (rc < 0) return rc;
    if (failure) *failure = f.failure;
    *body = f.body;
    if (f.rc < 0) *e = f.why;
    return f.rc;
}

/* --- questions about itself ---------------------------------------------------------------------------------------- */

const struct oauth *graph_client_oauth(const struct graph_client *c)
{
    return c->oauth;
}

const struct url *graph_client_base(const struct graph_client *c)
{
    return &c->set->base;
}

static bool has_role(const json_t *roles, struct str name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(roles, i, one)
    {
        const char *role = json_string_value(one);
        if (role && str_equal_nocase(str_from(role), name)) return true;
    }
    return false;
}

int graph_client_may(const struct graph_client *c, const char *names)
{
    const json_t *claims = oauth_claims(c->oauth), *roles = json_object_get(claims, "roles");
    struct str rest = str_from(names);
    if (!claims) return -1;
    while (rest.len) {
        size_t n = str_index(rest, ' ');
        if (has_role(roles, (struct str){rest.ptr, n})) return 1;
        n += n < rest.len;
        rest = (struct str){rest.ptr + n, rest.len - n};
    }
    return 0;
}

struct graph_stats graph_client_stats(const struct graph_client *c)
{
    struct graph_stats s = c->stats;
    s.requests += oauth_requests(c->oauth);
    for (size_t i = 0; i < GRAPH_BUCKETS; i++) s.rested_ms += c->buckets[i].rested_ms;
    return s;
}
