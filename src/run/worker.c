#include "run/worker.h"

#include "base/file.h"
#include "base/jsonv.h"
#include "base/secret.h"
#include "base/when.h"
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_AHEAD   ((size_t)1 << 20)
#define SOCKET_BYTES (1 << 20)

struct worker {
    pid_t pid;
    int fd;
    struct buf in;   /* bytes received and not yet handled */
    size_t consumed; /* of in */
    bool ended;
};

extern char **environ;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void worker_install_signals(void)
{
    struct sigaction ask = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &ask, NULL);
    sigaction(SIGTERM, &ask, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file at its limit is an error like a full disk, not the end */
}

const volatile sig_atomic_t *worker_interrupt_flag(void)
{
    return &interrupted;
}

/* --- starting ---------------------------------------------------------------------------------------- */

static void add_json_frame(struct buf *out, enum frame_type type, const json_t *object)
{
    size_t at = frame_open(out, type);
    char *text = json_dumps(object, JSON_COMPACT);
    if (!text) x_out_of_memory();
    buf_add_str(out, str_from(text));
    free(text);
    frame_close(out, at);
}

int worker_secret(struct secret *out, const struct connector_conf *c, struct err *e)
{
    const char *key = conf_secret_key(c->type, c->settings);
    char what[128];
    *out = (struct secret){0};
    if (!key) return 0;
    snprintf(what, sizeof what, "%s of %s", key, c->name);
    return secret_resolve(out, str_from(conf_str(c->settings, key)), what, e) < 0 ? err_wrap(e, "connectors.%s.%s", c->name, key) : 0;
}

static void add_password(struct buf *out, const struct secret *s)
{
    if (!s->len) return;
    size_t at = frame_open(out, FRAME_SECRET);
    buf_add_lstr(out, bytes_of(STR("password")));
    buf_add_bytes(out, secret_bytes(s));
    frame_close(out, at);
}

static int add_secret(struct buf *out, const struct worker_job *job, struct err *e)
{
    struct secret s = {0};
    if (!job->password) try(worker_secret(&s, job->connector, e));
    add_password(out, job->password ? job->password : &s);
    secret_drop(&s);
    return 0;
}

/* Everything the worker needs, as one run of frames; wiped by the caller since it holds the secret. */
static int encode_job(struct buf *out, const struct worker_job *job, struct err *e)
{
    json_t *settings = json_deep_copy(job->connector->settings);
    if (conf_from_environment(job->connector->type, settings, environ, e) < 0) {
        json_decref(settings);
        return err_wrap(e, "connectors.%s", job->connector->name);
    }
    json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:o}", "verb", job->verb, "connector", job->connector->name, "type",
                          job->connector->type, "kinds", (json_int_t)job->kinds, "settings", settings);
    if (!j) return err_set(e, ERR_BUG, "the job cannot be written as JSON");
    bool is_whole = (!job->since || json_object_set_new(j, "since", json_deep_copy(job->since)) == 0) &&
                    (!job->only || json_object_set_new(j, "only", json_deep_copy(job->only)) == 0) &&
                    (!job->ask || json_object_set_new(j, "ask", json_deep_copy(job->ask)) == 0);
    if (!is_whole) {
        json_decref(j);
        return err_set(e, ERR_LIMIT, "the job cannot be copied: out of memory");
    }
    add_json_frame(out, FRAME_JOB, j);
    json_decref(j);
    /* check reports an unresolvable secret as its own step, so it gets the job without one */
    struct err secret_error;
    int rc = add_secret(out, job, &secret_error);
    if (rc < 0 && strcmp(job->verb, "check") != 0) {
        *e = secret_error;
        return rc;
    }
    if (rc < 0) {
        size_t at = frame_open(out, FRAME_SECRET);
        buf_add_lstr(out, bytes_of(STR("error")));
        buf_add_str(out, str_from(secret_error.message));
        frame_close(out, at);
    }
    frame_close(out, frame_open(out, FRAME_GO));
    return out->failed ? err_set(e, ERR_INPUT, "the settings of %s are too long", job->connector->name) : 0;
}

