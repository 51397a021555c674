#include "api/http/http_int.h"
#include "base/when.h"

#include <stdio.h>
#include <stdlib.h>

/* Server-sent events of jobs. A stream's connection is suspended as long as there is nothing to tell; one thread (pump) reads what jobs have written when the jobs' thread says
 * that there is more, and every HEARTBEAT_MS sends a comment, by which a peer that has gone is noticed. A stream ends after STREAM_MS: the browser asks again with
 * Last-Event-ID and is asked again who it is.
 *
 * Locks: x->lock for the list; s->lock for a stream's buffer. Never both; jobs_events is called with neither, as jobs call woken() with theirs held. */

#define HEARTBEAT_MS   15000
#define STREAM_MS      300000
#define STREAMS_MAX    256
#define STREAMS_OF_ONE 12
#define EVENTS_MAX     (320u * 1024) /* a line of a child is at most JOB_LINE_MAX */

struct event_stream {
    struct event_stream *next;
    struct events *x;
    struct MHD_Connection *connection; /* is there as long as is_suspended */
    int64_t job, began_ms, told_ms;
    uint64_t after;
    char who[ACCOUNT_NAME_MAX];
    unsigned refs;                     /* of x->lock: the connection's and the pump's */
    bool is_gone;                      /* of x->lock: the connection has ended */
    atomic_bool is_dirty;
    atomic_bool is_full; /* of lock: the peer has not taken what there is; nothing is due until it has */
    pthread_mutex_t lock;
    struct buf out;
    size_t taken;
    bool is_suspended, is_over;
};
struct events {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t pump;
    struct jobs *jobs;
    struct event_stream *streams;
    unsigned n;
    bool is_stopping;
};

static void drop(struct event_stream *s) /* with x->lock */
{
    if (--s->refs) return;
    for (struct event_stream **at = &s->x->streams; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    pthread_mutex_destroy(&s->lock);
    buf_free(&s->out);
    free(s);
}

static void woken(void *ctx, int64_t job, const json_t *ended)
{
    struct events *x = ctx;
    pthread_mutex_lock(&x->lock);
    for (struct event_stream *s = x->streams; s; s = s->next)
        if (s->job == job) atomic_store(&s->is_dirty, true);
    pthread_cond_signal(&x->wake);
    pthread_mutex_unlock(&x->lock);
}

/* {"id":N,"event":"...","data":...} as one event; JSON in one line needs no more than one data field. */
static void tell_line(struct event_stream *s, struct str line)
{
    json_t *v = json_loadb(line.ptr, line.len, JSON_DECODE_ANY, NULL);
    const char *event = json_string_value(json_object_get(v, "event"));
    char *data = json_dumps(json_object_get(v, "data"), JSON_COMPACT | JSON_ENCODE_ANY);
    if (event) buf_printf(&s->out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)json_integer_value(json_object_get(v, "id")), event, data ? data : "null");
    free(data);
    json_decref(v);
}

static void resume(struct event_stream *s) /* with s->lock */
{
    if (s->is_suspended) MHD_resume_connection(s->connection);
    s->is_suspended = false;
}

static void tell(struct event_stream *s, struct str lines, uint64_t last, bool over)
{
    int64_t now = when_monotonic_ms();
    pthread_mutex_lock(&s->lock);
    while (lines.len) {
        size_t at = str_index(lines, '\n');
        tell_line(s, (struct str){lines.ptr, at});
        lines = at < lines.len ? (struct str){lines.ptr + at + 1, lines.len - at - 1} : (struct str){NULL, 0};
    }
    s->after = last;
    if (!s->out.len && !over && now - s->told_ms >= HEARTBEAT_MS) buf_add_str(&s->out, STR(": still here\n\n"));
    s->is_over = over || now - s->began_ms > STREAM_MS || s->out.failed;
    if (s->out.len) s->told_ms = now;
    if (s->out.len || s->is_over) resume(s);
    pthread_mutex_unlock(&s->lock);
}

static void pump_one(struct event_stream *s)
{
    struct err e;
    struct buf lines = buf_new(EVENTS_MAX);
    uint64_t last = s->after;
    bool over = false;
    pthread_mutex_lock(&s->lock);
    bool is_full = s->out.len > 0;
    atomic_store(&s->is_full, is_full);
    pthread_mutex_unlock(&s->lock);
    if (is_full) return; /* the peer first takes what there is; read_events says when */
    atomic_store(&s->is_dirty, false);
    if (jobs_events(s->x->jobs, s->job, s->after, &lines, &last, &over, &e) < 0) over = true;
    if (last != s->after && !over) atomic_store(&s->is_dirty, true); /* perhaps there is more than fits */
    tell(s, buf_str(&lines), last, over);
    buf_free(&lines);
}

static struct event_stream *due(struct events *x, int64_t now)
{
    for (struct event_stream *s = x->streams; s; s = s->next)
        if (!s->is_gone && !atomic_load(&s->is_full) && (atomic_load(&s->is_dirty) || now - s->told_ms >= HEARTBEAT_MS)) return s;
    return NULL;
}

