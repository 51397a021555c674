/* http.h - one request and its reply, as a handler sees them; the routes; the server around them (libmicrohttpd).
 *
 * A route is a row: method, pattern, right, handler, one line of doc. From the rows come the dispatch, GET /api/openapi.json, the API page of Help and the test that asks
 * every route without a session, with an expired one, with a lesser role and from another site.
 *     static int get_run(struct request *q, struct err *e) {
 *         struct store *s; int64_t id;
 *         try(request_id(q, 0, &id, e)); try(request_store(q, &s, e)); ...
 *         return reply_json(q, 200, json);
 *     }
 * A handler returns 0 after one reply_..., or a class with *e filled, which becomes {"error":{"class","message","step","hint"}} with the class's HTTP status.
 * Handlers run on a few threads at once. What a request holds lives until its reply is sent.
 */
#ifndef ROLLCALL_API_HTTP_H
#define ROLLCALL_API_HTTP_H

#include "api/app.h"
#include "base/arena.h"
#include "store/store.h"

/* What a route asks of the actor: a role at least. RIGHT_OPEN: nobody need be logged in. */
enum right { RIGHT_OPEN, RIGHT_VIEW, RIGHT_ANALYZE, RIGHT_OPERATE, RIGHT_ADMIN };

#define REQUEST_CAPTURES 4
struct request {
    struct app *app;
    const struct route *route;
    const char *method, *path;
    char captured[REQUEST_CAPTURES][512]; /* {segments} of the pattern, percent-decoded, proved UTF-8 without NUL */
    json_t *body;                         /* parsed object; NULL without one. Wiped after the reply */
    struct actor actor;                   /* name "" on open routes without a session */
    struct arena arena;
    struct request_int *own;              /* the server's */
};

struct route {
    const char *method;   /* "GET" "POST" "PUT" "PATCH" "DELETE" */
    const char *pattern;  /* "/api/v1/assets/{connector}/{uid}" */
    enum right right;
    int (*handle)(struct request *q, struct err *e);
    const char *doc;      /* one line, for OpenAPI and the API page */
    const char *query;    /* parameters it knows, "kind source q limit after"; any other is ERR_INPUT. NULL: none */
    const char *body;     /* JSON Schema of the body, or NULL: no body is taken */
    unsigned body_max;    /* bytes; 0: 64 KiB */
};
/* Tables of rows, pattern NULL ends; one per file of handlers, listed in api/routes.c. */
extern const struct route *const route_tables[];

/* --- of the request ------------------------------------------------------------------------------- */
const char *request_query(const struct request *q, const char *name); /* percent-decoded; NULL: not given */
/* A whole number of the query within bounds. ERR_INPUT names the parameter. */
int request_number(const struct request *q, const char *name, int64_t least, int64_t most, int64_t fallback, int64_t *out, struct err *e) must_use;
/* Of a captured segment. */
int request_id(const struct request *q, unsigned captured, int64_t *out, struct err *e) must_use;
/* A member of the body: ERR_INPUT names it if it is missing or of another type. */
int request_text(const struct request *q, const char *key, const char **out, struct err *e) must_use;
const char *request_header(const struct request *q, const char *name);
/* A reading handle of the store for this request, from a pool. ERR_NOTFOUND: nothing was ever synced. */
int request_store(struct request *q, struct store **out, struct err *e) must_use;
/* The change is in the audit log under the actor's name: action "connector.update", object, before and after (borrowed, may be NULL). */
int request_audit(struct request *q, const char *action, const char *object, const json_t *before, const json_t *after, struct err *e) must_use;

/* --- the reply -------------------------------------------------------------------------------------- */
/* Steals json. Compressed for whom accepts it; GET has an ETag (of the content), and 304 where it fits. */
int reply_json(struct request *q, unsigned status, json_t *json) must_use;
/* Copies. type: "text/html; charset=utf-8". */
int reply_bytes(struct request *q, unsigned status, const char *type, struct bytes b) must_use;
void reply_header(struct request *q, const char *name, const char *value); /* before reply_...; values with CR or LF are refused (ERR_BUG logged) */
/* A body of unknown length, made piece by piece: next appends to out (at most 64 KiB), returns 1 more follows, 0 that was all, negative: the connection is cut, so that
 * nobody takes the half for the whole. done frees ctx in any case. file_name: Content-Disposition attachment; NULL: none. */
int reply_stream(struct request *q, const char *type, const char *file_name, int (*next)(void *ctx, struct buf *out, struct err *e), void (*done)(void *ctx),
                 void *ctx) must_use;
/* Server-sent events of a job from Last-Event-ID (or ?after=) on, a comment every 15 s, until the job is over. */
int reply_job_events(struct request *q, int64_t job) must_use;

/* --- the server ------------------------------------------------------------------------------------- */
struct http_server_options {
    struct app *app;
    const char *address;      /* "127.0.0.1" */
    uint16_t port;            /* 0: any; http_server_port tells */
    const char *certificate;  /* PEM chain, key: PEM; NULL: clear, which only loopback may be */
    const char *key;
    unsigned threads;
};
struct http_server;
int http_server_start(struct http_server **out, const struct http_server_options *o, struct err *e) must_use;
uint16_t http_server_port(const struct http_server *s);
void http_server_stop(struct http_server *s); /* streams are ended first */

#endif