/* The worker parses what strangers send, so it gets none of the user's environment, where secrets of others may be (env: references
 * are resolved here): only what name resolution, temporary files, crypto policies and sanitizers are told that way. */
static void pick_environment(char *out[], size_t size)
{
    static const char *const kept[] = {"ROLLCALL_RESOLVERS", "RES_OPTIONS",  "LOCALDOMAIN",  "TMPDIR",       "GNUTLS_SYSTEM_PRIORITY_FILE",
                                       "OPENSSL_CONF",       "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"};
    size_t n = 0;
    for (char **one = environ; *one && n + 1 < size; one++)
        for (size_t i = 0; i < n_elements(kept); i++)
            if (str_starts(str_from(*one), str_from(kept[i])) && (*one)[strlen(kept[i])] == '=') out[n++] = *one;
    out[n] = NULL;
}

/* Files that the settings name by descriptor (/proc/self/fd/22: what a server hands over) stay open for the worker, up to number 63. */
static uint64_t descriptors_named(const json_t *settings)
{
    static const char form[] = "/proc/self/fd/";
    uint64_t named = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)settings, key, value)
    {
        const char *text = json_string_value(value);
        if (!text || strncmp(text, form, sizeof form - 1) != 0) continue;
        unsigned long n = strtoul(text + sizeof form - 1, NULL, 10);
        if (n > 3 && n < 64) named |= UINT64_C(1) << n;
    }
    return named;
}

static void close_others(uint64_t kept)
{
    for (unsigned i = 4; i < 64; i++)
        if (!(kept >> i & 1)) close((int)i);
    close_range(64, ~0U, 0);
}

static void become_worker(int fd, uint64_t kept)
{
    char *environment[16];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the terminal signals the whole group; our end decides */
    if (fd == 3)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, 3);
    close_others(kept);
    static char name[] = "rollcall", verb[] = "collect";
    pick_environment(environment, n_elements(environment));
    execve("/proc/self/exe", (char *[]){name, verb, NULL}, environment);
    _exit(127);
}

