#include "server/asker.h"
#include "server/asker_wire.h"

#include "base/file.h"
#include "base/jsonv.h"
#include "base/when.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two locks: `turn` is held by who asks, for as long as it takes; `lock` guards the child, for moments, so that asker_stop need not wait for an answer. */
struct asker {
    pthread_mutex_t turn, lock;
    char *program, *store_url;
    int idle_ms;
    atomic_bool is_stopped;
    pid_t pid;       /* 0: there is none, or it was reaped */
    pthread_t reaper;
    bool has_reaper; /* to be joined */
    int fd;          /* our end; -1 */
};

extern char **environ;

/* --- the child -------------------------------------------------------------------------------------------- */

/* Waits for the child without a zombie in between: the number of a dead one is nobody's until waitpid, which happens under the lock. */
static void *reap(void *ctx)
{
    struct asker *a = ctx;
    siginfo_t gone;
    pid_t pid = a->pid; /* set before this thread was started */
    while (waitid(P_PID, (id_t)pid, &gone, WEXITED | WNOWAIT) < 0 && errno == EINTR) continue;
    pthread_mutex_lock(&a->lock);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    a->pid = 0;
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void kill_child(struct asker *a)
{
    pthread_mutex_lock(&a->lock);
    if (a->pid > 0) kill(a->pid, SIGKILL);
    pthread_mutex_unlock(&a->lock);
}

/* By who has the turn. */
static void end_child(struct asker *a)
{
    if (a->fd >= 0) close(a->fd);
    a->fd = -1;
    if (!a->has_reaper) return;
    kill_child(a);
    pthread_join(a->reaper, NULL);
    a->has_reaper = false;
}

/* It reads a store and no secret, so it gets no more of the environment than a worker does (run/worker.c). */
static void pick_environment(char *out[], size_t size)
{
    static const char *const kept[] = {"TMPDIR=", "ASAN_OPTIONS=", "LSAN_OPTIONS=", "UBSAN_OPTIONS=", "LD_LIBRARY_PATH="};
    size_t n = 0;
    for (char **one = environ; *one; one++)
        for (size_t i = 0; i < n_elements(kept); i++)
            if (n + 1 < size && str_starts(str_from(*one), str_from(kept[i]))) out[n++] = *one;
    out[n] = NULL;
}

static int spawn_with(struct asker *a, int child_end, pid_t *pid)
{
    posix_spawn_file_actions_t to;
    posix_spawnattr_t how;
    sigset_t none;
    char idle[32], *environment[8];
    static char name[] = "rollcall", verb[] = "answer", store[] = "--store", wait[] = "--idle-ms";
    snprintf(idle, sizeof idle, "%d", a->idle_ms);
    pick_environment(environment, n_elements(environment));
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&to, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&to, child_end, ASKER_FD);
    posix_spawn_file_actions_addclosefrom_np(&to, ASKER_FD + 1);
    posix_spawnattr_init(&how);
    sigemptyset(&none); /* threads of a server block signals; the child must not */
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    int failed = posix_spawn(pid, a->program, &to, &how, (char *[]){name, verb, store, a->store_url, wait, idle, NULL}, environment);
    posix_spawn_file_actions_destroy(&to);
    posix_spawnattr_destroy(&how);
    return failed;
}

static int start_child(struct asker *a, struct err *e)
{
    int pair[2];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return err_errno(e, ERR_LIMIT, errno, "socketpair");
    int high = fcntl(pair[1], F_DUPFD_CLOEXEC, ASKER_FD + 1); /* dup2 onto itself would leave close-on-exec set */
    close(pair[1]);
    int failed = high < 0 ? errno : spawn_with(a, high, &pid);
    if (high >= 0) close(high);
    if (failed) {
        close(pair[0]);
        return err_errno(e, ERR_LIMIT, failed, "no process for access questions");
    }
    a->fd = pair[0];
    pthread_mutex_lock(&a->lock);
    a->pid = pid;
    if (a->is_stopped) kill(pid, SIGKILL); /* asker_stop came in between */
    pthread_mutex_unlock(&a->lock);
    failed = pthread_create(&a->reaper, NULL, reap, a);
    a->has_reaper = !failed;
    if (!failed) return 0;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    a->pid = 0;
    end_child(a);
    return err_errno(e, ERR_LIMIT, failed, "no thread for access questions");
}

/* --- over the socketpair ------------------------------------------------------------------------------------- */

