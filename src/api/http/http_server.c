#include "api/http/http_int.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/when.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IO_THREADS        2
#define CONNECTIONS_MAX   1024
#define CONNECTIONS_SOFT  768          /* above it the one that keeps us waiting longest goes */
#define CONNECTION_MEMORY (24u * 1024) /* request line and headers must fit; touched only as far as they are long */
#define IDLE_S            30           /* without a byte in either direction */
#define STACK             (1024u * 1024)
#define TRIM_S            30
#define DRAIN_MS          1000

int64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- one request, as libmicrohttpd drives it (I/O threads) ---------------------------------------------------- */

static enum MHD_Result send_response(struct request_int *r)
{
    atomic_store(&r->phase, PHASE_SENT);
    peer_set(&r->server->peers, r->peer, r->is_stream ? PEER_BUSY : PEER_SENDING);
    return MHD_queue_response(r->connection, r->status, r->response);
}

static void suspend(struct task *t)
{
    MHD_suspend_connection(((struct request_int *)((char *)t - offsetof(struct request_int, task)))->connection);
}

/* The server stops before anybody has handled it. */
static void turn_away(struct task *t)
{
    struct request_int *r = (struct request_int *)((char *)t - offsetof(struct request_int, task));
    struct err e;
    err_set(&e, ERR_LIMIT, "the server is being stopped");
    request_refuse(r, 503, &e);
    atomic_store(&r->phase, PHASE_READY);
    MHD_resume_connection(r->connection);
}

static enum MHD_Result submit(struct request_int *r)
{
    struct err e;
    r->task = (struct task){.lane = r->compiled->route->lane, .run = request_handle, .refuse = turn_away};
    atomic_store(&r->phase, PHASE_WORK);
    peer_set(&r->server->peers, r->peer, PEER_BUSY);
    if (work_submit(r->server->work, &r->task, suspend)) return MHD_YES;
    atomic_fetch_add(&r->server->stats.refused_busy, 1);
    err_set(&e, ERR_LIMIT, "the server has too much to do");
    e.retry_at_ms = when_now_ms() + 2000;
    request_refuse(r, 503, &e);
    return send_response(r);
}

static enum MHD_Result take_body(struct request_int *r, const char *data, size_t *size)
{
    size_t n = *size;
    *size = 0;
    bool fits = !r->is_over_limit && atomic_load(&r->server->body_bytes) + n <= BODIES_MAX;
    if (fits) {
        buf_add(&r->body, data, n);
        fits = !r->body.failed;
    }
    secret_wipe((void *)(uintptr_t)data, n); /* libmicrohttpd's own copy; it is ours to consume */
    if (fits) {
        atomic_fetch_add(&r->server->body_bytes, n);
        return MHD_YES;
    }
    /* A chunked body told no length beforehand. libmicrohttpd takes no answer while a body comes: the connection ends. */
    r->is_over_limit = true;
    return MHD_NO;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version, const char *data, size_t *size,
                                  void **request)
{
    struct http_server *s = cls;
    struct request_int *r = *request;
    if (!r) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        r = *request = request_begin(s, c, url, method);
        r->peer = info->socket_context;
        if (r->response) return send_response(r);
        peer_set(&s->peers, r->peer, PEER_WAITING); /* for the body */
        return MHD_YES;
    }
    if (*size) return take_body(r, data, size);
    if (atomic_load(&r->phase) == PHASE_BODY) return submit(r);
    if (atomic_load(&r->phase) == PHASE_READY) return send_response(r);
    return MHD_YES;
}

static void log_request(struct request_int *r, int64_t took_us)
{
    bool is_news = strcmp(r->q.method, "GET") != 0 || r->status >= 400;
    log_event(is_news ? LOG_INFO : LOG_DEBUG, "http.request", LOG_CSTR("request", r->id), LOG_CSTR("method", r->q.method),
              LOG_STR("path", ((struct str){r->q.path, strnlen(r->q.path, 200)})), LOG_INT("status", r->status), LOG_INT("took_us", took_us),
              LOG_INT("bytes", r->sent), LOG_CSTR("who", r->q.actor.name), LOG_CSTR("from", r->q.actor.from));
}

