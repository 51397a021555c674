/* http_int.h - inside the HTTP server; handlers see http.h.
 *
 * A connection's bytes are read and written by libmicrohttpd's I/O threads, which never wait for anything but sockets. A whole request is suspended there and handled by one
 * of our own threads (http_work.c), which makes the response and resumes the connection. So a slow question delays nobody's page, and a slow peer holds no thread.
 *     I/O: http_server.c on_request -> http_route.c, http_guard.c (cheap refusals) -> body -> work_submit
 *     worker: http_request.c request_handle -> http_guard.c (who) -> http_body.c -> handler -> http_reply.c -> resume
 */
#ifndef ROLLCALL_API_HTTP_INT_H
#define ROLLCALL_API_HTTP_INT_H

#include "api/http.h"
#include "api/http/http_pool.h"
#include "api/http/http_route.h"
#include "api/http/http_stats.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#define CSP_REPORT    "/api/v1/csp-report" /* its body is not read as JSON, only counted */
#define QUERY_MAX     24
#define HEADERS_MAX   16
#define BODY_DEFAULT  (64u * 1024)
#define BODIES_MAX    (64u * 1024 * 1024) /* of all requests at once */

/* --- connections (http_peer.c): who makes us wait --------------------------------------------------------- */
enum peer_state {
    PEER_WAITING, /* for a request, its headers or its body: ends after PEER_WAIT_MS */
    PEER_SENDING, /* it takes our answer: ends after PEER_SEND_MS */
    PEER_BUSY,    /* we work, or a stream goes to somebody logged in: not ended */
};
#define PEER_WAIT_MS 20000
#define PEER_SEND_MS 120000
struct peer {
    struct peer *before, *after; /* in the order of since_ms; busy ones are in no list */
    int fd;
    int64_t since_ms;
    enum peer_state state;
};
struct peers {
    pthread_mutex_t lock;
    struct peer *oldest, *newest;
    unsigned n, soft_max; /* above soft_max the oldest of the list goes when another comes */
};
void peers_init(struct peers *p, unsigned soft_max);
void peers_fini(struct peers *p);
struct peer *peer_add(struct peers *p, int fd);
void peer_remove(struct peers *p, struct peer *x);
void peer_set(struct peers *p, struct peer *x, enum peer_state state);
void peers_end_late(struct peers *p);

/* --- threads that handle (http_work.c) ---------------------------------------------------------------------- */
struct task {
    struct task *next;
    enum lane lane;
    void (*run)(struct task *t);
    void (*refuse)(struct task *t); /* instead of run, when the server stops */
};
struct work;
struct work *work_start(unsigned threads);
/* suspend is called inside the lock when the task is taken, before any thread can run it. False: too many wait, or stopping; nothing was called. */
bool work_submit(struct work *w, struct task *t, void (*suspend)(struct task *t));
void work_stop(struct work *w); /* waits for what runs, refuses what waits */
void work_free(struct work *w);

/* --- one request ------------------------------------------------------------------------------------------------ */
struct http_server {
    struct app *app;
    struct MHD_Daemon *daemon;
    struct routes routes;
    struct peers peers;
    struct work *work;
    struct store_pool stores;
    struct http_stats stats;
    struct events *events;
    pthread_t keeper;
    pthread_mutex_t keeper_lock;
    pthread_cond_t keeper_wake;
    atomic_bool is_stopping;
    atomic_uint n_requests; /* not yet completed */
    atomic_ulong body_bytes;
    uint16_t port;
    bool is_loopback;
};

enum phase { PHASE_BODY, PHASE_WORK, PHASE_READY, PHASE_SENT };
struct pair {
    const char *name, *value;
};
struct request_int {
    struct request q;
    struct task task;
    struct http_server *server;
    struct MHD_Connection *connection;
    struct peer *peer;
    const struct compiled *compiled;
    atomic_int phase;
    struct buf body;
    struct pair query[QUERY_MAX], headers[HEADERS_MAX];
    unsigned n_query, n_headers;
    char id[20];
    int64_t began_us;
    struct store *store;
    struct stream *stream;             /* reply_stream's */
    struct event_stream *event_stream; /* reply_job_events' */
    struct MHD_Response *response;
    unsigned status, error_status;
    json_t *fields;
    size_t sent; /* bytes of the answer, for the log; 0 of a stream */
    bool is_head, wants_gzip, is_secret /* not compressed */, is_stream, must_close, is_over_limit;
    char etag[48];
};
int64_t clock_us(void);
/* http_request.c */
struct request_int *request_begin(struct http_server *s, struct MHD_Connection *c, const char *url, const char *method);
void request_handle(struct task *t);
void request_drop(struct request_int *r);
void request_refuse(struct request_int *r, unsigned status, const struct err *e);
int request_read_query(struct request_int *r, struct err *e) must_use;
/* http_guard.c: what can be told from the headers alone; *status: instead of the class's. */
int guard_headers(struct request_int *r, unsigned *status, struct err *e) must_use;
int guard_actor(struct request_int *r, struct err *e) must_use;
bool guard_is_loopback(const char *host);
/* http_body.c */
int body_parse(struct request_int *r, struct err *e) must_use;
void json_wipe(json_t *value);
/* http_reply.c: the response exists; headers that every answer has are set. */
int reply_take(struct request_int *r, unsigned status, struct MHD_Response *response);
enum keep { KEEP_NOT, KEEP_ASK, KEEP_FOR_EVER }; /* no-store, no-cache, immutable */
/* Bytes that outlive the server, not copied. */
int reply_static(struct request_int *r, const char *type, struct bytes plain, struct bytes gzip, const char *etag, enum keep keep) must_use;
bool gzip_bytes(struct buf *out, struct bytes in);
/* events.c: server-sent events */
struct events *events_open(struct http_server *s);
void events_stop(struct events *x); /* ends every stream */
void events_close(struct events *x);
unsigned events_count(struct events *x);
void event_stream_end(struct event_stream *s);
/* http_stream.c */
void stream_end(struct stream *s);

static inline struct request_int *own(const struct request *q)
{
    return q->own;
}

#endif
