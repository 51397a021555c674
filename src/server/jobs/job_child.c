#include "server/jobs/job_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASIDE       200 /* descriptors wait here, clear of where they are going */
#define ENV_MAX     96
#define SETTINGS_ENV "ROLLCALL_CONFIG=/proc/self/fd/20"

extern char **environ;

/* --- the environment ------------------------------------------------------------------------------------ */

/* What name resolution, time zones, Kerberos, temporary files, crypto policies and sanitizers are told that way. */
static bool is_kept(const char *one)
{
    static const char *const names[] = {"PATH",  "TZ",          "TMPDIR",       "LANG",         "CREDENTIALS_DIRECTORY", "LDAP_CERTIFICATE", "ROLLCALL_RESOLVERS",
                                        "RES_OPTIONS", "LOCALDOMAIN", "OPENSSL_CONF", "GNUTLS_SYSTEM_PRIORITY_FILE", "ASAN_OPTIONS", "LSAN_OPTIONS",
                                        "UBSAN_OPTIONS", "LD_LIBRARY_PATH"};
    if (str_starts(str_from(one), STR("KRB5"))) return true;
    for (size_t i = 0; i < n_elements(names); i++)
        if (str_starts(str_from(one), str_from(names[i])) && one[strlen(names[i])] == '=') return true;
    return false;
}

struct environment {
    char *list[ENV_MAX + 1];
    size_t n;
};

static void keep(struct environment *env, char *one)
{
    for (size_t i = 0; i < env->n; i++)
        if (env->list[i] == one) return;
    if (env->n < ENV_MAX) env->list[env->n++] = one;
}

static void keep_named(struct environment *env, const char *name)
{
    size_t len = strlen(name);
    for (char **one = environ; *one; one++)
        if (strncmp(*one, name, len) == 0 && (*one)[len] == '=') keep(env, *one);
}

/* Secrets that the settings take from the environment: env:NAME. Settings are checked ones, a few levels deep. */
static void keep_references(struct environment *env, const json_t *settings, unsigned depth)
{
    const char *text = json_string_value(settings), *key;
    json_t *one;
    size_t i;
    if (text && strncmp(text, "env:", 4) == 0) keep_named(env, text + 4);
    if (depth == 0) return;
    if (json_is_array(settings)) json_array_foreach(settings, i, one) keep_references(env, one, depth - 1);
    if (json_is_object(settings)) json_object_foreach((json_t *)settings, key, one) keep_references(env, one, depth - 1);
}

static json_t *read_settings(const struct handed *h)
{
    json_error_t ignored;
    int fd = fcntl(h->settings_fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return NULL;
    lseek(fd, 0, SEEK_SET);
    json_t *settings = json_loadfd(fd, 0, &ignored);
    lseek(fd, 0, SEEK_SET);
    close(fd);
    return settings;
}

static void pick_environment(struct environment *env, const struct handed *h)
{
    static char settings_at[] = SETTINGS_ENV;
    for (char **one = environ; *one; one++)
        if (is_kept(*one)) keep(env, *one);
    json_t *settings = h ? read_settings(h) : NULL;
    keep_references(env, settings, 8);
    json_decref(settings);
    if (h)
        keep(env, settings_at);
    else
        keep_named(env, "ROLLCALL_CONFIG");
    env->list[env->n] = NULL;
}

/* --- starting ------------------------------------------------------------------------------------------- */

struct plumbing {
    int null, out[2], err[2];
    int handed[1 + n_elements(((struct handed *)0)->secret_fds)]; /* as they are to be from HANDED_SETTINGS_FD on */
    size_t n_handed;
};

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0) close(fds[i]), fds[i] = -1;
}

static void plumbing_close(struct plumbing *p)
{
    close_all(&p->null, 1);
    close_all(p->out, 2);
    close_all(p->err, 2);
    close_all(p->handed, p->n_handed);
}

static int put_aside(struct plumbing *p, const struct handed *h)
{
    for (size_t i = 0; i <= h->n_secrets; i++) {
        int fd = fcntl(i ? h->secret_fds[i - 1] : h->settings_fd, F_DUPFD_CLOEXEC, ASIDE);
        if (fd < 0) return -1;
        p->handed[p->n_handed++] = fd;
    }
    return 0;
}

static int plumbing_open(struct plumbing *p, const struct handed *h, struct err *e)
{
    *p = (struct plumbing){.null = open("/dev/null", O_RDWR | O_CLOEXEC), .out = {-1, -1}, .err = {-1, -1}};
    bool is_fine = p->null >= 0 && pipe2(p->out, O_CLOEXEC) == 0 && pipe2(p->err, O_CLOEXEC) == 0;
    is_fine = is_fine && fcntl(p->out[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(p->err[0], F_SETFL, O_NONBLOCK) == 0;
    is_fine = is_fine && (!h || put_aside(p, h) == 0);
    if (is_fine) return 0;
    err_errno(e, ERR_LIMIT, errno, "no pipes for a child process");
    plumbing_close(p);
    return err_hint(e, "see the limit of open files of the service (LimitNOFILE)");
}

/* Between fork and exec of a process with threads: nothing here allocates or takes a lock. */
static _Noreturn void become(const struct plumbing *p, pid_t parent, char *const *words, char *const *env)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(p->null, 0);
    dup2(p->out[1], 1);
    dup2(p->err[1], 2);
    for (size_t i = 0; i < p->n_handed; i++) dup2(p->handed[i], HANDED_SETTINGS_FD + (int)i);
    close_range(3, HANDED_SETTINGS_FD - 1, 0);
    close_range(HANDED_SETTINGS_FD + (unsigned)p->n_handed, ~0U, 0);
    execve("/proc/self/exe", words, env);
    _exit(127);
}

int job_child_start(struct job_child *out, const char *const *words, const struct handed *handed, struct err *e)
{
    struct plumbing p;
    struct environment env = {.n = 0};
    pid_t parent = getpid();
    *out = JOB_CHILD_NONE;
    try(plumbing_open(&p, handed, e));
    pick_environment(&env, handed);
    pid_t pid = fork();
    if (pid == 0) become(&p, parent, (char *const *)words, env.list);
    int saved = errno;
    if (pid > 0) {
        setpgid(pid, pid); /* whoever comes first */
        *out = (struct job_child){pid, p.out[0], p.err[0]};
        p.out[0] = p.err[0] = -1;
    }
    plumbing_close(&p);
    return pid < 0 ? err_errno(e, ERR_LIMIT, saved, "no child process") : 0;
}

/* --- ending --------------------------------------------------------------------------------------------- */

void job_child_ask_to_end(const struct job_child *c)
{
    if (c->pid > 0) kill(c->pid, SIGTERM);
}

void job_child_kill(const struct job_child *c)
{
    if (c->pid > 0) kill(-c->pid, SIGKILL);
}

bool job_child_reap(struct job_child *c, int *status)
{
    *status = 0;
    if (c->pid <= 0) return true;
    pid_t got = waitpid(c->pid, status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return false;
    c->pid = 0;
    return true;
}

void job_child_close(struct job_child *c)
{
    close_all(&c->out, 1);
    close_all(&c->err, 1);
}
