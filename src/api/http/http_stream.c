#include "api/http/http_int.h"
#include "base/log.h"

/* An answer made piece by piece. The I/O thread takes what is ready; when nothing is, it suspends the connection and one of our threads makes the next piece. The two alternate, so
 * that only one of them ever uses the stream. */

#define PIECE_MAX (64u * 1024)

struct stream {
    struct request_int *r;
    int (*next)(void *ctx, struct buf *out, struct err *e);
    void (*done)(void *ctx);
    void *ctx;
    struct buf piece;
    size_t taken;
    int state; /* 1 more follows, 0 that was all, negative: failed */
};

static void make_piece(struct task *t)
{
    struct request_int *r = (struct request_int *)((char *)t - offsetof(struct request_int, task));
    struct stream *s = r->stream;
    struct err e = {0};
    buf_clear(&s->piece);
    s->taken = 0;
    while (s->state == 1 && !s->piece.len) {
        s->state = s->next(s->ctx, &s->piece, &e);
        if (s->piece.failed) s->state = err_set(&e, ERR_BUG, "a piece of more than %u bytes", PIECE_MAX);
    }
    if (s->state < 0) log_event(LOG_ERROR, "http.stream_failed", LOG_CSTR("request", r->id), LOG_CSTR("path", r->q.path), LOG_CSTR("message", e.message));
    MHD_resume_connection(r->connection);
}

static void stop_stream(struct task *t)
{
    struct request_int *r = (struct request_int *)((char *)t - offsetof(struct request_int, task));
    r->stream->state = -1;
    MHD_resume_connection(r->connection);
}

static void suspend(struct task *t)
{
    MHD_suspend_connection(((struct request_int *)((char *)t - offsetof(struct request_int, task)))->connection);
}

static ssize_t read_stream(void *ctx, uint64_t pos, char *to, size_t room)
{
    struct stream *s = ctx;
    size_t left = s->piece.len - s->taken, n = left < room ? left : room;
    if (n) {
        memcpy(to, s->piece.ptr + s->taken, n);
        s->taken += n;
        return (ssize_t)n;
    }
    if (s->state == 0) return MHD_CONTENT_READER_END_OF_STREAM;
    /* Half an answer must not look like a whole one. */
    if (s->state < 0 || !work_submit(s->r->server->work, &s->r->task, suspend)) return MHD_CONTENT_READER_END_WITH_ERROR;
    return 0;
}

/* A file name of a header: only what needs no quoting in any browser. */
static void name_file(struct request *q, const char *name)
{
    char value[160];
    size_t n = (size_t)snprintf(value, sizeof value, "attachment; filename=\"");
    for (; *name && n + 2 < sizeof value; name++) {
        bool plain = (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || strchr("._-", *name);
        value[n++] = plain ? *name : '_';
    }
    value[n] = '"';
    value[n + 1] = 0;
    reply_header(q, "Content-Disposition", value);
}

int reply_stream(struct request *q, const char *type, const char *file_name, int (*next)(void *ctx, struct buf *out, struct err *e), void (*done)(void *ctx),
                 void *ctx)
{
    struct request_int *r = own(q);
    struct stream *s = x_zalloc(sizeof *s);
    *s = (struct stream){r, next, done, ctx, buf_new(PIECE_MAX), 0, 1};
    stream_end(r->stream);
    r->stream = s;
    r->is_stream = true;
    r->task = (struct task){.lane = r->task.lane, .run = make_piece, .refuse = stop_stream};
    reply_header(q, "Content-Type", type);
    if (file_name) name_file(q, file_name);
    return reply_take(r, 200, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_MAX, read_stream, s, NULL));
}

void stream_end(struct stream *s)
{
    if (!s) return;
    if (s->done) s->done(s->ctx);
    buf_free(&s->piece);
    free(s);
}