static int spawn(struct worker *w, const struct worker_job *job, struct err *e)
{
    uint64_t kept = descriptors_named(job->connector->settings);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return err_errno(e, ERR_LIMIT, errno, "socketpair");
    for (int i = 0; i < 2; i++) {
        int bytes = SOCKET_BYTES;
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    w->pid = fork();
    if (w->pid == 0) {
        close(pair[0]);
        become_worker(pair[1], kept);
    }
    close(pair[1]);
    w->fd = pair[0];
    return w->pid < 0 ? err_errno(e, ERR_LIMIT, errno, "no worker process") : 0;
}

static void reap(struct worker *w, int *status)
{
    while (waitpid(w->pid, status, 0) < 0 && errno == EINTR) continue;
}

static void worker_free(struct worker *w, bool kill_it)
{
    int status;
    if (w->fd >= 0) close(w->fd);
    if (w->pid > 0) {
        if (kill_it) kill(w->pid, SIGKILL);
        reap(w, &status);
    }
    buf_free(&w->in);
    free(w);
}

int worker_start(struct worker **out, const struct worker_job *job, struct err *e)
{
    struct buf frames = buf_new(FRAME_MAX);
    int rc = encode_job(&frames, job, e);
    struct worker *w = x_zalloc(sizeof *w);
    w->fd = -1;
    w->in = buf_new(FRAME_MAX + READ_AHEAD + 16);
    if (rc == 0) rc = spawn(w, job, e);
    if (rc == 0 && (rc = file_write_all(w->fd, buf_bytes(&frames), e)) < 0) err_wrap(e, "the worker does not listen");
    secret_wipe_buf(&frames);
    if (rc < 0) {
        worker_free(w, true);
        return rc;
    }
    *out = w;
    return 0;
}

/* --- listening --------------------------------------------------------------------------------------- */

static int from_json(json_t **out, struct bytes payload, struct err *e)
{
    json_error_t why;
    *out = json_loadb((const char *)payload.ptr, payload.len, JSON_REJECT_DUPLICATES, &why);
    return *out ? 0 : err_set(e, ERR_PROTO, "the worker's JSON: %s", why.text);
}

static int aborted(struct bytes payload, struct err *e)
{
    json_t *j;
    try(from_json(&j, payload, e));
    jsonv_error(j, ERR_BUG, "the worker gave no reason", e);
    err_code(e, (enum err_domain)json_integer_value(json_object_get(j, "domain")),
             (int)json_integer_value(json_object_get(j, "code")));
    e->retry_at_ms = json_integer_value(json_object_get(j, "retry_at_ms"));
    json_decref(j);
    return e->class;
}

typedef int json_callback(void *ctx, const json_t *facts, struct err *e);

static int hand_json(json_callback *to, void *ctx, struct bytes payload, struct err *e)
{
    if (!to) return 0;
    json_t *j;
    try(from_json(&j, payload, e));
    int rc = to(ctx, j, e);
    json_decref(j);
    return rc;
}

static int hand_record(const struct stream_handler *h, struct bytes payload, struct err *e)
{
    struct record r;
    if (!h->record) return 0;
    try(record_decode(&r, payload, e));
    return h->record(h->ctx, &r, payload, e);
}

static int hand_kind_done(const struct stream_handler *h, struct bytes payload, struct err *e)
{
    struct cursor c = cursor_new(payload);
    uint8_t kind = cursor_u8(&c), complete = cursor_u8(&c);
    uint64_t received = cursor_u64le(&c);
    if (c.failed || c.in.len || kind >= KIND_COUNT) return err_set(e, ERR_PROTO, "malformed end of a kind");
    return h->kind_done ? h->kind_done(h->ctx, (enum kind)kind, complete != 0, received, e) : 0;
}

static int hand_gone(const struct stream_handler *h, struct bytes payload, struct err *e)
{
    struct cursor c = cursor_new(payload);
    struct bytes guid = cursor_bytes(&c, GUID_SIZE);
    uint8_t evidence = cursor_u8(&c);
    if (c.failed || c.in.len || (evidence != EVIDENCE_DELETED && evidence != EVIDENCE_VANISHED))
        return err_set(e, ERR_PROTO, "malformed tombstone");
    return h->gone ? h->gone(h->ctx, guid.ptr, (enum evidence)evidence, e) : 0;
}

static int hand_present(const struct stream_handler *h, struct bytes payload, struct err *e)
{
    struct cursor c = cursor_new(payload);
    uint8_t kind = cursor_u8(&c);
    if (c.failed || kind >= KIND_COUNT || c.in.len % GUID_SIZE) return err_set(e, ERR_PROTO, "malformed presence");
    while (h->present && c.in.len) try(h->present(h->ctx, (enum kind)kind, cursor_bytes(&c, GUID_SIZE).ptr, e));
    return 0;
}

static int hand_progress(const struct stream_handler *h, struct bytes payload, struct err *e)
{
    struct cursor c = cursor_new(payload);
    uint8_t kind = cursor_u8(&c);
    uint64_t received = cursor_u64le(&c), requests = cursor_u64le(&c), bytes = cursor_u64le(&c);
    if (c.failed || c.in.len || kind >= KIND_COUNT) return err_set(e, ERR_PROTO, "malformed progress");
    if (h->progress) h->progress(h->ctx, (enum kind)kind, received, requests, bytes);
    return 0;
}

static int hand_repairs(const struct stream_handler *h, struct bytes payload, struct err *e)
{
    struct cursor c = cursor_new(payload);
    uint64_t repeated = cursor_u64le(&c), throttled = cursor_u64le(&c), rested_ms = cursor_u64le(&c);
    if (c.failed || c.in.len) return err_set(e, ERR_PROTO, "malformed repairs");
    if (h->repairs) h->repairs(h->ctx, repeated, throttled, rested_ms);
    return 0;
}

static int hand_sd(const struct stream_handler *h, struct bytes payload, struct err *e)
{
    struct cursor c = cursor_new(payload);
    uint32_t number = cursor_u32le(&c);
    if (c.failed || !number) return err_set(e, ERR_PROTO, "malformed descriptor");
    return h->sd ? h->sd(h->ctx, number, c.in, e) : 0;
}

static int hand_over(struct worker *w, const struct stream_handler *h, const struct frame *f, struct err *e)
{
    struct members_part part;
    struct gap gap;
    switch (f->type) {
    case FRAME_BEGIN: return hand_json(h->begin, h->ctx, f->payload, e);
    case FRAME_WATERMARK: return hand_json(h->watermark, h->ctx, f->payload, e);
    case FRAME_REPAIRS: return hand_repairs(h, f->payload, e);
    case FRAME_SCHEMA: return h->schema ? h->schema(h->ctx, f->payload, e) : 0;
    case FRAME_STEP: return hand_json(h->step, h->ctx, f->payload, e);
    case FRAME_SD: return hand_sd(h, f->payload, e);
    case FRAME_RECORD: return hand_record(h, f->payload, e);
    case FRAME_MEMBERS:
        try(members_decode(&part, f->payload, e));
        return h->members ? h->members(h->ctx, &part, e) : 0;
    case FRAME_GAP:
        try(gap_decode(&gap, f->payload, e));
        return h->gap ? h->gap(h->ctx, &gap, e) : 0;
    case FRAME_GONE: return hand_gone(h, f->payload, e);
    case FRAME_PRESENT: return hand_present(h, f->payload, e);
    case FRAME_KIND_DONE: return hand_kind_done(h, f->payload, e);
    case FRAME_PROGRESS: return hand_progress(h, f->payload, e);
    case FRAME_END: w->ended = true; return hand_json(h->end, h->ctx, f->payload, e);
    case FRAME_ABORT: return aborted(f->payload, e);
    default: return err_set(e, ERR_PROTO, "the worker sent a frame of type %d", f->type);
    }
}

static int drain(struct worker *w, const struct stream_handler *h, struct err *e)
{
    struct bytes left = {w->in.ptr + w->consumed, w->in.len - w->consumed};
    struct frame f;
    int got = 0;
    while (!w->ended && (got = frame_next(&f, &left, e)) > 0) {
        int rc = hand_over(w, h, &f, e);
        if (rc < 0) return rc;
    }
    w->consumed = w->in.len - left.len;
    return got < 0 ? got : 0;
}

/* Makes room behind what is left; what was consumed goes first. */
static uint8_t *room(struct worker *w)
{
    size_t left = w->in.len - w->consumed;
    if (w->consumed && left) memmove(w->in.ptr, w->in.ptr + w->consumed, left);
    w->in.len = left;
    w->consumed = 0;
    return buf_reserve(&w->in, READ_AHEAD);
}

static int died(struct worker *w, struct err *e)
{
    int status = 0;
    reap(w, &status);
    w->pid = 0;
    if (WIFSIGNALED(status)) {
        err_set(e, ERR_BUG, "the worker was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
        return WTERMSIG(status) == SIGKILL ? err_hint(e, "see in the kernel's log whether the memory ran out") : e->class;
    }
    if (WEXITSTATUS(status) == X_OUT_OF_MEMORY) {
        err_set(e, ERR_LIMIT, "the worker ran out of memory");
        return err_hint(e, "give it more: see ulimit -v, the MemoryMax of its service, or the memory of the machine");
    }
    return err_set(e, ERR_BUG, "the worker ended (status %d) without saying END or ABORT", WEXITSTATUS(status));
}

static int receive(struct worker *w, const struct stream_handler *h, struct err *e)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    while (!interrupted) {
        uint8_t *to = room(w);
        if (!to) return err_set(e, ERR_PROTO, "the worker sent a frame that is too long");
        ssize_t n = recv(w->fd, to, READ_AHEAD, MSG_DONTWAIT);
        if (n > 0) {
            buf_advance(&w->in, (size_t)n);
            return 0;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) return died(w, e);
        if (poll(&p, 1, 500) == 0 && h->idle) try(h->idle(h->ctx, e));
    }
    return err_set(e, ERR_CANCEL, "interrupted");
}

int worker_run(struct worker *w, const struct stream_handler *h, struct err *e)
{
    int rc = 0;
    while (rc == 0 && !w->ended) {
        rc = receive(w, h, e);
        if (rc == 0) rc = drain(w, h, e);
    }
    worker_free(w, rc < 0);
    return rc;
}
