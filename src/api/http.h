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
enum route_right { RIGHT_OPEN, RIGHT_VIEW, RIGHT_ANALYZE, RIGHT_OPERATE, RIGHT_ADMIN };

/* LANE_ASK: questions of the access engine, one after the other; at most half of the threads wait for it. LANE_PASSWORD: Argon2id, 64 MiB at a time. */
enum lane { LANE_ANY, LANE_ASK, LANE_PASSWORD };
#define N_LANES 3

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
    enum route_right right;
    int (*handle)(struct request *q, struct err *e);
    const char *doc;      /* one line, for OpenAPI and the API page */
    const char *query;    /* parameters it knows, "kind source q limit after"; any other is ERR_INPUT. NULL: none */
    const char *body;     /* JSON Schema of the body (http_schema.h), or NULL: no body is taken. One without `required` may be left out: q->body is then {} */
    unsigned body_max;    /* bytes; 0: 64 KiB */
    enum lane lane;       /* what it waits for, so that many of one sort leave threads for the others */
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
int reply_none(struct request *q, unsigned status) must_use;                          /* 202, 204: no body */
int reply_redirect(struct request *q, const char *location) must_use;                 /* 303 */
void reply_session(struct request *q, const char *session);                           /* sets the cookie; NULL: removes it. Before reply_... */
/* Beside the error that the handler then returns: [{key, message, hint}]. Steals. */
void reply_fields(struct request *q, json_t *fields);
/* 429 instead of the class's status (ERR_LIMIT), 410, ...: for the error that the handler then returns. */
void reply_error_status(struct request *q, unsigned status);
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
    const char *certificate;  /* PEM text: chain, key; NULL: clear, which only loopback may be */
    const char *key;
    unsigned threads;
};
struct http_server;
int http_server_start(struct http_server **out, const struct http_server_options *o, struct err *e) must_use;
uint16_t http_server_port(const struct http_server *s);
void http_server_stop(struct http_server *s); /* streams are ended first; waits for handlers under way: close who makes them wait (asker) before. NULL is legal */

/* The certificate and key to serve with, as PEM text; the caller frees both, key_pem with secret_wipe before. files: of the settings; NULL, NULL: a self-signed one (ECDSA
 * P-256) for host, localhost and the loopback addresses, made at first start as <beside>.tls.pem (mode 0600, both in it) and again before it ends.
 * ERR_INPUT: they do not fit together; ERR_DENIED: others may read the key. */
int http_certificate(const char *certificate_file, const char *key_file, const char *beside, const char *host, char **certificate_pem, char **key_pem,
                     struct err *e) must_use;
/* "sha256:..." of the first certificate of a PEM text, to compare with what the browser shows. */
int http_certificate_fingerprint(const char *certificate_pem, char out[80], struct err *e) must_use;

#endif
