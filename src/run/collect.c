/* collect.c - the worker's side of worker.h: one job from the descriptor, run by its source, to the last frame. */
#include "run/worker.h"

#include "base/when.h"
#include "source/source.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define JOB_PATIENCE_MS 10000

struct inbox {
    struct buf in;
    json_t *job;
    struct secret password;
    char *secret_error;
    bool go;
};

static int take_secret(struct inbox *b, struct bytes payload, struct err *e)
{
    struct cursor c = cursor_new(payload);
    struct str name = str_of(cursor_lstr(&c));
    if (c.failed) return err_set(e, ERR_PROTO, "malformed secret frame");
    if (str_equal(name, STR("password"))) return secret_take(&b->password, c.in, e);
    free(b->secret_error);
    b->secret_error = x_strdup(str_of(c.in));
    return 0;
}

static int take(struct inbox *b, const struct frame *f, struct err *e)
{
    json_error_t why;
    if (f->type == FRAME_SECRET) return take_secret(b, f->payload, e);
    if (f->type == FRAME_GO) {
        b->go = true;
        return b->job ? 0 : err_set(e, ERR_PROTO, "no job before GO");
    }
    if (f->type != FRAME_JOB || b->job) return err_set(e, ERR_PROTO, "unexpected frame of type %d", f->type);
    b->job = json_loadb((const char *)f->payload.ptr, f->payload.len, 0, &why);
    return b->job ? 0 : err_set(e, ERR_PROTO, "job: %s", why.text);
}

static int receive_job(struct inbox *b, int fd, struct err *e)
{
    int64_t deadline = when_monotonic_ms() + JOB_PATIENCE_MS;
    while (!b->go) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, when_left_ms(deadline)) <= 0) return err_set(e, ERR_TIMEOUT, "no job arrived");
        uint8_t *to = buf_reserve(&b->in, 65536);
        ssize_t n = to ? recv(fd, to, 65536, 0) : -1;
        if (n <= 0) return err_set(e, ERR_CANCEL, "the job's sender went away");
        buf_advance(&b->in, (size_t)n);
        struct bytes left = buf_bytes(&b->in);
        struct frame f;
        int got = 0, rc = 0;
        while (rc == 0 && (got = frame_next(&f, &left, e)) > 0) rc = take(b, &f, e);
        if (rc < 0 || got < 0) return rc < 0 ? rc : got;
        memmove(b->in.ptr, left.ptr, left.len);
        secret_wipe(b->in.ptr + left.len, b->in.len - left.len);
        b->in.len = left.len;
    }
    return 0;
}

static int no_verb(const struct source *s, const struct job *j, struct err *e)
{
    return err_set(e, ERR_INPUT, "%s: there is nothing to %s in a source of type %s", j->connector, j->verb, s->type);
}

static int run_job(struct inbox *b, struct emit *m, struct err *e)
{
    const char *type = json_string_value(json_object_get(b->job, "type"));
    const struct source *s = type ? source_find(str_from(type)) : NULL;
    if (!s) return err_set(e, ERR_INPUT, "no source of type '%s' in this version", type ? type : "");
    json_t *settings = json_object_get(b->job, "settings");
    int64_t run_timeout = conf_int(settings, "run_timeout");
    if (run_timeout <= 0) run_timeout = (int64_t)12 * 3600 * 1000;
    struct job job = {
        .verb = json_string_value(json_object_get(b->job, "verb")),
        .connector = json_string_value(json_object_get(b->job, "connector")),
        .settings = settings,
        .kinds = (kind_set)json_integer_value(json_object_get(b->job, "kinds")),
        .password = b->password,
        .secret_error = b->secret_error,
        .since = json_object_get(b->job, "since"),
        .only = json_object_get(b->job, "only"),
        .ask = json_object_get(b->job, "ask"),
        .deadline_ms = when_monotonic_ms() + run_timeout,
    };
    if (!job.verb) return err_set(e, ERR_PROTO, "the job has no verb");
    if (strcmp(job.verb, "check") == 0) return s->check(&job, m, e);
    if (strcmp(job.verb, "discover") == 0) return s->discover(&job, m, e);
    if (strcmp(job.verb, "browse") == 0) return s->browse ? s->browse(&job, m, e) : no_verb(s, &job, e);
    if (strcmp(job.verb, "controllers") == 0) return s->controllers ? s->controllers(&job, m, e) : no_verb(s, &job, e);
    return s->read(&job, m, e);
}

int worker_serve(int fd)
{
    struct err e;
    struct emit *m = NULL;
    struct inbox b = {.in = buf_new(FRAME_MAX)};
    secret_harden_process();
    if (emit_open(&m, fd, &e) < 0) {
        fprintf(stderr, "rollcall collect: descriptor %d: %s\n", fd, e.message);
        return 2;
    }
    int rc = receive_job(&b, fd, &e);
    emit_conceal(m, secret_bytes(&b.password));
    if (rc == 0) rc = run_job(&b, m, &e);
    if (rc < 0) emit_abort(m, &e);
    emit_close(m);
    json_decref(b.job);
    secret_drop(&b.password);
    free(b.secret_error);
    buf_free(&b.in);
    return rc < 0 ? err_class_exit(rc) : 0;
}