struct exchange {
    struct asker *asker;
    int64_t deadline_ms;
    bool has_begun; /* a byte of the answer is there */
};

static int child_is_gone(const struct exchange *x, struct err *e)
{
    if (x->asker->is_stopped) return err_set(e, ERR_CANCEL, "the server stops");
    err_set(e, ERR_BUG, "the process that answers access questions ended");
    return err_hint(e, "ask again: another one is started; if that ends too, the server's log tells why");
}

static int wait_for(const struct exchange *x, short events, struct err *e)
{
    struct pollfd p = {x->asker->fd, events, 0};
    for (;;) {
        int n = poll(&p, 1, when_left_ms(x->deadline_ms));
        if (n > 0) return 0;
        if (n < 0 && errno == EINTR) continue;
        err_set(e, ERR_TIMEOUT, "the question took too long");
        return err_hint(e, "ask for less: one kind, a filter, one connector; or ask the command rollcall access, which has no limit of time");
    }
}

static int send_all(const struct exchange *x, struct bytes b, struct err *e)
{
    while (b.len) {
        try(wait_for(x, POLLOUT, e));
        ssize_t n = send(x->asker->fd, b.ptr, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return child_is_gone(x, e);
        b.ptr += n;
        b.len -= (size_t)n;
    }
    return 0;
}

static int receive_all(struct exchange *x, void *to, size_t n, struct err *e)
{
    uint8_t *at = to;
    while (n) {
        try(wait_for(x, POLLIN, e));
        ssize_t got = recv(x->asker->fd, at, n, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return child_is_gone(x, e);
        x->has_begun = true;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

static int receive_part(struct exchange *x, struct buf *out, size_t most, struct err *e)
{
    uint8_t raw[4];
    try(receive_all(x, raw, sizeof raw, e));
    size_t n = (size_t)raw[0] | (size_t)raw[1] << 8 | (size_t)raw[2] << 16 | (size_t)raw[3] << 24;
    uint8_t *to = n <= most ? buf_reserve(out, n) : NULL;
    if (!to) return err_set(e, ERR_BUG, "the process that answers access questions does not speak our language");
    try(receive_all(x, to, n, e));
    buf_advance(out, n);
    return 0;
}

struct answer {
    json_t *head;
    struct buf body;
};

static int exchange(struct exchange *x, struct bytes question, struct answer *out, struct err *e)
{
    struct buf head = buf_new(ASKER_HEAD_MAX);
    buf_clear(&out->body);
    int rc = send_all(x, question, e);
    if (rc == 0) rc = receive_part(x, &head, ASKER_HEAD_MAX, e);
    if (rc == 0) rc = receive_part(x, &out->body, ASKER_BODY_MAX, e);
    if (rc == 0 && !(out->head = json_loadb((const char *)head.ptr, head.len, JSON_REJECT_DUPLICATES, NULL)))
        rc = err_set(e, ERR_BUG, "the process that answers access questions told no JSON");
    buf_free(&head);
    return rc;
}

/* --- a question -------------------------------------------------------------------------------------------------- */

static int encode_question(struct buf *out, const char *const *words, const char *as, int64_t offset, int64_t limit, struct err *e)
{
    json_t *list = json_array();
    bool is_text = true;
    for (size_t i = 0; words[i]; i++) is_text = is_text && json_array_append_new(list, json_string(words[i])) == 0;
    json_t *j = json_pack("{s:o, s:s, s:I, s:I}", "words", list, "as", as, "offset", (json_int_t)offset, "limit", (json_int_t)limit);
    char *text = is_text ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (!text) return err_set(e, ERR_INPUT, "the question is no UTF-8");
    size_t n = strlen(text);
    buf_add_u32le(out, (uint32_t)n);
    buf_add(out, text, n);
    free(text);
    return out->failed ? err_set(e, ERR_INPUT, "the question is too long") : 0;
}

static int told_error(const json_t *head, struct err *e)
{
    return json_object_get(head, "class") ? jsonv_error(head, ERR_BUG, "no reason is known", e) : 0;
}

/* A child that ended for want of questions shows only now: then the same question goes to another. */
static int ask_child(struct asker *a, struct bytes question, int64_t deadline_ms, struct answer *out, struct err *e)
{
    for (bool is_again = false;; is_again = true) {
        struct exchange x = {a, deadline_ms, false};
        bool is_fresh = a->fd < 0;
        if (a->is_stopped) return err_set(e, ERR_CANCEL, "the server stops");
        if (is_fresh) {
            end_child(a);
            try(start_child(a, e));
        }
        int rc = exchange(&x, question, out, e);
        if (rc == 0) return 0;
        end_child(a);
        if (rc != ERR_BUG || is_fresh || is_again || x.has_begun) return rc;
    }
}

static int take_turn(struct asker *a, int64_t deadline_ms, struct err *e)
{
    struct timespec until = when_monotonic_in(when_left_ms(deadline_ms));
    if (pthread_mutex_clocklock(&a->turn, CLOCK_MONOTONIC, &until) == 0) return 0;
    err_set(e, ERR_TIMEOUT, "others are asking access questions");
    return err_hint(e, "ask again in a moment");
}

static int ask(struct asker *a, const char *const *words, const char *as, int64_t offset, int64_t limit, int timeout_ms, struct answer *out, struct err *e)
{
    int64_t deadline = when_monotonic_ms() + timeout_ms;
    struct buf question = buf_new(ASKER_QUESTION_MAX + 4);
    *out = (struct answer){.body = buf_new(ASKER_BODY_MAX)};
    int rc = encode_question(&question, words, as, offset, limit, e);
    if (rc == 0 && (rc = take_turn(a, deadline, e)) == 0) {
        rc = ask_child(a, buf_bytes(&question), deadline, out, e);
        pthread_mutex_unlock(&a->turn);
    }
    buf_free(&question);
    return rc < 0 ? rc : told_error(out->head, e);
}

static void answer_free(struct answer *x)
{
    json_decref(x->head);
    buf_free(&x->body);
}

static int body_json(const struct answer *x, json_t **out, struct err *e)
{
    json_error_t why;
    *out = json_loadb((const char *)x->body.ptr, x->body.len, 0, &why);
    return *out ? 0 : err_set(e, ERR_BUG, "the answer of the access engine: %s", why.text);
}

int asker_ask(struct asker *a, const char *const *words, int timeout_ms, json_t **json, struct err *e)
{
    struct answer x;
    *json = NULL;
    int rc = ask(a, words, "json", 0, 0, timeout_ms, &x, e);
    if (rc == 0) rc = body_json(&x, json, e);
    answer_free(&x);
    return rc;
}

int asker_text(struct asker *a, const char *const *words, int timeout_ms, struct buf *out, struct err *e)
{
    struct answer x;
    int rc = ask(a, words, "text", 0, 0, timeout_ms, &x, e);
    if (rc == 0) {
        buf_add_bytes(out, buf_bytes(&x.body));
        if (out->failed) rc = err_set(e, ERR_LIMIT, "the answer is too long");
    }
    answer_free(&x);
    return rc;
}

int asker_page(struct asker *a, const char *const *words, int64_t offset, int64_t limit, int timeout_ms, json_t **json, struct err *e)
{
    struct answer x;
    json_t *items = NULL;
    *json = NULL;
    int rc = ask(a, words, "page", offset, limit, timeout_ms, &x, e);
    if (rc == 0) rc = body_json(&x, &items, e);
    if (rc == 0) {
        *json = json_pack("{s:o}", "items", items);
        json_object_update(*json, x.head);
    }
    answer_free(&x);
    return rc;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

int asker_open_program(struct asker **out, const char *program, const char *store_url, int idle_ms, struct err *e)
{
    (void)e;
    struct asker *a = x_zalloc(sizeof *a);
    a->program = x_strdup(str_from(program));
    a->store_url = x_strdup(str_from(store_url));
    a->idle_ms = idle_ms;
    a->fd = -1;
    pthread_mutex_init(&a->turn, NULL);
    pthread_mutex_init(&a->lock, NULL);
    *out = a;
    return 0;
}

int asker_open(struct asker **out, const char *store_url, int idle_ms, struct err *e)
{
    return asker_open_program(out, "/proc/self/exe", store_url, idle_ms, e);
}

void asker_stop(struct asker *a)
{
    if (!a) return;
    a->is_stopped = true;
    kill_child(a); /* who waits for its answer sees the end of the stream */
}

void asker_close(struct asker *a)
{
    if (!a) return;
    asker_stop(a);
    pthread_mutex_lock(&a->turn);
    end_child(a);
    pthread_mutex_unlock(&a->turn);
    pthread_mutex_destroy(&a->turn);
    pthread_mutex_destroy(&a->lock);
    free(a->program);
    free(a->store_url);
    free(a);
}
