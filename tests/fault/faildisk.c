/* faildisk.c - LD_PRELOAD: the N-th call that writes to a file fails, and unless FAILDISK_ONCE is set every later one too.
 *
 * FAILDISK=N        counts pwrite, write, fsync, fdatasync, ftruncate, fallocate and the creating open on regular files; 0 only counts
 * FAILDISK_ERRNO=E  a number; default ENOSPC. A write that fails for want of room has written half (a short write) the first time
 * FAILDISK_CALL=C   counts only calls whose name begins so: fsync, write, ...
 * FAILDISK_FILES=S  only files whose path holds S
 * FAILDISK_LOG=FILE gets the count of a process that ends
 * Workers (exec'ed without these variables) do not count.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long count;

static bool is_ours(int fd, const char *path)
{
    char link[64], found[4096];
    struct stat st;
    const char *part = getenv("FAILDISK_FILES");
    if (fd >= 0) {
        if (fd <= STDERR_FILENO || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return false;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, found, sizeof found - 1);
        found[n < 0 ? 0 : n] = 0;
        path = found;
    }
    return !part || strstr(path, part);
}

enum verdict { PASS, FAIL, FIRST_FAIL };

static enum verdict tick(int fd, const char *path, const char *call)
{
    int saved = errno; /* the caller's own */
    const char *n = getenv("FAILDISK"), *only = getenv("FAILDISK_CALL");
    bool counts = n && (!only || strncmp(call, only, strlen(only)) == 0) && is_ours(fd, path);
    errno = saved;
    if (!counts) return PASS;
    long at = strtol(n, NULL, 10);
    count++;
    if (at <= 0 || count < at || (count > at && getenv("FAILDISK_ONCE"))) return PASS;
    errno = getenv("FAILDISK_ERRNO") ? atoi(getenv("FAILDISK_ERRNO")) : ENOSPC;
    return count == at ? FIRST_FAIL : FAIL;
}

__attribute__((destructor)) static void report(void)
{
    const char *log = getenv("FAILDISK_LOG");
    int fd = log && count ? NEXT(open)(log, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd < 0) return;
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", count);
    if (NEXT(write)(fd, text, (size_t)n) < 0) _exit(99);
    close(fd);
}

/* A disk that gets full in the middle of a write takes the first part. */
static bool is_short(enum verdict v, size_t n)
{
    return v == FIRST_FAIL && n > 1 && (errno == ENOSPC || errno == EDQUOT);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    enum verdict v = tick(fd, NULL, "pwrite");
    if (v != PASS && !is_short(v, n)) return -1;
    return NEXT(pwrite)(fd, p, v == PASS ? n : n / 2, at);
}
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return pwrite(fd, p, n, at);
}
ssize_t write(int fd, const void *p, size_t n)
{
    enum verdict v = tick(fd, NULL, "write");
    if (v != PASS && !is_short(v, n)) return -1;
    return NEXT(write)(fd, p, v == PASS ? n : n / 2);
}
int fsync(int fd)
{
    return tick(fd, NULL, "fsync") ? -1 : NEXT(fsync)(fd);
}
int fdatasync(int fd)
{
    return tick(fd, NULL, "fsync") ? -1 : NEXT(fdatasync)(fd);
}
int ftruncate(int fd, off_t n)
{
    return tick(fd, NULL, "ftruncate") ? -1 : NEXT(ftruncate)(fd, n);
}
int ftruncate64(int fd, off_t n)
{
    return ftruncate(fd, n);
}
int posix_fallocate(int fd, off_t at, off_t n)
{
    return tick(fd, NULL, "fallocate") ? errno : NEXT(posix_fallocate)(fd, at, n);
}
int rename(const char *from, const char *to)
{
    return tick(-1, from, "rename") ? -1 : NEXT(rename)(from, to);
}

static int open_at(int dir, const char *path, int flags, va_list ap)
{
    bool makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
    mode_t mode = makes ? va_arg(ap, mode_t) : 0;
    if (makes && strncmp(path, "/dev/", 5) != 0 && tick(-1, path, "open")) return -1;
    return NEXT(openat)(dir, path, flags, mode);
}
#define OPENS(name, ...)                                                                                     \
    {                                                                                                        \
        va_list ap;                                                                                          \
        va_start(ap, flags);                                                                                 \
        int fd = open_at(__VA_ARGS__, path, flags, ap);                                                      \
        va_end(ap);                                                                                          \
        return fd;                                                                                           \
    }
int open(const char *path, int flags, ...) OPENS(open, AT_FDCWD)
int open64(const char *path, int flags, ...) OPENS(open64, AT_FDCWD)
int openat(int dir, const char *path, int flags, ...) OPENS(openat, dir)
int openat64(int dir, const char *path, int flags, ...) OPENS(openat64, dir)
