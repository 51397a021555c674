#include "server/connectors/peek.h"

#include "base/buf.h"
#include "base/jsonv.h"
#include "base/when.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)2 << 20)
#define AT_ONCE    4
#define LOOK_MS    200 /* how often is_stopped is looked at */

extern char **environ;
static atomic_int n_children;
static atomic_bool is_stopped;

struct peek {
    pid_t pid;
    int fds[2]; /* its standard output and standard error */
    struct buf said[2];
};

/* What resolves names and sets up TLS; no secret of the server's. */
static void pick_environment(char *out[], size_t size)
{
    static const char *const kept[] = {"ROLLCALL_RESOLVERS=", "RES_OPTIONS=",  "LOCALDOMAIN=",  "OPENSSL_CONF=",
                                       "TMPDIR=",             "ASAN_OPTIONS=", "LSAN_OPTIONS=", "LD_LIBRARY_PATH="};
    size_t n = 0;
    for (char **one = environ; *one; one++)
        for (size_t i = 0; i < n_elements(kept); i++)
            if (n + 1 < size && str_starts(str_from(*one), str_from(kept[i]))) out[n++] = *one;
    out[n] = NULL;
}

static int spawn_words(pid_t *pid, char *const *words, int out, int err)
{
    posix_spawn_file_actions_t to;
    posix_spawnattr_t how;
    sigset_t none;
    char *environment[12];
    pick_environment(environment, n_elements(environment));
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&to, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&to, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&to, 3);
    posix_spawnattr_init(&how);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    int failed = posix_spawn(pid, "/proc/self/exe", &to, &how, words, environment);
    posix_spawn_file_actions_destroy(&to);
    posix_spawnattr_destroy(&how);
    return failed;
}

static int start(struct peek *p, char *const *words, struct err *e)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    int failed = pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ? errno : spawn_words(&p->pid, words, out[1], err[1]);
    if (out[1] >= 0) close(out[1]);
    if (err[1] >= 0) close(err[1]);
    p->fds[0] = out[0];
    p->fds[1] = err[0];
    if (!failed) return 0;
    p->pid = 0;
    return err_errno(e, ERR_LIMIT, failed, "no process to look at a certificate");
}

/* 1: more may come. */
static int take(struct peek *p, int which, struct err *e)
{
    uint8_t *to = buf_reserve(&p->said[which], 4096);
    if (!to) return err_set(e, ERR_LIMIT, "the certificate chain is larger than %zu bytes", OUTPUT_MAX);
    ssize_t n = read(p->fds[which], to, 4096);
    if (n > 0) buf_advance(&p->said[which], (size_t)n);
    if (n > 0 || (n < 0 && errno == EINTR)) return 1;
    close(p->fds[which]);
    p->fds[which] = -1;
    return 1;
}

static int listen_to(struct peek *p, int64_t deadline_ms, struct err *e)
{
    while (p->fds[0] >= 0 || p->fds[1] >= 0) {
        struct pollfd fds[2] = {{p->fds[0], POLLIN, 0}, {p->fds[1], POLLIN, 0}};
        int left = when_left_ms(deadline_ms), n = poll(fds, 2, left < LOOK_MS ? left : LOOK_MS);
        if (atomic_load(&is_stopped)) return err_set(e, ERR_CANCEL, "the server stops");
        if ((n < 0 && errno == EINTR) || (n == 0 && left > LOOK_MS)) continue;
        if (n <= 0) return err_set(e, ERR_TIMEOUT, "no answer in time");
        for (int i = 0; i < 2; i++)
            if (fds[i].fd >= 0 && fds[i].revents) try(take(p, i, e));
    }
    return 0;
}

static void end(struct peek *p)
{
    for (int i = 0; i < 2; i++)
        if (p->fds[i] >= 0) close(p->fds[i]);
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
}

/* An untrusted chain is an answer; only what has none is an error. */
static int understand(struct peek *p, json_t **out, struct err *e)
{
    *out = json_loadb((const char *)p->said[0].ptr, p->said[0].len, JSON_REJECT_DUPLICATES, NULL);
    if (*out) return 0;
    json_t *told = json_loadb((const char *)p->said[1].ptr, p->said[1].len, JSON_DISABLE_EOF_CHECK, NULL);
    int rc = jsonv_error(told, ERR_BUG, "the process that looks at certificates said nothing", e);
    json_decref(told);
    return rc;
}

static int look(json_t **out, char *const *words, int timeout_ms, struct err *e)
{
    struct peek p = {.fds = {-1, -1}, .said = {buf_new(OUTPUT_MAX), buf_new(OUTPUT_MAX)}};
    int rc = start(&p, words, e);
    if (rc == 0) rc = listen_to(&p, when_monotonic_ms() + timeout_ms, e);
    end(&p);
    if (rc == 0) rc = understand(&p, out, e);
    buf_free(&p.said[0]);
    buf_free(&p.said[1]);
    return rc;
}

/* What can be a name or an address; nothing else is asked of the resolver. */
static bool is_host(const char *host)
{
    size_t n = strlen(host);
    return n > 0 && n < 256 && host[0] != '-' &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == n;
}

int peek_certificate(json_t **out, const char *host, unsigned port, bool starttls, int timeout_ms, struct err *e)
{
    static char name[] = "rollcall", verb[] = "certificate", form[] = "--output=json", pem[] = "--pem", tls[] = "--starttls", end_of_options[] = "--";
    char place[320];
    char *words[8] = {name, verb, form, pem};
    size_t n = 4;
    bool is_address6 = strchr(host, ':') != NULL;
    if (!is_host(host)) {
        err_set(e, ERR_INPUT, "host: neither a name nor an address");
        return err_hint(e, "dc1.corp.example, 192.0.2.1 or 2001:db8::1");
    }
    if (snprintf(place, sizeof place, is_address6 ? "[%s]:%u" : "%s:%u", host, port) >= (int)sizeof place) return err_set(e, ERR_INPUT, "host: too long");
    if (starttls) words[n++] = tls;
    words[n++] = end_of_options;
    words[n++] = place;
    words[n] = NULL;
    int rc = atomic_fetch_add(&n_children, 1) >= AT_ONCE ? err_set(e, ERR_LIMIT, "others are looking at certificates") : look(out, words, timeout_ms, e);
    atomic_fetch_sub(&n_children, 1);
    return rc;
}

void peek_stop(void)
{
    atomic_store(&is_stopped, true);
}
