/* failalloc.c - LD_PRELOAD: the N-th memory allocation after main() fails, and with FAILALLOC_ON=1 every later one too.
 *
 * FAILALLOC=N        counts malloc, calloc, realloc, aligned ones and anonymous mmap (libsodium's guarded pages); 0 only counts
 * FAILALLOC_WHO      parent (default) or worker: the process started as `collect`, which is given these variables here, since rollcall
 *                    hands its worker an environment of its own
 * FAILALLOC_LOG=FILE gets one line, the count, when a process that counts ends (also by _exit)
 * A crash is told on standard error with the library or program whose code it was: "failalloc: crash in NAME".
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, so that nothing is looked up within an allocation */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static bool counts, goes_on;
static long count, at;
static char log_path[512];

static bool fails(void)
{
    if (!counts) return false;
    long n = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    bool now = at > 0 && (n == at || (goes_on && n > at));
    if (now) errno = ENOMEM;
    return now;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}
void *memalign(size_t alignment, size_t n)
{
    return fails() ? NULL : __libc_memalign(alignment, n);
}
void *aligned_alloc(size_t alignment, size_t n)
{
    return fails() ? NULL : __libc_memalign(alignment, n);
}
int posix_memalign(void **out, size_t alignment, size_t n)
{
    void *p = fails() ? NULL : __libc_memalign(alignment, n);
    if (p) *out = p;
    return p ? 0 : ENOMEM;
}
void *mmap(void *where, size_t n, int protection, int flags, int fd, off_t offset)
{
    static void *(*next)(void *, size_t, int, int, int, off_t);
    if (!next) next = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
    return fd == -1 && fails() ? MAP_FAILED : next(where, n, protection, flags, fd, offset);
}
void *mmap64(void *where, size_t n, int protection, int flags, int fd, off_t offset)
{ /* counted by the call */
    return mmap(where, n, protection, flags, fd, offset);
}

static void report(void)
{
    int fd = counts && *log_path ? open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    counts = false;
    if (fd < 0) return;
    dprintf(fd, "%ld\n", count);
    close(fd);
}

void _exit(int code)
{
    report();
    ((void (*)(int))dlsym(RTLD_NEXT, "_exit"))(code);
    __builtin_unreachable();
}

/* --- whose crash -------------------------------------------------------------------------------------------- */

/* The first frame that is neither ours nor the C library's: who passed the null pointer. */
static void blame(int number)
{
    void *frames[40];
    Dl_info where;
    const char *who = "?";
    int n = backtrace(frames, 40);
    for (int i = 1; i < n; i++) {
        if (!dladdr(frames[i], &where) || !where.dli_fname) continue;
        if (strstr(where.dli_fname, "failalloc") || strstr(where.dli_fname, "/libc.so")) continue;
        who = where.dli_fname;
        break;
    }
    dprintf(STDERR_FILENO, "failalloc: crash in %s\n", who);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
    void *warm[4];
    backtrace(warm, 4); /* loads what it needs now */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction act = {.sa_handler = blame, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
        sigaction(numbers[i], &act, NULL);
    }
}

/* --- which process ------------------------------------------------------------------------------------------ */

static int (*their_main)(int, char **, char **);

static int our_main(int argc, char **argv, char **env)
{
    const char *who = getenv("FAILALLOC_WHO"), *log = getenv("FAILALLOC_LOG"), *n = getenv("FAILALLOC");
    bool is_worker = argc > 1 && strcmp(argv[1], "collect") == 0;
    if (log) snprintf(log_path, sizeof log_path, "%s", log);
    at = n ? strtol(n, NULL, 10) : 0;
    goes_on = getenv("FAILALLOC_ON") != NULL;
    atexit(report);
    watch_crashes();
    counts = is_worker == (who && strcmp(who, "worker") == 0);
    return their_main(argc, argv, env);
}

int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    typedef int start(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    their_main = entry;
    return ((start *)dlsym(RTLD_NEXT, "__libc_start_main"))(our_main, argc, argv, init, fini, rtld_fini, stack_end);
}

int execve(const char *path, char *const argv[], char *const env[])
{
    static const char *const ours[] = {"LD_PRELOAD", "FAILALLOC", "FAILALLOC_WHO", "FAILALLOC_ON", "FAILALLOC_LOG"};
    static char text[5][600];
    char *more[64];
    size_t n = 0;
    for (; env[n] && n < 56; n++) more[n] = env[n];
    for (size_t i = 0; i < 5; i++) {
        if (!getenv(ours[i])) continue;
        snprintf(text[i], sizeof text[i], "%s=%s", ours[i], getenv(ours[i]));
        more[n++] = text[i];
    }
    more[n] = NULL;
    return ((__typeof__(&execve))dlsym(RTLD_NEXT, "execve"))(path, argv, more);
}