static void on_completed(void *cls, struct MHD_Connection *c, void **request, enum MHD_RequestTerminationCode code)
{
    struct request_int *r = *request;
    if (!r) return;
    int64_t took_us = clock_us() - r->began_us;
    if (!r->is_stream) http_stats_add(&r->server->stats, r->status ? r->status : 400, took_us);
    log_request(r, took_us);
    peer_set(&r->server->peers, r->peer, PEER_WAITING); /* for the next request */
    request_drop(r);
    *request = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = peer_add(&s->peers, MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else
        peer_remove(&s->peers, *context);
}

/* Paths and queries are decoded by us, strictly (http_route.c). */
static size_t leave_escaped(void *cls, struct MHD_Connection *c, char *s)
{
    return strlen(s);
}

static void log_library(void *cls, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
static void log_library(void *cls, const char *fmt, va_list args)
{
    char text[256];
    vsnprintf(text, sizeof text, fmt, args);
    log_event(LOG_DEBUG, "http.library", LOG_STR("message", str_trim(str_from(text))));
}

/* --- start and stop ---------------------------------------------------------------------------------------------- */

static void *keep(void *arg)
{
    struct http_server *s = arg;
    unsigned ticks = 0;
    pthread_mutex_lock(&s->keeper_lock);
    while (!atomic_load(&s->is_stopping)) {
        struct timespec until = when_monotonic_in(1000);
        pthread_cond_clockwait(&s->keeper_wake, &s->keeper_lock, CLOCK_MONOTONIC, &until);
        peers_end_late(&s->peers);
        pool_close_idle(&s->stores);
        if (++ticks % TRIM_S == 0) malloc_trim(0); /* an answer of some MiB is not kept for ever */
    }
    pthread_mutex_unlock(&s->keeper_lock);
    return NULL;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int parse_address(union address *out, socklen_t *len, const char *text, uint16_t port, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (strcmp(text, "localhost") == 0) text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        *len = sizeof out->v4;
        return 0;
    }
    if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        *len = sizeof out->v6;
        return 0;
    }
    err_set(e, ERR_INPUT, "%s is no address to listen on", text);
    return err_hint(e, "give 127.0.0.1, ::1, 0.0.0.0 or an address of this machine");
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET) return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static int listen_on(struct http_server *s, const struct http_server_options *o, int *out, struct err *e)
{
    union address a;
    socklen_t len;
    try(parse_address(&a, &len, o->address, o->port, e));
    s->is_loopback = is_loopback(&a);
    if (!s->is_loopback && !o->certificate) {
        err_set(e, ERR_INPUT, "passwords would go over the network in clear: %s is not loopback and there is no certificate", o->address);
        return err_hint(e, "serve with TLS, or listen on 127.0.0.1 behind a proxy that does");
    }
    defer_close int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return err_errno(e, ERR_LIMIT, errno, "a socket to listen on");
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &a.any, len) < 0 || listen(fd, 512) < 0 || getsockname(fd, &a.any, &len) < 0) {
        err_errno(e, errno == EADDRINUSE ? ERR_CONFLICT : ERR_DENIED, errno, "listen on %s port %u", o->address, (unsigned)o->port);
        return err_hint(e, "is another rollcall serve running? choose another port, or end it");
    }
    s->port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    *out = fd;
    fd = -1;
    return 0;
}

static int start_daemon(struct http_server *s, const struct http_server_options *o, int fd, struct err *e)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (o->certificate ? (unsigned)MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-RSA"},
        {MHD_OPTION_END, 0, NULL},
    };
    if (!o->certificate) tls[0] = tls[3];
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_THREAD_POOL_SIZE, IO_THREADS, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK, MHD_OPTION_CONNECTION_LIMIT,
                                 CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
                                 MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (s->daemon) return 0;
    err_set(e, o->certificate ? ERR_TLS : ERR_LIMIT, "the HTTP server did not start");
    return err_hint(e, o->certificate ? "do the certificate and the key belong together?" : "is the limit of open files large enough (ulimit -n)?");
}

static void free_server(struct http_server *s)
{
    routes_free(&s->routes);
    pool_fini(&s->stores);
    peers_fini(&s->peers);
    pthread_mutex_destroy(&s->keeper_lock);
    pthread_cond_destroy(&s->keeper_wake);
    free(s);
}

int http_server_start(struct http_server **out, const struct http_server_options *o, struct err *e)
{
    struct http_server *s = x_zalloc(sizeof *s);
    int fd = -1;
    s->app = o->app;
    pool_init(&s->stores);
    peers_init(&s->peers, CONNECTIONS_SOFT);
    pthread_mutex_init(&s->keeper_lock, NULL);
    pthread_cond_init(&s->keeper_wake, NULL);
    if (routes_compile(&s->routes, e) < 0 || listen_on(s, o, &fd, e) < 0) {
        free_server(s);
        return e->class;
    }
    s->work = work_start(o->threads ? o->threads : 8);
    s->events = events_open(s);
    if (pthread_create(&s->keeper, NULL, keep, s)) x_out_of_memory();
    if (start_daemon(s, o, fd, e) < 0) {
        close(fd);
        http_server_stop(s);
        return e->class;
    }
    *out = s;
    return 0;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

static void wait_for_answers(struct http_server *s)
{
    int64_t deadline = when_monotonic_ms() + DRAIN_MS;
    while (atomic_load(&s->n_requests) && when_left_ms(deadline)) usleep(5000);
}

/* Nothing may be suspended when libmicrohttpd stops: what waits is answered, streams end, then what was answered has a moment to leave. */
void http_server_stop(struct http_server *s)
{
    if (!s) return;
    int fd = s->daemon ? MHD_quiesce_daemon(s->daemon) : -1;
    events_stop(s->events);
    work_stop(s->work);
    pthread_mutex_lock(&s->keeper_lock);
    atomic_store(&s->is_stopping, true);
    pthread_cond_signal(&s->keeper_wake);
    pthread_mutex_unlock(&s->keeper_lock);
    pthread_join(s->keeper, NULL);
    if (s->daemon) {
        wait_for_answers(s);
        MHD_stop_daemon(s->daemon);
    }
    if (fd >= 0) close(fd);
    events_close(s->events);
    work_free(s->work);
    free_server(s);
}