static void *pump(void *arg)
{
    struct events *x = arg;
    pthread_mutex_lock(&x->lock);
    while (!x->is_stopping) {
        struct event_stream *s = due(x, when_monotonic_ms());
        if (!s) {
            struct timespec until = when_monotonic_in(1000);
            pthread_cond_clockwait(&x->wake, &x->lock, CLOCK_MONOTONIC, &until);
            continue;
        }
        s->refs++;
        pthread_mutex_unlock(&x->lock);
        pump_one(s);
        pthread_mutex_lock(&x->lock);
        drop(s);
    }
    pthread_mutex_unlock(&x->lock);
    return NULL;
}

static ssize_t read_events(void *ctx, uint64_t pos, char *to, size_t room)
{
    struct event_stream *s = ctx;
    ssize_t n = 0;
    pthread_mutex_lock(&s->lock);
    size_t left = s->out.len - s->taken;
    if (left) {
        n = (ssize_t)(left < room ? left : room);
        memcpy(to, s->out.ptr + s->taken, (size_t)n);
        s->taken += (size_t)n;
        if (s->taken == s->out.len) {
            buf_clear(&s->out);
            s->taken = 0;
            if (atomic_exchange(&s->is_full, false)) pthread_cond_signal(&s->x->wake); /* without x->lock: never both. Missed, it is a second late */
        }
    } else if (s->is_over) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->is_suspended = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

static int take_place(struct events *x, struct event_stream *s, struct err *e)
{
    unsigned n = 0, mine = 0;
    pthread_mutex_lock(&x->lock);
    for (struct event_stream *o = x->streams; o; o = o->next) {
        n += !o->is_gone;
        mine += !o->is_gone && strcmp(o->who, s->who) == 0;
    }
    bool ok = !x->is_stopping && n < STREAMS_MAX && mine < STREAMS_OF_ONE;
    if (ok) {
        s->next = x->streams;
        x->streams = s;
        pthread_cond_signal(&x->wake);
    }
    pthread_mutex_unlock(&x->lock);
    return ok ? 0 : err_set(e, ERR_LIMIT, "too many live views are open");
}

/* Where the peer was: EventSource sends Last-Event-ID when it comes again. */
static uint64_t place_of(struct request *q)
{
    const char *text = request_header(q, "Last-Event-ID");
    if (!text) text = request_query(q, "after");
    return text && *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : 0;
}

int reply_job_events(struct request *q, int64_t job)
{
    struct request_int *r = own(q);
    struct events *x = r->server->events;
    struct event_stream *s = x_zalloc(sizeof *s);
    struct err e;
    *s = (struct event_stream){.x = x, .connection = r->connection, .job = job, .after = place_of(q), .refs = 1, .out = buf_new(EVENTS_MAX * 2)};
    s->began_ms = s->told_ms = when_monotonic_ms();
    snprintf(s->who, sizeof s->who, "%s", q->actor.name);
    pthread_mutex_init(&s->lock, NULL);
    buf_add_str(&s->out, STR("retry: 2000\n\n"));
    atomic_store(&s->is_dirty, true);
    if (take_place(x, s, &e) < 0) {
        pthread_mutex_destroy(&s->lock);
        buf_free(&s->out);
        free(s);
        request_refuse(r, 503, &e);
        return 0;
    }
    r->event_stream = s;
    r->is_stream = true;
    reply_header(q, "Content-Type", "text/event-stream");
    reply_header(q, "X-Accel-Buffering", "no"); /* a proxy must not hold it back */
    return reply_take(r, 200, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, read_events, s, NULL));
}

void event_stream_end(struct event_stream *s)
{
    if (!s) return;
    struct events *x = s->x;
    pthread_mutex_lock(&x->lock);
    s->is_gone = true;
    drop(s);
    pthread_mutex_unlock(&x->lock);
}

struct events *events_open(struct http_server *server)
{
    struct events *x = x_zalloc(sizeof *x);
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->wake, NULL);
    x->jobs = server->app->jobs;
    if (x->jobs) jobs_watch(x->jobs, woken, x);
    if (pthread_create(&x->pump, NULL, pump, x)) x_out_of_memory();
    return x;
}

void events_stop(struct events *x)
{
    pthread_mutex_lock(&x->lock);
    x->is_stopping = true;
    pthread_cond_signal(&x->wake);
    pthread_mutex_unlock(&x->lock);
    pthread_join(x->pump, NULL);
    pthread_mutex_lock(&x->lock);
    for (struct event_stream *s = x->streams; s; s = s->next) {
        pthread_mutex_lock(&s->lock);
        s->is_over = true;
        resume(s);
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_unlock(&x->lock);
}

unsigned events_count(struct events *x)
{
    unsigned n = 0;
    pthread_mutex_lock(&x->lock);
    for (struct event_stream *s = x->streams; s; s = s->next) n += !s->is_gone;
    pthread_mutex_unlock(&x->lock);
    return n;
}

/* Every connection has ended. */
void events_close(struct events *x)
{
    if (x->jobs) jobs_unwatch(x->jobs, x);
    pthread_mutex_destroy(&x->lock);
    pthread_cond_destroy(&x->wake);
    free(x);
}
